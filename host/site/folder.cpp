// Every name goes through openat2() relative to the folder's descriptor, so that neither a link nor
// a folder that is replaced meanwhile leads outside. Listing keeps a list of the folders that it
// has found and looks at one after the other; it ends, because their number is bounded.
#include "host/site/folder.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "host/text.hpp"

namespace qip {
namespace {

// Without following a link of any kind: for kernels that cannot say "beneath".
int open_step_by_step(int folder, const std::string& relative, int flags) {
  FileDescriptor at;
  int base = folder;
  for (size_t begin = 0;;) {
    const size_t slash = relative.find('/', begin);
    const bool is_last = slash == std::string::npos;
    const std::string name = relative.substr(begin, is_last ? slash : slash - begin);
    if (name == "..") {
      errno = EXDEV;
      return -1;
    }
    const int fd =
        openat(base, name.c_str(),
               is_last ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || is_last) return fd;
    at = FileDescriptor(fd);
    base = fd;
    begin = slash + 1;
  }
}

// Returns a descriptor, or -1 with errno; EXDEV: the name leads outside.
int open_beneath(int folder, const std::string& relative, int flags) {
  // EAGAIN says that something was renamed at the same time, and the kernel could not be sure.
  constexpr int kAttempts = 1'000;
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    const long fd = syscall(SYS_openat2, folder, relative.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == ENOSYS || errno == EPERM) {
      return open_step_by_step(folder, relative, flags | O_CLOEXEC);
    }
    if (errno != EINTR && errno != EAGAIN) break;
  }
  return -1;
}

// Some file systems take any date; that of an impossible one need only be the same every time.
int64_t nanoseconds(const timespec& time) {
  return static_cast<int64_t>(static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 +
                              static_cast<uint64_t>(time.tv_nsec));
}

FileStamp stamp_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size),
          nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

std::string open_failure(const std::string& path, int error) {
  const std::string text = error == EXDEV ? "leads outside the folder" : system_error_text(error);
  return "open " + escape_controls(path) + ": " + text;
}

// Fills `stamp`, or returns a sentence.
std::string read_stamp(const FileDescriptor& file, const std::string& relative, FileStamp& stamp) {
  struct stat status;
  if (!file.is_open() || fstat(file.number(), &status) != 0) {
    // ENXIO: a socket, or a device that is not there.
    if (errno != ENXIO) return open_failure(relative, errno);
  } else if (S_ISREG(status.st_mode)) {
    stamp = stamp_of(status);
    return "";
  }
  return "open " + escape_controls(relative) + ": not a regular file";
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

class Lister {
 public:
  Lister(int root, std::string_view role, std::span<const std::string_view> skipped)
      : root_(root), role_(role), skipped_(skipped) {}

  Result<FolderListing, std::string> run() {
    found_.push_back({});
    for (size_t i = 0; i < found_.size(); i++) {
      std::string problem = look_at(i);
      if (!problem.empty()) return problem;
    }
    std::sort(listing_.files.begin(), listing_.files.end());
    std::sort(listing_.folders.begin(), listing_.folders.end());
    return std::move(listing_);
  }

 private:
  struct Folder {
    std::string path;  // relative
    size_t parent = 0;
    size_t depth = 0;         // 0: the root
    FileIdentity identity{};  // once it was looked at
  };

  std::string refuse(const std::string& path, std::string_view what) const {
    const std::string_view one = role_.ends_with('s') ? role_.substr(0, role_.size() - 1) : role_;
    return std::string(one) + " entry " + quoted_path(path) + " " + std::string(what);
  }
  std::string refuse_outside(const std::string& path) const {
    return refuse(path, "leads outside the " + std::string(role_) + " directory");
  }

  // Ends: parents come before what is in them.
  bool is_in_itself(size_t index) const {
    for (size_t at = index; found_[at].depth > 0;) {
      at = found_[at].parent;
      if (found_[at].identity == found_[index].identity) return true;
    }
    return false;
  }

  std::string look_at(size_t index) {
    const std::string folder = found_[index].path;
    const std::string name = folder.empty() ? "." : folder;
    const int fd = open_beneath(root_, name, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
      if (errno == ENOENT) return "";  // it is gone since it was found
      return errno == EXDEV ? refuse_outside(folder) : open_failure(name, errno);
    }
    const OpenFolder entries(fdopendir(fd));
    struct stat status;
    if (!entries || fstat(fd, &status) != 0) {
      const int error = errno;
      if (!entries) close(fd);
      return open_failure(name, error);
    }
    found_[index].identity = {status.st_dev, status.st_ino};
    if (is_in_itself(index)) return "";
    listing_.folders.push_back(folder);
    for (;;) {
      errno = 0;
      const dirent* const entry = readdir(entries.get());
      if (entry == nullptr) return errno == 0 ? "" : open_failure(name, errno);
      std::string problem = take(index, *entry, fd);
      if (!problem.empty()) return problem;
    }
  }

  std::string take(size_t index, const dirent& entry, int folder) {
    const std::string_view name(entry.d_name);
    if (name == "." || name == "..") return "";
    const Folder& parent = found_[index];
    if (parent.depth == 0 && std::find(skipped_.begin(), skipped_.end(), name) != skipped_.end()) {
      return "";
    }
    if (++entries_ > kMostFolderEntries) {
      return std::string(role_) + " directory has more than " + number_text(kMostFolderEntries) +
             " entries";
    }
    const std::string path = parent.path + (parent.depth == 0 ? "" : "/") + std::string(name);
    switch (entry.d_type) {
      case DT_REG:
        return take_file(path);
      case DT_DIR:
        return take_folder(index, path);
      case DT_LNK:
      case DT_UNKNOWN:
        return take_target(index, path, folder, entry.d_name);
      default:
        return refuse(path, "must be a regular file");
    }
  }

  // What is a link, or may be one.
  std::string take_target(size_t index, const std::string& path, int folder, const char* name) {
    const FileDescriptor target(open_beneath(root_, path, O_PATH));
    struct stat status;
    if (!target.is_open() || fstat(target.number(), &status) != 0) {
      if (errno == EXDEV) return refuse_outside(path);
      struct stat link;
      const bool is_gone = fstatat(folder, name, &link, AT_SYMLINK_NOFOLLOW) != 0;
      return is_gone ? "" : refuse(path, "must be a regular file");
    }
    if (S_ISREG(status.st_mode)) return take_file(path);
    if (S_ISDIR(status.st_mode)) return take_folder(index, path);
    return refuse(path, "must be a regular file");
  }

  std::string take_file(const std::string& path) {
    listing_.files.push_back(path);
    return "";
  }

  std::string take_folder(size_t parent, const std::string& path) {
    const size_t depth = found_[parent].depth + 1;
    if (depth > kMostFolderDepth) {
      return refuse(path, "is more than " + number_text(kMostFolderDepth) + " folders deep");
    }
    found_.push_back({path, parent, depth});
    return "";
  }

  int root_;
  std::string_view role_;
  std::span<const std::string_view> skipped_;
  std::vector<Folder> found_;
  size_t entries_ = 0;
  FolderListing listing_;
};

}  // namespace

