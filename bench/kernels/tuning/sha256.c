// SHA-256 of 64 KiB of random bytes, several times a round.
// Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5.3.3 and 6.2.
// Measures: rotates, xors and adds over many live locals.
#include "../kernel.h"

enum { kBlockBytes = 64, kBlocks = 1024, kPasses = 10 };

static const u32 kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const u32 kInitialState[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static u8 message[kBlockBytes * kBlocks];
static u32 state[8];

static inline u32 rotate_right(u32 x, u32 count) {
  return (x >> count) | (x << (32 - count));
}

static void compress(const u8* block) {
  u32 w[64];
  for (int t = 0; t < 16; t++) {
    const u8* p = block + 4 * t;
    w[t] = (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
  }
  for (int t = 16; t < 64; t++) {
    u32 s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ (w[t - 15] >> 3);
    u32 s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ (w[t - 2] >> 10);
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  u32 a = state[0], b = state[1], c = state[2], d = state[3];
  u32 e = state[4], f = state[5], g = state[6], h = state[7];
  for (int t = 0; t < 64; t++) {
    u32 sum1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    u32 choose = (e & f) ^ (~e & g);
    u32 temporary1 = h + sum1 + choose + kRoundConstants[t] + w[t];
    u32 sum0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    u32 majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + temporary1;
    d = c;
    c = b;
    b = a;
    a = temporary1 + sum0 + majority;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

// The message is a whole number of blocks, so the padding is one constant block.
static void sha256(void) {
  u8 padding[kBlockBytes];
  u64 bits = (u64)sizeof message * 8;
  for (int i = 0; i < 56; i++) padding[i] = i == 0 ? 0x80 : 0;
  for (int i = 0; i < 8; i++) padding[56 + i] = (u8)(bits >> (56 - 8 * i));
  for (int i = 0; i < 8; i++) state[i] = kInitialState[i];
  for (u32 block = 0; block < kBlocks; block++) compress(message + block * kBlockBytes);
  compress(padding);
}

i32 bench(i32 rounds) {
  u32 random = 0x6C078965u;
  for (u32 i = 0; i < sizeof message; i++) message[i] = (u8)(next_random(&random) >> 24);
  for (i32 round = 0; round < rounds; round++) {
    for (u32 pass = 0; pass < kPasses; pass++) {
      sha256();
      for (u32 i = 0; i < 8; i++) message[4096 * i + pass] ^= (u8)state[i];
    }
  }
  return (i32)(state[0] ^ state[7]);
}
