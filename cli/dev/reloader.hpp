// Reloader: the current generation of the site, and the thread that replaces it.
//
// Promises: a generation is replaced as a whole or not at all; what was served stays when a reload
// fails. In mode dev an edit that was finished before a request came is in the generation that
// answers it: is_stale() says that the request has to wait, and waiters are told when it need not
// any more. Edits without requests are taken in when there is quiet for kQuiet. A reload that has
// failed is tried again by requests, at most every kRetryInterval.
// Assumes: folders are looked at by this thread alone.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/dev/event_streams.hpp"
#include "cli/dev/log.hpp"
#include "cli/dev/waiters.hpp"
#include "cli/dev/watcher.hpp"
#include "host/error.hpp"
#include "host/site/site.hpp"

namespace qip {

inline constexpr std::chrono::milliseconds kQuiet{50};
inline constexpr std::chrono::milliseconds kMostUnrest{1'000};  // or after so long without quiet
inline constexpr std::chrono::milliseconds kRetryInterval{500};

struct Generation {
  std::shared_ptr<const Site> site;
  std::string reload_error;  // why there is no newer one; empty: this is the newest
};

class Reloader {
 public:
  // `log` and `streams` live longer.
  Reloader(const SiteOptions& options, ServerLog& log, EventStreams& streams);
  ~Reloader() { stop(); }
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Loads the first generation and starts the thread.
  MaybeError start();
  // Ends the thread and tells all waiters.
  void stop();

  std::shared_ptr<const Generation> current() const;

  // True: there is an edit that the current generation may not have.
  bool is_stale() const;
  // False: the thread has ended, and the waiter hears nothing.
  bool wait(FreshnessWaiter& waiter);

  // Loads everything again, whatever has changed.
  void request_reload();

 private:
  static void* run_thread(void* reloader);
  void run();
  void wake() const;
  int time_to_wait() const;
  Result<std::shared_ptr<const Site>, HostError> load(const Site* previous);
  bool is_retry_due() const;
  void apply(bool was_asked);
  void reload(const char* reason, bool was_asked);
  void tell_failure(const char* reason, bool was_asked, const std::string& message);
  void publish(std::shared_ptr<const Site> site, std::string error);
  std::vector<FreshnessWaiter*> take_waiters();

  const SiteOptions options_;
  ServerLog& log_;
  EventStreams& streams_;
  std::optional<Watcher> watcher_;  // mode dev only
  FileDescriptor wake_;             // an eventfd

  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const Generation> current_;
  std::vector<FreshnessWaiter*> waiters_;
  bool is_over_ = true;

  std::atomic<bool> asked_{false};
  // The thread has taken news from the watcher that are not in the current generation.
  std::atomic<bool> has_untaken_{false};

  std::atomic<int64_t> next_retry_{0};  // nanoseconds of the steady clock; 0: nothing has failed

  // Of the thread:
  SiteChanges changes_;
  std::chrono::steady_clock::time_point first_news_{};  // of `changes_`
  std::chrono::steady_clock::time_point last_news_{};
  bool is_retry_ = false;
  bool told_problem_ = false;
  pthread_t thread_{};
};

}  // namespace qip
