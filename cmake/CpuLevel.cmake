# MULLAMA_CPU_LEVEL: which instructions the compiled code may use.
#
#   native      llama.cpp's kernels for the CPU that builds; nothing built so may travel
#   baseline    the architecture's own minimum: x86-64 (SSE2) or armv8-a
#   x86-64-v2, x86-64-v3, x86-64-v4
#               the levels of the x86-64 psABI, which glibc's loader knows under the same names
#
# Sets MULLAMA_CPU_FLAGS (for our own code) and mullama_ggml_cpu_options(), for llama.cpp's.
set(MULLAMA_CPU_LEVEL "native" CACHE STRING "Instructions that the compiled code may use")
set(cpu_levels native baseline x86-64-v2 x86-64-v3 x86-64-v4)
set_property(CACHE MULLAMA_CPU_LEVEL PROPERTY STRINGS ${cpu_levels})
if(NOT MULLAMA_CPU_LEVEL IN_LIST cpu_levels)
    list(JOIN cpu_levels ", " cpu_levels)
    message(FATAL_ERROR "MULLAMA_CPU_LEVEL=${MULLAMA_CPU_LEVEL} is unknown; it can be ${cpu_levels}")
endif()
unset(cpu_levels)

if(MULLAMA_CPU_LEVEL MATCHES "^x86-64-v[234]$")
    set(MULLAMA_CPU_FLAGS "-march=${MULLAMA_CPU_LEVEL}")
else()
    set(MULLAMA_CPU_FLAGS "")
endif()

# ggml's options for a level. With GGML_NATIVE off and nothing else said ggml asks for AVX2, so each
# instruction set is named.
function(mullama_ggml_cpu_options out level)
    if(level STREQUAL "native")
        set(${out} "-DGGML_NATIVE=ON" PARENT_SCOPE)
        return()
    endif()
    set(x86-64-v2_sets SSE42)
    set(x86-64-v3_sets SSE42 AVX AVX2 FMA F16C BMI2)
    set(x86-64-v4_sets SSE42 AVX AVX2 FMA F16C BMI2 AVX512)
    set(options "-DGGML_NATIVE=OFF" "-DGGML_CPU_ARM_ARCH=armv8-a")
    foreach(set IN ITEMS SSE42 AVX AVX2 FMA F16C BMI2 AVX_VNNI AVX512 AVX512_VBMI AVX512_VNNI
                         AVX512_BF16 AMX_TILE AMX_INT8 AMX_BF16)
        if(set IN_LIST ${level}_sets)
            list(APPEND options "-DGGML_${set}=ON")
        else()
            list(APPEND options "-DGGML_${set}=OFF")
        endif()
    endforeach()
    set(${out} "${options}" PARENT_SCOPE)
endfunction()

# What -march=native means here: the compiler's own list of what this CPU has. It belongs into every
# cache key of objects built so.
function(mullama_native_cpu_id out)
    set(flag -march=native)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
        set(flag -mcpu=native)
    endif()
    execute_process(
        COMMAND "${CMAKE_C_COMPILER}" ${flag} -dM -E -x c /dev/null
        OUTPUT_VARIABLE macros RESULT_VARIABLE status ERROR_VARIABLE error)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${CMAKE_C_COMPILER} can't say what ${flag} means:\n${error}")
    endif()
    string(SHA256 id "${macros}")
    string(SUBSTRING "${id}" 0 12 id)
    set(${out} "${id}" PARENT_SCOPE)
endfunction()
