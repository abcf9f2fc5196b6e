// An export's files. Every name is resolved relative to an open folder, one component at a time, so
// a link that somebody puts there meanwhile is met by O_NOFOLLOW. Ends: loops go over the
// components of a name, the entries of a folder, or the bytes of a body.
#include "host/site/export_output.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "host/text.hpp"

namespace qip {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr int kNewFileFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
// Names left behind by killed processes that had our number.
constexpr unsigned kAttempts = 100;

std::string failure_text(const char* operation, const std::string& path, int error = errno) {
  return std::string(operation) + " " + escape_controls(path) + ": " + system_error_text(error);
}

std::string temporary_name(unsigned attempt) {
  return ".qip-" + number_text(static_cast<uint64_t>(getpid())) + "-" + number_text(attempt) +
         ".tmp";
}

FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

FileDescriptor open_folder(int parent, const char* name, int flags = 0) {
  return FileDescriptor(openat(parent, name, kFolderFlags | flags));
}

struct SplitPath {
  std::string folder;  // "." if the path has none
  std::string name;
};
// Slashes at the end do not count.
SplitPath split_path(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// Gives bytes [0, size) of a file to `take`, part by part.
int read_file(int from, uint64_t size, const BodyTaker& take) {
  constexpr uint64_t kMostAtOnce = 256 * 1024;
  std::vector<uint8_t> buffer(std::min(size, kMostAtOnce));
  uint64_t done = 0;
  while (done < size) {
    const uint64_t wanted = std::min<uint64_t>(size - done, buffer.size());
    const ssize_t count = pread(from, buffer.data(), wanted, static_cast<off_t>(done));
    if (count == 0) return ENODATA;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (const int error = take(std::span(buffer).first(static_cast<size_t>(count)))) return error;
    done += static_cast<uint64_t>(count);
  }
  return 0;
}

BodyTaker writer_to(int fd) {
  return [fd](std::span<const uint8_t> part) { return write_fully(fd, part); };
}

bool is_clean_name(std::string_view name) {
  for (;;) {
    const size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != part.npos) return false;
    if (slash == name.npos) return true;
    name.remove_prefix(slash + 1);
  }
}

bool is_same_time(const timespec& left, const timespec& right) {
  return left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec;
}

}  // namespace

// --- What must not be written to -----------------------------------------------------------------

SourceFolders::SourceFolders(const Site& site) {
  for (const std::string& path : site.watched()) {
    if (const std::optional<FileIdentity> identity = file_identity(path.c_str())) {
      identities_.insert(*identity);
    }
  }
}

std::string SourceFolders::refuse(int folder, const std::string& name) const {
  struct stat status;
  if (fstat(folder, &status) != 0) return failure_text("stat", name);
  if (!identities_.contains(identity_of(status))) return "";
  return escape_controls(name) + " lies inside a folder that the site is made of";
}

// Ends: at the root, which is its own parent; the kernel's longest path bounds it too.
std::string SourceFolders::refuse_with_parents(int folder, const std::string& name) const {
  FileDescriptor current = open_folder(folder, ".");
  FileIdentity below;
  for (size_t depth = 0; depth < PATH_MAX; depth++) {
    struct stat status;
    if (!current.is_open() || fstat(current.number(), &status) != 0) {
      return failure_text("stat", name);
    }
    const FileIdentity identity = identity_of(status);
    if (depth > 0 && identity == below) return "";
    std::string failure = refuse(current.number(), name);
    if (!failure.empty()) return failure;
    below = identity;
    current = open_folder(current.number(), "..");
  }
  return failure_text("stat", name, ENAMETOOLONG);
}

// --- Bodies --------------------------------------------------------------------------------------

BodyWatch::BodyWatch(const SiteResponse& response) : response_(response) {
  if (response.file) fstat(response.file->number(), &before_);
}

bool BodyWatch::is_unchanged() const {
  if (!response_.file) return true;
  struct stat now;
  return fstat(response_.file->number(), &now) == 0 && now.st_size == before_.st_size &&
         static_cast<uint64_t>(now.st_size) == response_.file_size &&
         is_same_time(now.st_mtim, before_.st_mtim) && is_same_time(now.st_ctim, before_.st_ctim);
}

