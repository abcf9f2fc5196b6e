// Finds repetitions for DEFLATE: turns bytes into literals and matches of 3 to 258 bytes at most
// 32 KiB back, through chains of positions with equal hash and lazy matching (RFC 1951, section 4).
//
// Bounds: at most kMaxChain candidates are tried for a position, so time is linear in the input;
// the tables take 256 KiB.
#pragma once

#include "bytes/deflate.h"

enum {
  kHashBits = 15,
  kMaxChain = 128,
  kGoodLen = 8,     // with a match this long in hand, a quarter of the chain is tried
  kLazyLen = 32,    // with a match this long in hand, nothing better is looked for
  kNiceLen = 128,   // a match this long ends the search
  kFarAway = 4096,  // a match of 3 bytes from farther away costs more than its literals
};

// Positions are stored plus one; 0 is none. Entries of `earlier` that left the window are stale and
// recognised by their distance.
static uint32_t newest[1 << kHashBits];  // by hash: the last position that has it
static uint32_t earlier[kMaxDistance];   // by position mod 32 KiB: the one before it

typedef struct {
  uint32_t length, distance;
} Match;

typedef void (*LiteralSink)(uint8_t byte);
typedef void (*MatchSink)(uint32_t length, uint32_t distance);

// A hash of the three bytes at `at`; `left` >= 3 bytes may be read.
static inline uint32_t hash3(const uint8_t* at, uint32_t left) {
  const uint32_t three =
      left > 3 ? load32(at) << 8 : (uint32_t)(at[0] << 8 | at[1] << 16) | (uint32_t)at[2] << 24;
  return three * 0x9e3779b1u >> (32 - kHashBits);
}

static inline void insert_position(const uint8_t* bytes, uint32_t at, uint32_t len) {
  if (len - at < kMinMatch) return;
  uint32_t* head = &newest[hash3(bytes + at, len - at)];
  earlier[at % kMaxDistance] = *head;
  *head = at + 1;
}

// How many bytes at `one` and `other` are equal, up to `limit`.
static inline uint32_t common_len(const uint8_t* one, const uint8_t* other, uint32_t limit) {
  uint32_t len = 0;
  for (; len + 8 <= limit; len += 8) {
    const uint64_t difference = load64(one + len) ^ load64(other + len);
    if (difference != 0) return len + (uint32_t)__builtin_ctzll(difference) / 8;
  }
  while (len < limit && one[len] == other[len]) ++len;
  return len;
}

// The longest match at `at` that is longer than `in_hand`, or a length of 0. `at` is not inserted
// yet, so the entry of the position one whole window back is still there.
static Match find_match(const uint8_t* bytes, uint32_t at, uint32_t len, uint32_t in_hand) {
  Match best = {0, 0};
  const uint32_t limit = len - at < kMaxMatch ? len - at : kMaxMatch;
  if (limit < kMinMatch || in_hand >= limit) return best;
  const uint8_t* const here = bytes + at;
  uint32_t best_len = in_hand < kMinMatch - 1 ? kMinMatch - 1 : in_hand;
  uint32_t chain = in_hand >= kGoodLen ? kMaxChain / 4 : kMaxChain;
  const uint32_t oldest = at > kMaxDistance ? at - kMaxDistance : 0;
  for (uint32_t next = newest[hash3(here, len - at)]; next > oldest && chain > 0; --chain) {
    const uint8_t* const there = bytes + next - 1;
    // A better match has to agree in the byte that makes it longer.
    if (there[best_len] == here[best_len]) {
      const uint32_t found = common_len(here, there, limit);
      if (found > best_len) {
        best_len = found;
        best = (Match){found, at + 1 - next};
        if (found >= kNiceLen || found == limit) break;
      }
    }
    next = earlier[(next - 1) % kMaxDistance];
  }
  if (best.length == kMinMatch && best.distance > kFarAway) best.length = 0;
  return best;
}

// Hands the whole input to the sinks, in order.
__attribute__((always_inline)) static inline void find_matches(const uint8_t* bytes, uint32_t len,
                                                               LiteralSink literal,
                                                               MatchSink match) {
  static bool used;
  if (used) __builtin_memset(newest, 0, sizeof newest);
  used = true;

  Match waiting = {0, 0};   // the match that begins at the byte before `at`
  bool byte_waits = false;  // the byte before `at` is not handed on yet
  for (uint32_t at = 0; at < len;) {
    Match found = {0, 0};
    if (waiting.length < kLazyLen) found = find_match(bytes, at, len, waiting.length);
    if (waiting.length > 0 && found.length == 0) {
      match(waiting.length, waiting.distance);
      const uint32_t end = at - 1 + waiting.length;
      for (; at < end; ++at) insert_position(bytes, at, len);
      waiting.length = 0;
      byte_waits = false;
      continue;
    }
    if (byte_waits) literal(bytes[at - 1]);
    insert_position(bytes, at, len);
    waiting = found;
    byte_waits = true;
    ++at;
  }
  if (byte_waits) literal(bytes[len - 1]);
}
