// Snapshots: everything that a guest can change comes back, and nothing else is needed.
#include "vm/snapshot.hpp"

#include <gtest/gtest.h>

#include "vm/test_modules.hpp"

namespace qip {
namespace {

using namespace vm_test;
using enum Opcode;

constexpr uint32_t kPages = 40;  // more than is cleared in place
constexpr uint32_t kFar = (kPages - 1) * 65'536 + 17;

// Every kind of state: memory near and far, both kinds of globals, a table, segments.
ModuleBuilder stateful_module() {
  ModuleBuilder module;
  module.memory(kPages, 2 * kPages);
  module.table('r', 4, 8);
  module.global("", 'i', true, i32(7));
  module.global("", 'v', true, v128(1, 2));
  module.active_data(100, {1, 2, 3, 4});
  module.passive_data({9, 9});
  module.function("one", ":i", i32(1));
  module.function("two", ":i", i32(2));
  module.active_elements(0, 1, {0});
  module.passive_elements({1});
  module.function("byte", "i:i", code(get(0), access(I32Load8U)));
  module.function("set_byte", "ii:", code(get(0), get(1), access(I32Store8)));
  module.function("number", ":i", global_get(0));
  module.function("set_number", "i:", code(get(0), global_set(0)));
  module.function("lane", ":l", code(global_get(1), lane(I64x2ExtractLane, 1)));
  module.function("set_lanes", ":", code(v128(8, 9), global_set(1)));
  module.function("call", "i:i", code(get(0), call_indirect(module.type(":i"))));
  module.function("change_table", ":",
                  code(i32(1), i32(0), i32(1), with(TableInit, 1, 0), with(ElemDrop, 1)));
  module.function("copy_data", ":",
                  code(i32(0), i32(0), i32(2), memory_init(1), with(DataDrop, 1)));
  module.function("grow", ":i", code(i32(1), memory_grow()));
  return module;
}

struct Life {
  World world;
  Instance* instance = world.add(stateful_module());

  Outcome call(std::string_view name, const Values& arguments = {}) {
    return world.call(instance, name, arguments);
  }
  uint32_t byte(uint32_t address) {
    const Outcome outcome = call("byte", {i32_value(address)});
    return outcome.results.empty() ? ~0u : outcome.results[0].i32();
  }
};

TEST(Snapshot, MemoryOfEveryDistanceComesBack) {
  Life life;
  life.call("set_byte", {i32_value(101), i32_value(50)});
  const auto snapshot = InstanceSnapshot::take(*life.instance);
  ASSERT_NE(snapshot, nullptr);
  for (int round = 0; round < 3; round++) {
    for (const uint32_t address : {0u, 100u, 101u, 5'000u, 70'000u, kFar, kPages * 65'536 - 1}) {
      life.call("set_byte", {i32_value(address), i32_value(200)});
      EXPECT_EQ(life.byte(address), 200u) << address;
    }
    ASSERT_TRUE(snapshot->restore());
    EXPECT_EQ(life.byte(100), 1u);
    EXPECT_EQ(life.byte(101), 50u);
    EXPECT_EQ(life.byte(103), 4u);
    for (const uint32_t address : {0u, 5'000u, 70'000u, kFar, kPages * 65'536 - 1}) {
      EXPECT_EQ(life.byte(address), 0u) << address;
    }
  }
}

TEST(Snapshot, LastByteOfMemoryIsPartOfIt) {
  Life life;
  life.call("set_byte", {i32_value(kPages * 65'536 - 1), i32_value(77)});
  const auto snapshot = InstanceSnapshot::take(*life.instance);
  life.call("set_byte", {i32_value(kPages * 65'536 - 1), i32_value(78)});
  ASSERT_TRUE(snapshot->restore());
  EXPECT_EQ(life.byte(kPages * 65'536 - 1), 77u);
}

TEST(Snapshot, GlobalsComeBack) {
  Life life;
  life.call("set_number", {i32_value(8)});
  const auto snapshot = InstanceSnapshot::take(*life.instance);
  life.call("set_number", {i32_value(9)});
  life.call("set_lanes");
  EXPECT_EQ(life.call("lane"), returned({i64_value(9)}));
  ASSERT_TRUE(snapshot->restore());
  EXPECT_EQ(life.call("number"), returned({i32_value(8)}));
  EXPECT_EQ(life.call("lane"), returned({i64_value(2)}));
}

TEST(Snapshot, TablesAndSegmentsComeBack) {
  Life life;
  const auto snapshot = InstanceSnapshot::take(*life.instance);
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ(life.call("call", {i32_value(1)}), returned({i32_value(1)}));
    EXPECT_EQ(life.call("change_table"), returned({}));
    EXPECT_EQ(life.call("call", {i32_value(1)}), returned({i32_value(2)}));
    EXPECT_EQ(life.call("change_table"), trapped(Trap::OutOfBoundsTableAccess));
    EXPECT_EQ(life.call("copy_data"), returned({}));
    EXPECT_EQ(life.byte(1), 9u);
    EXPECT_EQ(life.call("copy_data"), trapped(Trap::OutOfBoundsMemoryAccess));
    ASSERT_TRUE(snapshot->restore());
    EXPECT_EQ(life.byte(1), 0u);
  }
}

TEST(Snapshot, MemoryThatHasGrownIsNotPutBack) {
  Life life;
  const auto snapshot = InstanceSnapshot::take(*life.instance);
  life.call("set_number", {i32_value(9)});
  EXPECT_EQ(life.call("grow"), returned({i32_value(kPages)}));
  EXPECT_FALSE(snapshot->restore());
  EXPECT_EQ(life.call("number"), returned({i32_value(9)}));  // nothing was changed
}

TEST(Snapshot, MemoryBeyondTheLimitIsNotCaptured) {
  ModuleBuilder large;
  large.memory(kMaxSnapshotBytes / 65'536 + 1);
  World world;
  EXPECT_EQ(InstanceSnapshot::take(*world.add(large)), nullptr);
  ModuleBuilder just_fits;
  just_fits.memory(kMaxSnapshotBytes / 65'536);
  EXPECT_NE(InstanceSnapshot::take(*world.add(just_fits)), nullptr);
}

TEST(Snapshot, AnInstanceWithoutMemoryHasOneToo) {
  ModuleBuilder module;
  module.global("", 'i', true, i32(1));
  module.function("next", ":i", code(global_get(0), i32(1), I32Add, global_set(0), global_get(0)));
  World world;
  Instance* instance = world.add(module);
  const auto snapshot = InstanceSnapshot::take(*instance);
  EXPECT_EQ(world.call(instance, "next"), returned({i32_value(2)}));
  EXPECT_EQ(world.call(instance, "next"), returned({i32_value(3)}));
  ASSERT_TRUE(snapshot->restore());
  EXPECT_EQ(world.call(instance, "next"), returned({i32_value(2)}));
}

}  // namespace
}  // namespace qip
