#!/usr/bin/env bash
# version.sh [--debian|--epoch]: the version of this tree, how Debian writes it, or the time of its commit (seconds since 1970).
#   on the tag vX.Y.Z             X.Y.Z, which NetpoldVersion.base must be too
#   after a tag, or without one   BASE+N.gCOMMIT, BASE+gCOMMIT; with uncommitted changes .dirty behind it
#   a source archive of git       the same, from what git wrote into this file
#   without git                   BASE
set -euo pipefail
cd "$(dirname "$0")/.."
base=$(sed -nE 's/.*static let base = "([^"]+)".*/\1/p' Sources/netpold/Terminal/NetpoldVersion.swift)
[ -n "$base" ] || { echo "version: NetpoldVersion.swift has no base" >&2; exit 1; }

# describe, commit and time of an archive; git fills them in (.gitattributes).
archived='$Format:%(describe:tags=true,match=v[0-9]*)|%H|%ct$'
described= commit= epoch= dirty=
# Also under sudo, where the tree is somebody else's.
git() { command git -c safe.directory="$PWD" "$@"; }
if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$PWD" ] && commit=$(git rev-parse --short=10 HEAD 2>/dev/null); then
    described=$(git describe --tags --long --abbrev=10 --match 'v[0-9]*' 2>/dev/null || true)
    epoch=$(git log -1 --format=%ct)
    [ -z "$(git status --porcelain --untracked-files=no)" ] || dirty=.dirty
elif [[ $archived != '$Format'* ]]; then
    IFS='|' read -r described commit epoch <<<"$archived"
    commit=${commit:0:10}
    # On a tag an archive's description is the tag alone.
    [[ -z $described || $described =~ -g[0-9a-f]+$ ]] || described=$described-0-g$commit
else
    # A copy of the files: the day of the last entry of the changelog.
    epoch=$(stat -c %Y CHANGELOG.md)
fi

version=$base
if [ -n "$described" ]; then
    count=${described%-g*}
    tag=${count%-*}
    count=${count##*-}
    if [ "$count" -gt 0 ] || [ -n "$dirty" ]; then
        version=$base+$count.g$commit$dirty
    elif [ "$tag" != "v$base" ]; then
        echo "version: the commit has the tag $tag, NetpoldVersion.swift says $base" >&2
        exit 1
    fi
elif [ -n "$commit" ]; then
    version=$base+g$commit$dirty
fi
case ${1:-} in
    --epoch) echo "${SOURCE_DATE_EPOCH:-$epoch}" ;;
    # A tilde sorts before the release.
    --debian) echo "${version/-/\~}" ;;
    *) echo "$version" ;;
esac
