#!/usr/bin/env bash
# dist-check.sh [SUITE...]: what `make dist` left in dist/ works where it is meant to (root). Each root is made by debootstrap from Debian's
# packages, in .build/roots; everything runs in namespaces of its own, and goes with them.
#   bare        a root holding the program and the C library's files, no shell: compile, test, explain, lab
#   package     the Debian package in a minbase: installed, run, upgraded, removed, purged
#   image       the container image (buildah), run by its entry point with what deploy/ gives it
#   bill        the bill of materials against CycloneDX's schema; checksums
#   lintian     no error and no warning of Debian's package checker
# SUITE: whose C library and dpkg (bookworm trixie noble: Debian 12 and 13, Ubuntu 24.04). Later ones than 13's glibc are not tried; the
# symbols that the program asks for are in all of them (dist.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "dist-check: this needs root: mounts, namespaces, BPF" >&2; exit 3; }
[ "$#" -gt 0 ] || set -- bookworm trixie noble
shopt -s nullglob
exec </dev/null
tarballs=(dist/netpold-*.tar.gz) packages=(dist/netpold_*.deb) bills=(dist/netpold-*.cdx.json)
if [ "${#tarballs[@]}" -ne 1 ] || [ "${#packages[@]}" -ne 1 ] || [ "${#bills[@]}" -ne 1 ]; then
    echo "dist-check: dist/ holds no distribution, or several: run make dist" >&2
    exit 1
fi
scripts/install-deps.sh debootstrap lintian python3-venv man-db curl gpg
version=$(scripts/version.sh)
exactly="^${version//+/\\+}\$"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd dist && sha256sum --quiet --check SHA256SUMS)
tar -xzf "${tarballs[0]}" -C "$work"
unpacked=("$work"/netpold-*)
program=${unpacked[0]}/netpold

# in_root FOLDER COMMAND...: COMMAND in this root with a /proc, /sys, bpffs, /dev, /run and /tmp of its own, and no network but its own.
# The folder is gone afterwards, with whatever was mounted in it.
in_root() {
    unshare --mount --net --pid --fork --propagation private bash -ec '
        root=$1
        shift
        mkdir -p "$root"/{proc,sys,dev,run,tmp}
        mount -t proc proc "$root/proc"
        mount -t sysfs sysfs "$root/sys"
        mount -t bpf bpf "$root/sys/fs/bpf"
        # As on a node, where others see it: the agent takes no other.
        mount --make-shared "$root/sys/fs/bpf"
        mount -t tmpfs tmpfs "$root/dev"
        for device in null zero full random urandom tty; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
        mount -t tmpfs tmpfs "$root/run"
        mount -t tmpfs tmpfs "$root/tmp"
        ip link set lo up
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp NO_COLOR=1 TERM=dumb chroot "$root" "$@"' in_root "$@"
}

say() { echo "dist-check: $*"; }
fail() {
    say "FAILED: $*" >&2
    exit 1
}
# passes LABEL LAST COMMAND...: the command succeeds, and the last line of its output is matched by LAST.
passes() {
    local label=$1 last=$2 log=$work/log
    shift 2
    "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; fail "$label (exit code $?)"; }
    grep -v '^$' "$log" | tail -n 1 | grep -qE "$last" || { tail -n 30 "$log" >&2; fail "$label: the last line is not $last"; }
    say "$label: $(grep -v '^$' "$log" | tail -n 1)"
}

for suite in "$@"; do
    debian=$(scripts/debian-root.sh "$suite")
    bare=$work/bare-$suite
    mkdir -p "$bare"/{usr/bin,lib64,lib/x86_64-linux-gnu}
    cp "$program" "$bare/usr/bin/netpold"
    # libgcc_s: glibc itself loads it when a thread ends (pthread_exit), and depends on it as a package, in Debian and in Fedora.
    for library in libc.so.6 libm.so.6 libgcc_s.so.1; do cp -L "$debian/lib/x86_64-linux-gnu/$library" "$bare/lib/x86_64-linux-gnu/"; done
    cp -L "$debian/lib64/ld-linux-x86-64.so.2" "$bare/lib64/"
    cp -r examples "$bare/examples"
    glibc=$(strings "$bare/lib/x86_64-linux-gnu/libc.so.6" | sed -n 's/^GNU C Library .* version \([0-9.]*\)\.$/\1/p')
    say "== a root of $(find "$bare" -type f ! -path "$bare/examples/*" | wc -l) files: netpold and the C library of $suite (glibc $glibc)"
    passes "netpold version" "$exactly" in_root "$bare" /usr/bin/netpold version
    passes "netpold compile" '^ *total +[0-9.]+ [KM]iB$' in_root "$bare" /usr/bin/netpold compile -f /examples/shop
    passes "netpold test" '^[1-9][0-9]* passed, 0 failed$' in_root "$bare" /usr/bin/netpold test /examples
    passes "netpold test --kernel" '^[1-9][0-9]* passed, 0 failed$' in_root "$bare" /usr/bin/netpold test --kernel /examples/shop
    passes "netpold lab -f examples/shop" '^measured = predicted: ' in_root "$bare" /usr/bin/netpold lab -f /examples/shop
    passes "netpold lab -f examples/l7" '^measured = predicted: ' in_root "$bare" /usr/bin/netpold lab -f /examples/l7
done

# A later version from the same files.
mkdir -p "$work/later"
dpkg-deb -R "${packages[0]}" "$work/later/root"
sed -i 's/^Version: .*/&.later/' "$work/later/root/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip --build "$work/later/root" "$work/later/later.deb" >/dev/null
cat >"$work/package.sh" <<'PACKAGE'
set -eu
version=$1
dpkg -i /netpold.deb
test "$(netpold version)" = "$version"
for file in /lib/systemd/system/netpold-agent.service /usr/share/man/man1/netpold-lab.1.gz /etc/default/netpold /usr/share/doc/netpold/copyright \
    /usr/share/bash-completion/completions/netpold /usr/share/doc/netpold/licences/libelf.txt; do test -s $file; done
