// Validation rules: first those that follow from the opcode table, row by row; then the written-out
// opcodes; then the module as a whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "loader/impl_limits.hpp"
#include "loader/test_modules.hpp"

namespace qip {
namespace {

Bytes opcode_bytes(const OpcodeInfo& info) {
  return info.prefix == 0 ? Bytes{info.code} : Bytes{info.prefix} + leb(info.code);
}

// An immediate that is right in every module.
Bytes good_immediate(const OpcodeInfo& info) {
  Bytes bytes;
  if (is_memory_argument(info.immediate)) bytes = {0x00, 0x00};
  if (has_lane(info.immediate)) bytes.push_back(0x00);
  if (info.immediate == Immediate::Shuffle) bytes = Bytes(16);
  return bytes;
}
Bytes instruction(const OpcodeInfo& info) {
  return opcode_bytes(info) + good_immediate(info);
}

std::string operands_of(const OpcodeInfo& info) {
  return std::string(info.signature.substr(0, info.operand_count()));
}
std::string result_of(const OpcodeInfo& info) {
  return info.has_result() ? std::string(1, info.result()) : "";
}

std::vector<const OpcodeInfo*> opcodes_with_signature() {
  std::vector<const OpcodeInfo*> list;
  for (const OpcodeInfo& info : kOpcodeInfos) {
    if (info.kind != OpcodeKind::Special) list.push_back(&info);
  }
  return list;
}

// (func (result ...) const... op)
std::string verdict_of(const OpcodeInfo& info, const std::string& operands,
                       const std::string& result) {
  return verdict(with_function("", result, constants_of(operands) + instruction(info)));
}

TEST(validator_table, every_opcode_with_a_signature_is_valid_with_its_operands) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    EXPECT_EQ(verdict_of(*info, operands_of(*info), result_of(*info)), "valid") << info->text;
  }
}

TEST(validator_table, each_wrong_operand_is_a_type_mismatch) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    for (size_t i = 0; i < info->operand_count(); i++) {
      for (const char type : kAllTypes) {
        if (type == info->operand(i)) continue;
        std::string operands = operands_of(*info);
        operands[i] = type;
        EXPECT_TRUE(begins(verdict_of(*info, operands, result_of(*info)), "invalid: type mismatch"))
            << info->text << " with " << operands;
      }
    }
  }
}

TEST(validator_table, one_operand_too_few_is_a_type_mismatch) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    const std::string operands = operands_of(*info).substr(1);
    EXPECT_TRUE(begins(verdict_of(*info, operands, result_of(*info)), "invalid: type mismatch"))
        << info->text;
  }
}

TEST(validator_table, operands_below_the_block_are_out_of_reach) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    // (func const... (block op drop?) unreachable)
    const Bytes result = info->has_result() ? Bytes{0x1A} : Bytes{};
    const Bytes code = constants_of(operands_of(*info)) + Bytes{0x02, 0x40} + instruction(*info) +
                       result + Bytes{0x0B, 0x00};
    EXPECT_TRUE(begins(verdict(with_function("", "", code)), "invalid: type mismatch"))
        << info->text;
  }
}

TEST(validator_table, dead_code_has_any_operand_but_the_right_result) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    const Bytes code = Bytes{0x00} + instruction(*info);
    EXPECT_EQ(verdict(with_function("", result_of(*info), code)), "valid") << info->text;
    if (!info->has_result()) continue;
    const char other = info->result() == 'i' ? 'l' : 'i';
    EXPECT_TRUE(
        begins(verdict(with_function("", std::string(1, other), code)), "invalid: type mismatch"))
        << info->text;
  }
}

TEST(validator_table, each_wrong_result_is_a_type_mismatch) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    std::vector<std::string> results = {""};
    for (const char type : kAllTypes) results.emplace_back(1, type);
    for (const std::string& result : results) {
      if (result == result_of(*info)) continue;
      EXPECT_TRUE(begins(verdict_of(*info, operands_of(*info), result), "invalid: type mismatch"))
          << info->text << " gives " << result;
    }
  }
}

TEST(validator_table, alignment_beyond_natural_is_invalid_and_from_128_on_malformed) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    if (!is_memory_argument(info->immediate)) continue;
    const Bytes lane = has_lane(info->immediate) ? Bytes{0x00} : Bytes{};
    for (const uint32_t alignment : {0u, 1u, 2u, 3u, 4u, 5u, 31u, 32u, 63u, 64u, 127u, 128u, 255u,
                                     256u, 0x80000000u, 0xFFFFFFFFu}) {
      const Bytes code = constants_of(operands_of(*info)) + opcode_bytes(*info) + leb(alignment) +
                         Bytes{0x00} + lane;
      const char* expected = alignment <= natural_alignment(info->immediate) ? "valid"
                             : alignment < 128
                                 ? "invalid: alignment must not be larger than natural"
                                 : "malformed: malformed memop flags";
      EXPECT_TRUE(begins(verdict(with_function("", result_of(*info), code)), expected))
          << info->text << " " << alignment;
    }
  }
}

TEST(validator_table, memory_instructions_need_a_memory) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    if (!is_memory_argument(info->immediate)) continue;
    TestModule module =
        with_function("", result_of(*info), constants_of(operands_of(*info)) + instruction(*info));
    module.memories.clear();
    EXPECT_TRUE(begins(verdict(module), "invalid: unknown memory 0")) << info->text;
  }
}

TEST(validator_table, offset_may_have_32_bits_and_beyond_depends_on_the_version) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    if (!is_memory_argument(info->immediate)) continue;
    const auto with_offset = [&](const Bytes& offset) {
      const Bytes lane = has_lane(info->immediate) ? Bytes{0x00} : Bytes{};
      return with_function(
          "", result_of(*info),
          constants_of(operands_of(*info)) + opcode_bytes(*info) + Bytes{0x00} + offset + lane);
    };
    EXPECT_EQ(verdict(with_offset(leb(0xFFFFFFFF))), "valid") << info->text;
    EXPECT_TRUE(begins(verdict(with_offset(leb(0x100000000))), "invalid: offset out of range"))
        << info->text;
    EXPECT_TRUE(
        begins(verdict(with_offset(leb(0x100000000)), kWasm2), "malformed: integer too large"))
        << info->text;
  }
}

TEST(validator_table, lane_index_must_be_below_the_lane_count) {
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    if (!has_lane(info->immediate)) continue;
    for (uint32_t lane = 0; lane < 256; lane++) {
      Bytes code = constants_of(operands_of(*info)) + instruction(*info);
      code.back() = static_cast<uint8_t>(lane);
      EXPECT_TRUE(
          begins(verdict(with_function("", result_of(*info), code)),
                 lane < lane_count(info->immediate) ? "valid" : "invalid: invalid lane index"))
          << info->text << " " << lane;
    }
  }
}

