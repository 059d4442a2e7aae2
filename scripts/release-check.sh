#!/usr/bin/env bash
# release-check.sh TARGET...: runs make targets one after the other, the short ones first, and stops at the first failure. Prints at
# the end what ran and how long it took. Everything is run in full, so it needs root, or sudo without a password.
set -uo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
    echo "release-check: not root, and no sudo without a password: half of the checks would be skipped" >&2
    exit 1
fi
ran=()
status=0
for target in "$@"; do
    printf '\n== release-check: make %s\n' "$target"
    start=$SECONDS
    make --no-print-directory "$target"
    status=$?
    took="$(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
    if [ "$status" -ne 0 ]; then
        ran+=("make $target: FAILED after $took (exit code $status)")
        break
    fi
    ran+=("make $target: passed in $took")
done
printf '\nrelease-check of %s\n' "$(git describe --always --dirty 2>/dev/null || echo 'a tree without git')"
printf '  %s\n' "${ran[@]}"
for target in "${@:$((${#ran[@]} + 1))}"; do printf '  make %s: not run\n' "$target"; done
exit "$status"
