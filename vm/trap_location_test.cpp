// Where a run trapped: the function and the exact instruction, fused or not, and the calls that led
// there, through tables, other instances and hosts; and that nothing in the value stack, however
// wrong, leads outside of it.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <random>
#include <string>

#include "vm/machine.hpp"
#include "vm/slow_ops.hpp"
#include "vm/test_modules.hpp"

namespace qip {
namespace {

using namespace vm_test;
using enum Opcode;

Trap do_nothing(void*, const Value*, Value*) {
  return Trap::None;
}

// The offset of the first `needle` in the module's bytes; it must occur once.
uint64_t offset_of(const ModuleBuilder& module, const Bytes& needle) {
  const Bytes bytes = module.bytes();
  uint64_t found = 0, count = 0;
  for (size_t i = 0; i + needle.size() <= bytes.size(); i++) {
    if (std::equal(needle.begin(), needle.end(), bytes.begin() + static_cast<ptrdiff_t>(i))) {
      found = i;
      count++;
    }
  }
  EXPECT_EQ(count, 1u);
  return found;
}

TEST(TrapLocation, names_the_function_and_the_instruction) {
  ModuleBuilder module;
  module.memory(1);
  module.function("", ":", {});
  module.function("f", "i:i",
                  code(get(0), i32(3), I32Mul, i32(7), I32Xor, Drop, get(0), i32(12345), I32DivU,
                       Drop, i32(100), get(0), I32RemU));
  module.function("", ":", {});
  Guest guest(module);
  EXPECT_EQ(guest.call("f", {i32_value(0)}), trapped(Trap::IntegerDivideByZero));
  const TrapLocation location = last_trap_location(guest.budget);
  EXPECT_EQ(location.instance, guest.instance);
  EXPECT_EQ(location.function_index, 1u);
  EXPECT_EQ(location.byte_offset, offset_of(module, code(I32RemU)));
}

// Fused or not, in whatever order: the instruction that trapped is the one that is named.
TEST(TrapLocation, is_exact_in_the_middle_of_fused_operations) {
#if defined(QIP_CHECKS_GUARD)
  GTEST_SKIP() << "where a guarded access happened is unknown";
#endif
  struct Case {
    const char* what;
    Bytes before, instruction, after;
    std::string_view locals;
  };
  const uint32_t far = 0x7FFF'0000;
  const Bytes marked_load = access(I32Load, 77);
  const Case cases[] = {
      {"load, alone", code(i32(far)), marked_load, code(Drop), "ii"},
      {"load, then its value is added", code(get(0), i32(far), I32Add), marked_load,
       code(get(1), I32Add, set(1)), "ii"},
      {"load into a local with a waiting read", code(get(1), get(0), i32(far), I32Add), marked_load,
       code(set(1), Drop), "ii"},
      {"scaled load", code(get(0), i32(2), I32Shl, i32(far), I32Add), marked_load, code(Drop),
       "ii"},
      {"modify", code(get(2), get(2)), marked_load, code(i32(5), I32Add, access(I32Store, 77)),
       "iii"},
      // Without an offset these become one operation.
      {"store, increment, branch", code(Loop, Bytes{0x40}, get(2), i32(9)), access(I32Store),
       code(get(2), i32(1), I32Add, tee(2), i32(3), I32LtU, br_if(0), End), "iii"},
      {"fill byte by byte", code(Loop, Bytes{0x40}, get(0), i32(far), I32Add, i32(9)),
       access(I32Store8), code(get(0), i32(1), I32Add, tee(0), i32(3), I32LtU, br_if(0), End),
       "ii"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    ModuleBuilder module;
    module.memory(1);
    // Local 2 is far outside of the memory.
    const Bytes prologue = one.locals.size() == 3 ? code(i32(far), set(2)) : Bytes{};
    module.function("f", ":", code(prologue, one.before, one.instruction, one.after), one.locals);
    Guest guest(module);
    EXPECT_EQ(guest.call("f"), trapped(Trap::OutOfBoundsMemoryAccess));
    const TrapLocation location = last_trap_location(guest.budget);
    EXPECT_EQ(location.instance, guest.instance);
    EXPECT_EQ(location.byte_offset,
              offset_of(module, code(one.before, one.instruction)) + one.before.size());
  }
}

TEST(TrapLocation, of_a_call_that_does_not_fit_is_the_call) {
  ModuleBuilder module;
  module.function("f", ":", code(Nop, call(0)));
  Guest guest(module);
  EXPECT_EQ(guest.call("f"), trapped(Trap::CallStackExhausted));
  const TrapLocation location = last_trap_location(guest.budget);
  EXPECT_EQ(location.function_index, 0u);
  EXPECT_EQ(location.byte_offset, offset_of(module, code(Nop, call(0))) + 1);
}

TEST(TrapLocation, counts_imported_functions) {
  World world;
  const Extern host = Extern::of(world.store.add_host_function({}, do_nothing, nullptr));
  ModuleBuilder module;
  module.import_function(":");
  module.import_function(":");
  module.function("", ":", {});
  module.function("f", ":", code(call(0), Unreachable));
  const Instance* instance = world.add(module, {host, host});
  EXPECT_EQ(world.call(instance, "f"), trapped(Trap::Unreachable));
  EXPECT_EQ(last_trap_location(world.budget).function_index, 3u);
}

TEST(TrapLocation, is_unknown_without_a_trap_and_after_a_run_that_was_fine) {
  ModuleBuilder module;
  module.function("trap", ":", code(Unreachable));
  module.function("f", ":", {});
  Guest guest(module);
  EXPECT_EQ(last_trap_location(guest.budget).instance, nullptr);
  EXPECT_EQ(guest.call("trap"), trapped(Trap::Unreachable));
  EXPECT_NE(last_trap_location(guest.budget).instance, nullptr);
  EXPECT_EQ(guest.call("f"), returned({}));
  EXPECT_EQ(last_trap_location(guest.budget).instance, nullptr);
}

TEST(TrapLocation, of_an_endless_loop_is_inside_the_loop) {
  ModuleBuilder module;
  module.function("f", ":", code(Nop, Nop, loop(code(Nop, br(0)))));
  Guest guest(module);
  guest.budget.start_deadline(std::chrono::milliseconds(5));
  EXPECT_EQ(guest.call("f"), trapped(Trap::DeadlineExceeded));
  const TrapLocation location = last_trap_location(guest.budget);
  EXPECT_EQ(location.instance, guest.instance);
  const uint64_t begin = offset_of(module, code(Nop, Nop, Loop)) + 2;
  EXPECT_GE(location.byte_offset, begin);
  EXPECT_LE(location.byte_offset, begin + 6);
}

// --- The calls that led there --------------------------------------------------------------------

struct Stack {
  std::vector<TrapLocation> frames;
  uint64_t depth = 0;
};

Stack stack_of(Budget& budget, size_t limit = 100) {
  Stack stack;
  stack.frames = last_trap_stack(budget, limit, &stack.depth);
  EXPECT_EQ(stack.frames.size(), std::min<uint64_t>(limit, stack.depth));
  const TrapLocation location = last_trap_location(budget);
  if (!stack.frames.empty()) {
    EXPECT_EQ(stack.frames[0].instance, location.instance);
    EXPECT_EQ(stack.frames[0].function_index, location.function_index);
    EXPECT_EQ(stack.frames[0].byte_offset, location.byte_offset);
  } else if (limit > 0) {
    EXPECT_EQ(location.instance, nullptr);
  }
  return stack;
}

// Function indices, innermost first.
std::vector<uint32_t> functions_of(const Stack& stack) {
  std::vector<uint32_t> functions;
  for (const TrapLocation& frame : stack.frames) functions.push_back(frame.function_index);
  return functions;
}
std::vector<const Instance*> instances_of(const Stack& stack) {
  std::vector<const Instance*> instances;
  for (const TrapLocation& frame : stack.frames) instances.push_back(frame.instance);
  return instances;
}
using Functions = std::vector<uint32_t>;

// Marks the instruction behind it: a drop of this constant is nowhere else.
Bytes mark(uint32_t number) {
  return code(i32(0x10'0000 + number), Drop);
}
// Where the instruction after mark(number) is.
uint64_t marked(const ModuleBuilder& module, uint32_t number) {
  return offset_of(module, mark(number)) + mark(number).size();
}

TEST(TrapStack, names_every_call_instruction_innermost_first) {
  ModuleBuilder module;
  module.function("", ":", {});
  module.function("a", ":", code(mark(1), call(2), Nop));
  module.function("", ":", code(call(0), mark(2), call(3)));
  module.function("", ":", code(i32(5), mark(3), Unreachable));
  Guest guest(module);
  EXPECT_EQ(guest.call("a"), trapped(Trap::Unreachable));
  const Stack stack = stack_of(guest.budget);
  EXPECT_EQ(stack.depth, 3u);
  ASSERT_EQ(functions_of(stack), (Functions{3, 2, 1}));
  EXPECT_EQ(stack.frames[0].byte_offset, marked(module, 3));
  EXPECT_EQ(stack.frames[1].byte_offset, marked(module, 2));
  EXPECT_EQ(stack.frames[2].byte_offset, marked(module, 1));
}

// Direct, through table 0 (the quick path) and through table 1, with and without hot locals that
// the call saves and restores around itself, with values that wait on the operand stack.
TEST(TrapStack, finds_the_call_instruction_in_every_kind_of_call) {
  const Bytes calls[] = {code(mark(9), call(1)), code(i32(0), mark(9), call_indirect(0)),
                         code(i32(0), mark(9), call_indirect(0, 1)),
                         code(get(0), mark(9), call_indirect(0)),
                         code(get(0), mark(9), call_indirect(0, 1))};
  for (size_t i = 0; i < std::size(calls); i++) {
    for (const bool hot : {false, true}) {
      SCOPED_TRACE(std::to_string(i) + (hot ? " hot" : ""));
      ModuleBuilder module;
      const uint32_t type = module.type(":");
      ASSERT_EQ(type, 0u);
      module.table('r', 1);
      module.table('r', 1);
      const Bytes body = hot ? code(i64(7),
                                    loop(code(get(1), f64(2), F64Add, set(1), calls[i], get(0),
                                              i32(1), I32Add, tee(0), i32(3), I32LtU, br_if(0))),
                                    Drop)
                             : code(i64(7), calls[i], Drop);
      module.function("f", ":", body, "id");
      module.function("", ":", code(Unreachable));
      module.active_elements(0, 0, {1});
      module.active_elements(1, 0, {1});
      Guest guest(module);
      EXPECT_EQ(guest.call("f"), trapped(Trap::Unreachable));
      const Stack stack = stack_of(guest.budget);
      ASSERT_EQ(functions_of(stack), (Functions{1, 0}));
      EXPECT_EQ(stack.frames[1].byte_offset, marked(module, 9));
    }
  }
}

TEST(TrapStack, a_call_may_be_the_last_instruction_of_its_function) {
  ModuleBuilder module;
  module.function("f", ":i", code(Nop, call(1)));
  module.function("", ":i", code(call(2), Unreachable));
  module.function("", ":", code(i32(1), i32(0), I32DivU, Drop));
  module.function("", ":", {});
  Guest guest(module);
  EXPECT_EQ(guest.call("f"), trapped(Trap::IntegerDivideByZero));
  const Stack stack = stack_of(guest.budget);
  ASSERT_EQ(functions_of(stack), (Functions{2, 1, 0}));
  EXPECT_EQ(stack.frames[2].byte_offset, offset_of(module, code(Nop, call(1))) + 1);
  EXPECT_EQ(stack.frames[1].byte_offset, offset_of(module, code(call(2), Unreachable)));
}

TEST(TrapStack, counts_all_frames_and_shows_the_innermost) {
  ModuleBuilder module;
  module.function("f", "i:i",
                  code(get(0), I32Eqz, if_then(code(mark(3), Unreachable)), get(0), i32(1), I32Sub,
                       mark(1), call(0)));
  module.function("g", "i:i", code(get(0), mark(2), call(0)));
  BudgetLimits limits;
  limits.stack_bytes = uint64_t{128} << 20;
  Guest guest(module, limits);
  constexpr uint32_t kDepth = 500'000;
  EXPECT_EQ(guest.call("g", {i32_value(kDepth)}), trapped(Trap::Unreachable));
  const Stack stack = stack_of(guest.budget, 16);
  EXPECT_EQ(stack.depth, kDepth + 2);
  ASSERT_EQ(stack.frames.size(), 16u);
  EXPECT_EQ(stack.frames[0].byte_offset, marked(module, 3));
  for (size_t i = 1; i < 16; i++) {
    EXPECT_EQ(stack.frames[i].function_index, 0u);
    EXPECT_EQ(stack.frames[i].byte_offset, marked(module, 1));
  }
  EXPECT_EQ(stack_of(guest.budget, 0).depth, kDepth + 2);
  const Stack all = stack_of(guest.budget, kDepth + 100);
  EXPECT_EQ(all.frames.size(), kDepth + 2);
  EXPECT_EQ(all.frames.back().function_index, 1u);
  EXPECT_EQ(all.frames.back().byte_offset, marked(module, 2));
}

TEST(TrapStack, of_frames_of_every_size) {
  ModuleBuilder module;
  const uint32_t locals[] = {0, 1, 100, 3'500, 5'000};
  for (uint32_t i = 0; i < std::size(locals); i++) {
    module.function_with_groups(i == 0 ? "f" : "", module.type(":"), code(mark(i), call(i + 1)),
                                {{locals[i], ValueType::I64}});
  }
  module.function("", ":", code(Unreachable));
  Guest guest(module);
  EXPECT_EQ(guest.call("f"), trapped(Trap::Unreachable));
  const Stack stack = stack_of(guest.budget);
  ASSERT_EQ(functions_of(stack), (Functions{5, 4, 3, 2, 1, 0}));
  for (uint32_t i = 0; i < 5; i++) {
    EXPECT_EQ(stack.frames[5 - i].byte_offset, marked(module, i));
  }
}

TEST(TrapStack, of_an_exhausted_stack_begins_with_the_call_that_did_not_fit) {
  for (const bool indirect : {false, true}) {
    ModuleBuilder module;
    module.type(":");
    module.table('r', 1);
    module.function("f", ":", code(mark(1), call(1)));
    module.function("", ":",
                    indirect ? code(i32(0), mark(2), call_indirect(0)) : code(mark(2), call(1)));
    module.active_elements(0, 0, {1});
    BudgetLimits limits;
    limits.stack_bytes = 100'000;
    Guest guest(module, limits);
    EXPECT_EQ(guest.call("f"), trapped(Trap::CallStackExhausted));
    const Stack stack = stack_of(guest.budget, 1'000'000);
    ASSERT_GT(stack.depth, 100u);
    const uint64_t own_call = marked(module, 2);
    EXPECT_LT(stack.depth, 100'000 / kMinimumFrameBytes);
    for (size_t i = 0; i + 1 < stack.frames.size(); i++) {
      ASSERT_EQ(stack.frames[i].function_index, 1u);
      ASSERT_EQ(stack.frames[i].byte_offset, own_call);
    }
    EXPECT_EQ(stack.frames.back().function_index, 0u);
    EXPECT_EQ(stack.frames.back().byte_offset, marked(module, 1));
  }
}

TEST(TrapStack, of_a_first_frame_that_does_not_fit_is_empty) {
  ModuleBuilder module;
  module.function("trap", ":", code(Unreachable));
  module.function_with_groups("f", module.type(":"), {}, {{50'000, ValueType::I64}});
  BudgetLimits limits;
  limits.stack_bytes = 100'000;
  Guest guest(module, limits);
  EXPECT_EQ(guest.call("trap"), trapped(Trap::Unreachable));
  EXPECT_EQ(guest.call("f"), trapped(Trap::CallStackExhausted));
  EXPECT_EQ(stack_of(guest.budget).depth, 0u);
}

TEST(TrapStack, of_operations_that_leave_the_handlers) {
  const Bytes bodies[] = {
      code(i32(0), i32(0), i32(0x20000), memory_fill()),
      code(i32(0x20000), i32(0), i32(1), memory_copy()),
      code(i32(9), with(TableGet, 0), Drop),
      code(i32(9), call_indirect(0)),
  };
  for (const Bytes& body : bodies) {
    ModuleBuilder module;
    module.type(":");
    module.memory(1);
    module.table('r', 1);
    module.function("f", ":", code(i32(1), call(1), Drop));
    module.function("", ":", body);
    Guest guest(module);
    EXPECT_NE(guest.call("f").trap, Trap::None);
    EXPECT_EQ(functions_of(stack_of(guest.budget)), (Functions{1, 0}));
  }
}

TEST(TrapStack, of_fuel_that_is_gone_begins_with_the_function_that_could_not_go_on) {
  ModuleBuilder module;
  module.function("f", ":", code(mark(1), call(1)));
  module.function("", ":", code(Nop, Nop, Nop, Nop, Nop, Nop, Nop, Nop));
  BudgetLimits limits;
  limits.fuel = 6;
  Guest guest(module, limits, TranslateOptions{.fuel = true});
  EXPECT_EQ(guest.call("f"), trapped(Trap::FuelExhausted));
  const Stack stack = stack_of(guest.budget);
  ASSERT_EQ(functions_of(stack), (Functions{1, 0}));
  EXPECT_EQ(stack.frames[1].byte_offset, marked(module, 1));
}

TEST(TrapStack, of_a_deadline_in_a_loop_and_at_a_call) {
  ModuleBuilder module;
  module.function("looping", ":", code(mark(1), call(1)));
  module.function("", ":", loop(br(0)));
  module.function("calling", "i:", code(get(0), mark(2), call(3)));
  // Exponential, with one loop-free function: stops at a call.
  module.function("", "i:",
                  code(get(0), if_then(code(get(0), i32(1), I32Sub, mark(3), call(3), get(0),
                                            i32(1), I32Sub, mark(4), call(3)))));
  Guest guest(module);
  guest.budget.start_deadline(std::chrono::milliseconds(5));
  EXPECT_EQ(guest.call("looping"), trapped(Trap::DeadlineExceeded));
  Stack stack = stack_of(guest.budget);
  ASSERT_EQ(functions_of(stack), (Functions{1, 0}));
  EXPECT_EQ(stack.frames[1].byte_offset, marked(module, 1));

  guest.budget.start_deadline(std::chrono::milliseconds(5));
  EXPECT_EQ(guest.call("calling", {i32_value(1'000)}), trapped(Trap::DeadlineExceeded));
  stack = stack_of(guest.budget, 10'000);
  EXPECT_GE(stack.depth, 2u);
  EXPECT_LE(stack.depth, 1'002u);
  for (size_t i = 0; i + 1 < stack.frames.size(); i++) {
    ASSERT_EQ(stack.frames[i].function_index, 3u);
    const uint64_t offset = stack.frames[i].byte_offset;
    ASSERT_TRUE(offset == marked(module, 3) || offset == marked(module, 4)) << offset;
  }
  EXPECT_EQ(stack.frames.back().function_index, 2u);
}

TEST(TrapStack, of_a_start_function_is_known_although_there_is_no_instance) {
  ModuleBuilder module;
  module.function("", ":", code(mark(1), call(1)));
  module.function("", ":", code(Unreachable));
  module.start(0);
  World world;
  EXPECT_FALSE(world.try_add(module).ok());
  const Stack stack = stack_of(world.budget);
  ASSERT_EQ(functions_of(stack), (Functions{1, 0}));
  EXPECT_EQ(stack.frames[1].byte_offset, marked(module, 1));
}

// --- Across instances ----------------------------------------------------------------------------

TEST(TrapStack, crosses_instances) {
  World world;
  ModuleBuilder inner;
  inner.function("", ":", {});
  inner.function("plain", ":", code(mark(1), call(4)));
  // Many arguments and several results: the boundary moves them.
  inner.function("many", std::string(30, 'l') + ":vv",
                 code(mark(2), call(1), v128(1, 2), v128(3, 4)));
  inner.function("one", "i:i", code(mark(3), call(1), get(0)));
  inner.function("", ":", code(Unreachable));
  const Instance* second = world.add(inner);
  const auto import = [&](const char* name) { return Extern::of(second->exported_function(name)); };
  ModuleBuilder outer;
  outer.import_function(":");
  outer.import_function(std::string(30, 'l') + ":vv");
  outer.import_function("i:i");
  outer.function("plain", ":", code(i64(1), mark(11), call(0), Drop));
  outer.function("many", ":", code(repeated(30, i64(5)), mark(12), call(1), Drop, Drop));
  // Hot locals around the call, and a frame of its own instance above.
  outer.function("one", ":",
                 code(i32(1),
                      loop(code(get(0), mark(13), call(2), Drop, get(0), i32(1), I32Add, tee(0),
                                i32(5), I32LtU, br_if(0))),
                      Drop),
                 "i");
  outer.function("deep", ":", code(mark(14), call(5)));
  const Instance* first = world.add(outer, {import("plain"), import("many"), import("one")});

  EXPECT_EQ(world.call(first, "plain"), trapped(Trap::Unreachable));
  Stack stack = stack_of(world.budget);
  ASSERT_EQ(functions_of(stack), (Functions{4, 1, 3}));
  EXPECT_EQ(instances_of(stack), (std::vector<const Instance*>{second, second, first}));
  EXPECT_EQ(stack.frames[1].byte_offset, marked(inner, 1));
  EXPECT_EQ(stack.frames[2].byte_offset, marked(outer, 11));

  EXPECT_EQ(world.call(first, "many"), trapped(Trap::Unreachable));
  stack = stack_of(world.budget);
  ASSERT_EQ(functions_of(stack), (Functions{4, 1, 2, 4}));
  EXPECT_EQ(stack.frames[2].byte_offset, marked(inner, 2));
  EXPECT_EQ(stack.frames[3].byte_offset, marked(outer, 12));

  EXPECT_EQ(world.call(first, "deep"), trapped(Trap::Unreachable));
  stack = stack_of(world.budget);
  ASSERT_EQ(functions_of(stack), (Functions{4, 1, 3, 5, 6}));
  EXPECT_EQ(instances_of(stack),
            (std::vector<const Instance*>{second, second, second, first, first}));
  EXPECT_EQ(stack.frames[2].byte_offset, marked(inner, 3));
  EXPECT_EQ(stack.frames[3].byte_offset, marked(outer, 13));
  EXPECT_EQ(stack.frames[4].byte_offset, marked(outer, 14));
}

TEST(TrapStack, of_recursion_through_two_instances_alternates) {
  World world;
  TableInstance* table =
      world.store.add_table(TableType{ValueType::FuncRef, Limits{2, std::nullopt}}, {});
  const auto player = [](uint32_t own, uint32_t other) {
    ModuleBuilder module;
    module.type(":");
    module.import_table('r', 2);
    module.function("f", ":", code(i32(other), mark(own), call_indirect(0)));
    module.active_elements(0, own, {0});
    return module;
  };
  const ModuleBuilder ping = player(0, 1), pong = player(1, 0);
  const Instance* first = world.add(ping, {Extern::of(table)});
  const Instance* second = world.add(pong, {Extern::of(table)});
  EXPECT_EQ(world.call(first, "f"), trapped(Trap::CallStackExhausted));
  const Stack stack = stack_of(world.budget, 1'000'000);
  ASSERT_GT(stack.depth, 1'000u);
  const uint64_t ping_call = marked(ping, 0), pong_call = marked(pong, 1);
  for (size_t i = 0; i < stack.frames.size(); i++) {
    const bool is_first = (stack.frames.size() - 1 - i) % 2 == 0;
    ASSERT_EQ(stack.frames[i].instance, is_first ? first : second) << i;
    ASSERT_EQ(stack.frames[i].byte_offset, is_first ? ping_call : pong_call);
  }
}

TEST(TrapStack, a_call_to_another_instance_that_does_not_fit_is_on_top) {
  BudgetLimits limits;
  limits.stack_bytes = 100'000;
  World world(limits);
  ModuleBuilder inner;
  inner.function_with_groups("f", inner.type(":"), {}, {{50'000, ValueType::I64}});
  const Instance* second = world.add(inner);
  ModuleBuilder outer;
  outer.import_function(":");
  outer.function("f", ":", code(mark(1), call(0)));
  const Instance* first = world.add(outer, {Extern::of(second->exported_function("f"))});
  EXPECT_EQ(world.call(first, "f"), trapped(Trap::CallStackExhausted));
  const Stack stack = stack_of(world.budget);
  ASSERT_EQ(functions_of(stack), (Functions{1}));
  EXPECT_EQ(stack.frames[0].instance, first);
  EXPECT_EQ(stack.frames[0].byte_offset, marked(outer, 1));
}

// --- Through the host ----------------------------------------------------------------------------

// A host function that calls "inner" of the same instance, keeps what is seen of a trap inside, and
// passes it on or not.
struct Reentry {
  World* world = nullptr;
  Instance* instance = nullptr;
  bool pass_on = true;
  bool call_inner = true;
  Stack seen;
  static Trap call(void* context, const Value*, Value*) {
    auto& self = *static_cast<Reentry*>(context);
    const Trap trap = self.call_inner ? self.world->call(self.instance, "inner").trap : Trap::None;
    self.seen = stack_of(self.world->budget);
    return self.pass_on ? trap : Trap::None;
  }
};

TEST(TrapStack, of_a_host_function_ends_at_its_call) {
  World world;
  Reentry reentry;
  reentry.world = &world;
  const HostFunction refuse = [](void*, const Value*, Value*) { return Trap::HostFunctionFailed; };
  const Extern refusing = Extern::of(world.store.add_host_function({}, refuse, nullptr));
  const Extern reentrant = Extern::of(world.store.add_host_function({}, Reentry::call, &reentry));
  ModuleBuilder module;
  module.import_function(":");
  module.import_function(":");
  module.function("refused", ":", code(mark(1), call(0)));
  module.function("inner", ":", code(mark(2), call(4)));
  module.function("", ":", code(mark(3), Unreachable));
  module.function("reenter", ":", code(mark(4), call(6)));
  module.function("", ":", code(mark(5), call(1)));
  // Both in one run: what the first left behind must be forgotten.
  module.function("again", ":", code(call(1), call(1), mark(6), Unreachable));
  reentry.instance = world.add(module, {refusing, reentrant});

  EXPECT_EQ(world.call(reentry.instance, "refused"), trapped(Trap::HostFunctionFailed));
  Stack stack = stack_of(world.budget);
  ASSERT_EQ(functions_of(stack), (Functions{2}));
  EXPECT_EQ(stack.frames[0].byte_offset, marked(module, 1));

  EXPECT_EQ(world.call(reentry.instance, "reenter"), trapped(Trap::Unreachable));
  EXPECT_EQ(functions_of(reentry.seen), (Functions{4, 3})) << "inside, the inner run is seen";
  EXPECT_EQ(reentry.seen.frames[1].byte_offset, marked(module, 2));
  stack = stack_of(world.budget);
  ASSERT_EQ(functions_of(stack), (Functions{6, 5})) << "afterwards the outer one";
  EXPECT_EQ(stack.frames[0].byte_offset, marked(module, 5));
  EXPECT_EQ(stack.frames[1].byte_offset, marked(module, 4));

  reentry.pass_on = false;
  EXPECT_EQ(world.call(reentry.instance, "again"), trapped(Trap::Unreachable));
  stack = stack_of(world.budget);
  ASSERT_EQ(functions_of(stack), (Functions{7}));
  EXPECT_EQ(stack.frames[0].byte_offset, marked(module, 6));
}

TEST(TrapStack, of_a_trap_that_a_host_function_swallowed_is_forgotten_when_the_guest_goes_on) {
  World world;
  Reentry first, second;
  first.world = second.world = &world;
  first.pass_on = second.call_inner = false;
  const Extern imports[] = {
      Extern::of(world.store.add_host_function({}, Reentry::call, &first)),
      Extern::of(world.store.add_host_function({}, Reentry::call, &second)),
  };
  ModuleBuilder module;
  module.import_function(":");
  module.import_function(":");
  module.function("inner", ":", code(Unreachable));
  module.function("f", ":", code(call(0), call(1)));
  first.instance = world.add(module, {imports[0], imports[1]});
  EXPECT_EQ(world.call(first.instance, "f"), returned({}));
  EXPECT_EQ(first.seen.depth, 1u);
  EXPECT_EQ(second.seen.depth, 0u);
}

// --- Unknown -------------------------------------------------------------------------------------

TEST(TrapStack, is_empty_without_a_trap_after_a_run_that_was_fine_and_after_refuelling) {
  ModuleBuilder module;
  module.function("trap", ":", code(Unreachable));
  module.function("f", ":", {});
  Guest guest(module);
  EXPECT_EQ(stack_of(guest.budget).depth, 0u);
  EXPECT_EQ(guest.call("trap"), trapped(Trap::Unreachable));
  EXPECT_EQ(stack_of(guest.budget).depth, 1u);
  EXPECT_EQ(guest.call("f"), returned({}));
  EXPECT_EQ(stack_of(guest.budget).depth, 0u);
  EXPECT_EQ(guest.call("trap"), trapped(Trap::Unreachable));
  guest.budget.refuel();
  EXPECT_EQ(stack_of(guest.budget).depth, 0u);
}

TEST(TrapStack, of_a_guarded_access_is_empty_and_of_a_checked_one_is_not) {
  ModuleBuilder module;
  module.memory(1);
  module.function("f", ":", call(1));
  module.function("", ":", code(i32(0x7FFF'0000), access(I32Load), Drop));
  Guest guest(module);
  EXPECT_EQ(guest.call("f"), trapped(Trap::OutOfBoundsMemoryAccess));
#if defined(QIP_CHECKS_GUARD)
  EXPECT_EQ(stack_of(guest.budget).depth, 0u);
#else
  EXPECT_EQ(functions_of(stack_of(guest.budget)), (Functions{1, 0}));
#endif
}

// A mistake elsewhere must not become an access outside of the value stack: every word of it is
// overwritten with what looks most like a frame.
TEST(TrapStack, of_a_value_stack_full_of_nonsense_ends) {
  ModuleBuilder module;
  module.function(
      "f", "i:i",
      code(get(0), I32Eqz, if_then(code(Unreachable)), get(0), i32(1), I32Sub, call(0)));
  BudgetLimits limits;
  limits.stack_bytes = 4'096;
  Guest guest(module, limits);
  std::mt19937_64 random(1);
  for (int round = 0; round < 2'000; round++) {
    ASSERT_EQ(guest.call("f", {i32_value(10)}), trapped(Trap::Unreachable));
    MachineState& machine = guest.budget.machine();
    const char* const pc = machine.trap_pc;
    for (uint64_t at = 0; at + 8 <= machine.stack_bytes; at += 8) {
      if (round % 4 != 0 && random() % 8 != 0) continue;
      uint64_t word = random();
      switch (random() % 6) {
        case 0:
          word = reinterpret_cast<uintptr_t>(pc) + random() % 16;
          break;
        case 1:
          word = reinterpret_cast<uintptr_t>(boundary_cell());
          break;
        case 2:
        case 3:
          word = reinterpret_cast<uintptr_t>(machine.stack_base) + random() % 5'000 - 500;
          break;
        case 4:
          word = 0;
          break;
      }
      memcpy(machine.stack_base + at, &word, 8);
    }
    if (round % 3 == 0) {
      machine.trap_sp = machine.stack_base + random() % 5'000 - 500;
    }
    uint64_t depth = 0;
    EXPECT_LE(last_trap_stack(guest.budget, 100, &depth).size(), 100u);
    EXPECT_LE(depth, limits.stack_bytes);
  }
}

}  // namespace
}  // namespace qip
