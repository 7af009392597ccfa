# The layers of design.md as targets. What a layer may use it is given by PRIVATE links; what two
# layers could still do to each other through src/, tools/checks/layers.py refuses.

# Warnings of our own code. Everything compiled here gets them, tests included.
add_library(mullama_warnings INTERFACE)
target_compile_options(mullama_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
    # gcc 12 reports impossible overlaps inside std::string's operator+ (its bug 105651).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    # libstdc++ 12's own stable_sort calls what it has deprecated, and clang reports that as ours.
    $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
    $<$<BOOL:${MULLAMA_DEVELOPER_MODE}>:-Werror>)
if(MULLAMA_CPU_LEVEL STREQUAL "x86-64-v4"
        AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # gcc 12's own AVX-512 header initializes variables with themselves (its bug 105593).
    target_compile_options(mullama_warnings INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized)
endif()

# The contract.
add_library(mullama_headers INTERFACE)
target_include_directories(mullama_headers INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")

# mullama_sources(<out> <directory> [FLAT])
#
# All C++ sources under a directory (FLAT: in it) that are meant for this system: the name of a source that isn't
# meant for all of them ends in _posix, _linux, _macos or _windows.
#
# Globbed, so that a new file is one file and no edit here; the build system looks again at each
# build, and a source that were missed would show as an undefined symbol, since everything is linked
# with --no-undefined.
function(mullama_sources out directory)
    if("FLAT" IN_LIST ARGN)
        file(GLOB sources CONFIGURE_DEPENDS "${directory}/*.cpp")
    else()
        file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${directory}/*.cpp")
    endif()
    if(WIN32)
        set(foreign "_posix|_linux|_macos")
    elseif(APPLE)
        set(foreign "_windows|_linux")
    else()
        set(foreign "_windows|_macos")
    endif()
    list(FILTER sources EXCLUDE REGEX "(${foreign})\\.cpp$")
    set(${out} "${sources}" PARENT_SCOPE)
endfunction()

# mullama_add_layer(<name> <directory> [FLAT] [LINKS <target>...])
#
# One static library out of a directory of src/, and its place in the list of those that the static
# library we ship is made of.
function(mullama_add_layer name directory)
    cmake_parse_arguments(PARSE_ARGV 2 arg "FLAT" "" "LINKS")
    set(flat "")
    if(arg_FLAT)
        set(flat FLAT)
    endif()
    mullama_sources(sources "${PROJECT_SOURCE_DIR}/src/${directory}" ${flat})
    if(NOT sources)
        file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/empty.cpp" CONTENT "")
        set(sources "${PROJECT_BINARY_DIR}/empty.cpp")
    endif()
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC
        "${PROJECT_SOURCE_DIR}/src" "${PROJECT_BINARY_DIR}/src")
    target_compile_options(${name} PRIVATE ${MULLAMA_CPU_FLAGS})
    target_link_libraries(${name} PRIVATE mullama_headers mullama_warnings ${arg_LINKS})
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
    set_property(GLOBAL APPEND PROPERTY MULLAMA_LAYERS ${name})
endfunction()
