// An HTTP client for tests, that can also be a bad one: it sends any bytes, at any pace, and reads
// what comes back as it is.
//
// Promises: nothing is repaired: a response is what its own head says, and it is whole only if its
// body came to its end; no read waits longer than its time limit, which guards against hanging and
// measures nothing; the socket is closed at the end.
// Assumes: responses without a transfer coding other than `chunked`; SIGPIPE may be raised (sends
// suppress it).
// Source: RFC 9112, sections 4 to 7.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qip {

inline constexpr int kHttpTimeLimitMs = 30'000;

struct HttpResponse {
  int status = 0;                                           // 0: there is none
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string head;                                         // as it came, with its empty line
  std::string body;                                         // decoded, if it was chunked
  bool is_whole = false;

  size_t count(std::string_view name) const {
    return static_cast<size_t>(std::count_if(
        fields.begin(), fields.end(), [name](const auto& field) { return field.first == name; }));
  }
  // All values, with ", " between them; empty: there is none.
  std::string field(std::string_view name) const {
    std::string all;
    for (const auto& [key, value] : fields) {
      if (key == name) all += (all.empty() ? "" : ", ") + value;
    }
    return all;
  }
  bool closes() const { return field("connection") == "close"; }
};

// Reads the head of a response from the front of `bytes` and removes it. Status 0: it is not there.
inline HttpResponse take_head(std::string& bytes) {
  HttpResponse response;
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return response;
  response.head = bytes.substr(0, end + 4);
  bytes.erase(0, end + 4);
  if (!response.head.starts_with("HTTP/1.")) return response;
  response.status = atoi(response.head.c_str() + strlen("HTTP/1.1 "));
  for (size_t at = response.head.find("\r\n") + 2; at < end;) {
    const size_t line_end = response.head.find("\r\n", at);
    const std::string line = response.head.substr(at, line_end - at);
    const size_t colon = line.find(": ");
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
    const std::string value = colon == std::string::npos ? "" : line.substr(colon + 2);
    response.fields.emplace_back(std::move(name), value);
    at = line_end + 2;
  }
  return response;
}

// A response as curl prints it with -i.
inline HttpResponse parse_response(std::string bytes) {
  HttpResponse response = take_head(bytes);
  response.body = std::move(bytes);
  response.is_whole = response.status != 0;
  return response;
}

class HttpConnection {
 public:
  // `receive_buffer`: bytes that the system may hold for a client that does not read; 0: as usual.
  explicit HttpConnection(uint16_t port, const std::string& address = "127.0.0.1",
                          int receive_buffer = 0) {
    const bool is_six = address.find(':') != std::string::npos;
    socket_ = ::socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) {
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    inet_pton(is_six ? AF_INET6 : AF_INET, address.c_str(),
              is_six ? static_cast<void*>(&six.sin6_addr) : static_cast<void*>(&four.sin_addr));
    const auto* where =
        is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
    const socklen_t size = is_six ? sizeof six : sizeof four;
    if (connect(socket_, where, size) != 0) close();
  }
  HttpConnection(HttpConnection&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)) {}
  HttpConnection& operator=(HttpConnection&&) = delete;
  ~HttpConnection() { close(); }

  bool is_open() const { return socket_ >= 0; }
  int socket() const { return socket_; }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void shut_sending() const { shutdown(socket_, SHUT_WR); }
  // Closes with RST, whatever is still on its way.
  void reset() {
    const linger now{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  // False: the other end takes no more.
  bool send(std::string_view bytes, int timeout_ms = kHttpTimeLimitMs) const {
    const auto end = time_limit(timeout_ms);
    while (!bytes.empty()) {
      if (!wait_for(POLLOUT, end)) return false;
      const ssize_t count =
          ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // The next response, without what may follow it. `has_body`: false for one to HEAD.
  HttpResponse receive(bool has_body = true, int timeout_ms = kHttpTimeLimitMs) {
    const auto end = time_limit(timeout_ms);
    while (received_.find("\r\n\r\n") == std::string::npos) {
      if (!read_more(end)) return {};
    }
    HttpResponse response = take_head(received_);
    if (response.status == 0) return response;
    if (!has_body || response.status == 304 || response.status / 100 == 1) {
      response.is_whole = true;
    } else if (response.field("transfer-encoding") == "chunked") {
      response.is_whole = take_chunks(response.body, end);
    } else if (response.count("content-length") == 1) {
      response.is_whole = take_bytes(
          response.body, strtoull(response.field("content-length").c_str(), nullptr, 10), end);
    } else {
      while (read_more(end)) {
      }
      response.is_whole = is_ended_;
      response.body = std::exchange(received_, "");
    }
    return response;
  }

  // Reads on until `text` has come; what came so far stays to be read. False: it does not come.
  bool receive_until(std::string_view text, int timeout_ms = kHttpTimeLimitMs) {
    const auto end = time_limit(timeout_ms);
    while (received_.find(text) == std::string::npos) {
      if (!read_more(end)) return false;
    }
    return true;
  }
  // Forgets what has come.
  void forget() { received_.clear(); }
  const std::string& received() const { return received_; }

  // Reads to the end of the connection. False: the server leaves it open.
  bool receive_end(int timeout_ms = kHttpTimeLimitMs) {
    const auto end = time_limit(timeout_ms);
    while (read_more(end)) {
    }
    return is_ended_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static Clock::time_point time_limit(int milliseconds) {
    return Clock::now() + std::chrono::milliseconds(milliseconds);
  }
  bool wait_for(short event, Clock::time_point end) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd polled{socket_, event, 0};
    return socket_ >= 0 && left > 0 && poll(&polled, 1, static_cast<int>(left)) == 1;
  }
  bool read_more(Clock::time_point end) {
    if (is_ended_ || !wait_for(POLLIN, end)) return false;
    char buffer[65536];
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) {
      is_ended_ = true;
      return false;
    }
    received_.append(buffer, static_cast<size_t>(count));
    return true;
  }
  bool take_bytes(std::string& into, uint64_t count, Clock::time_point end) {
    bool is_complete = true;
    while (received_.size() < count && is_complete) is_complete = read_more(end);
    into += received_.substr(0, count);
    received_.erase(0, count);
    return is_complete;
  }
  bool take_chunks(std::string& into, Clock::time_point end) {
    for (;;) {
      while (received_.find("\r\n") == std::string::npos) {
        if (!read_more(end)) return false;
      }
      const uint64_t size = strtoull(received_.c_str(), nullptr, 16);
      received_.erase(0, received_.find("\r\n") + 2);
      std::string line_end;
      if (!take_bytes(into, size, end) || !take_bytes(line_end, 2, end)) return false;
      if (size == 0) return true;
    }
  }

  int socket_ = -1;
  std::string received_;
  bool is_ended_ = false;  // by the server
};

}  // namespace qip
