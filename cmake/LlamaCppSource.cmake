# Where llama.cpp's source is: -DMULLAMA_LLAMA_CPP_DIR=<tree>, else the pin of third_party/llama.cpp
# in the cache, else the pin downloaded and verified by pip.
#
# Sets LLAMA_CPP_SOURCE_DIR, and LLAMA_CPP_SOURCE_ID, which changes when any file that is compiled
# does.
set(MULLAMA_LLAMA_CPP_DIR "" CACHE PATH
    "llama.cpp source tree to use instead of the pinned one")

set(LLAMA_CPP_PIN_DIR "${PROJECT_SOURCE_DIR}/third_party/llama.cpp")
include("${LLAMA_CPP_PIN_DIR}/pin.cmake")

# A Python whose pip works: that of tools/setup.sh, else the system's.
function(mullama_find_pip out)
    foreach(python IN ITEMS "${MULLAMA_CACHE_DIR}/venv/bin/python" python3)
        execute_process(COMMAND "${python}" -m pip --version
            RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
        if(status EQUAL 0)
            set(${out} "${python}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR
        "llama.cpp has to be downloaded, and no Python with pip was found.\n"
        "Run tools/setup.sh, or install Debian's python3-pip, or name a source tree with "
        "-DMULLAMA_LLAMA_CPP_DIR=<tree>.")
endfunction()

function(mullama_download_llama_cpp destination)
    mullama_find_pip(python)
    set(work "${destination}.part")
    file(REMOVE_RECURSE "${work}")
    file(MAKE_DIRECTORY "${work}")
    message(STATUS "Downloading llama.cpp (${LLAMA_CPP_PIN_NAME}, 76 MB)")
    execute_process(
        COMMAND "${python}" -m pip download --quiet --disable-pip-version-check --no-deps
                --no-binary llama-cpp-python --require-hashes --dest "${work}"
                -r "${LLAMA_CPP_PIN_DIR}/requirements.txt"
        RESULT_VARIABLE status ERROR_VARIABLE error)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR
            "pip could not download llama.cpp as pinned in third_party/llama.cpp/requirements.txt."
            "\n${error}\nWithout a network, name a source tree with "
            "-DMULLAMA_LLAMA_CPP_DIR=<tree>.")
    endif()
    file(GLOB archive "${work}/*.tar.gz")
    file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${work}")
    # Renamed last, so that the name exists only with all of the tree under it.
    file(RENAME "${work}/${LLAMA_CPP_PIN_NAME}" "${destination}")
    file(REMOVE_RECURSE "${work}")
endfunction()

# The digest of all that llama.cpp's build reads.
function(mullama_digest_llama_cpp out tree)
    file(GLOB_RECURSE files LIST_DIRECTORIES false RELATIVE "${tree}"
        "${tree}/CMakeLists.txt" "${tree}/cmake/*" "${tree}/common/*" "${tree}/ggml/*"
        "${tree}/include/*" "${tree}/src/*" "${tree}/tools/llama-bench/*" "${tree}/tools/mtmd/*"
        "${tree}/vendor/*")
    list(SORT files)
    set(digests "")
    foreach(file IN LISTS files)
        file(SHA256 "${tree}/${file}" digest)
        string(APPEND digests "${digest} ${file}\n")
    endforeach()
    string(SHA256 digest "${digests}")
    set(${out} "${digest}" PARENT_SCOPE)
endfunction()

function(mullama_resolve_llama_cpp_source)
    if(MULLAMA_LLAMA_CPP_DIR)
        if(NOT EXISTS "${MULLAMA_LLAMA_CPP_DIR}/include/llama.h")
            message(FATAL_ERROR "MULLAMA_LLAMA_CPP_DIR=${MULLAMA_LLAMA_CPP_DIR} is not a llama.cpp "
                "source tree: it has no include/llama.h")
        endif()
        file(REAL_PATH "${MULLAMA_LLAMA_CPP_DIR}" tree)
        mullama_digest_llama_cpp(digest "${tree}")
        string(SUBSTRING "${digest}" 0 12 id)
        set(LLAMA_CPP_SOURCE_ID "tree-${id}" PARENT_SCOPE)
    else()
        set(package "${MULLAMA_CACHE_DIR}/src/${LLAMA_CPP_PIN_NAME}")
        file(LOCK "${MULLAMA_CACHE_DIR}/src.lock" GUARD FUNCTION TIMEOUT 1800)
        if(NOT EXISTS "${package}")
            mullama_download_llama_cpp("${package}")
        endif()
        set(tree "${package}/${LLAMA_CPP_PIN_SUBDIR}")
        set(LLAMA_CPP_SOURCE_ID "${LLAMA_CPP_PIN_NAME}" PARENT_SCOPE)
    endif()
    set(LLAMA_CPP_SOURCE_DIR "${tree}" PARENT_SCOPE)
endfunction()

mullama_resolve_llama_cpp_source()
message(STATUS "llama.cpp source: ${LLAMA_CPP_SOURCE_DIR}")
