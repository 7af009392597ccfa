# MULLAMA_SANITIZE: a list of address, undefined, thread; empty for none.
#
# Instruments our own code, and sets MULLAMA_LLAMA_CPP_SANITIZER_FLAGS for llama.cpp. llama.cpp gets
# address and thread as well: a heap error in our use of it shows only there, and without
# instrumented locks and atomics every report of the thread sanitizer would be false. It doesn't get
# undefined: that would double its build time to report what isn't ours to fix.
set(MULLAMA_SANITIZE "" CACHE STRING "Sanitizers: a list of address, undefined, thread")

set(MULLAMA_LLAMA_CPP_SANITIZER_FLAGS "")
set(sanitizer_flags "")
foreach(sanitizer IN LISTS MULLAMA_SANITIZE)
    if(sanitizer STREQUAL "undefined")
        list(APPEND sanitizer_flags
            -fsanitize=undefined,float-cast-overflow -fno-sanitize-recover=all)
    elseif(sanitizer MATCHES "^(address|thread)$")
        list(APPEND sanitizer_flags -fsanitize=${sanitizer} -fno-omit-frame-pointer)
        list(APPEND MULLAMA_LLAMA_CPP_SANITIZER_FLAGS
            -fsanitize=${sanitizer} -fno-omit-frame-pointer -g1)
    else()
        message(FATAL_ERROR
            "MULLAMA_SANITIZE names \"${sanitizer}\"; it can name address, undefined and thread")
    endif()
endforeach()

# Our code counts its branches for the fuzzers; llama.cpp's wouldn't lead them anywhere.
if(MULLAMA_BUILD_FUZZERS)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(sanitizer_flags)
    add_compile_options(${sanitizer_flags})
    add_link_options(${sanitizer_flags})
endif()
unset(sanitizer_flags)
