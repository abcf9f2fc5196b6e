// LinearMemory at its edges: growth up to every limit, contents that survive it, contains() where
// sums would wrap, and a system that refuses address space.
#include "vm/memory.hpp"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "vm/test_modules.hpp"

namespace qip {
namespace {

constexpr uint32_t kRefused = 0xFFFFFFFF;
constexpr uint64_t kMax64 = std::numeric_limits<uint64_t>::max();

std::unique_ptr<LinearMemory> memory_of(uint32_t minimum, std::optional<uint32_t> maximum = {},
                                        uint32_t page_limit = kMaxPages) {
  return LinearMemory::create(MemoryType{Limits{minimum, maximum}}, page_limit);
}

bool is_zero(const LinearMemory& memory, uint64_t from, uint64_t to) {
  for (uint64_t i = from; i < to; i++) {
    if (memory.base()[i] != 0) return false;
  }
  return true;
}

TEST(LinearMemory, begins_with_its_minimum_as_zeros) {
  const auto memory = memory_of(2);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->pages(), 2u);
  EXPECT_EQ(memory->size(), 2 * kPageBytes);
  EXPECT_FALSE(memory->declared_maximum().has_value());
  EXPECT_TRUE(is_zero(*memory, 0, memory->size()));
}

TEST(LinearMemory, growing_by_nothing_always_gives_the_size) {
  const auto memory = memory_of(3, 3);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->grow(0), 3u);
  EXPECT_EQ(memory->grow(1), kRefused);
  EXPECT_EQ(memory->grow(0), 3u);
}

TEST(LinearMemory, grows_to_the_declared_maximum_and_no_further) {
  const auto memory = memory_of(1, 4);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->declared_maximum(), 4u);
  EXPECT_EQ(memory->grow(4), kRefused);
  EXPECT_EQ(memory->pages(), 1u) << "a refusal changes nothing";
  EXPECT_EQ(memory->grow(3), 1u);
  EXPECT_EQ(memory->pages(), 4u);
  EXPECT_EQ(memory->grow(1), kRefused);
  EXPECT_EQ(memory->grow(kRefused), kRefused);
  EXPECT_EQ(memory->pages(), 4u);
}

TEST(LinearMemory, grows_to_the_page_limit_whatever_is_declared) {
  const auto memory = memory_of(1, 100, 3);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->declared_maximum(), 100u);
  EXPECT_EQ(memory->grow(2), 1u);
  EXPECT_EQ(memory->grow(1), kRefused);
  EXPECT_EQ(memory->pages(), 3u);
}

TEST(LinearMemory, a_minimum_beyond_the_limits_is_refused) {
  EXPECT_EQ(memory_of(4, 10, 3), nullptr);
  EXPECT_EQ(memory_of(1, std::nullopt, 0), nullptr);
  EXPECT_NE(memory_of(3, 10, 3), nullptr);
  EXPECT_EQ(memory_of(kMaxPages + 1, std::nullopt, kRefused), nullptr);
}

TEST(LinearMemory, no_sum_of_pages_wraps) {
  const auto memory = memory_of(1);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->grow(kRefused), kRefused);
  EXPECT_EQ(memory->grow(kMaxPages), kRefused);
  EXPECT_EQ(memory->pages(), 1u);
}

TEST(LinearMemory, reaches_four_gibibytes_exactly) {
  const auto memory = memory_of(0);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->grow(kMaxPages - 1), 0u);
  EXPECT_EQ(memory->grow(2), kRefused);
  EXPECT_EQ(memory->grow(1), kMaxPages - 1);
  EXPECT_EQ(memory->size(), uint64_t{1} << 32);
  EXPECT_EQ(memory->grow(0), kMaxPages);
  EXPECT_EQ(memory->grow(1), kRefused);
  memory->base()[memory->size() - 1] = 7;  // the last byte is really there
  EXPECT_EQ(memory->base()[memory->size() - 1], 7);
  EXPECT_TRUE(memory->contains(0xFFFFFFFF, 1));
  EXPECT_FALSE(memory->contains(0xFFFFFFFF, 2));
}

TEST(LinearMemory, a_declared_minimum_of_four_gibibytes_costs_nothing_until_it_is_touched) {
  const auto memory = memory_of(kMaxPages, kMaxPages);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->size(), uint64_t{1} << 32);
  memory->base()[0] = 1;
  memory->base()[memory->size() - 1] = 1;
  EXPECT_EQ(memory->grow(1), kRefused);
}

