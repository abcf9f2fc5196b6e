// Server: a site over HTTP.
//
// Promises: nothing but GET and HEAD, without bodies; a request that is not clear is refused and
// its connection closed (cli/dev/request_check.hpp). A response that is remembered is sent by the
// thread that read the request; every other one is made by the worker pool, in fresh instances
// under its own limits, while its connection sleeps. So no component delays another client.
// Assumes: SIGPIPE is ignored.
// Bounds: kMostConnections; kMostHeadBytes; the deadlines of cli/dev/connections.hpp.
// Sources: RFC 9110, RFC 9112; libmicrohttpd reads and writes the connections.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cli/dev/connections.hpp"
#include "cli/dev/event_streams.hpp"
#include "cli/dev/listener.hpp"
#include "cli/dev/log.hpp"
#include "cli/dev/reloader.hpp"
#include "cli/dev/request_check.hpp"
#include "cli/dev/response_maker.hpp"
#include "cli/dev/worker_pool.hpp"
#include "host/site/response.hpp"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

namespace qip {

inline constexpr unsigned kMostConnections = 1'000;
inline constexpr size_t kMostHeadBytes = 32 * 1024;
// After this a stop does not wait any longer.
inline constexpr std::chrono::milliseconds kStopTime{1'800};

struct ServerOptions {
  SiteOptions site;
  uint64_t cache_bytes = kDefaultResponseCacheBytes;
  unsigned workers = 2;  // of one chain at a time
  bool verbose = false;
};

class Server {
 public:
  // `wake` is an eventfd: written to when watch() has something to do again.
  Server(const ServerOptions& options, ServerLog& log, int wake);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Loads the site. Nothing is listened to yet.
  MaybeError load();
  std::shared_ptr<const Generation> current() const { return reloader_.current(); }
  // Takes connections from now on. The error is a sentence without a prefix; empty: it does.
  std::string start(Listener listener, unsigned most_connections);
  // Deadlines and heartbeats; to be called now and then. False: not before `wake` is written to.
  bool watch();
  void reload() { reloader_.request_reload(); }
  // Ends all connections when they have their responses, or after kStopTime. False: components
  // still run, so the process had better end without destroying this.
  bool stop();

  // From the thread that made the response or found the site fresh.
  void resume(Connection& connection, RequestStep step);

  // For the library's callbacks, in its threads:
  Connection* on_connected(MHD_Connection* handle);
  void on_disconnected(Connection* connection) { connections_.remove(connection); }
  void on_request_line(Connection& connection, const char* target);
  // False: the connection must be closed at once.
  bool on_request(Connection& connection, const char* method, const char* version);
  void on_completed(Connection& connection, bool was_sent);

 private:
  struct Refusal {
    unsigned status;
    std::string_view text;         // the body; lives as long as the program
    const char* reason = nullptr;  // for the log
    bool close = false;
    const char* header = nullptr;  // one more, with its value
    std::string value{};
  };

  bool check_head(Connection& connection, const char* version);
  bool answer_clear(Connection& connection);
  bool answer_fresh(Connection& connection);
  bool answer_made(Connection& connection);
  bool answer_stream(Connection& connection);
  // `trace` is null for a response that was remembered.
  bool answer(Connection& connection, const SharedResponse& response, const ResponseTrace* trace);
  bool refuse(Connection& connection, const Refusal& refusal);
  bool refuse_unclear(Connection& connection, const char* reason);
  bool refuse_method(Connection& connection, bool close);
  // Adds what every response has, sends it, and lets go of it.
  bool send(Connection& connection, unsigned status, MHD_Response* response, uint64_t bytes,
            bool close);
  void suspend(Connection& connection);
  void log_response(const Connection& connection, unsigned status, const SiteResponse& response,
                    const ResponseTrace* trace);
  void log_request(const Connection& connection, std::string_view result,
                   std::string_view rest = {});

  const ServerOptions options_;
  ServerLog& log_;
  Listener listener_;
  Responder responder_;
  Connections connections_;
  EventStreams streams_;
  Reloader reloader_;
  std::unique_ptr<WorkerPool> pool_;
  ResponseMaker maker_;
  MHD_Daemon* daemon_ = nullptr;
  std::atomic<bool> is_stopping_{false};
  std::atomic<unsigned> in_progress_{0};  // requests
  std::atomic<unsigned> suspended_{0};    // of them, waiting for another thread
};

}  // namespace qip
