// A flight is one making of one response. It can be joined until it has begun, and after that as
// long as the file is what it was at the beginning.
#include "cli/dev/response_maker.hpp"

#include <time.h>

#include <utility>

namespace qip {
namespace {

// Times of files come from a clock that stands still for a moment: an edit in the same moment
// leaves no trace. A file that was older when it was looked at shows every later edit.
constexpr int64_t kClockGranularity = 50'000'000;  // nanoseconds

int64_t now_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool is_old(const FileStamp& stamp, int64_t now) {
  return stamp.modified_nanoseconds < now - kClockGranularity &&
         stamp.changed_nanoseconds < now - kClockGranularity;
}

std::optional<FileStamp> stamp_of(const Site& site, const Route& route) {
  Result<FileStamp, std::string> stamp = site.folder_of(route).stamp(route.file);
  if (!stamp.ok()) return std::nullopt;
  return stamp.value();
}

}  // namespace

class ResponseMaker::Flight {
 public:
  Flight(std::shared_ptr<const Site> site, const Route& route)
      : site_(std::move(site)), route_(&route) {}

  const Site& site() const { return *site_; }
  const Route& route() const { return *route_; }
  Key key() const { return {site_.get(), route_->number}; }

  bool has_begun = false;
  std::optional<FileStamp> stamp;  // at the beginning, if it can be relied on
  std::vector<ResponseWaiter*> waiters;

 private:
  std::shared_ptr<const Site> site_;
  const Route* route_;
};

bool ResponseMaker::can_join(const Flight& flight, const Site& site, const Route& route) const {
  if (!flight.has_begun || route.kind == RouteKind::Script) return true;
  return flight.stamp && stamp_of(site, route) == flight.stamp;
}

bool ResponseMaker::request(std::shared_ptr<const Site> site, const Route& route,
                            ResponseWaiter& waiter) {
  class Making : public Work {
   public:
    Making(ResponseMaker& maker, std::shared_ptr<Flight> flight)
        : maker_(maker), flight_(std::move(flight)) {}
    void run(MemoryPool& pool) override {
      maker_.begin(*flight_);
      auto made = std::make_shared<MadeResponse>();
      made->response =
          maker_.responder_.make(flight_->site(), flight_->route(), made->trace, &pool);
      maker_.finish(flight_, std::move(made));
    }

   private:
    ResponseMaker& maker_;
    std::shared_ptr<Flight> flight_;
  };

  const std::lock_guard lock(mutex_);
  const auto found = joinable_.find({site.get(), route.number});
  if (found != joinable_.end() && can_join(*found->second, *site, route)) {
    found->second->waiters.push_back(&waiter);
    return true;
  }
  const auto flight = std::make_shared<Flight>(std::move(site), route);
  if (!pool_.submit(route.chain, std::make_unique<Making>(*this, flight))) return false;
  flight->waiters.push_back(&waiter);
  joinable_[flight->key()] = flight;
  return true;
}

// Before the source is opened.
void ResponseMaker::begin(Flight& flight) {
  std::optional<FileStamp> stamp;
  if (flight.route().kind != RouteKind::Script) stamp = stamp_of(flight.site(), flight.route());
  if (stamp && !is_old(*stamp, now_nanoseconds())) stamp.reset();
  const std::lock_guard lock(mutex_);
  flight.has_begun = true;
  flight.stamp = stamp;
}

void ResponseMaker::finish(const std::shared_ptr<Flight>& flight,
                           std::shared_ptr<const MadeResponse> made) {
  std::vector<ResponseWaiter*> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto found = joinable_.find(flight->key());
    if (found != joinable_.end() && found->second == flight) joinable_.erase(found);
    waiters.swap(flight->waiters);
  }
  for (ResponseWaiter* waiter : waiters) waiter->on_response(made);
}

}  // namespace qip
