// TimedBudget: a Budget whose clock can be stopped while the host waits for something that is not
// the guest's fault, for example a slow stdin.
//
// Promises: over all its running stretches together the guests get `limit()` and no more.
#pragma once

#include <chrono>

#include "vm/budget.hpp"

namespace qip {

inline constexpr std::chrono::milliseconds kDefaultTimeLimit{5'000};

class TimedBudget {
 public:
  explicit TimedBudget(std::chrono::nanoseconds limit, const BudgetLimits& limits = {})
      : budget_(limits), limit_(limit) {}

  // The clock stands still until the first resume().
  void resume() {
    started_ = Clock::now();
    budget_.start_deadline(limit_ - used_);  // nothing left: the next guest call stops at once
  }
  void pause() {
    used_ += Clock::now() - started_;
    budget_.clear_deadline();
  }

  Budget& budget() { return budget_; }
  std::chrono::nanoseconds limit() const { return limit_; }

 private:
  using Clock = std::chrono::steady_clock;
  Budget budget_;
  std::chrono::nanoseconds limit_;
  std::chrono::nanoseconds used_{0};
  Clock::time_point started_;
};

}  // namespace qip
