# llama.cpp as one imported target, llama::llama: its static archives in link order, its headers,
# and what they need of the system. Only src/backend/llama links it.
#
# LLAMA_CPP_ARCHIVES lists the archives for the static library that we ship.
include(CpuLevel)
include(Gpu)
include(LlamaCppSource)
include(LlamaCppBuild)

set(MULLAMA_LLAMA_CPP_OPTIONS "" CACHE STRING
    "Further -D options for llama.cpp's own build, for experiments")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    "${LLAMA_CPP_PIN_DIR}/CMakeLists.txt" "${LLAMA_CPP_PIN_DIR}/pin.cmake"
    "${LLAMA_CPP_PIN_DIR}/requirements.txt")

if(MULLAMA_CPU_LEVEL MATCHES "^x86-64-v")
    # Only the kernels differ between the levels; the rest is shared with the baseline.
    mullama_build_llama_cpp(common_dir LEVEL baseline TARGETS llama)
    mullama_build_llama_cpp(kernels_dir LEVEL ${MULLAMA_CPU_LEVEL} TARGETS ggml-cpu)
else()
    mullama_build_llama_cpp(common_dir LEVEL ${MULLAMA_CPU_LEVEL} TARGETS llama)
    set(kernels_dir "${common_dir}")
endif()
set(LLAMA_CPP_BUILD_DIR "${common_dir}")

set(LLAMA_CPP_ARCHIVES "")
set(archive "${CMAKE_STATIC_LIBRARY_SUFFIX}")
foreach(name IN ITEMS llama ggml)
    list(APPEND LLAMA_CPP_ARCHIVES "${common_dir}/lib/lib${name}${archive}")
endforeach()
foreach(gpu IN LISTS MULLAMA_GPU)
    list(APPEND LLAMA_CPP_ARCHIVES "${common_dir}/lib/libggml-${gpu}${archive}")
endforeach()
list(APPEND LLAMA_CPP_ARCHIVES
    "${kernels_dir}/lib/libggml-cpu${archive}" "${common_dir}/lib/libggml-base${archive}")
unset(archive)

add_library(llama::llama INTERFACE IMPORTED)
target_include_directories(llama::llama SYSTEM INTERFACE
    "${LLAMA_CPP_SOURCE_DIR}/include" "${LLAMA_CPP_SOURCE_DIR}/ggml/include")
target_link_libraries(llama::llama INTERFACE
    ${LLAMA_CPP_ARCHIVES} ${MULLAMA_GPU_LIBRARIES} Threads::Threads ${CMAKE_DL_LIBS} m)
if(APPLE)
    target_link_libraries(llama::llama INTERFACE "-framework Accelerate")
endif()