TEST(validator_table, shuffle_lanes_must_be_below_32) {
  const OpcodeInfo& shuffle = opcode_info(Opcode::I8x16Shuffle);
  for (size_t i = 0; i < 16; i++) {
    Bytes code = constants_of("vv") + instruction(shuffle);
    code[code.size() - 16 + i] = 31;
    EXPECT_EQ(verdict(with_function("", "v", code)), "valid");
    code[code.size() - 16 + i] = 32;
    EXPECT_TRUE(begins(verdict(with_function("", "v", code)), "invalid: invalid lane index 32"));
  }
}

TEST(validator_table, body_cut_anywhere_in_an_instruction_is_malformed) {
  for (const OpcodeInfo& info : kOpcodeInfos) {
    Bytes code = opcode_bytes(info) + good_immediate(info);
    if (code.size() == 1) continue;
    for (size_t length = 1; length < code.size(); length++) {
      TestModule module = with_function("", "", {});
      module.bodies = {sized(Bytes{0x00, 0x00} + Bytes(code.begin(), code.begin() + length))};
      EXPECT_TRUE(begins(verdict(module), "malformed: unexpected end")) << info.text << length;
    }
  }
}

TEST(validator_table, every_hole_is_an_illegal_opcode) {
  const auto expect_illegal = [](const Bytes& code) {
    const std::string found = verdict(with_function("", "", Bytes{0x00} + code));
    EXPECT_TRUE(begins(found, "malformed: illegal opcode")) << ::testing::PrintToString(code);
  };
  for (uint32_t code = 0; code < 0xFC; code++) {
    if (opcode_at(0, code) == kNoOpcode) expect_illegal({static_cast<uint8_t>(code)});
  }
  for (const uint8_t prefix : Bytes{0xFC, 0xFD, 0xFE, 0xFF}) {
    for (uint32_t code = 0; code < 600; code++) {
      if (opcode_at(prefix, code) == kNoOpcode) expect_illegal(Bytes{prefix} + leb(code));
    }
    for (uint32_t bit = 10; bit < 32; bit++) expect_illegal(Bytes{prefix} + leb(1u << bit));
    expect_illegal(Bytes{prefix} + leb(0xFFFFFFFF));
  }
}

TEST(validator_table, every_opcode_is_illegal_without_its_feature) {
  for (const OpcodeInfo& info : kOpcodeInfos) {
    if (info.feature == Feature::Core) continue;
    const std::string found =
        verdict(with_function("", "", Bytes{0x00} + instruction(info)), without(info.feature));
    EXPECT_TRUE(begins(found, "malformed: illegal opcode: " + std::string(info.text) + " needs " +
                                  feature_text(info.feature)));
  }
}

// --- The written-out opcodes ---------------------------------------------------------------------

// Types 0: () -> (), 1: (i32 i64) -> (f32), 2: () -> (i32 i32), 3: (i32) -> (i32); functions 0 to 3
// of these types, function 4 (imported ones: none) is the one under test; tables 0 funcref,
// 1 externref, 2 funcref; one memory; globals 0 (mut i32), 1 i64; element segments 0 passive
// funcref with function 0, 1 passive externref; two data segments.
TestModule rich_module(std::string_view results, const Bytes& code) {
  TestModule module;
  module.types = {function_type("", ""), function_type("il", "f"), function_type("", "ii"),
                  function_type("i", "i"), function_type("id", results)};
  module.functions = {{0}, {1}, {2}, {3}, {4}};
  module.tables = {{0x70, 0x00, 0x01}, {0x6F, 0x01, 0x00, 0x05}, {0x70, 0x00, 0x00}};
  module.memories = {{0x00, 0x01}};
  module.globals = {{0x7F, 0x01, 0x41, 0x00, 0x0B}, {0x7E, 0x00, 0x42, 0x00, 0x0B}};
  module.elements = {{0x01, 0x00, 0x01, 0x00}, {0x05, 0x6F, 0x01, 0xD0, 0x6F, 0x0B}};
  module.data_count = 2;
  module.data = {{0x01, 0x00}, {0x01, 0x01, 0x61}};
  for (int i = 0; i < 4; i++) module.bodies.push_back(function_body({0x00}));
  module.bodies.push_back(function_body(code));
  return module;
}

// An instruction, or a few that belong together, with its typing in letters.
struct Example {
  Opcode opcode;
  std::string operands;
  Bytes code;
  std::string results;
  bool takes_anything = false;  // operands of any type will do, or the check is another
};

