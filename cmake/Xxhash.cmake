# xxhash as a header: Debian's libxxhash-dev. Its code is compiled into ours, so nothing is linked, and
# the same header serves every cross compiler; it is copied, since the folder it lies in is the host's.
find_path(MULLAMA_XXHASH_DIR xxhash.h DOC "Folder of xxhash.h" NO_CMAKE_FIND_ROOT_PATH
    PATHS /usr/include)
if(NOT MULLAMA_XXHASH_DIR)
    message(FATAL_ERROR "Mullama needs xxhash.h, which was not found.\n"
        "On Debian: apt-get install libxxhash-dev")
endif()
set(xxhash_copy "${PROJECT_BINARY_DIR}/external/xxhash")
foreach(header IN ITEMS xxhash.h xxh3.h)
    if(EXISTS "${MULLAMA_XXHASH_DIR}/${header}")
        configure_file("${MULLAMA_XXHASH_DIR}/${header}" "${xxhash_copy}/${header}" COPYONLY)
    endif()
endforeach()
add_library(mullama_xxhash INTERFACE)
target_include_directories(mullama_xxhash SYSTEM INTERFACE "${xxhash_copy}")
unset(xxhash_copy)
