#!/usr/bin/env bash
# dist.sh: the deployable netpold, in dist/: one file that needs the C library alone, its licences, man pages and completions as a
# tarball, its debug symbols, a bill of materials, and the Debian package. What is linked how: docs/decisions/0028-one-file.md.
# It builds in .build/dist, so that .build/release stays as it is. Twice from the same commit and packages it makes the same files.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-deps.sh xz-utils
architecture=$(uname -m)
version=$(scripts/version.sh)
epoch=$(scripts/version.sh --epoch)
export SOURCE_DATE_EPOCH=$epoch NETPOLD_VERSION=$version TZ=UTC LC_ALL=C.UTF-8
scratch=$PWD/.build/dist
name=netpold-$version-linux-$architecture

# The linker takes an archive where a folder before the system's has no shared library of that name. The build asks pkg-config's files
# for folders, so these say that one, and what an archive needs behind it.
libraries=(libbpf libelf libz libnl-3 libnl-route-3 libre2 libstdc++ libgcc_eh)
mkdir -p "$scratch/lib"
rm -f "$scratch"/lib/*
for library in "${libraries[@]}"; do
    archive=$(cc -print-file-name="$library.a")
    [ -f "$archive" ] || { echo "dist: there is no $library.a on this machine" >&2; exit 1; }
    ln -s "$(realpath "$archive")" "$scratch/lib/$library.a"
done
# What compilers ask for by the name of the shared one.
mv "$scratch/lib/libgcc_eh.a" "$scratch/lib/libgcc_s.a"
for library in libbpf libnl-3.0 libnl-route-3.0; do
    sed -E "s|^libdir=.*|libdir=$scratch/lib|; s|^(Libs:.* -lbpf).*|\1 -lelf -lz|" "$(pkg-config --variable=pcfiledir "$library")/$library.pc" \
        >"$scratch/lib/$library.pc"
done

start=$SECONDS
PKG_CONFIG_PATH=$scratch/lib swift build -c release --product netpold --scratch-path "$scratch" --static-swift-stdlib --no-color-diagnostics
echo "dist: built in $((SECONDS - start)) s"
built=$scratch/release/netpold

# Whatever else it would load is missing on somebody's machine.
loaded=$(objdump -p "$built" | awk '$1 == "NEEDED" { print $2 }')
for library in $loaded; do
    case $library in
        libc.so.6 | libm.so.6 | ld-linux-*.so.*) ;;
        *) echo "dist: the program would load $library" >&2; exit 1 ;;
    esac
done
# Debian 12 has 2.36; of systems with a later one, Ubuntu 24.04 has 2.39 and Fedora 40 too. A symbol of no release (GLIBC_PRIVATE) is of one
# library alone.
oldest=2.36
versions=$(objdump -T "$built" | grep -oE 'GLIBC_[0-9A-Z_.]+' | sed 's/GLIBC_//' | sort -Vu)
glibc=$(grep '^[0-9]' <<<"$versions" | tail -n 1)
strange=$(grep -vE '^[0-9.]+$|^ABI_DT_RELR$' <<<"$versions" || true)
[ -z "$strange" ] || { echo "dist: the program asks for GLIBC_$strange" >&2; exit 1; }
[ "$(printf '%s\n' "$glibc" $oldest | sort -V | tail -n 1)" = $oldest ] || {
    echo "dist: the program asks for glibc $glibc, later than the $oldest of Debian 12: build it there" >&2
    exit 1
}

rm -rf dist
stage=dist/stage/$name
mkdir -p "$stage/licences" "$stage/completions"
objcopy --only-keep-debug --compress-debug-sections "$built" "dist/$name.debug"
strip -o "$stage/netpold" "$built"
(cd dist && objcopy --add-gnu-debuglink="$name.debug" "stage/$name/netpold")
"$stage/netpold" version | grep -qxF "$version" || { echo "dist: the program does not say $version" >&2; exit 1; }

scripts/command-pages.py "$stage/netpold" man "$stage/man/man1"
for shell in bash zsh fish; do "$stage/netpold" completion "$shell" >"$stage/completions/netpold.$shell"; done
cp README.md CHANGELOG.md LICENSE "$stage/"
cp -r deploy/systemd "$stage/"
cp LICENSES/* "$stage/licences/"
scripts/sbom.py "$scratch" "$version" "$architecture" "$epoch" --licences "$stage/licences" >"dist/$name.cdx.json"
cp "dist/$name.cdx.json" "$stage/"

scripts/reproducible-tar.sh dist/stage "$name" "dist/$name.tar.gz"
scripts/deb.sh "$stage" dist "$glibc"
(cd dist && sha256sum -- *.tar.gz *.deb *.debug *.cdx.json >SHA256SUMS)
echo "dist: $(stat -c %s "$stage/netpold") bytes of program; it needs: $(echo $loaded), glibc $glibc or later"
(cd dist && ls -l --time-style=+ -- *.tar.gz *.deb *.debug *.cdx.json SHA256SUMS | awk '{ print "  " $5, $6 }')