// Locals 0 i32 and 1 f64 are parameters.
std::vector<Example> examples() {
  return {
      {Opcode::Unreachable, "", {0x00}, "l"},
      {Opcode::Nop, "", {0x01}, ""},
      {Opcode::Block, "", {0x02, 0x7F, 0x41, 0x00, 0x0B}, "i"},
      {Opcode::Block, "il", {0x02, 0x01, 0x1A, 0x1A, 0x43, 0, 0, 0, 0, 0x0B}, "f"},
      {Opcode::Loop, "i", {0x03, 0x03, 0x0B}, "i"},
      {Opcode::If, "i", {0x04, 0x40, 0x0B}, ""},
      {Opcode::If, "ii", {0x04, 0x03, 0x0B}, "i"},
      {Opcode::Else, "i", {0x04, 0x7F, 0x41, 0x00, 0x05, 0x41, 0x00, 0x0B}, "i"},
      {Opcode::End, "", {0x02, 0x40, 0x0B}, ""},
      {Opcode::Br, "i", {0x02, 0x03, 0x0C, 0x00, 0x0B}, "i"},
      {Opcode::BrIf, "ii", {0x02, 0x03, 0x41, 0x00, 0x0D, 0x00, 0x0B, 0x1A}, "i"},
      {Opcode::BrTable, "i", {0x02, 0x03, 0x41, 0x00, 0x0E, 0x01, 0x00, 0x00, 0x0B}, "i"},
      {Opcode::Return, "", {0x0F}, "", true},
      {Opcode::Call, "il", {0x10, 0x01}, "f"},
      {Opcode::Call, "", {0x10, 0x02}, "ii"},
      {Opcode::CallIndirect, "ili", {0x11, 0x01, 0x00}, "f"},
      {Opcode::CallIndirect, "i", {0x11, 0x00, 0x02}, ""},
      {Opcode::Drop, "d", {0x1A}, "", true},
      {Opcode::Select, "lli", {0x1B}, "l"},
      {Opcode::Select, "vvi", {0x1B}, "v"},
      {Opcode::SelectTyped, "eei", {0x1C, 0x01, 0x6F}, "e"},
      {Opcode::SelectTyped, "ffi", {0x1C, 0x01, 0x7D}, "f"},
      {Opcode::LocalGet, "", {0x20, 0x01}, "d"},
      {Opcode::LocalSet, "d", {0x21, 0x01}, ""},
      {Opcode::LocalTee, "i", {0x22, 0x00}, "i"},
      {Opcode::GlobalGet, "", {0x23, 0x01}, "l"},
      {Opcode::GlobalSet, "i", {0x24, 0x00}, ""},
      {Opcode::TableGet, "i", {0x25, 0x01}, "e"},
      {Opcode::TableSet, "ir", {0x26, 0x00}, ""},
      {Opcode::MemorySize, "", {0x3F, 0x00}, "i"},
      {Opcode::MemoryGrow, "i", {0x40, 0x00}, "i"},
      {Opcode::I32Const, "", {0x41, 0x7F}, "i"},
      {Opcode::I64Const, "", {0x42, 0x80, 0x01}, "l"},
      {Opcode::F32Const, "", {0x43, 1, 2, 3, 4}, "f"},
      {Opcode::F64Const, "", {0x44, 1, 2, 3, 4, 5, 6, 7, 8}, "d"},
      {Opcode::V128Const, "", Bytes{0xFD, 0x0C} + Bytes(16, 0xFF), "v"},
      {Opcode::RefNull, "", {0xD0, 0x6F}, "e"},
      {Opcode::RefIsNull, "r", {0xD1}, "i", true},
      {Opcode::RefFunc, "", {0xD2, 0x00}, "r"},
      {Opcode::MemoryInit, "iii", {0xFC, 0x08, 0x01, 0x00}, ""},
      {Opcode::DataDrop, "", {0xFC, 0x09, 0x01}, ""},
      {Opcode::MemoryCopy, "iii", {0xFC, 0x0A, 0x00, 0x00}, ""},
      {Opcode::MemoryFill, "iii", {0xFC, 0x0B, 0x00}, ""},
      {Opcode::TableInit, "iii", {0xFC, 0x0C, 0x01, 0x01}, ""},
      {Opcode::ElemDrop, "", {0xFC, 0x0D, 0x01}, ""},
      {Opcode::TableCopy, "iii", {0xFC, 0x0E, 0x00, 0x02}, ""},
      {Opcode::TableGrow, "ei", {0xFC, 0x0F, 0x01}, "i"},
      {Opcode::TableSize, "", {0xFC, 0x10, 0x02}, "i"},
      {Opcode::TableFill, "iri", {0xFC, 0x11, 0x00}, ""},
  };
}

std::string verdict_of(const Example& example, const std::string& operands,
                       const std::string& results) {
  return verdict(rich_module(results, constants_of(operands) + example.code));
}

TEST(validator_special, every_special_opcode_has_an_example) {
  std::set<Opcode> seen;
  for (const Example& example : examples()) seen.insert(example.opcode);
  for (size_t i = 0; i < kOpcodeCount; i++) {
    if (kOpcodeInfos[i].kind == OpcodeKind::Special) {
      EXPECT_TRUE(seen.count(static_cast<Opcode>(i)) != 0) << kOpcodeInfos[i].text;
    }
  }
}

TEST(validator_special, every_example_is_valid) {
  for (const Example& example : examples()) {
    EXPECT_EQ(verdict_of(example, example.operands, example.results), "valid")
        << opcode_info(example.opcode).text;
  }
}

TEST(validator_special, every_example_is_valid_under_2_0) {
  for (const Example& example : examples()) {
    EXPECT_EQ(verdict(rich_module(example.results, constants_of(example.operands) + example.code),
                      kWasm2),
              "valid")
        << opcode_info(example.opcode).text;
  }
}

TEST(validator_special, each_wrong_operand_is_a_type_mismatch) {
  for (const Example& example : examples()) {
    if (example.takes_anything) continue;
    for (size_t i = 0; i < example.operands.size(); i++) {
      std::string operands = example.operands;
      operands[i] = operands[i] == 'f' ? 'd' : 'f';
      EXPECT_TRUE(begins(verdict_of(example, operands, example.results), "invalid: type mismatch"))
          << opcode_info(example.opcode).text << " with " << operands;
    }
  }
}

TEST(validator_special, one_operand_too_few_is_a_type_mismatch) {
  for (const Example& example : examples()) {
    if (example.operands.empty()) continue;
    EXPECT_TRUE(begins(verdict_of(example, example.operands.substr(1), example.results),
                       "invalid: type mismatch"))
        << opcode_info(example.opcode).text;
  }
}

TEST(validator_special, wrong_results_are_a_type_mismatch) {
  for (const Example& example : examples()) {
    const bool stops = example.opcode == Opcode::Unreachable;
    if (stops) continue;  // its result may be anything
    std::string results = example.results;
    if (results.empty()) {
      results = "e";
    } else {
      results.back() = results.back() == 'f' ? 'd' : 'f';
    }
    EXPECT_TRUE(begins(verdict_of(example, example.operands, results), "invalid: type mismatch"))
        << opcode_info(example.opcode).text;
  }
}

struct CodeCase {
  const char* text;
  std::string results;
  Bytes code;
  const char* expected;
};

