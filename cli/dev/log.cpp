// Writing without waiting: poll() says whether a piece fits before it is written.
#include "cli/dev/log.hpp"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/text.hpp"

namespace qip {

ServerLog::ServerLog() {
  struct stat status{};
  const bool known = fstat(STDERR_FILENO, &status) == 0;
  // A file takes everything, and so does a device that is no terminal: /dev/null.
  may_block_ = !known || !(S_ISREG(status.st_mode) ||
                           (S_ISCHR(status.st_mode) && isatty(STDERR_FILENO) == 0));
}

// False: it does not fit now, or nobody reads any more.
bool ServerLog::write_piece(std::string_view piece) const {
  while (!piece.empty()) {
    if (may_block_) {
      pollfd target{STDERR_FILENO, POLLOUT, 0};
      if (poll(&target, 1, 0) != 1 || (target.revents & POLLOUT) == 0) return false;
    }
    const ssize_t count = write(STDERR_FILENO, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    piece.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool ServerLog::write_all(std::string_view text) const {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, PIPE_BUF);
    if (!write_piece(piece)) return false;
    text.remove_prefix(piece.size());
  }
  return true;
}

const std::string& ServerLog::time_prefix() {
  const time_t now = time(nullptr);
  if (now != second_) {
    second_ = now;
    tm parts{};
    char text[32] = "";
    if (localtime_r(&now, &parts) != nullptr) {
      strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S ", &parts);
    }
    prefix_ = text;
  }
  return prefix_;
}

void ServerLog::line(std::string_view text) {
  const std::lock_guard lock(mutex_);
  const std::string& prefix = time_prefix();
  if (lost_ > 0) {
    buffer_ = prefix + "dev: " + number_text(lost_) + " log lines were lost\n";
    if (!write_all(buffer_)) {
      lost_++;
      return;
    }
    lost_ = 0;
  }
  buffer_ = prefix;
  buffer_ += text;
  buffer_ += '\n';
  if (!write_all(buffer_)) lost_++;
}

}  // namespace qip
