// SiteFolder: a folder that a site is made of, and the only way from a relative name to its bytes.
//
// Promises: nothing outside the folder is ever opened: names are resolved by openat2() beneath it,
// without magic links; a symbolic link that stays inside is followed, one that leads outside is an
// error. (Where the kernel lacks openat2() every symbolic link is an error.) Only regular files are
// opened, without waiting for a pipe's other end. Folders that lead back to one they are in are
// left out.
// Bounded: kMostFolderEntries files and folders, kMostFolderDepth folders deep; no recursion; one
// open folder at a time, however deep.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/files.hpp"
#include "loader/result.hpp"

namespace qip {

// A folder that links lead to counts as often as they do.
inline constexpr size_t kMostFolderEntries = 1'000'000;
inline constexpr size_t kMostFolderDepth = 100;

// What tells one state of a file from another without reading it.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;                 // bytes
  int64_t modified_nanoseconds = 0;  // since 1970
  int64_t changed_nanoseconds = 0;   // since 1970
  bool operator==(const FileStamp&) const = default;
};

struct OpenedFile {
  FileDescriptor file;
  FileStamp stamp;
};

struct FolderListing {
  std::vector<std::string> files;    // relative paths with '/', in the order of their bytes
  std::vector<std::string> folders;  // the same, "" first: what has to be watched
};

// A path in a message, whole, in quotes.
std::string quoted_path(std::string_view path);

class SiteFolder {
 public:
  // `role` is for messages: "content", "recipes", "forms", "components". Errors are sentences:
  // `Invalid <role> directory: ...` or `Invalid <role> directory: "<path>" is not a directory`.
  static Result<SiteFolder, std::string> open(const std::string& path, const char* role);
  // The folder `name` of `outer`, under the same rules as everything else beneath it. Empty: there
  // is nothing of that name.
  static Result<std::optional<SiteFolder>, std::string> open_inside(const SiteFolder& outer,
                                                                    std::string_view name,
                                                                    const char* role);

  const std::string& path() const { return path_; }
  // Of something in it: `<folder>/<relative>`.
  std::string path_of(std::string_view relative) const;

  // Every regular file. `skipped`: names at the top level that are left out. Any other entry is an
  // error: `<role> entry "<path>" must be a regular file`, and a link to the outside:
  // `<role> entry "<path>" leads outside the <role> directory`. `<path>` is the relative path, and
  // an entry's role has no s at the end: `recipe entry`.
  Result<FolderListing, std::string> list(std::span<const std::string_view> skipped = {}) const;

  // Sentences: `open <relative path>: no such file or directory`.
  Result<OpenedFile, std::string> open_file(const std::string& relative) const;
  // Its stamp without its bytes: cheap. The same errors.
  Result<FileStamp, std::string> stamp(const std::string& relative) const;

 private:
  SiteFolder(std::string path, const char* role, FileDescriptor folder)
      : path_(std::move(path)), role_(role), folder_(std::move(folder)) {}
  static std::string invalid(const std::string& path, const char* role, int error);

  std::string path_;
  const char* role_;
  FileDescriptor folder_;
};

}  // namespace qip
