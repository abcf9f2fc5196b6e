// inotify, one watch for each folder. Looking through folders is the way out when watches are
// scarce: names and metadata of every entry, as a digest.
#include "cli/dev/watcher.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "host/text.hpp"

namespace qip {
namespace {

constexpr uint32_t kStructure = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT;
constexpr uint32_t kBytes = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB;
constexpr uint32_t kMask =
    (kStructure & ~uint32_t{IN_UNMOUNT}) | kBytes | IN_ONLYDIR | IN_EXCL_UNLINK;
// Times of files come from a clock that stands still for a moment.
constexpr int64_t kClockGranularity = 50'000'000;  // nanoseconds

int64_t nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

int64_t steady_now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string_view without_last_slashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

bool is_beneath(std::string_view path, std::string_view root) {
  path = without_last_slashes(path);
  root = without_last_slashes(root);
  if (!path.starts_with(root)) return false;
  return path.size() == root.size() || root == "/" || path[root.size()] == '/';
}

// What editors keep beside the file that is edited: no page shows it.
bool is_editors_own(std::string_view name) {
  return name.starts_with('.') || name.ends_with('~');
}

using OpenFolder = std::unique_ptr<DIR, int (*)(DIR*)>;

// Calls `see` with every entry's name and metadata; "." is the folder itself.
template <class See>
void look_through(const std::string& path, See see) {
  const OpenFolder folder(opendir(path.c_str()), [](DIR* each) { return closedir(each); });
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder.get())) {
    if (strcmp(entry->d_name, "..") == 0) continue;
    struct stat status{};
    if (fstatat(dirfd(folder.get()), entry->d_name, &status, 0) != 0) continue;
    see(entry->d_name, status);
  }
}

bool has_changed_since(const std::string& folder, int64_t since, bool only_itself) {
  bool changed = false;
  look_through(folder, [&](const char* name, const struct stat& status) {
    if (only_itself && strcmp(name, ".") != 0) return;
    changed |= nanoseconds(status.st_ctim) >= since - kClockGranularity;
  });
  return changed;
}

template <class Value>
void digest_value(Xxh3& digest, const Value& value) {
  digest.update({reinterpret_cast<const uint8_t*>(&value), sizeof value});
}

}  // namespace

void SiteChanges::add(const SiteChanges& other) {
  pages |= other.pages;
  content |= other.content;
  recipes |= other.recipes;
  forms |= other.forms;
  components |= other.components;
}

const char* SiteChanges::reason() const {
  if (recipes) return "recipe_change";
  if (forms) return "form_change";
  if (components) return "component_change";
  return "content_change";
}

Watcher::Watcher(const SiteOptions& options)
    : options_(options), inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!inotify_.is_open()) give_up_watching(errno);
}

int64_t Watcher::now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return nanoseconds(time);
}

Watcher::Role Watcher::role_of(const std::string& folder) const {
  const std::string content(without_last_slashes(options_.content));
  if (is_beneath(folder, options_.recipes.value_or(content + "/_recipes"))) return Role::Recipes;
  if (is_beneath(folder, options_.forms.value_or(content + "/_forms"))) return Role::Forms;
  if (is_beneath(folder, options_.components.value_or(content + "/_components"))) {
    return Role::Components;
  }
  return Role::Content;
}

// An instance without watches stays: its descriptor may be in use by another thread.
void Watcher::give_up_watching(int error_number) {
  if (!problem_.empty()) return;
  problem_ = system_error_text(error_number);
  last_scan_ = scan();
  next_scan_.store(steady_now() + std::chrono::nanoseconds(kScanInterval).count());
}

bool Watcher::watch(const std::vector<std::string>& folders, int64_t since) {
  folders_ = folders;
  if (!problem_.empty()) {
    const Xxh3Digest before = std::exchange(last_scan_, scan());
    return last_scan_ != before;
  }
  bool changed = false;
  std::set<int> kept;
  for (const std::string& path : folders) {
    const int number = inotify_add_watch(inotify_.number(), path.c_str(), kMask);
    if (number < 0) {
      if (errno == ENOENT || errno == ENOTDIR) {  // gone again
        changed = true;
        continue;
      }
      give_up_watching(errno);
      return true;
    }
    kept.insert(number);
    const Role role = role_of(path);
    const bool is_new = watched_.insert_or_assign(number, Folder{path, role}).second;
    if (is_new) changed |= has_changed_since(path, since, role == Role::Content);
  }
  std::erase_if(watched_, [&](const auto& each) {
    if (kept.count(each.first) > 0) return false;
    inotify_rm_watch(inotify_.number(), each.first);
    return true;
  });
  return changed;
}

bool Watcher::has_news() const {
  const int64_t next_scan = next_scan_.load(std::memory_order_acquire);
  if (next_scan != 0) return steady_now() >= next_scan;
  int bytes = 0;
  return ioctl(inotify_.number(), FIONREAD, &bytes) == 0 && bytes > 0;
}

void Watcher::note(SiteChanges& changes, const Folder& folder, uint32_t mask,
                   const char* name) const {
  const bool is_structure = (mask & kStructure) != 0 || *name == '\0' || (mask & IN_ISDIR) != 0;
  switch (folder.role) {
    case Role::Content:
      changes.content |= is_structure;
      changes.pages |= !is_editors_own(name);
      break;
    case Role::Recipes:
      changes.recipes = true;
      break;
    case Role::Forms:
      changes.forms = true;
      break;
    case Role::Components:
      changes.components = true;
      break;
  }
}

SiteChanges Watcher::take() {
  if (!problem_.empty()) return take_by_scan();
  SiteChanges changes;
  alignas(inotify_event) char buffer[16 * 1024];
  // Ends: when the queue is empty; its length is limited by the system.
  for (;;) {
    const ssize_t size = read(inotify_.number(), buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return changes;
    for (ssize_t at = 0; at < size;) {
      inotify_event event;
      memcpy(&event, buffer + at, sizeof event);
      const char* name = event.len > 0 ? buffer + at + sizeof event : "";
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        changes = {true, true, true, true, true};
      } else if ((event.mask & IN_IGNORED) != 0) {
        watched_.erase(event.wd);
      } else if (const auto found = watched_.find(event.wd); found != watched_.end()) {
        note(changes, found->second, event.mask, name);
      }
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
}

Xxh3Digest Watcher::scan() const {
  Xxh3 digest;
  for (const std::string& folder : folders_) {
    look_through(folder, [&digest](const char* name, const struct stat& status) {
      digest.update({reinterpret_cast<const uint8_t*>(name), strlen(name) + 1});
      digest_value(digest, status.st_ino);
      digest_value(digest, status.st_mode);
      if (strcmp(name, ".") == 0) return;
      digest_value(digest, status.st_size);
      digest_value(digest, status.st_mtim);
      digest_value(digest, status.st_ctim);
    });
  }
  return digest.digest();
}

SiteChanges Watcher::take_by_scan() {
  if (!has_news()) return {};
  const Xxh3Digest found = scan();
  next_scan_.store(steady_now() + std::chrono::nanoseconds(kScanInterval).count());
  if (found == last_scan_) return {};
  last_scan_ = found;
  return {true, true, true, true, true};
}

}  // namespace qip
