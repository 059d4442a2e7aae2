#!/usr/bin/env bash
# `swift test` with its failures said once more at the end, where a log that was cut still shows them.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
swift test --skip-build "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if [ "$status" -ne 0 ]; then
    printf '\nfailed (%s):\n' "swift test $*"
    grep -E '✘|error:|Fatal error|unexpected signal' "$log" | grep -vE '✘ (Suite|Test run)' | head -n 60
fi
exit "$status"
