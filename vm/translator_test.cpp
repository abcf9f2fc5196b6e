// What bodies become: the operations that are left after both passes over the IR, line by line;
// fusions that must not happen, with the reason in the test's name; code size linear in the body.
//
// A line is `destination = operation operands offset #immediates @label`: l a local, t a
// temporary's slot, s a slot that several paths write, otherwise a constant. `loop` and `label`
// mark targets.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "vm/code_contents.hpp"
#include "vm/ir.hpp"
#include "vm/test_modules.hpp"

namespace qip {
namespace {

using namespace vm_test;
using enum Opcode;

// The live operations of a function after both passes, one a line.
std::string operand_text(const FunctionIr& ir, Operand operand) {
  switch (operand.kind()) {
    case OperandKind::None:
      return "";
    case OperandKind::Local:
      return " l" + std::to_string(operand.index());
    case OperandKind::Temp:
      return " t" + std::to_string(ir.operations[operand.index()].d.index());
    case OperandKind::Slot:
      return " s" + std::to_string(operand.index());
    case OperandKind::Constant:
      return " " + std::to_string(static_cast<int64_t>(ir.constant(operand)));
  }
  return "?";
}

bool has_label(CodeOp op) {
  if (op == kLabel || op == kLoopHead) return true;
  if (op >= CodeOp::kCount) return false;
  switch (code_op_info(op).form) {
    case Form::CompareBranch:
    case Form::AddBranch:
    case Form::StoreAddBranch:
    case Form::MoveBranch:
    case Form::ConstBranch:
    case Form::AddJump:
    case Form::Jump:
      return true;
    default:
      return false;
  }
}

std::string text_of(const FunctionIr& ir) {
  std::string text;
  for (const Operation& x : ir.operations) {
    if (x.dead()) continue;
    if (!x.d.is(OperandKind::None)) {
      const bool local = x.d.is(OperandKind::Local);
      text += (local ? "l" : "t") + std::to_string(x.d.index()) + " = ";
    }
    text += x.op == kLabel        ? "label"
            : x.op == kLoopHead   ? "loop"
            : x.op == kCallDirect ? "call"
                                  : code_op_name(x.op);
    for (const Operand operand : {x.a, x.b, x.c}) text += operand_text(ir, operand);
    if (x.offset != 0) text += " offset " + std::to_string(x.offset);
    if (x.immediate != 0) text += " #" + std::to_string(static_cast<int32_t>(x.immediate));
    if (x.extra != 0) text += " #" + std::to_string(static_cast<int32_t>(x.extra));
    if (has_label(x.op)) text += " @" + std::to_string(x.label);
    text += '\n';
  }
  return text;
}

// Function 0 of a module with a memory and one table; `prepare` adds more.
std::string operations_of(
    std::string_view signature, const Bytes& body, std::string_view locals = "",
    TranslateOptions options = {},
    const std::function<void(ModuleBuilder*)>& prepare = [](ModuleBuilder*) {}) {
  ModuleBuilder module;
  module.memory(1);
  module.table('r', 1);
  module.function("f", signature, body, locals);
  prepare(&module);
  const auto loaded = load(module, options);
  if (loaded == nullptr) return "";
  FunctionIr ir;
  build_ir(loaded->module(), loaded->module().functions[0], options, false, &ir);
  fuse_neighbours(&ir);
  return text_of(ir);
}

bool contains_operation(const std::string& text, std::string_view name) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const char before = at == 0 ? '\n' : text[at - 1];
    const size_t end = at + name.size();
    if ((before == '\n' || before == ' ') && (text[end] == ' ' || text[end] == '\n')) return true;
  }
  return false;
}

// --- What is fused -------------------------------------------------------------------------------

