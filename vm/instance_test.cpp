// Instances from outside: what imports match, what host functions get and give, calls from
// instance to instance and back, what a failed instantiation leaves behind.
#include "vm/instance.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "vm/test_modules.hpp"

namespace qip {
namespace {

using namespace vm_test;
using enum Opcode;

constexpr uint64_t kMax64 = 0xFFFF'FFFF'FFFF'FFFF;

Trap do_nothing(void*, const Value*, Value*) {
  return Trap::None;
}

InstantiationErrorClass error_class_of(const Result<Instance*, InstantiationError>& result) {
  EXPECT_FALSE(result.ok());
  return result.ok() ? InstantiationErrorClass::Limit : result.error().error_class;
}

// --- Imports: matching ---------------------------------------------------------------------------

TEST(Imports, functions_match_by_their_whole_type) {
  const std::string_view signatures[] = {":",   "i:",  ":i",  "i:i", "l:i", "i:l", "ii:i", "i:ii",
                                         "f:i", "d:i", "v:i", "r:i", "e:i", "i:v", "i:r"};
  for (const std::string_view wanted : signatures) {
    ModuleBuilder module;
    module.import_function(wanted);
    for (const std::string_view given : signatures) {
      World world;
      const Extern function =
          Extern::of(world.store.add_host_function(func_type(given), do_nothing, nullptr));
      const auto result = world.try_add(module, {function});
      EXPECT_EQ(result.ok(), wanted == given) << wanted << " from " << given;
      if (!result.ok()) {
        EXPECT_EQ(error_class_of(result), InstantiationErrorClass::Unlinkable);
        EXPECT_EQ(result.error().message.find("incompatible import type"), 0u);
        EXPECT_NE(result.error().message.find("host.f"), std::string::npos);
      }
    }
  }
}

TEST(Imports, kinds_do_not_match_each_other) {
  World world;
  const Extern given[] = {
      Extern::of(world.store.add_host_function(func_type(":"), do_nothing, nullptr)),
      Extern::of(world.store.add_table(TableType{}, {})),
      Extern::of(world.store.add_memory(MemoryType{}, {})),
      Extern::of(world.store.add_global(GlobalType{ValueType::I32, false}, {}))};
  for (int wanted = 0; wanted < 4; wanted++) {
    ModuleBuilder module;
    if (wanted == 0) module.import_function(":");
    if (wanted == 1) module.import_table('r', 0);
    if (wanted == 2) module.import_memory(0);
    if (wanted == 3) module.import_global('i', false);
    for (int kind = 0; kind < 4; kind++) {
      EXPECT_EQ(world.try_add(module, {given[kind]}).ok(), wanted == kind) << wanted << kind;
    }
  }
}

TEST(Imports, a_missing_one_is_unknown) {
  ModuleBuilder module;
  module.import_function(":", "first");
  module.import_function(":", "second");
  World world;
  const Extern function =
      Extern::of(world.store.add_host_function(func_type(":"), do_nothing, nullptr));
  const auto result = world.try_add(module, {function});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().error_class, InstantiationErrorClass::Unlinkable);
  EXPECT_EQ(result.error().message.find("unknown import"), 0u);
  EXPECT_NE(result.error().message.find("host.second"), std::string::npos);
}

struct LimitsCase {
  uint32_t minimum;
  std::optional<uint32_t> maximum;
  bool matches;
};
// Wanted: at least 2, at most 5.
constexpr LimitsCase kBounded[] = {{2, 5, true},
                                   {3, 4, true},
                                   {5, 5, true},
                                   {2, 2, true},
                                   {1, 5, false},
                                   {2, 6, false},
                                   {2, std::nullopt, false},
                                   {0, 0, false}};
// Wanted: at least 2.
constexpr LimitsCase kUnbounded[] = {
    {2, std::nullopt, true}, {2, 2, true}, {9, 100, true}, {1, std::nullopt, false}, {0, 9, false}};

TEST(Imports, limits_must_lie_inside_the_declared_ones) {
  for (const bool bounded : {true, false}) {
    ModuleBuilder memory_module, table_module;
    memory_module.import_memory(2, bounded ? std::optional<uint32_t>(5) : std::nullopt);
    table_module.import_table('r', 2, bounded ? std::optional<uint32_t>(5) : std::nullopt);
    for (const LimitsCase& given : bounded ? std::span<const LimitsCase>(kBounded)
                                           : std::span<const LimitsCase>(kUnbounded)) {
      World world;
      const Limits limits{given.minimum, given.maximum};
      const Extern memory = Extern::of(world.store.add_memory(MemoryType{limits}, {}));
      const Extern table =
          Extern::of(world.store.add_table(TableType{ValueType::FuncRef, limits}, {}));
      EXPECT_EQ(world.try_add(memory_module, {memory}).ok(), given.matches)
          << given.minimum << ' ' << given.maximum.value_or(0);
      EXPECT_EQ(world.try_add(table_module, {table}).ok(), given.matches)
          << given.minimum << ' ' << given.maximum.value_or(0);
    }
  }
}

TEST(Imports, the_present_size_counts_not_the_declared_one) {
  ModuleBuilder module;
  module.import_memory(3);
  World world;
  LinearMemory* memory = world.store.add_memory(MemoryType{Limits{1, std::nullopt}}, {});
  EXPECT_FALSE(world.try_add(module, {Extern::of(memory)}).ok());
  ASSERT_EQ(memory->grow(2), 1u);
  EXPECT_TRUE(world.try_add(module, {Extern::of(memory)}).ok());
}

TEST(Imports, tables_match_by_their_element) {
  World world;
  const Extern functions = Extern::of(world.store.add_table(TableType{ValueType::FuncRef, {}}, {}));
  const Extern references =
      Extern::of(world.store.add_table(TableType{ValueType::ExternRef, {}}, {}));
  ModuleBuilder wants_functions, wants_references;
  wants_functions.import_table('r', 0);
  wants_references.import_table('e', 0);
  EXPECT_TRUE(world.try_add(wants_functions, {functions}).ok());
  EXPECT_FALSE(world.try_add(wants_functions, {references}).ok());
  EXPECT_TRUE(world.try_add(wants_references, {references}).ok());
  EXPECT_FALSE(world.try_add(wants_references, {functions}).ok());
}

TEST(Imports, globals_match_by_type_and_mutability) {
  for (const char wanted : std::string_view("ilfdvre")) {
    for (const char given : std::string_view("ilfdvre")) {
      for (const bool wanted_mutable : {false, true}) {
        for (const bool given_mutable : {false, true}) {
          ModuleBuilder module;
          module.import_global(wanted, wanted_mutable);
          World world;
          const Extern global =
              Extern::of(world.store.add_global(GlobalType{type_of(given), given_mutable}, {}));
          EXPECT_EQ(world.try_add(module, {global}).ok(),
                    wanted == given && wanted_mutable == given_mutable);
        }
      }
    }
  }
}

TEST(Imports, a_failed_link_creates_nothing) {
  ModuleBuilder module;
  module.import_memory(1);
  module.import_function(":");
  module.active_data(0, {1, 2, 3});
  World world;
  LinearMemory* memory = world.store.add_memory(MemoryType{Limits{1, std::nullopt}}, {});
  EXPECT_FALSE(world.try_add(module, {Extern::of(memory)}).ok());
  EXPECT_EQ(memory->base()[0], 0);
}

// --- Host functions ------------------------------------------------------------------------------

// Remembers its arguments and gives prepared results.
struct Recorder {
  FuncType type;
  Values arguments, results;
  Trap trap = Trap::None;
  int calls = 0;
  static Trap call(void* context, const Value* arguments, Value* results) {
    auto& self = *static_cast<Recorder*>(context);
    self.calls++;
    self.arguments.assign(arguments, arguments + self.type.parameters.size());
    for (size_t i = 0; i < self.results.size(); i++) results[i] = self.results[i];
    return self.trap;
  }
};

// A value of each type with every bit of it in use.
Value sample(ValueType type, uint64_t number) {
  const uint64_t bits = 0x8123'4567'89AB'CDEF + number * 0x0101'0101'0101'0101;
  switch (type) {
    case ValueType::I32:
    case ValueType::F32:
      return Value{bits & 0xFFFF'FFFF, 0};
    case ValueType::V128:
      return Value{bits, ~bits};
    default:
      return Value{bits, 0};
  }
}
Values samples(const std::vector<ValueType>& types, uint64_t first) {
  Values values;
  for (const ValueType type : types) values.push_back(sample(type, first++));
  return values;
}

// The guest's function passes its own parameters on and gives back what it gets.
void expect_passed_through(const std::string& signature) {
  SCOPED_TRACE(signature);
  World world;
  Recorder recorder;
  recorder.type = func_type(signature);
  recorder.results = samples(recorder.type.results, 1000);
  const Extern host =
      Extern::of(world.store.add_host_function(recorder.type, Recorder::call, &recorder));
  ModuleBuilder module;
  module.import_function(signature);
  Bytes body;
  for (uint32_t i = 0; i < recorder.type.parameters.size(); i++) append(&body, get(i));
  append(&body, call(0));
  module.function("f", signature, body);
  const Instance* instance = world.add(module, {host});
  const Values arguments = samples(recorder.type.parameters, 0);
  EXPECT_EQ(world.call(instance, "f", arguments), returned(recorder.results));
  EXPECT_EQ(recorder.arguments, arguments);
  EXPECT_EQ(recorder.calls, 1);
}

TEST(HostFunctions, get_and_give_every_type) {
  for (const char* signature : {":", "i:i", "l:l", "f:f", "d:d", "v:v", "r:r", "e:e"}) {
    expect_passed_through(signature);
  }
}

TEST(HostFunctions, get_and_give_many_values_of_mixed_types) {
  for (const char* signature :
       {"ilfdvre:", ":ilfdvre", "ilfdvre:ervdfli", "vvv:i", "i:vvv", "vi:iv", "iv:vi",
        "ii:iiiiiiii", "iiiiiiii:ii", "v:vv", "vvvv:vvvvvvvv", "fffffffffffff:ddd"}) {
    expect_passed_through(signature);
  }
}

TEST(HostFunctions, get_and_give_a_thousand_values) {
  expect_passed_through(std::string(1000, 'l') + ":i");
  expect_passed_through("i:" + std::string(1000, 'l'));
  expect_passed_through(std::string(1000, 'v') + ":" + std::string(1000, 'v'));
}

// The slot of an i32 may hold anything above its 32 bits; the host sees zeros there.
TEST(HostFunctions, get_small_values_with_zero_upper_halves) {
  World world;
  Recorder recorder;
  recorder.type = func_type("if:");
  const Extern host =
      Extern::of(world.store.add_host_function(recorder.type, Recorder::call, &recorder));
  ModuleBuilder module;
  module.import_function("if:");
  // Both slots held wide values before.
  module.function("f", "ll:",
                  code(get(0), get(1), I64Add, get(0), get(1), I64Xor, I32WrapI64, set(2), Drop,
                       get(2), i32(1), I32Add, get(2), F32ReinterpretI32, F32Neg, call(0)),
                  "i");
  const Instance* instance = world.add(module, {host});
  EXPECT_EQ(world.call(instance, "f", {i64_value(kMax64), i64_value(kMax64 << 32)}), returned({}));
  ASSERT_EQ(recorder.arguments.size(), 2u);
  EXPECT_EQ(recorder.arguments[0], i32_value(0));
  EXPECT_EQ(recorder.arguments[1], i32_value(0x7FFF'FFFF));
}

TEST(HostFunctions, can_be_invoked_directly) {
  World world;
  Recorder recorder;
  recorder.type = func_type("iv:l");
  recorder.results = {i64_value(5)};
  FunctionInstance* host = world.store.add_host_function(recorder.type, Recorder::call, &recorder);
  const Values arguments = samples(recorder.type.parameters, 0);
  EXPECT_EQ(invoke_function(world.budget, host, arguments), returned({i64_value(5)}));
  EXPECT_EQ(recorder.arguments, arguments);
}

TEST(HostFunctions, end_the_guest_with_their_trap) {
  for (const Trap trap : {Trap::HostFunctionFailed, Trap::Unreachable, Trap::DeadlineExceeded}) {
    World world;
    Recorder recorder;
    recorder.type = func_type(":i");
    recorder.results = {i32_value(9)};
    recorder.trap = trap;
    const Extern host =
        Extern::of(world.store.add_host_function(recorder.type, Recorder::call, &recorder));
    ModuleBuilder module;
    module.import_function(":i");
    module.global("after", 'i', true, i32(1));
    module.function("f", ":i", code(call(0), global_set(0), i32(3)));
    Instance* instance = world.add(module, {host});
    EXPECT_EQ(world.call(instance, "f"), trapped(trap));
    EXPECT_EQ(instance->exported_global("after")->value, i32_value(1)) << "nothing ran behind it";
    recorder.trap = Trap::None;
    EXPECT_EQ(world.call(instance, "f"), returned({i32_value(3)}));
    EXPECT_EQ(instance->exported_global("after")->value, i32_value(9));
  }
}

TEST(HostFunctions, are_called_through_tables) {
  World world;
  Recorder recorder;
  recorder.type = func_type("il:l");
  recorder.results = {i64_value(77)};
  const Extern host =
      Extern::of(world.store.add_host_function(recorder.type, Recorder::call, &recorder));
  ModuleBuilder module;
  module.import_function("il:l");  // type 0
  module.table('r', 1);
  module.table('r', 1);
  module.active_elements(0, 0, {0});
  module.active_elements(1, 0, {0});
  module.function("f", ":l", code(i32(4), i64(5), i32(0), call_indirect(0)));
  module.function("g", ":l", code(i32(4), i64(5), i32(0), call_indirect(0, 1)));
  const Instance* instance = world.add(module, {host});
  EXPECT_EQ(world.call(instance, "f"), returned({i64_value(77)}));
  EXPECT_EQ(world.call(instance, "g"), returned({i64_value(77)}));
  EXPECT_EQ(recorder.arguments, (Values{i32_value(4), i64_value(5)}));
  EXPECT_EQ(recorder.calls, 2);
}

TEST(HostFunctions, can_be_the_start_function) {
  World world;
  Recorder recorder;
  const Extern host =
      Extern::of(world.store.add_host_function(recorder.type, Recorder::call, &recorder));
  ModuleBuilder module;
  module.import_function(":");
  module.start(0);
  EXPECT_NE(world.add(module, {host}), nullptr);
  EXPECT_EQ(recorder.calls, 1);
}

TEST(HostFunctions, may_grow_the_memory_of_their_caller) {
  World world;
  struct Grower {
    LinearMemory* memory = nullptr;
    static Trap call(void* context, const Value*, Value*) {
      static_cast<Grower*>(context)->memory->grow(1);
      return Trap::None;
    }
  } grower;
  const Extern host = Extern::of(world.store.add_host_function({}, Grower::call, &grower));
  ModuleBuilder module;
  module.import_function(":");
  module.memory(1);
  // The last byte of the second page, and its size, before and after.
  module.function("f", ":ii",
                  code(call(0), i32(0x1FFFF), i32(42), access(I32Store8), i32(0x1FFFF),
                       access(I32Load8U), memory_size()));
  module.function("g", ":", code(i32(0x1FFFF), i32(42), access(I32Store8)));
  Instance* instance = world.add(module, {host});
  ASSERT_NE(instance, nullptr);
  grower.memory = instance->memories[0];
  EXPECT_EQ(world.call(instance, "g"), trapped(Trap::OutOfBoundsMemoryAccess));
  EXPECT_EQ(world.call(instance, "f"), returned({i32_value(42), i32_value(2)}));
}

// The host calls back into the guest, which grows its memory: the outer run must see it.
TEST(HostFunctions, may_call_back_into_a_guest_that_grows_its_memory) {
  World world;
  struct Reentry {
    World* world = nullptr;
    Instance* instance = nullptr;
    Outcome outcome;
    static Trap call(void* context, const Value* arguments, Value* results) {
      auto& self = *static_cast<Reentry*>(context);
      self.outcome = self.world->call(self.instance, "grow", {arguments[0]});
      if (self.outcome.trap != Trap::None) return self.outcome.trap;
      results[0] = self.outcome.results[0];
      return Trap::None;
    }
  } reentry{&world, nullptr, {}};
  const Extern host =
      Extern::of(world.store.add_host_function(func_type("i:i"), Reentry::call, &reentry));
  ModuleBuilder module;
  module.import_function("i:i");
  module.memory(1);
  module.function("grow", "i:i", code(get(0), memory_grow()));
  module.function(
      "f", ":ii",
      code(i32(3), call(0), i32(0x3FFFC), i32(7), access(I32Store), i32(0x3FFFC), access(I32Load)));
  reentry.instance = world.add(module, {host});
  EXPECT_EQ(world.call(reentry.instance, "f"), returned({i32_value(1), i32_value(7)}));
}

// --- Instance to instance ------------------------------------------------------------------------

// An instance with a memory of its own, whose first byte tells which one it is.
ModuleBuilder neighbour(uint8_t mark) {
  ModuleBuilder module;
  module.memory(1);
  module.active_data(0, {mark});
  module.function("mark", ":i", code(i32(0), access(I32Load8U)));
  // The same after a loop with hot locals of its own.
  module.function("busy", ":i",
                  code(loop(code(get(1), f64(3), F64Add, set(1), get(0), i32(1), I32Add, tee(0),
                                 i32(5), I32LtU, br_if(0))),
                       i32(0), access(I32Load8U)),
                  "id");
  module.function("grow", ":", code(i32(1), memory_grow(), Drop));
  module.function("trap", ":", code(Unreachable));
  module.function("swap", "vdi:idv", code(get(2), get(1), get(0)));
  module.function("sum", std::string(20, 'i') + ":i", [] {
    Bytes body = get(0);
    for (uint32_t i = 1; i < 20; i++) append(&body, code(get(i), I32Add));
    return body;
  }());
  return module;
}

Extern exported(const Instance* instance, std::string_view name) {
  return Extern::of(instance->exported_function(name));
}

TEST(Neighbours, each_sees_its_own_memory_before_during_and_after_a_call) {
  World world;
  const Instance* other = world.add(neighbour(2));
  ASSERT_NE(other, nullptr);
  ModuleBuilder module;
  module.import_function(":i");
  module.memory(1);
  module.active_data(0, {1});
  const Bytes own_mark = code(i32(0), access(I32Load8U));
  module.function("f", ":iii", code(own_mark, call(0), own_mark));
  const Instance* instance = world.add(module, {exported(other, "mark")});
  EXPECT_EQ(world.call(instance, "f"), returned({i32_value(1), i32_value(2), i32_value(1)}));
}

TEST(Neighbours, memory_sizes_do_not_leak_from_one_into_the_other) {
  World world;
  const Instance* other = world.add(neighbour(2));
  ModuleBuilder module;
  module.import_function(":");
  module.memory(1);
  module.function("f", ":i", code(call(0), memory_size()));
  module.function("g", ":", code(call(0), i32(0x10000), i32(1), access(I32Store8)));
  const Instance* instance = world.add(module, {exported(other, "grow")});
  EXPECT_EQ(world.call(instance, "f"), returned({i32_value(1)}));
  EXPECT_EQ(world.call(instance, "g"), trapped(Trap::OutOfBoundsMemoryAccess));
  EXPECT_EQ(other->memories[0]->pages(), 3u);
}

TEST(Neighbours, a_shared_memory_grows_for_both) {
  World world;
  const Instance* owner = world.add(neighbour(2));
  ModuleBuilder module;
  module.import_memory(1);
  module.import_function(":");
  module.function("f", ":ii",
                  code(call(0), i32(0x1FFFF), i32(9), access(I32Store8), memory_size(),
                       i32(0x1FFFF), access(I32Load8U)));
  const Instance* instance =
      world.add(module, {Extern::of(owner->memories[0]), exported(owner, "grow")});
  EXPECT_EQ(world.call(instance, "f"), returned({i32_value(2), i32_value(9)}));
  EXPECT_EQ(owner->memories[0]->base()[0x1FFFF], 9);
}

TEST(Neighbours, values_of_all_sizes_cross_in_both_directions) {
  World world;
  const Instance* other = world.add(neighbour(2));
  ModuleBuilder module;
  module.import_function("vdi:idv");
  // Something lives below the arguments, and in locals, across the call.
  module.function("f", "vdi:lidvi",
                  code(i64(11), get(0), get(1), get(2), call(0), get(3), i32(1), I32Add), "i");
  const Instance* instance = world.add(module, {exported(other, "swap")});
  const Values arguments = {Value{1, 2}, f64_value(2.5), i32_value(7)};
  EXPECT_EQ(world.call(instance, "f", arguments),
            returned({i64_value(11), i32_value(7), f64_value(2.5), Value{1, 2}, i32_value(1)}));
}

TEST(Neighbours, many_arguments_cross) {
  World world;
  const Instance* other = world.add(neighbour(2));
  ModuleBuilder module;
  module.import_function(std::string(20, 'i') + ":i");
  Bytes body = i32(1000);
  for (uint32_t i = 1; i <= 20; i++) append(&body, i32(i));
  module.function("f", ":i", code(body, call(0), I32Add));
  const Instance* instance = world.add(module, {exported(other, "sum")});
  EXPECT_EQ(world.call(instance, "f"), returned({i32_value(1210)}));
}

TEST(Neighbours, hot_locals_survive_a_call_in_a_loop) {
  World world;
  const Instance* other = world.add(neighbour(2));
  ModuleBuilder module;
  module.import_function(":i");
  // 1000 times: i += 1; x += 0.5; s += busy(). Each is read so often that it pays to keep it in a
  // register.
  const auto hot = [](uint32_t local, Opcode keeping) {
    return code(get(local), repeated(16, code(get(local), keeping)));
  };
  module.function(
      "f", ":iid",
      code(loop(code(hot(2, F64Max), f64(0.5), F64Add, set(2), call(0), hot(1, I32Xor), I32Add,
                     set(1), hot(0, I32Xor), i32(1), I32Add, tee(0), i32(1000), I32LtU, br_if(0))),
           get(0), get(1), get(2)),
      "iid");
  const Instance* instance = world.add(module, {exported(other, "busy")});
  EXPECT_EQ(world.call(instance, "f"),
            returned({i32_value(1000), i32_value(2000), f64_value(500)}));
}

TEST(Neighbours, a_trap_inside_ends_the_run_and_both_stay_usable) {
  World world;
  const Instance* other = world.add(neighbour(2));
  ModuleBuilder module;
  module.import_function(":");
  module.memory(1);
  module.active_data(0, {1});
  module.function("f", ":", call(0));
  module.function("mark", ":i", code(i32(0), access(I32Load8U)));
  const Instance* instance = world.add(module, {exported(other, "trap")});
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(world.call(instance, "f"), trapped(Trap::Unreachable));
    const TrapLocation location = last_trap_location(world.budget);
    EXPECT_EQ(location.instance, other);
    EXPECT_EQ(location.function_index, 3u);
    EXPECT_EQ(world.call(instance, "mark"), returned({i32_value(1)}));
    EXPECT_EQ(world.call(other, "mark"), returned({i32_value(2)}));
  }
}

TEST(Neighbours, call_each_other_through_a_shared_table) {
  World world;
  TableInstance* table =
      world.store.add_table(TableType{ValueType::FuncRef, Limits{10, std::nullopt}}, {});
  // Each puts its function into slot `own` and calls slot `other`.
  const auto player = [](uint8_t mark, uint32_t own, uint32_t other) {
    ModuleBuilder module;
    module.import_table('r', 10);
    module.memory(1);
    module.active_data(0, {mark});
    const uint32_t type = module.type("i:i");
    // n == 0 ? 0 : mark + 10 * other(n - 1) by way of its own memory
    module.function(
        "play", "i:i",
        code(get(0), if_else(code(i32(10), get(0), i32(1), I32Sub, i32(other), call_indirect(type),
                                  I32Mul, i32(0), access(I32Load8U), I32Add),
                             i32(0), 'i')));
    module.active_elements(0, own, {0});
    return module;
  };
  const Instance* first = world.add(player(1, 3, 4), {Extern::of(table)});
  const Instance* second = world.add(player(2, 4, 3), {Extern::of(table)});
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(world.call(first, "play", {i32_value(5)}), returned({i32_value(12121)}));
  EXPECT_EQ(world.call(second, "play", {i32_value(4)}), returned({i32_value(1212)}));
}

TEST(Neighbours, recursion_through_both_is_bounded_by_the_stack) {
  World world;
  TableInstance* table =
      world.store.add_table(TableType{ValueType::FuncRef, Limits{2, std::nullopt}}, {});
  const auto player = [](uint32_t own, uint32_t other) {
    ModuleBuilder module;
    module.import_table('r', 2);
    module.function("play", ":", code(i32(other), call_indirect(0)));
    module.active_elements(0, own, {0});
    return module;
  };
  const Instance* first = world.add(player(0, 1), {Extern::of(table)});
  world.add(player(1, 0), {Extern::of(table)});
  EXPECT_EQ(world.call(first, "play"), trapped(Trap::CallStackExhausted));
}

TEST(Neighbours, types_are_compared_by_structure_not_by_number) {
  World world;
  TableInstance* table =
      world.store.add_table(TableType{ValueType::FuncRef, Limits{4, std::nullopt}}, {});
  ModuleBuilder provider;
  provider.import_table('r', 4);
  provider.type("d:d");
  provider.function("", "i:i", code(get(0), i32(1), I32Add));  // type 1
  provider.function("", "l:l", get(0));                        // type 2
  provider.active_elements(0, 0, {0, 1});
  world.add(provider, {Extern::of(table)});
  ModuleBuilder user;
  user.import_table('r', 4);
  user.type("l:l");                                                         // type 0
  const uint32_t wanted = user.type("i:i");                                 // type 1
  const uint32_t twin = user.type("i:i");                                   // type 2, equal to 1
  user.function("f", "i:i", code(i32(41), get(0), call_indirect(wanted)));  // type 3, equal to 1
  user.function("g", "i:i", code(i32(41), get(0), call_indirect(twin)));
  user.function("own", "i:i", code(get(0), i32(2), I32Add));
  user.active_elements(0, 2, {2});
  const Instance* instance = world.add(user, {Extern::of(table)});
  for (const char* name : {"f", "g"}) {
    EXPECT_EQ(world.call(instance, name, {i32_value(0)}), returned({i32_value(42)}));
    EXPECT_EQ(world.call(instance, name, {i32_value(1)}), trapped(Trap::IndirectCallTypeMismatch));
    EXPECT_EQ(world.call(instance, name, {i32_value(2)}), returned({i32_value(43)}));
    EXPECT_EQ(world.call(instance, name, {i32_value(3)}), trapped(Trap::UninitializedElement));
    EXPECT_EQ(world.call(instance, name, {i32_value(4)}), trapped(Trap::UndefinedElement));
  }
}

TEST(Neighbours, two_instances_of_one_module_share_only_its_code) {
  ModuleBuilder module;
  module.memory(1);
  module.global("g", 'i', true, i32(0));
  module.function(
      "f", ":i",
      code(global_get(0), i32(1), I32Add, global_set(0), i32(0), i32(0), access(I32Load), i32(10),
           I32Add, access(I32Store), global_get(0), i32(0), access(I32Load), I32Add));
  World world;
  const auto shared = load(module);
  Instance* instances[2];
  for (Instance*& instance : instances) {
    auto result = instantiate(world.store, shared, {}, world.budget);
    ASSERT_TRUE(result.ok());
    instance = result.value();
  }
  EXPECT_EQ(world.call(instances[0], "f"), returned({i32_value(11)}));
  EXPECT_EQ(world.call(instances[0], "f"), returned({i32_value(22)}));
  EXPECT_EQ(world.call(instances[1], "f"), returned({i32_value(11)}));
}

// --- Globals -------------------------------------------------------------------------------------

TEST(Globals, imported_ones_are_shared_in_all_types) {
  for (const char letter : std::string_view("ilfdve")) {
    SCOPED_TRACE(letter);
    World world;
    const ValueType type = type_of(letter);
    GlobalInstance* global = world.store.add_global(GlobalType{type, true}, sample(type, 1));
    ModuleBuilder module;
    module.import_global(letter, true);
    module.function("get", std::string(":") + letter, global_get(0));
    module.function("set", std::string(1, letter) + ":", code(get(0), global_set(0)));
    const Instance* first = world.add(module, {Extern::of(global)});
    const Instance* second = world.add(module, {Extern::of(global)});
    EXPECT_EQ(world.call(first, "get"), returned({sample(type, 1)}));
    EXPECT_EQ(world.call(second, "set", {sample(type, 2)}), returned({}));
    EXPECT_EQ(world.call(first, "get"), returned({sample(type, 2)}));
    EXPECT_EQ(global->value, sample(type, 2));
    global->value = sample(type, 3);
    EXPECT_EQ(world.call(second, "get"), returned({sample(type, 3)}));
  }
}

TEST(Globals, own_ones_hold_all_types_side_by_side) {
  ModuleBuilder module;
  const std::string_view letters = "ilfdvreilfdv";
  for (uint32_t i = 0; i < letters.size(); i++) {
    const char letter = letters[i];
    const Bytes initializer = letter == 'i'   ? i32(i)
                              : letter == 'l' ? i64(i)
                              : letter == 'f' ? f32(static_cast<float>(i))
                              : letter == 'd' ? f64(i)
                              : letter == 'v' ? v128(i, i)
                                              : ref_null(letter);
    module.global("g" + std::to_string(i), letter, true, initializer);
    if (letter == 'r') continue;
    module.function("get" + std::to_string(i), std::string(":") + letter, global_get(i));
    module.function("set" + std::to_string(i), std::string(1, letter) + ":",
                    code(get(0), global_set(i)));
  }
  Guest guest(module);
  for (uint32_t i = 0; i < letters.size(); i++) {
    if (letters[i] == 'r') continue;
    const Value value = sample(type_of(letters[i]), i);
    EXPECT_EQ(guest.call("set" + std::to_string(i), {value}), returned({}));
  }
  for (uint32_t i = 0; i < letters.size(); i++) {
    if (letters[i] == 'r') continue;
    const Value value = sample(type_of(letters[i]), i);
    EXPECT_EQ(guest.call("get" + std::to_string(i)), returned({value})) << letters[i];
    EXPECT_EQ(guest.instance->exported_global("g" + std::to_string(i))->value, value);
  }
}

// The host reads a global as a Value, whose upper half is zero for small types.
TEST(Globals, small_values_have_zero_upper_halves_wherever_they_came_from) {
  World world;
  GlobalInstance* integer = world.store.add_global(GlobalType{ValueType::I32, true}, {});
  GlobalInstance* number = world.store.add_global(GlobalType{ValueType::F32, true}, {});
  ModuleBuilder module;
  module.import_global('i', true);
  module.import_global('f', true);
  module.global("own", 'i', true, i32(0));
  // The slots held wide values before.
  module.function("f", "ll:",
                  code(get(0), get(1), I64Or, Drop,                                    //
                       get(0), I32WrapI64, get(1), I32WrapI64, I32Add, global_set(0),  //
                       get(0), I32WrapI64, global_set(2),                              //
                       get(0), get(1), I64Or, Drop,                                    //
                       get(0), I32WrapI64, F32ReinterpretI32, F32Neg, global_set(1)));
  Instance* instance = world.add(module, {Extern::of(integer), Extern::of(number)});
  EXPECT_EQ(world.call(instance, "f", {i64_value(kMax64), i64_value(kMax64)}), returned({}));
  EXPECT_EQ(integer->value, i32_value(0xFFFF'FFFE));
  EXPECT_EQ(number->value, i32_value(0x7FFF'FFFF));
  EXPECT_EQ(instance->exported_global("own")->value, i32_value(0xFFFF'FFFF));
}

TEST(Globals, initializers_read_imported_globals_and_count) {
  World world;
  const Extern base =
      Extern::of(world.store.add_global(GlobalType{ValueType::I32, false}, i32_value(40)));
  ModuleBuilder module;
  module.import_global('i', false);
  module.global("a", 'i', false, code(global_get(0), i32(2), I32Add));
  module.global("b", 'i', false, code(global_get(1), global_get(0), I32Mul, i32(1), I32Sub));
  module.global("c", 'l', false, code(i64(5), i64(7), I64Mul, i64(1), I64Add));
  Instance* instance = world.add(module, {base});
  ASSERT_NE(instance, nullptr);
  EXPECT_EQ(instance->exported_global("a")->value, i32_value(42));
  EXPECT_EQ(instance->exported_global("b")->value, i32_value(1679));
  EXPECT_EQ(instance->exported_global("c")->value, i64_value(36));
}

// --- Instantiation -------------------------------------------------------------------------------

TEST(Instantiation, the_start_function_runs_after_all_segments) {
  ModuleBuilder module;
  module.memory(1);
  module.active_data(8, {5});
  module.table('r', 1);
  module.function(
      "", ":",
      code(i32(0), i32(8), access(I32Load8U), i32(0), call_indirect(1), I32Add, access(I32Store8)));
  module.function("", ":i", i32(30));
  module.active_elements(0, 0, {1});
  module.start(0);
  Guest guest(module);
  ASSERT_NE(guest.instance, nullptr);
  EXPECT_EQ(guest.instance->memories[0]->base()[0], 35);
}

TEST(Instantiation, a_trap_of_the_start_function_is_an_error) {
  ModuleBuilder module;
  module.function("", ":", code(i32(1), i32(0), I32DivU, Drop));
  module.start(0);
  World world;
  const auto result = world.try_add(module);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().error_class, InstantiationErrorClass::Trapped);
  EXPECT_EQ(result.error().trap, Trap::IntegerDivideByZero);
}

TEST(Instantiation, without_its_start_function_does_everything_else) {
  ModuleBuilder module;
  module.memory(1);
  module.active_data(8, {5});
  module.table('r', 1);
  module.function("", ":", code(i32(8), i32(6), access(I32Store8), Unreachable));
  module.function("f", ":i", code(i32(0), call_indirect(1)));
  module.function("", ":i", code(i32(8), access(I32Load8U)));
  module.active_elements(0, 0, {2});
  module.start(0);
  World world;
  const auto result =
      instantiate(world.store, load(module), {}, world.budget, {.run_start = false});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(world.call(result.value(), "f"), returned({i32_value(5)}));
  EXPECT_FALSE(instantiate(world.store, load(module), {}, world.budget).ok());
}

TEST(Instantiation, without_its_start_function_calls_no_host_function_either) {
  World world;
  int calls = 0;
  const HostFunction count = [](void* context, const Value*, Value*) {
    ++*static_cast<int*>(context);
    return Trap::None;
  };
  const Extern host = Extern::of(world.store.add_host_function({}, count, &calls));
  ModuleBuilder module;
  module.import_function(":");
  module.start(0);
  const Extern imports[] = {host};
  EXPECT_TRUE(
      instantiate(world.store, load(module), imports, world.budget, {.run_start = false}).ok());
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(instantiate(world.store, load(module), imports, world.budget).ok());
  EXPECT_EQ(calls, 1);
}

TEST(Instantiation, what_segments_wrote_before_one_did_not_fit_stays) {
  World world;
  LinearMemory* memory = world.store.add_memory(MemoryType{Limits{1, std::nullopt}}, {});
  TableInstance* table =
      world.store.add_table(TableType{ValueType::FuncRef, Limits{3, std::nullopt}}, {});
  ModuleBuilder module;
  module.import_memory(1);
  module.import_table('r', 3);
  module.function("", ":i", i32(7));
  module.active_elements(0, 1, {0});
  module.active_data(0, {1, 2});
  module.active_data(0xFFFF, {3, 4});  // one byte too far: not even its first byte is written
  module.active_data(2, {5});          // comes too late
  const auto result = world.try_add(module, {Extern::of(memory), Extern::of(table)});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().error_class, InstantiationErrorClass::Trapped);
  EXPECT_EQ(result.error().trap, Trap::OutOfBoundsMemoryAccess);
  EXPECT_EQ(memory->base()[0], 1);
  EXPECT_EQ(memory->base()[1], 2);
  EXPECT_EQ(memory->base()[2], 0);
  EXPECT_EQ(memory->base()[0xFFFF], 0);
  // The function in the table still works, though its instance was never given out.
  ASSERT_NE(table->elements[1], kNullReference);
  auto* function = reinterpret_cast<FunctionInstance*>(table->elements[1]);
  EXPECT_EQ(invoke_function(world.budget, function, {}), returned({i32_value(7)}));
}

TEST(Instantiation, elements_that_do_not_fit_trap_before_any_data_is_written) {
  World world;
  LinearMemory* memory = world.store.add_memory(MemoryType{Limits{1, std::nullopt}}, {});
  ModuleBuilder module;
  module.import_memory(1);
  module.table('r', 2);
  module.function("", ":", {});
  module.active_elements(0, 1, {0, 0});
  module.active_data(0, {1});
  const auto result = world.try_add(module, {Extern::of(memory)});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().trap, Trap::OutOfBoundsTableAccess);
  EXPECT_EQ(memory->base()[0], 0);
}

TEST(Instantiation, empty_segments_fit_exactly_at_the_end_and_not_beyond) {
  const auto trap_of = [](uint32_t table_offset, uint32_t memory_offset) {
    ModuleBuilder module;
    module.memory(1);
    module.table('r', 2);
    module.active_elements(0, table_offset, {});
    module.active_data(memory_offset, {});
    World world;
    const auto result = world.try_add(module);
    return result.ok() ? Trap::None : result.error().trap;
  };
  EXPECT_EQ(trap_of(2, 0x10000), Trap::None);
  EXPECT_EQ(trap_of(3, 0), Trap::OutOfBoundsTableAccess);
  EXPECT_EQ(trap_of(0xFFFFFFFF, 0), Trap::OutOfBoundsTableAccess);
  EXPECT_EQ(trap_of(0, 0x10001), Trap::OutOfBoundsMemoryAccess);
  EXPECT_EQ(trap_of(0, 0xFFFFFFFF), Trap::OutOfBoundsMemoryAccess);
}

TEST(Instantiation, active_segments_are_dropped_and_passive_ones_are_not) {
  ModuleBuilder module;
  module.memory(1);
  module.table('r', 4);
  module.function("", ":", {});
  module.active_data(0, {1, 2, 3});
  module.passive_data({4, 5, 6});
  module.active_elements(0, 0, {0});
  module.passive_elements({0});
  module.declare({0});
  module.function("data", "i:", code(i32(10), i32(0), get(0), memory_init(0)));
  module.function("passive", "i:", code(i32(20), i32(0), get(0), memory_init(1)));
  module.function("element", "i:", code(i32(1), i32(0), get(0), with(TableInit, 0, 0)));
  module.function("passive_element", "i:", code(i32(1), i32(0), get(0), with(TableInit, 1, 0)));
  module.function("declared", "i:", code(i32(1), i32(0), get(0), with(TableInit, 2, 0)));
  module.function("drop", ":", code(with(DataDrop, 1), with(ElemDrop, 1)));
  Guest guest(module);
  EXPECT_EQ(guest.call("data", {i32_value(0)}), returned({}));
  EXPECT_EQ(guest.call("data", {i32_value(1)}), trapped(Trap::OutOfBoundsMemoryAccess));
  EXPECT_EQ(guest.call("element", {i32_value(1)}), trapped(Trap::OutOfBoundsTableAccess));
  EXPECT_EQ(guest.call("declared", {i32_value(1)}), trapped(Trap::OutOfBoundsTableAccess));
  EXPECT_EQ(guest.call("passive", {i32_value(3)}), returned({}));
  EXPECT_EQ(guest.instance->memories[0]->base()[22], 6);
  EXPECT_EQ(guest.call("passive_element", {i32_value(1)}), returned({}));
  EXPECT_EQ(guest.call("drop"), returned({}));
  EXPECT_EQ(guest.call("passive", {i32_value(1)}), trapped(Trap::OutOfBoundsMemoryAccess));
  EXPECT_EQ(guest.call("passive_element", {i32_value(1)}), trapped(Trap::OutOfBoundsTableAccess));
  EXPECT_EQ(guest.call("passive", {i32_value(0)}), returned({}));
}

TEST(Exports, are_found_by_name_and_kind) {
  ModuleBuilder module;
  module.memory(1, {}, "m");
  module.function("f", ":", {});
  module.global("g", 'i', false, i32(1));
  module.table('r', 1, {}, "t");
  Guest guest(module);
  ASSERT_NE(guest.instance, nullptr);
  EXPECT_NE(guest.instance->exported_function("f"), nullptr);
  EXPECT_EQ(guest.instance->exported_function("m"), nullptr);
  EXPECT_EQ(guest.instance->exported_function(""), nullptr);
  EXPECT_NE(guest.instance->exported_memory("m"), nullptr);
  EXPECT_EQ(guest.instance->exported_memory("f"), nullptr);
  EXPECT_NE(guest.instance->exported_global("g"), nullptr);
  EXPECT_EQ(guest.instance->exported_global("t"), nullptr);
  Extern found;
  EXPECT_TRUE(guest.instance->find_export("t", &found));
  EXPECT_EQ(found.kind, ExternKind::Table);
  EXPECT_FALSE(guest.instance->find_export("x", &found));
}

// --- invoke() ------------------------------------------------------------------------------------

TEST(Invoke, a_wrong_number_of_arguments_or_results_is_refused) {
  ModuleBuilder module;
  module.function("f", "ii:i", code(get(0), get(1), I32Add));
  Guest guest(module);
  FunctionInstance* function = guest.instance->exported_function("f");
  const Values arguments(3);
  Value results[2] = {i32_value(99), i32_value(99)};
  for (size_t given = 0; given <= 3; given++) {
    for (size_t wanted = 0; wanted <= 2; wanted++) {
      const Trap trap = invoke(guest.budget, *function, std::span(arguments).first(given),
                               std::span(results).first(wanted));
      EXPECT_EQ(trap, given == 2 && wanted == 1 ? Trap::None : Trap::HostFunctionFailed);
    }
  }
}

TEST(Invoke, a_trap_leaves_the_results_untouched) {
  ModuleBuilder module;
  module.function("f", ":ii", code(i32(1), Unreachable));
  Guest guest(module);
  Value results[2] = {i32_value(98), i32_value(99)};
  EXPECT_EQ(invoke(guest.budget, *guest.instance->exported_function("f"), {}, results),
            Trap::Unreachable);
  EXPECT_EQ(results[0], i32_value(98));
  EXPECT_EQ(results[1], i32_value(99));
}

TEST(Invoke, a_trap_of_a_host_function_leaves_the_results_untouched) {
  World world;
  Recorder recorder;
  recorder.type = func_type(":i");
  recorder.results = {i32_value(5)};
  recorder.trap = Trap::HostFunctionFailed;
  FunctionInstance* host = world.store.add_host_function(recorder.type, Recorder::call, &recorder);
  Value results[1] = {i32_value(99)};
  EXPECT_EQ(invoke(world.budget, *host, {}, results), Trap::HostFunctionFailed);
  EXPECT_EQ(results[0], i32_value(99));
}

TEST(Invoke, a_thousand_parameters_of_every_type) {
  std::string signature;
  for (int i = 0; i < 1000; i++) signature += "ilfdv"[i % 5];
  ModuleBuilder module;
  Bytes all;
  for (uint32_t i = 0; i < 1000; i++) append(&all, get(i));
  module.function("all", signature + ":" + signature, all);
  module.function("last", signature + ":v", get(999));
  module.function("call", signature + ":" + signature, code(all, call(0)));
  Guest guest(module);
  const Values arguments = samples(func_type(signature + ":").parameters, 0);
  EXPECT_EQ(guest.call("last", arguments), returned({arguments.back()}));
  EXPECT_EQ(guest.call("all", arguments), returned(arguments));
  EXPECT_EQ(guest.call("call", arguments), returned(arguments));
}

TEST(Invoke, small_results_have_zero_upper_halves) {
  ModuleBuilder module;
  module.function("constant", ":i", i32(0xFFFFFFFF));
  module.function("wrap", "l:i", code(get(0), I32WrapI64));
  module.function("add", "l:i", code(get(0), I32WrapI64, i32(0x80000000), I32Or));
  module.function("float", "l:f", code(get(0), I32WrapI64, F32ReinterpretI32));
  module.function("several", "l:ifi",
                  code(get(0), I32WrapI64, get(0), I32WrapI64, F32ReinterpretI32, i32(0xFFFFFFFF)));
  module.function("parameter", "i:i", get(0));
  module.function("float_parameter", "f:f", get(0));
  module.memory(1);
  module.function("loaded", ":i",
                  code(i32(0), i32(0xFF), access(I32Store8), i32(0), access(I32Load8S)));
  Guest guest(module);
  const Value wide = i64_value(kMax64);
  const Value small = i32_value(0xFFFFFFFF);
  for (const char* name : {"wrap", "add", "float"}) {
    EXPECT_EQ(guest.call(name, {wide}), returned({small})) << name;
  }
  EXPECT_EQ(guest.call("constant"), returned({small}));
  EXPECT_EQ(guest.call("loaded"), returned({small}));
  EXPECT_EQ(guest.call("several", {wide}), returned({small, small, small}));
  // What lies above an argument's 32 bits is not looked at.
  EXPECT_EQ(guest.call("parameter", {wide}), returned({small}));
  EXPECT_EQ(guest.call("float_parameter", {wide}), returned({small}));
}

TEST(Invoke, imported_functions_are_exported_as_they_are) {
  World world;
  Recorder recorder;
  const Extern host =
      Extern::of(world.store.add_host_function(recorder.type, Recorder::call, &recorder));
  ModuleBuilder module;
  module.import_function(":");
  module.export_function("again", 0);
  const Instance* instance = world.add(module, {host});
  EXPECT_EQ(instance->exported_function("again"), host.function);
  EXPECT_EQ(world.call(instance, "again"), returned({}));
  EXPECT_EQ(recorder.calls, 1);
}

}  // namespace
}  // namespace qip
