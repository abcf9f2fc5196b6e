// getaddrinfo() reads the address; no name is ever looked up.
#include "cli/dev/listener.hpp"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <memory>

#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

std::string without_brackets(const std::string& address) {
  const bool has_brackets = address.size() > 2 && address.front() == '[' && address.back() == ']';
  return has_brackets ? address.substr(1, address.size() - 2) : address;
}

AddressList read_address(const std::string& text, uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string service = number_text(port);
  if (getaddrinfo(text.c_str(), service.c_str(), &hints, &list) != 0) list = nullptr;
  return {list, [](addrinfo* nodes) {
            if (nodes != nullptr) freeaddrinfo(nodes);
          }};
}

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    memcpy(&four, &address, sizeof four);
    return (ntohl(four.sin_addr.s_addr) >> 24) == 127;
  }
  sockaddr_in6 six{};
  memcpy(&six, &address, sizeof six);
  return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr) != 0;
}

uint16_t port_of(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  uint16_t port = 0;  // at the same place in both families
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  memcpy(&port, reinterpret_cast<const char*>(&bound) + offsetof(sockaddr_in, sin_port),
         sizeof port);
  return ntohs(port);
}

// Returns which step failed, with errno set; null: none.
const char* bind_and_listen(int socket, const addrinfo& address, int backlog) {
  const int yes = 1;
  // A server that was just stopped leaves its port in TIME_WAIT; one that runs keeps it.
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.ai_family == AF_INET6) {
    setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  }
  if (bind(socket, address.ai_addr, address.ai_addrlen) != 0) return "bind";
  return listen(socket, backlog) == 0 ? nullptr : "listen";
}

}  // namespace

std::string Listener::url() const {
  return "http://" + host + ":" + number_text(port);
}

Result<Listener, std::string> listen_on(const std::string& address, uint16_t port, int backlog) {
  const std::string text = address == "localhost" ? "127.0.0.1" : without_brackets(address);
  const AddressList list = read_address(text, port);
  if (list == nullptr || text.empty()) {
    return "invalid address " + quoted(address) + " (expected a numeric IP address)";
  }
  Listener result;
  result.host = list->ai_family == AF_INET6 ? "[" + text + "]" : text;
  result.is_loopback = is_loopback(*list->ai_addr);
  const std::string where = "listen " + result.host + ":" + number_text(port) + ": ";
  result.socket =
      FileDescriptor(socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!result.socket.is_open()) return where + "socket: " + system_error_text(errno);
  if (const char* step = bind_and_listen(result.socket.number(), *list, backlog)) {
    return where + step + ": " + system_error_text(errno);
  }
  result.port = port_of(result.socket.number());
  return result;
}

}  // namespace qip
