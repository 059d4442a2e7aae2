#!/usr/bin/env bash
# debian-root.sh SUITE: makes .build/roots/SUITE, a Debian (or, of Ubuntu, noble) with nothing but what every one has, once, and prints its
# path (root). Whoever uses it mounts something writable over it: it stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$1
folder=$PWD/.build/roots/$suite
if [ -d "$folder" ]; then
    echo "$folder"
    exit
fi
mkdir -p "$PWD/.build/roots"
rm -rf "$folder.new"
from=("$suite" "$folder.new")
case $suite in
    noble)
        # Debian has no keyring of Ubuntu's: it comes from Ubuntu's mirror, and is taken for what it is if it holds the one key that
        # signs noble (Ubuntu Archive Automatic Signing Key, 2018).
        mirror=http://archive.ubuntu.com/ubuntu
        key=F6ECB3762474EDA9D21B7022871920D1991BC93C
        keyring=$folder.key/etc/apt/trusted.gpg.d/ubuntu-keyring-2018-archive.gpg
        rm -rf "$folder.key" "$folder.deb"
        curl -fsSL --max-time 60 -o "$folder.deb" "$mirror/pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb" || {
            echo "debian-root: $mirror cannot be reached" >&2
            exit 1
        }
        dpkg-deb -x "$folder.deb" "$folder.key"
        found=$(gpg --batch --homedir "$(mktemp -d -p "$folder.key")" --show-keys --with-colons "$keyring" 2>/dev/null | awk -F: '$1 == "fpr" { print $10 }')
        [ "$found" = "$key" ] || { echo "debian-root: Ubuntu's keyring holds '$found', not $key" >&2; exit 1; }
        # Debian's debootstrap may be older than noble; all of Ubuntu's suites are made the way of `gutsy`.
        from=(--keyring="$keyring" "${from[@]}" "$mirror" gutsy)
        ;;
esac
debootstrap --variant=minbase "${from[@]}" >"$folder.log" 2>&1 || {
    tail -n 5 "$folder.log" >&2
    exit 1
}
mv "$folder.new" "$folder"
echo "$folder"
