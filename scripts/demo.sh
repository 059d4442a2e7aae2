#!/usr/bin/env bash
# demo.sh NETPOLD: what `make demo` does: asks and looks for what would stop it at the end before the build, installs, builds, runs the lab
# on examples/shop. As root, or as a user with sudo.
set -euo pipefail
cd "$(dirname "$0")/.."
netpold=$1
stop() {
    echo "demo: $1" >&2
    exit 1
}

# All of it before minutes of work.
[ "$(uname -s)" = Linux ] || stop "the lab needs Linux"
read -r major minor < <(uname -r | sed -E 's/^([0-9]+)\.([0-9]+).*/\1 \2/')
[ $((major * 1000 + minor)) -ge 6001 ] || stop "the lab needs Linux 6.1 or later; this is $(uname -r)"
[ -e /sys/kernel/btf/vmlinux ] || stop "this kernel has no BTF (/sys/kernel/btf/vmlinux)"
[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || stop "the lab needs root: become root, or install sudo"
command -v swift >/dev/null || scripts/install-deps.sh

missing=$(scripts/install-deps.sh --list)
if [ -t 0 ] && { [ -n "$missing" ] || [ ! -x "$netpold" ]; }; then
    echo "make demo will"
    [ -z "$missing" ] || echo "  - install from Debian: $missing"
    [ -x "$netpold" ] || echo "  - build netpold in .build (about 6 minutes on two cores, 3 GB; the compiler says little meanwhile)"
    echo "  - run a lab as root: network namespaces of its own and BPF programs in them; it takes them away again"
    read -r -p "Go on? [Y/n] " answer
    case $answer in '' | [Yy]*) ;; *) stop "nothing was done" ;; esac
fi
if [ "$(id -u)" -ne 0 ]; then
    sudo -v -p "demo: [sudo] password of %p, for packages and for the lab after the build: " || stop "the lab needs root"
    # sudo forgets sooner than some machines build.
    (while sleep 50 && kill -0 $$ 2>/dev/null; do sudo -n -v 2>/dev/null || exit 0; done) &
    keeper=$!
    trap 'kill "$keeper" 2>/dev/null || true' EXIT
fi
"${MAKE:-make}" --no-print-directory build
echo "demo: $netpold lab -f examples/shop"
scripts/as-root.sh --ask "$netpold" lab -f examples/shop
