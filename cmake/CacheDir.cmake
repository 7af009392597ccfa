# The folder, outside the source and the build trees, for what is expensive to make and the same for
# every build folder: llama.cpp's source and its builds, the Python environment of the fixtures.
# tools/common.sh gives the same answer to the shell scripts.
if(DEFINED ENV{MULLAMA_CACHE_DIR})
    set(default_dir "$ENV{MULLAMA_CACHE_DIR}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(default_dir "$ENV{XDG_CACHE_HOME}/mullama")
elseif(WIN32)
    file(TO_CMAKE_PATH "$ENV{LOCALAPPDATA}/mullama" default_dir)
else()
    set(default_dir "$ENV{HOME}/.cache/mullama")
endif()
set(MULLAMA_CACHE_DIR "${default_dir}" CACHE PATH
    "Folder for llama.cpp's source and builds, shared by all build folders")
unset(default_dir)