int read_body(const SiteResponse& response, const BodyTaker& take) {
  if (!response.file) return take(response.body);
  return read_file(response.file->number(), response.file_size, take);
}

int copy_body(const SiteResponse& response, int to) {
  return read_body(response, writer_to(to));
}

// --- A folder ------------------------------------------------------------------------------------

Result<ExportFolder, std::string> ExportFolder::open(const std::string& path,
                                                     const SourceFolders& sources) {
  ExportFolder made;
  made.path_ = path;
  made.folder_ = open_folder(AT_FDCWD, path.c_str());
  if (made.folder_.is_open()) {
    std::string failure = sources.refuse_with_parents(made.folder_.number(), path);
    if (!failure.empty()) return failure;
  } else {
    if (errno != ENOENT) return failure_text("open", path);
    const SplitPath split = split_path(path);
    FileDescriptor parent = open_folder(AT_FDCWD, split.folder.c_str());
    if (!parent.is_open()) return failure_text("open", split.folder);
    std::string failure = sources.refuse_with_parents(parent.number(), path);
    if (!failure.empty()) return failure;
    if (mkdirat(parent.number(), split.name.c_str(), 0777) != 0) {
      return failure_text("mkdir", path);
    }
    made.made_name_ = split.name;
    made.parent_ = std::move(parent);
    made.folder_ = open_folder(made.parent_.number(), split.name.c_str(), O_NOFOLLOW);
    if (!made.folder_.is_open()) return failure_text("open", path);
  }
  for (unsigned attempt = 0; attempt < kAttempts; attempt++) {
    const std::string name = temporary_name(attempt);
    if (mkdirat(made.folder_.number(), name.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      break;
    }
    made.staging_name_ = name;
    made.staging_ = open_folder(made.folder_.number(), name.c_str(), O_NOFOLLOW);
    if (!made.staging_.is_open()) break;
    return made;
  }
  return failure_text("mkdir", path);
}

ExportFolder::~ExportFolder() {
  if (!folder_.is_open()) return;
  if (staging_.is_open()) {
    const int copy = dup(staging_.number());
    if (DIR* entries = copy < 0 ? nullptr : fdopendir(copy)) {
      rewinddir(entries);
      while (const dirent* entry = readdir(entries)) {
        unlinkat(staging_.number(), entry->d_name, 0);  // not the two that are folders
      }
      closedir(entries);
    }
  }
  if (!staging_name_.empty()) unlinkat(folder_.number(), staging_name_.c_str(), AT_REMOVEDIR);
  // Only if nothing was placed.
  if (!made_name_.empty()) unlinkat(parent_.number(), made_name_.c_str(), AT_REMOVEDIR);
}

int ExportFolder::keep(size_t number, const SiteResponse& response) const {
  FileDescriptor file(openat(staging_.number(), number_text(number).c_str(), kNewFileFlags, 0644));
  if (!file.is_open()) return errno;
  if (const int error = copy_body(response, file.number())) return error;
  return file.close() ? 0 : errno;
}

// Opens the folder `folder` ("" or a clean relative path), and makes what of it is not there.
std::string ExportFolder::enter(const std::string& folder, const SourceFolders& sources) {
  if (entered_.is_open() && folder == entered_name_) return "";
  FileDescriptor current = open_folder(folder_.number(), ".");
  size_t begin = 0;
  while (current.is_open() && begin < folder.size()) {
    const size_t end = std::min(folder.find('/', begin), folder.size());
    const std::string part = folder.substr(begin, end - begin);
    FileDescriptor next = open_folder(current.number(), part.c_str(), O_NOFOLLOW);
    if (!next.is_open() && errno == ENOENT && mkdirat(current.number(), part.c_str(), 0777) == 0) {
      next = open_folder(current.number(), part.c_str(), O_NOFOLLOW);
    }
    const std::string name = path_ + "/" + folder.substr(0, end);
    if (!next.is_open()) return failure_text("open", name);
    std::string failure = sources.refuse(next.number(), name);
    if (!failure.empty()) return failure;
    current = std::move(next);
    begin = end + 1;
  }
  if (!current.is_open()) return failure_text("open", path_ + "/" + folder);
  entered_ = std::move(current);
  entered_name_ = folder;
  return "";
}

std::string ExportFolder::place(size_t number, const std::string& name,
                                const SourceFolders& sources) {
  if (!is_clean_name(name)) return failure_text("open", path_ + "/" + name, EINVAL);
  const size_t slash = name.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : name.substr(0, slash);
  std::string failure = enter(folder, sources);
  if (!failure.empty()) return failure;
  const std::string target = slash == std::string::npos ? name : name.substr(slash + 1);
  if (renameat(staging_.number(), number_text(number).c_str(), entered_.number(), target.c_str()) !=
      0) {
    return failure_text("rename", path_ + "/" + name);
  }
  return "";
}

// --- One file ------------------------------------------------------------------------------------

Result<ExportFile, std::string> ExportFile::open(const std::string& path,
                                                 const SourceFolders& sources) {
  ExportFile made;
  std::string failure;
  if (path == "-") {
    made.name_ = "/dev/stdout";
    failure = made.open_spool();
    if (!failure.empty()) return failure;
    return made;
  }
  made.name_ = path;
  struct stat status;
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    made.target_ = FileDescriptor(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!made.target_.is_open()) return failure_text("open", path);
    failure = made.open_spool();
  } else {
    // A link is written through, not replaced.
    char resolved[PATH_MAX];
    const bool is_resolved = exists && realpath(path.c_str(), resolved) != nullptr;
    failure = made.open_beside(is_resolved ? resolved : path, sources);
    // If it is refused, the file keeps a narrower mode.
    if (failure.empty() && exists) fchmod(made.file_.number(), status.st_mode & 07777);
  }
  if (!failure.empty()) return failure;
  return made;
}

