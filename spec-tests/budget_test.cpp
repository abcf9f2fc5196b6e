// The budget from outside: fuel, deadline, interruption, stack size and memory limits each end a
// run with their own trap, leave the instance usable, and give the same result every time.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "spec-tests/wasm_bytes.hpp"
#include "vm/instance.hpp"

namespace qip {
namespace {

using std::chrono::milliseconds;

// (type 0) () -> (), (type 1) (i32) -> (i32); function 0 is exported as "f".
std::vector<uint8_t> module_of(uint8_t type, const WasmBytes& body, uint32_t pages = 0) {
  return WasmModuleBytes()
      .section(kTypeSection, WasmBytes().raw({2, 0x60, 0, 0, 0x60, 1, 0x7F, 1, 0x7F}))
      .section(kFunctionSection, WasmBytes().raw({1, type}))
      .section(kMemorySection, WasmBytes().raw({1, 0}).unsigned_leb(pages))
      .section(kExportSection, one_function_export("f"))
      .section(kCodeSection, one_body(body))
      .bytes();
}

// Counts down from the argument: (loop local.get 0, 1, sub, tee 0, br_if 0) 7
const WasmBytes kCountDown =
    WasmBytes().raw({0, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6B, 0x22, 0, 0x0D, 0, 0x0B, 0x41, 7, 0x0B});
// Calls itself as often as the argument says, and returns 7.
const WasmBytes kRecurse = WasmBytes().raw(
    {0, 0x20, 0, 0x04, 0x40, 0x20, 0, 0x41, 1, 0x6B, 0x10, 0, 0x1A, 0x0B, 0x41, 7, 0x0B});
const WasmBytes kEndless = WasmBytes().raw({0, 0x03, 0x40, 0x0C, 0, 0x0B, 0x0B});

std::shared_ptr<const Code> code_of(std::vector<uint8_t> bytes, bool fuel = false) {
  auto module = decode(std::move(bytes));
  if (!module) return nullptr;
  auto validated = validate(std::move(module.value()));
  if (!validated) return nullptr;
  auto code = translate(std::move(validated.value()), TranslateOptions{.fuel = fuel});
  return code ? code.value() : nullptr;
}

// One instance with its store and budget.
struct Running {
  Running(std::vector<uint8_t> bytes, const BudgetLimits& limits, bool fuel = false)
      : budget(limits) {
    auto result = instantiate(store, code_of(std::move(bytes), fuel), {}, budget);
    if (result) function = result.value()->exported_function("f");
  }
  Trap call() { return invoke(budget, *function, {}, {}); }
  Trap call(uint32_t argument, uint32_t* result = nullptr) {
    const Value arguments[] = {Value::from_i32(argument)};
    Value results[1];
    const Trap trap = invoke(budget, *function, arguments, results);
    if (result != nullptr) *result = results[0].i32();
    return trap;
  }

