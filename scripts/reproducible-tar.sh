#!/usr/bin/env bash
# reproducible-tar.sh FOLDER NAME FILE: packs FOLDER/NAME so that the same contents always make the same FILE (.tar.gz): order, owner,
# times (SOURCE_DATE_EPOCH) and modes are fixed.
set -euo pipefail
tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw --mtime="@$SOURCE_DATE_EPOCH" \
    -C "$1" -cf - "$2" | gzip -9n >"$3"
