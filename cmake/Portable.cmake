# MULLAMA_PORTABLE_LEVELS: the x86-64 levels to build the shared library for, beside the baseline one
# of this build. Each is put where glibc's loader looks for it first on a CPU of that level:
#
#   lib/libmullama.so.0                                  any x86-64
#   lib/glibc-hwcaps/x86-64-v3/libmullama.so.0           with AVX2, FMA, ...
#
# in the build folder as in the installed one. ggml can switch kernels at run time itself, but only
# with its backends as shared libraries of their own, which would have to travel beside ours.
set(MULLAMA_PORTABLE_LEVELS "" CACHE STRING "x86-64 levels to build the shared library for as well")

if(NOT MULLAMA_PORTABLE_LEVELS)
    return()
endif()
if(NOT MULLAMA_CPU_LEVEL STREQUAL "baseline" OR NOT MULLAMA_BUILD_SHARED)
    message(FATAL_ERROR
        "MULLAMA_PORTABLE_LEVELS needs MULLAMA_CPU_LEVEL=baseline and the shared library")
endif()

include(ExternalProject)
foreach(level IN LISTS MULLAMA_PORTABLE_LEVELS)
    set(subdir "glibc-hwcaps/${level}")
    set(name "libmullama.so.${MULLAMA_SOVERSION}")
    set(built "${PROJECT_BINARY_DIR}/levels/${level}")
    ExternalProject_Add(mullama_${level}
        SOURCE_DIR "${PROJECT_SOURCE_DIR}"
        BINARY_DIR "${built}"
        PREFIX "${built}-state"
        CMAKE_ARGS
            "-DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}"
            "-DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}"
            "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}"
            "-DCMAKE_C_FLAGS=${CMAKE_C_FLAGS}"
            "-DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS}"
            "-DMULLAMA_CACHE_DIR=${MULLAMA_CACHE_DIR}"
            "-DMULLAMA_LLAMA_CPP_DIR=${MULLAMA_LLAMA_CPP_DIR}"
            "-DMULLAMA_CPU_LEVEL=${level}"
            "-DMULLAMA_DEVELOPER_MODE=${MULLAMA_DEVELOPER_MODE}"
            "-DMULLAMA_BACKEND_LLAMA=${MULLAMA_BACKEND_LLAMA}"
            "-DMULLAMA_BUILD_APPS=OFF"
            "-DMULLAMA_BUILD_STATIC=OFF"
        BUILD_COMMAND "${CMAKE_COMMAND}" --build <BINARY_DIR> --target mullama
        BUILD_ALWAYS ON
        INSTALL_COMMAND "${CMAKE_COMMAND}" -E make_directory
            "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/${subdir}"
        COMMAND "${CMAKE_COMMAND}" -E copy_if_different
            "${built}/lib/${name}" "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/${subdir}/${name}"
        USES_TERMINAL_CONFIGURE ON)
    install(PROGRAMS "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/${subdir}/${name}"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/${subdir}")
endforeach()
