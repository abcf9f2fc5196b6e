#!/usr/bin/env bash
# Runs every test of one build and prints, as the last line, `N passed, N failed, N skipped`.
# Exit status 1 if anything failed, or if nothing ran.
#
#   run_tests.sh BUILD_DIR [MAKE]       from the root of the checkout
#
# Counted: each unit and system test, each assertion of the specification suites (text-format
# assertions and scripts out of scope as skipped), and each check of the house rules as one.
# Assumes: the programs in BUILD_DIR are up to date. MAKE is the make command that runs checks
# which are recipes; without it they are left out.
set -uo pipefail

build=$1
make=${2:-}
source_dir=$(cd "$(dirname "$0")" && pwd)
passed=0
failed=0
skipped=0

section() { printf '\n== %s\n' "$1"; }

# Adds the counts of one GoogleTest program; a crash counts as one failure more.
run_gtest() { # run_gtest NAME
  local report=$build/$1.json counts status
  section "$1"
  rm -f "$report"
  "$build/$1" --gtest_brief=1 --gtest_output="json:$report"
  status=$?
  if [ ! -f "$report" ]; then
    echo "$1 ended with status $status before it could report"
    failed=$((failed + 1))
    return
  fi
  # The first three numbers of the report are the totals; skipped tests are marked one by one.
  counts=$(awk '
    /^  "tests":/    { gsub(/[^0-9]/, ""); tests = $0 }
    /^  "failures":/ { gsub(/[^0-9]/, ""); failures = $0 }
    /^  "disabled":/ { gsub(/[^0-9]/, ""); disabled = $0 }
    /"result": "SKIPPED"/ { skipped++ }
    END { print tests - failures - disabled - skipped, failures + 0, disabled + skipped }
  ' "$report")
  read -r good bad left <<<"$counts"
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  echo "$1: $good passed, $bad failed, $left skipped"
  passed=$((passed + good))
  failed=$((failed + bad))
  skipped=$((skipped + left))
}

# Adds the totals that the specification runner prints, a line a set.
run_spec() { # run_spec [BUILD_DIR OF THE RUNNER]
  local runner_build=${1:-$build} good bad text out
  local output=$runner_build/spec.log
  section "specification suites${1:+ with $1}"
  bash "$source_dir/run_spec.sh" "$runner_build/spec_runner" "$build" 2>&1 | tee "$output"
  local status=${PIPESTATUS[0]} sets=0 failures=0
  while read -r good bad text out; do
    passed=$((passed + good))
    failures=$((failures + bad))
    skipped=$((skipped + text + out))
    sets=$((sets + 1))
  done < <(sed -n -E \
    's/^[^ ]+: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) text, ([0-9]+) out of scope$/\1 \2 \3 \4/p' \
    "$output")
  if [ "$failures" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$sets" -eq 0 ]; }; then failures=1; fi
  failed=$((failed + failures))
}

# One check that succeeds or fails as a whole.
run_check() { # run_check NAME COMMAND...
  local name=$1
  shift
  section "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    echo "$name: failed"
    failed=$((failed + 1))
  fi
}

export QIP=${QIP:-$build/qip}
for program in unit_tests system_tests; do run_gtest "$program"; done
run_spec
run_check layers bash "$source_dir/check_layers.sh"
if [ -n "$make" ]; then
  for target in ${CHECK_TARGETS-frames size modules-check}; do
    # shellcheck disable=SC2086  # MAKE may hold options
    run_check "$target" $make --no-print-directory "$target"
  done
fi

# The specification suites on the other configurations; each is a list of make variables.
if [ -n "$make" ] && [ -n "${CONFIGURATIONS:-}" ]; then
  while IFS= read -r variables; do
    [ -n "$variables" ] || continue
    section "build with $variables"
    # shellcheck disable=SC2086  # variables are several words
    other=$($make -s --no-print-directory $variables print-build)
    # shellcheck disable=SC2086
    if $make --no-print-directory -j"$(nproc)" $variables "$other/spec_runner" | grep -v '^  '; then :; fi
    if [ -x "$other/spec_runner" ]; then
      run_spec "$other"
    else
      echo "$variables: does not build"
      failed=$((failed + 1))
    fi
  done <<<"$CONFIGURATIONS"
fi

section "total"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
