// Condition: threads wait until something has changed.
//
// The same as std::condition_variable, without the unwinder and the demangler that a static link
// would take along with it. As there: whoever waits holds the mutex and looks again afterwards.
#pragma once

#include <pthread.h>

#include <mutex>

namespace qip {

class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void wait(std::unique_lock<std::mutex>& lock) {
    pthread_cond_wait(&changed_, lock.mutex()->native_handle());
  }
  void notify_all() { pthread_cond_broadcast(&changed_); }

 private:
  pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;
};

}  // namespace qip
