// Files: modules read within a bound, inputs read where they belong, outputs written whole or not.
//
// Promises: interrupted and partial system calls are completed; a file that is too large is refused
// before memory for all of it is taken; a regular output file is replaced in one step, so a reader
// sees the old bytes or the new ones, never half of them.
// Errors are sentences in the form `open <path>: no such file or directory`.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "loader/result.hpp"

namespace qip {

// An open file descriptor, closed at the end.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = other.number_;
      other.number_ = -1;
    }
    return *this;
  }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  // False if the system reports that something was not written.
  bool close();

 private:
  int number_;
};

Result<FileDescriptor, std::string> open_for_reading(const std::string& path);

// The bytes of a module: at most kMaxModuleBytes. Bytes that cannot be a module are cut off early,
// so that an endless file is refused by the loader at once. A named pipe is read, unless nobody has
// it open for writing.
Result<std::vector<uint8_t>, std::string> read_module_file(const std::string& path);

// Everything from the current position to the end, at most `most` bytes. `name` is for the error.
Result<std::vector<uint8_t>, std::string> read_whole(int fd, const std::string& name,
                                                     uint64_t most);

// Reads until `target` is full or the file ends. Returns how many bytes, or -1 with errno set.
int64_t read_fully(int fd, std::span<uint8_t> target);

// Writes `bytes` and then `suffix`. Returns 0 or an errno value.
int write_fully(int fd, std::span<const uint8_t> bytes, std::string_view suffix = "");

// Replaces or creates a regular file (mode 0644 less the umask, an existing one keeps its mode); a
// device or named pipe is written to as it is. The error is a sentence; empty: done.
std::string write_file(const std::string& path, std::span<const uint8_t> bytes);

// Which file a name stands for: two names of one file have the same.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  auto operator<=>(const FileIdentity&) const = default;
};
// Empty: there is none, or it cannot be told.
std::optional<FileIdentity> file_identity(const char* path);

// A folder that many outputs go to, by several threads.
class OutputFolder {
 public:
  // Makes the folder if it is not there. The error is a sentence.
  static Result<OutputFolder, std::string> open(const std::string& path);

  const std::string& path() const { return path_; }
  // Of the file that `name` in the folder stands for, if there is one.
  std::optional<FileIdentity> identity(const std::string& name) const;
  // True if `name` in the folder and the open file are one and the same.
  bool holds(const std::string& name, int fd) const;
  // Replaces or creates `name` in one step (mode 0644 less the umask) with `first` and then
  // `bytes`. No two threads use one `worker` number at a time. The error is a sentence; empty:
  // done.
  std::string write(const std::string& name, unsigned worker, std::string_view first,
                    std::span<const uint8_t> bytes) const;

 private:
  OutputFolder(std::string path, FileDescriptor folder)
      : path_(std::move(path)), folder_(std::move(folder)) {}

  std::string path_;
  FileDescriptor folder_;
};

}  // namespace qip
