// What scan_code() finds, and that neither immediates nor sheer numbers lead it astray.
#include "loader/code_scan.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "loader/loader.hpp"
#include "loader/test_modules.hpp"

namespace qip {
namespace {

Module valid_module(const Bytes& bytes) {
  auto module = decode(bytes);
  EXPECT_TRUE(module.ok()) << describe(module.error());
  auto validated = validate(std::move(module.value()));
  EXPECT_TRUE(validated.ok()) << describe(validated.error());
  return validated.value().module();
}
Module valid_module(const TestModule& module) {
  return valid_module(module.bytes());
}

std::vector<uint32_t> targets(const CodeScan& scan, uint32_t function) {
  const std::span<const uint32_t> list = scan.targets_of(function);
  return {list.begin(), list.end()};
}

// The functions whose references exist.
std::vector<uint32_t> referenced(const CodeScan& scan) {
  std::vector<uint32_t> list;
  for (uint32_t i = 0; i < scan.referenced.size(); i++) {
    if (scan.referenced[i]) list.push_back(i);
  }
  return list;
}

using Indices = std::vector<uint32_t>;

const Bytes kGrow = {0x41, 0x00, 0x40, 0x00, 0x1A};  // i32.const 0, memory.grow, drop
const Bytes kCallIndirectZero = {0x41, 0x00, 0x11, 0x00, 0x00};
const Bytes kRefFuncDrop0 = {0xD2, 0x00, 0x1A};

Bytes call_of(uint32_t index) {
  return Bytes{0x10} + leb(index);
}

// `count` functions () -> () with a memory and a table; their bodies come from the test.
TestModule functions_module(size_t count) {
  TestModule module;
  module.types = {function_type("", "")};
  module.functions.assign(count, {0x00});
  module.tables = {{0x70, 0x00, 0x0A}};
  module.memories = {{0x00, 0x01}};
  return module;
}

TEST(CodeScan, EmptyModuleHasNothing) {
  const CodeScan scan = scan_code(valid_module(TestModule()));
  EXPECT_EQ(scan.instruction_count, 0);
  EXPECT_TRUE(scan.memory_grows.empty());
  EXPECT_TRUE(scan.targets.empty());
  EXPECT_EQ(scan.target_begins.size(), 1);
}

TEST(CodeScan, CountsInstructionsLoopsAndCalls) {
  TestModule module = functions_module(2);
  const Bytes body = Bytes{0x03, 0x40, 0x41, 0x01, 0x04, 0x40} + call_of(1) + Bytes{0x05} +
                     call_of(1) + Bytes{0x0B, 0x0B} + kCallIndirectZero;
  module.bodies = {function_body(body), function_body({})};
  const CodeScan scan = scan_code(valid_module(module));
  EXPECT_EQ(scan.instruction_count, 7);  // loop const if call call const call_indirect
  EXPECT_EQ(scan.loop_count, 1);
  EXPECT_EQ(scan.call_count, 2);
  EXPECT_EQ(scan.indirect_call_count, 1);
}

TEST(CodeScan, MemoryGrowsAreCountedByFunctionWithTheFirstPlace) {
  TestModule module = functions_module(4);
  module.imports = {name_bytes("m") + name_bytes("f") + Bytes{0x00, 0x00}};
  module.bodies = {function_body({}), function_body(Bytes{0x01} + kGrow + kGrow), function_body({}),
                   function_body(kGrow)};
  const Module valid = valid_module(module);
  const CodeScan scan = scan_code(valid);
  ASSERT_EQ(scan.memory_grows.size(), 2);
  EXPECT_EQ(scan.memory_grows[0].function_index, 2);
  EXPECT_EQ(scan.memory_grows[0].count, 2);
  EXPECT_EQ(scan.memory_grows[0].first_offset, valid.functions[1].code.offset + 3);
  EXPECT_EQ(scan.memory_grows[1].function_index, 4);
  EXPECT_EQ(scan.memory_grows[1].count, 1);
}

TEST(CodeScan, GrowthInDeadCodeCounts) {
  TestModule module = functions_module(1);
  module.bodies = {function_body(Bytes{0x00} + kGrow)};
  EXPECT_EQ(scan_code(valid_module(module)).memory_grows.size(), 1);
}

TEST(CodeScan, ATargetIsListedOncePerFunctionInTheOrderOfFirstCalls) {
  TestModule module = functions_module(3);
  module.bodies = {function_body(call_of(2) + call_of(1) + call_of(2) + call_of(0)),
                   function_body({}), function_body(call_of(2) + call_of(1))};
  const CodeScan scan = scan_code(valid_module(module));
  EXPECT_EQ(targets(scan, 0), (Indices{2, 1, 0}));
  EXPECT_EQ(targets(scan, 1), Indices{});
  EXPECT_EQ(targets(scan, 2), (Indices{2, 1}));
}

TEST(CodeScan, AnIndirectCallLeadsToItsType) {
  TestModule module = functions_module(2);
  module.types = {function_type("", ""), function_type("i", "")};
  module.bodies = {function_body({0x41, 0x00, 0x41, 0x00, 0x11, 0x01, 0x00}),
                   function_body(kCallIndirectZero + kCallIndirectZero)};
  const CodeScan scan = scan_code(valid_module(module));
  EXPECT_EQ(targets(scan, 0), Indices{2 + 1});
  EXPECT_EQ(targets(scan, 1), Indices{2 + 0});
}

TEST(CodeScan, ImportedFunctionsComeFirstAndCallNothing) {
  TestModule module = functions_module(1);
  module.imports = {name_bytes("m") + name_bytes("f") + Bytes{0x00, 0x00},
                    name_bytes("m") + name_bytes("g") + Bytes{0x00, 0x00}};
  module.bodies = {function_body(call_of(1) + call_of(2))};
  const CodeScan scan = scan_code(valid_module(module));
  EXPECT_EQ(targets(scan, 0), Indices{});
  EXPECT_EQ(targets(scan, 1), Indices{});
  EXPECT_EQ(targets(scan, 2), (Indices{1, 2}));
}

TEST(CodeScan, ReferencesComeFromSegmentsOfEveryMode) {
  TestModule module = functions_module(5);
  module.bodies.assign(5, function_body({}));
  module.elements = {
      {0x00, 0x41, 0x00, 0x0B, 0x01, 0x00},  // active: function 0
      {0x01, 0x00, 0x01, 0x01},              // passive: function 1
      {0x03, 0x00, 0x01, 0x02},              // declarative: function 2
      {0x05, 0x70, 0x01, 0xD2, 0x03, 0x0B},  // passive, expressions: ref.func 3
  };
  EXPECT_EQ(referenced(scan_code(valid_module(module))), (Indices{0, 1, 2, 3}));
}

TEST(CodeScan, ReferencesComeFromGlobalsAndCode) {
  TestModule module = functions_module(3);
  module.globals = {{0x70, 0x00, 0xD2, 0x01, 0x0B}};
  module.exports = {name_bytes("f") + Bytes{0x00, 0x00}};  // lets code name function 0
  module.bodies = {function_body({}), function_body({}), function_body(kRefFuncDrop0)};
  EXPECT_EQ(referenced(scan_code(valid_module(module))), (Indices{0, 1}));
}

TEST(CodeScan, AnExportAloneIsNoReference) {
  TestModule module = functions_module(1);
  module.exports = {name_bytes("f") + Bytes{0x00, 0x00}};
  module.bodies = {function_body({})};
  EXPECT_EQ(referenced(scan_code(valid_module(module))), Indices{});
}

// Immediates of every kind that hold the bytes of memory.grow and call.
TEST(CodeScan, ImmediatesAreNotTakenForInstructions) {
  TestModule module = functions_module(1);
  module.data_count = 0;
  const Bytes body = Bytes{0x41, 0xC0, 0x00, 0x1A} +              // i32.const 64
                     Bytes{0x42, 0x90, 0x80, 0x00, 0x1A} +        // i64.const 16
                     Bytes{0x43, 0x40, 0x00, 0x10, 0x00, 0x1A} +  // f32.const
                     Bytes{0x44} + repeated({0x40, 0x00}, 4) + Bytes{0x1A} + Bytes{0xFD, 0x0C} +
                     repeated({0x40, 0x00}, 8) + Bytes{0x1A} +
                     Bytes{0x41, 0x00, 0x28, 0x00, 0x40, 0x1A} +  // i32.load offset=64
                     Bytes{0x02, 0x40, 0x41, 0x00, 0x0E, 0x02, 0x00, 0x00, 0x00, 0x0B} +
                     Bytes{0xD0, 0x70, 0xD0, 0x70, 0x41, 0x00, 0x1C, 0x01, 0x70, 0x1A} +
                     constants_of("vv") + Bytes{0xFD, 0x0D} + repeated({0x10, 0x00}, 8) +
                     Bytes{0x1A};
  module.bodies = {function_body(body)};
  const CodeScan scan = scan_code(valid_module(module));
  EXPECT_TRUE(scan.memory_grows.empty());
  EXPECT_EQ(scan.call_count, 0);
  EXPECT_EQ(scan.instruction_count, 25);
}

TEST(CodeScan, AMillionFunctionsCallingOneGiveOneTargetEach) {
  constexpr size_t kCount = 1'000'000;
  Bytes functions = leb(kCount);
  functions.resize(functions.size() + kCount, 0x00);
  const Bytes body = function_body(call_of(0) + call_of(0));
  const Bytes bytes = kPreamble + section(SectionId::Type, list_of({function_type("", "")})) +
                      section(SectionId::Function, functions) +
                      section(SectionId::Code, leb(kCount) + repeated(body, kCount));
  const CodeScan scan = scan_code(valid_module(bytes));
  EXPECT_EQ(scan.targets.size(), kCount);
  EXPECT_EQ(scan.call_count, 2 * kCount);
  EXPECT_EQ(targets(scan, kCount - 1), Indices{0});
}

}  // namespace
}  // namespace qip
