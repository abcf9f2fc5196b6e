// The steps of a request: its head is examined; if an edit is not taken in yet it waits for the
// reloader; if its response is not remembered it waits for a worker. While it waits its connection
// is suspended, and belongs to whoever will resume it.
#include "cli/dev/server.hpp"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "host/site/elements.hpp"
#include "host/site/request_path.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

using Clock = std::chrono::steady_clock;

// Beside the head of a request there must be room for that of the response.
constexpr size_t kConnectionMemory = kMostHeadBytes + 16 * 1024;
constexpr size_t kMostReloadErrorBytes = 1'000;
constexpr size_t kFileBlockBytes = 32 * 1024;
// Lanes that may be busy at a time without waiting for each other.
constexpr unsigned kBusyLanes = 16;
constexpr unsigned kMostThreads = 64;
constexpr const char* kAllowed = "GET, HEAD";

// Up to here the library keeps the texts of a request's head where they were received; later ones
// check by themselves what RequestCheck finds out from that.
bool has_known_layout() {
  return strncmp(MHD_get_version(), "0.9.", 4) == 0;
}

// The library would now take the query apart, into memory that a query of many parts does not leave
// enough of; then it forgets the request. `target` is its own copy, which it writes to as well.
void hide_query(std::string_view target) {
  const size_t query = target.find('?');
  if (query != std::string_view::npos) const_cast<char*>(target.data())[query + 1] = '\0';
}

std::string milliseconds_text(std::chrono::nanoseconds duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return number_text(static_cast<uint64_t>(std::max<int64_t>(whole, 0)));
}

std::string durations_text(const ResponseTrace& trace) {
  if (trace.modules.empty()) return "";
  std::string text =
      " instantiation_ms=" + milliseconds_text(trace.instantiation) + " module_durations_ms=[";
  for (size_t i = 0; i < trace.modules.size(); i++) {
    if (i > 0) text += ',';
    text += milliseconds_text(trace.modules[i]);
  }
  return text + "]";
}

// What a header field can carry: printable ASCII.
std::string header_text(std::string_view text) {
  std::string result;
  for (const char c : escape_controls(text, kMostReloadErrorBytes)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      result += c;
    } else {
      result += "\\x" + hex_text({&byte, 1});
    }
  }
  return result;
}

void release_response(void* held) {
  delete static_cast<SharedResponse*>(held);
}

// The library's own way of sending a file waits for bytes that a file which became shorter
// meanwhile does not have; this one ends the connection.
ssize_t read_file(void* held, uint64_t position, char* buffer, size_t most) {
  const SiteResponse& response = **static_cast<SharedResponse*>(held);
  const ssize_t count = pread(response.file->number(), buffer, most, static_cast<off_t>(position));
  return count > 0 ? count : MHD_CONTENT_READER_END_WITH_ERROR;
}

// Null if the system refuses.
MHD_Response* body_of(const SharedResponse& response) {
  auto* held = new SharedResponse(response);
  MHD_Response* body = response->file
                           ? MHD_create_response_from_callback(response->file_size, kFileBlockBytes,
                                                               read_file, held, release_response)
                           : MHD_create_response_from_buffer_with_free_callback_cls(
                                 response->body.size(), const_cast<uint8_t*>(response->body.data()),
                                 release_response, held);
  if (body == nullptr) release_response(held);
  return body;
}

MHD_Response* static_body(std::string_view text) {
  return MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()),
                                         MHD_RESPMEM_PERSISTENT);
}

Connection* connection_of(MHD_Connection* handle) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : static_cast<Connection*>(info->socket_context);
}

size_t head_bytes_of(MHD_Connection* handle) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(handle, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info == nullptr ? 0 : info->header_size;
}

unsigned status_of(MHD_Connection* handle) {
  const MHD_ConnectionInfo* info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_HTTP_STATUS);
  return info == nullptr ? 0 : info->http_status;
}

bool is_allowed(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

MHD_Result add_field(void* check, MHD_ValueKind, const char* name, size_t name_size,
                     const char* value, size_t value_size) {
  if (value == nullptr) value = name + name_size, value_size = 0;
  static_cast<RequestCheck*>(check)->add_field({name, name_size}, {value, value_size});
  return MHD_YES;
}

// --- The library's callbacks -----------------------------------------------------------------

void notify_connection(void* server, MHD_Connection* handle, void** context,
                       MHD_ConnectionNotificationCode code) {
  auto* its = static_cast<Server*>(server);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = its->on_connected(handle);
  } else if (*context != nullptr) {
    its->on_disconnected(static_cast<Connection*>(*context));
    *context = nullptr;
  }
}