TEST(validator_special, index_immediates_must_exist) {
  const std::vector<CodeCase> cases = {
      {"br 1", "", {0x0C, 0x01}, "invalid: unknown label 1"},
      {"br 2^32-1", "", {0x0C, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, "invalid: unknown label 4294967295"},
      {"br_if 1", "", {0x41, 0x00, 0x0D, 0x01}, "invalid: unknown label 1"},
      {"br_table 1 0", "", {0x41, 0x00, 0x0E, 0x01, 0x01, 0x00}, "invalid: unknown label 1"},
      {"br_table 0 1", "", {0x41, 0x00, 0x0E, 0x01, 0x00, 0x01}, "invalid: unknown label 1"},
      {"block (type 5)", "", {0x02, 0x05, 0x0B}, "invalid: unknown type 5"},
      {"call 5", "", {0x10, 0x05}, "invalid: unknown function 5"},
      {"call_indirect type 5", "", {0x41, 0x00, 0x11, 0x05, 0x00}, "invalid: unknown type 5"},
      {"call_indirect table 3", "", {0x41, 0x00, 0x11, 0x00, 0x03}, "invalid: unknown table 3"},
      {"local.get 2", "", {0x20, 0x02, 0x1A}, "invalid: unknown local 2"},
      {"local.set 2", "", {0x41, 0x00, 0x21, 0x02}, "invalid: unknown local 2"},
      {"local.tee 2", "i", {0x41, 0x00, 0x22, 0x02}, "invalid: unknown local 2"},
      {"global.get 2", "i", {0x23, 0x02}, "invalid: unknown global 2"},
      {"global.set 2", "", {0x41, 0x00, 0x24, 0x02}, "invalid: unknown global 2"},
      {"table.get 3", "r", {0x41, 0x00, 0x25, 0x03}, "invalid: unknown table 3"},
      {"table.size 3", "i", {0xFC, 0x10, 0x03}, "invalid: unknown table 3"},
      {"ref.func 5", "r", {0xD2, 0x05}, "invalid: unknown function 5"},
      {"memory.init 2", "", {0x00, 0xFC, 0x08, 0x02, 0x00}, "invalid: unknown data segment 2"},
      {"data.drop 2", "", {0xFC, 0x09, 0x02}, "invalid: unknown data segment 2"},
      {"elem.drop 2", "", {0xFC, 0x0D, 0x02}, "invalid: unknown elem segment 2"},
      {"table.init 0 2", "", {0x00, 0xFC, 0x0C, 0x02, 0x00}, "invalid: unknown elem segment 2"},
      {"table.copy 0 3", "", {0x00, 0xFC, 0x0E, 0x00, 0x03}, "invalid: unknown table 3"},
      {"table.copy 3 0", "", {0x00, 0xFC, 0x0E, 0x03, 0x00}, "invalid: unknown table 3"},
  };
  for (const CodeCase& test : cases) {
    EXPECT_TRUE(begins(verdict(rich_module(test.results, test.code)), test.expected)) << test.text;
  }
}

TEST(validator_special, rules_of_their_own) {
  const std::vector<CodeCase> cases = {
      {"global.set of a constant", "", {0x42, 0x00, 0x24, 0x01}, "invalid: global is immutable"},
      {"ref.func undeclared", "r", {0xD2, 0x01}, "invalid: undeclared function reference"},
      {"select of references",
       "r",
       {0xD0, 0x70, 0xD0, 0x70, 0x41, 0x00, 0x1B},
       "invalid: type mismatch"},
      {"select without types",
       "i",
       {0x41, 0, 0x41, 0, 0x41, 0, 0x1C, 0x00},
       "invalid: invalid result arity"},
      {"select with two types",
       "ii",
       {0x00, 0x1C, 0x02, 0x7F, 0x7F},
       "invalid: invalid result arity"},
      {"ref.is_null of a number", "i", {0x41, 0x00, 0xD1}, "invalid: type mismatch"},
      {"call_indirect through externref",
       "",
       {0x41, 0x00, 0x11, 0x00, 0x01},
       "invalid: type mismatch"},
      {"table.copy between types", "", {0x00, 0xFC, 0x0E, 0x00, 0x01}, "invalid: type mismatch"},
      {"table.init of another type", "", {0x00, 0xFC, 0x0C, 0x01, 0x00}, "invalid: type mismatch"},
      {"memory.size of memory 1", "i", {0x3F, 0x01}, "invalid: unknown memory 1"},
      {"memory.grow, long zero",
       "i",
       {0x41, 0x00, 0x40, 0x80, 0x00},
       "malformed: zero byte expected"},
      {"values left in a block", "", {0x02, 0x40, 0x41, 0x00, 0x0B}, "invalid: type mismatch"},
      {"too few results of a block",
       "ii",
       {0x02, 0x02, 0x41, 0x00, 0x0B},
       "invalid: type mismatch"},
      {"if with a result and no else",
       "i",
       {0x41, 0x00, 0x04, 0x7F, 0x41, 0x00, 0x0B},
       "invalid: type mismatch"},
      {"else gives another type",
       "i",
       {0x41, 0x00, 0x04, 0x7F, 0x41, 0x00, 0x05, 0x42, 0x00, 0x0B},
       "invalid: type mismatch"},
      {"else without if", "", {0x02, 0x40, 0x05, 0x0B}, "malformed: misplaced ELSE opcode"},
      {"two elses",
       "",
       {0x41, 0x00, 0x04, 0x40, 0x05, 0x05, 0x0B},
       "malformed: misplaced ELSE opcode"},
      {"else of the function", "", {0x05}, "malformed: misplaced ELSE opcode"},
      {"a second end", "", {0x0B}, "malformed: section size mismatch"},
      {"no end of the block", "", {0x02, 0x40}, "malformed: unexpected end"},
      {"br_table labels of unequal arity",
       "",
       {0x02, 0x7F, 0x41, 0, 0x41, 0, 0x0E, 0x01, 0x00, 0x01, 0x0B, 0x1A},
       "invalid: type mismatch"},
      {"br_table beyond its bytes",
       "",
       {0x41, 0x00, 0x0E, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00},
       "malformed: unexpected end"},
      {"loop label takes parameters", "i", {0x41, 0x00, 0x03, 0x03, 0x0C, 0x00, 0x0B}, "valid"},
      {"loop label takes no results", "i", {0x03, 0x7F, 0x0C, 0x00, 0x0B}, "valid"},
      {"loop label with a missing parameter",
       "i",
       {0x41, 0, 0x03, 0x03, 0x1A, 0x0C, 0x00, 0x0B},
       "invalid: type mismatch"},
  };
  for (const CodeCase& test : cases) {
    EXPECT_TRUE(begins(verdict(rich_module(test.results, test.code)), test.expected)) << test.text;
  }
}

TEST(validator_special, memory_byte_must_be_zero_in_2_0) {
  for (const Bytes& code : {Bytes{0x3F, 0x01}, Bytes{0x40, 0x01}, Bytes{0xFC, 0x0B, 0x01},
                            Bytes{0xFC, 0x0A, 0x00, 0x01}, Bytes{0xFC, 0x0A, 0x01, 0x00},
                            Bytes{0xFC, 0x08, 0x00, 0x01}, Bytes{0x3F, 0x80, 0x00}}) {
    EXPECT_TRUE(begins(verdict(rich_module("", Bytes{0x00} + code), kWasm2),
                       "malformed: zero byte expected"));
  }
}

TEST(validator_special, dead_code_is_polymorphic_but_typed) {
  const std::vector<CodeCase> cases = {
      {"drop anything", "", {0x00, 0x1A, 0x1A}, "valid"},
      {"select of unknown", "d", {0x00, 0x1B}, "valid"},
      {"select takes the known type", "l", {0x00, 0x42, 0x00, 0x41, 0x00, 0x1B}, "valid"},
      {"select gives the known type",
       "d",
       {0x00, 0x42, 0x00, 0x41, 0x00, 0x1B},
       "invalid: type mismatch"},
      {"select of unlike types",
       "l",
       {0x00, 0x42, 0, 0x43, 0, 0, 0, 0, 0x41, 0, 0x1B},
       "invalid: type mismatch"},
      {"ref.is_null of unknown", "i", {0x00, 0xD1}, "valid"},
      {"br_if leaves the label's types",  // f32.neg then meets an i32
       "",
       {0x02, 0x7F, 0x00, 0x0D, 0x00, 0x8C, 0x1A, 0x0B, 0x1A},
       "invalid: type mismatch"},
      {"br_if leaves them on the stack", "", {0x02, 0x7F, 0x00, 0x0D, 0x00, 0x0B, 0x1A}, "valid"},
      {"br_table with labels of unlike types",
       "",
       {0x02, 0x7F, 0x02, 0x7D, 0x00, 0x0E, 0x01, 0x00, 0x01, 0x0B, 0x1A, 0x41, 0, 0x0B, 0x1A},
       "valid"},
      {"br_table with a value that fits one label only",
       "",
       {0x02, 0x7F, 0x02, 0x7D, 0x00, 0x41, 0, 0x41, 0, 0x0E, 0x01, 0x01, 0x00, 0x0B, 0x1A, 0x41, 0,
        0x0B, 0x1A},
       "invalid: type mismatch"},
      {"local.tee gives its type", "d", {0x00, 0x22, 0x00}, "invalid: type mismatch"},
      {"values left", "", {0x00, 0x41, 0x00}, "invalid: type mismatch"},
      {"a block inside is reachable again",
       "",
       {0x00, 0x02, 0x40, 0x1A, 0x0B},
       "invalid: type mismatch"},
      {"illegal opcodes stay illegal", "", {0x00, 0xFF}, "malformed: illegal opcode ff"},
      {"unknown locals stay unknown", "", {0x00, 0x20, 0x07}, "invalid: unknown local 7"},
  };
  for (const CodeCase& test : cases) {
    EXPECT_TRUE(begins(verdict(rich_module(test.results, test.code)), test.expected)) << test.text;
  }
}

TEST(validator_special, every_single_byte_block_type) {
  for (uint32_t byte = 0; byte < 0x80; byte++) {
    const Bytes code = {0x00, 0x02, static_cast<uint8_t>(byte), 0x00, 0x0B, 0x00};
    const char letter = [&] {
      for (const char type : kAllTypes) {
        if (type_byte(type) == byte) return type;
      }
      return byte == 0x40 ? '-' : '\0';
    }();
    const char* expected = letter != '\0' ? "valid"
                           : byte < 5     ? "valid"
                           : byte < 0x40  ? "invalid: unknown type"
                                          : "malformed: malformed block type";
    EXPECT_TRUE(begins(verdict(rich_module("", code)), expected)) << byte;
  }
  // A negative number of more than one byte.
  EXPECT_TRUE(begins(verdict(rich_module("", {0x02, 0xC0, 0x7F, 0x0B})),
                     "malformed: malformed block type"));
  EXPECT_TRUE(begins(verdict(rich_module("", {0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x0B})),
                     "invalid: unknown type 4294967295"));
  // A longer encoding of an index is an index.
  EXPECT_EQ(verdict(rich_module("", {0x02, 0x80, 0x00, 0x0B})), "valid");
  EXPECT_TRUE(begins(verdict(rich_module("", {0x02, 0x00, 0x0B}), without(Feature::MultiValue)),
                     "malformed: malformed block type"));
}

TEST(validator_special, value_type_bytes_0_to_255) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    const auto encoding = static_cast<uint8_t>(byte);
    const Bytes all = type_bytes(kAllTypes);
    const bool known = std::find(all.begin(), all.end(), encoding) != all.end();
    const bool reference = byte == 0x70 || byte == 0x6F;
    const auto expected = [](bool good) { return good ? "valid" : "malformed: malformed"; };
    TestModule module = with_function("", "", {});
    module.types.push_back({0x60, 0x01, encoding, 0x01, encoding});
    EXPECT_TRUE(begins(verdict(module), expected(known))) << byte;
    // (select (result t))
    EXPECT_TRUE(begins(verdict(with_function("", "", {0x00, 0x1C, 0x01, encoding, 0x1A, 0x00})),
                       expected(known)))
        << byte;
    EXPECT_TRUE(begins(verdict(with_function("", "", {0xD0, encoding, 0x1A})), expected(reference)))
        << byte;
    module = with_function("", "", {});
    module.bodies = {sized({0x01, 0x01, encoding, 0x0B})};
    EXPECT_TRUE(begins(verdict(module), expected(known))) << byte;
    module = with_function("", "", {});
    module.tables = {{encoding, 0x00, 0x00}};
    EXPECT_TRUE(begins(verdict(module), expected(reference))) << byte;
  }
}

