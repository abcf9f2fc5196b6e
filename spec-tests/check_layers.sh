#!/usr/bin/env bash
# Fails if an #include runs against the one direction cli -> host -> vm -> loader.
#
#   check_layers.sh          from the root of the checkout
#
# The folders of a layer may include themselves and everything below. modules/ are programs of
# their own and include nothing of the host. Tests outside the four layers may include anything.
set -euo pipefail

find loader vm host cli modules -type f \
  \( -name '*.cpp' -o -name '*.hpp' -o -name '*.def' -o -name '*.c' -o -name '*.h' \) -print0 |
  sort -z | xargs -0 awk '
  BEGIN {
    rank["loader"] = 0; rank["vm"] = 1; rank["host"] = 2; rank["cli"] = 3
  }
  FNR == 1 {
    path = FILENAME
    sub(/^\.\//, "", path)
    split(path, parts, "/")
    from = parts[1]
    files++
  }
  /^[ \t]*#[ \t]*include[ \t]*"/ {
    line = $0
    sub(/^[^"]*"/, "", line)
    sub(/".*/, "", line)
    slash = index(line, "/")
    to = slash ? substr(line, 1, slash - 1) : from  # a bare name is in the same folder
    includes++
    if (from == "modules") {
      bad = (to in rank)
    } else {
      bad = !(to in rank) || rank[to] > rank[from]
    }
    if (bad) {
      printf "%s:%d: %s must not include \"%s\"\n", path, FNR, from, line
      offenders++
    }
  }
  END {
    printf "layers: %d files, %d includes of our own, %d against the direction\n", \
           files, includes, offenders
    exit offenders > 0
  }
'
