# What `cmake --install` gives an outside project: headers, the shared and the static library, a CMake
# package (mullama::mullama, mullama::mullama_static) and a pkg-config file. All of it is relocatable.
if(NOT PROJECT_IS_TOP_LEVEL)
    return()
endif()
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/mullama"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(MULLAMA_BACKEND_LLAMA)
    install(FILES "${LLAMA_CPP_SOURCE_DIR}/LICENSE"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME LICENSE.llama.cpp)
endif()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/mullama")
if(MULLAMA_BUILD_SHARED)
    install(TARGETS mullama EXPORT mullama-targets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
    install(EXPORT mullama-targets NAMESPACE mullama:: DESTINATION "${package_dir}")
endif()
if(MULLAMA_BUILD_STATIC)
    install(FILES "$<TARGET_FILE:mullama_static>" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()

# What the static library needs of the system, as a linker is told it. The static library of a GPU
# build needs that GPU's toolkit; its own CMake package knows where that is.
set(MULLAMA_STATIC_LIBS "-lstdc++ -lm -lpthread")
if(CMAKE_DL_LIBS)
    string(APPEND MULLAMA_STATIC_LIBS " -l${CMAKE_DL_LIBS}")
endif()
set(MULLAMA_GPU_PACKAGES "")
foreach(gpu IN LISTS MULLAMA_GPU)
    set(cuda_package CUDAToolkit)
    set(hip_package hip hipblas rocblas)
    set(opencl_package OpenCL)
    set(vulkan_package Vulkan)
    set(cuda_libs "-lcudart -lcublas -lcuda")
    set(hip_libs "-lamdhip64 -lhipblas -lrocblas")
    set(opencl_libs "-lOpenCL")
    set(vulkan_libs "-lvulkan")
    set(metal_libs "-framework Foundation -framework Metal -framework MetalKit")
    list(APPEND MULLAMA_GPU_PACKAGES ${${gpu}_package})
    string(APPEND MULLAMA_STATIC_LIBS " ${${gpu}_libs}")
endforeach()

configure_package_config_file(cmake/mullama-config.cmake.in
    "${PROJECT_BINARY_DIR}/package/mullama-config.cmake"
    INSTALL_DESTINATION "${package_dir}"
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/mullama-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/package/mullama-config.cmake"
    "${PROJECT_BINARY_DIR}/package/mullama-config-version.cmake"
    DESTINATION "${package_dir}")

# pkg-config finds the prefix from where the file lies.
file(RELATIVE_PATH MULLAMA_PC_PREFIX
    "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/mullama.pc.in "${PROJECT_BINARY_DIR}/package/mullama.pc" @ONLY)
configure_file(cmake/mullama-static.pc.in "${PROJECT_BINARY_DIR}/package/mullama-static.pc" @ONLY)
install(FILES
    "${PROJECT_BINARY_DIR}/package/mullama.pc"
    "${PROJECT_BINARY_DIR}/package/mullama-static.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
