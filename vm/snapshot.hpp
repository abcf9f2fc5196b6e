// InstanceSnapshot: the state of an instance at one moment, to put the instance back there.
//
// Promises: after restore() every memory, table and global of the instance, and what it knows of
// its segments, is as it was; funcrefs stay valid, because it is the same instance.
// Assumes: the instance imports nothing and nothing of it is running.
// Bounded: the bytes up to the last page of each memory that is not zero are copied; an instance
// with more than kMaxSnapshotBytes of memory is not captured.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vm/instance.hpp"

namespace qip {

inline constexpr uint64_t kMaxSnapshotBytes = uint64_t{64} << 20;

class InstanceSnapshot {
 public:
  // Null: the instance has too much memory. `instance` outlives the snapshot.
  static std::unique_ptr<InstanceSnapshot> take(Instance& instance);

  // False, and nothing is changed, if it cannot be done: a memory has grown since.
  [[nodiscard]] bool restore() const;

 private:
  explicit InstanceSnapshot(Instance& instance) : instance_(instance) {}
  struct MemoryState {
    uint64_t size = 0;           // of the memory
    std::vector<uint8_t> bytes;  // from its beginning; all behind them are zero
  };

  Instance& instance_;
  std::vector<MemoryState> memories_;
  std::vector<std::vector<uint64_t>> tables_;
  std::vector<Value> globals_;
  std::vector<bool> dropped_elements_;
  std::vector<bool> dropped_data_;
};

}  // namespace qip
