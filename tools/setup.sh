#!/usr/bin/env bash
# Installs what building Mullama needs and isn't there yet: Debian packages, and a Python
# environment in the cache folder for the fixtures.
#
#   tools/setup.sh [run|test|check|bench]      default: run
#
# run is the least; the others add what they need to it. A second run finds everything and takes a
# fraction of a second. On a system that isn't Debian it names what is missing and installs nothing.
. "$(dirname "$0")/common.sh"

profile="${1:-run}"

packages=(g++ make cmake ninja-build python3 python3-venv libcli11-dev libxxhash-dev
    ca-certificates)
commands=(c++ make cmake ninja python3)
test_packages=(git ccache libgtest-dev nlohmann-json3-dev clang-format-19 doxygen pkg-config)
test_commands=(git clang-format-19 doxygen pkg-config nm)
check_packages=(clang-19 clang-tidy-19 libclang-rt-19-dev libfuzzer-19-dev llvm-19 g++-mingw-w64-x86-64
    g++-aarch64-linux-gnu qemu-user)
check_commands=(clang-19 clang-tidy-19 llvm-profdata-19 x86_64-w64-mingw32-g++-posix
    aarch64-linux-gnu-g++ qemu-aarch64)
case "$profile" in
run | bench) ;;
test)
    packages+=("${test_packages[@]}")
    commands+=("${test_commands[@]}")
    ;;
check)
    packages+=("${test_packages[@]}" "${check_packages[@]}")
    commands+=("${test_commands[@]}" "${check_commands[@]}")
    ;;
*) fail "unknown profile \"$profile\"; it can be run, test, check or bench" ;;
esac

# ID and ID_LIKE of the system, for example "ubuntu debian".
system_family() {
    sed -n 's/^ID\(_LIKE\)\?=//p' "${MULLAMA_OS_RELEASE:-/etc/os-release}" 2>/dev/null |
        tr -d '"' | tr '\n' ' '
}

install_debian_packages() {
    local missing=() package status
    for package in "${packages[@]}"; do
        status="$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)"
        [ "$status" = installed ] || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0

    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            fail "these packages are missing, and installing them needs root or sudo:
  apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "Installing ${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
    "${apt[@]}" update
    "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "apt-get could not install ${missing[*]}"
}

name_missing_commands() {
    local missing=() name
    for name in "${commands[@]}"; do
        command -v "$name" >/dev/null || missing+=("$name")
    done
    [ "${#missing[@]}" -eq 0 ] ||
        fail "this isn't Debian, so nothing is installed here. Missing: ${missing[*]}.
Debian's names for all that \"$profile\" needs: ${packages[*]}"
}

make_python_environment() {
    local wanted stamp="$cache_dir/venv/mullama-requirements"
    wanted="$(cat "$root/tools/requirements.txt")"
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && [ -x "$python" ]; then
        return 0
    fi
    say "Making the Python environment of the fixtures"
    mkdir -p "$cache_dir"
    # Two setups at once would trample on each other's packages.
    exec 9>"$cache_dir/venv.lock"
    flock 9
    local interpreter=python3
    [ -x /usr/bin/python3 ] && interpreter=/usr/bin/python3
    rm -rf "$cache_dir/venv"
    "$interpreter" -m venv "$cache_dir/venv" ||
        fail "$interpreter can't make a virtual environment; Debian's package for it is python3-venv"
    "$python" -m pip --quiet --disable-pip-version-check install --no-deps --require-hashes \
        --only-binary :all: -r "$root/tools/requirements.txt" ||
        fail "pip could not install tools/requirements.txt"
    printf '%s\n' "$wanted" >"$stamp"
}

case " $(system_family)" in
*" debian "*) install_debian_packages ;;
*) name_missing_commands ;;
esac
make_python_environment
