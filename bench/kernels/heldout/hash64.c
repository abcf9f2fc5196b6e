// A hash table with 64-bit keys and linear probing: keys are counted, looked up and removed.
// Measures: i64 xor, shift, multiply, rotate and compare, and loads that miss the nearest cache.
#include "../kernel.h"

enum { kSlotBits = 15, kSlots = 1 << kSlotBits, kKeys = kSlots / 2, kPasses = 15 };

struct Slot {
  u64 key;  // 0: empty
  u64 count;
};
static struct Slot slots[kSlots];

// Source: Marsaglia, "Xorshift RNGs" (2003), the 64-bit generator with shifts 13, 7, 17.
static u64 next_random64(u64* state) {
  u64 x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  *state = x;
  return x;
}

// The multiplier is 2^64 divided by the golden ratio; the product's top bits are the best mixed.
static u32 home_of(u64 key) {
  key ^= key << 32 | key >> 32;
  return (u32)((key ^ 0xD6E8FEB86659FD93u) * 0x9E3779B97F4A7C15u >> (64 - kSlotBits));
}

// The slot of the key, or the empty slot where it belongs. At most kKeys slots are ever full, so
// the search ends.
static u32 find(u64 key) {
  u32 slot = home_of(key);
  while (slots[slot].key != 0 && slots[slot].key != key) slot = (slot + 1) % kSlots;
  return slot;
}

static void count_key(u64 key) {
  struct Slot* slot = &slots[find(key)];
  slot->key = key;
  slot->count = (slot->count << 7 | slot->count >> 57) + 1;
}

// Empties the key's slot and moves later keys of the run back, so that no search ends too early.
static void remove_key(u64 key) {
  u32 hole = find(key);
  if (slots[hole].key == 0) return;
  for (u32 next = (hole + 1) % kSlots; slots[next].key != 0; next = (next + 1) % kSlots) {
    u32 from_home = (next - home_of(slots[next].key)) % kSlots;
    if (from_home >= (next - hole) % kSlots) {
      slots[hole] = slots[next];
      hole = next;
    }
  }
  slots[hole].key = 0;
  slots[hole].count = 0;
}

i32 bench(i32 rounds) {
  u64 random = 0x853C49E6748FEA9Bu;
  u64 checksum = 0;
  for (u32 i = 0; i < kSlots; i++) slots[i] = (struct Slot){0, 0};
  for (i32 round = 0; round < rounds; round++) {
    for (u32 pass = 0; pass < kPasses; pass++) {
      u64 start = random;
      for (u32 i = 0; i < kKeys; i++) count_key(next_random64(&random));
      u64 again = start;
      for (u32 i = 0; i < kKeys; i++) {
        u64 key = next_random64(&again);
        if (key >> 63) count_key(key);
        checksum = (checksum ^ slots[find(key + (key & 1))].count) * 0x100000001B3u;
      }
      for (u32 i = 0; i < kKeys; i++) remove_key(next_random64(&start));
    }
    random ^= checksum & 0xFFFFFFFF;
    if (random == 0) random = 1;
  }
  return (i32)(u32)(checksum ^ checksum >> 32);
}
