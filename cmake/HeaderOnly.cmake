# mullama_add_header_only(<target> <package> <header>...)
#
# A target for a library that is only headers, out of a Debian package. A header is a file or, named
# without a suffix, a folder. They are linked into a folder of the build of their own: the one they
# lie in holds all headers of the system that builds, which a cross compiler mustn't see.
function(mullama_add_header_only target package)
    set(own "${PROJECT_BINARY_DIR}/external/${target}")
    file(MAKE_DIRECTORY "${own}")
    foreach(header IN LISTS ARGN)
        find_path(MULLAMA_HEADER_${header} "${header}" NO_CMAKE_FIND_ROOT_PATH
            PATHS /usr/include DOC "Folder of ${header}")
        mark_as_advanced(MULLAMA_HEADER_${header})
        if(NOT MULLAMA_HEADER_${header})
            message(FATAL_ERROR "Mullama needs the headers ${header}, which were not found.\n"
                "On Debian: apt-get install ${package}")
        endif()
        file(CREATE_LINK "${MULLAMA_HEADER_${header}}/${header}" "${own}/${header}" SYMBOLIC)
    endforeach()
    add_library(${target} INTERFACE)
    target_include_directories(${target} SYSTEM INTERFACE "${own}")
endfunction()