TEST(Fusion, a_counting_loop_is_one_operation) {
  EXPECT_EQ(
      operations_of("ii:", loop(code(get(0), i32(1), I32Add, tee(0), get(1), I32LtS, br_if(0)))),
      "loop @2\n"
      "AddBranchIfI32LtS l0 1 l1 @2\n"
      "Return\n");
  // As C compilers also write it: the set apart, the limit on the left.
  EXPECT_EQ(operations_of("ii:", loop(code(get(0), i32(1), I32Add, set(0), get(1), get(0), I32GtU,
                                           br_if(0)))),
            "loop @2\n"
            "AddBranchIfI32LtU l0 1 l1 @2\n"
            "Return\n");
  EXPECT_EQ(operations_of("ii:", loop(code(get(0), i32(1), I32Sub, tee(0), br_if(0)))),
            "loop @2\n"
            "AddBranchIfI32Ne l0 4294967295 0 @2\n"
            "Return\n");
  EXPECT_EQ(
      operations_of("ll:", loop(code(get(0), i64(2), I64Add, tee(0), get(1), I64LtU, br_if(0)))),
      "loop @2\n"
      "AddBranchIfI64LtU l0 2 l1 @2\n"
      "Return\n");
}

TEST(Fusion, a_fill_is_one_operation) {
  EXPECT_EQ(operations_of("ii:", loop(code(get(0), i32(7), access(I32Store8), get(0), i32(1),
                                           I32Add, tee(0), get(1), I32Ne, br_if(0)))),
            "loop @2\n"
            "I32Store8AddBranchIfI32Ne l0 1 l1 #7 @2\n"
            "Return\n");
}

TEST(Fusion, a_copy_is_four_operations) {
  EXPECT_EQ(operations_of("iii:", loop(code(get(0), get(1), access(I32Load8U), access(I32Store8),
                                            get(1), i32(1), I32Add, set(1), get(0), i32(1), I32Add,
                                            tee(0), get(2), I32Ne, br_if(0)))),
            "loop @2\n"
            "t1 = I32Load8UAt l1\n"
            "I32Store8At l0 t1\n"
            "l1 = I32Add l1 1\n"
            "AddBranchIfI32Ne l0 1 l2 @2\n"
            "Return\n");
}

TEST(Fusion, addresses_fold_into_their_access) {
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), i32(2), I32Shl, I32Add, access(I32Load, 8))),
            "t0 = I32LoadScaled l1 l0 offset 8 #2\n"
            "ReturnInteger t0\n");
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), I32Add, access(I32Load8U, 8))),
            "t0 = I32Load8UIndexed l0 l1 offset 8\n"
            "ReturnInteger t0\n");
  EXPECT_EQ(operations_of(
                "ii:", code(get(0), i32(3), I32Shl, get(1), I32Add, f64(0), access(F64Store, 16))),
            "F64StoreScaled l0 l1 0 offset 16 #3\n"
            "Return\n");
  // Table look-ups: ((index & mask) << shift) + base, the base on either side or only the offset.
  const Bytes index = code(get(0), i32(255), I32And, i32(2), I32Shl);
  EXPECT_EQ(operations_of("ii:i", code(index, get(1), I32Add, access(I32Load, 8))),
            "t0 = I32LoadTable l0 l1 offset 8 #255 #2\n"
            "ReturnInteger t0\n");
  EXPECT_EQ(operations_of("ii:i", code(get(1), index, I32Add, access(I32Load, 8))),
            "t0 = I32LoadTable l0 l1 offset 8 #255 #2\n"
            "ReturnInteger t0\n");
  EXPECT_EQ(operations_of("i:i", code(index, access(I32Load, 8))),
            "t0 = I32LoadTable l0 0 offset 8 #255 #2\n"
            "ReturnInteger t0\n");
  EXPECT_EQ(operations_of(":i", code(i32(100), access(I32Load, 28))),
            "t0 = I32LoadAt 100 offset 128\n"
            "ReturnInteger t0\n");
}

TEST(Fusion, a_constant_address_beyond_32_bits_is_not_folded) {
  EXPECT_EQ(operations_of(":i", code(i32(0xFFFFFFFF), access(I32Load, 1))),
            "t0 = MoveI32 4294967295\n"
            "t0 = I32LoadAt t0 offset 1\n"
            "ReturnInteger t0\n");
}

