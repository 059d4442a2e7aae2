#!/usr/bin/env bash
# What can be checked of arm64 without a machine of it: netpold_abi.h has its layout there, and the BPF objects, compiled with arm64's kernel
# headers, are those of this machine, byte by byte. Installs the headers (no compiler: Swift's clang knows the target).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-deps.sh linux-libc-dev-arm64-cross
clang=${NETPOLD_CLANG:-$(command -v clang || echo /opt/swift/usr/bin/clang)}
arm=/usr/aarch64-linux-gnu/include
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$clang" -target aarch64-linux-gnu -std=gnu11 -Wall -Wextra -Wpadded -Werror -ISources/CNetpoldABI/include -idirafter "$arm" \
    -c Sources/CNetpoldABI/abi_asserts.c -o "$out/asserts.o"
echo "check-arm64: netpold_abi.h has the layout that it is to have"
for source in bpf/np_veth.bpf.c bpf/bench/np_bench.bpf.c; do
    for headers in "/usr/include/$(uname -m)-linux-gnu" "$arm"; do
        "$clang" -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror -mllvm -hotcoldsplit-threshold=1000000 \
            -ISources/CNetpoldABI/include -idirafter "$headers" -c "$source" -o "$out/$(basename "$headers").o" &
    done
    wait -n
    wait -n
    cmp "$out/$(uname -m)-linux-gnu.o" "$out/include.o"
    echo "check-arm64: $source is the same object with arm64's headers"
done
