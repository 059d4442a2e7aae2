#!/usr/bin/env bash
# beside.sh LOG COMMAND... -- COMMAND...: runs the first command in the background, with its output in LOG, while the second runs; then
# shows what the first printed. Fails when either does.
set -uo pipefail
log=$1
shift
first=()
while [ "$1" != -- ]; do
    first+=("$1")
    shift
done
shift
mkdir -p "$(dirname "$log")"
began=$SECONDS
{
    "${first[@]}"
    code=$?
    echo "beside: ${first[*]}: exit code $code after $((SECONDS - began)) s"
    exit "$code"
} >"$log" 2>&1 </dev/null &
background=$!
"$@"
status=$?
wait "$background"
besides=$?
cat "$log"
[ "$status" -ne 0 ] || status=$besides
exit "$status"