// A file without a name, to be copied from.
std::string ExportFile::open_spool() {
  const char* folder = getenv("TMPDIR");
  std::string name = folder != nullptr && *folder != '\0' ? folder : P_tmpdir;
  name += "/qip-XXXXXX";
  file_ = FileDescriptor(mkostemp(name.data(), O_CLOEXEC));
  if (!file_.is_open()) return failure_text("open", name);
  unlink(name.c_str());
  return "";
}

std::string ExportFile::open_beside(const std::string& path, const SourceFolders& sources) {
  const SplitPath split = split_path(path);
  folder_ = open_folder(AT_FDCWD, split.folder.c_str());
  if (!folder_.is_open()) return failure_text("open", path);
  std::string failure = sources.refuse_with_parents(folder_.number(), path);
  if (!failure.empty()) return failure;
  final_name_ = split.name;
  for (unsigned attempt = 0; attempt < kAttempts; attempt++) {
    const std::string name = temporary_name(attempt);
    file_ = FileDescriptor(openat(folder_.number(), name.c_str(), kNewFileFlags, 0644));
    if (file_.is_open()) {
      temporary_name_ = name;
      return "";
    }
    if (errno != EEXIST) break;
  }
  return failure_text("open", path);
}

ExportFile::~ExportFile() {
  if (folder_.is_open() && !temporary_name_.empty()) {
    unlinkat(folder_.number(), temporary_name_.c_str(), 0);
  }
}

std::string ExportFile::write(std::string_view text) const {
  const int error = write_fully(file_.number(), {}, text);
  return error == 0 ? "" : failure_text("write", name_, error);
}

std::string ExportFile::copy_to_target() const {
  const int to = target_.is_open() ? target_.number() : STDOUT_FILENO;
  const off_t size = lseek(file_.number(), 0, SEEK_END);
  if (size < 0) return failure_text("read", name_);
  const int error = read_file(file_.number(), static_cast<uint64_t>(size), writer_to(to));
  return error == 0 ? "" : failure_text("write", name_, error);
}

std::string ExportFile::finish() {
  if (!folder_.is_open()) {
    std::string failure = copy_to_target();
    if (failure.empty() && !target_.close()) failure = failure_text("close", name_);
    return failure;
  }
  if (!file_.close()) return failure_text("close", name_);
  if (renameat(folder_.number(), temporary_name_.c_str(), folder_.number(), final_name_.c_str()) !=
      0) {
    return failure_text("rename", name_);
  }
  temporary_name_.clear();
  return "";
}

}  // namespace qip
