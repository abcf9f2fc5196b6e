// TimedBudget: what one run of a chain may still use: a Budget whose clock can be stopped while the
// host waits for something that is not the guest's fault, for example a slow stdin.
//
// Promises: over all its running stretches together the guests get `limits().time` and no more.
#pragma once

#include <chrono>

#include "host/limits.hpp"
#include "vm/budget.hpp"

namespace qip {

class TimedBudget {
 public:
  explicit TimedBudget(const RunLimits& limits)
      : budget_(BudgetLimits{.fuel = limits.fuel}), limits_(limits) {}

  // The clock stands still until the first resume().
  void resume() {
    started_ = Clock::now();
    budget_.start_deadline(limits_.time -
                           used_);  // nothing left: the next guest call stops at once
  }
  void pause() {
    used_ += Clock::now() - started_;
    budget_.clear_deadline();
  }

  // For the next run: all of the time and the fuel again. The clock must stand.
  void restart() {
    used_ = std::chrono::nanoseconds{0};
    budget_.refuel();
  }

  // The same while the clock runs, and goes on running.
  void renew() {
    used_ = std::chrono::nanoseconds{0};
    started_ = Clock::now();
    budget_.renew_deadline(limits_.time);
    budget_.refuel();
  }

  Budget& budget() { return budget_; }
  const RunLimits& limits() const { return limits_; }

 private:
  using Clock = std::chrono::steady_clock;
  Budget budget_;
  RunLimits limits_;
  std::chrono::nanoseconds used_{0};
  Clock::time_point started_;
};

}  // namespace qip