TEST(LinearMemory, growth_keeps_base_and_contents_and_adds_zeros) {
  const auto memory = memory_of(1, 200);
  ASSERT_NE(memory, nullptr);
  uint8_t* const base = memory->base();
  // A different byte at the end of every page that ever existed.
  for (uint32_t pages = 1; pages < 200; pages++) {
    base[uint64_t{pages} * kPageBytes - 1] = static_cast<uint8_t>(pages * 37 + 1);
    ASSERT_EQ(memory->grow(1), pages);
    ASSERT_EQ(memory->base(), base);
    ASSERT_TRUE(is_zero(*memory, uint64_t{pages} * kPageBytes, memory->size())) << pages;
  }
  for (uint32_t pages = 1; pages < 200; pages++) {
    EXPECT_EQ(base[uint64_t{pages} * kPageBytes - 1], static_cast<uint8_t>(pages * 37 + 1));
  }
}

TEST(LinearMemory, contains_is_exact_at_the_end) {
  const auto memory = memory_of(1);
  ASSERT_NE(memory, nullptr);
  const uint64_t size = memory->size();
  EXPECT_TRUE(memory->contains(0, size));
  EXPECT_FALSE(memory->contains(0, size + 1));
  EXPECT_TRUE(memory->contains(size - 1, 1));
  EXPECT_FALSE(memory->contains(size - 1, 2));
  EXPECT_TRUE(memory->contains(size, 0));
  EXPECT_FALSE(memory->contains(size, 1));
  EXPECT_FALSE(memory->contains(size + 1, 0));
}

TEST(LinearMemory, contains_never_wraps) {
  const auto memory = memory_of(1);
  ASSERT_NE(memory, nullptr);
  EXPECT_FALSE(memory->contains(kMax64, 0));
  EXPECT_FALSE(memory->contains(kMax64, 1));
  EXPECT_FALSE(memory->contains(kMax64, kMax64));
  EXPECT_FALSE(memory->contains(0, kMax64));
  EXPECT_FALSE(memory->contains(1, kMax64));
  EXPECT_FALSE(memory->contains(uint64_t{1} << 63, uint64_t{1} << 63));
  EXPECT_FALSE(memory->contains(uint64_t{1} << 32, 1));
}

TEST(LinearMemory, no_pages_contain_only_nothing) {
  const auto memory = memory_of(0, 0);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->pages(), 0u);
  EXPECT_TRUE(memory->contains(0, 0));
  EXPECT_FALSE(memory->contains(0, 1));
  EXPECT_FALSE(memory->contains(1, 0));
  EXPECT_EQ(memory->grow(0), 0u);
  EXPECT_EQ(memory->grow(1), kRefused);
  EXPECT_TRUE(memory->bytes(0, 0).empty());
}

TEST(LinearMemory, a_view_is_the_bytes_themselves) {
  const auto memory = memory_of(1);
  ASSERT_NE(memory, nullptr);
  const std::span<uint8_t> view = memory->bytes(100, 3);
  ASSERT_EQ(view.size(), 3u);
  view[2] = 9;
  EXPECT_EQ(memory->base()[102], 9);
}

TEST(LinearMemory, what_lies_around_it_is_inaccessible) {
  EXPECT_DEATH(
      {
        const auto memory = memory_of(1, 1);
        memory->base()[memory->size()] = 1;
      },
      "");
  EXPECT_DEATH(
      {
        const auto memory = memory_of(1, 1);
        *(memory->base() - 1) = 1;
      },
      "");
}

TEST(LinearMemory, many_memories_one_after_the_other_leave_no_address_space_behind) {
  // 10 GiB each: without unmapping, 47 bits of addresses would be used up after 14,000.
  for (int i = 0; i < 20'000; i++) {
    const auto memory = memory_of(1);
    ASSERT_NE(memory, nullptr) << i;
  }
}

// --- Reuse ---------------------------------------------------------------------------------------

std::unique_ptr<LinearMemory> pooled(MemoryPool* pool, uint32_t minimum,
                                     std::optional<uint32_t> maximum = {}) {
  return LinearMemory::create(MemoryType{Limits{minimum, maximum}}, kMaxPages, pool);
}

