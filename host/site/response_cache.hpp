// ResponseCache: responses kept in memory by what they were made of, and digests of files kept by
// their metadata; so an unchanged file is neither read nor run again.
//
// Promises: a digest is believed only while the file's metadata is what it was, and only if every
// later edit must change it (is_settled()). Any number of threads.
// Bounded: responses take at most the given number of bytes, kResponseOverhead for each counted in,
// and the least recently used go first; 2 * kMostDigests digests, those that were not asked for
// lately go first, whatever becomes of their files.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "host/digest.hpp"
#include "host/site/folder.hpp"

namespace qip {

struct SiteResponse;
using SharedResponse = std::shared_ptr<const SiteResponse>;

// What keeping a response takes besides its body, about.
inline constexpr uint64_t kResponseOverhead = 512;
inline constexpr size_t kMostDigests = 50'000;

// The clock of files' times, in nanoseconds since 1970.
int64_t wall_clock_nanoseconds();
// True if an edit after `read_at`, which is before the stamp was read, changes the stamp. The times
// of files stand still for some milliseconds: two edits at one time leave one stamp.
bool is_settled(const FileStamp& stamp, int64_t read_at);

// Of a file's bytes.
struct SourceDigest {
  Xxh3Digest digest{};
  uint64_t size = 0;
  bool operator==(const SourceDigest&) const = default;
};

// Everything that decides a response.
struct ResponseKey {
  SourceDigest source;
  Xxh3Digest making{};  // what is made of the source
  bool operator==(const ResponseKey&) const = default;
};

class ResponseCache {
 public:
  explicit ResponseCache(uint64_t most_bytes) : most_bytes_(most_bytes) {}
  ResponseCache(const ResponseCache&) = delete;
  ResponseCache& operator=(const ResponseCache&) = delete;

  // Empty: the file must be read.
  std::optional<SourceDigest> find_source(const FileStamp& stamp);
  void keep_source(const FileStamp& stamp, const SourceDigest& source);

  // Null: it must be made.
  SharedResponse find(const ResponseKey& key);
  // Whatever does not fit is not kept.
  void keep(const ResponseKey& key, const SharedResponse& response);
  bool keeps_responses() const { return most_bytes_ > 0; }
  uint64_t held_bytes() const;

 private:
  struct KnownFile {
    FileStamp stamp;
    SourceDigest source;
  };
  struct FileHash {
    size_t operator()(const FileIdentity& file) const;
  };
  struct KeyHash {
    size_t operator()(const ResponseKey& key) const;
  };
  struct Kept {
    ResponseKey key;
    SharedResponse response;
    uint64_t bytes;
  };
  using Order = std::list<Kept>;
  using KnownFiles = std::unordered_map<FileIdentity, KnownFile, FileHash>;

  KnownFiles put_known(const FileIdentity& file, const KnownFile& known);

  const uint64_t most_bytes_;
  mutable std::mutex mutex_;  // of what follows
  // Digests that were asked for lately, and those from before that. When the first are many they
  // take the place of the second.
  KnownFiles recent_files_;
  KnownFiles earlier_files_;
  Order order_;  // most recently used first
  std::unordered_map<ResponseKey, Order::iterator, KeyHash> kept_;
  uint64_t held_bytes_ = 0;
};

}  // namespace qip
