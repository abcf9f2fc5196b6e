// Products of square f64 matrices, computed block by block so that three blocks stay in the cache.
// Measures: five nested loops, f64 loads and stores with computed row addresses, multiply-add.
#include "../kernel.h"

enum { kSize = 120, kBlock = 24, kProducts = 3 };

typedef double Matrix[kSize][kSize];
static Matrix left, right, product;

static double random_unit(u32* random) {  // in [-1, 1)
  return (double)(i32)next_random(random) / 2147483648.0;
}

static void multiply_block(u32 row, u32 inner, u32 column) {
  for (u32 i = row; i < row + kBlock; i++) {
    for (u32 k = inner; k < inner + kBlock; k++) {
      double factor = left[i][k];
      for (u32 j = column; j < column + kBlock; j++) product[i][j] += factor * right[k][j];
    }
  }
}

static void multiply(void) {
  for (u32 i = 0; i < kSize; i++) {
    for (u32 j = 0; j < kSize; j++) product[i][j] = 0;
  }
  for (u32 row = 0; row < kSize; row += kBlock) {
    for (u32 inner = 0; inner < kSize; inner += kBlock) {
      for (u32 column = 0; column < kSize; column += kBlock) multiply_block(row, inner, column);
    }
  }
}

// The checksum covers the bits of every element; the fractions of the product are the next left
// matrix, so values stay within (-1, 1) and every product matters to those after it.
static u32 take_product(u32 checksum) {
  for (u32 i = 0; i < kSize; i++) {
    for (u32 j = 0; j < kSize; j++) {
      union {
        double number;
        u64 bits;
      } element = {product[i][j]};
      checksum = mix(checksum, (u32)(element.bits ^ element.bits >> 32));
      left[i][j] = element.number - (double)(i32)element.number;
    }
  }
  return checksum;
}

i32 bench(i32 rounds) {
  u32 random = 0x6D2B79F5u;
  u32 checksum = 0;
  for (u32 i = 0; i < kSize; i++) {
    for (u32 j = 0; j < kSize; j++) {
      left[i][j] = random_unit(&random);
      right[i][j] = random_unit(&random);
    }
  }
  for (i32 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < kProducts; i++) {
      multiply();
      checksum = take_product(checksum);
    }
    right[checksum % kSize][checksum / kSize % kSize] = random_unit(&random);
  }
  return (i32)checksum;
}