void* notify_request_line(void* server, const char* target, MHD_Connection* handle) {
  Connection* connection = connection_of(handle);
  if (connection != nullptr) static_cast<Server*>(server)->on_request_line(*connection, target);
  return connection;
}

MHD_Result handle_request(void* server, MHD_Connection*, const char*, const char* method,
                          const char* version, const char*, size_t* upload, void** context) {
  auto* connection = static_cast<Connection*>(*context);
  if (connection == nullptr) return MHD_NO;
  *upload = 0;
  const bool goes_on = static_cast<Server*>(server)->on_request(*connection, method, version);
  return goes_on ? MHD_YES : MHD_NO;
}

void notify_completed(void* server, MHD_Connection*, void** context,
                      MHD_RequestTerminationCode code) {
  auto* connection = static_cast<Connection*>(*context);
  if (connection == nullptr) return;
  static_cast<Server*>(server)->on_completed(*connection,
                                             code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
  *context = nullptr;
}

}  // namespace

Server::Server(const ServerOptions& options, ServerLog& log, int wake)
    : options_(options),
      log_(log),
      responder_(options.cache_bytes),
      connections_(wake),
      reloader_(options.site, log, streams_),
      pool_(std::make_unique<WorkerPool>(
          options.workers,
          std::max(options.workers + 1, std::min(options.workers * kBusyLanes, kMostThreads)))),
      maker_(responder_, *pool_) {}

Server::~Server() = default;

MaybeError Server::load() {
  return reloader_.start();
}

std::string Server::start(Listener listener, unsigned most_connections) {
  listener_ = std::move(listener);
  const int socket = fcntl(listener_.socket.number(), F_DUPFD_CLOEXEC, 0);
  if (socket < 0) return system_error_text(errno);
  const unsigned threads = std::thread::hardware_concurrency() > 1 ? 2 : 1;
  MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, 2, nullptr}, {MHD_OPTION_END, 0, nullptr}};
  MHD_OptionItem none[] = {{MHD_OPTION_END, 0, nullptr}};
  errno = 0;
  daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, handle_request,
      this, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_NOTIFY_CONNECTION, notify_connection, this,
      MHD_OPTION_NOTIFY_COMPLETED, notify_completed, this, MHD_OPTION_URI_LOG_CALLBACK,
      notify_request_line, this, MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,
      MHD_OPTION_CONNECTION_LIMIT, most_connections, MHD_OPTION_STRICT_FOR_CLIENT,
      has_known_layout() ? 0 : 1, MHD_OPTION_ARRAY, threads > 1 ? pool : none, MHD_OPTION_END);
  if (daemon_ != nullptr) return "";
  const int error = errno;
  close(socket);
  return "cannot start: " + system_error_text(error);
}

bool Server::watch() {
  const bool streams = streams_.watch();
  return connections_.watch() || streams;
}

bool Server::stop() {
  const Clock::time_point end = Clock::now() + kStopTime;
  // Who connects from now on is still answered, but nothing is made for them any more. Not with
  // MHD_quiesce_daemon(): it and the library's threads race to take the listening socket out of
  // their epoll sets, and who comes second aborts the process.
  is_stopping_.store(true);
  streams_.end();
  reloader_.stop();
  while (in_progress_.load() > 0 && Clock::now() < end) {
    connections_.watch();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // Now no request waits any more, unless its component still runs.
  if (suspended_.load() > 0) return false;
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  daemon_ = nullptr;
  pool_.reset();
  return true;
}

// --- Connections and their requests --------------------------------------------------------------

Connection* Server::on_connected(MHD_Connection* handle) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? nullptr : connections_.add(*this, handle, info->connect_fd);
}

void Server::on_request_line(Connection& connection, const char* target) {
  in_progress_.fetch_add(1);
  connection.step = RequestStep::Begun;
  connection.begun = Clock::now();
  connection.method.clear();
  connection.target_text = {target, strlen(target)};
  connection.target = connection.target_text.substr(0, kMostTargetBytes + 1);
  if (has_known_layout()) hide_query(connection.target_text);
  connection.set_deadline(kHeadTime);
}

