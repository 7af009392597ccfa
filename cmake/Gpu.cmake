# MULLAMA_GPU: the GPU backends of llama.cpp to build in, a list; empty for none. A library built with
# one still runs without the device: it falls back to the CPU and says why.
#
# Sets MULLAMA_GPU_LIBRARIES, what the backends' archives need at link time. Where a toolkit is
# missing, configuring ends here and names what to install.
set(MULLAMA_GPU "" CACHE STRING "GPU backends: a list of cuda, hip, metal, opencl, vulkan")

set(MULLAMA_GPU_LIBRARIES "")

function(mullama_gpu_missing gpu what packages)
    message(FATAL_ERROR
        "The ${gpu} backend needs ${what}, which was not found.\nOn Debian: ${packages}")
endfunction()

macro(mullama_gpu_cuda)
    find_package(CUDAToolkit QUIET)
    if(NOT CUDAToolkit_FOUND)
        mullama_gpu_missing(cuda "NVIDIA's CUDA toolkit (nvcc, cudart, cublas)"
            "apt-get install nvidia-cuda-toolkit (section non-free), or NVIDIA's own packages; then \
put nvcc on PATH or set CUDAToolkit_ROOT")
    endif()
    list(APPEND MULLAMA_GPU_LIBRARIES CUDA::cudart CUDA::cublas CUDA::cuda_driver)
endmacro()

macro(mullama_gpu_hip)
    list(APPEND CMAKE_PREFIX_PATH /opt/rocm)
    find_package(hip QUIET)
    find_package(hipblas QUIET)
    find_package(rocblas QUIET)
    if(NOT hip_FOUND OR NOT hipblas_FOUND OR NOT rocblas_FOUND)
        mullama_gpu_missing(hip "ROCm 6.1 or newer with hipBLAS and rocBLAS"
            "Debian 12 packages an older ROCm (hipcc 5.2, no hipBLAS): install AMD's own packages \
rocm-hip-sdk and set HIP_PATH if they aren't under /opt/rocm")
    endif()
    list(APPEND MULLAMA_GPU_LIBRARIES hip::host roc::rocblas roc::hipblas)
endmacro()

macro(mullama_gpu_metal)
    if(NOT APPLE)
        mullama_gpu_missing(metal "macOS" "there is none; Metal exists on Apple systems only")
    endif()
    list(APPEND MULLAMA_GPU_LIBRARIES
        "-framework Foundation" "-framework Metal" "-framework MetalKit")
endmacro()

macro(mullama_gpu_opencl)
    find_package(OpenCL QUIET)
    if(NOT OpenCL_FOUND)
        mullama_gpu_missing(opencl "the OpenCL headers and loader"
            "apt-get install ocl-icd-opencl-dev opencl-headers")
    endif()
    list(APPEND MULLAMA_GPU_LIBRARIES OpenCL::OpenCL)
endmacro()

macro(mullama_gpu_vulkan)
    find_package(Vulkan QUIET COMPONENTS glslc)
    find_package(SPIRV-Headers CONFIG QUIET)
    if(NOT Vulkan_FOUND OR NOT SPIRV-Headers_FOUND)
        mullama_gpu_missing(vulkan "the Vulkan headers and loader, glslc and the SPIR-V headers"
            "apt-get install libvulkan-dev glslc spirv-headers")
    endif()
    # Seen to fail in the middle of llama.cpp's build otherwise.
    file(STRINGS "${Vulkan_INCLUDE_DIR}/vulkan/vulkan_core.h" layer_settings
        REGEX "define VK_EXT_layer_settings " LIMIT_COUNT 1)
    if(NOT layer_settings)
        mullama_gpu_missing(vulkan "newer Vulkan headers (with VK_EXT_layer_settings)"
            "Debian 12 packages older ones, 1.3.239: install LunarG's Vulkan SDK and set VULKAN_SDK, \
or build on Debian 13")
    endif()
    list(APPEND MULLAMA_GPU_LIBRARIES Vulkan::Vulkan)
endmacro()

foreach(gpu IN LISTS MULLAMA_GPU)
    if(NOT gpu MATCHES "^(cuda|hip|metal|opencl|vulkan)$")
        message(FATAL_ERROR
            "MULLAMA_GPU names \"${gpu}\"; it can name cuda, hip, metal, opencl and vulkan")
    endif()
    cmake_language(CALL mullama_gpu_${gpu})
endforeach()
