#!/usr/bin/env bash
# image.sh [NAME...]: a container image of the netpold in dist/ (make dist), for deploy/: `FROM scratch`, the program, the three files of the C
# library that it loads, and the libgcc_s that glibc loads when a thread ends. NAME defaults to what deploy/ names, localhost/netpold:VERSION. Prints the image's id; push it with buildah push.
# Needs buildah, and root or a user that it works for.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(echo dist/stage/netpold-*/netpold)
[ -x "$program" ] || { echo "image: dist/ holds no program: run make dist" >&2; exit 1; }
command -v buildah >/dev/null || scripts/install-deps.sh buildah
[ "$#" -gt 0 ] || set -- "$(sed -nE 's/^ *image: (localhost\/netpold:.*)/\1/p' deploy/kustomize/base/agent.yaml | sort -u)"
version=$("$program" version)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# Folders that DaemonSets mount something at: a root that cannot be written must have them.
mkdir -p "$root"/{usr/bin,usr/share/doc/netpold,etc/cni/net.d,etc/netpold,opt/cni/bin,proc,sys/fs/bpf,dev,run/netpold,run/netns,var/lib/cni,tmp}
chmod 755 "$root"
chmod 1777 "$root/tmp"
cp "$program" "$root/usr/bin/netpold"
cp -r "$(dirname "$program")/licences" "$(dirname "$program")"/*.cdx.json "$root/usr/share/doc/netpold/"
loader=$(readelf -lW "$program" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
libraries=$(ldd "$program" | awk '$3 ~ "^/" { print $3 }')
for file in "$loader" $libraries "$(dirname "$(head -n 1 <<<"$libraries")")/libgcc_s.so.1"; do
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
done
cp /usr/share/doc/libc6/copyright "$root/usr/share/doc/netpold/licences/libc.txt"
cp /usr/share/doc/libgcc-s1/copyright "$root/usr/share/doc/netpold/licences/libgcc_s.txt"
printf 'root:x:0:0:root:/:/\n' >"$root/etc/passwd"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
find "$root" -exec touch --no-dereference --date "@$(scripts/version.sh --epoch)" {} +

container=$(buildah from scratch)
buildah copy --quiet "$container" "$root/" / >/dev/null
# deploy/ gives arguments alone.
buildah config --entrypoint '["/usr/bin/netpold"]' --cmd '["--help"]' --user 0:0 --env PATH=/usr/bin --arch "$(dpkg --print-architecture)" \
    --label org.opencontainers.image.title=netpold --label "org.opencontainers.image.version=$version" \
    --label org.opencontainers.image.licenses=Apache-2.0 "$container"
image=$(buildah commit --quiet --rm --timestamp "$(scripts/version.sh --epoch)" "$container" "$1")
for name in "${@:2}"; do buildah tag "$image" "$name"; done
echo "$image $*"