// --- The module as a whole -----------------------------------------------------------------------

TEST(validator_module, constant_expressions) {
  struct Case {
    const char* text;
    char type;
    Bytes expression;
    const char* under_2_0;
    const char* with_everything;
  };
  // Globals: 0 imported i32, 1 imported (mut i32), 2 i32, 3 is the one under test.
  const std::vector<Case> cases = {
      {"i32.const", 'i', {0x41, 0x01, 0x0B}, "valid", "valid"},
      {"v128.const", 'v', constant_of('v') + Bytes{0x0B}, "valid", "valid"},
      {"ref.null", 'e', {0xD0, 0x6F, 0x0B}, "valid", "valid"},
      {"ref.func", 'r', {0xD2, 0x00, 0x0B}, "valid", "valid"},
      {"imported global", 'i', {0x23, 0x00, 0x0B}, "valid", "valid"},
      {"earlier global", 'i', {0x23, 0x02, 0x0B}, "invalid: unknown global 2", "valid"},
      {"itself", 'i', {0x23, 0x03, 0x0B}, "invalid: unknown global 3", "invalid: unknown global 3"},
      {"later global", 'i', {0x23, 0x04, 0x0B}, "invalid: unknown", "invalid: unknown global 4"},
      {"mutable global",
       'i',
       {0x23, 0x01, 0x0B},
       "invalid: constant expression required",
       "invalid: constant expression required"},
      {"other type", 'l', {0x41, 0x01, 0x0B}, "invalid: type mismatch", "invalid: type mismatch"},
      {"nothing", 'i', {0x0B}, "invalid: type mismatch", "invalid: type mismatch"},
      {"two values",
       'i',
       {0x41, 0, 0x41, 0, 0x0B},
       "invalid: type mismatch",
       "invalid: type mismatch"},
      {"unknown function",
       'r',
       {0xD2, 0x07, 0x0B},
       "invalid: unknown function 7",
       "invalid: unknown function 7"},
      {"i32.add",
       'i',
       {0x41, 1, 0x41, 2, 0x6A, 0x0B},
       "invalid: constant expression required",
       "valid"},
      {"i64.mul",
       'l',
       {0x42, 1, 0x42, 2, 0x7E, 0x0B},
       "invalid: constant expression required",
       "valid"},
      {"i32.sub of globals",
       'i',
       {0x23, 0, 0x23, 2, 0x6B, 0x0B},
       "invalid: constant expression required",
       "valid"},
      {"i32.add of i64",
       'i',
       {0x42, 1, 0x42, 2, 0x6A, 0x0B},
       "invalid: constant expression required",
       "invalid: type mismatch"},
      {"i32.add of one",
       'i',
       {0x41, 1, 0x6A, 0x0B},
       "invalid: constant expression required",
       "invalid: type mismatch"},
      {"i32.div_s",
       'i',
       {0x41, 1, 0x41, 2, 0x6D, 0x0B},
       "invalid: constant expression required",
       "invalid: constant expression required"},
      {"nop",
       'i',
       {0x41, 1, 0x01, 0x0B},
       "invalid: constant expression required",
       "invalid: constant expression required"},
      {"block",
       'i',
       {0x02, 0x7F, 0x41, 0x00, 0x0B, 0x0B},
       "invalid: constant expression required",
       "invalid: constant expression required"},
      {"block without end",
       'i',
       {0x02, 0x7F, 0x41, 0x00, 0x0B},
       "malformed: unexpected end",
       "malformed: unexpected end"},
      {"illegal opcode",
       'i',
       {0xFF, 0x0B},
       "malformed: illegal opcode",
       "malformed: illegal opcode"},
      {"no end", 'i', {0x41, 0x00}, "malformed: unexpected end", "malformed: unexpected end"},
  };
  for (const Case& test : cases) {
    TestModule module = with_function("", "", {});
    const Bytes import = name_bytes("m") + name_bytes("g");
    module.imports = {import + Bytes{0x03, 0x7F, 0x00}, import + Bytes{0x03, 0x7F, 0x01}};
    module.globals = {{0x7F, 0x00, 0x41, 0x00, 0x0B},
                      Bytes{type_byte(test.type), 0x00} + test.expression};
    EXPECT_TRUE(begins(verdict(module, kWasm2), test.under_2_0)) << test.text;
    EXPECT_TRUE(begins(verdict(module), test.with_everything)) << test.text;
  }
}

