// WorkerPool: threads that run components, in lanes that cannot hold each other up.
//
// Promises: works of one lane are begun in the order in which they came, at most `per_lane` of them
// at a time; lanes take turns. A lane whose works never end holds its own threads and no others:
// threads are made when work waits and none is free, up to `most_threads`.
// Bounds: `most_threads`; works wait in memory, as many as the caller submits.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "vm/memory.hpp"

namespace qip {

class Work {
 public:
  virtual ~Work() = default;
  // `pool` is the thread's own.
  virtual void run(MemoryPool& pool) = 0;
};

class WorkerPool {
 public:
  WorkerPool(unsigned per_lane, unsigned most_threads)
      : per_lane_(per_lane), most_threads_(most_threads) {}
  // Waits for works that have begun; the others are destroyed without being run.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // `lane` is compared only. False if there is no thread at all to run it.
  bool submit(const void* lane, std::unique_ptr<Work> work);

  size_t thread_count() const;

 private:
  struct Lane {
    const void* name;
    unsigned running = 0;
    std::deque<std::unique_ptr<Work>> waiting;
  };
  using Lanes = std::list<Lane>;

  static void* run_thread(void* pool);
  void run();
  // The lane whose turn it is; end() if no work may begin.
  Lanes::iterator next_lane();
  Lanes::iterator lane_of(const void* name);
  size_t runnable() const;
  bool start_thread();

  const unsigned per_lane_;
  const unsigned most_threads_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable work_came_;
  Lanes lanes_;  // those with work, in the order of their turns
  std::vector<pthread_t> threads_;
  size_t running_ = 0;  // works
  bool is_over_ = false;
};

}  // namespace qip
