#!/usr/bin/env bash
# demo-check.sh: `make demo` as a new user has it (root): in a Debian of debootstrap's minbase with make and sudo added, as a user with a
# password and no rights of root, who answers the questions at a terminal. The toolchain is mounted there, not to be written; the
# repository is this one on a layer that is thrown away, without its .build: it builds everything.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "demo-check: this needs root: mounts, namespaces, BPF" >&2; exit 3; }
scripts/install-deps.sh debootstrap
debian=$(scripts/debian-root.sh bookworm)
toolchain=$(realpath "$(dirname "$(realpath "$(command -v swift)")")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unshare --mount --pid --fork --propagation private bash -ec '
    work=$1 debian=$2 toolchain=$3
    layer() { # PLACE LOWER
        mkdir -p "$work/$1.upper" "$work/$1.work" "$3"
        mount -t overlay overlay -o "lowerdir=$2,upperdir=$work/$1.upper,workdir=$work/$1.work,metacopy=on" "$3"
    }
    root=$work/root
    layer debian "$debian" "$root"
    mkdir -p "$root$toolchain"
    mount --bind "$toolchain" "$root$toolchain"
    mount -o remount,bind,ro "$root$toolchain"
    # Where packages of Swift come from on a machine without the hub.
    for place in /opt/swift-packages; do
        [ ! -d $place ] || { mkdir -p "$root$place"; mount --bind $place "$root$place"; mount -o remount,bind,ro "$root$place"; }
    done
    [ ! -e /etc/gitconfig ] || cp /etc/gitconfig "$root/etc/"
    # Such packages are of root, and git clones only what is its own.
    git config --file "$root/etc/gitconfig" --add safe.directory "*"
    layer repository "$PWD" "$root$PWD"
    mkdir -p "$work/build" "$root$PWD/.build"
    mount --bind "$work/build" "$root$PWD/.build"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t bpf bpf "$root/sys/fs/bpf"
    # As on a host, where it is no mount of this process alone.
    mount --make-shared "$root/sys/fs/bpf"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/run"
    cp -L /etc/resolv.conf "$root/etc/"
    cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null || true
    chroot "$root" sh -ec "
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends sudo make >/dev/null 2>&1
        useradd --create-home --shell /bin/bash --groups sudo demo
        echo demo:demo-password | chpasswd
        echo PATH=$toolchain/usr/bin:\\\$PATH >>/home/demo/.profile
        chown -R demo $PWD"
    # --session-command: with -c there would be no terminal to ask for a password at.
    python3 scripts/answer.py "Go on?=y" "password of demo=demo-password" -- \
        chroot "$root" su - demo --session-command "cd $PWD && ! id -Gn | grep -qw root && make demo"
    ' demo-check "$work" "$debian" "$toolchain" | tee "$work/log" | tr -d '\r' || {
    echo "demo-check: FAILED" >&2
    exit 1
}
grep -q 'Go on?' "$work/log" && grep -q 'password of demo' "$work/log" && grep -q 'measured = predicted' "$work/log" || {
    echo "demo-check: FAILED: no question, or no lab" >&2
    exit 1
}
echo "demo-check: passed"
