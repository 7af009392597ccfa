# Builds llama.cpp at configure time, once for all build folders that want the same of it.
#
#   mullama_build_llama_cpp(<out> LEVEL <level> TARGETS <target>...)
#
# leaves the targets built for that CPU level (CpuLevel.cmake) in a folder of the cache, and the
# folder's name in <out>. The folder is keyed by everything that the objects depend on: the source,
# the recipe, the compiler, the flags, the GPU backends and, for "native", the CPU. It is always a
# Release build: the dev and the release presets share one.
#
# Doing this at configure time, rather than as a target, is what lets build folders share it, and
# keeps a one-line change of ours to seconds.

function(mullama_llama_cpp_configuration out level)
    mullama_ggml_cpu_options(options ${level})
    string(JOIN " " sanitizer_flags ${MULLAMA_LLAMA_CPP_SANITIZER_FLAGS})
    foreach(language IN ITEMS C CXX)
        string(STRIP "${CMAKE_${language}_FLAGS} ${sanitizer_flags}" flags)
        if(language STREQUAL "CXX")
            string(APPEND flags " ${MULLAMA_NO_UNIQUE}")
        endif()
        list(APPEND options
            "-DCMAKE_${language}_COMPILER=${CMAKE_${language}_COMPILER}"
            "-DCMAKE_${language}_FLAGS=${flags}")
        if(sanitizer_flags)
            # -O3 under a sanitizer takes twice as long to compile and runs hardly faster.
            list(APPEND options "-DCMAKE_${language}_FLAGS_RELEASE=-O1 -DNDEBUG")
        endif()
    endforeach()
    list(APPEND options "-DCMAKE_BUILD_TYPE=Release"
        "-DLLAMA_CPP_COMMIT=${LLAMA_CPP_PIN_COMMIT}")
    if(CMAKE_TOOLCHAIN_FILE)
        list(APPEND options "-DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE}")
    endif()
    if(APPLE)
        list(APPEND options "-DGGML_BLAS=OFF" "-DGGML_METAL=OFF")
    endif()
    foreach(gpu IN LISTS MULLAMA_GPU)
        string(TOUPPER "${gpu}" gpu)
        list(APPEND options "-DGGML_${gpu}=ON")
    endforeach()
    list(APPEND options ${MULLAMA_LLAMA_CPP_OPTIONS})
    set(${out} "${options}" PARENT_SCOPE)
endfunction()

# Runs a step of the inner build; on failure, says what was run and where.
function(mullama_llama_cpp_step what)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${what} failed (its messages are above). It was run as\n  ${command}")
    endif()
endfunction()

function(mullama_build_llama_cpp out)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "LEVEL" "TARGETS")
    mullama_llama_cpp_configuration(options ${arg_LEVEL})

    set(cpu "any")
    if(arg_LEVEL STREQUAL "native")
        mullama_native_cpu_id(cpu)
    endif()
    file(READ "${LLAMA_CPP_PIN_DIR}/CMakeLists.txt" recipe)
    set(compilers "")
    foreach(language IN ITEMS C CXX)
        string(APPEND compilers
            "${CMAKE_${language}_COMPILER_ID} ${CMAKE_${language}_COMPILER_VERSION} "
            "${CMAKE_${language}_COMPILER_TARGET}\n")
    endforeach()
    set(toolchain "")
    if(CMAKE_TOOLCHAIN_FILE)
        file(READ "${CMAKE_TOOLCHAIN_FILE}" toolchain)
    endif()
    string(SHA256 key
        "${LLAMA_CPP_SOURCE_ID}\n${cpu}\n${options}\n${compilers}\n${toolchain}\n${recipe}")
    string(SUBSTRING "${key}" 0 16 key)

    set(root "${MULLAMA_CACHE_DIR}/llama.cpp/${LLAMA_CPP_SOURCE_ID}-${arg_LEVEL}-${key}")
    set(${out} "${root}" PARENT_SCOPE)

    # Another build folder may be at it: whoever comes second waits, then finds it done.
    file(LOCK "${root}.lock" GUARD FUNCTION TIMEOUT 7200)
    set(missing "")
    foreach(target IN LISTS arg_TARGETS)
        if(NOT EXISTS "${root}/complete/${target}")
            list(APPEND missing ${target})
        endif()
    endforeach()
    if(NOT missing)
        return()
    endif()

    # The recipe is copied, since the checkout that built first may be gone when a second needs more.
    file(MAKE_DIRECTORY "${root}/recipe" "${root}/complete")
    file(COPY_FILE "${LLAMA_CPP_PIN_DIR}/CMakeLists.txt" "${root}/recipe/CMakeLists.txt"
        ONLY_IF_DIFFERENT)
    set(namespace "$ENV{CCACHE_NAMESPACE}")
    if(MULLAMA_CCACHE)
        list(APPEND options "-DCMAKE_C_COMPILER_LAUNCHER=${MULLAMA_CCACHE}"
            "-DCMAKE_CXX_COMPILER_LAUNCHER=${MULLAMA_CCACHE}")
        # ccache reads "-march=native" as text, so every CPU gets a namespace of its own.
        set(ENV{CCACHE_NAMESPACE} "mullama-${cpu}")
    endif()

    list(JOIN missing ", " names)
    message(STATUS "Building llama.cpp (${names}; ${arg_LEVEL}) into ${root}")
    message(STATUS "This takes some minutes, once; all build folders share the result")
    mullama_llama_cpp_step("Configuring llama.cpp"
        "${CMAKE_COMMAND}" -S "${root}/recipe" -B "${root}" -G Ninja --log-level=WARNING
        "-DLLAMA_CPP_SOURCE_DIR=${LLAMA_CPP_SOURCE_DIR}" ${options})
    mullama_llama_cpp_step("Building llama.cpp"
        "${CMAKE_COMMAND}" --build "${root}" --target ${missing})
    foreach(target IN LISTS missing)
        file(TOUCH "${root}/complete/${target}")
    endforeach()
    set(ENV{CCACHE_NAMESPACE} "${namespace}")
endfunction()
