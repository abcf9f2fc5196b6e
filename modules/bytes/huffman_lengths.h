// Optimal Huffman code lengths under a limit, by the package-merge algorithm (Larmore and
// Hirschberg, "A Fast Algorithm for Optimal Length-Limited Huffman Codes", J. ACM 37(3), 1990).
//
// The lists are built from the longest codes to the shortest: each merges the symbols, by weight,
// with the pairs ("packages") of the list before. The first 2n-2 entries of the last list, opened
// up again level by level, say how often each symbol was chosen, which is its code length. Bounds:
// at most kMaxSymbols symbols, kMaxLevels bits, weights below 2^22 (a package's weight is at most
// 15 times their sum, and has to fit 32 bits).
#pragma once

#include "component.h"

enum { kMaxSymbols = 286, kMaxLevels = 15, kMaxList = 2 * kMaxSymbols };

// Sorts ascending (Shell's method; the lists are short).
static void sort_ascending(uint32_t* values, uint32_t count) {
  for (uint32_t gap = count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
    for (uint32_t i = gap; i < count; ++i) {
      const uint32_t value = values[i];
      uint32_t to = i;
      for (; to >= gap && values[to - gap] > value; to -= gap) values[to] = values[to - gap];
      values[to] = value;
    }
  }
}

// Sets lens[i] for all symbols: 0 where counts[i] is 0, else 1..limit. Some decoders accept no code
// of fewer than two symbols, so unused ones join until there are two.
static void choose_code_lens(const uint32_t* counts, uint32_t symbols, uint32_t limit,
                             uint8_t* lens) {
  static uint32_t leaves[kMaxSymbols];           // count << 9 | symbol, ascending
  static uint32_t weights[2][kMaxList];          // the list of this level and of the one before
  static uint8_t is_leaf[kMaxLevels][kMaxList];  // for each list: symbol or package
  uint32_t leaf_count = 0;
  for (uint32_t i = 0; i < symbols; ++i) {
    lens[i] = 0;
    if (counts[i] > 0) leaves[leaf_count++] = counts[i] << 9 | i;
  }
  for (uint32_t i = 0; leaf_count < 2; ++i)
    if (counts[i] == 0) leaves[leaf_count++] = i;
  sort_ascending(leaves, leaf_count);

  uint32_t list_len = 0;
  for (uint32_t level = 0; level < limit; ++level) {
    const uint32_t* const before = weights[(level + 1) % 2];
    uint32_t* const list = weights[level % 2];
    const uint32_t packages = level == 0 ? 0 : list_len / 2;
    uint32_t leaf = 0, package = 0;
    for (list_len = 0; leaf < leaf_count || package < packages; ++list_len) {
      const uint32_t pair =
          package < packages ? before[2 * package] + before[2 * package + 1] : UINT32_MAX;
      const bool take_leaf = leaf < leaf_count && (leaves[leaf] >> 9) <= pair;
      list[list_len] = take_leaf ? leaves[leaf] >> 9 : pair;
      is_leaf[level][list_len] = take_leaf;
      leaf += take_leaf;
      package += !take_leaf;
    }
  }

  // The chosen entries of a list are its first ones, so the chosen symbols are the lightest ones.
  uint32_t chosen = 2 * leaf_count - 2;
  for (uint32_t level = limit; level-- > 0 && chosen > 0;) {
    uint32_t chosen_leaves = 0;
    for (uint32_t i = 0; i < chosen; ++i) chosen_leaves += is_leaf[level][i];
    for (uint32_t i = 0; i < chosen_leaves; ++i) ++lens[leaves[i] & 511];
    chosen = 2 * (chosen - chosen_leaves);
  }
}
