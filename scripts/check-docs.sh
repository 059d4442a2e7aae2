#!/usr/bin/env bash
# What code, scripts and pages refer to is there: docs/ pages with the sections and rows they are cited by, and the targets of links.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
complain() {
    echo "docs: $1" >&2
    status=1
}

# `docs/spec/network-policy.md 1.2, 2.1 and 2.2`, `docs/spec/cilium-network-policy.md 19, rows 15-21`, `docs/design/agent.md`.
number='[0-9]+(\.[0-9]+)?'
pattern="docs/[A-Za-z0-9_./-]+\.md( $number((,| and| to) $number)*)?(, rows? [0-9]+(-[0-9]+)?)?"
references=0
while IFS=: read -r file line text; do
    references=$((references + 1))
    page=${text%%.md*}.md
    if [ ! -f "$page" ]; then
        complain "$file:$line: there is no $page"
        continue
    fi
    rest=${text#"$page"}
    rows=
    if [[ $rest =~ ,\ rows?\ ([0-9]+)(-([0-9]+))? ]]; then
        rows="${BASH_REMATCH[1]} ${BASH_REMATCH[3]}"
        rest=${rest%%, row*}
    fi
    for section in $(grep -oE "$number" <<<"$rest" || true); do
        grep -qE "^##+ $section[. ]" "$page" || complain "$file:$line: $page has no section $section"
    done
    for row in $rows; do
        grep -q "^| $row |" "$page" || complain "$file:$line: $page has no row $row"
    done
done < <(grep -rnoE --include='*.swift' --include='*.[ch]' --include='*.sh' --include='*.md' --include=Makefile "$pattern" \
    Sources Tests bpf scripts Fuzz Plugins docs Makefile Package.swift {README,ARCHITECTURE,CONTRIBUTING,SECURITY}.md)
# A pattern that finds nothing any more would find nothing wrong either.
[ "$references" -ge 60 ] || complain "only $references references to docs/ were found"

# GitHub's anchor of each heading of a page.
anchors() { sed -nE 's/^#+ +//p' "$1" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'; }
while IFS=: read -r file line text; do
    target=${text#](}
    case $target in *://* | mailto:*) continue ;; esac
    path=${target%%#*}
    page=$(dirname "$file")/$path
    [ -n "$path" ] || page=$file
    if [ ! -e "$page" ]; then
        complain "$file:$line: the link leads nowhere: $target"
    elif [[ $target == *#* ]] && ! anchors "$page" | grep -qxF "${target#*#}"; then
        complain "$file:$line: $page has no heading for #${target#*#}"
    fi
done < <(grep -rnoE --include='*.md' '\]\([^)[:space:]]+' docs Tests Sources {README,ARCHITECTURE,CONTRIBUTING,SECURITY,CHANGELOG}.md)

# `"title" (path)` in never-open.md: the file has a test of that title.
tests=0
while IFS= read -r text; do
    tests=$((tests + 1))
    title=${text#\"}
    title=${title%%\" (*}
    file=${text##*\" (}
    file=Tests/${file%)}
    [ -f "$file" ] || { complain "never-open.md: there is no $file"; continue; }
    grep -qF "\"$title" "$file" || complain "never-open.md: $file has no test \"$title\""
done < <(grep -oE '"[^"]+" \([A-Za-z0-9/+]+\.swift\)' docs/design/never-open.md)
[ "$tests" -ge 20 ] || complain "never-open.md names only $tests tests"
exit "$status"
