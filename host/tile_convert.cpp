// Plain loops over channels that the compiler turns into vector code; this file is compiled for
// speed. memcpy() is the access to memory without alignment, and costs nothing. Where the C library
// knows that the processor has AVX2, whole blocks go through it: the same operations on the same
// numbers, and so the same bits.
#include "host/tile_convert.hpp"

#include <cstring>

#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>)
#include <immintrin.h>
#define _Bool bool  // the header is written for C
#include <sys/platform/x86.h>
#undef _Bool
#define QIP_AVX2 1
#endif

namespace qip {
namespace {

constexpr float kByteUnit = 1.0f / 255.0f;
static_assert(__builtin_bit_cast(uint32_t, kByteUnit) == 0x3B808081);

float load_float(const uint8_t* from) {
  float value;
  memcpy(&value, from, sizeof value);
  return value;
}

uint8_t byte_of(float value) {
  // In this order NaN fails the first comparison.
  const float positive = value > 0.0f ? value : 0.0f;
  const float unit = positive < 1.0f ? positive : 1.0f;
  return static_cast<uint8_t>(static_cast<int32_t>(unit * 255.0f + 0.5f));
}

void plain_to_floats(const uint8_t* __restrict bytes, uint8_t* __restrict floats, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float value = static_cast<float>(bytes[i]) * kByteUnit;
    memcpy(floats + i * sizeof value, &value, sizeof value);
  }
}

void plain_to_bytes(const uint8_t* __restrict floats, uint8_t* __restrict bytes, size_t count) {
  for (size_t i = 0; i < count; i++) bytes[i] = byte_of(load_float(floats + i * sizeof(float)));
}

#if defined(QIP_AVX2)

bool has_avx2() {
  return x86_cpu_active(x86_cpu_AVX2);
}

// 32 channels at a time. Both return how many they have converted.
constexpr size_t kBlock = 32;
constexpr size_t kVectors = 4;
constexpr size_t kLanes = 8;

[[gnu::target("avx2")]] size_t blocks_to_floats(const uint8_t* bytes, uint8_t* floats,
                                                size_t count) {
  const __m256 unit = _mm256_set1_ps(kByteUnit);
  size_t i = 0;
  for (; count - i >= kBlock; i += kBlock) {
    for (size_t j = i; j < i + kBlock; j += kLanes) {
      const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + j));
      const __m256 values = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(eight));
      _mm256_storeu_ps(reinterpret_cast<float*>(floats + j * sizeof(float)),
                       _mm256_mul_ps(values, unit));
    }
  }
  return i;
}

// One comparison is enough here: the conversion to integers gives the smallest one for NaN and for
// what does not fit, and narrowing makes 0 of everything below 0. min(one, value) is the second of
// the two where value is NaN.
[[gnu::target("avx2")]] size_t blocks_to_bytes(const uint8_t* floats, uint8_t* bytes,
                                               size_t count) {
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 scale = _mm256_set1_ps(255.0f);
  const __m256 half = _mm256_set1_ps(0.5f);
  // Narrowing works on each half of a vector by itself.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  size_t i = 0;
  for (; count - i >= kBlock; i += kBlock) {
    __m256i v[kVectors];
    for (size_t j = 0; j < kVectors; j++) {
      const __m256 value = _mm256_loadu_ps(
          reinterpret_cast<const float*>(floats + (i + j * kLanes) * sizeof(float)));
      const __m256 scaled = _mm256_mul_ps(_mm256_min_ps(one, value), scale);
      v[j] = _mm256_cvttps_epi32(_mm256_add_ps(scaled, half));
    }
    const __m256i packed =
        _mm256_packus_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes + i),
                        _mm256_permutevar8x32_epi32(packed, order));
  }
  return i;
}

#endif

}  // namespace

void pixels_to_floats(const uint8_t* bytes, uint8_t* floats, size_t pixels) {
  size_t done = 0;
#if defined(QIP_AVX2)
  if (has_avx2()) done = blocks_to_floats(bytes, floats, pixels * kChannels);
#endif
  plain_to_floats(bytes + done, floats + done * sizeof(float), pixels * kChannels - done);
}

void floats_to_pixels(const uint8_t* floats, uint8_t* bytes, size_t pixels) {
  size_t done = 0;
#if defined(QIP_AVX2)
  if (has_avx2()) done = blocks_to_bytes(floats, bytes, pixels * kChannels);
#endif
  plain_to_bytes(floats + done * sizeof(float), bytes + done, pixels * kChannels - done);
}

void repeat_float_pixel(const uint8_t* pixel, uint8_t* to, size_t pixels) {
  uint8_t copy[kPixelFloatBytes];
  memcpy(copy, pixel, sizeof copy);
  for (size_t i = 0; i < pixels; i++) memcpy(to + i * sizeof copy, copy, sizeof copy);
}

}  // namespace qip