TEST(Fusion, reading_changing_and_writing_a_place_is_one_operation) {
  EXPECT_EQ(operations_of("ii:", code(get(0), get(0), access(I32Load, 4), get(1), I32Add,
                                      access(I32Store, 4))),
            "I32LoadModifyI32Add l0 l1 offset 4\n"
            "Return\n");
  EXPECT_EQ(
      operations_of("i:", code(get(0), get(0), access(I32Load), i32(9), I32Xor, access(I32Store))),
      "I32LoadModifyI32Xor l0 9\n"
      "Return\n");
}

TEST(Fusion, a_load_joins_the_arithmetic_that_uses_it) {
  EXPECT_EQ(operations_of("id:d", code(get(1), get(0), access(F64Load, 8), F64Mul)),
            "t0 = F64LoadThenF64Mul l1 l0 offset 8\n"
            "ReturnFloat t0\n");
}

TEST(Fusion, sums_of_products_take_two_operations) {
  EXPECT_EQ(operations_of("dd:d", code(get(0), get(0), F64Mul, get(1), get(1), F64Mul, F64Add)),
            "t1 = F64Mul l1 l1\n"
            "t0 = F64MulF64AddTriple l0 l0 t1\n"
            "ReturnFloat t0\n");
}

TEST(Fusion, minimum_and_maximum_are_one_operation) {
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), get(0), get(1), I32LtS, Opcode::Select)),
            "t0 = SelectIfI32LtS l0 l1\n"
            "ReturnInteger t0\n");
  EXPECT_EQ(operations_of("ii:i", code(get(1), get(0), get(0), get(1), I32LtS, Opcode::Select)),
            "t0 = SelectIfNotI32LtS l0 l1\n"
            "ReturnInteger t0\n");
}

TEST(Fusion, conditions_join_their_branch) {
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), I32GeS, if_else(get(0), get(1), 'i'))),
            "BranchIfI32LtS l0 l1 @2\n"
            "t0 = MoveBranchI32 l0 @1\n"
            "label @2\n"
            "t0 = MoveI32 l1\n"
            "label @1\n"
            "ReturnInteger s0\n");
  EXPECT_EQ(operations_of("i:i", code(get(0), I32Eqz, I32Eqz, if_else(i32(1), i32(2), 'i'))),
            "BranchIfI32Eq l0 0 @2\n"
            "t0 = ConstBranchI32 #1 @1\n"
            "label @2\n"
            "t0 = MoveI32 2\n"
            "label @1\n"
            "ReturnInteger s0\n");
}

TEST(Fusion, a_switch_subtracts_its_first_case_by_itself) {
  EXPECT_EQ(operations_of("i:", block(block(code(get(0), i32(3), I32Sub, br_table({0, 1}, 0))))),
            "BranchTableAdd l0 #-3\n"
            "label @2\n"
            "label @1\n"
            "Return\n");
}

TEST(Fusion, neighbours_that_only_move_or_count_join) {
  EXPECT_EQ(operations_of("iii:", code(get(1), set(0), get(2), set(1))),
            "l0 = MoveTwo l1 l2 l1\n"
            "Return\n");
  EXPECT_EQ(
      operations_of("ii:", code(get(0), i32(1), I32Add, set(0), get(1), i32(4), I32Sub, set(1))),
      "l0 = AddTwo l1 #1 #-4\n"
      "Return\n");
}

TEST(Fusion, reading_locals_and_constants_costs_nothing) {
  EXPECT_EQ(operations_of("i:", code(get(0), Drop, i32(4), Drop, Nop, block({}))), "Return\n");
  EXPECT_EQ(operations_of("i:i", get(0)), "ReturnInteger l0\n");
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), I32Sub)), "ReturnI32Sub l0 l1\n");
}

