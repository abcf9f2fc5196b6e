// EventStreams: the open pages that want to be told when to reload (server-sent events).
//
// Promises: a stream begins with an event `state`, whose data are another text after every reload
// and after every start of the server; an event `reload` follows whenever there is something new.
// A stream that has nothing to say is suspended and costs nothing but its connection; a comment
// every kHeartbeat finds out pages that are gone, and so does the end of what they send.
// Bounds: kMostStreams.
// Source: the HTML standard, section 9.2 (server-sent events).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "cli/dev/connections.hpp"

struct MHD_Response;

namespace qip {

inline constexpr size_t kMostStreams = 64;
inline constexpr std::chrono::seconds kHeartbeat{15};

class EventStreams {
 public:
  EventStreams();
  EventStreams(const EventStreams&) = delete;
  EventStreams& operator=(const EventStreams&) = delete;

  // The body of a new stream on this connection; null: there are too many.
  MHD_Response* open(Connection& connection);

  // Every page is told to reload.
  void send_reload();
  // Heartbeats that are due; ends streams whose page is gone. False: there is no stream.
  bool watch();
  // Ends all of them, and those to come.
  void end();

 private:
  struct Stream {
    EventStreams* owner;
    Connection* connection = nullptr;  // null: free
    bool is_new = true;                // nothing was sent
    bool is_waiting = false;           // suspended
    bool has_reload = false;
    bool has_heartbeat = false;
    bool is_over = false;
    std::chrono::steady_clock::time_point last{};  // when something was sent
  };

  static ssize_t read(void* stream, uint64_t position, char* buffer, size_t most);
  static void close(void* stream);
  ssize_t read(Stream& stream, char* buffer, size_t most);
  void wake(Stream& stream);

  std::string begin_text() const;

  std::mutex mutex_;     // of what follows
  const int64_t start_;  // nanoseconds since 1970
  uint64_t reloads_ = 0;
  std::array<Stream, kMostStreams> streams_{};
  bool is_over_ = false;
};

}  // namespace qip
