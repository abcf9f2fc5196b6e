// Responder: what a site answers, made by running its chain, or remembered.
//
// Promises: a response is a function of the source's bytes, the chain's, the forms' and the mode,
// and of nothing else; each is made in fresh instances under the site's limits; a response that was
// made is remembered by content, and an unchanged file is recognised by its metadata, so a repeated
// request reads and runs nothing. An error is never remembered.
// Bounded: remembered bodies take at most the given number of bytes, least recently used go first.
// Any number of threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "host/files.hpp"
#include "host/site/site.hpp"

namespace qip {

inline constexpr uint64_t kDefaultResponseCacheBytes = uint64_t{64} << 20;
// A file that goes through no chain and is larger than this is sent from the file.
inline constexpr uint64_t kMostHeldBytes = uint64_t{1} << 20;
// A source that goes through a chain, or is a page, may be this large.
inline constexpr uint64_t kMostSourceBytes = uint64_t{256} << 20;
// A component of a chain may put out so much, unless the site's limits say otherwise.
inline constexpr uint64_t kMostOutputBytes = uint64_t{64} << 20;

struct SiteResponse {
  int status = 200;          // 200 or 500
  std::string content_type;  // never empty
  std::string etag;          // with its quotes; empty: none
  std::vector<uint8_t> body;
  // Instead of `body`: a file of `file_size` bytes, opened for this response.
  std::optional<FileDescriptor> file;
  uint64_t file_size = 0;
  uint8_t elements = 0;  // PageElement kinds that the page uses

  uint64_t size() const { return file ? file_size : body.size(); }
};
using SharedResponse = std::shared_ptr<const SiteResponse>;

// What making a response took, for logs.
struct ResponseTrace {
  std::chrono::nanoseconds instantiation{0};
  // One for each component that ran; tile components that follow each other count as one.
  std::vector<std::chrono::nanoseconds> modules;
  std::optional<HostError> error;  // why the status is 500
};

class Responder {
 public:
  explicit Responder(uint64_t cache_bytes = kDefaultResponseCacheBytes);
  ~Responder();
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  // The remembered response, if the file has not changed since: one system call. Null: make() it.
  SharedResponse find(const Site& site, const Route& route);
  // Reads the source, runs the chain, injects scripts. Never null. `pool` is the calling thread's,
  // or null.
  SharedResponse make(const Site& site, const Route& route, ResponseTrace& trace,
                      MemoryPool* pool = nullptr);
  // Bytes that remembered responses take: bodies, and kResponseOverhead for each.
  uint64_t held_bytes() const;

 private:
  Result<SharedResponse, std::string> make_large(const Site& site, const Route& route);

  struct State;
  std::unique_ptr<State> state_;
};

// The response to an error: in development mode a page with title `qip dev error`, a <pre> with an
// RFC 3339 time stamp and the message, escaped, and the guest's call stack; else plain text that
// says nothing.
SiteResponse error_response(const HostError& error, SiteMode mode,
                            std::chrono::system_clock::time_point now);

// True if an If-None-Match header names `etag`: a list, weak tags and `*` count (RFC 9110, 13.1.2).
// A header that is not well-formed matches nothing.
bool none_match_names(std::string_view header, std::string_view etag);

}  // namespace qip
