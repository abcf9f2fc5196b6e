// The library asks for bytes; a stream without any suspends its connection until it is woken. Both
// happen under the mutex, so that no stream is woken that does not sleep.
#include "cli/dev/event_streams.hpp"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>

#include "host/text.hpp"

namespace qip {
namespace {

constexpr size_t kBlockBytes = 256;

using Clock = std::chrono::steady_clock;

// True if the other end has closed, or has said something, which pages do not.
bool is_gone(int socket) {
  char byte;
  const ssize_t count = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

EventStreams::EventStreams()
    : start_(
          std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count()) {}

std::string EventStreams::begin_text() const {
  return "retry: 500\nevent: state\ndata: " + number_text(static_cast<uint64_t>(start_)) + "." +
         number_text(reloads_) + "\n\n";
}

MHD_Response* EventStreams::open(Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (is_over_) return nullptr;
  for (Stream& stream : streams_) {
    if (stream.connection != nullptr) continue;
    MHD_Response* response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kBlockBytes, read, &stream, close);
    if (response == nullptr) return nullptr;
    stream = Stream{.owner = this, .connection = &connection, .last = Clock::now()};
    return response;
  }
  return nullptr;
}

ssize_t EventStreams::read(void* stream, uint64_t, char* buffer, size_t most) {
  Stream& its = *static_cast<Stream*>(stream);
  return its.owner->read(its, buffer, most);
}

ssize_t EventStreams::read(Stream& stream, char* buffer, size_t most) {
  const std::lock_guard lock(mutex_);
  if (is_over_ || stream.is_over) return MHD_CONTENT_READER_END_OF_STREAM;
  std::string text;
  if (stream.is_new) {
    text = begin_text();
    stream.is_new = false;
  } else if (stream.has_reload) {
    text = "event: reload\ndata: reload\n\n";
    stream.has_reload = false;
  } else if (stream.has_heartbeat) {
    text = ":\n\n";
    stream.has_heartbeat = false;
  }
  if (text.empty() || text.size() > most) {
    stream.is_waiting = true;
    stream.connection->clear_deadline();  // all was taken
    MHD_suspend_connection(stream.connection->handle());
    return 0;
  }
  memcpy(buffer, text.data(), text.size());
  stream.last = Clock::now();
  stream.connection->set_deadline(kResponseTime);
  return static_cast<ssize_t>(text.size());
}

void EventStreams::close(void* stream) {
  Stream& its = *static_cast<Stream*>(stream);
  const std::lock_guard lock(its.owner->mutex_);
  its.connection = nullptr;
}

// Under the mutex.
void EventStreams::wake(Stream& stream) {
  if (!stream.is_waiting) return;
  stream.is_waiting = false;
  stream.connection->set_deadline(kResponseTime);
  MHD_resume_connection(stream.connection->handle());
}

void EventStreams::send_reload() {
  const std::lock_guard lock(mutex_);
  reloads_++;
  for (Stream& stream : streams_) {
    if (stream.connection == nullptr) continue;
    stream.has_reload = true;
    wake(stream);
  }
}

bool EventStreams::watch() {
  const std::lock_guard lock(mutex_);
  bool any = false;
  for (Stream& stream : streams_) {
    if (stream.connection == nullptr) continue;
    any = true;
    if (stream.is_waiting && is_gone(stream.connection->socket())) stream.is_over = true;
    if (Clock::now() - stream.last >= kHeartbeat) stream.has_heartbeat = true;
    if (stream.is_over || stream.has_heartbeat) wake(stream);
  }
  return any;
}

void EventStreams::end() {
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  for (Stream& stream : streams_) {
    if (stream.connection != nullptr) wake(stream);
  }
}

}  // namespace qip