void Server::on_completed(Connection& connection, bool was_sent) {
  if (connection.step != RequestStep::Answered) {
    // Nobody was asked: the library found the request malformed. Or nobody is there to be answered.
    const unsigned status = status_of(connection.handle());
    connection.has_unread_input = status >= 400;
    log_request(connection, status >= 400
                                ? "status=" + number_text(status)
                                : std::string("error=the client has gone or was too slow"));
  }
  if (!was_sent && connection.step == RequestStep::Answered) connection.has_unread_input = false;
  connection.step = RequestStep::None;
  connection.made.reset();
  connection.set_deadline(kIdleTime);
  in_progress_.fetch_sub(1);
}

// The library asks twice: when the head is there, where an answer ends the connection, and when the
// request is complete; then again whenever the connection is resumed.
bool Server::on_request(Connection& connection, const char* method, const char* version) {
  switch (connection.step) {
    case RequestStep::Begun:
      connection.method = method;
      connection.method_text = method;
      return check_head(connection, version);
    case RequestStep::Clear:
      return answer_clear(connection);
    case RequestStep::Fresh:
      return answer_fresh(connection);
    case RequestStep::Made:
      return answer_made(connection);
    case RequestStep::None:
    case RequestStep::Answered:
      break;
  }
  return false;
}

void Server::suspend(Connection& connection) {
  suspended_.fetch_add(1);
  connection.clear_deadline();
  MHD_suspend_connection(connection.handle());
}

// The connection may be gone when this returns.
void Server::resume(Connection& connection, RequestStep step) {
  connection.step = step;
  connection.set_deadline(kResponseTime);
  MHD_resume_connection(connection.handle());
  suspended_.fetch_sub(1);
}

// --- What is asked for ---------------------------------------------------------------------------

bool Server::check_head(Connection& connection, const char* version) {
  RequestCheck check({connection.method_text, connection.target_text, version}, has_known_layout());
  MHD_get_connection_values_n(connection.handle(), MHD_HEADER_KIND, add_field, &check);
  const size_t head_bytes = head_bytes_of(connection.handle());
  const RequestVerdict verdict = check.finish(head_bytes);
  if (verdict == RequestVerdict::Doubtful) return refuse_unclear(connection, check.problem());
  if (head_bytes > kMostHeadBytes) {
    return refuse(connection, {.status = 431, .text = "431 head too large\n", .close = true});
  }
  if (verdict == RequestVerdict::HasBody) {
    return is_allowed(connection.method) ? refuse_unclear(connection, check.problem())
                                         : refuse_method(connection, true);
  }
  connection.is_misdirected =
      listener_.is_loopback && check.has_host() && !is_own_host(check.host(), listener_.host);
  connection.none_match = check.none_match();
  connection.step = RequestStep::Clear;
  return true;
}

bool Server::refuse_unclear(Connection& connection, const char* reason) {
  return refuse(connection,
                {.status = 400, .text = "400 bad request\n", .reason = reason, .close = true});
}

bool Server::refuse_method(Connection& connection, bool close) {
  return refuse(connection,
                {.status = 405, .text = "", .close = close, .header = "Allow", .value = kAllowed});
}

bool Server::answer_clear(Connection& connection) {
  if (!is_allowed(connection.method)) return refuse_method(connection, false);
  if (connection.is_misdirected) {
    return refuse(connection, {.status = 421,
                               .text = "421 misdirected request: this server answers for "
                                       "localhost only\n"});
  }
  if (connection.target.find(' ') != std::string::npos) {
    return refuse_unclear(connection, "the target has a space");
  }
  RequestPath parsed = parse_request_target(connection.target);
  switch (parsed.verdict) {
    case TargetVerdict::Clean:
      break;
    case TargetVerdict::Redirect:
      return refuse(
          connection,
          {.status = 301, .text = "", .header = "Location", .value = std::move(parsed.location)});
    case TargetVerdict::TooLong:
      return refuse(connection, {.status = 414, .text = "414 URI too long\n", .close = true});
    case TargetVerdict::Bad:
      return refuse_unclear(connection, "the target is malformed");
  }
  connection.path = std::move(parsed.path);
  if (!reloader_.is_stale() || is_stopping_.load()) return answer_fresh(connection);
  suspend(connection);
  if (!reloader_.wait(connection)) resume(connection, RequestStep::Fresh);
  return true;
}

// --- Answers -------------------------------------------------------------------------------------

bool Server::answer_fresh(Connection& connection) {
  const std::shared_ptr<const Generation> generation = reloader_.current();
  const std::shared_ptr<const Site>& site = generation->site;
  if (site->options().mode == SiteMode::Dev && connection.path == kReloadPath) {
    return answer_stream(connection);
  }
  const Route* route = site->find(connection.path);
  if (route == nullptr) {
    return refuse(connection, {.status = 404, .text = "404 page not found\n"});
  }
  if (const SharedResponse kept = responder_.find(*site, *route)) {
    return answer(connection, kept, nullptr);
  }
  if (is_stopping_.load()) {
    return refuse(connection, {.status = 503, .text = "503 server is stopping\n", .close = true});
  }
  suspend(connection);
  if (!maker_.request(site, *route, connection)) resume(connection, RequestStep::Made);
  return true;
}

