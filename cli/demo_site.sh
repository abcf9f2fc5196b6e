#!/usr/bin/env bash
# Builds a small site, BUILD_DIR/demo-site, and serves it on port 4000 (PORT=n): the project's own
# documents, pictures, forms, an interactive page and an editor. Pages of the site's own are in
# modules/demo-site/; its pictures are drawn by components.
#
#   demo_site.sh BUILD_DIR            from the root of the checkout
#   demo_site.sh BUILD_DIR --build    builds the site only
#   demo_site.sh BUILD_DIR --check    serves it on a free port, fetches every path, follows every
#                                     link inside the site, and stops; fails unless all are 200
#
# Assumes: BUILD_DIR/qip and qip-dev are built; bash and coreutils; curl for --check.
set -euo pipefail

build=$1
action=${2:-serve}
qip=$build/qip
site=$build/demo-site
modules=modules
port=${PORT:-4000}
options=(--recipes "$site/recipes" --forms "$site/forms" --components "$site/components")

fail() { echo "demo-site: $1" >&2; exit 1; }

# --- Building ------------------------------------------------------------------------------------

# The component of a recipe: recipe TYPE/SUBTYPE NN COMPONENT
recipe() {
  install -D -m 644 "$modules/$3.wasm" "$site/recipes/$1/$2-$(basename "$3").wasm"
}

# What the components in $3... make of file $1, as the site's file $2.
draw() {
  local input=$1 output=$site/content/$2
  shift 2
  "$qip" run -i "$input" -o "$output" "$@"
}

draw_pictures() {
  local svg=$modules/image/svg+xml/svg-rasterize.wasm bmp=$modules/image/bmp
  draw $modules/demo-site/icon.svg favicon.ico "$svg" $bmp/bmp-to-ico.wasm
  draw <(echo "http://127.0.0.1:$port/") code.png $modules/text/uri-list/url-to-qr-svg.wasm "$svg" \
    $bmp/bmp-double.wasm $bmp/bmp-double.wasm $bmp/bmp-double.wasm $bmp/bmp-to-png.wasm
  draw <(first_sentence) banner.png $modules/utf8/text-to-bmp.wasm '?cols=44' $bmp/bmp-double.wasm \
    $modules/rgba/invert.wasm $modules/rgba/temperature.wasm '?temperature=1' $bmp/bmp-to-png.wasm
}

# Of README.md, in short lines with a margin.
first_sentence() {
  echo
  awk 'NF == 0 { if (text) exit; next } !/^#/ { text = text $0 " " }
    END { gsub(/\*/, "", text); sub(/\..*/, ".", text); print text }' README.md |
    fold -s -w 42 | sed 's/^/ /'
}

copy_documents() {
  local name
  for name in README.md modules/README.md spec-tests/README.md; do
    install -D -m 644 "$name" "$site/content/$name"
  done
  install -m 644 LICENSE "$site/content/LICENSE.txt"
  # A file without extension would be a download.
  sed -i 's|](LICENSE)|](LICENSE.txt)|' "$site/content/README.md"
}

build_site() {
  rm -rf "$site"
  mkdir -p "$site/content"
  copy_documents
  install -m 644 $modules/demo-site/{index,pictures}.md $modules/demo-site/{form,play,paint,edit}.html \
    $modules/demo-site/logo.svg "$site/content/"
  draw_pictures

  recipe text/markdown 10 text/markdown/markdown-basic
  recipe text/markdown 90 text/html/html-page-wrap
  recipe text/html 90 text/html/html-page-wrap
  recipe image/svg+xml 10 image/svg+xml/svg-rasterize
  recipe image/svg+xml 90 image/bmp/bmp-to-png
  install -D -m 644 -t "$site/forms" $modules/form/{email-message,ical-event-all-day}.wasm
  install -D -m 644 -t "$site/components" $modules/interactive/{snake,paint}.wasm \
    $modules/text/markdown/markdown-basic.wasm $modules/text/html/html-page-wrap.wasm
}

# --- Checking ------------------------------------------------------------------------------------

# Sets `address` once the server, whose log is $1, says where it listens.
wait_for_address() {
  for _ in {1..200}; do
    address=$(sed -n 's|.*listening on \(http://[^ ]*\).*|\1|p' "$1" | head -n 1)
    [ -z "$address" ] || return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
  done
  cat "$1" >&2
  fail "the server did not start"
}

# Prints a line about the path $1, whose body becomes file $2. Fails unless it is 200.
fetch() {
  local answer
  answer=$(curl -s --max-time 20 -o "$2" -w '%{http_code}\t%{content_type}\t%{size_download}' "$address$1") || true
  IFS=$'\t' read -r status type bytes <<< "$answer"
  printf '  %s  %-32s %9s bytes  %s\n' "$status" "$type" "$bytes" "$1"
  [ "$status" = 200 ]
}

# The paths inside the site that file $1, the page at path $2, links to, as the project's own
# component finds them.
links_of() {
  local folder=${2%/*} link
  "$qip" run -i "$1" $modules/text/html/html-link-extractor.wasm | while read -r link _; do
    link=${link%%#*}
    case $link in
      '' | *:* | //*) ;;
      /*) echo "$link" ;;
      *) echo "$folder/$link" ;;
    esac
  done
}

# The pictures of the page in file $1, and the scripts and forms that its script names.
embedded_in() {
  { grep -oE '(src="|"/_qip/)[^" ]+' "$1" || true; } | sed -E 's/^src="|^"//' | grep '^/' || true
}

check_site() {
  local path wrong=0
  work=$(mktemp -d)
  # In development a page also has the address of an endless answer.
  "$qip" dev "$site/content" "${options[@]}" --mode prod -p auto 2> "$work/log" &
  server=$!
  trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$work"' EXIT
  wait_for_address "$work/log"
  "$qip" route list "$site/content" "${options[@]}" |
    awk '$1 == "GET" { print $2 }' > "$work/paths"
  [ -s "$work/paths" ] || fail "no paths are listed"
  # What the list grows by are links and the scripts of pages.
  : > "$work/seen"
  while [ -s "$work/paths" ]; do
    : > "$work/found"
    while read -r path; do
      echo "$path" >> "$work/seen"
      fetch "$path" "$work/body" || wrong=$((wrong + 1))
      case $type in
        text/html*)
          links_of "$work/body" "$path" >> "$work/found"
          embedded_in "$work/body" >> "$work/found"
          ;;
      esac
    done < "$work/paths"
    sort -u "$work/found" | grep -vxFf "$work/seen" > "$work/paths" || true
  done
  echo "demo-site: $(wc -l < "$work/seen") paths, $wrong not 200"
  [ "$wrong" = 0 ]
}

# --- Serving -------------------------------------------------------------------------------------

serve_site() {
  cat <<END

Open http://127.0.0.1:$port/ in a browser: documents, pictures, a form, a game, an editor.
Edit $site/content/index.md meanwhile, and the page follows. Ctrl-C ends.

END
  exec "$qip" dev "$site/content" "${options[@]}" -p "$port"
}

[ -x "$qip" ] || fail "$qip is not built"
build_site
case $action in
  --build) echo "demo-site: $site is built" ;;
  --check) check_site ;;
  serve) serve_site ;;
  *) fail "unknown option $action" ;;
esac
