// Fibonacci numbers by the doubly recursive definition. Measures: calls and returns.
#include "../kernel.h"

static u32 fib(u32 n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

i32 bench(i32 rounds) {
  u32 checksum = 0;
  for (i32 round = 0; round < rounds; round++) {
    checksum = mix(checksum, fib(30 + (checksum >> 31)) + fib(30 - (checksum >> 31)));
  }
  return (i32)checksum;
}
