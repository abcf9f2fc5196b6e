// What a run with a cache needs besides the chain: the whole input in memory before the key is
// known, and the way from a chain's output to an entry.
//
// Bounded: an input larger than kMaxCachedInput is not cached; what was read of it then goes ahead
// of the rest.
#pragma once

#include <string>
#include <vector>

#include "host/pipeline.hpp"
#include "host/result_cache.hpp"

namespace qip {

inline constexpr uint64_t kMaxCachedInput = uint64_t{256} << 20;

// Reads up to `most` bytes of input.fd into `buffer`, which then holds input.bytes. True if that is
// all of it; input.fd is then -1. The error is complete.
Result<bool, HostError> read_ahead(PipelineInput& input, std::vector<uint8_t>& buffer,
                                   uint64_t most = kMaxCachedInput);

// Keeps the result of a chain. The error is a sentence; the result is no worse for it.
std::string keep_result(ResultCache& cache, const CacheSlot& slot, const std::string& printed,
                        const PipelineOutput& output);

}  // namespace qip
