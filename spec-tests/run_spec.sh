#!/usr/bin/env bash
# Runs the specification suites and the scripts of spec-tests/own; prints failures, then one total
# line a set. Exit status 1 if anything failed.
#
#   run_spec.sh RUNNER BUILD_DIR
#
# SPECTESTS (default ../shared/spectests) is a folder with wasm-*.tar.xz archives, or with unpacked
# folders wasm-2.0/ and wasm-3.0/, or one folder of *.json scripts. Archives are unpacked into
# BUILD_DIR/unpacked once, and again when they change. Assumes: tar, xz, wabt's wast2json.
set -euo pipefail

runner=$1
build=$2
source_dir=$(cd "$(dirname "$0")" && pwd)
spectests=${SPECTESTS:-../shared/spectests}
unpacked=$build/unpacked
failed=0

# Nothing there and nothing asked for: fetch the suite, once.
if [ -z "${SPECTESTS:-}" ] && [ ! -d "$spectests" ]; then
  spectests=build/spectests
  [ -d "$spectests/wasm-2.0" ] || bash "$source_dir/fetch.sh" "$spectests"
fi

run_set() {  # run_set NAME FEATURES DIR
  "$runner" --set "$1" --features "$2" "$3" || failed=1
}

# wasm-2.0 is judged by the rules of 2.0; every later set by everything that the engine has.
features_of() {
  case $1 in
    wasm-2.0) echo 2.0 ;;
    *) echo everything ;;
  esac
}

# Prints the folder of set $1, unpacking its archive if it is newer than what was unpacked.
unpack() {
  local name=$1 archive=$spectests/$1.tar.xz
  if [ -f "$archive" ]; then
    if [ ! -f "$unpacked/$name.stamp" ] || [ "$archive" -nt "$unpacked/$name.stamp" ]; then
      rm -rf "${unpacked:?}/$name"
      mkdir -p "$unpacked"
      tar -xJf "$archive" -C "$unpacked"
      touch "$unpacked/$name.stamp"
    fi
    echo "$unpacked/$name"
  elif [ -d "$spectests/$name" ]; then
    echo "$spectests/$name"
  fi
}

# Converts each own script once; a script that does not convert is a failure.
convert_own() {
  local out=$1 script name
  mkdir -p "$out"
  for script in "$source_dir"/own/*.wast; do
    name=$(basename "$script" .wast)
    if [ "$out/$name.json" -nt "$script" ]; then continue; fi
    rm -f "$out/$name".*
    if ! (cd "$source_dir/own" && wast2json "$name.wast" -o "$out/$name.json"); then
      rm -f "$out/$name.json"
      echo "own/$name.wast: does not convert"
      failed=1
    fi
  done
  # A script that was removed must not run on.
  for script in "$out"/*.json; do
    name=$(basename "$script" .json)
    [ -f "$source_dir/own/$name.wast" ] || rm -f "$out/$name".*
  done
}

mkdir -p "$build"
build=$(cd "$build" && pwd)
unpacked=$build/unpacked

convert_own "$build/spec-own"
run_set own everything "$build/spec-own"

if compgen -G "$spectests/*.json" >/dev/null; then
  name=$(basename "$(cd "$spectests" && pwd)")
  run_set "$name" "$(features_of "$name")" "$spectests"
else
  found=0
  for name in wasm-2.0 wasm-3.0; do
    dir=$(unpack "$name")
    if [ -n "$dir" ]; then
      found=1
      run_set "$name" "$(features_of "$name")" "$dir"
    fi
  done
  if [ "$found" = 0 ]; then
    echo "no specification suite in $spectests: set SPECTESTS, or run 'make spec-fetch'" >&2
    exit 1
  fi
fi
exit "$failed"
