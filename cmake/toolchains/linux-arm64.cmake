# 64-bit ARM Linux from another Linux, with Debian's g++-aarch64-linux-gnu. What is built runs under
# qemu-user when that is installed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

find_program(arm64_compiler aarch64-linux-gnu-g++)
if(NOT arm64_compiler)
    message(FATAL_ERROR "The cross compiler aarch64-linux-gnu-g++ was not found.\n"
        "On Debian: apt-get install g++-aarch64-linux-gnu qemu-user")
endif()
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)

find_program(arm64_emulator NAMES qemu-aarch64 qemu-aarch64-static)
if(arm64_emulator)
    set(CMAKE_CROSSCOMPILING_EMULATOR "${arm64_emulator};-L;/usr/aarch64-linux-gnu")
endif()
