# mullama_static: libmullama.a, which an outside program links with nothing of ours beside it.
#
# CMake's own static libraries don't contain what they link, so all of our layers and llama.cpp's
# archives are joined into one relocatable object, in which every symbol but mullama_* is then made
# local: like the shared library it offers the contract only, and a second llama.cpp in the host can't
# clash.
option(MULLAMA_BUILD_STATIC "Build the static library" ON)
if(NOT MULLAMA_BUILD_STATIC)
    return()
endif()

get_property(layers GLOBAL PROPERTY MULLAMA_LAYERS)
set(inputs "")
foreach(layer IN LISTS layers)
    list(APPEND inputs "$<TARGET_FILE:${layer}>")
endforeach()
list(APPEND inputs ${LLAMA_CPP_ARCHIVES})

set(static_library "${CMAKE_ARCHIVE_OUTPUT_DIRECTORY}/libmullama.a")
set(object "${CMAKE_CURRENT_BINARY_DIR}/mullama.o")
if(APPLE)
    set(commands
        COMMAND libtool -static -o "${static_library}" $<TARGET_OBJECTS:mullama_capi> ${inputs})
else()
    # Without --force-group-allocation a host's inline function of the same name could take the
    # place of one of ours, whose local callers would then point at nothing.
    set(commands
        COMMAND "${CMAKE_LINKER}" -r --force-group-allocation -o "${object}"
                $<TARGET_OBJECTS:mullama_capi> --start-group ${inputs} --end-group
        COMMAND "${CMAKE_OBJCOPY}" --wildcard "--keep-global-symbol=mullama_*" "${object}"
        COMMAND "${CMAKE_COMMAND}" -E rm -f "${static_library}"
        COMMAND "${CMAKE_AR}" qcs "${static_library}" "${object}")
endif()
add_custom_command(OUTPUT "${static_library}"
    ${commands}
    DEPENDS mullama_capi $<TARGET_OBJECTS:mullama_capi> ${layers} ${LLAMA_CPP_ARCHIVES}
    COMMENT "Joining libmullama.a"
    VERBATIM COMMAND_EXPAND_LISTS)
add_custom_target(mullama_static_archive ALL DEPENDS "${static_library}")

add_library(mullama_static STATIC IMPORTED GLOBAL)
add_library(mullama::mullama_static ALIAS mullama_static)
add_dependencies(mullama_static mullama_static_archive)
set_target_properties(mullama_static PROPERTIES
    IMPORTED_LOCATION "${static_library}"
    IMPORTED_LINK_INTERFACE_LANGUAGES CXX
    INTERFACE_COMPILE_DEFINITIONS MULLAMA_STATIC
    INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(mullama_static INTERFACE
    ${MULLAMA_GPU_LIBRARIES} Threads::Threads ${CMAKE_DL_LIBS} m)