TEST(validator_module, malformed_code_comes_before_invalid_anything) {
  TestModule module = with_function("", "", {0x00});
  module.functions.push_back({0x00});
  module.bodies = {function_body({0x6A}), function_body({0xFF})};  // i32.add of nothing; hole
  EXPECT_TRUE(begins(verdict(module), "malformed: illegal opcode ff"));
  module.bodies[1] = function_body({});
  EXPECT_TRUE(begins(verdict(module), "invalid: type mismatch"));
  module.bodies[1] = function_body({0x05});
  EXPECT_TRUE(begins(verdict(module), "malformed: misplaced ELSE opcode"));
  module.bodies[1] = function_body({0x41, 0x00, 0x04, 0x40, 0x05, 0x05, 0x0B});
  EXPECT_TRUE(begins(verdict(module), "malformed: misplaced ELSE opcode"));
  module.bodies[1] = function_body({0x0B});
  EXPECT_TRUE(begins(verdict(module), "malformed: section size mismatch"));
  module.bodies[1] = function_body({});
  // A constant expression that is not constant is noticed earlier still.
  module.globals = {{0x7F, 0x00, 0x45, 0x0B}};
  EXPECT_TRUE(begins(verdict(module), "invalid: constant expression required"));
  module.bodies[1] = function_body({0x02, 0x40});
  EXPECT_TRUE(begins(verdict(module), "malformed: unexpected end"));
}

// The look at all bodies skips every instruction over its immediates: each example, valid in
// itself, stands behind an invalid function, and must not make the module malformed.
TEST(validator_module, looking_for_malformed_code_follows_every_immediate) {
  for (const Example& example : examples()) {
    TestModule module = rich_module(example.results, constants_of(example.operands) + example.code);
    module.bodies[0] = function_body({0x6A});
    EXPECT_TRUE(begins(verdict(module), "invalid: type mismatch: i32.add"))
        << opcode_info(example.opcode).text;
  }
  for (const OpcodeInfo* info : opcodes_with_signature()) {
    TestModule module = rich_module("", Bytes{0x00} + instruction(*info) + Bytes{0x00});
    module.bodies[0] = function_body({0x6A});
    EXPECT_TRUE(begins(verdict(module), "invalid: type mismatch: i32.add")) << info->text;
  }
}

TEST(validator_module, exports_name_something_and_names_are_unique) {
  for (uint8_t kind = 0; kind < 4; kind++) {
    const char* const nouns[] = {"function", "table", "memory", "global"};
    const std::string unknown = std::string("invalid: unknown ") + nouns[kind] + " ";
    for (const uint32_t index : {0u, 1u, 0xFFFFFFFFu}) {
      TestModule module = with_function("", "", {});
      module.tables = {{0x70, 0x00, 0x00}};
      module.globals = {{0x7F, 0x00, 0x41, 0x00, 0x0B}};
      module.exports = {name_bytes("") + Bytes{kind} + leb(index)};
      EXPECT_TRUE(begins(verdict(module), index == 0 ? "valid" : unknown.c_str())) << +kind;
    }
  }
  TestModule module = with_function("", "", {});
  const auto item = [](std::string_view name) { return name_bytes(name) + Bytes{0x00, 0x00}; };
  module.exports = {item("a"), item("b"), item("aa"), item("")};
  EXPECT_EQ(verdict(module), "valid");
  module.exports.push_back(name_bytes("b") + Bytes{0x02, 0x00});  // of another kind
  EXPECT_EQ(verdict(module), "invalid: duplicate export name \"b\"");
  module.exports = {item(""), item("")};
  EXPECT_EQ(verdict(module), "invalid: duplicate export name \"\"");
}

TEST(validator_module, start_function_takes_and_gives_nothing) {
  TestModule module = with_function("", "", {});
  module.start = 0;
  EXPECT_EQ(verdict(module), "valid");
  module.start = 1;
  EXPECT_TRUE(begins(verdict(module), "invalid: unknown function 1"));
  module = with_function("i", "", {});
  module.start = 0;
  EXPECT_TRUE(begins(verdict(module), "invalid: start function"));
  module = with_function("", "i", {0x00});
  module.start = 0;
  EXPECT_TRUE(begins(verdict(module), "invalid: start function"));
}