TEST(Fusion, fuel_is_charged_at_the_entry_and_at_every_loop) {
  EXPECT_EQ(
      operations_of("ii:", loop(code(get(0), i32(1), I32Add, tee(0), get(1), I32LtS, br_if(0))), "",
                    TranslateOptions{.fuel = true}),
      "Fuel offset 2\n"
      "loop @2\n"
      "Fuel offset 8\n"
      "AddBranchIfI32LtS l0 1 l1 @2\n"
      "Return\n");
}

// --- What must not be fused ----------------------------------------------------------------------

TEST(NoFusion, of_an_operand_that_was_overwritten_in_between) {
  EXPECT_EQ(operations_of("iii:i", code(get(0), get(1), I32Mul, i32(9), set(0), get(2), I32Add)),
            "t0 = I32Mul l0 l1\n"
            "l0 = MoveI32 9\n"
            "ReturnI32Add t0 l2\n");
}

TEST(NoFusion, of_a_load_across_a_store) {
  EXPECT_EQ(operations_of("ii:i", code(get(0), access(I32Load), get(1), i32(1), access(I32Store),
                                       get(1), I32Add)),
            "t0 = I32LoadAt l0\n"
            "I32StoreAt l1 1\n"
            "ReturnI32Add t0 l1\n");
  EXPECT_EQ(operations_of("ii:", code(get(0), get(0), access(I32Load), get(1), i32(1),
                                      access(I32Store), get(1), I32Add, access(I32Store))),
            "t1 = I32LoadAt l0\n"
            "I32StoreAt l1 1\n"
            "t1 = I32Add t1 l1\n"
            "I32StoreAt l0 t1\n"
            "Return\n");
}

TEST(NoFusion, of_a_load_across_anything_with_an_effect) {
  const Bytes effects[] = {
      code(call(1)),
      code(i32(0), i32(0), i32(1), memory_fill()),
      code(i32(1), memory_grow(), Drop),
      code(get(1), i32(7), I32DivS, Drop),
      code(i32(0), ref_null('r'), with(TableSet, 0)),
      code(block(code(get(1), br_if(0)))),
  };
  for (const Bytes& effect : effects) {
    ModuleBuilder module;
    module.memory(1);
    module.table('r', 1);
    const std::string text =
        operations_of("ii:i", code(get(0), access(I32Load), effect, get(1), I32Xor), "", {},
                      [](ModuleBuilder* added) { added->function("", ":", {}); });
    EXPECT_TRUE(contains_operation(text, "I32LoadAt")) << text;
    EXPECT_FALSE(contains_operation(text, "I32LoadThenI32Xor")) << text;
  }
  // Without one it is fused, so the rows above say something.
  EXPECT_TRUE(contains_operation(
      operations_of("ii:i", code(get(0), access(I32Load), get(1), I32Xor)), "I32LoadThenI32Xor"));
}

TEST(NoFusion, across_a_label) {
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), I32Mul, block(code(get(0), br_if(0))),
                                       get(1), I32Add)),
            "t0 = I32Mul l0 l1\n"
            "BranchIfI32Ne l0 0 @1\n"
            "label @1\n"
            "ReturnI32Add t0 l1\n");
  // A block that nothing branches to has no label.
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), I32Mul, block({}), get(1), I32Add)),
            "t0 = I32MulI32AddTriple l0 l1 l1\n"
            "ReturnInteger t0\n");
  // The increment is behind a label, the comparison in front of it.
  const std::string text =
      operations_of("ii:", loop(code(get(0), i32(1), I32Add, set(0), block(code(get(1), br_if(0))),
                                     get(0), get(1), I32LtS, br_if(0))));
  EXPECT_FALSE(contains_operation(text, "AddBranchIfI32LtS")) << text;
}

TEST(NoFusion, of_an_increment_in_front_of_the_loop) {
  EXPECT_EQ(operations_of("ii:", code(get(0), i32(1), I32Add, set(0),
                                      loop(code(get(0), get(1), I32LtS, br_if(0))))),
            "l0 = I32Add l0 1\n"
            "loop @2\n"
            "BranchIfI32LtS l0 l1 @2\n"
            "Return\n");
}

