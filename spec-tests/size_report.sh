#!/usr/bin/env bash
# Prints lines per folder and the stripped bytes of the programs against the written budget in
# spec-tests/size_budget.txt. Fails if a budget is exceeded.
#
#   size_report.sh PROFILE PROGRAM        from the root of the checkout
#
# Lines are those of the product: sources and tables (*.cpp *.hpp *.def), tests counted apart.
set -euo pipefail

profile=$1
program=$2
failed=0

count() { # count FOLDER test|product
  local pattern='.*\.\(cpp\|hpp\|def\)'
  if [ "$2" = test ]; then
    find "$1" -regex "$pattern" -name '*_test.cpp' -print0
  else
    find "$1" -regex "$pattern" ! -name '*_test.cpp' -print0
  fi | xargs -0 -r cat | wc -l
}

budget_of() { # budget_of KIND NAME
  awk -v kind="$1" -v name="$2" '$1 == kind && $2 == name { print $3 }' spec-tests/size_budget.txt
}

report() { # report LABEL VALUE BUDGET NOTE
  local verdict=ok
  if [ -z "$3" ]; then
    verdict="no budget"
  elif [ "$2" -gt "$3" ]; then
    verdict="OVER BUDGET"
    failed=1
  fi
  printf '%-18s %9d of %9s  %s%s\n' "$1" "$2" "${3:--}" "$verdict" "$4"
}

for folder in loader vm host cli; do
  tests=$(count "$folder" test)
  report "$folder lines" "$(count "$folder" product)" "$(budget_of lines "$folder")" \
    "  (and $tests of tests)"
done

longest=$(find loader vm host cli spec-tests bench \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
  xargs -0 wc -l | awk '$2 != "total"' | sort -rn | head -1)
read -r longest_lines longest_name <<<"$longest"
report "longest file" "$longest_lines" "$(budget_of lines any-file)" "  ($longest_name)"

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$program"
report "$(basename "$program") stripped" "$(stat -c %s "$stripped")" \
  "$(budget_of "bytes-$profile" "$(basename "$program")")" " bytes (PROFILE=$profile)"
exit "$failed"