test -d /etc/netpold
# Enabling is the administrator's.
test ! -e /etc/systemd/system/multi-user.target.wants/netpold-agent.service
mkdir /examples-copy && cp -r /examples/shop /examples-copy/
netpold lint /examples-copy/shop
netpold test /examples
netpold lab -f /examples/shop >/tmp/lab 2>&1 || { tail -n 20 /tmp/lab; exit 1; }
# A pod's policy goes on through all of it: what is pinned stays.
mkdir -p /sys/fs/bpf/netpold/kept
echo '# mine' >>/etc/default/netpold
dpkg -i /later.deb
grep -qx '# mine' /etc/default/netpold
dpkg -r netpold 2>&1 | tee /tmp/removed
grep -q 'netpold detach' /tmp/removed
test ! -e /usr/bin/netpold
test -e /sys/fs/bpf/netpold/kept
grep -qx '# mine' /etc/default/netpold
dpkg -P netpold
test ! -e /etc/default/netpold
test ! -e /etc/netpold
left=$(find / -xdev -name '*netpold*' ! -path '/netpold.deb' ! -path '/var/log/*' ! -path '/proc/*' ! -path '/sys/*')
test -z "$left" || { echo "left behind: $left"; exit 1; }
echo "installed, run, upgraded, removed, purged: nothing is left"
PACKAGE
package_check() {
    unshare --mount --propagation private bash -ec '
        mkdir -p "$1/layer" "$1/root"
        mount -t tmpfs tmpfs "$1/layer"
        mkdir "$1/layer/upper" "$1/layer/work"
        mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/layer/upper,workdir=$1/layer/work" "$1/root"
        cp "$3" "$1/root/netpold.deb"
        cp "$1/later/later.deb" "$1/root/later.deb"
        cp "$1/package.sh" "$1/root/package.sh"
        cp -r examples "$1/root/examples"
        '"$(declare -f in_root)"'
        in_root "$1/root" sh /package.sh "$4"' package_check "$work" "$debian" "${packages[0]}" "$version"
}
for suite in "$@"; do
    debian=$(scripts/debian-root.sh "$suite")
    say "== the Debian package in a minbase of $suite"
    passes "dpkg" 'nothing is left$' package_check
done
say "== the image, by its entry point"
check_image=localhost/netpold-check:$$
scripts/install-deps.sh buildah
scripts/image.sh "$check_image" >"$work/image.log"
container=$(buildah from --pull-never "$check_image")
trap 'buildah rm "$container" >/dev/null; buildah rmi "$check_image" >/dev/null; rm -rf "$work"' EXIT
entry=$(buildah inspect --format '{{range .OCIv1.Config.Entrypoint}}{{.}}{{end}}' "$container")
mkdir "$work/image"
cp -a "$(buildah mount "$container")/." "$work/image/"
buildah umount "$container" >/dev/null
# The arguments of the DaemonSet's containers.
# Once, without --follow.
mapfile -t install < <(awk '/- name: cni$/ { here = 1 } here && /^ +- (cni|install|--)/ && !/--follow/ { print $2 } /securityContext/ { if (here) exit }' \
    deploy/kustomize/base/agent.yaml)
[ "${#install[@]}" -ge 2 ] || fail "deploy/kustomize/base/agent.yaml has no arguments of cni"
echo '{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "bridge"}]}' >"$work/image/etc/cni/net.d/10-pods.conflist"
passes "image: version" "$exactly" in_root "$work/image" "$entry" version
passes "image: ${install[*]}" '^added netpold to the end of /etc/cni/net.d/10-pods.conflist$' in_root "$work/image" "$entry" "${install[@]}"
passes "image: the plugin that it installed, on this machine" 'supportedVersions' \
    env CNI_COMMAND=VERSION "$work/image/opt/cni/bin/netpold" <"$work/image/etc/cni/net.d/10-pods.conflist"
echo '{apiVersion: v1, kind: Node, metadata: {name: here}}' >"$work/image/etc/netpold/node.yaml"
passes "image: agent" 'in force|ending' in_root "$work/image" "$entry" agent --manifests /etc/netpold --node here --once
say "== bill of materials, package checker, man pages"
tools=.build/dist-tools
if [ ! -x "$tools/bin/python" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check 'cyclonedx-python-lib[json-validation]'
fi
passes "CycloneDX 1.5" 'valid, [0-9]+ parts$' "$tools/bin/python" -c '
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1]).read()
error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
if error: sys.exit(f"not valid: {error}")
print("valid,", len(json.loads(text)["components"]), "parts")' "${bills[0]}"
passes "lintian" '^lintian: no error, no warning$' bash -ec 'lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$1"; echo "lintian: no error, no warning"' lintian "${packages[0]}"
pages=("${unpacked[0]}"/man/man1/*.1)
passes "man" '^[1-9][0-9]* pages, no complaint$' bash -ec '
    for page; do man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null | grep . && exit 1; done
    echo "$# pages, no complaint"' man "${pages[@]}"
say "passed: $version, $(stat -c %s "$program") bytes of program"
