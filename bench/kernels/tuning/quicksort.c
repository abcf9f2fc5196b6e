// Quicksort of random 32-bit integers: median of three, recursion into the smaller part, insertion
// sort for short runs. Measures: compares whose branches cannot be predicted, loads and swaps.
#include "../kernel.h"

enum { kCount = 200000, kShortRun = 12 };

static i32 values[kCount];

static void insertion_sort(i32* first, i32* last) {
  for (i32* next = first + 1; next <= last; next++) {
    i32 value = *next;
    i32* hole = next;
    while (hole > first && hole[-1] > value) {
      *hole = hole[-1];
      hole--;
    }
    *hole = value;
  }
}

static void exchange(i32* a, i32* b) {
  i32 old = *a;
  *a = *b;
  *b = old;
}

// Sorts [first, last]. Recursion depth is at most log2(kCount): only the smaller part recurses.
static void quicksort(i32* first, i32* last) {
  while (last - first >= kShortRun) {
    i32* middle = first + (last - first) / 2;
    if (*middle < *first) exchange(middle, first);
    if (*last < *first) exchange(last, first);
    if (*last < *middle) exchange(last, middle);
    i32 pivot = *middle;
    i32* left = first;
    i32* right = last;
    while (left <= right) {
      while (*left < pivot) left++;
      while (pivot < *right) right--;
      if (left <= right) exchange(left++, right--);
    }
    if (right - first < last - left) {
      quicksort(first, right);
      first = left;
    } else {
      quicksort(left, last);
      last = right;
    }
  }
  insertion_sort(first, last);
}

i32 bench(i32 rounds) {
  u32 random = 0x9E3779B9u;
  u32 checksum = 0;
  for (i32 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < kCount; i++) values[i] = (i32)next_random(&random);
    quicksort(values, values + kCount - 1);
    for (u32 i = 1; i < kCount; i++) {
      if (values[i - 1] > values[i]) return -1;  // not sorted
    }
    for (u32 i = 0; i < kCount; i += 97) checksum = mix(checksum, (u32)values[i]);
    random ^= checksum & 0xFFFF;
    if (random == 0) random = 1;
  }
  return (i32)checksum;
}