TEST(NoFusion, of_an_operand_whose_slot_was_taken) {
  const Bytes both = code(get(0), get(1), I32Mul, get(1), get(0), I32Add, I32And);
  for (const Bytes& between :
       {code(get(0), get(0), I32Mul, get(1), get(1), I32Mul, I32DivU), code(call(1), get(0))}) {
    const std::string text =
        operations_of("ii:i", code(both, between, I32Xor), "", {},
                      [](ModuleBuilder* module) { module->function("", ":", {}); });
    EXPECT_FALSE(contains_operation(text, "I32AndI32XorTriple")) << text;
  }
  EXPECT_TRUE(
      contains_operation(operations_of("ii:i", code(both, get(0), I32Xor)), "I32AndI32XorTriple"));
}

TEST(NoFusion, of_a_load_across_a_branch) {
  const std::string text = operations_of(
      "ii:", block(code(get(1), access(I32Load), get(0), br_if(0), get(0), I32Add, set(1))));
  EXPECT_FALSE(contains_operation(text, "I32LoadThenI32Add")) << text;
}

TEST(NoFusion, of_a_value_that_another_path_expects_in_its_slot) {
  EXPECT_EQ(operations_of(
                "ii:i", block(code(get(0), get(1), I32Mul, get(0), br_if(0), get(1), I32Add), 'i')),
            "t0 = I32Mul l0 l1\n"
            "BranchIfI32Ne l0 0 @1\n"
            "t0 = I32Add t0 l1\n"
            "label @1\n"
            "ReturnInteger s0\n");
}

TEST(NoFusion, of_a_value_that_a_local_keeps) {
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), I32Mul, tee(0), get(1), I32Add)),
            "l0 = I32Mul l0 l1\n"
            "ReturnI32Add l0 l1\n");
}

TEST(NoFusion, of_an_increment_whose_limit_is_the_counter_itself) {
  const std::string text =
      operations_of("i:", loop(code(get(0), i32(1), I32Add, tee(0), get(0), I32LtS, br_if(0))));
  EXPECT_FALSE(contains_operation(text, "AddBranchIfI32LtS")) << text;
}

TEST(NoFusion, of_an_increment_of_another_local_than_the_one_that_is_compared) {
  const std::string text = operations_of(
      "iii:", loop(code(get(0), i32(1), I32Add, set(0), get(1), get(2), I32LtS, br_if(0))));
  EXPECT_EQ(text,
            "loop @2\n"
            "l0 = I32Add l0 1\n"
            "BranchIfI32LtS l1 l2 @2\n"
            "Return\n");
}

TEST(NoFusion, of_constants_that_do_not_fit_32_bits) {
  const std::string limit = operations_of(
      "l:", loop(code(get(0), i64(1), I64Add, tee(0), i64(uint64_t{1} << 40), I64LtU, br_if(0))));
  EXPECT_FALSE(contains_operation(limit, "AddBranchIfI64LtU")) << limit;
  const std::string step = operations_of(
      "ll:", loop(code(get(0), i64(uint64_t{1} << 40), I64Add, tee(0), get(1), I64LtU, br_if(0))));
  EXPECT_FALSE(contains_operation(step, "AddBranchIfI64LtU")) << step;
  const std::string pair =
      operations_of("ll:l", code(get(0), i64(uint64_t{1} << 40), I64And, get(1), I64Add));
  EXPECT_FALSE(contains_operation(pair, "I64AndImmediateI64Add")) << pair;
}

TEST(NoFusion, of_two_increments_of_one_local) {
  EXPECT_EQ(
      operations_of("i:", code(get(0), i32(1), I32Add, set(0), get(0), i32(2), I32Add, set(0))),
      "l0 = I32Add l0 1\n"
      "l0 = I32Add l0 2\n"
      "Return\n");
}