TEST(validator_module, limits) {
  struct Case {
    Bytes table, memory;
    const char* expected;
  };
  const Bytes table = {0x70, 0x00, 0x00}, memory = {0x00, 0x00};
  const char* const order = "invalid: size minimum must not be greater than maximum";
  const char* const size = "invalid: memory size";
  const std::vector<Case> cases = {
      {table, Bytes{0x00} + leb(65536), "valid"},
      {table, Bytes{0x01} + leb(65536) + leb(65536), "valid"},
      {table, Bytes{0x00} + leb(65537), size},
      {table, Bytes{0x01, 0x00} + leb(65537), size},
      {table, Bytes{0x00} + leb(0xFFFFFFFF), size},
      {table, Bytes{0x00} + leb(0x100000000), size},
      {table, {0x01, 0x02, 0x01}, order},
      {{0x70, 0x01, 0x02, 0x01}, memory, order},
      {Bytes{0x70, 0x01, 0x00} + leb(0xFFFFFFFF), memory, "valid"},
      {Bytes{0x70, 0x01, 0x00} + leb(0x100000000), memory, "invalid: table size"},
  };
  for (const Case& test : cases) {
    TestModule module;
    module.tables = {test.table};
    module.memories = {test.memory};
    EXPECT_TRUE(begins(verdict(module), test.expected)) << ::testing::PrintToString(test.memory);
    TestModule imports;
    const Bytes name = name_bytes("") + name_bytes("");
    imports.imports = {name + Bytes{0x01} + test.table, name + Bytes{0x02} + test.memory};
    EXPECT_TRUE(begins(verdict(imports), test.expected)) << ::testing::PrintToString(test.memory);
  }
}

TEST(validator_module, at_most_one_memory) {
  TestModule module;
  module.memories = {{0x00, 0x00}, {0x00, 0x00}};
  EXPECT_EQ(verdict(module), "invalid: multiple memories");
  module.memories.pop_back();
  module.imports = {name_bytes("") + name_bytes("") + Bytes{0x02, 0x00, 0x00}};
  EXPECT_EQ(verdict(module), "invalid: multiple memories");
}

TEST(validator_module, what_1_0_had_not) {
  TestModule module;
  module.tables = {{0x70, 0x00, 0x00}, {0x70, 0x00, 0x00}};
  EXPECT_EQ(verdict(module), "valid");
  EXPECT_EQ(verdict(module, without(Feature::ReferenceTypes)), "invalid: multiple tables");
  EXPECT_TRUE(begins(verdict(with_function("", "ii", {0x00}), without(Feature::MultiValue)),
                     "invalid: invalid result arity"));
  EXPECT_TRUE(begins(verdict(with_function("v", "", {}), without(Feature::Simd)),
                     "malformed: malformed value type"));
  EXPECT_TRUE(begins(verdict(with_function("r", "", {}), without(Feature::ReferenceTypes)),
                     "malformed: malformed value type"));
}

TEST(validator_module, segments) {
  struct Case {
    const char* text;
    Bytes element, data;
    const char* expected;
  };
  const Bytes none = {0x01, 0x00, 0x00}, zero = {0x41, 0x00, 0x0B};
  const Bytes no_data = {0x01, 0x00};
  const std::vector<Case> cases = {
      {"active", Bytes{0x00} + zero + Bytes{0x01, 0x00}, Bytes{0x00} + zero + Bytes{0x00}, "valid"},
      {"element function 1", Bytes{0x00} + zero + Bytes{0x01, 0x01}, no_data,
       "invalid: unknown function 1"},
      {"declared function 1", {0x03, 0x00, 0x01, 0x01}, no_data, "invalid: unknown function 1"},
      {"element table 2", Bytes{0x02, 0x02} + zero + Bytes{0x00, 0x00}, no_data,
       "invalid: unknown table 2"},
      {"functions for an externref table", Bytes{0x02, 0x01} + zero + Bytes{0x00, 0x00}, no_data,
       "invalid: type mismatch"},
      {"externref elements for it", Bytes{0x06, 0x01} + zero + Bytes{0x6F, 0x00}, no_data, "valid"},
      {"element offset i64", {0x00, 0x42, 0x00, 0x0B, 0x00}, no_data, "invalid: type mismatch"},
      {"element of another type",
       {0x05, 0x6F, 0x01, 0xD2, 0x00, 0x0B},
       no_data,
       "invalid: type mismatch"},
      {"data memory 1", none, Bytes{0x02, 0x01} + zero + Bytes{0x00}, "invalid: unknown memory 1"},
      {"data memory 0 by number", none, Bytes{0x02, 0x00} + zero + Bytes{0x00}, "valid"},
      {"data offset i64", none, {0x00, 0x42, 0x00, 0x0B, 0x00}, "invalid: type mismatch"},
      {"data offset f32", none, {0x00, 0x43, 0, 0, 0, 0, 0x0B, 0x00}, "invalid: type mismatch"},
      {"data offset nothing", none, {0x00, 0x0B, 0x00}, "invalid: type mismatch"},
  };
  for (const Case& test : cases) {
    TestModule module = with_function("", "", {});
    module.tables = {{0x70, 0x00, 0x00}, {0x6F, 0x00, 0x00}};
    module.elements = {test.element};
    module.data = {test.data};
    EXPECT_TRUE(begins(verdict(module), test.expected)) << test.text;
  }
  TestModule no_memory;
  no_memory.data = {{0x00, 0x41, 0x00, 0x0B, 0x00}};
  EXPECT_TRUE(begins(verdict(no_memory), "invalid: unknown memory 0"));
}

TEST(validator_module, functions_are_declared_by_exports_elements_and_globals) {
  const auto module = [] {
    TestModule result = with_function("", "r", {0xD2, 0x00});
    result.tables = {{0x70, 0x00, 0x00}};
    return result;
  };
  TestModule nothing = module();
  EXPECT_TRUE(begins(verdict(nothing), "invalid: undeclared function reference 0"));
  TestModule by_export = module();
  by_export.exports = {name_bytes("f") + Bytes{0x00, 0x00}};
  EXPECT_EQ(verdict(by_export), "valid");
  TestModule by_element = module();
  by_element.elements = {{0x03, 0x00, 0x01, 0x00}};
  EXPECT_EQ(verdict(by_element), "valid");
  TestModule by_expression = module();
  by_expression.elements = {{0x05, 0x70, 0x01, 0xD2, 0x00, 0x0B}};
  EXPECT_EQ(verdict(by_expression), "valid");
  TestModule by_global = module();
  by_global.globals = {{0x70, 0x00, 0xD2, 0x00, 0x0B}};
  EXPECT_EQ(verdict(by_global), "valid");
}

TEST(validator_module, data_segments_need_a_data_count_to_be_named) {
  for (const Bytes& code : {Bytes{0xFC, 0x09, 0x00}, Bytes{0x00, 0xFC, 0x08, 0x00, 0x00}}) {
    TestModule module = with_function("", "", code);
    EXPECT_TRUE(begins(verdict(module), "invalid: unknown data segment 0"));
    module.data = {{0x01, 0x00}};
    EXPECT_EQ(verdict(module).substr(0, 38), "malformed: data count section required");
    module.data_count = 1;
    EXPECT_EQ(verdict(module), "valid");
  }
}

