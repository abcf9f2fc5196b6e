// ResponseMaker: responses that the Responder does not remember, made by the worker pool.
//
// Promises: equal requests that come while their response is being made share it, unless the file
// has changed since the making began: an edit that was finished before a request came is always
// seen. Works of one chain are one lane of the pool.
// Bounded: by the callers that wait. Any number of threads.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "cli/dev/waiters.hpp"
#include "cli/dev/worker_pool.hpp"
#include "host/site/response.hpp"
#include "host/site/site.hpp"

namespace qip {

class ResponseMaker {
 public:
  // Both live longer.
  ResponseMaker(Responder& responder, WorkerPool& pool) : responder_(responder), pool_(pool) {}
  ResponseMaker(const ResponseMaker&) = delete;
  ResponseMaker& operator=(const ResponseMaker&) = delete;

  // `route` is the site's. False if nobody can make it; then the waiter hears nothing.
  bool request(std::shared_ptr<const Site> site, const Route& route, ResponseWaiter& waiter);

 private:
  class Flight;
  using Key = std::pair<const Site*, size_t>;

  bool can_join(const Flight& flight, const Site& site, const Route& route) const;
  void begin(Flight& flight);
  void finish(const std::shared_ptr<Flight>& flight, std::shared_ptr<const MadeResponse> made);

  Responder& responder_;
  WorkerPool& pool_;
  std::mutex mutex_;                                 // of what follows, and of every flight
  std::map<Key, std::shared_ptr<Flight>> joinable_;  // the last one of each route
};

}  // namespace qip
