// Listener: the socket that the server listens on, made here so that every error has its text.
//
// Promises: one numeric address, IPv4 or IPv6, never more than what was asked for; port 0 is any
// that is free. Errors are sentences without a prefix.
#pragma once

#include <cstdint>
#include <string>

#include "host/files.hpp"
#include "loader/result.hpp"

namespace qip {

struct Listener {
  FileDescriptor socket;     // non-blocking
  std::string host;          // as in a URL: "127.0.0.1", "[::1]"
  uint16_t port = 0;         // the real one
  bool is_loopback = false;  // only this machine can reach it

  std::string url() const;
};

// `address`: a numeric address, with or without brackets, or `localhost`. `backlog`: connections
// that may wait to be accepted.
Result<Listener, std::string> listen_on(const std::string& address, uint16_t port, int backlog);

}  // namespace qip
