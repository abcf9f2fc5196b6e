// The worker pool: what a lane can do to the others, and what becomes of works.
#include "cli/dev/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace qip {
namespace {

constexpr std::chrono::seconds kGuard{20};  // against hanging only

class Call : public Work {
 public:
  explicit Call(std::function<void()> what) : what_(std::move(what)) {}
  void run(MemoryPool&) override { what_(); }

 private:
  std::function<void()> what_;
};

std::unique_ptr<Work> call(std::function<void()> what) {
  return std::make_unique<Call>(std::move(what));
}

// A gate that works wait at.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kGuard, [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

// Counts up; a test waits until a number is reached.
class Counter {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    count_++;
    changed_.notify_all();
  }
  bool reaches(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kGuard, [&] { return count_ >= count; });
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

TEST(WorkerPool, RunsEveryWorkOnce) {
  Counter done;
  WorkerPool pool(4, 16);
  int lane = 0;
  for (int i = 0; i < 1'000; i++) ASSERT_TRUE(pool.submit(&lane, call([&] { done.add(); })));
  EXPECT_TRUE(done.reaches(1'000));
  EXPECT_LE(pool.thread_count(), 4u) << "one lane has no more threads than it may use";
}

TEST(WorkerPool, ALaneThatNeverEndsDoesNotHoldAnotherUp) {
  Gate gate;
  Counter started;
  Counter done;
  int endless = 0;
  int other = 0;
  {
    WorkerPool pool(2, 16);
    for (int i = 0; i < 50; i++) {
      pool.submit(&endless, call([&] {
        started.add();
        gate.pass();
      }));
    }
    ASSERT_TRUE(started.reaches(2));
    for (int i = 0; i < 50; i++) pool.submit(&other, call([&] { done.add(); }));
    EXPECT_TRUE(done.reaches(50));
    EXPECT_EQ(started.count(), 2) << "no more than two of a lane at a time";
    gate.open();
  }
}

TEST(WorkerPool, EveryWorkThatMayBeginHasAThreadHoweverFastTheyCome) {
  // The second work comes before the thread that the first one woke has taken it.
  for (int round = 0; round < 200; round++) {
    Gate gate;
    Counter first;
    Counter second;
    WorkerPool pool(1, 16);
    int lanes[3] = {};
    pool.submit(&lanes[0], call([&] { first.add(); }));
    ASSERT_TRUE(first.reaches(1));
    pool.submit(&lanes[1], call([&] { gate.pass(); }));
    pool.submit(&lanes[2], call([&] { second.add(); }));
    ASSERT_TRUE(second.reaches(1)) << "it waits behind a work of another lane";
    gate.open();
  }
}

TEST(WorkerPool, LanesTakeTurnsWhenThereAreNotEnoughThreads) {
  Gate gate;
  Counter done;
  std::mutex mutex;
  std::string order;
  WorkerPool pool(1, 1);
  int lanes[3] = {};
  pool.submit(&lanes[0], call([&] { gate.pass(); }));
  for (int i = 0; i < 3; i++) {
    for (int lane = 0; lane < 3; lane++) {
      pool.submit(&lanes[lane], call([&, lane] {
        const std::lock_guard lock(mutex);
        order += static_cast<char>('a' + lane);
        done.add();
      }));
    }
  }
  gate.open();
  ASSERT_TRUE(done.reaches(9));
  EXPECT_EQ(order, "bcabcabca");
}

TEST(WorkerPool, EndsAfterTheWorksThatHaveBegunAndDropsTheOthers) {
  Counter started;
  std::atomic<int> ran{0};
  int lane = 0;
  Gate gate;
  std::thread opener;
  {
    WorkerPool pool(1, 1);
    pool.submit(&lane, call([&] {
      started.add();
      gate.pass();
      ran++;
    }));
    pool.submit(&lane, call([&] { ran += 100; }));
    ASSERT_TRUE(started.reaches(1));
    opener = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      gate.open();
    });
  }
  opener.join();
  EXPECT_EQ(ran.load(), 1);
}

}  // namespace
}  // namespace qip
