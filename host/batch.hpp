// run_batch(): one chain over many input files, on several threads.
//
// Promises: each file gets fresh instances, so results depend on the file alone, never on the
// number of threads or the order; a file that fails does not stop the others; an output file
// appears whole or not at all. Memory depends on the number of threads, not of files, apart from
// the failures that are remembered (at most kMaxRememberedFailures, those of the first files).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "host/chain.hpp"
#include "host/error.hpp"
#include "host/files.hpp"
#include "host/limits.hpp"
#include "host/result_cache.hpp"

namespace qip {

inline constexpr size_t kMaxRememberedFailures = 1'000;

struct BatchJob {
  std::span<const Stage> stages;  // check_chain() found nothing
  RunLimits limits;
  std::span<const char* const> files;
  const OutputFolder* folder = nullptr;
  std::string extension;  // replaces that of the input's name, with the dot; empty: keep it
  unsigned threads = 1;
  ResultCache* cache = nullptr;             // or null
  const ChainDigest* digest = nullptr;      // with a cache
  const std::atomic<bool>* stop = nullptr;  // set: files that have not begun are left alone
  // Called now and then by one thread at a time; null: nobody watches.
  void (*on_progress)(uint64_t done, uint64_t failed) = nullptr;
};

struct BatchReport {
  uint64_t done = 0;  // succeeded or failed
  uint64_t failed = 0;
  uint64_t cache_hits = 0;
  std::map<size_t, std::string> failures;  // by the file's index: a sentence
};

// The name of the output of `input` in the output folder.
std::string batch_output_name(const BatchJob& job, std::string_view input);

// Two files whose outputs would have one name: a sentence. Empty: there are none.
std::string find_name_clash(const BatchJob& job);

// An input that the output of another one would replace, so that results depended on the order: a
// sentence. Empty: there is none.
std::string find_replaced_input(const BatchJob& job);

BatchReport run_batch(const BatchJob& job);

}  // namespace qip
