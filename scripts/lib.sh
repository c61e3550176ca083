# Helpers of the scripts beside this file. SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

on_terminal() {
    [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]
}

# Prints a step of a script.
say() {
    if on_terminal && [ -z "${NO_COLOR:-}" ]; then
        printf '\033[1m==> %s\033[0m\n' "$*"
    else
        printf '==> %s\n' "$*"
    fi
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

package_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Runs a command as root, through sudo where this is another user.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 127
    fi
}

# Installs those of the named packages that are missing, from the distribution alone.
# Returns 1, after a message, where that fails. Sets packages_installed where anything was.
need_packages() {
    local missing=() name
    if ! command -v apt-get >/dev/null; then
        printf 'this is neither Debian nor Ubuntu: install the equivalents of %s by hand\n' "$*" >&2
        return 0
    fi
    for name in "$@"; do
        package_installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! as_root true; then
        printf 'root is needed once, to run:  apt-get install %s\n' "${missing[*]}" >&2
        rm -f "$log"
        return 1
    fi
    # Stale lists of packages are refreshed only where the first try fails.
    if ! apt_install "${missing[@]}" >"$log" 2>&1; then
        { as_root apt-get update -q && apt_install "${missing[@]}"; } >"$log" 2>&1 || {
            tail -n 15 "$log" >&2
            printf 'could not install %s\n' "${missing[*]}" >&2
            rm -f "$log"
            return 1
        }
    fi
    rm -f "$log"
    # shellcheck disable=SC2034
    packages_installed=1
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
}

# Where fetch_data puts files, and where the samples look for them (samples/common/data.h).
data_cache() {
    printf '%s' "${MPT_DATA:-${XDG_CACHE_HOME:-${HOME:?set MPT_DATA to a folder for data}/.cache}/mpt}"
}

# fetch_data PACKAGE PATH: has the folder PATH (of the root, /usr/...) of a package of the distribution without installing the package,
# so that neither root nor what the package depends on is needed. What is there already, installed or fetched, stays.
# Returns 1, after a message, where that fails. Sets data_fetched where something came.
fetch_data() {
    local package=$1 path=$2 cache folder
    cache=$(data_cache) || return 1
    if [ -d "$path" ] || [ -d "$cache$path" ]; then return 0; fi
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        printf 'this is neither Debian nor Ubuntu: get %s of the package %s by hand and set MPT_DATA to the folder that it lies in\n' \
            "$path" "$package" >&2
        return 1
    fi
    say "fetching $package"
    folder=$(mktemp -d) || return 1
    # A folder that is there is whole: it is moved into its place when all of it has come.
    if ! { apt_download "$package" "$folder" && mkdir "$folder/x" && dpkg-deb -x "$folder"/*.deb "$folder/x" && [ -d "$folder/x$path" ] &&
        mkdir -p "$cache${path%/*}" && cp -r "$folder/x$path" "$cache$path.$$" && mv -T "$cache$path.$$" "$cache$path"; } \
        >"$folder/log" 2>&1; then
        tail -n 15 "$folder/log" >&2
        printf 'could not fetch %s\n' "$package" >&2
        rm -rf "$folder" "$cache$path.$$"
        return 1
    fi
    rm -rf "$folder"
    # shellcheck disable=SC2034
    data_fetched=1
}

# apt_download PACKAGE FOLDER. Stale lists of packages are refreshed only where the first try fails.
apt_download() {
    (cd "$2" && apt-get download -q "$1") && return
    as_root apt-get update -q && (cd "$2" && apt-get download -q "$1")
}

# Passes nothing on; on a terminal shows the last line that came, in place.
show_last_line() {
    local line
    if ! on_terminal; then
        cat >/dev/null
        return
    fi
    while IFS= read -r line; do printf '\r\033[K%.70s' "$line"; done
    printf '\r\033[K'
}

# configure_and_build FOLDER TARGETS [CMAKE OPTION...]: configures where needed and builds the targets (words of one string).
# Says nothing where there is nothing to do. Run it with pipefail.
configure_and_build() {
    local folder=$1 targets=$2 log generator=()
    shift 2
    log=$(mktemp)
    if [ ! -f "$folder/.configured" ] || [ "$(cat "$folder/.configured")" != "$*" ]; then
        say "configuring in $folder"
        if [ ! -f "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
        if ! cmake -S . -B "$folder" "${generator[@]}" "$@" 2>&1 | tee "$log" | show_last_line; then
            tail -n 40 "$log" >&2
            rm -f "$log"
            return 1
        fi
        printf '%s' "$*" >"$folder/.configured"
        rm -f "$folder/.built"
    fi
    # The build itself is always run, being quick where nothing has changed.
    if [ ! -f "$folder/.built" ] || [ -n "$(find CMakeLists.txt cmake include src kernels samples -newer "$folder/.built" -print -quit)" ]; then
        say "building (minutes when all is new)"
    fi
    # shellcheck disable=SC2086
    if ! cmake --build "$folder" --parallel "$(nproc)" --target $targets 2>&1 | tee "$log" | show_last_line; then
        grep -E -A 5 'error|Error|FAILED' "$log" | head -n 60 >&2
        rm -f "$log"
        return 1
    fi
    touch "$folder/.built"
    rm -f "$log"
}
