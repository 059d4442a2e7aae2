#!/usr/bin/env bash
# Installs what is missing of the Debian packages that building, testing and the demo need, and sees that `swift` runs. Extra names may be
# given. --list: only prints what is missing, in one line.
set -euo pipefail
list=
if [ "${1:-}" = --list ]; then
    list=1
    shift
fi
packages=(libbpf-dev libelf-dev zlib1g-dev libnl-route-3-dev libnl-3-dev libre2-dev g++ pkg-config git ca-certificates linux-libc-dev make
    python3 iproute2 util-linux "$@")
# Libraries of Debian that swift.org's toolchain loads, by the name that the loader asks for.
declare -A owner=([libcurl.so.4]=libcurl4 [libxml2.so.2]=libxml2 [libncurses.so.6]=libncurses6 [libsqlite3.so.0]=libsqlite3-0
    [libz.so.1]=zlib1g [libstdc++.so.6]=libstdc++6 [libgcc_s.so.1]=libgcc-s1 [libz3.so.4]=libz3-4 [libuuid.so.1]=libuuid1)

# What programs of the toolchain look for and do not find, one name a line.
unfound() {
    local folder program
    folder=$(dirname "$(realpath "$(command -v swift)")")
    for program in swift swift-build swift-frontend clang; do
        [ ! -x "$folder/$program" ] || ldd "$folder/$program" 2>/dev/null | awk '/not found/ { print $1 }'
    done | sort -u
}

if swift=$(command -v swift); then
    for library in $(unfound); do [ -z "${owner[$library]:-}" ] || packages+=("${owner[$library]}"); done
fi
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ -n "$list" ]; then
    echo "${missing[*]}"
    exit 0
fi
if [ "${#missing[@]}" -gt 0 ]; then
    run=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "netpold: missing packages: ${missing[*]}; run as root: apt-get install ${missing[*]}" >&2
            exit 1
        }
        run=(sudo)
    fi
    echo "netpold: installing ${missing[*]}"
    "${run[@]}" apt-get update -qq
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
[ -n "$swift" ] || {
    echo "netpold: no swift found on PATH: install a Swift 6.2 or later toolchain from https://swift.org/install" >&2
    [ -z "${SUDO_USER:-}" ] || echo "netpold: sudo has a PATH of its own; as ${SUDO_USER}: make demo, or sudo env PATH=\"\$PATH\" make demo" >&2
    exit 1
}
if ! said=$(swift --version 2>&1); then
    echo "netpold: $swift does not run: $(head -n 1 <<<"$said")" >&2
    left=$(unfound)
    [ -z "$left" ] || echo "netpold: it does not find: $(echo $left); see \"What the toolchain needs\" in README.md" >&2
    exit 1
fi
