#!/usr/bin/env bash
# boot-kernel.sh VERSION NETPOLD FOLDER...: boots Debian's kernel of that version (6.1, 6.12) under QEMU and lets NETPOLD, a built
# binary, decide PolicyTest folders there with its loaded programs and run the lab, attached: on examples/shop, on examples/l7
# (DNS, names, server names, HTTP), and on Tests/Labs/redirect (every way of a connection through the proxy).
# Nothing is installed but QEMU and cpio: the kernel's package is unpacked to .build/kernels. Exit code 0: all of it passed.
set -euo pipefail
version=$1
netpold=$2
shift 2
cd "$(dirname "$0")/.."
[ "$#" -gt 0 ] || {
    echo "boot-kernel: no PolicyTest folder given" >&2
    exit 1
}
limit=${NETPOLD_BOOT_SECONDS:-480}

[ "$(uname -m)" = x86_64 ] || {
    echo "boot-kernel: this needs an x86_64 machine" >&2
    exit 1
}
scripts/install-deps.sh qemu-system-x86 cpio xz-utils

# The newest kernel of the version that apt's sources have.
newest() {
    apt-cache pkgnames "linux-image-$version." | grep -E '^linux-image-[0-9.]+(-[0-9]+|\+deb[0-9]+)-amd64$' |
        sort -V | tail -n 1 || true
}
package=$(newest)
[ -n "$package" ] || {
    echo "boot-kernel: apt's sources have no linux-image-$version.*-amd64 (Debian 12 has 6.1 and 6.12); run apt-get update" >&2
    exit 1
}
release=${package#linux-image-}
unpacked=$PWD/.build/kernels/$release

# fetch PACKAGE: unpacks a Debian package below $unpacked, once; it is not installed.
fetch() {
    [ ! -e "$unpacked/.$1" ] || return 0
    local folder
    folder=$(mktemp -d)
    echo "boot-kernel: downloading $1"
    (cd "$folder" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$1")
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
mkdir -p "$root/bin" "$root/lib64" "$modules"
cp "$unpacked/bin/busybox" "$root/bin/"
cp "$netpold" "$root/bin/netpold"
cp -r examples/shop examples/l7 Tests/Labs/redirect "$root/"
install -m 755 scripts/boot-kernel-init.sh "$root/init"
ldd "$netpold" | awk '$3 ~ "^/" { print $3 }' | xargs -I{} cp -L {} "$root/lib/"
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
for folder in "$@"; do
    mkdir -p "$root/conformance"
    cp -r "$folder" "$root/conformance/"
done
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
(cd "$root" && find . | cpio --quiet -o -H newc) >"$work/initramfs"

echo "boot-kernel: booting $release, at most $limit s"
log=$work/console
timeout "$limit" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -display none -monitor none -serial stdio \
    -no-reboot -nic none -kernel "$unpacked/boot/vmlinuz-$release" -initrd "$work/initramfs" \
    -append 'console=ttyS0 quiet panic=-1' </dev/null | sed -u 's/\r//g' | tee "$log" || true
if grep -q '^boot-kernel: passed$' "$log"; then exit 0; fi
grep -q '^boot-kernel: failed' "$log" || echo "boot-kernel: the machine did not end its checks in $limit s" >&2
exit 1
