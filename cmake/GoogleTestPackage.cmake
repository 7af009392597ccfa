# GTest::gtest_main from Debian's libgtest-dev; its sources, which the package carries too, where the
# compiled one is for another system.
include(GoogleTest)
if(CMAKE_CROSSCOMPILING)
    set(googletest_source /usr/src/googletest)
    if(NOT EXISTS "${googletest_source}/CMakeLists.txt")
        message(FATAL_ERROR "Tests of a cross build need GoogleTest's sources in "
            "${googletest_source}.\nOn Debian: apt-get install libgtest-dev")
    endif()
    set(INSTALL_GTEST OFF)
    set(BUILD_GMOCK OFF)
    add_subdirectory("${googletest_source}" "${PROJECT_BINARY_DIR}/googletest" EXCLUDE_FROM_ALL)
    if(NOT TARGET GTest::gtest_main)
        add_library(GTest::gtest_main ALIAS gtest_main)
    endif()
else()
    find_package(GTest QUIET)
    if(NOT GTest_FOUND)
        message(FATAL_ERROR "The tests need GoogleTest, which was not found.\n"
            "On Debian: apt-get install libgtest-dev")
    endif()
endif()
