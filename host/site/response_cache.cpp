// Two tables under one mutex, which is held for a few look-ups; what is dropped is freed behind it.
#include "host/site/response_cache.hpp"

#include <time.h>

#include <cstring>
#include <utility>

#include "host/site/response.hpp"

namespace qip {
namespace {

// Several times what kernels have.
constexpr int64_t kClockGranularity = 50'000'000;  // nanoseconds

FileIdentity identity_of(const FileStamp& stamp) {
  return {stamp.device, stamp.inode};
}

// A digest is as good as a random number.
uint64_t first_bytes(const Xxh3Digest& digest) {
  uint64_t number;
  memcpy(&number, digest.data(), sizeof number);
  return number;
}

}  // namespace

int64_t wall_clock_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool is_settled(const FileStamp& stamp, int64_t read_at) {
  return stamp.modified_nanoseconds < read_at - kClockGranularity &&
         stamp.changed_nanoseconds < read_at - kClockGranularity;
}

size_t ResponseCache::FileHash::operator()(const FileIdentity& file) const {
  return static_cast<size_t>((file.inode ^ file.device << 48) * 0x9E3779B97F4A7C15);
}

size_t ResponseCache::KeyHash::operator()(const ResponseKey& key) const {
  return static_cast<size_t>(first_bytes(key.source.digest) ^ first_bytes(key.making));
}

// --- Digests of files ----------------------------------------------------------------------------

std::optional<SourceDigest> ResponseCache::find_source(const FileStamp& stamp) {
  const FileIdentity file = identity_of(stamp);
  KnownFiles dropped;
  const std::lock_guard lock(mutex_);
  const auto recent = recent_files_.find(file);
  if (recent != recent_files_.end()) {
    if (recent->second.stamp != stamp) return std::nullopt;
    return recent->second.source;
  }
  const auto earlier = earlier_files_.find(file);
  if (earlier == earlier_files_.end()) return std::nullopt;
  const KnownFile known = earlier->second;
  earlier_files_.erase(earlier);
  if (known.stamp != stamp) return std::nullopt;
  dropped = put_known(file, known);
  return known.source;
}

void ResponseCache::keep_source(const FileStamp& stamp, const SourceDigest& source) {
  KnownFiles dropped;
  const std::lock_guard lock(mutex_);
  dropped = put_known(identity_of(stamp), {stamp, source});
}

// Under the mutex. Returns what is forgotten.
ResponseCache::KnownFiles ResponseCache::put_known(const FileIdentity& file,
                                                   const KnownFile& known) {
  KnownFiles dropped;
  if (recent_files_.size() >= kMostDigests) {
    dropped = std::exchange(earlier_files_, std::exchange(recent_files_, {}));
  }
  recent_files_[file] = known;
  return dropped;
}

// --- Responses -----------------------------------------------------------------------------------

SharedResponse ResponseCache::find(const ResponseKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(key);
  if (found == kept_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->response;
}

void ResponseCache::keep(const ResponseKey& key, const SharedResponse& response) {
  const uint64_t bytes = response->body.size() + kResponseOverhead;
  if (bytes > most_bytes_) return;
  Order dropped;
  const std::lock_guard lock(mutex_);
  if (kept_.contains(key)) return;
  while (held_bytes_ + bytes > most_bytes_) {
    const auto last = std::prev(order_.end());
    held_bytes_ -= last->bytes;
    kept_.erase(last->key);
    dropped.splice(dropped.end(), order_, last);
  }
  order_.push_front({key, response, bytes});
  kept_[key] = order_.begin();
  held_bytes_ += bytes;
}

uint64_t ResponseCache::held_bytes() const {
  const std::lock_guard lock(mutex_);
  return held_bytes_;
}

}  // namespace qip
