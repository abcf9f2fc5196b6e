// Connections: every open connection with the moment by which something must have happened on it,
// and the requests of each, one at a time.
//
// Promises: a client that is too slow (with its request's head, or in taking the response) is cut
// off; a connection that is closed while the client still sends is drained for a moment, so that
// the client gets to see the response. No thread waits for a client.
// Bounds: the HTTP library's number of connections; kMostLingering.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cli/dev/waiters.hpp"
#include "host/files.hpp"

struct MHD_Connection;

namespace qip {

inline constexpr std::chrono::seconds kHeadTime{10};      // for a request's head
inline constexpr std::chrono::seconds kIdleTime{30};      // between requests
inline constexpr std::chrono::seconds kResponseTime{30};  // for a response, and then
inline constexpr uint64_t kSlowestBytesPerSecond = 8 * 1024;
inline constexpr std::chrono::seconds kLingerTime{2};
inline constexpr size_t kMostLingering = 64;

class Server;

// What a request has come to.
enum class RequestStep : uint8_t {
  None,      // between requests
  Begun,     // its line is there
  Clear,     // its head is, and says one thing only
  Fresh,     // the site is as new as the request: it can be answered
  Made,      // `made` is its response
  Answered,  // and on its way
};

class Connection final : public ResponseWaiter, public FreshnessWaiter {
 public:
  Connection(Server& server, MHD_Connection* handle, int socket)
      : server_(server), handle_(handle), socket_(socket) {}

  MHD_Connection* handle() const { return handle_; }
  int socket() const { return socket_; }

  void set_deadline(std::chrono::nanoseconds from_now);
  void clear_deadline() { deadline_.store(kNever, std::memory_order_relaxed); }
  // What is left to send may take so long.
  void set_response_deadline(uint64_t bytes);
  bool is_late(int64_t now) const { return deadline_.load(std::memory_order_relaxed) < now; }

  void on_response(std::shared_ptr<const MadeResponse> made) override;
  void on_fresh() override;

  // Of the request:
  RequestStep step = RequestStep::None;
  std::chrono::steady_clock::time_point begun{};
  std::string method;
  const char* method_text = nullptr;  // where the library has it
  std::string target;                 // raw
  std::string_view target_text;       // where the library has it; it may be changed by now
  bool is_misdirected = false;        // meant for another host
  std::string path;                   // decoded
  std::string none_match;
  std::shared_ptr<const MadeResponse> made;
  // Of the connection:
  bool has_unread_input = false;  // it was refused while more may come

 private:
  friend class Connections;
  static constexpr int64_t kNever = INT64_MAX;

  Server& server_;
  MHD_Connection* handle_;
  int socket_;
  std::atomic<int64_t> deadline_{kNever};  // nanoseconds of the steady clock
  Connection* previous_ = nullptr;
  Connection* next_ = nullptr;
};

class Connections {
 public:
  // `wake` is written to (an eventfd) when there is something to watch over again.
  explicit Connections(int wake) : wake_(wake) {}
  ~Connections() = default;
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  Connection* add(Server& server, MHD_Connection* handle, int socket);
  // Before the socket is closed. Destroys it.
  void remove(Connection* connection);

  // Cuts off those that are late. False: there is nothing left to watch over.
  bool watch();

 private:
  struct Lingering {
    FileDescriptor socket;
    int64_t end;
  };

  void linger(int socket);
  void drain_lingering(int64_t now);

  const int wake_;
  std::mutex mutex_;  // of what follows
  Connection* first_ = nullptr;
  std::vector<Lingering> lingering_;
};

}  // namespace qip
