// The budget from inside: whatever a guest does without end, the deadline ends it; fuel is counted
// to the unit and always the same; nested runs share all of it.
#include "vm/budget.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "vm/machine.hpp"
#include "vm/test_modules.hpp"

namespace qip {
namespace {

using namespace vm_test;
using enum Opcode;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kDeadline{15};
// Far more than one chunk of a bulk instruction takes on a loaded machine under a sanitizer.
constexpr milliseconds kGenerous{5'000};

// Local 0 counts for ever: (i = i + 1) as a condition that is practically always true.
Bytes counted() {
  return code(get(0), i32(1), I32Add, tee(0));
}

struct EndlessGuest {
  const char* name;
  ModuleBuilder module;
};

// A guest without an end whose function "f" is () -> ().
EndlessGuest endless(const char* name, const Bytes& body, uint32_t pages = 1) {
  EndlessGuest guest{name, {}};
  guest.module.memory(pages);
  guest.module.table('r', 100'000);
  guest.module.function("f", ":", body, "iiii");
  guest.module.function("", ":", {});
  guest.module.active_elements(0, 0, {1});
  return guest;
}

std::vector<EndlessGuest> endless_guests() {
  std::vector<EndlessGuest> guests;
  guests.push_back(endless("br", loop(br(0))));
  guests.push_back(endless("br_if", loop(code(counted(), br_if(0), br(0)))));
  guests.push_back(
      endless("increment and compare", loop(code(counted(), i32(0), I32GeU, br_if(0)))));
  guests.push_back(endless("store, increment and compare",
                           loop(code(i32(0), set(0),
                                     loop(code(get(0), i32(7), access(I32Store8), counted(),
                                               i32(60'000), I32LtU, br_if(0))),
                                     br(0)))));
  guests.push_back(
      endless("increment and jump", loop(code(get(0), i32(1), I32Add, set(0), br(0)))));
  guests.push_back(endless("move and jump", loop(code(get(1), set(0), br(0)))));
  guests.push_back(endless("constant and jump", loop(code(i32(5), set(0), br(0)))));
  guests.push_back(endless("float comparison", loop(code(f64(1), f64(2), F64Lt, br_if(0), br(0)))));
  guests.push_back(endless("call", loop(code(call(1), br(0)))));
  guests.push_back(endless("call_indirect", loop(code(i32(0), call_indirect(0), br(0)))));
  guests.push_back(endless("inner loop that ends at once", loop(code(loop({}), br(0)))));
  guests.push_back(
      endless("inner loop of three rounds",
              loop(code(i32(0), set(0), loop(code(counted(), i32(3), I32LtU, br_if(0))), br(0)))));
  guests.push_back(endless("three deep", loop(code(loop(code(loop(br(2))))))));
  guests.push_back(endless("br_table to itself", loop(code(get(0), br_table({0, 0, 0}, 0)))));
  guests.push_back(
      endless("br_table to an outer loop", loop(loop(code(counted(), br_table({0, 1, 1}, 0))))));
  // Type 2 is (i32) -> (): the loop takes a value.
  guests.push_back(endless("branch with a value",
                           code(i32(1), loop(code(Drop, i32(2), br(0)), BlockType::of(2)))));
  guests.back().module.type("i:");
  guests.push_back(
      endless("memory.fill of 64 MiB",
              loop(code(i32(0), i32(1), i32(uint32_t{64} << 20), memory_fill(), br(0))), 1024));
  guests.push_back(endless(
      "memory.copy of 32 MiB",
      loop(code(i32(1), i32(uint32_t{32} << 20), i32(uint32_t{32} << 20), memory_copy(), br(0))),
      1025));
  guests.push_back(endless(
      "table.fill", loop(code(i32(0), ref_null('r'), i32(100'000), with(TableFill, 0), br(0)))));
  guests.push_back(
      endless("table.copy", loop(code(i32(1), i32(0), i32(99'999), with(TableCopy, 0, 0), br(0)))));
  guests.push_back(
      endless("memory.grow by nothing", loop(code(i32(0), memory_grow(), Drop, br(0)))));
  return guests;
}

TEST(Deadline, ends_every_kind_of_endless_loop) {
  for (const EndlessGuest& endless_guest : endless_guests()) {
    SCOPED_TRACE(endless_guest.name);
    Guest guest(endless_guest.module);
    ASSERT_NE(guest.instance, nullptr);
    const auto begin = Clock::now();
    guest.budget.start_deadline(kDeadline);
    EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
    EXPECT_GE(Clock::now() - begin, kDeadline);
    EXPECT_LT(Clock::now() - begin, kGenerous);
    EXPECT_TRUE(guest.budget.interrupted());
  }
}

TEST(Deadline, ends_every_kind_of_endless_loop_in_code_that_counts_fuel) {
  for (const EndlessGuest& endless_guest : endless_guests()) {
    SCOPED_TRACE(endless_guest.name);
    BudgetLimits limits;
    limits.fuel = UINT64_MAX;
    Guest guest(endless_guest.module, limits, TranslateOptions{.fuel = true});
    ASSERT_NE(guest.instance, nullptr);
    guest.budget.start_deadline(kDeadline);
    EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
  }
}

// Never loops, and never goes deeper than 40: only calls can notice.
TEST(Deadline, ends_exponential_recursion) {
  ModuleBuilder module;
  module.function("f", "i:",
                  code(get(0), if_then(code(get(0), i32(1), I32Sub, call(0), get(0), i32(1), I32Sub,
                                            call(0)))));
  module.function("g", ":", code(i32(40), call(0)));
  Guest guest(module);
  guest.budget.start_deadline(kDeadline);
  EXPECT_EQ(guest.call("g"), trapped(Trap::DeadlineExceeded));
}

TEST(Deadline, recursion_without_end_runs_out_of_stack_long_before) {
  ModuleBuilder module;
  module.function("f", ":", call(0));
  Guest guest(module);
  guest.budget.start_deadline(kGenerous);
  EXPECT_EQ(guest.call("f"), trapped(Trap::CallStackExhausted));
  EXPECT_FALSE(guest.budget.interrupted());
}

TEST(Deadline, ends_recursion_when_the_stack_is_larger_than_the_time) {
  ModuleBuilder module;
  // Deep, but each level first does a little work.
  module.function("f", ":", code(loop(code(counted(), i32(100'000), I32LtU, br_if(0))), call(0)),
                  "i");
  Guest guest(module);
  guest.budget.start_deadline(kDeadline);
  EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
}

TEST(Deadline, ends_an_endless_start_function) {
  ModuleBuilder module;
  module.function("", ":", loop(br(0)));
  module.start(0);
  World world;
  world.budget.start_deadline(kDeadline);
  const auto result = world.try_add(module);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().error_class, InstantiationErrorClass::Trapped);
  EXPECT_EQ(result.error().trap, Trap::DeadlineExceeded);
  EXPECT_EQ(result.error().message, trap_text(Trap::DeadlineExceeded));
}

#if UINTPTR_MAX > 0xFFFFFFFFu
// One instruction over 4 GiB: must stop between its pieces. The memory's pages are never all
// committed, because the time is over before.
TEST(Deadline, ends_a_single_bulk_instruction_within_it) {
  ModuleBuilder module;
  module.memory(65'536);
  module.function("f", ":", code(i32(0), i32(0), i32(0xFFFFFFFF), memory_fill()));
  Guest guest(module);
  const auto begin = Clock::now();
  guest.budget.start_deadline(milliseconds(5));
  EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
  EXPECT_LT(Clock::now() - begin, kGenerous);
  EXPECT_TRUE(guest.budget.interrupted());
}
#endif

TEST(Deadline, none_or_a_negative_one_is_over_at_once) {
  ModuleBuilder module;
  module.function("f", ":i", i32(7));
  module.function("loop", ":", loop(br(0)));
  for (const nanoseconds duration : {nanoseconds(0), nanoseconds(-1), nanoseconds::min()}) {
    Guest guest(module);
    guest.budget.start_deadline(duration);
    EXPECT_TRUE(guest.budget.interrupted());
    EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
    EXPECT_EQ(guest.call("loop"), trapped(Trap::DeadlineExceeded));
    guest.budget.clear_deadline();
    EXPECT_EQ(guest.call("f"), returned({i32_value(7)}));
  }
}

TEST(Deadline, a_nanosecond_and_a_century_are_possible) {
  ModuleBuilder module;
  module.function("f", ":i", i32(7));
  module.function("loop", ":", loop(br(0)));
  Guest guest(module);
  guest.budget.start_deadline(nanoseconds(1));
  EXPECT_EQ(guest.call("loop"), trapped(Trap::DeadlineExceeded));
  guest.budget.start_deadline(std::chrono::hours(24 * 365 * 100));
  EXPECT_EQ(guest.call("f"), returned({i32_value(7)}));
}

TEST(Deadline, a_new_one_replaces_the_old) {
  ModuleBuilder module;
  module.function("loop", ":", loop(br(0)));
  module.function("f", ":i", i32(7));
  Guest guest(module);
  guest.budget.start_deadline(nanoseconds(1));
  std::this_thread::sleep_for(milliseconds(2));
  guest.budget.start_deadline(kGenerous);
  EXPECT_FALSE(guest.budget.interrupted());
  EXPECT_EQ(guest.call("f"), returned({i32_value(7)}));
  guest.budget.start_deadline(kDeadline);
  EXPECT_EQ(guest.call("loop"), trapped(Trap::DeadlineExceeded));
}

TEST(Deadline, cleared_it_leaves_everything_usable_again_and_again) {
  ModuleBuilder module;
  module.memory(1);
  module.function(
      "loop", ":",
      loop(code(i32(0), i32(0), access(I32Load), i32(1), I32Add, access(I32Store), br(0))));
  module.function(
      "deep", "i:i",
      code(get(0), if_else(code(get(0), i32(1), I32Sub, call(1), i32(1), I32Add), i32(0), 'i')));
  module.function("rounds", ":i", code(i32(0), access(I32Load)));
  Guest guest(module);
  uint32_t before = 0;
  for (int i = 0; i < 10; i++) {
    guest.budget.start_deadline(milliseconds(2));
    EXPECT_EQ(guest.call("loop"), trapped(Trap::DeadlineExceeded));
    guest.budget.clear_deadline();
    EXPECT_FALSE(guest.budget.interrupted());
    EXPECT_EQ(guest.call("deep", {i32_value(50'000)}), returned({i32_value(50'000)}));
    const Outcome rounds = guest.call("rounds");
    ASSERT_EQ(rounds.trap, Trap::None);
    EXPECT_GT(rounds.results[0].i32(), before) << "the loop ran, and kept its memory";
    before = rounds.results[0].i32();
  }
}

ModuleBuilder short_and_endless() {
  ModuleBuilder module;
  module.function("short", ":i", i32(1));
  module.function("endless", ":", loop(br(0)));
  return module;
}

// The runs together take longer than the deadline, each of them a small part of it.
TEST(Deadline, renewed_it_counts_from_there) {
  constexpr std::chrono::milliseconds kDeadline{100};
  Guest guest(short_and_endless());
  const auto start = std::chrono::steady_clock::now();
  guest.budget.start_deadline(kDeadline);
  while (std::chrono::steady_clock::now() - start < 4 * kDeadline) {
    guest.budget.renew_deadline(std::chrono::hours(1));
    ASSERT_EQ(guest.call("short"), returned({i32_value(1)}));
  }
  guest.budget.renew_deadline(kDeadline);
  EXPECT_EQ(guest.call("endless"), trapped(Trap::DeadlineExceeded));
  guest.budget.renew_deadline(kDeadline);
  EXPECT_EQ(guest.call("endless"), trapped(Trap::DeadlineExceeded));
}

TEST(Deadline, renewed_it_forgets_an_interruption) {
  Guest guest(short_and_endless());
  guest.budget.start_deadline(std::chrono::hours(1));
  guest.budget.interrupt();
  EXPECT_EQ(guest.call("short"), trapped(Trap::DeadlineExceeded));
  guest.budget.renew_deadline(std::chrono::hours(1));
  EXPECT_EQ(guest.call("short"), returned({i32_value(1)}));
}

TEST(Deadline, renewed_without_one_stops_everything) {
  Guest guest(short_and_endless());
  guest.budget.renew_deadline(std::chrono::hours(1));
  EXPECT_EQ(guest.call("endless"), trapped(Trap::DeadlineExceeded));
  guest.budget.start_deadline(std::chrono::hours(1));
  guest.budget.clear_deadline();
  guest.budget.renew_deadline(std::chrono::hours(1));
  EXPECT_EQ(guest.call("endless"), trapped(Trap::DeadlineExceeded));
}

TEST(Deadline, of_one_budget_does_not_touch_another) {
  ModuleBuilder module;
  module.function("f", ":i", i32(7));
  Guest stopped(module), running(module);
  stopped.budget.interrupt();
  EXPECT_EQ(stopped.call("f"), trapped(Trap::DeadlineExceeded));
  EXPECT_EQ(running.call("f"), returned({i32_value(7)}));
}

TEST(Interrupt, from_another_thread_ends_every_kind_of_endless_loop) {
  for (const EndlessGuest& endless_guest : endless_guests()) {
    SCOPED_TRACE(endless_guest.name);
    Guest guest(endless_guest.module);
    ASSERT_NE(guest.instance, nullptr);
    std::thread interrupter([&guest] {
      std::this_thread::sleep_for(milliseconds(3));
      guest.budget.interrupt();
    });
    EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
    interrupter.join();
  }
}

TEST(Interrupt, before_the_first_run_holds_until_it_is_cleared) {
  ModuleBuilder module;
  module.function("f", ":i", i32(7));
  Guest guest(module);
  guest.budget.interrupt();
  EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
  EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
  guest.budget.clear_deadline();
  EXPECT_EQ(guest.call("f"), returned({i32_value(7)}));
}

TEST(Budget, a_run_on_another_thread_can_have_a_deadline_too) {
  ModuleBuilder module;
  module.function("loop", ":", loop(br(0)));
  Guest guest(module);
  std::thread runner([&guest] {
    guest.budget.start_deadline(kDeadline);
    EXPECT_EQ(guest.call("loop"), trapped(Trap::DeadlineExceeded));
  });
  runner.join();
}

// --- One budget for many runs --------------------------------------------------------------------

uint64_t lines_of(const char* path, std::string_view beginning = "") {
  std::ifstream file(path);
  uint64_t count = 0;
  for (std::string line; std::getline(file, line);) count += line.starts_with(beginning);
  return count;
}

// The signal of a deadline that is over may be on its way while the next one begins: it must not
// end the next run.
TEST(Deadline, an_earlier_one_never_ends_a_later_run) {
  ModuleBuilder module;
  module.function("f", "i:i", code(loop(code(get(0), i32(1), I32Sub, tee(0), br_if(0))), get(0)));
  Guest guest(module);
  for (int i = 0; i < 20'000; i++) {
    guest.budget.start_deadline(nanoseconds(i % 40'000 + 1));  // around the time of the call itself
    if (i % 3 == 0) (void)guest.call("f", {i32_value(100)});
    if (i % 2 == 0) guest.budget.clear_deadline();
    guest.budget.start_deadline(std::chrono::minutes(10));
    ASSERT_FALSE(guest.budget.interrupted()) << i;
    ASSERT_EQ(guest.call("f", {i32_value(100)}), returned({i32_value(0)})) << i;
  }
}

// The same without the kernel's promise: a signal that comes although no deadline is over.
TEST(Deadline, a_signal_before_its_time_changes_nothing) {
  ModuleBuilder module;
  module.function("f", ":i", i32(7));
  Guest guest(module);
  guest.budget.start_deadline(std::chrono::minutes(10));
  for (int i = 0; i < 3; i++) {
    siginfo_t info = {};
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_ptr = &guest.budget.machine();
    ASSERT_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGRTMIN + 1, &info),
              0);
    EXPECT_FALSE(guest.budget.interrupted());
    EXPECT_EQ(guest.call("f"), returned({i32_value(7)}));
    if (i == 1) guest.budget.clear_deadline();
  }
}

// Runs `body` in a child that a mistake cannot keep running for ever; its exit status, -1 if it was
// killed.
template <class Body>
int in_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(body());
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Deadline, follows_its_budget_from_thread_to_thread) {
  ModuleBuilder module;
  module.function("loop", ":", loop(br(0)));
  module.function("f", ":i", i32(7));
  EXPECT_EQ(in_child([&module] {
              Guest guest(module);
              int wrong = 0;
              const auto stop_one = [&guest, &wrong] {
                guest.budget.start_deadline(milliseconds(2));
                wrong += guest.call("loop") != trapped(Trap::DeadlineExceeded);
                guest.budget.clear_deadline();
                wrong += guest.call("f") != returned({i32_value(7)});
              };
              // Each thread is gone when the next begins.
              for (int i = 0; i < 3; i++) std::thread(stop_one).join();
              stop_one();
              return wrong;
            }),
            0);
}

TEST(Deadline, holds_in_a_process_that_was_forked) {
  ModuleBuilder module;
  module.function("loop", ":", loop(br(0)));
  Guest guest(module);
  guest.budget.start_deadline(std::chrono::minutes(10));
  EXPECT_EQ(in_child([&guest] {
              guest.budget.start_deadline(milliseconds(2));
              return guest.call("loop") == trapped(Trap::DeadlineExceeded) ? 0 : 1;
            }),
            0);
}

TEST(Interrupt, and_its_end_at_the_same_time_leave_all_of_it_or_nothing) {
  ModuleBuilder module;
  module.function("f", ":", {});
  Guest guest(module);
  EXPECT_EQ(guest.call("f"), returned({}));
  constexpr int kRounds = 20'000;
  std::atomic<int> begun{0}, interrupted{0};
  const auto wait_for = [](const std::atomic<int>& counter, int round) {
    for (int spins = 0; counter.load() < round; spins++) {
      if (spins > 1'000) std::this_thread::yield();
    }
  };
  std::thread interrupter([&] {
    for (int round = 1; round <= kRounds; round++) {
      wait_for(begun, round);
      guest.budget.interrupt();
      interrupted.store(round);
    }
  });
  // What loops look at and what calls look at.
  const MachineState& machine = guest.budget.machine();
  int torn = 0;
  for (int round = 1; round <= kRounds; round++) {
    begun.store(round);
    for (volatile int spin = round % 300; spin > 0;) spin = spin - 1;  // a little later every time
    guest.budget.clear_deadline();
    wait_for(interrupted, round);
    torn += guest.budget.interrupted() != (machine.stack_limit.load() == 0);
    guest.budget.clear_deadline();
  }
  interrupter.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(guest.call("f"), returned({}));
}

TEST(Refuel, gives_all_fuel_back_and_forgets_the_trap) {
  BudgetLimits limits;
  limits.fuel = 1'000;
  ModuleBuilder module;
  module.function("loop", ":", loop(br(0)));
  module.function("f", ":i", i32(7));
  Guest guest(module, limits, TranslateOptions{.fuel = true});
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(guest.call("loop"), trapped(Trap::FuelExhausted));
    EXPECT_EQ(guest.budget.remaining_fuel(), 0u);
    EXPECT_EQ(guest.call("f"), trapped(Trap::FuelExhausted));
    EXPECT_NE(last_trap_location(guest.budget).instance, nullptr);
    guest.budget.refuel();
    EXPECT_EQ(guest.budget.remaining_fuel(), 1'000u);
    EXPECT_EQ(last_trap_location(guest.budget).instance, nullptr);
    EXPECT_EQ(guest.call("f"), returned({i32_value(7)}));
  }
}

// Every end that a run can have, each in an instance of its own that is freed before the next.
TEST(Refuel, after_thousands_of_runs_nothing_is_left_of_them) {
  ModuleBuilder module;
  module.memory(1);
  module.import_function(":i");
  module.function("", ":", code(call(1)));
  module.function("deep", ":", code(call(2)));
  module.function("loop", ":", loop(br(0)));
  module.function("trap", ":", code(Unreachable));
  module.function("host", ":i", call(0));
  module.function("once", ":i", code(i32(0), access(I32Load), i32(0), i32(1), access(I32Store)));
  BudgetLimits limits;
  limits.fuel = 100'000;
  limits.stack_bytes = 1 << 16;
  const std::shared_ptr<const Code> shared = load(module, TranslateOptions{.fuel = true});
  Budget budget(limits);
  struct Nested {
    Budget* budget;
    Instance* instance;
    static Trap call(void* context, const Value*, Value* results) {
      auto& self = *static_cast<Nested*>(context);
      results[0] = i32_value(5);
      return invoke(*self.budget, *self.instance->exported_function("trap"), {}, {}) ==
                     Trap::Unreachable
                 ? Trap::None
                 : Trap::HostFunctionFailed;
    }
  };
  uint64_t mappings = 0;
  for (int i = 0; i < 5'000; i++) {
    budget.refuel();
    budget.start_deadline(std::chrono::minutes(10));
    EXPECT_EQ(budget.remaining_fuel(), 100'000u);
    Store store;
    Nested nested{&budget, nullptr};
    const Extern host[] = {
        Extern::of(store.add_host_function(func_type(":i"), Nested::call, &nested))};
    auto made = instantiate(store, shared, host, budget);
    ASSERT_TRUE(made.ok());
    nested.instance = made.value();
    const auto run = [&](const char* name) {
      return invoke_function(budget, nested.instance->exported_function(name), {});
    };
    switch (i % 6) {
      case 0:
        EXPECT_EQ(run("deep"), trapped(Trap::CallStackExhausted));
        break;
      case 1:
        EXPECT_EQ(run("loop"), trapped(Trap::FuelExhausted));
        break;
      case 2:
        EXPECT_EQ(run("trap"), trapped(Trap::Unreachable));
        break;
      case 3:
        EXPECT_EQ(run("host"), returned({i32_value(5)}));
        break;
      case 4:
        budget.interrupt();
        EXPECT_EQ(run("once"), trapped(Trap::DeadlineExceeded));
        budget.clear_deadline();
        break;
      default:
        budget.start_deadline(nanoseconds(1));
        EXPECT_EQ(run("loop"), trapped(Trap::DeadlineExceeded));
    }
    if (i % 6 != 1) budget.clear_deadline();
    budget.refuel();
    EXPECT_EQ(run("once"), returned({i32_value(0)})) << "of its own memory, " << i;
    EXPECT_EQ(budget.machine().native_depth, 0);
    EXPECT_EQ(budget.machine().stack_top, budget.machine().stack_base);
    if (i == 100) mappings = lines_of("/proc/self/maps");
  }
  budget.clear_deadline();
  // The heap may have grown by a mapping or two.
  EXPECT_LE(lines_of("/proc/self/maps"), mappings + 8);
  EXPECT_LE(lines_of("/proc/self/timers", "ID:"), 1u);
}

TEST(Budget, takes_its_timer_along) {
  if (!std::ifstream("/proc/self/timers").is_open())
    GTEST_SKIP() << "the system does not list them";
  const uint64_t before = lines_of("/proc/self/timers", "ID:");
  for (int i = 0; i < 100; i++) {
    Budget budget;
    budget.start_deadline(std::chrono::minutes(10));
    budget.start_deadline(std::chrono::minutes(10));
    budget.clear_deadline();
    budget.start_deadline(std::chrono::minutes(10));
    EXPECT_EQ(lines_of("/proc/self/timers", "ID:"), before + 1);
  }
  EXPECT_EQ(lines_of("/proc/self/timers", "ID:"), before);
}

// --- Fuel ----------------------------------------------------------------------------------------

constexpr TranslateOptions kWithFuel{.fuel = true};

ModuleBuilder counting_module() {
  ModuleBuilder module;
  // Rounds of a loop: as many as the argument, at least one.
  module.function(
      "f", "i:i",
      code(loop(code(get(1), i32(1), I32Add, tee(1), get(0), I32LtU, br_if(0))), get(1)), "i");
  return module;
}

uint64_t fuel_used(const ModuleBuilder& module, const Values& arguments,
                   uint64_t fuel = 1'000'000'000) {
  BudgetLimits limits;
  limits.fuel = fuel;
  Guest guest(module, limits, kWithFuel);
  EXPECT_EQ(guest.call("f", arguments).trap, Trap::None);
  return fuel - guest.budget.remaining_fuel();
}

TEST(Fuel, is_charged_by_the_instructions_that_are_covered) {
  ModuleBuilder module;
  module.function("f", ":i", code(i32(1), i32(2), I32Add));
  // Three instructions and the `end`.
  EXPECT_EQ(fuel_used(module, {}), 4u);
}

TEST(Fuel, every_round_of_a_loop_costs_the_same) {
  const ModuleBuilder module = counting_module();
  const uint64_t one = fuel_used(module, {i32_value(1)});
  const uint64_t two = fuel_used(module, {i32_value(2)});
  EXPECT_GE(two - one, 7u) << "seven instructions a round";
  EXPECT_EQ(fuel_used(module, {i32_value(1001)}), one + 1000 * (two - one));
}

TEST(Fuel, exactly_enough_is_enough_and_one_less_is_not) {
  const ModuleBuilder module = counting_module();
  for (const uint32_t rounds : {1u, 2u, 10u, 1000u}) {
    const uint64_t needed = fuel_used(module, {i32_value(rounds)});
    for (const uint64_t fuel : {needed - 1, needed, needed + 1}) {
      BudgetLimits limits;
      limits.fuel = fuel;
      Guest guest(module, limits, kWithFuel);
      const Outcome outcome = guest.call("f", {i32_value(rounds)});
      if (fuel < needed) {
        EXPECT_EQ(outcome, trapped(Trap::FuelExhausted));
        EXPECT_EQ(guest.budget.remaining_fuel(), 0u);
      } else {
        EXPECT_EQ(outcome, returned({i32_value(rounds)}));
        EXPECT_EQ(guest.budget.remaining_fuel(), fuel - needed);
      }
    }
  }
}

TEST(Fuel, none_at_all_stops_every_function) {
  BudgetLimits limits;
  limits.fuel = 0;
  ModuleBuilder module;
  module.function("f", ":", {});
  Guest guest(module, limits, kWithFuel);
  EXPECT_EQ(guest.call("f"), trapped(Trap::FuelExhausted));
  EXPECT_EQ(guest.call("f"), trapped(Trap::FuelExhausted));
  EXPECT_EQ(guest.budget.remaining_fuel(), 0u);
}

TEST(Fuel, goes_on_counting_from_run_to_run) {
  const ModuleBuilder module = counting_module();
  const uint64_t needed = fuel_used(module, {i32_value(10)});
  BudgetLimits limits;
  limits.fuel = 3 * needed;
  Guest guest(module, limits, kWithFuel);
  for (uint64_t i = 1; i <= 3; i++) {
    EXPECT_EQ(guest.call("f", {i32_value(10)}).trap, Trap::None);
    EXPECT_EQ(guest.budget.remaining_fuel(), (3 - i) * needed);
  }
  EXPECT_EQ(guest.call("f", {i32_value(10)}), trapped(Trap::FuelExhausted));
}

TEST(Fuel, ends_every_kind_of_endless_loop_at_the_same_place_every_time) {
  for (const EndlessGuest& endless_guest : endless_guests()) {
    SCOPED_TRACE(endless_guest.name);
    for (const uint64_t fuel : {uint64_t{0}, uint64_t{1}, uint64_t{1000}, uint64_t{99'999}}) {
      BudgetLimits limits;
      limits.fuel = fuel;
      Guest guest(endless_guest.module, limits, kWithFuel);
      ASSERT_NE(guest.instance, nullptr);
      EXPECT_EQ(guest.call("f"), trapped(Trap::FuelExhausted));
      EXPECT_EQ(guest.budget.remaining_fuel(), 0u);
    }
  }
}

// The state that a run leaves behind when its fuel ends is the same every time: the rounds that it
// did are counted in its memory.
TEST(Fuel, ends_after_the_same_number_of_rounds_every_time) {
  ModuleBuilder module;
  module.memory(1);
  module.function(
      "f", ":",
      loop(code(i32(0), i32(0), access(I32Load), i32(1), I32Add, access(I32Store), br(0))));
  module.function("rounds", ":i", code(i32(0), access(I32Load)));
  uint32_t last = 0;
  for (const uint64_t fuel : {uint64_t{100}, uint64_t{101}, uint64_t{10'000}}) {
    uint32_t rounds[2] = {};
    for (uint32_t& count : rounds) {
      BudgetLimits limits;
      limits.fuel = fuel;
      Guest guest(module, limits, kWithFuel);
      EXPECT_EQ(guest.call("f"), trapped(Trap::FuelExhausted));
      memcpy(&count, guest.instance->memories[0]->base(), 4);
    }
    EXPECT_EQ(rounds[0], rounds[1]);
    EXPECT_GE(rounds[0], last);
    EXPECT_GE(rounds[0], fuel / 10) << "at most ten instructions a round";
    last = rounds[0];
  }
}

TEST(Fuel, calls_are_charged_in_the_callee) {
  ModuleBuilder module;
  module.function("f", "i:", code(get(0), if_then(code(get(0), i32(1), I32Sub, call(0)))));
  const uint64_t none = fuel_used(module, {i32_value(0)});
  const uint64_t one = fuel_used(module, {i32_value(1)});
  EXPECT_EQ(fuel_used(module, {i32_value(100)}) - none, 100 * (one - none));
  EXPECT_GT(one, none);
}

TEST(Fuel, exponential_recursion_ends) {
  ModuleBuilder module;
  module.function("f", "i:",
                  code(get(0), if_then(code(get(0), i32(1), I32Sub, call(0), get(0), i32(1), I32Sub,
                                            call(0)))));
  BudgetLimits limits;
  limits.fuel = 1'000'000;
  Guest guest(module, limits, kWithFuel);
  EXPECT_EQ(guest.call("f", {i32_value(60)}), trapped(Trap::FuelExhausted));
}

TEST(Fuel, bulk_instructions_cost_by_length) {
  ModuleBuilder module;
  module.memory(16);
  module.table('r', 1000);
  module.function("fill", "i:", code(i32(0), i32(1), get(0), memory_fill()));
  module.function("copy", "i:", code(i32(0), i32(1), get(0), memory_copy()));
  module.function("table", "i:", code(i32(0), ref_null('r'), get(0), with(TableFill, 0)));
  module.function("table_copy", "i:", code(i32(0), i32(0), get(0), with(TableCopy, 0, 0)));
  module.function("grow", "i:", code(ref_null('r'), get(0), with(TableGrow, 0), Drop));
  const auto used = [&module](const char* name, uint32_t length) {
    BudgetLimits limits;
    limits.fuel = 1'000'000;
    Guest guest(module, limits, kWithFuel);
    EXPECT_EQ(guest.call(name, {i32_value(length)}).trap, Trap::None) << name;
    return 1'000'000 - guest.budget.remaining_fuel();
  };
  for (const char* name : {"fill", "copy"}) {
    EXPECT_EQ(used(name, 1 << 19) - used(name, 0), (1u << 19) / 16) << name;
  }
  for (const char* name : {"table", "table_copy", "grow"}) {
    EXPECT_EQ(used(name, 1000) - used(name, 0), 1000u) << name;
  }
}

TEST(Fuel, a_bulk_instruction_that_is_too_dear_does_nothing) {
  ModuleBuilder module;
  module.memory(16);
  module.function("f", ":", code(i32(0), i32(1), i32(1 << 20), memory_fill()));
  BudgetLimits limits;
  limits.fuel = 1000;
  Guest guest(module, limits, kWithFuel);
  EXPECT_EQ(guest.call("f"), trapped(Trap::FuelExhausted));
  EXPECT_EQ(guest.budget.remaining_fuel(), 0u);
  EXPECT_EQ(guest.instance->memories[0]->base()[0], 0);
}

TEST(Fuel, out_of_bounds_comes_before_the_charge) {
  ModuleBuilder module;
  module.memory(1);
  module.function("f", ":", code(i32(0), i32(1), i32(0xFFFFFFFF), memory_fill()));
  BudgetLimits limits;
  limits.fuel = 100;
  Guest guest(module, limits, kWithFuel);
  EXPECT_EQ(guest.call("f"), trapped(Trap::OutOfBoundsMemoryAccess));
}

TEST(Fuel, is_not_counted_where_none_was_asked_for) {
  BudgetLimits limits;
  limits.fuel = 5;
  Guest guest(counting_module(), limits);  // translated without fuel operations
  EXPECT_EQ(guest.call("f", {i32_value(1000)}), returned({i32_value(1000)}));
  EXPECT_EQ(guest.budget.remaining_fuel(), 5u);
  EXPECT_EQ(Budget().remaining_fuel(), 0u);
}

// --- Runs inside runs ----------------------------------------------------------------------------

// A host function that calls function "inner" of the same instance, and passes its trap on or not.
struct Reentry {
  World* world = nullptr;
  Instance* instance = nullptr;
  bool pass_on = true;
  Outcome last;
  static Trap call(void* context, const Value*, Value*) {
    auto& self = *static_cast<Reentry*>(context);
    self.last = self.world->call(self.instance, "inner");
    return self.pass_on ? self.last.trap : Trap::None;
  }
};

ModuleBuilder reentrant_module(const Bytes& inner) {
  ModuleBuilder module;
  module.import_function(":");
  module.function("inner", ":", inner);
  module.function("f", ":i", code(call(0), i32(7)));
  module.function("recurse", ":", code(call(0)));
  return module;
}

TEST(NestedRun, shares_the_deadline) {
  World world;
  Reentry reentry{&world, nullptr, true, {}};
  const Extern host = Extern::of(world.store.add_host_function({}, Reentry::call, &reentry));
  reentry.instance = world.add(reentrant_module(loop(br(0))), {host});
  world.budget.start_deadline(kDeadline);
  EXPECT_EQ(world.call(reentry.instance, "f"), trapped(Trap::DeadlineExceeded));
  EXPECT_EQ(reentry.last, trapped(Trap::DeadlineExceeded));
}

TEST(NestedRun, a_deadline_that_the_host_swallows_still_ends_the_outer_run) {
  World world;
  Reentry reentry{&world, nullptr, false, {}};
  const Extern host = Extern::of(world.store.add_host_function({}, Reentry::call, &reentry));
  ModuleBuilder module;
  module.import_function(":");
  module.function("inner", ":", loop(br(0)));
  module.function("f", ":", loop(code(call(0), br(0))));
  reentry.instance = world.add(module, {host});
  world.budget.start_deadline(kDeadline);
  EXPECT_EQ(world.call(reentry.instance, "f"), trapped(Trap::DeadlineExceeded));
}

TEST(NestedRun, shares_the_fuel) {
  BudgetLimits limits;
  limits.fuel = 10'000;
  World world(limits, kWithFuel);
  Reentry reentry{&world, nullptr, true, {}};
  const Extern host = Extern::of(world.store.add_host_function({}, Reentry::call, &reentry));
  reentry.instance = world.add(reentrant_module(loop(br(0))), {host});
  EXPECT_EQ(world.call(reentry.instance, "f"), trapped(Trap::FuelExhausted));
  EXPECT_EQ(world.budget.remaining_fuel(), 0u);
}

TEST(NestedRun, a_trap_that_the_host_swallows_does_not_end_the_outer_run) {
  World world;
  Reentry reentry{&world, nullptr, false, {}};
  const Extern host = Extern::of(world.store.add_host_function({}, Reentry::call, &reentry));
  reentry.instance = world.add(reentrant_module(code(Unreachable)), {host});
  EXPECT_EQ(world.call(reentry.instance, "f"), returned({i32_value(7)}));
  EXPECT_EQ(reentry.last, trapped(Trap::Unreachable));
}

// Guest, host, guest, host, ...: every level uses the native stack, so their number is bounded.
TEST(NestedRun, is_bounded_in_depth) {
  World world;
  Reentry reentry{&world, nullptr, true, {}};
  const Extern host = Extern::of(world.store.add_host_function({}, Reentry::call, &reentry));
  ModuleBuilder module;
  module.import_function(":");
  module.function("inner", ":", call(0));
  module.function("f", ":i", code(call(0), i32(7)));
  reentry.instance = world.add(module, {host});
  EXPECT_EQ(world.call(reentry.instance, "f"), trapped(Trap::CallStackExhausted));
  reentry.pass_on = false;
  EXPECT_EQ(world.call(reentry.instance, "f"), returned({i32_value(7)}));
}

TEST(NestedRun, does_not_overwrite_the_frames_of_the_outer_run) {
  World world;
  Reentry reentry{&world, nullptr, true, {}};
  const Extern host = Extern::of(world.store.add_host_function({}, Reentry::call, &reentry));
  ModuleBuilder module;
  module.import_function(":");
  // Writes into many slots of its own.
  Bytes inner;
  for (uint32_t i = 0; i < 200; i++) append(&inner, code(i64(0xDEADBEEFDEADBEEF), set(i)));
  module.function_with_groups("inner", module.type(":"), inner, {{200, ValueType::I64}});
  // Parameters, locals, operands and hot locals live across the call.
  module.function(
      "f", "iid:d",
      code(get(0), i32(2), I32Mul, set(3), get(0), F64ConvertI32S, get(3), F64ConvertI32S, call(0),
           F64Add, get(1), F64ConvertI32S, F64Add, get(2), F64Add),
      "il");
  reentry.instance = world.add(module, {host});
  EXPECT_EQ(world.call(reentry.instance, "f", {i32_value(10), i32_value(5), f64_value(0.5)}),
            returned({f64_value(35.5)}));
}

// --- Value stack ---------------------------------------------------------------------------------

TEST(ValueStackLimit, frames_larger_than_the_stack_are_a_trap) {
  ModuleBuilder module;
  module.function_with_groups("f", module.type(":"), {}, {{50'000, ValueType::I64}});
  BudgetLimits limits;
  limits.stack_bytes = 100'000;
  Guest guest(module, limits);
  EXPECT_EQ(guest.call("f"), trapped(Trap::CallStackExhausted));
  limits.stack_bytes = 1'000'000;
  Guest large(module, limits);
  EXPECT_EQ(large.call("f"), returned({}));
}

TEST(ValueStackLimit, no_size_however_small_is_overrun) {
  ModuleBuilder module;
  std::string many(100, 'l');
  module.function("f", many + ":l", code(get(99), get(98), I64Add));
  module.function("g", ":l", code(repeated(100, i64(21)), call(0)));
  for (uint64_t bytes = 8; bytes < 4096; bytes += 8) {
    BudgetLimits limits;
    limits.stack_bytes = bytes;
    Guest guest(module, limits);
    const Outcome outcome = guest.call("g");
    if (outcome.trap == Trap::None) {
      EXPECT_EQ(outcome, returned({i64_value(42)}));
    } else {
      EXPECT_EQ(outcome, trapped(Trap::CallStackExhausted)) << bytes;
    }
  }
}

TEST(ValueStackLimit, an_empty_stack_is_exhausted) {
  ModuleBuilder module;
  module.function("f", ":", {});
  BudgetLimits limits;
  limits.stack_bytes = 0;
  Guest guest(module, limits);
  EXPECT_EQ(guest.call("f"), trapped(Trap::CallStackExhausted));
}

TEST(TableLimit, a_table_grows_to_the_budget_and_no_further) {
  ModuleBuilder module;
  module.table('r', 2, 1000);
  module.function("grow", "i:i", code(ref_null('r'), get(0), with(TableGrow, 0)));
  BudgetLimits limits;
  limits.table_elements = 5;
  Guest guest(module, limits);
  EXPECT_EQ(guest.call("grow", {i32_value(4)}), returned({i32_value(0xFFFFFFFF)}));
  EXPECT_EQ(guest.call("grow", {i32_value(0xFFFFFFFF)}), returned({i32_value(0xFFFFFFFF)}));
  EXPECT_EQ(guest.call("grow", {i32_value(3)}), returned({i32_value(2)}));
  EXPECT_EQ(guest.call("grow", {i32_value(1)}), returned({i32_value(0xFFFFFFFF)}));
  EXPECT_EQ(guest.call("grow", {i32_value(0)}), returned({i32_value(5)}));
}

TEST(TableLimit, a_larger_minimum_is_a_limit_error) {
  ModuleBuilder module;
  module.table('r', 6);
  BudgetLimits limits;
  limits.table_elements = 5;
  World world(limits);
  const auto result = world.try_add(module);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().error_class, InstantiationErrorClass::Limit);
}

}  // namespace
}  // namespace qip
