#!/usr/bin/env bash
# Installs what is missing of the Debian packages that building, testing and the demo need. Extra names may be given.
set -euo pipefail
packages=(libbpf-dev libelf-dev zlib1g-dev libnl-route-3-dev libnl-3-dev libre2-dev g++ pkg-config linux-libc-dev make python3 iproute2 util-linux "$@")
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
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
    DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
command -v swift >/dev/null || {
    echo "netpold: no swift found on PATH: install a Swift 6.2 or later toolchain from https://swift.org/install" >&2
    exit 1
}
