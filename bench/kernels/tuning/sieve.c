// Sieve of Eratosthenes over the odd numbers below about two million, a byte a number, then a count
// and sum of the primes. Measures: strided byte stores, byte loads and predictable branches.
#include "../kernel.h"

enum { kLimit = 2000000, kFlags = kLimit / 2 + 64, kPasses = 4 };

static u8 composite[kFlags];  // composite[i] speaks for 2 * i + 1

// Returns the checksum over all primes below 2 * flags.
static u32 sieve(u32 flags, u32 checksum) {
  u32 primes = 1;  // 2
  u32 sum = 2;
  for (u32 i = 0; i < flags; i++) composite[i] = 0;
  for (u32 i = 1; i < flags; i++) {
    if (composite[i]) continue;
    u32 prime = 2 * i + 1;
    primes++;
    sum += prime;
    if (prime > 1500) continue;  // its square is beyond the limit
    for (u32 multiple = (prime * prime) / 2; multiple < flags; multiple += prime) {
      composite[multiple] = 1;
    }
  }
  return mix(mix(checksum, primes), sum);
}

i32 bench(i32 rounds) {
  u32 checksum = 1;
  for (i32 round = 0; round < rounds; round++) {
    for (u32 pass = 0; pass < kPasses; pass++) {
      checksum = sieve(kLimit / 2 + (checksum & 63), checksum);
    }
  }
  return (i32)checksum;
}
