#!/usr/bin/env bash
# debian-root.sh SUITE: makes .build/roots/SUITE, a Debian with nothing but what every Debian has, once, and prints its path (root).
# Whoever uses it mounts something writable over it: it stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$1
folder=$PWD/.build/roots/$suite
if [ ! -d "$folder" ]; then
    mkdir -p "$PWD/.build/roots"
    rm -rf "$folder.new"
    debootstrap --variant=minbase "$suite" "$folder.new" >"$folder.log" 2>&1 || {
        tail -n 5 "$folder.log" >&2
        exit 1
    }
    mv "$folder.new" "$folder"
fi
echo "$folder"
