// Watcher: tells that something in a site's folders has changed.
//
// Promises: a change that was finished before has_news() is called is news, however short before.
// If the system has no watches left, or lost some of the news, everything counts as changed
// (or is looked through, at most every kScanInterval).
// Source: inotify(7): an event is queued before the call that caused it returns.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/digest.hpp"
#include "host/files.hpp"
#include "host/site/site.hpp"

namespace qip {

inline constexpr std::chrono::milliseconds kScanInterval{500};

// What may have changed.
struct SiteChanges {
  bool pages = false;    // bytes of content files
  bool content = false;  // which files there are
  bool recipes = false;
  bool forms = false;
  bool components = false;

  bool is_any() const { return pages || is_reload(); }
  // More than what is read again for every request.
  bool is_reload() const { return content || recipes || forms || components; }
  void add(const SiteChanges& other);
  // "recipe_change" and the like: the one of most consequence.
  const char* reason() const;
};

class Watcher {
 public:
  // Of a site with these options.
  explicit Watcher(const SiteOptions& options);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Watches exactly these folders from now on. `since`: when somebody began to look at what is in
  // them, in nanoseconds since 1970. True: some of that may have changed before it was watched.
  bool watch(const std::vector<std::string>& folders, int64_t since);

  // To wait for with poll(); -1: there is none.
  int descriptor() const { return inotify_.number(); }
  // Any thread. One system call.
  bool has_news() const;
  // The news so far; empty: there is none.
  SiteChanges take();

  // Why folders are looked through instead of watched; empty: they are watched.
  const std::string& problem() const { return problem_; }

  // Nanoseconds since 1970, as files have them.
  static int64_t now();

 private:
  enum class Role : uint8_t { Content, Recipes, Forms, Components };
  struct Folder {
    std::string path;
    Role role;
  };

  Role role_of(const std::string& folder) const;
  void note(SiteChanges& changes, const Folder& folder, uint32_t mask, const char* name) const;
  void give_up_watching(int error_number);
  Xxh3Digest scan() const;
  SiteChanges take_by_scan();

  SiteOptions options_;
  FileDescriptor inotify_;
  std::map<int, Folder> watched_;     // by watch descriptor
  std::vector<std::string> folders_;  // all
  std::string problem_;
  Xxh3Digest last_scan_{};
  std::atomic<int64_t> next_scan_{0};  // nanoseconds of the steady clock
};

}  // namespace qip
