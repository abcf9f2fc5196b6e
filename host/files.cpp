// System calls behind files.hpp. Every loop here ends: it consumes bytes of a bounded span, or
// stops at the first end of file or error. Names of temporary files hold the process number, so
// that two processes never share one; one that a killed process left is stepped over.
#include "host/files.hpp"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "host/text.hpp"
#include "loader/impl_limits.hpp"

namespace qip {
namespace {

constexpr uint64_t kFirstChunk = 64 * 1024;
constexpr uint8_t kMagic[4] = {0, 'a', 's', 'm'};

std::string failure_text(const char* operation, const std::string& path, int error_number) {
  return std::string(operation) + " " + path + ": " + system_error_text(error_number);
}

int open_again_if_interrupted(const char* path, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

bool can_be_module(std::span<const uint8_t> bytes) {
  const size_t known = std::min(bytes.size(), sizeof kMagic);
  return std::equal(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(known), kMagic);
}

std::string too_large_text(const std::string& path, uint64_t limit = kMaxModuleBytes) {
  return "read " + path + ": larger than the limit of " + number_text(limit) + " bytes";
}

// Reads to the end with a buffer that doubles. Ends: each turn reads a byte or is the last one, and
// the size is bounded.
Result<std::vector<uint8_t>, std::string> read_module_bytes(int fd, const std::string& path,
                                                            uint64_t expected_size) {
  std::vector<uint8_t> bytes;
  uint64_t capacity = std::min(expected_size + 1, kFirstChunk);
  uint64_t used = 0;
  for (;;) {
    bytes.resize(capacity);
    const int64_t count = read_fully(fd, std::span(bytes).subspan(used));
    if (count < 0) return failure_text("read", path, errno);
    used += static_cast<uint64_t>(count);
    const bool at_end = used < capacity;
    bytes.resize(used);
    if (at_end || !can_be_module(bytes)) return bytes;
    if (used > kMaxModuleBytes) return too_large_text(path);
    capacity = std::min(std::max(used * 2, expected_size + 1), kMaxModuleBytes + 1);
  }
}

// The file that `path` leads to, so that a symbolic link is written through and not replaced.
std::string resolve_links(const std::string& path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) != nullptr ? resolved : path;
}

std::string temporary_name_beside(const std::string& path, unsigned attempt) {
  const size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return name + ".qip-" + number_text(static_cast<uint64_t>(getpid())) + "-" +
         number_text(attempt) + ".tmp";
}

std::string write_and_close(FileDescriptor file, const std::string& path,
                            std::span<const uint8_t> bytes) {
  if (const int error = write_fully(file.number(), bytes)) {
    return failure_text("write", path, error);
  }
  if (!file.close()) return failure_text("close", path, errno);
  return "";
}

std::string write_in_place(const std::string& path, std::span<const uint8_t> bytes) {
  FileDescriptor file(open_again_if_interrupted(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
  if (!file.is_open()) return failure_text("open", path, errno);
  return write_and_close(std::move(file), path, bytes);
}

// `mode` 0: whatever the umask leaves of 0644.
std::string write_and_rename(const std::string& temporary, FileDescriptor file, mode_t mode,
                             const std::string& path, std::span<const uint8_t> bytes) {
  if (mode != 0) fchmod(file.number(), mode);  // if refused, the file keeps a narrower mode
  std::string failure = write_and_close(std::move(file), path, bytes);
  if (failure.empty() && rename(temporary.c_str(), path.c_str()) != 0) {
    failure = failure_text("rename", path, errno);
  }
  if (!failure.empty()) unlink(temporary.c_str());
  return failure;
}

FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

}  // namespace

bool FileDescriptor::close() {
  if (number_ < 0) return true;
  const int result = ::close(number_);
  number_ = -1;
  return result == 0 || errno == EINTR;  // Linux has closed it in any case
}

Result<FileDescriptor, std::string> open_for_reading(const std::string& path) {
  FileDescriptor file(open_again_if_interrupted(path.c_str(), O_RDONLY));
  if (!file.is_open()) return failure_text("open", path, errno);
  struct stat status;
  if (fstat(file.number(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return failure_text("read", path, EISDIR);
  }
  return file;
}

Result<std::vector<uint8_t>, std::string> read_module_file(const std::string& path) {
  // Without waiting, because a named pipe may never find its writer.
  FileDescriptor file(open_again_if_interrupted(path.c_str(), O_RDONLY | O_NONBLOCK));
  if (!file.is_open()) return failure_text("open", path, errno);
  struct stat status;
  if (fstat(file.number(), &status) != 0) return failure_text("read", path, errno);
  if (S_ISDIR(status.st_mode)) return failure_text("read", path, EISDIR);
  const bool regular = S_ISREG(status.st_mode);
  if (regular && static_cast<uint64_t>(status.st_size) > kMaxModuleBytes) {
    return too_large_text(path);
  }
  if (!regular) {  // from here on waiting is right: somebody writes
    const int flags = fcntl(file.number(), F_GETFL);
    if (flags >= 0) fcntl(file.number(), F_SETFL, flags & ~O_NONBLOCK);
  }
  Result<std::vector<uint8_t>, std::string> bytes = read_module_bytes(
      file.number(), path, regular ? static_cast<uint64_t>(status.st_size) : kFirstChunk);
  if (bytes.ok() && bytes.value().empty() && S_ISFIFO(status.st_mode)) {
    return "read " + path + ": a pipe that nobody writes to";
  }
  return bytes;
}

// The buffer doubles, unless the system knows the size. Ends as read_module_bytes() does.
Result<std::vector<uint8_t>, std::string> read_whole(int fd, const std::string& name,
                                                     uint64_t most) {
  struct stat status;
  uint64_t expected = kFirstChunk;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    expected = static_cast<uint64_t>(status.st_size);
    if (expected > most) return too_large_text(name, most);
  }
  std::vector<uint8_t> bytes;
  uint64_t used = 0;
  uint64_t capacity = expected + 1;
  for (;;) {
    bytes.resize(capacity);
    const int64_t count = read_fully(fd, std::span(bytes).subspan(used));
    if (count < 0) return failure_text("read", name, errno);
    used += static_cast<uint64_t>(count);
    if (used > most) return too_large_text(name, most);
    if (used < capacity) break;
    capacity = std::min(used * 2, most + 1);
  }
  bytes.resize(used);
  return bytes;
}

int64_t read_fully(int fd, std::span<uint8_t> target) {
  size_t used = 0;
  while (used < target.size()) {
    const ssize_t count = read(fd, target.data() + used, target.size() - used);
    if (count == 0) break;
    if (count > 0) {
      used += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return static_cast<int64_t>(used);
}

int write_fully(int fd, std::span<const uint8_t> bytes, std::string_view suffix) {
  while (!bytes.empty() || !suffix.empty()) {
    const iovec parts[2] = {{const_cast<uint8_t*>(bytes.data()), bytes.size()},
                            {const_cast<char*>(suffix.data()), suffix.size()}};
    const ssize_t count = writev(fd, parts, 2);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    const size_t written = static_cast<size_t>(count);
    const size_t from_bytes = std::min(written, bytes.size());
    bytes = bytes.subspan(from_bytes);
    suffix.remove_prefix(written - from_bytes);
  }
  return 0;
}

std::string write_file(const std::string& path, std::span<const uint8_t> bytes) {
  struct stat status;
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) return write_in_place(path, bytes);
  if (!exists && lstat(path.c_str(), &status) == 0) return write_in_place(path, bytes);
  if (exists && access(path.c_str(), W_OK) != 0) return failure_text("open", path, errno);

  const std::string target = resolve_links(path);
  constexpr unsigned kAttempts = 100;  // names left behind by killed processes with our number
  for (unsigned attempt = 0; attempt < kAttempts; attempt++) {
    const std::string temporary = temporary_name_beside(target, attempt);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    FileDescriptor file(open_again_if_interrupted(temporary.c_str(), flags, 0644));
    if (file.is_open()) {
      const mode_t mode = exists ? status.st_mode & 07777 : 0;
      return write_and_rename(temporary, std::move(file), mode, target, bytes);
    }
    if (errno != EEXIST) break;
  }
  // No right to create files beside it. The file itself may still be writable.
  if (exists) return write_in_place(path, bytes);
  return failure_text("open", path, errno);
}

Result<OutputFolder, std::string> OutputFolder::open(const std::string& path) {
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return failure_text("mkdir", path, errno);
  FileDescriptor folder(open_again_if_interrupted(path.c_str(), O_RDONLY | O_DIRECTORY));
  if (!folder.is_open()) return failure_text("open", path, errno);
  return OutputFolder(path, std::move(folder));
}

std::optional<FileIdentity> file_identity(const char* path) {
  struct stat status;
  if (stat(path, &status) != 0) return std::nullopt;
  return identity_of(status);
}

std::optional<FileIdentity> OutputFolder::identity(const std::string& name) const {
  struct stat status;
  if (fstatat(folder_.number(), name.c_str(), &status, 0) != 0) return std::nullopt;
  return identity_of(status);
}

bool OutputFolder::holds(const std::string& name, int fd) const {
  struct stat status;
  const std::optional<FileIdentity> inside = identity(name);
  return inside && fstat(fd, &status) == 0 && *inside == identity_of(status);
}

std::string OutputFolder::write(const std::string& name, unsigned worker, std::string_view first,
                                std::span<const uint8_t> bytes) const {
  const std::string temporary =
      ".qip-" + std::to_string(getpid()) + "-" + std::to_string(worker) + ".tmp";
  const int in = folder_.number();
  const auto open_new = [&] {
    return openat(in, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0644);
  };
  int fd = open_new();
  if (fd < 0 && errno == EEXIST) {  // left behind by a killed process that had our number
    unlinkat(in, temporary.c_str(), 0);
    fd = open_new();
  }
  const std::string target = path_ + "/" + name;
  if (fd < 0) return failure_text("open", target, errno);
  FileDescriptor file(fd);
  const std::span<const uint8_t> head(reinterpret_cast<const uint8_t*>(first.data()), first.size());
  const int error = head.empty() ? 0 : write_fully(fd, head);
  std::string failure = error != 0 ? failure_text("write", target, error)
                                   : write_and_close(std::move(file), target, bytes);
  if (failure.empty() && renameat(in, temporary.c_str(), in, name.c_str()) != 0) {
    failure = failure_text("rename", target, errno);
  }
  if (!failure.empty()) unlinkat(in, temporary.c_str(), 0);
  return failure;
}

}  // namespace qip
