// One mutex, one condition. A thread ends only with the pool.
#include "cli/dev/worker_pool.hpp"

#include <algorithm>

namespace qip {
namespace {

// Instances that a chain has at a time, and one for the next.
constexpr size_t kKeptMemories = 3;

}  // namespace

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  work_came_.notify_all();
  for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
}

WorkerPool::Lanes::iterator WorkerPool::lane_of(const void* name) {
  return std::find_if(lanes_.begin(), lanes_.end(),
                      [name](const Lane& lane) { return lane.name == name; });
}

WorkerPool::Lanes::iterator WorkerPool::next_lane() {
  return std::find_if(lanes_.begin(), lanes_.end(), [this](const Lane& lane) {
    return !lane.waiting.empty() && lane.running < per_lane_;
  });
}

// Works that may begin now.
size_t WorkerPool::runnable() const {
  size_t count = 0;
  for (const Lane& lane : lanes_) {
    count += std::min<size_t>(lane.waiting.size(), per_lane_ - lane.running);
  }
  return count;
}

bool WorkerPool::start_thread() {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, run_thread, this) != 0) return false;
  threads_.push_back(thread);
  return true;
}

bool WorkerPool::submit(const void* lane, std::unique_ptr<Work> work) {
  const std::lock_guard lock(mutex_);
  auto place = lane_of(lane);
  if (place == lanes_.end()) {
    place = lanes_.emplace(lanes_.end());
    place->name = lane;
  }
  place->waiting.push_back(std::move(work));
  // Every work that may begin has a thread that runs none. A thread that has finished a work takes
  // the next one, so this stays true.
  if (runnable() > threads_.size() - running_ && threads_.size() < most_threads_ &&
      !start_thread() && threads_.empty()) {
    place->waiting.pop_back();
    if (place->waiting.empty()) lanes_.erase(place);
    return false;
  }
  work_came_.notify_one();
  return true;
}

size_t WorkerPool::thread_count() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

void* WorkerPool::run_thread(void* pool) {
  static_cast<WorkerPool*>(pool)->run();
  return nullptr;
}

// Ends: with the pool.
void WorkerPool::run() {
  MemoryPool memory(kKeptMemories);
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto place = next_lane();
    if (is_over_) return;
    if (place == lanes_.end()) {
      work_came_.wait(lock);
      continue;
    }
    const void* name = place->name;
    std::unique_ptr<Work> work = std::move(place->waiting.front());
    place->waiting.pop_front();
    place->running++;
    running_++;
    lanes_.splice(lanes_.end(), lanes_, place);  // the others come first now
    lock.unlock();
    work->run(memory);
    work.reset();
    lock.lock();
    const auto done = lane_of(name);
    done->running--;
    running_--;
    if (done->running == 0 && done->waiting.empty()) lanes_.erase(done);
  }
}

}  // namespace qip