std::string quoted_path(std::string_view path) {
  return "\"" + escape_controls(path) + "\"";
}

Result<SiteFolder, std::string> SiteFolder::open(const std::string& path, const char* role) {
  FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return invalid(path, role, errno);
  return SiteFolder(path, role, std::move(folder));
}

Result<std::optional<SiteFolder>, std::string> SiteFolder::open_inside(const SiteFolder& outer,
                                                                       std::string_view name,
                                                                       const char* role) {
  const std::string path = outer.path_of(name);
  const std::string relative(name);
  FileDescriptor folder(open_beneath(outer.folder_.number(), relative, O_RDONLY | O_DIRECTORY));
  if (folder.is_open()) {
    return std::optional<SiteFolder>(SiteFolder(path, role, std::move(folder)));
  }
  const int error = errno;
  struct stat link;
  const bool is_there =
      fstatat(outer.folder_.number(), relative.c_str(), &link, AT_SYMLINK_NOFOLLOW) == 0;
  if (error == ENOENT && !is_there) return std::optional<SiteFolder>();
  return invalid(path, role, error);
}

std::string SiteFolder::invalid(const std::string& path, const char* role, int error) {
  const std::string text = std::string("Invalid ") + role + " directory: ";
  if (error == ENOTDIR) return text + quoted_path(path) + " is not a directory";
  return text + open_failure(path, error);
}

std::string SiteFolder::path_of(std::string_view relative) const {
  if (relative.empty()) return path_;
  return path_ + (path_.ends_with('/') ? "" : "/") + std::string(relative);
}

Result<FolderListing, std::string> SiteFolder::list(
    std::span<const std::string_view> skipped) const {
  return Lister(folder_.number(), role_, skipped).run();
}

Result<OpenedFile, std::string> SiteFolder::open_file(const std::string& relative) const {
  OpenedFile opened{
      FileDescriptor(open_beneath(folder_.number(), relative, O_RDONLY | O_NONBLOCK | O_NOCTTY)),
      {}};
  std::string problem = read_stamp(opened.file, relative, opened.stamp);
  if (!problem.empty()) return problem;
  return opened;
}

Result<FileStamp, std::string> SiteFolder::stamp(const std::string& relative) const {
  const FileDescriptor file(open_beneath(folder_.number(), relative, O_PATH));
  FileStamp stamp;
  std::string problem = read_stamp(file, relative, stamp);
  if (!problem.empty()) return problem;
  return stamp;
}

}  // namespace qip