TEST(NoFusion, of_a_modification_of_another_place) {
  const Bytes others[] = {
      code(get(0), get(0), access(I32Load, 4), get(1), I32Add, access(I32Store, 8)),  // offset
      code(get(0), get(1), access(I32Load), get(1), I32Add, access(I32Store)),        // address
      code(get(0), get(1), get(0), access(I32Load), I32Sub, access(I32Store)),        // order
      code(get(0), get(0), access(I32Load), get(1), I32Add, access(I32Store8)),       // width
      code(get(0), i32(4), I32Add, get(0), i32(8), I32Add, access(I32Load), get(1), I32Add,
           access(I32Store)),  // index
      code(get(0), i32(4), I32Add, get(0), i32(8), I32Add, access(I32Load), i32(9), I32Xor,
           access(I32Store)),                                                   // index
      code(get(0), f64(2), get(0), access(F64Load), F64Sub, access(F64Store)),  // order
      // The address changes in between.
      code(get(0), get(0), access(I32Load), i32(5), set(0), get(1), I32Add, access(I32Store)),
  };
  for (const Bytes& body : others) {
    const std::string text = operations_of("ii:", body);
    EXPECT_EQ(text.find("Modify"), std::string::npos) << text;
  }
}

TEST(NoFusion, of_a_fill_that_stores_elsewhere) {
  const Bytes stores[] = {
      code(get(0), i32(7), access(I32Store8, 1)),  // an offset, which would not wrap
      code(get(1), i32(7), access(I32Store8)),     // another local
      code(get(0), get(1), access(I32Store8)),     // no constant
      code(get(0), i32(7), access(I32Store16)),    // another width
  };
  for (const Bytes& store : stores) {
    const std::string text = operations_of(
        "ii:", loop(code(store, get(0), i32(1), I32Add, tee(0), get(1), I32Ne, br_if(0))));
    EXPECT_TRUE(contains_operation(text, "AddBranchIfI32Ne")) << text;
  }
}

TEST(NoFusion, of_a_selection_whose_compared_local_changed) {
  const std::string text = operations_of(
      "iii:i",
      code(get(0), get(1), I32LtS, set(2), i32(5), set(0), get(0), get(1), get(2), Opcode::Select));
  EXPECT_TRUE(contains_operation(text, "SelectI32")) << text;
}

TEST(NoFusion, of_moves_of_floats_in_pairs) {
  EXPECT_EQ(operations_of("ddd:", code(get(1), set(0), get(2), set(1))),
            "l0 = MoveF64 l1\n"
            "l1 = MoveF64 l2\n"
            "Return\n");
}

// Operations that update a local in place can reach near slots only.
TEST(NoFusion, of_neighbours_in_functions_with_very_many_locals) {
  const std::string text =
      operations_of("i:", loop(code(get(1), i32(1), I32Add, tee(1), get(0), I32LtS, br_if(0))),
                    std::string(3'000, 'i'));
  EXPECT_FALSE(contains_operation(text, "AddBranchIfI32LtS")) << text;
}

TEST(Pending, locals_are_copied_only_when_they_are_overwritten) {
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(0), i32(1), I32Add, set(0), get(0), I32Sub)),
            "t0 = MoveI32 l0\n"
            "l0 = I32Add l0 1\n"
            "ReturnI32Sub t0 l0\n");
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), i32(1), I32Add, set(1), get(1), I32Sub)),
            "l1 = I32Add l1 1\n"
            "ReturnI32Sub l0 l1\n");
}

TEST(Pending, arguments_are_made_where_the_callee_expects_them) {
  EXPECT_EQ(operations_of("ii:i", code(get(0), get(1), I32Mul, i32(1), call(0))),
            "t0 = I32Mul l0 l1\n"
            "t1 = MoveI32 1\n"
            "t0 = call #2\n"
            "ReturnInteger t0\n");
}

// --- Size ----------------------------------------------------------------------------------------

struct SizeCase {
  const char* name;
  Bytes (*body)(uint32_t n);
};

