#!/bin/busybox sh
# /init of the machine that boot-kernel.sh boots: brings up what netpold needs of a system, runs the checks, says on the
# console how they went and switches the machine off. The kernel loads its modules by its own requests, as when installed.
export PATH=/bin LD_LIBRARY_PATH=/lib NO_COLOR=1
/bin/busybox mkdir -p /proc /sys /dev /run /tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t bpf bpf /sys/fs/bpf
echo /bin/modprobe >/proc/sys/kernel/modprobe
ip link set lo up

failed=
# Through a pipe: progress bars are of no use on the console.
check() {
    echo "== $*"
    { "$@" </dev/null; echo $? >/tmp/code; } 2>&1 | cat
    code=$(cat /tmp/code)
    [ "$code" -eq 0 ] || failed="$failed; $*: exit code $code"
}
# The third column counts users: both modules are used only by programs that are attached as clsact filters.
clsact_in_use() {
    grep -E '^(veth|sch_ingress|cls_bpf) ' /proc/modules | cut -d ' ' -f 1-3
    [ "$(grep -c -E '^(sch_ingress|cls_bpf) [0-9]+ [1-9]' /proc/modules)" -eq 2 ]
}
no_kernel_complaint() { ! dmesg | grep -E 'BUG:|WARNING:|Oops|RIP:'; }

echo "== Linux $(uname -r), $(nproc) CPUs"
check netpold test --kernel /conformance
if [ ! -e /only-load ]; then
    check netpold lab -f /shop --keep
    if [ -e /expect-clsact ]; then check clsact_in_use; fi
    check netpold lab --down
    check netpold lab -f /shop --fast-path always
    check netpold test --kernel /l7
    check netpold lab -f /l7
    check netpold lab -f /redirect
fi
check no_kernel_complaint
echo "boot-kernel: ${failed:+failed}${failed:-passed}"
poweroff -f
