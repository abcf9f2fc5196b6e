// Several threads run instances of one Code at the same time, each with its own Store and Budget:
// results, traps, their places and deadlines are those of a run alone. (SANITIZE=thread looks at
// the same tests for data races.)
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "vm/test_modules.hpp"

namespace qip {
namespace {

using namespace vm_test;
using enum Opcode;

constexpr uint32_t kThreads = 8;

// Runs work(thread index) on every thread at once.
void on_all_threads(const std::function<void(uint32_t)>& work) {
  std::atomic<uint32_t> waiting{0};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; i++) {
    threads.emplace_back([&, i] {
      waiting++;
      while (waiting.load() < kThreads) std::this_thread::yield();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

ModuleBuilder guest_module() {
  ModuleBuilder module;
  module.type("i:i");
  module.memory(1, 10);
  module.table('r', 4);
  module.active_data(0, {1, 2, 3, 4});
  // Sums its memory while it writes there, calls directly and through the table, and grows.
  module.function(
      "work", "i:i",
      code(loop(code(get(0), i32(1'000), I32RemU, get(0), access(I32Store), get(1), get(0),
                     i32(1'000), I32RemU, access(I32Load), I32Add, i32(1), i32(0), call_indirect(0),
                     I32Add, call(1), set(1), get(0), i32(1), I32Sub, tee(0), br_if(0))),
           i32(1), memory_grow(), get(1), I32Add),
      "i");
  module.function("", "i:i", code(get(0), i32(3), I32Xor));
  module.function("trap", "i:i",
                  code(get(0), if_else(code(get(0), i32(1), I32Sub, call(2)),
                                       code(i32(0x7FFF'0000), access(I32Load)), 'i')));
  module.function("divide", "i:i", code(i32(1), get(0), I32DivU));
  module.function("endless", ":", loop(code(i32(0), i32(1), i32(1'000), memory_fill(), br(0))));
  module.active_elements(0, 0, {1});
  return module;
}

struct Life {
  Outcome work, trap, divide, endless;
  std::vector<TrapLocation> stack;
  uint64_t depth = 0;
};

// One instance from beginning to end.
Life live(const std::shared_ptr<const Code>& shared, Budget& budget, MemoryPool* pool,
          uint32_t number, bool with_endless) {
  Life life;
  budget.refuel();
  budget.start_deadline(std::chrono::minutes(10));
  Store store(pool);
  const auto made = instantiate(store, shared, {}, budget);
  if (!made.ok()) {
    ADD_FAILURE() << made.error().message;
    return life;
  }
  const auto run = [&](const char* name, const Values& arguments) {
    return invoke_function(budget, made.value()->exported_function(name), arguments);
  };
  life.work = run("work", {i32_value(500 + number)});
  life.trap = run("trap", {i32_value(10 + number)});
  life.stack = last_trap_stack(budget, 100, &life.depth);
  for (TrapLocation& frame : life.stack) {
    EXPECT_EQ(frame.instance, made.value());
    frame.instance = nullptr;
  }
  life.divide = run("divide", {i32_value(number)});
  if (with_endless) {
    budget.start_deadline(std::chrono::milliseconds(1 + number % 3));
    life.endless = run("endless", {});
  }
  budget.clear_deadline();
  return life;
}

void expect_equal(const Life& life, const Life& expected) {
  EXPECT_EQ(life.work, expected.work);
  EXPECT_EQ(life.trap, expected.trap);
  EXPECT_EQ(life.divide, expected.divide);
  EXPECT_EQ(life.endless, expected.endless);
  EXPECT_EQ(life.depth, expected.depth);
  ASSERT_EQ(life.stack.size(), expected.stack.size());
  for (size_t i = 0; i < life.stack.size(); i++) {
    EXPECT_EQ(life.stack[i].function_index, expected.stack[i].function_index);
    EXPECT_EQ(life.stack[i].byte_offset, expected.stack[i].byte_offset);
  }
}

TEST(Threads, share_code_and_nothing_else) {
  const std::shared_ptr<const Code> shared = load(guest_module());
  constexpr uint32_t kNumbers = 6;
  std::vector<Life> expected;
  Budget alone;
  for (uint32_t number = 0; number < kNumbers; number++) {
    expected.push_back(live(shared, alone, nullptr, number, true));
    ASSERT_EQ(expected.back().work.trap, Trap::None);
    ASSERT_EQ(expected.back().trap, trapped(Trap::OutOfBoundsMemoryAccess));
    ASSERT_EQ(expected.back().endless, trapped(Trap::DeadlineExceeded));
  }
  on_all_threads([&](uint32_t thread) {
    Budget budget;
    MemoryPool pool(thread % 2);
    for (uint32_t i = 0; i < 40; i++) {
      const uint32_t number = (thread + i) % kNumbers;
      Life life = live(shared, budget, &pool, number, i % 4 == 0);
      if (i % 4 != 0) life.endless = expected[number].endless;
      expect_equal(life, expected[number]);
    }
  });
}

// Whatever is made at its first use is made by several at once.
TEST(Threads, may_all_be_the_first) {
  const ModuleBuilder module = guest_module();
  on_all_threads([&](uint32_t) {
    for (int i = 0; i < 3; i++) {
      const std::shared_ptr<const Code> own = load(module);
      Budget budget;
      const Life life = live(own, budget, nullptr, 2, true);
      EXPECT_EQ(life.endless, trapped(Trap::DeadlineExceeded));
      EXPECT_EQ(life.divide, returned({i32_value(0)}));
    }
  });
}

TEST(Threads, a_deadline_ends_only_the_run_of_its_own_thread) {
  const std::shared_ptr<const Code> shared = load(guest_module());
  std::atomic<uint32_t> stopped{0};
  on_all_threads([&](uint32_t thread) {
    Store store;
    Budget budget;
    const auto made = instantiate(store, shared, {}, budget);
    ASSERT_TRUE(made.ok());
    if (thread % 2 == 0) {
      // Stopped again and again.
      for (int i = 0; i < 20; i++) {
        budget.start_deadline(std::chrono::milliseconds(1));
        EXPECT_EQ(invoke_function(budget, made.value()->exported_function("endless"), {}),
                  trapped(Trap::DeadlineExceeded));
      }
      stopped++;
      return;
    }
    // Runs as long as the others are being stopped, and is not.
    budget.start_deadline(std::chrono::minutes(10));
    while (stopped.load() < kThreads / 2) {
      ASSERT_EQ(invoke_function(budget, made.value()->exported_function("divide"), {i32_value(1)}),
                returned({i32_value(1)}));
      ASSERT_FALSE(budget.interrupted());
    }
  });
}

TEST(Threads, the_code_lives_as_long_as_the_last_instance) {
  std::shared_ptr<const Code> shared = load(guest_module());
  std::atomic<uint32_t> ready{0};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; i++) {
    threads.emplace_back([own = shared, &ready]() mutable {
      Store store;
      Budget budget;
      const auto made = instantiate(store, std::move(own), {}, budget);
      ready++;
      while (ready.load() < kThreads + 1) std::this_thread::yield();
      EXPECT_EQ(invoke_function(budget, made.value()->exported_function("divide"), {i32_value(1)}),
                returned({i32_value(1)}));
    });
  }
  while (ready.load() < kThreads) std::this_thread::yield();
  shared.reset();
  ready++;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace qip