TEST(MemoryPool, what_comes_out_reads_as_zero_wherever_it_was_written) {
  MemoryPool pool(1);
  // Few pages and many; one after the other and scattered; up to the last byte; in swap space (as
  // far as there is any).
  for (const uint64_t step : {uint64_t{1} << 20, uint64_t{4096}, uint64_t{8192}, uint64_t{1},
                              uint64_t{50'000}, uint64_t{2} << 20}) {
    auto memory = pooled(&pool, 32);
    ASSERT_NE(memory, nullptr);
    const uint8_t* const base = memory->base();
    for (uint64_t at = 0; at < memory->size(); at += step) memory->base()[at] = 0xAA;
    memory->base()[memory->size() - 1] = 0xAA;
    if (step > 4096) madvise(memory->base(), memory->size() / 2, MADV_PAGEOUT);
    memory.reset();
    ASSERT_EQ(pool.kept(), 1u);
    memory = pooled(&pool, 32);
    EXPECT_EQ(memory->base(), base) << "it is the same memory";
    ASSERT_TRUE(is_zero(*memory, 0, memory->size())) << step;
  }
}

TEST(MemoryPool, sizes_are_those_of_the_new_memory_not_of_the_old) {
  MemoryPool pool(1);
  for (const uint32_t pages : {5u, 2u, 9u, 0u, 1u, 1u, 100u, 3u}) {
    auto memory = pooled(&pool, pages, pages + 3);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(memory->pages(), pages);
    EXPECT_EQ(memory->declared_maximum(), pages + 3);
    EXPECT_TRUE(is_zero(*memory, 0, memory->size()));
    EXPECT_EQ(memory->grow(4), kRefused);
    EXPECT_EQ(memory->grow(2), pages);
    EXPECT_TRUE(is_zero(*memory, 0, memory->size())) << "what it grew by is new, too";
    memset(memory->base(), 0xAA, memory->size());
    EXPECT_EQ(memory->grow(1), pages + 2);
    EXPECT_EQ(memory->grow(1), kRefused);
  }
}

TEST(MemoryPool, what_lies_behind_a_reused_memory_is_inaccessible) {
  MemoryPool pool(1);
  {
    auto large = pooled(&pool, 20);
  }
  const auto small = pooled(&pool, 1);
  ASSERT_NE(small, nullptr);
  EXPECT_DEATH(small->base()[kPageBytes] = 1, "");
  EXPECT_DEATH(small->base()[19 * kPageBytes] = 1, "");
  EXPECT_DEATH(small->base()[-1] = 1, "");
}

TEST(MemoryPool, keeps_no_more_than_its_capacity_and_nothing_huge) {
  MemoryPool none(0), two(2);
  {
    auto memory = pooled(&none, 1);
  }
  EXPECT_EQ(none.kept(), 0u);
  {
    auto first = pooled(&two, 1), second = pooled(&two, 1), third = pooled(&two, 1);
    EXPECT_EQ(two.kept(), 0u);
    EXPECT_NE(first->base(), second->base());
  }
  EXPECT_EQ(two.kept(), 2u);
  MemoryPool empty(2);
  {
    auto huge = pooled(&empty, kMaxPages / 2);
  }
  EXPECT_EQ(empty.kept(), 0u);
}

TEST(MemoryPool, prefers_a_memory_of_the_same_size) {
  MemoryPool pool(3);
  auto first = pooled(&pool, 1), second = pooled(&pool, 2), third = pooled(&pool, 3);
  const uint8_t* const base = second->base();
  first.reset();
  second.reset();
  third.reset();
  const auto again = pooled(&pool, 2);
  EXPECT_EQ(again->base(), base);
}

TEST(MemoryPool, keeps_few_pages_resident) {
  MemoryPool pool(1);
  const auto resident = [](const LinearMemory& memory) {
    std::vector<uint8_t> pages(memory.size() / static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
    EXPECT_EQ(mincore(memory.base(), memory.size(), pages.data()), 0);
    return static_cast<size_t>(
        std::count_if(pages.begin(), pages.end(), [](uint8_t page) { return (page & 1) != 0; }));
  };
  auto memory = pooled(&pool, 64);
  memset(memory->base(), 1, memory->size());
  EXPECT_GT(resident(*memory), MemoryPool::kMaxKeptPages);
  memory.reset();
  memory = pooled(&pool, 64);
  EXPECT_EQ(resident(*memory), 0u);
  memory->base()[0] = memory->base()[100'000] = 1;
  memory.reset();
  memory = pooled(&pool, 64);
  EXPECT_LE(resident(*memory), 2u);
}

TEST(MemoryPool, instances_do_not_see_each_other_through_it) {
  using namespace vm_test;
  using enum Opcode;
  ModuleBuilder module;
  module.memory(1);
  module.active_data(100, {1, 2, 3});
  module.function("f", "i:i",
                  code(get(0), access(I32Load), get(0), i32(0xFFFFFFFF), access(I32Store)));
  const std::shared_ptr<const Code> shared = load(module);
  MemoryPool pool(2);
  Budget budget;
  for (int i = 0; i < 10; i++) {
    Store store(&pool);
    const auto made = instantiate(store, shared, {}, budget);
    ASSERT_TRUE(made.ok());
    FunctionInstance* f = made.value()->exported_function("f");
    const auto word = [&](uint32_t at) { return invoke_function(budget, f, {i32_value(at)}); };
    EXPECT_EQ(word(0), returned({i32_value(0)}));
    EXPECT_EQ(word(100), returned({i32_value(0x030201)}));
    EXPECT_EQ(word(60'000), returned({i32_value(0)}));
  }
  EXPECT_EQ(pool.kept(), 1u);
}

// --- A system that refuses -----------------------------------------------------------------------

// AddressSanitizer maps terabytes of its own, so its processes cannot be limited.
#if defined(__SANITIZE_ADDRESS__)
#define QIP_ADDRESS_SPACE_CAN_BE_LIMITED 0
#elif defined(__has_feature)
#define QIP_ADDRESS_SPACE_CAN_BE_LIMITED !__has_feature(address_sanitizer)
#else
#define QIP_ADDRESS_SPACE_CAN_BE_LIMITED 1
#endif

#if QIP_ADDRESS_SPACE_CAN_BE_LIMITED
// The address space of this process now, in bytes.
uint64_t address_space() {
  FILE* file = fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  const bool ok = file != nullptr && fscanf(file, "%lu", &pages) == 1;
  if (file != nullptr) fclose(file);
  return ok ? uint64_t{pages} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

// Runs `body` in a child that may map `extra` bytes more than it has; its exit status, 101 if it
// threw.
template <class Body>
int with_address_space(uint64_t extra, Body body) {
  const pid_t child = fork();
  if (child == 0) {
    malloc_trim(0);  // what earlier tests have freed is not there to be used again
    const rlim_t limit = address_space() + extra;
    const rlimit limits = {limit, limit};
    if (setrlimit(RLIMIT_AS, &limits) != 0) _exit(100);
    try {
      _exit(body());
    } catch (...) {
      _exit(101);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#if !defined(QIP_CHECKS_GUARD)
TEST(LinearMemory, too_little_address_space_for_guards_still_gives_a_memory) {
  EXPECT_EQ(with_address_space(uint64_t{64} << 20,
                               [] {
                                 const auto memory = memory_of(1, 100);
                                 if (memory == nullptr) return 1;
                                 if (memory->grow(99) != 1) return 2;
                                 memory->base()[memory->size() - 1] = 1;
                                 return memory->grow(1) == kRefused ? 0 : 3;
                               }),
            0);
}

TEST(LinearMemory, too_little_address_space_for_the_maximum_gives_the_minimum) {
  EXPECT_EQ(with_address_space(uint64_t{64} << 20,
                               [] {
                                 const auto memory = memory_of(2);
                                 if (memory == nullptr) return 1;
                                 memory->base()[memory->size() - 1] = 1;
                                 if (memory->pages() != 2) return 2;
                                 if (memory->grow(1) != kRefused)
                                   return 3;  // as if the guest had asked for too much
                                 return memory->grow(0) == 2 ? 0 : 4;
                               }),
            0);
}
#endif

TEST(LinearMemory, too_little_address_space_for_the_minimum_is_a_refusal) {
  EXPECT_EQ(
      with_address_space(
          uint64_t{64} << 20,
          [] { return memory_of(2000) == nullptr && memory_of(kMaxPages) == nullptr ? 0 : 1; }),
      0);
}

TEST(LinearMemory, a_refused_memory_is_a_limit_error_of_the_instantiation) {
  vm_test::ModuleBuilder module;
  module.memory(kMaxPages);
  EXPECT_EQ(with_address_space(uint64_t{64} << 20,
                               [&module] {
                                 vm_test::World world;
                                 const auto result = world.try_add(module);
                                 if (result.ok()) return 1;
                                 return result.error().error_class == InstantiationErrorClass::Limit
                                            ? 0
                                            : 2;
                               }),
            0);
}

TEST(ValueStack, a_refused_stack_is_a_trap) {
  vm_test::ModuleBuilder module;
  module.function("f", ":", {});
  EXPECT_EQ(with_address_space(uint64_t{64} << 20,
                               [&module] {
                                 BudgetLimits limits;
                                 limits.stack_bytes = uint64_t{1} << 30;
                                 vm_test::Guest guest(module, limits);
                                 return guest.call("f").trap == Trap::OutOfHostMemory ? 0 : 1;
                               }),
            0);
}

TEST(TableInstance, growth_that_the_system_refuses_is_minus_one) {
  vm_test::ModuleBuilder module;
  module.table('r', 0);
  module.function(
      "grow", "i:i",
      vm_test::code(vm_test::ref_null('r'), vm_test::get(0), vm_test::with(Opcode::TableGrow, 0)));
  EXPECT_EQ(
      with_address_space(uint64_t{48} << 20,
                         [&module] {
                           vm_test::Guest guest(module);
                           const auto outcome = guest.call("grow", {Value::from_i32(10'000'000)});
                           if (outcome.trap == Trap::OutOfHostMemory) return 0;
                           return outcome == vm_test::returned({Value::from_i32(kRefused)}) ? 0 : 1;
                         }),
      0);
}
#endif

}  // namespace
}  // namespace qip
