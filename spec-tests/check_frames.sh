#!/usr/bin/env bash
# Fails if a hot handler of the interpreter touches the machine stack: a push, pop, call, leave, or
# any operand with the stack pointer means that the compiler spilled, and costs every dispatch.
#
#   check_frames.sh FILE...      programs or object files, not stripped
#
# A hot handler is a function whose demangled name contains `hot_handler`. Fails as well if there
# are none: then the check would check nothing. Only x86-64 and aarch64 mnemonics are known.
set -euo pipefail

objdump=$(command -v llvm-objdump-19 || command -v objdump)
"$objdump" -d --no-show-raw-insn -C "$@" | awk '
  # A symbol line: `0000000000001234 <name>:`
  /^[0-9a-f]+ <.*>:$/ {
    name = $0
    sub(/^[0-9a-f]+ </, "", name)
    sub(/>:$/, "", name)
    hot = index(name, "hot_handler") > 0
    if (hot) { handlers++; reported = 0 }
    next
  }
  !hot || reported { next }
  {
    code = $0
    sub(/^[^:]*:[ \t]*/, "", code)  # the address
    sub(/[ \t]*[<#].*$/, "", code)  # symbol names and comments may hold any word
  }
  code ~ /^(push|pop|call|leave|enter)/ || code ~ /%[re]sp/ || code ~ /[ ,[](rsp|esp|sp)[],+ ]/ ||
  code ~ /^blr? / {
    printf "%s: %s\n", name, code
    offenders++
    reported = 1
  }
  END {
    printf "frames: %d hot handlers, %d touch the machine stack\n", handlers, offenders
    exit offenders > 0 || handlers == 0
  }
'
