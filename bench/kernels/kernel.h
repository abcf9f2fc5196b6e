// What every benchmark kernel shares: integer names and a small random-number generator.
//
// A kernel is one C file without a library that exports `int bench(int rounds)`. Each round depends
// on the result of the round before it and the returned checksum on every round, so no engine and
// no compiler can skip work. One round is sized to take 20 to 100 ms in a good interpreter.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;

// Source: Marsaglia, "Xorshift RNGs" (2003), the 32-bit generator with shifts 13, 17, 5.
// The state must not be zero and never becomes zero.
static inline u32 next_random(u32* state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  *state = x;
  return x;
}

// Folds one value into a checksum (the multiplier of the 32-bit FNV hash).
static inline u32 mix(u32 checksum, u32 value) {
  return (checksum ^ value) * 16777619u;
}

i32 bench(i32 rounds);
