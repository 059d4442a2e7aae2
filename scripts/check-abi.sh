#!/usr/bin/env bash
# netpold_abi.h has the same layout for the host and for the kernel side, without a byte of implicit padding.
set -euo pipefail
cd "$(dirname "$0")/.."
clang=${NETPOLD_CLANG:-$(command -v clang || echo /opt/swift/usr/bin/clang)}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags=(-std=gnu11 -Wall -Wextra -Wpadded -Werror -ISources/CNetpoldABI/include -c Sources/CNetpoldABI/abi_asserts.c)
"$clang" "${flags[@]}" -o "$out/host.o"
"$clang" -target bpf -idirafter "/usr/include/$(uname -m)-linux-gnu" "${flags[@]}" -o "$out/bpf.o"
# The readers of bpf/lib that the fuzz targets compile for the host: `make fuzz` is no part of CI.
for reader in Hello DNS; do
    "$clang" -std=gnu11 -Wall -Werror -fsyntax-only "-IFuzz/C${reader}Read/include" -ISources/CNetpoldABI/include "Fuzz/C${reader}Read/"*.c
done
