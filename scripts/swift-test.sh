#!/usr/bin/env bash
# swift-test.sh ARGUMENT...: what `swift test --skip-build` runs, as one line for each suite, each failure as it happens, and the failures
# once more at the end, where a log that was cut still shows them. Everything that was printed is in .build/test-logs. The test program is
# started without SwiftPM, whose lock lets only one run at a time.
set -uo pipefail
# By default all tests are under way at once: then those that wait for something with a limit wait for a thousand others.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-8}
mkdir -p .build/test-logs
log=.build/test-logs/$(echo "${*:-all}" | tr -cs 'A-Za-z0-9\n' - | sed 's/^-//; s/-$//').log
NO_COLOR=1 .build/debug/netpoldPackageTests.xctest --testing-library swift-testing "$@" 2>&1 | tee "$log" |
    grep --line-buffered -vE '^[◇✔] (Test|Passing) [^r]|^◇ (Suite|Test case)|^✔ Test case|^↳ (Testing Library|Target Platform)|^✔ Test run|^$'
status=${PIPESTATUS[0]}
ran=$(grep -E '^[✔✘] Test run with' "$log" | tail -n 1)
if [ "$status" -ne 0 ]; then
    printf '\nfailed (%s), all of it in %s:\n' "swift-test.sh $*" "$log"
    grep -E '✘|error:|Fatal error|unexpected signal' "$log" | grep -vE '✘ (Suite|Test run)' | head -n 60
elif [ -z "$ran" ] || grep -q 'with 0 tests' <<<"$ran"; then
    printf 'no test ran (%s)\n' "swift-test.sh $*"
    status=1
fi
[ -z "$ran" ] || echo "$ran"
exit "$status"