TEST(validator_module, error_names_byte_and_function) {
  TestModule module = with_function("", "", {0x01, 0x6A});
  Bytes bytes = module.bytes();
  const auto result = validate(std::move(decode(bytes).value()));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().byte_offset, bytes.size() - 2);
  EXPECT_EQ(result.error().message,
            "type mismatch: i32.add needs i32, but the stack is empty, in function 0");
  // With a name section, the name too; what cannot be printed is escaped.
  const Bytes names = Bytes{0x01} + sized(Bytes{0x01, 0x00} + name_bytes("f\x1b\"\xc2\x9b"));
  bytes = bytes + custom_section("name", names);
  const auto named = validate(std::move(decode(bytes).value()));
  ASSERT_FALSE(named.ok());
  EXPECT_TRUE(named.error().message.ends_with("in function 0 \"f\\1b\\22\\c2\\9b\""))
      << named.error().message;
}

// --- Size ----------------------------------------------------------------------------------------

// Each of these would take minutes if it were quadratic, and the stack if it recursed.
class validator_size : public ::testing::Test {
 protected:
  void TearDown() override {
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_;
    EXPECT_LT(taken.count(), 20.0);
  }
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(validator_size, a_million_nested_blocks_loops_and_ifs) {
  constexpr size_t kDepth = 1'000'000;
  const Bytes ends(kDepth, 0x0B);
  EXPECT_EQ(verdict(with_function("", "", repeated({0x02, 0x40}, kDepth) + ends)), "valid");
  EXPECT_EQ(verdict(with_function("", "", repeated({0x03, 0x40}, kDepth) + ends)), "valid");
  EXPECT_EQ(verdict(with_function("", "", repeated({0x41, 0, 0x04, 0x40}, kDepth) + ends)),
            "valid");
  EXPECT_TRUE(begins(verdict(with_function("", "", repeated({0x02, 0x40}, kDepth))),
                     "malformed: unexpected end"));
  EXPECT_TRUE(
      begins(verdict(with_function("", "", repeated({0x02, 0x40}, kDepth) + Bytes{0x6A} + ends)),
             "invalid: type mismatch"));
}

TEST_F(validator_size, a_million_drops_in_dead_code) {
  EXPECT_EQ(verdict(with_function("", "", Bytes{0x00} + Bytes(1'000'000, 0x1A))), "valid");
  EXPECT_EQ(verdict(with_function(
                "", "", Bytes{0x00} + repeated({0x1C, 1, 0x7F}, 1'000'000) + Bytes{0x00})),
            "valid");
}

TEST_F(validator_size, operand_stack_ends_at_its_limit) {
  const auto code = [](size_t height) {
    return repeated({0x41, 0x00}, height) + Bytes(height, 0x1A);
  };
  EXPECT_EQ(verdict(with_function("", "", code(kMaxOperandHeight))), "valid");
  EXPECT_TRUE(begins(verdict(with_function("", "", code(kMaxOperandHeight + 1))),
                     "limit: more than 1000000 operands"));
}

TEST_F(validator_size, long_branch_tables) {
  for (const size_t labels : {size_t{0}, size_t{65'535}, size_t{1'000'000}}) {
    const Bytes code = Bytes{0x41, 0x00, 0x0E} + leb(labels) + Bytes(labels + 1, 0x00);
    EXPECT_EQ(verdict(with_function("", "", code)), "valid");
  }
}

// A thousand types behind every label and call of two bytes.
TEST_F(validator_size, long_types_named_by_short_instructions) {
  const std::string thousand(1000, 'i');
  TestModule module = with_function(
      "", thousand,
      constants_of(thousand) + Bytes{0x41, 0x00, 0x0E} + leb(200'000) + Bytes(200'001, 0x00));
  EXPECT_EQ(verdict(module), "valid");
  module.types.push_back(function_type(thousand, thousand));
  module.functions.push_back({0x01});
  module.bodies.push_back(function_body({0x00}));
  module.bodies[0] = function_body(constants_of(thousand) + repeated({0x10, 0x01}, 200'000));
  EXPECT_EQ(verdict(module), "valid");
}

TEST_F(validator_size, many_local_groups_and_many_uses) {
  constexpr size_t kGroups = 50'000;
  TestModule module = with_function("", "", {});
  module.bodies = {sized(leb(kGroups) + repeated({0x01, 0x7F}, kGroups) +
                         repeated(Bytes{0x20} + leb(kGroups - 1) + Bytes{0x1A}, 100'000) +
                         Bytes{0x0B})};
  EXPECT_EQ(verdict(module), "valid");
  // Empty groups count for nothing.
  module.bodies = {sized(leb(1'000'000) + repeated({0x00, 0x7F}, 1'000'000) + Bytes{0x0B})};
  EXPECT_EQ(verdict(module), "valid");
}

TEST_F(validator_size, a_million_functions) {
  TestModule module;
  module.types = {function_type(std::string(1000, 'l'), "")};
  Bytes bytes =
      kPreamble + section(SectionId::Type, list_of(module.types)) +
      section(SectionId::Function, leb(kMaxFunctions) + Bytes(kMaxFunctions)) +
      section(SectionId::Code, leb(kMaxFunctions) + repeated(function_body({}), kMaxFunctions));
  EXPECT_EQ(verdict(bytes), "valid");
}

TEST_F(validator_size, many_exports) {
  Bytes items;
  for (uint32_t i = 0; i < 200'000; i++) {
    const Bytes item = name_bytes("an export with a long common beginning " + std::to_string(i)) +
                       Bytes{0x00, 0x00};
    items.insert(items.end(), item.begin(), item.end());
  }
  TestModule module = with_function("", "", {});
  const Bytes before = kPreamble + section(SectionId::Type, list_of(module.types)) +
                       section(SectionId::Function, list_of(module.functions));
  const Bytes code = section(SectionId::Code, list_of(module.bodies));
  EXPECT_EQ(verdict(before + section(SectionId::Export, leb(200'000) + items) + code), "valid");
  items = items + name_bytes("an export with a long common beginning 0") + Bytes{0x00, 0x00};
  EXPECT_TRUE(begins(verdict(before + section(SectionId::Export, leb(200'001) + items) + code),
                     "invalid: duplicate export name"));
}

TEST(validator_limits, locals_with_parameters) {
  TestModule module = with_function(std::string(10, 'i'), "", {});
  module.bodies = {sized(Bytes{0x01} + leb(kMaxLocals - 10) + Bytes{0x7F, 0x0B})};
  EXPECT_EQ(verdict(module), "valid");
  module.bodies = {sized(Bytes{0x01} + leb(kMaxLocals - 9) + Bytes{0x7F, 0x0B})};
  EXPECT_TRUE(begins(verdict(module), "limit: too many locals"));
}

}  // namespace
}  // namespace qip