bool Server::answer_made(Connection& connection) {
  const std::shared_ptr<const MadeResponse> made = std::move(connection.made);
  if (made == nullptr) {
    return refuse(connection, {.status = 503, .text = "503 no thread to run a component\n"});
  }
  return answer(connection, made->response, &made->trace);
}

bool Server::answer(Connection& connection, const SharedResponse& response,
                    const ResponseTrace* trace) {
  MHD_Response* body = body_of(response);
  if (body == nullptr) return false;
  auto status = static_cast<unsigned>(response->status);
  const bool has_tag = status == 200 && !response->etag.empty();
  if (has_tag) MHD_add_response_header(body, "ETag", response->etag.c_str());
  if (has_tag && !connection.none_match.empty() &&
      none_match_names(connection.none_match, response->etag)) {
    status = 304;
  } else {
    MHD_add_response_header(body, "Content-Type", response->content_type.c_str());
  }
  log_response(connection, status, *response, trace);
  return send(connection, status, body, response->size(), false);
}

bool Server::answer_stream(Connection& connection) {
  MHD_Response* body = connection.method == "HEAD" ? static_body("") : streams_.open(connection);
  if (body == nullptr) {
    return refuse(connection, {.status = 503, .text = "503 too many open pages\n"});
  }
  MHD_add_response_header(body, "Content-Type", "text/event-stream");
  log_request(connection, "status=200");
  return send(connection, 200, body, 0, false);
}

bool Server::refuse(Connection& connection, const Refusal& refusal) {
  MHD_Response* body = static_body(refusal.text);
  if (body == nullptr) return false;
  if (!refusal.text.empty()) {
    MHD_add_response_header(body, "Content-Type", "text/plain; charset=utf-8");
  }
  if (refusal.header != nullptr) {
    MHD_add_response_header(body, refusal.header, refusal.value.c_str());
  }
  connection.has_unread_input = refusal.close;
  std::string result = "status=" + number_text(refusal.status);
  if (refusal.reason != nullptr) result += " (" + std::string(refusal.reason) + ")";
  log_request(connection, result);
  return send(connection, refusal.status, body, refusal.text.size(), refusal.close);
}

bool Server::send(Connection& connection, unsigned status, MHD_Response* response, uint64_t bytes,
                  bool close) {
  MHD_add_response_header(response, "Cache-Control", "no-cache");
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  if (close || is_stopping_.load()) MHD_add_response_header(response, "Connection", "close");
  if (options_.site.mode == SiteMode::Dev) {
    const std::shared_ptr<const Generation> generation = reloader_.current();
    if (!generation->reload_error.empty()) {
      MHD_add_response_header(response, "X-Qip-Reload-Error",
                              header_text(generation->reload_error).c_str());
    }
  }
  connection.step = RequestStep::Answered;
  connection.set_response_deadline(bytes);
  const MHD_Result queued = MHD_queue_response(connection.handle(), status, response);
  MHD_destroy_response(response);  // the connection has it
  return queued == MHD_YES;
}

void Server::log_response(const Connection& connection, unsigned status,
                          const SiteResponse& response, const ResponseTrace* trace) {
  if (trace != nullptr && trace->error) {
    log_request(connection, "error=" + trace->error->message, trace->error->call_stack);
    return;
  }
  std::string rest = trace != nullptr ? durations_text(*trace) : "";
  if (options_.verbose) {
    rest += trace == nullptr ? " cache=hit" : " cache=miss";
    if (!response.etag.empty()) rest += " etag=" + response.etag;
  }
  log_request(connection, "status=" + number_text(status), rest);
}

void Server::log_request(const Connection& connection, std::string_view result,
                         std::string_view rest) {
  const std::string_view target = connection.target;
  std::string line = "dev: ";
  line += connection.method.empty() ? "?" : escape_controls(connection.method, 20);
  line += ' ';
  line += escape_controls(target.substr(0, target.find('?')), kNameLimit);
  line += ' ';
  line += result;
  line += " duration_ms=" + milliseconds_text(Clock::now() - connection.begun);
  line += rest;
  log_.line(line);
}

}  // namespace qip
