#!/usr/bin/env bash
# boot-kernel.sh [--load] VERSION NETPOLD [FOLDER...]: boots Debian's kernel of that version (6.1, 6.12) under QEMU and lets NETPOLD, a
# built binary, decide PolicyTest folders there with its loaded programs and run the lab, attached: on examples/shop, on examples/l7
# (DNS, names, server names, HTTP), and on Tests/Labs/redirect (every way of a connection through the proxy). Exit code 0: all of it passed.
# --load: only that the kernel takes the programs and decides one small folder by them. Where its kernel cannot be had it says that
# nothing was checked, which is an error in CI (CI is set) and where warnings are errors (NETPOLD_STRICT).
# Nothing is installed but QEMU and cpio: the kernel's package is unpacked to .build/kernels.
set -euo pipefail
load=
if [ "${1:-}" = --load ]; then
    load=1
    shift
fi
version=$1
netpold=$2
shift 2
cd "$(dirname "$0")/.."
[ "$#" -gt 0 ] || [ -n "$load" ] || {
    echo "boot-kernel: no PolicyTest folder given" >&2
    exit 1
}
[ -z "$load" ] || set -- Tests/Conformance/upstream/010-ingress-peers
limit=${NETPOLD_BOOT_SECONDS:-480}

# unavailable WHY: there is nothing to boot.
unavailable() {
    echo "boot-kernel: $1" >&2
    [ -n "$load" ] || exit 1
    echo "boot-kernel: NOT RUN: whether Linux $version loads the programs" >&2
    if [ -n "${CI:-}${NETPOLD_STRICT:-}" ]; then
        echo "boot-kernel: an error, as CI or NETPOLD_STRICT is set (make test NETPOLD_STRICT= goes on without)" >&2
        exit 1
    fi
    exit 0
}
[ "$(uname -m)" = x86_64 ] || unavailable "this needs an x86_64 machine"
scripts/install-deps.sh qemu-system-x86 cpio xz-utils || unavailable "QEMU and cpio cannot be installed"

# The newest kernel of the version that apt's sources have.
newest() {
    apt-cache pkgnames "linux-image-$version." | grep -E '^linux-image-[0-9.]+(-[0-9]+|\+deb[0-9]+)-amd64$' |
        sort -V | tail -n 1 || true
}
# As root, or where sudo asks for nothing.
update() { scripts/as-root.sh apt-get update -qq || true; }
package=$(newest)
if [ -z "$package" ]; then
    update
    package=$(newest)
fi
[ -n "$package" ] || unavailable "apt's sources have no linux-image-$version.*-amd64 (Debian 12 has 6.1 and 6.12); run apt-get update"
release=${package#linux-image-}
unpacked=$PWD/.build/kernels/$release

# fetch PACKAGE: unpacks a Debian package below $unpacked, once; it is not installed.
fetch() {
    [ ! -e "$unpacked/.$1" ] || return 0
    local folder
    folder=$(mktemp -d)
    echo "boot-kernel: downloading $1"
    download() { (cd "$folder" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$1"); }
    # Lists that are older than the archive name files that are gone.
    download "$1" || { update && download "$1"; } || unavailable "$1 cannot be downloaded"
    mkdir -p "$unpacked"
    dpkg-deb -x "$folder"/*.deb "$unpacked"
    rm -r "$folder"
    touch "$unpacked/.$1"
}
fetch "$package"
fetch busybox-static

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
modules=$root/lib/modules/$release
mkdir -p "$root/bin" "$root/lib64" "$modules" "$root/conformance"
cp "$unpacked/bin/busybox" "$root/bin/"
cp "$netpold" "$root/bin/netpold"
install -m 755 scripts/boot-kernel-init.sh "$root/init"
ldd "$netpold" | awk '$3 ~ "^/" { print $3 }' | xargs -I{} cp -L {} "$root/lib/"
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
cp -r "$@" "$root/conformance/"
if [ -n "$load" ]; then
    # A debug binary is mostly symbols, which take long to unpack there.
    strip --strip-debug "$root/bin/netpold"
    touch "$root/only-load"
else
    cp -r examples/shop examples/l7 Tests/Labs/redirect "$root/"
    modules_of=$unpacked/lib/modules/$release
    [ -d "$modules_of" ] || modules_of=$unpacked/usr/lib/modules/$release
    # What a lab asks the kernel for: veth pairs, the clsact queueing discipline, BPF filters.
    for module in drivers/net/veth net/sched/sch_ingress net/sched/cls_bpf; do
        cp "$modules_of/kernel/$module.ko"* "$modules/"
    done
    find "$modules" -name '*.ko.xz' -exec xz --decompress {} +
    "$unpacked/bin/busybox" depmod -b "$root" "$release"
    # TCX links came with 6.6.
    if [ "$(printf '%s\n' "$version" 6.6 | sort -V | head -n 1)" != 6.6 ]; then touch "$root/expect-clsact"; fi
fi
(cd "$root" && find . | cpio --quiet -o -H newc) >"$work/initramfs"

echo "boot-kernel: booting $release, at most $limit s"
log=$work/console
timeout "$limit" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -display none -monitor none -serial stdio \
    -no-reboot -nic none -kernel "$unpacked/boot/vmlinuz-$release" -initrd "$work/initramfs" \
    -append 'console=ttyS0 quiet panic=-1' </dev/null | sed -u 's/\r//g' | tee "$log" || true
if grep -q '^boot-kernel: passed$' "$log"; then exit 0; fi
grep -q '^boot-kernel: failed' "$log" || echo "boot-kernel: the machine did not end its checks in $limit s" >&2
exit 1
