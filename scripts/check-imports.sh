#!/usr/bin/env bash
# The module rules of ARCHITECTURE.md, checked: who may import what.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
refuse() { # what, pattern, paths...
    local what=$1 pattern=$2
    shift 2
    local found
    found=$(grep -rnE --include='*.swift' "^[[:space:]]*(@[a-zA-Z_()]+[[:space:]]+)?((public|package|internal|fileprivate|private)[[:space:]]+)?import[[:space:]]+(struct |func |enum |class )?($pattern)([[:space:].]|$)" "$@" || true)
    if [ -n "$found" ]; then
        printf 'import rule: %s\n%s\n' "$what" "$found" >&2
        status=1
    fi
}
others=()
for folder in Sources/*/; do
    case "$folder" in Sources/Datapath/ | Sources/CLib*) ;; *) others+=("$folder") ;; esac
done
refuse 'only Datapath talks to libbpf and libnl' 'CLibBPF|CLibNL' "${others[@]}"
outside=()
for folder in Sources/*/; do
    case "$folder" in Sources/PolicyIR/) ;; *) outside+=("$folder") ;; esac
done
refuse 'only PolicyIR talks to RE2' 'CRE2' "${outside[@]}"
refuse 'PolicyIR is pure: no I/O, no clock, no kernel' 'Foundation|Glibc|Dispatch|CNetpoldABI|BPFEmit|Datapath|Agent|Logging' Sources/PolicyIR
refuse 'BPFEmit is pure: no I/O, no clock, no kernel' 'Foundation|Glibc|Dispatch|Datapath|Agent|Logging' Sources/BPFEmit
refuse 'BPFSimulate is pure: no I/O, no clock, no kernel' 'Foundation|Glibc|Dispatch|Datapath|Agent|Logging' Sources/BPFSimulate
refuse 'the simulators are for tests' 'BPFSimulate' Sources/{PolicyIR,BPFEmit,Datapath,Agent,netpold}
refuse 'Datapath knows neither the agent nor commands' 'Agent|ArgumentParser' Sources/Datapath
refuse 'Agent sees the kernel only through protocols' 'Datapath|ArgumentParser' Sources/Agent
exit "$status"
