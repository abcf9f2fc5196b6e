#!/usr/bin/env bash
# Fetches the official test suite of WebAssembly 2.0 at a pinned commit and converts it with wabt's
# wast2json, into a folder that run_spec.sh takes as SPECTESTS.
#
#   fetch.sh OUT_DIR               clone, then convert into OUT_DIR/wasm-2.0
#   fetch.sh OUT_DIR WAST_DIR      convert the *.wast of a local folder instead
#
# The commit is the last one that wabt 1.0.32 reads completely. Exit status 1 if a script does not
# convert.
set -euo pipefail

repository=https://github.com/WebAssembly/testsuite
commit=3a04b2cf93bd8fce277458d419eea8d9c326345c

out=$1/wasm-2.0
scripts=${2:-}
rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)

if [ -z "$scripts" ]; then
  scripts=$1/testsuite
  if ! git -C "$scripts" cat-file -e "$commit^{commit}" 2>/dev/null; then
    rm -rf "$scripts"
    git init -q "$scripts"
    git -C "$scripts" fetch -q --depth 1 "$repository" "$commit"
  fi
  git -C "$scripts" checkout -q "$commit"
fi

failed=0
converted=0
cd "$scripts"
for script in *.wast; do
  name=${script%.wast}
  if wast2json "$script" -o "$out/$name.json"; then
    converted=$((converted + 1))
  else
    echo "$script: does not convert" >&2
    rm -f "$out/$name.json"
    failed=1
  fi
done

# Every script of this commit needs 2.0 only, so the manifest only tells scalar from vector.
{
  echo "{"
  separator=
  for json in "$out"/*.json; do
    name=$(basename "$json")
    [ "$name" = MANIFEST.json ] && continue
    features='"core"'
    case $name in simd_*) features='"core", "simd"' ;; esac
    printf '%s "%s": {"features": [%s]}' "$separator" "$name" "$features"
    separator=$',\n'
  done
  echo
  echo "}"
} >"$out/MANIFEST.json.new"
mv "$out/MANIFEST.json.new" "$out/MANIFEST.json"

echo "$converted scripts converted into $out"
echo "run them: make spec SPECTESTS=$(dirname "$out")"
exit "$failed"
