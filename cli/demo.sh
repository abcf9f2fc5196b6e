#!/usr/bin/env bash
# Runs real pipelines on README.md: Markdown to a web page, the page to compressed text, and back.
# Every stage runs once as a process of its own, so that it can be timed; then each pipeline runs as
# one command, and its output must be the same, byte for byte. The page is BUILD_DIR/demo.html.
#
#   demo.sh BUILD_DIR          from the root of the checkout
#
# Assumes: BUILD_DIR/qip is built; bash and coreutils. Fails if anything differs.
set -euo pipefail

build=$1
qip=$build/qip
modules=modules
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bytes_of() { stat -c %s "$1"; }
now() { date +%s%N; }

# Nanoseconds since $1, as milliseconds with one decimal.
since() {
  local tenths=$((($(now) - $1) / 100000))
  printf '%d.%d ms' $((tenths / 10)) $((tenths % 10))
}

row() { printf '  %-32s %9s bytes   %10s\n' "$1" "$2" "$3"; }

stage() { # stage COMPONENT INPUT OUTPUT
  local start
  start=$(now)
  "$qip" run -i "$2" -o "$3" "$modules/$1.wasm"
  row "$(basename "$1")" "$(bytes_of "$3")" "$(since "$start")"
}

# One command with all its components. Prints it as it can be typed.
pipeline() { # pipeline INPUT OUTPUT COMPONENT...
  local input=$1 output=$2 start
  local -a files=("${@:3}")
  files=("${files[@]/#/$modules/}")
  files=("${files[@]/%/.wasm}")
  start=$(now)
  "$qip" run -i "$input" -o "$output" "${files[@]}"
  row "both in one command" "$(bytes_of "$output")" "$(since "$start")"
  printf '\n    %s run -i %s -o %s' "$qip" "$input" "$output"
  printf ' \\\n      %s' "${files[@]}"
  printf '\n\n'
}

must_equal() { # must_equal ONE OTHER
  cmp "$1" "$2" || { echo "demo: this must not differ" >&2; exit 1; }
}

markdown=text/markdown/markdown-basic
wrap=text/html/html-page-wrap
compress=bytes/zlib-compress-dynamic-huffman
encode=bytes/base64-encode
page=$build/demo.html
packed=$build/demo.txt

printf '\n%s: each component is a process of its own first, then both are one command\n' \
  "$("$qip" version)"

printf '\nMarkdown to a web page\n'
row README.md "$(bytes_of README.md)" ""
stage $markdown README.md "$work/fragment.html"
stage $wrap "$work/fragment.html" "$work/page.html"
pipeline README.md "$page" $markdown $wrap
must_equal "$work/page.html" "$page"

printf 'The page to compressed text\n'
stage $compress "$page" "$work/page.zlib"
stage $encode "$work/page.zlib" "$work/page.txt"
pipeline "$page" "$packed" $compress $encode
must_equal "$work/page.txt" "$packed"
printf '    %s...\n' "$(head -c 72 "$packed")"

printf '\nAnd back\n'
stage utf8/base64-decode "$packed" "$work/back.zlib"
stage bytes/zlib-decompress "$work/back.zlib" "$work/back.html"
must_equal "$work/back.html" "$page"
printf '    the same page, byte for byte\n'

cat <<END

$page is ready for a browser. Next, list its links:

    $qip run -i $page $modules/text/html/html-link-extractor.wasm

END
