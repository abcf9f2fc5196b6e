// A list under a mutex. shutdown() is called only on sockets in the list, which are open: a
// connection leaves the list before its socket is closed.
#include "cli/dev/connections.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "cli/dev/server.hpp"

namespace qip {
namespace {

constexpr size_t kDrainedAtOnce = 64 * 1024;

int64_t steady_now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Reads and forgets what has come. True: more may follow.
bool drain(int socket) {
  char buffer[4096];
  for (size_t total = 0; total < kDrainedAtOnce;) {
    const ssize_t count = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (count == 0) return false;
    total += static_cast<size_t>(count);
  }
  return true;
}

}  // namespace

void Connection::set_deadline(std::chrono::nanoseconds from_now) {
  deadline_.store(steady_now() + from_now.count(), std::memory_order_relaxed);
}

void Connection::set_response_deadline(uint64_t bytes) {
  const uint64_t seconds = std::min<uint64_t>(bytes / kSlowestBytesPerSecond, 1'000'000'000);
  set_deadline(kResponseTime + std::chrono::seconds(seconds));
}

void Connection::on_response(std::shared_ptr<const MadeResponse> response) {
  made = std::move(response);
  server_.resume(*this, RequestStep::Made);
}

void Connection::on_fresh() {
  server_.resume(*this, RequestStep::Fresh);
}

Connection* Connections::add(Server& server, MHD_Connection* handle, int socket) {
  auto* connection = new Connection(server, handle, socket);
  connection->set_deadline(kHeadTime);
  const std::lock_guard lock(mutex_);
  if (first_ == nullptr && lingering_.empty()) {
    const uint64_t one = 1;
    if (write(wake_, &one, sizeof one) < 0) return connection;  // it is awake
  }
  connection->next_ = first_;
  if (first_ != nullptr) first_->previous_ = connection;
  first_ = connection;
  return connection;
}

void Connections::remove(Connection* connection) {
  const bool more = connection->has_unread_input && drain(connection->socket());
  const std::lock_guard lock(mutex_);
  if (more) linger(connection->socket());
  Connection*& link = connection->previous_ != nullptr ? connection->previous_->next_ : first_;
  link = connection->next_;
  if (connection->next_ != nullptr) connection->next_->previous_ = connection->previous_;
  delete connection;
}

// The library closes its descriptor; this one keeps the connection, whose sending half is shut.
void Connections::linger(int socket) {
  if (lingering_.size() >= kMostLingering) return;
  FileDescriptor copy(fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!copy.is_open()) return;
  shutdown(copy.number(), SHUT_WR);
  const int64_t end = steady_now() + std::chrono::nanoseconds(kLingerTime).count();
  lingering_.push_back({std::move(copy), end});
}

void Connections::drain_lingering(int64_t now) {
  std::erase_if(lingering_, [now](const Lingering& each) {
    return each.end < now || !drain(each.socket.number());
  });
}

bool Connections::watch() {
  const int64_t now = steady_now();
  const std::lock_guard lock(mutex_);
  for (Connection* each = first_; each != nullptr; each = each->next_) {
    if (!each->is_late(now)) continue;
    each->clear_deadline();
    shutdown(each->socket_, SHUT_RDWR);  // the library sees the end, and closes it
  }
  drain_lingering(now);
  return first_ != nullptr || !lingering_.empty();
}

}  // namespace qip
