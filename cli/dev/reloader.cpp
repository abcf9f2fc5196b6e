// The order in which is_stale() and the thread look at the watcher's queue and at has_untaken_ is
// what makes the promise hold: the thread sets the flag before it empties the queue, and is_stale()
// reads the queue before the flag.
#include "cli/dev/reloader.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "host/text.hpp"

namespace qip {
namespace {

using Clock = std::chrono::steady_clock;

// Files that change while they are looked at: then what was there last is served, and the next
// change is news again.
constexpr int kMostLoads = 5;

std::string milliseconds_since(Clock::time_point start) {
  const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  return number_text(static_cast<uint64_t>(taken.count()));
}

}  // namespace

Reloader::Reloader(const SiteOptions& options, ServerLog& log, EventStreams& streams)
    : options_(options),
      log_(log),
      streams_(streams),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

MaybeError Reloader::start() {
  if (!wake_.is_open()) return file_error("eventfd: " + system_error_text(errno));
  if (options_.mode == SiteMode::Dev) watcher_.emplace(options_);
  Result<std::shared_ptr<const Site>, HostError> site = load(nullptr);
  if (!site.ok()) return std::move(site.error());
  publish(std::move(site.value()), "");
  is_over_ = false;
  if (pthread_create(&thread_, nullptr, run_thread, this) == 0) return std::nullopt;
  is_over_ = true;
  return file_error("cannot start a thread");
}

void Reloader::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (is_over_) return;
    is_over_ = true;
  }
  wake();
  pthread_join(thread_, nullptr);
  for (FreshnessWaiter* waiter : take_waiters()) waiter->on_fresh();
}

std::shared_ptr<const Generation> Reloader::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void Reloader::publish(std::shared_ptr<const Site> site, std::string error) {
  auto next = std::make_shared<const Generation>(Generation{std::move(site), std::move(error)});
  const std::lock_guard lock(mutex_);
  current_.swap(next);  // the old one goes when the last request has finished with it
}

bool Reloader::is_stale() const {
  if (!watcher_) return false;
  return watcher_->has_news() || has_untaken_.load() || is_retry_due();
}

bool Reloader::is_retry_due() const {
  const int64_t when = next_retry_.load();
  return when != 0 && Clock::now().time_since_epoch() >= std::chrono::nanoseconds(when);
}

bool Reloader::wait(FreshnessWaiter& waiter) {
  {
    const std::lock_guard lock(mutex_);
    if (is_over_) return false;
    waiters_.push_back(&waiter);
  }
  wake();
  return true;
}

void Reloader::request_reload() {
  asked_.store(true);
  wake();
}

void Reloader::wake() const {
  const uint64_t one = 1;
  if (write(wake_.number(), &one, sizeof one) < 0) return;  // it is awake
}

std::vector<FreshnessWaiter*> Reloader::take_waiters() {
  std::vector<FreshnessWaiter*> taken;
  const std::lock_guard lock(mutex_);
  taken.swap(waiters_);
  return taken;
}

void* Reloader::run_thread(void* reloader) {
  static_cast<Reloader*>(reloader)->run();
  return nullptr;
}

// Milliseconds until there was quiet for long enough; -1: there is nothing to wait for.
int Reloader::time_to_wait() const {
  if (!changes_.is_any()) return -1;
  const Clock::time_point end = std::min(last_news_ + kQuiet, first_news_ + kMostUnrest);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  return left.count() < 0 ? 0 : static_cast<int>(left.count());
}

// Ends: with is_over_.
void Reloader::run() {
  pollfd sources[2] = {{wake_.number(), POLLIN, 0},
                       {watcher_ ? watcher_->descriptor() : -1, POLLIN, 0}};
  for (;;) {
    poll(sources, 2, time_to_wait());
    uint64_t count;
    while (read(wake_.number(), &count, sizeof count) > 0) {
    }
    {
      const std::lock_guard lock(mutex_);
      if (is_over_) return;
    }
    const std::vector<FreshnessWaiter*> waiters = take_waiters();
    if (watcher_) {
      has_untaken_.store(true);
      const SiteChanges news = watcher_->take();
      if (news.is_any()) last_news_ = Clock::now();
      if (!changes_.is_any()) first_news_ = last_news_;
      changes_.add(news);
    }
    is_retry_ = !changes_.is_reload() && !waiters.empty() && is_retry_due();
    changes_.content |= is_retry_;
    if (asked_.exchange(false)) apply(true);
    if (changes_.is_any() && (!waiters.empty() || time_to_wait() == 0)) apply(false);
    has_untaken_.store(changes_.is_any());
    for (FreshnessWaiter* waiter : waiters) waiter->on_fresh();
  }
}

void Reloader::apply(bool was_asked) {
  const SiteChanges changes = std::exchange(changes_, SiteChanges{});
  if (was_asked || changes.is_reload()) {
    reload(was_asked ? "signal_hup" : changes.reason(), was_asked);
  } else {
    streams_.send_reload();
  }
}

// Watches are set after looking, so what has changed in between is looked at again.
Result<std::shared_ptr<const Site>, HostError> Reloader::load(const Site* previous) {
  std::shared_ptr<const Site> kept;
  for (int i = 0; i < kMostLoads; i++) {
    const int64_t begun = Watcher::now();
    Result<std::shared_ptr<const Site>, HostError> site = Site::load(options_, previous);
    if (!site.ok() || !watcher_) return site;
    if (!watcher_->watch(site.value()->watched(), begun)) return site;
    kept = std::move(site.value());
    previous = kept.get();
  }
  return kept;
}

void Reloader::tell_failure(const char* reason, bool was_asked, const std::string& message) {
  log_.line(std::string(was_asked ? "dev: reload" : "dev: auto-reload") +
            " failed reason=" + reason + " error=" + message);
}

void Reloader::reload(const char* reason, bool was_asked) {
  const Clock::time_point start = Clock::now();
  const std::shared_ptr<const Generation> old = current();
  Result<std::shared_ptr<const Site>, HostError> loaded = load(old->site.get());
  if (!loaded.ok()) {
    const std::string& message = loaded.error().message;
    if (!is_retry_ || message != old->reload_error) tell_failure(reason, was_asked, message);
    publish(old->site, message);
    next_retry_.store(
        std::chrono::nanoseconds((Clock::now() + kRetryInterval).time_since_epoch()).count());
    return;
  }
  next_retry_.store(0);
  const std::shared_ptr<const Site> site = std::move(loaded.value());
  publish(site, "");
  log_.line(
      std::string("dev: reloaded reason=") + reason + " paths=" + number_text(site->path_count()) +
      " recipe_mimes=" + number_text(site->recipe_count()) +
      " forms=" + number_text(site->form_count()) + " duration_ms=" + milliseconds_since(start));
  if (watcher_ && !watcher_->problem().empty() && !told_problem_) {
    told_problem_ = true;
    log_.line("dev: folders cannot be watched (" + watcher_->problem() +
              "): requests look through them instead");
  }
  streams_.send_reload();
}

}  // namespace qip
