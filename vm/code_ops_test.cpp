// The table of operations: every row can be executed with all operands in slots, and every place
// that a row names has a handler, unless two operands would share one accumulator.
#include "vm/code_ops.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace qip {
namespace {

constexpr Kind kKinds[] = {Kind::Slot, Kind::Immediate, Kind::Accumulator, Kind::Register0,
                           Kind::Register1};

template <class Function>
void for_each_operation(Function function) {
  for (size_t i = 0; i < kCodeOpCount; i++) {
    const auto op = static_cast<CodeOp>(i);
    const CodeOpInfo& info = code_op_info(op);
    if (info.form != Form::None) function(op, info);
  }
}

bool is_slow(const CodeOpInfo& info) {
  return info.form == Form::Slow;
}

// False if two source operands would have to be in the same accumulator.
bool is_possible(const CodeOpInfo& info, Kind a, Kind b, Kind c) {
  int users[2] = {0, 0};
  const auto count = [&users](Places places, Kind kind) {
    if (places != 0 && kind == Kind::Accumulator) users[(places & kFloatFile) != 0 ? 1 : 0]++;
  };
  count(info.a, a);
  count(info.b, b);
  count(info.c, c);
  return users[0] <= 1 && users[1] <= 1;
}

// Where an operand can always be brought: a slot, unless its row wants a constant and nothing else.
Kind fallback(Places places) {
  return places == place(Kind::Immediate) ? Kind::Immediate : Kind::Slot;
}

TEST(CodeOps, every_operation_runs_with_all_operands_in_slots) {
  size_t count = 0;
  for_each_operation([&](CodeOp op, const CodeOpInfo& info) {
    count++;
    EXPECT_NE(
        find_handler(op, fallback(info.d), fallback(info.a), fallback(info.b), fallback(info.c)),
        nullptr)
        << code_op_name(op);
    for (const Places places : {info.d, info.a, info.b, info.c}) {
      EXPECT_TRUE(places == 0 || contains(places, fallback(places))) << code_op_name(op);
    }
  });
  EXPECT_GT(count, 500u);
}

TEST(CodeOps, plain_opcodes_without_an_operation_are_the_ones_that_change_form) {
  for (size_t i = 0; i < kOpcodeCount; i++) {
    const OpcodeInfo& info = kOpcodeInfos[i];
    const bool pure = info.kind == OpcodeKind::Simple || info.kind == OpcodeKind::Lane ||
                      info.kind == OpcodeKind::Shuffle;
    EXPECT_EQ(code_op_info(static_cast<CodeOp>(i)).form != Form::None, pure) << info.text;
  }
}

// All combinations of kinds: a handler exists exactly where the row names all of them.
TEST(CodeOps, a_handler_exists_exactly_for_the_places_that_the_row_names) {
  for_each_operation([](CodeOp op, const CodeOpInfo& info) {
    for (const Kind d : kKinds) {
      for (const Kind a : kKinds) {
        for (const Kind b : kKinds) {
          for (const Kind c : kKinds) {
            const bool named =
                (info.d == 0 || contains(info.d, d)) && (info.a == 0 || contains(info.a, a)) &&
                (info.b == 0 || contains(info.b, b)) && (info.c == 0 || contains(info.c, c));
            const bool expected = named && (is_slow(info) || is_possible(info, a, b, c));
            if ((find_handler(op, d, a, b, c) != nullptr) == expected) continue;
            ADD_FAILURE() << code_op_name(op) << ' ' << static_cast<int>(d) << static_cast<int>(a)
                          << static_cast<int>(b) << static_cast<int>(c);
            return;
          }
        }
      }
    }
  });
}

TEST(CodeOps, operations_without_a_form_have_no_handler) {
  for (size_t i = 0; i < kCodeOpCount; i++) {
    const auto op = static_cast<CodeOp>(i);
    if (code_op_info(op).form != Form::None) continue;
    EXPECT_EQ(find_handler(op, Kind::Slot, Kind::Slot, Kind::Slot, Kind::Slot), nullptr)
        << code_op_name(op);
  }
}

// The emitter writes a result to a slot or a local, never to an immediate.
TEST(CodeOps, no_result_is_an_immediate) {
  for_each_operation([](CodeOp op, const CodeOpInfo& info) {
    EXPECT_FALSE(contains(info.d, Kind::Immediate)) << code_op_name(op);
  });
}

TEST(CodeOps, cells_are_whole_words_and_hold_their_header) {
  for_each_operation([](CodeOp op, const CodeOpInfo& info) {
    for (const Kind a : kKinds) {
      for (const Kind b : kKinds) {
        for (const Kind c : kKinds) {
          const uint32_t bytes = cell_bytes(info, a, b, c);
          EXPECT_EQ(bytes % 8, 0u) << code_op_name(op);
          EXPECT_GE(bytes, 16u) << code_op_name(op);
          EXPECT_LE(bytes, 32u) << code_op_name(op);
        }
      }
    }
  });
}

TEST(CodeOps, parts_partition_the_operations_in_order) {
  EXPECT_EQ(part_begin(0), 0u);
  EXPECT_EQ(part_begin(kHandlerPartCount), kCodeOpCount);
  for (size_t part = 0; part < kHandlerPartCount; part++) {
    EXPECT_LT(part_begin(part), part_begin(part + 1)) << part;
  }
}

TEST(CodeOps, parts_are_about_equally_large) {
  size_t total = 0;
  for (const CodeOpInfo& info : kCodeOpInfoTable) total += handler_count(info);
  for (size_t part = 0; part < kHandlerPartCount; part++) {
    size_t count = 0;
    for (size_t i = part_begin(part); i < part_begin(part + 1); i++) {
      count += handler_count(kCodeOpInfoTable[i]);
    }
    EXPECT_LT(count, 2 * total / kHandlerPartCount) << part;
  }
}

// Return and CallIndirect are the names of an opcode too, which is not executed as such.
TEST(CodeOps, names_are_unique_among_what_is_executed) {
  std::set<std::string> names;
  for_each_operation([&names](CodeOp op, const CodeOpInfo&) {
    const std::string name = code_op_name(op);
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(names.insert(name).second) << name;
  });
  EXPECT_STREQ(code_op_name(code_op(Opcode::I32Add)), "I32Add");
  EXPECT_STREQ(code_op_name(CodeOp::BranchIfI32Eq), "BranchIfI32Eq");
  EXPECT_STREQ(code_op_name(CodeOp::StoreLaneNow), "StoreLaneNow");
  EXPECT_STREQ(code_op_name(CodeOp::kCount), "(none)");
}

// The linker chooses the handler of a direct call by adding to the first.
TEST(CodeOps, calls_lie_by_cleared_slots_then_by_saved_registers) {
  const auto number = [](CodeOp op) { return static_cast<int>(op); };
  EXPECT_EQ(number(CodeOp::Call0SaveIntegers), number(CodeOp::Call0) + 1);
  EXPECT_EQ(number(CodeOp::Call0SaveFloats), number(CodeOp::Call0) + 2);
  EXPECT_EQ(number(CodeOp::Call0SaveAll), number(CodeOp::Call0) + 3);
  EXPECT_EQ(number(CodeOp::Call4), number(CodeOp::Call0) + 16);
  EXPECT_EQ(number(CodeOp::Call4SaveAll), number(CodeOp::Call0) + 19);
}

}  // namespace
}  // namespace qip
