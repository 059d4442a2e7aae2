#!/usr/bin/env bash
# deb.sh STAGE FOLDER GLIBC: the Debian package of what dist.sh has put into STAGE, as FOLDER/netpold_VERSION_ARCHITECTURE.deb, for
# that C library or a later one. The same stage makes the same package (SOURCE_DATE_EPOCH). What it does to a node is in deploy/debian.
set -euo pipefail
stage=$(realpath "$1")
folder=$(realpath "$2")
glibc=$3
cd "$(dirname "$0")/.."
version=$(scripts/version.sh --debian)
architecture=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-netpold maintainers} <${DEBEMAIL:-netpold@localhost}>"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
share=$root/usr/share
documentation=$share/doc/netpold
install -D -m 755 "$stage/netpold" "$root/usr/bin/netpold"
install -D -m 644 -t "$root/lib/systemd/system" deploy/systemd/*.service
install -D -m 644 deploy/debian/default "$root/etc/default/netpold"
install -d -m 755 "$root/etc/netpold"
install -D -m 644 -t "$share/man/man1" "$stage"/man/man1/*.1
install -D -m 644 <(sed '1{/^#!/d}' "$stage/completions/netpold.bash") "$share/bash-completion/completions/netpold"
install -D -m 644 "$stage/completions/netpold.zsh" "$share/zsh/vendor-completions/_netpold"
install -D -m 644 "$stage/completions/netpold.fish" "$share/fish/vendor_completions.d/netpold.fish"
install -D -m 644 -t "$documentation" README.md "$stage"/*.cdx.json
install -D -m 644 deploy/debian/lintian-overrides "$share/lintian/overrides/netpold"
cp -r "$stage/licences" "$documentation/licences"
chmod -R u=rwX,go=rX "$documentation"
{
    printf 'netpold is under the Apache License 2.0, /usr/share/common-licenses/Apache-2.0; the programs for the kernel inside it\n'
    printf 'are under the GNU GPL version 2, /usr/share/common-licenses/GPL-2, or the BSD 2-clause licence.\n'
    printf 'Copyright (C) 2026 the netpold authors.\n\n'
    printf 'The file holds libraries of others. Which, and under what licence, says %s;\ntheir texts are in licences.\n' "$(basename "$stage"/*.cdx.json)"
    printf 'Libraries under the GNU LGPL are replaced by building netpold from its source (make dist).\n'
} >"$documentation/copyright"
{
    printf 'netpold (%s) unstable; urgency=medium\n\n  * What changed: CHANGELOG.md of the source.\n\n' "$version"
    printf ' -- %s  %s\n' "$maintainer" "$(date --utc --date "@$SOURCE_DATE_EPOCH" --rfc-email)"
} >"$documentation/changelog"
cp CHANGELOG.md "$documentation/CHANGELOG.md"
gzip -9n "$documentation/changelog" "$documentation/CHANGELOG.md" "$share"/man/man1/*.1

control=$root/DEBIAN
mkdir "$control"
install -m 755 -t "$control" deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm
echo /etc/default/netpold >"$control/conffiles"
(cd "$root" && find usr lib etc -type f ! -path etc/default/netpold -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$control/md5sums"
cat >"$control/control" <<CONTROL
Package: netpold
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$root" | cut -f 1)
Depends: libc6 (>= $glibc)
Section: net
Priority: optional
Description: Kubernetes network policies compiled to eBPF
 netpold compiles Kubernetes NetworkPolicy, ClusterNetworkPolicy and
 CiliumNetworkPolicy objects to eBPF, tests and explains them without a
 cluster, and enforces them on the veths of a node's pods.
 .
 Installing it enforces nothing: the agent is a service to be enabled.
CONTROL
find "$root" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --uniform-compression -Zxz --build "$root" "$folder/netpold_${version}_$architecture.deb" >/dev/null
