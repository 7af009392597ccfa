# 64-bit Windows from Linux, with Debian's g++-mingw-w64-x86-64 in its POSIX threads flavour: the
# other one lacks std::thread and std::mutex.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

find_program(mingw64_compiler x86_64-w64-mingw32-g++-posix)
if(NOT mingw64_compiler)
    message(FATAL_ERROR "The cross compiler x86_64-w64-mingw32-g++-posix was not found.\n"
        "On Debian: apt-get install g++-mingw-w64-x86-64")
endif()
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
