// ResultCache: outputs kept by content, in a folder that any number of processes share.
//
// Promises: an entry is found by XXH3-128 over everything that decides the result, and is used only
// if it is undamaged and carries the SHA-256 and length of the same input and the SHA-256 of the
// same chain: so not even a collision gives a wrong result. An entry appears whole or not at all;
// what a killed writer leaves behind is removed by the next one. A damaged entry counts as absent
// and is replaced. A folder that cannot be opened or made is an error; one that cannot be written
// to is a warning for -v, never a failure. Bounded: with a maximum, the least recently used entries
// go first (an entry's time of modification is the time of its last use). The maximum holds at
// every moment for one process; each further one that writes at the same time may exceed it by a
// tenth, or by one entry. Assumes: who may write into the folder is trusted with the results; the
// content type of the input is unspecified, as `qip run` has it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/content_type.hpp"
#include "host/contract.hpp"
#include "host/digest.hpp"
#include "host/error.hpp"
#include "host/limits.hpp"
#include "host/uniforms.hpp"
#include "loader/result.hpp"

namespace qip {

// Nothing larger is kept, or believed when it is found: an entry is read into memory.
inline constexpr uint64_t kMaxCacheEntryBytes = uint64_t{1} << 30;

// Everything besides the input that decides a result: engine version, components in their order,
// uniforms, and the limits other than time.
class ChainDigest {
 public:
  explicit ChainDigest(const RunLimits& limits);
  ~ChainDigest();
  ChainDigest(const ChainDigest&) = delete;
  ChainDigest& operator=(const ChainDigest&) = delete;

  void add_component(std::span<const uint8_t> module_bytes, const Uniforms& uniforms);

 private:
  friend class ResultCache;
  struct State;  // XXH3-128 and SHA-256 of one and the same stream
  std::unique_ptr<State> state_;
};

struct CachedResult {
  std::string printed;  // the `Ran:` lines, in order
  bool has_output = false;
  uint32_t result = 0;  // what the last component returned
  Encoding encoding = Encoding::Raw;
  ContentType content_type;
  std::vector<uint8_t> output;
};

// Where the result for one input lives, and what proves it.
struct CacheSlot {
  Xxh3Digest key;
  Sha256Digest chain_sha256;
  Sha256Digest input_sha256;
  uint64_t input_length;
};

class ResultCache {
 public:
  // Makes the folder if it is not there. `max_bytes`: of all entries together, or no limit. Errors
  // and sentences begin with `cache <folder>: `.
  static Result<std::unique_ptr<ResultCache>, HostError> open(std::string folder,
                                                              std::optional<uint64_t> max_bytes);
  ~ResultCache();
  ResultCache(const ResultCache&) = delete;
  ResultCache& operator=(const ResultCache&) = delete;

  // May be called by several threads at once, like everything below.
  static CacheSlot slot_of(const ChainDigest& chain, std::span<const uint8_t> input);

  // The result, and the entry counts as used now. Empty: a miss.
  std::optional<CachedResult> find(const CacheSlot& slot);
  // The error is a sentence about why it was not kept; empty: kept, or too large for the maximum or
  // for kMaxCacheEntryBytes.
  std::string store(const CacheSlot& slot, const std::string& printed, bool has_output,
                    uint32_t result, Encoding encoding, const ContentType& content_type,
                    std::span<const uint8_t> output);

 private:
  ResultCache(std::string folder, std::optional<uint64_t> max_bytes);
  struct Contents;  // host/result_cache.cpp
  std::unique_ptr<Contents> contents_;
};

}  // namespace qip