Bytes repeat_get(uint32_t n) {
  return code(repeated(n, get(0)), repeated(n, code(Drop)));
}
Bytes pending_writes(uint32_t n) {
  return code(repeated(n, get(0)), repeated(n, code(i32(5), set(0))), repeated(n, code(Drop)));
}
Bytes empty_loops(uint32_t n) {
  return repeated(n, loop({}));
}
Bytes counted_loops(uint32_t n) {
  return repeated(n, loop(code(get(0), i32(1), I32Add, tee(0), get(1), I32LtS, br_if(0))));
}
Bytes nested_blocks(uint32_t n) {
  return code(repeated(n, code(Block, Bytes{0x40})), get(0), br_if(n / 2), repeated(n, code(End)));
}
Bytes nested_loops(uint32_t n) {
  return code(repeated(n, code(Loop, Bytes{0x40})), repeated(n, code(get(0), br_if(0), End)));
}
Bytes if_chain(uint32_t n) {
  return repeated(n, code(get(0), if_else(code(i32(1), set(1)), code(i32(2), set(1)))));
}
Bytes one_table(uint32_t n) {
  return block(code(get(0), br_table(std::vector<uint32_t>(n, 0), 0)));
}
Bytes tables_with_values(uint32_t n) {
  return repeated(n,
                  code(block(code(i32(9), i32(1), get(0), br_table({0, 0, 0, 0}, 0)), 'i'), Drop));
}
Bytes branches_with_values(uint32_t n) {
  return code(block(code(i32(9), i32(1), repeated(n, code(get(0), br_if(0))), br(0)), 'i'), Drop);
}
Bytes calls(uint32_t n) {
  return repeated(n, code(get(0), get(1), call(0)));
}
Bytes accesses(uint32_t n) {
  return repeated(n, code(get(0), get(0), access(I32Load), get(1), I32Add, access(I32Store)));
}
Bytes sums(uint32_t n) {
  return code(repeated(n, get(0)), repeated(n - 1, code(I32Add)), Drop);
}
Bytes blocks_above_operands(uint32_t n) {
  return code(repeated(n, get(0)), repeated(n, block({})), repeated(n, code(Drop)));
}

constexpr SizeCase kSizeCases[] = {
    {"reads that wait", repeat_get},
    {"reads that wait for many writes", pending_writes},
    {"empty loops", empty_loops},
    {"counted loops", counted_loops},
    {"nested blocks", nested_blocks},
    {"nested loops", nested_loops},
    {"chain of ifs", if_chain},
    {"one branch table", one_table},
    {"branch tables with values", tables_with_values},
    {"branches with values", branches_with_values},
    {"calls", calls},
    {"accesses", accesses},
    {"sums", sums},
    {"blocks above operands", blocks_above_operands},
};

TEST(CodeSize, is_linear_in_the_body) {
  constexpr uint32_t kCount = 1'500;
  // The widest cell of 32 bytes for each byte of the shortest instruction, and frame and return.
  constexpr uint64_t kBytesPerByte = 32;
  constexpr uint64_t kConstant = 512;
  for (const SizeCase& shape : kSizeCases) {
    uint64_t bodies[2], sizes[2];
    for (uint32_t i = 0; i < 2; i++) {
      const Bytes body = shape.body(kCount << i);
      ModuleBuilder module;
      module.memory(1);
      module.function("f", "ii:", body);
      const auto loaded = load(module);
      ASSERT_NE(loaded, nullptr) << shape.name;
      bodies[i] = body.size();
      sizes[i] = loaded->size_bytes();
    }
    EXPECT_LE(sizes[1], sizes[0] * 21 / 10 + kConstant) << shape.name;
    EXPECT_LE(sizes[1], bodies[1] * kBytesPerByte + kConstant) << shape.name;
  }
}

TEST(CodeSize, is_the_same_every_time) {
  ModuleBuilder module;
  module.memory(1);
  module.function("f", "ii:", code(accesses(50), counted_loops(50), calls(3)));
  const auto first = load(module), second = load(module);
  EXPECT_EQ(first->size_bytes(), second->size_bytes());
  EXPECT_GT(load(module, TranslateOptions{.fuel = true})->size_bytes(), first->size_bytes());
}

}  // namespace
}  // namespace qip