  Store store;
  Budget budget;
  FunctionInstance* function = nullptr;
};

TEST(BudgetFuel, no_fuel_stops_before_the_first_instruction_counts) {
  BudgetLimits limits;
  limits.fuel = 0;
  Running running(module_of(1, kCountDown), limits, true);
  ASSERT_NE(running.function, nullptr);
  EXPECT_EQ(running.call(1), Trap::FuelExhausted);
}

TEST(BudgetFuel, is_deterministic_and_monotonic) {
  uint64_t least = 0;
  for (int repetition = 0; repetition < 2; ++repetition) {
    uint64_t needed = 0;
    for (uint64_t fuel = 0; fuel < 2000; ++fuel) {
      BudgetLimits limits;
      limits.fuel = fuel;
      Running running(module_of(1, kCountDown), limits, true);
      ASSERT_NE(running.function, nullptr);
      const Trap trap = running.call(20);
      if (trap == Trap::None) {
        needed = fuel;
        break;
      }
      ASSERT_EQ(trap, Trap::FuelExhausted) << fuel;
    }
    ASSERT_GE(needed, 20u) << "twenty rounds cannot cost less";
    if (repetition == 0) least = needed;
    EXPECT_EQ(needed, least);
  }
}

TEST(BudgetFuel, grows_with_the_work) {
  const auto used = [](uint32_t rounds) {
    BudgetLimits limits;
    limits.fuel = 1'000'000;
    Running running(module_of(1, kCountDown), limits, true);
    EXPECT_EQ(running.call(rounds), Trap::None);
    return 1'000'000 - running.budget.remaining_fuel();
  };
  const uint64_t ten = used(10);
  const uint64_t hundred = used(100);
  const uint64_t thousand = used(1000);
  EXPECT_EQ((hundred - ten) * 10, thousand - hundred) << "every round costs the same";
}

TEST(BudgetDeadline, ends_an_endless_loop_and_nothing_after_it_is_cleared) {
  Running running(module_of(0, kEndless), {});
  ASSERT_NE(running.function, nullptr);
  for (int i = 0; i < 3; ++i) {
    running.budget.start_deadline(milliseconds(20));
    EXPECT_EQ(running.call(), Trap::DeadlineExceeded);
    EXPECT_TRUE(running.budget.interrupted());
    EXPECT_EQ(running.call(), Trap::DeadlineExceeded) << "later runs stop as well";
    running.budget.clear_deadline();
    EXPECT_FALSE(running.budget.interrupted());
  }
  Running counting(module_of(1, kCountDown), {});
  counting.budget.start_deadline(std::chrono::seconds(20));
  uint32_t result = 0;
  EXPECT_EQ(counting.call(1000, &result), Trap::None);
  EXPECT_EQ(result, 7u);
}

TEST(BudgetDeadline, ends_bulk_instructions) {
  // Fills 16 MiB again and again.
  WasmBytes body;
  body.raw({0, 0x03, 0x40, 0x41, 0, 0x41, 1, 0x41}).signed_leb(16 << 20);
  body.raw({0xFC, 11, 0, 0x0C, 0, 0x0B, 0x0B});
  Running running(module_of(0, body, 256), {});
  ASSERT_NE(running.function, nullptr);
  running.budget.start_deadline(milliseconds(20));
  EXPECT_EQ(running.call(), Trap::DeadlineExceeded);
}

TEST(BudgetInterrupt, another_thread_stops_a_run) {
  Running running(module_of(0, kEndless), {});
  ASSERT_NE(running.function, nullptr);
  std::thread interrupter([&running] {
    std::this_thread::sleep_for(milliseconds(20));
    running.budget.interrupt();
  });
  EXPECT_EQ(running.call(), Trap::DeadlineExceeded);
  interrupter.join();
}

TEST(BudgetStack, every_size_ends_recursion_with_its_own_trap) {
  for (uint64_t bytes = 16 << 10; bytes < (16 << 10) + 512; bytes += 8) {
    BudgetLimits limits;
    limits.stack_bytes = bytes;
    Running running(module_of(1, kRecurse), limits);
    ASSERT_NE(running.function, nullptr) << bytes;
    EXPECT_EQ(running.call(1'000'000), Trap::CallStackExhausted) << bytes;
    uint32_t result = 0;
    EXPECT_EQ(running.call(10, &result), Trap::None) << bytes;
    EXPECT_EQ(result, 7u);
  }
}

TEST(BudgetStack, bounds_the_call_depth) {
  BudgetLimits limits;
  limits.stack_bytes = 200 * kMinimumFrameBytes;
  Running running(module_of(1, kRecurse), limits);
  ASSERT_NE(running.function, nullptr);
  uint32_t deepest = 0;
  for (uint32_t n = 1; n < 400; ++n) {
    const Trap trap = running.call(n);
    if (trap == Trap::None) {
      deepest = n;
    } else {
      EXPECT_EQ(trap, Trap::CallStackExhausted);
    }
  }
  EXPECT_GE(deepest, 10u);
  EXPECT_LE(deepest, 200u);
}

TEST(BudgetMemory, growth_stops_at_the_budget) {
  // memory.grow(argument)
  BudgetLimits limits;
  limits.memory_pages = 3;
  Running running(module_of(1, WasmBytes().raw({0, 0x20, 0, 0x40, 0, 0x0B}), 1), limits);
  ASSERT_NE(running.function, nullptr);
  uint32_t result = 0;
  EXPECT_EQ(running.call(2, &result), Trap::None);
  EXPECT_EQ(result, 1u);
  EXPECT_EQ(running.call(1, &result), Trap::None);
  EXPECT_EQ(result, 0xFFFF'FFFFu);
  EXPECT_EQ(running.call(0, &result), Trap::None);
  EXPECT_EQ(result, 3u);
}

TEST(BudgetMemory, a_larger_minimum_is_an_error_of_its_own_class) {
  BudgetLimits limits;
  limits.memory_pages = 3;
  Budget budget(limits);
  Store store;
  const auto result = instantiate(store, code_of(module_of(0, kEndless, 4)), {}, budget);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().error_class, InstantiationErrorClass::Limit);
  EXPECT_FALSE(result.error().message.empty());
}

long resident_pages() {
  std::ifstream file("/proc/self/statm");
  long total = 0;
  long resident = 0;
  file >> total >> resident;
  return resident;
}

TEST(BudgetRepetition, a_thousand_instances_give_one_result_and_leave_nothing_behind) {
  const auto code = code_of(module_of(1, kCountDown, 16));
  ASSERT_NE(code, nullptr);
  long before = 0;
  for (int i = 0; i < 1000; ++i) {
    if (i == 100) before = resident_pages();
    Store store;
    Budget budget;
    const auto instance = instantiate(store, code, {}, budget);
    ASSERT_TRUE(instance.ok());
    const Value arguments[] = {Value::from_i32(50)};
    Value results[1];
    ASSERT_EQ(invoke(budget, *instance.value()->exported_function("f"), arguments, results),
              Trap::None);
    ASSERT_EQ(results[0], Value::from_i32(7));
  }
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(resident_pages() - before, 2000) << "4 KiB pages";
#endif
}

}  // namespace
}  // namespace qip
