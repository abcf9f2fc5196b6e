// Memory is most of a snapshot. Looking for its last byte that is not zero reads pages that nobody
// has touched, which costs a page of zeros that all of them share; clearing gives a long tail back
// to the system.
#include "vm/snapshot.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace qip {
namespace {

// Of the search; a power of two. A tail shorter than kClearedInPlace is cheaper to overwrite than
// to fetch anew from the system.
constexpr uint64_t kBlockBytes = 4096;
constexpr uint64_t kClearedInPlace = uint64_t{1} << 20;

bool is_zero(const uint8_t* block) {
  return block[0] == 0 && memcmp(block, block + 1, kBlockBytes - 1) == 0;
}

// Bytes up to the last block that is not zero. Memory sizes are multiples of the block.
uint64_t used_bytes(const LinearMemory& memory) {
  uint64_t used = memory.size();
  while (used > 0 && is_zero(memory.base() + used - kBlockBytes)) used -= kBlockBytes;
  return used;
}

void clear(uint8_t* from, uint64_t bytes) {
  if (bytes > kClearedInPlace) {
    const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const uint64_t skipped = (page - reinterpret_cast<uintptr_t>(from) % page) % page;
    const uint64_t whole = (bytes - skipped) / page * page;
    if (madvise(from + skipped, whole, MADV_DONTNEED) == 0) {
      memset(from, 0, skipped);
      from += skipped + whole;
      bytes -= skipped + whole;
    }
  }
  memset(from, 0, bytes);
}

}  // namespace

std::unique_ptr<InstanceSnapshot> InstanceSnapshot::take(Instance& instance) {
  uint64_t total = 0;
  for (const LinearMemory* memory : instance.memories) total += memory->size();
  if (total > kMaxSnapshotBytes) return nullptr;
  std::unique_ptr<InstanceSnapshot> snapshot(new InstanceSnapshot(instance));
  for (const LinearMemory* memory : instance.memories) {
    const uint8_t* base = memory->base();
    snapshot->memories_.push_back({memory->size(), {base, base + used_bytes(*memory)}});
  }
  for (const TableInstance* table : instance.tables) snapshot->tables_.push_back(table->elements);
  for (const GlobalInstance* global : instance.globals) snapshot->globals_.push_back(global->value);
  snapshot->dropped_elements_ = instance.dropped_elements;
  snapshot->dropped_data_ = instance.dropped_data;
  return snapshot;
}

bool InstanceSnapshot::restore() const {
  for (size_t i = 0; i < memories_.size(); i++) {
    if (instance_.memories[i]->size() != memories_[i].size) return false;
  }
  for (size_t i = 0; i < memories_.size(); i++) {
    uint8_t* base = instance_.memories[i]->base();
    const std::vector<uint8_t>& bytes = memories_[i].bytes;
    std::copy(bytes.begin(), bytes.end(), base);
    clear(base + bytes.size(), memories_[i].size - bytes.size());
  }
  for (size_t i = 0; i < tables_.size(); i++) instance_.tables[i]->elements = tables_[i];
  for (size_t i = 0; i < globals_.size(); i++) instance_.globals[i]->value = globals_[i];
  instance_.dropped_elements = dropped_elements_;
  instance_.dropped_data = dropped_data_;
  return true;
}

}  // namespace qip
