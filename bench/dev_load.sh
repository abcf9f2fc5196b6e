#!/usr/bin/env bash
# Measures qip-dev under load beside nginx and Node.js: see dev_load.mjs, which gets all arguments.
# Says what is missing, and then measures nothing and succeeds: no other target needs these programs.
set -euo pipefail

missing=""
for need in wrk:wrk nginx:nginx node:nodejs; do
  # Debian's nginx lies where only administrators look.
  PATH=$PATH:/usr/sbin command -v "${need%%:*}" > /dev/null || missing="$missing ${need##*:}"
done
if [ -n "$missing" ]; then
  echo "dev_load: nothing measured, these packages are missing: apt-get install$missing"
  exit 0
fi
PATH=$PATH:/usr/sbin exec node "$(dirname "$0")/dev_load.mjs" "$@"
