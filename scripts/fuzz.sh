#!/usr/bin/env bash
# fuzz.sh [TARGET...]: runs the libFuzzer targets, FUZZ_SECONDS (60) each, one after the other. The corpora grow from run to
# run in .build/fuzz/corpus; an input that breaks something is kept in .build/fuzz/found and belongs into Tests/Fuzzed.
set -euo pipefail
seconds=${FUZZ_SECONDS:-60}
work=.build/fuzz
library=$(clang -print-file-name="libclang_rt.fuzzer_no_main-$(uname -m).a")
if [ ! -e "$library" ]; then
    echo "fuzz: this toolchain has no libFuzzer ($library)" >&2
    exit 1
fi
NETPOLD_FUZZ=1 swift build -c release -Xcc -fsanitize=fuzzer-no-link -Xlinker "-L$(dirname "$library")" \
    --product FuzzTargets --scratch-path "$work"

# The words of the field tables, and what YAML is made of: libFuzzer puts them together.
mkdir -p "$work/found"
{
    grep -ohE '"[A-Za-z][A-Za-z0-9./-]{2,40}"' -r Sources/Policy*/Decoding Sources/Policy*/Objects | sort -u
    printf '"%s"\n' '\x0d\x0a' '\x0d\x0a\x0d\x0a' 'GET / HTTP/1.1\x0d\x0a' 'Host: a\x0d\x0a' 'Content-Length: 5' 'Transfer-Encoding: ' \
        'chunked' 'HTTP/1.0' 'Connection: close' 'keep-alive' 'Upgrade: websocket' 'Expect: 100-continue' 'http://' 'HTTP/1.1 200'
    printf '"%s"\n' '---\x0a' '\x0a  ' ': ' '- ' '[]' '{}' '&a ' '*a' '<<: ' '10.0.0.0/8' '::/0' '!!str ' '**.' '\x00'
} >"$work/words"

# Examples, conformance folders as one stream each, and what was found before.
seed() { # target, files...
    local into=$work/corpus/$1 file
    shift
    mkdir -p "$into"
    for file in "$@"; do
        if [ -f "$file" ]; then cp "$file" "$into/seed-$(echo "$file" | tr -c 'A-Za-z0-9.\n' _)"; fi
    done
}
streams() { # target
    local folder
    mkdir -p "$work/corpus/$1"
    for folder in Tests/Conformance/*/*/; do
        (cat "$folder/cluster.yaml"; echo '---'; cat "$folder/policies.yaml") \
            >"$work/corpus/$1/seed-$(basename "$folder").yaml"
    done
}
seed manifests Tests/Manifests/*.yaml Tests/Conformance/*/*[05]/*.yaml examples/*/*.yaml Tests/Fuzzed/manifests/*
seed values Tests/Fuzzed/values/*
seed verdicts examples/*/*.yaml Tests/Fuzzed/verdicts/*
streams verdicts
seed wire Tests/Fuzzed/wire/*
mkdir -p "$work/corpus/http"
"$work/release/FuzzTargets" http-seeds "$work/corpus/http"
seed http Tests/Fuzzed/http/*
mkdir -p "$work/corpus/hello"
"$work/release/FuzzTargets" hello-seeds "$work/corpus/hello"
seed hello Tests/Fuzzed/hello/*
mkdir -p "$work/corpus/dns"
"$work/release/FuzzTargets" dns-seeds "$work/corpus/dns"
seed dns Tests/Fuzzed/dns/*
[ "$#" -gt 0 ] || set -- manifests values verdicts wire http hello dns
for target in "$@"; do
    echo "== fuzz $target, $seconds s"
    # Swift's own crash handler would run before libFuzzer writes the input down.
    SWIFT_BACKTRACE=enable=no "$work/release/FuzzTargets" "$target" "$work/corpus/$target" -dict="$work/words" \
        -artifact_prefix="$work/found/$target-" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
        -rss_limit_mb=1024 -malloc_limit_mb=256 -print_final_stats=1 -verbosity=1 2>&1 | grep -vE '	(NEW|REDUCE|RELOAD|pulse) ' | tail -n 40
done
