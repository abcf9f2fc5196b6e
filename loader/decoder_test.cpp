// The binary grammar: one malformed module per kind of error, with the text form above the bytes;
// then every byte of whole modules cut off and overwritten.
#include <gtest/gtest.h>

#include <algorithm>

#include "loader/impl_limits.hpp"
#include "loader/test_modules.hpp"

namespace qip {
namespace {

// (module
//   (type (func)) (type (func (param i32 i64) (result f32 v128)))
//   (import "m" "f" (func (type 0))) (import "m" "t" (table 0 funcref))
//   (import "m" "g" (global externref))
//   (func (type 0) (local i32 i32 f64) ...) (func (type 1) unreachable)
//   (table 1 5 externref) (memory 1 2) (global (mut f64) (f64.const 1))
//   (export "a" (func 1)) (export "é" (memory 0)) (start 1)
//   (elem (table 0) (i32.const 0) func 0 1) (elem declare func 2)
//   (elem externref (ref.null extern))
//   (data (i32.const 3) "abc") (data "de"))
// with a custom section in front and a name section behind.
Bytes seed_module() {
  TestModule module;
  module.types = {function_type("", ""), function_type("il", "fv")};
  const Bytes m = name_bytes("m");
  module.imports = {m + name_bytes("f") + Bytes{0x00, 0x00},
                    m + name_bytes("t") + Bytes{0x01, 0x70, 0x00, 0x00},
                    m + name_bytes("g") + Bytes{0x03, 0x6F, 0x00}};
  module.functions = {{0}, {1}};
  module.tables = {{0x6F, 0x01, 0x01, 0x05}};
  module.memories = {{0x01, 0x01, 0x02}};
  module.globals = {{0x7C, 0x01, 0x44, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x0B}};
  module.exports = {name_bytes("a") + Bytes{0x00, 0x01}, name_bytes("\xc3\xa9") + Bytes{0x02, 0}};
  module.start = 1;
  module.elements = {{0x00, 0x41, 0x00, 0x0B, 0x02, 0x00, 0x01},
                     {0x03, 0x00, 0x01, 0x02},
                     {0x05, 0x6F, 0x01, 0xD0, 0x6F, 0x0B}};
  module.data_count = 2;
  const Bytes code = {0x02, 0x40, 0x20, 0x00, 0x28, 0x02, 0x04, 0x0E, 0x01, 0x00, 0x01, 0x0B,
                      0x41, 0xC0, 0x00, 0x41, 0x00, 0x41, 0x01, 0xFC, 0x08, 0x01, 0x00, 0x44,
                      0,    0,    0,    0,    0,    0,    0,    0,    0x21, 0x02, 0xFD, 0x0C,
                      1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,
                      13,   14,   15,   16,   0xFD, 0x15, 0x0F, 0x1A};
  module.bodies = {sized(Bytes{0x02, 0x02, 0x7F, 0x01, 0x7C} + code + Bytes{0x0B}),
                   function_body({0x00})};
  module.data = {{0x00, 0x41, 0x03, 0x0B, 0x03, 'a', 'b', 'c'}, {0x01, 0x02, 'd', 'e'}};
  const Bytes all = module.bytes();
  return kPreamble + custom_section("first", {1, 2, 3}) + Bytes(all.begin() + 8, all.end()) +
         custom_section("name", Bytes{0x00} + sized(name_bytes("seed")) + Bytes{0x01} +
                                    sized(Bytes{0x01, 0x01} + name_bytes("run")));
}

TEST(decoder, seed_module_is_valid_and_read_whole) {
  ASSERT_EQ(verdict(seed_module()), "valid");
  EXPECT_EQ(verdict(seed_module(), kWasm2), "valid");
  const Bytes bytes = seed_module();
  const auto result = decode(bytes);
  ASSERT_TRUE(result.ok());
  const Module& module = result.value();
  EXPECT_EQ(module.bytes, bytes);
  ASSERT_EQ(module.types.size(), 2u);
  EXPECT_EQ(func_type_text(module.types[1]), "(i32, i64) -> (f32, v128)");
  ASSERT_EQ(module.imports.size(), 3u);
  EXPECT_EQ(module.imports[1].name, "t");
  EXPECT_EQ(module.imports[1].kind, ExternKind::Table);
  EXPECT_EQ(module.function_types, (std::vector<uint32_t>{0, 0, 1}));
  EXPECT_EQ(module.imported_function_count, 1u);
  EXPECT_EQ(module.imported_table_count, 1u);
  EXPECT_EQ(module.imported_memory_count, 0u);
  EXPECT_EQ(module.imported_global_count, 1u);
  ASSERT_EQ(module.table_types.size(), 2u);
  EXPECT_EQ(module.table_types[1].element, ValueType::ExternRef);
  EXPECT_EQ(module.table_types[1].limits.maximum, 5u);
  ASSERT_EQ(module.memory_types.size(), 1u);
  EXPECT_EQ(module.memory_types[0].limits.minimum, 1u);
  ASSERT_EQ(module.global_types.size(), 2u);
  EXPECT_TRUE(module.global_types[1].is_mutable);
  EXPECT_EQ(module.exports[1].name, "\xc3\xa9");
  EXPECT_EQ(module.start, 1u);
  ASSERT_EQ(module.element_segments.size(), 3u);
  EXPECT_EQ(module.element_segments[0].mode, SegmentMode::Active);
  EXPECT_EQ(module.element_segments[0].function_indices, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(module.element_segments[1].mode, SegmentMode::Declarative);
  EXPECT_EQ(module.element_segments[2].mode, SegmentMode::Passive);
  EXPECT_EQ(module.element_segments[2].type, ValueType::ExternRef);
  EXPECT_EQ(module.element_segments[2].size(), 1u);
  EXPECT_EQ(module.data_count, 2u);
  ASSERT_EQ(module.data_segments.size(), 2u);
  const ByteRange& data = module.data_segments[1].bytes;
  EXPECT_EQ(std::string(bytes.begin() + data.offset, bytes.begin() + data.offset + data.size),
            "de");
  ASSERT_EQ(module.functions.size(), 2u);
  EXPECT_EQ(module.functions[0].local_count, 3u);
  EXPECT_EQ(module.functions[0].local_group_count, 2u);
  EXPECT_EQ(bytes[module.functions[0].code.offset + module.functions[0].code.size - 1], 0x0B);
  const ConstantInstruction& one =
      module.constant_instructions[module.globals[0].initializer.first];
  EXPECT_EQ(one.opcode, Opcode::F64Const);
  EXPECT_EQ(one.low, 0x3FF0000000000000u);
  ASSERT_EQ(module.custom_sections.size(), 2u);
  EXPECT_EQ(module.custom_sections[0].name, "first");
  EXPECT_EQ(module.custom_sections[0].bytes.size, 3u);
}

TEST(decoder, empty_module_is_valid) {
  EXPECT_EQ(verdict(kPreamble), "valid");
}

TEST(decoder, preamble) {
  EXPECT_EQ(verdict(Bytes{}), "malformed: unexpected end");
  EXPECT_EQ(verdict({0x00, 0x61, 0x73}), "malformed: unexpected end");
  EXPECT_EQ(verdict({0x00, 0x61, 0x73, 0x6D}), "malformed: unexpected end");
  EXPECT_EQ(verdict({0x00, 0x61, 0x73, 0x6D, 1, 0, 0}), "malformed: unexpected end");
  EXPECT_EQ(verdict({'a', 's', 'm', 0x00, 1, 0, 0, 0}), "malformed: magic header not detected");
  EXPECT_EQ(verdict(Bytes(1000)), "malformed: magic header not detected");
  for (const Bytes& version : {Bytes{2, 0, 0, 0}, Bytes{0, 0, 0, 0}, Bytes{0x0D, 0, 1, 0}}) {
    EXPECT_TRUE(begins(verdict(Bytes{0x00, 0x61, 0x73, 0x6D} + version),
                       "malformed: unknown binary version"));
  }
}

// --- Sections
// --------------------------------------------------------------------------------------

TEST(decoder, section_ids_beyond_12_are_malformed) {
  for (uint32_t id = 13; id < 256; id++) {
    EXPECT_TRUE(begins(verdict(kPreamble + Bytes{static_cast<uint8_t>(id), 0x00}),
                       "malformed: malformed section id"));
  }
}

TEST(decoder, sections_come_once_and_in_order) {
  const std::vector<SectionId> order = {SectionId::Type,   SectionId::Import,  SectionId::Function,
                                        SectionId::Table,  SectionId::Memory,  SectionId::Global,
                                        SectionId::Export, SectionId::Element, SectionId::Code,
                                        SectionId::Data};
  const Bytes empty = {0x00};
  Bytes all = kPreamble;
  for (const SectionId id : order) all = all + section(id, empty);
  EXPECT_EQ(verdict(all), "valid");
  for (size_t first = 0; first < order.size(); first++) {
    for (size_t second = 0; second < order.size(); second++) {
      const Bytes bytes = kPreamble + section(order[first], empty) + section(order[second], empty);
      EXPECT_TRUE(begins(verdict(bytes), first < second
                                             ? "valid"
                                             : "malformed: unexpected content after last section"))
          << first << " " << second;
    }
  }
  // The data count lies between elements and code.
  const Bytes count = section(SectionId::DataCount, {0x00});
  EXPECT_EQ(verdict(kPreamble + section(SectionId::Element, empty) + count +
                    section(SectionId::Code, empty)),
            "valid");
  EXPECT_TRUE(begins(verdict(kPreamble + section(SectionId::Code, empty) + count),
                     "malformed: unexpected content after last section"));
  EXPECT_TRUE(begins(verdict(kPreamble + count + section(SectionId::Element, empty)),
                     "malformed: unexpected content after last section"));
}

TEST(decoder, section_size_must_be_that_of_its_contents) {
  // (type (func)) with the size 4 of its contents changed
  const auto type_section = [](uint64_t size) {
    return kPreamble + Bytes{0x01} + leb(size) + Bytes{0x01, 0x60, 0x00, 0x00};
  };
  EXPECT_EQ(verdict(type_section(4)), "valid");
  EXPECT_TRUE(begins(verdict(type_section(3)), "malformed: unexpected end"));
  EXPECT_TRUE(begins(verdict(type_section(0)), "malformed: unexpected end"));
  EXPECT_TRUE(begins(verdict(type_section(5)), "malformed: length out of bounds"));
  EXPECT_TRUE(begins(verdict(type_section(0xFFFFFFFF)), "malformed: length out of bounds"));
  EXPECT_TRUE(begins(verdict(type_section(0x100000000)), "malformed: integer too large"));
  EXPECT_TRUE(begins(verdict(type_section(5) + Bytes{0x00}), "malformed: section size mismatch"));
  EXPECT_TRUE(begins(verdict(kPreamble + Bytes{0x01}), "malformed: unexpected end"));
}

TEST(decoder, custom_sections_stand_anywhere_and_need_a_name) {
  const Bytes custom = custom_section("", {});
  EXPECT_EQ(verdict(kPreamble + custom + custom + section(SectionId::Type, {0x00}) + custom),
            "valid");
  EXPECT_TRUE(begins(verdict(kPreamble + Bytes{0x00, 0x00}), "malformed: unexpected end"));
  EXPECT_TRUE(
      begins(verdict(kPreamble + Bytes{0x00, 0x01, 0x05}), "malformed: length out of bounds"));
  EXPECT_TRUE(begins(verdict(kPreamble + Bytes{0x00, 0x05, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}),
                     "malformed: length out of bounds"));
  for (const char* name : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_EQ(verdict(kPreamble + custom_section(name, {})), "malformed: malformed UTF-8 encoding");
  }
  EXPECT_EQ(verdict(kPreamble + repeated(custom, 100'000)), "valid");
}

// Elements of at least one byte: a count beyond the bytes left is refused before anything of that
// size is allocated.
TEST(decoder, counts_beyond_the_bytes_left_are_malformed) {
  for (const SectionId id : {SectionId::Type, SectionId::Import, SectionId::Function,
                             SectionId::Table, SectionId::Memory, SectionId::Global,
                             SectionId::Export, SectionId::Element, SectionId::Data}) {
    for (const uint32_t count : {1u, 100u, 100'000'000u, 0xFFFFFFFFu}) {
      EXPECT_TRUE(begins(verdict(kPreamble + section(id, leb(count))), "malformed: unexpected end"))
          << static_cast<int>(id);
    }
  }
  const Bytes huge = leb(0xFFFFFFFF);
  TestModule module = with_function("", "", {});
  module.types = {Bytes{0x60} + huge};
  EXPECT_TRUE(begins(verdict(module), "malformed: unexpected end"));
  module.types = {Bytes{0x60, 0x00} + huge};
  EXPECT_TRUE(begins(verdict(module), "malformed: unexpected end"));
  module = with_function("", "", {});
  module.bodies = {sized(huge + Bytes{0x0B})};
  EXPECT_TRUE(begins(verdict(module), "malformed: unexpected end"));
  for (const Bytes& segment : {Bytes{0x01, 0x00}, Bytes{0x05, 0x70}}) {
    module = with_function("", "", {});
    module.elements = {segment + huge};
    EXPECT_TRUE(begins(verdict(module), "malformed: unexpected end"));
  }
  module = with_function("", "", {});
  module.data = {Bytes{0x01} + huge};
  EXPECT_TRUE(begins(verdict(module), "malformed: unexpected end"));
}

// --- Items
// -----------------------------------------------------------------------------------------

TEST(decoder, type_form_must_be_60) {
  for (uint32_t form = 0; form < 256; form++) {
    const Bytes type = {static_cast<uint8_t>(form), 0x00, 0x00};
    EXPECT_TRUE(begins(verdict(kPreamble + section(SectionId::Type, list_of({type}))),
                       form == 0x60 ? "valid" : "malformed: malformed function type"));
  }
}

TEST(decoder, limits_flags_are_0_or_1) {
  for (uint32_t flags = 0; flags < 256; flags++) {
    const Bytes limits = {static_cast<uint8_t>(flags), 0x01, 0x01};
    const Bytes one_bound(limits.begin(), limits.end() - (flags == 1 ? 0 : 1));
    const char* expected = flags < 2 ? "valid" : "malformed: malformed limits flags";
    TestModule module;
    module.memories = {one_bound};
    EXPECT_TRUE(begins(verdict(module), expected)) << flags;
    module.memories.clear();
    module.tables = {Bytes{0x70} + one_bound};
    EXPECT_TRUE(begins(verdict(module), expected)) << flags;
  }
}

TEST(decoder, limits_beyond_32_bits_are_malformed_in_2_0) {
  TestModule module;
  module.memories = {Bytes{0x00} + leb(0x100000000)};
  EXPECT_TRUE(begins(verdict(module, kWasm2), "malformed: integer too large"));
  EXPECT_TRUE(begins(verdict(module), "invalid: memory size"));
}

TEST(decoder, import_and_export_kinds_and_mutability_0_to_255) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    const auto kind = static_cast<uint8_t>(byte);
    TestModule module;
    module.imports = {name_bytes("") + name_bytes("") + Bytes{kind}};
    EXPECT_TRUE(begins(verdict(module),
                       byte < 4 ? "malformed: unexpected end" : "malformed: malformed import kind"))
        << byte;
    module.imports.clear();
    module.exports = {name_bytes("") + Bytes{kind, 0x00}};
    EXPECT_TRUE(
        begins(verdict(module), byte < 4 ? "invalid: unknown" : "malformed: malformed export kind"))
        << byte;
    module.exports.clear();
    module.globals = {{0x7F, kind, 0x41, 0x00, 0x0B}};
    EXPECT_TRUE(begins(verdict(module), byte < 2 ? "valid" : "malformed: malformed mutability"))
        << byte;
  }
}

TEST(decoder, names_must_be_utf8) {
  TestModule module;
  module.imports = {name_bytes("\xFF") + name_bytes("") + Bytes{0x02, 0x00, 0x00}};
  EXPECT_EQ(verdict(module), "malformed: malformed UTF-8 encoding");
  module.imports = {name_bytes("") + name_bytes("\xC2") + Bytes{0x02, 0x00, 0x00}};
  EXPECT_EQ(verdict(module), "malformed: malformed UTF-8 encoding");
  module = with_function("", "", {});
  module.exports = {name_bytes("\xE0\x80\x80") + Bytes{0x00, 0x00}};
  EXPECT_EQ(verdict(module), "malformed: malformed UTF-8 encoding");
}

TEST(decoder, segment_flags_0_to_255) {
  const Bytes zero = {0x41, 0x00, 0x0B};
  for (uint32_t flags = 0; flags < 256; flags++) {
    TestModule module = with_function("", "", {});
    module.tables = {{0x70, 0x00, 0x00}};
    Bytes element = leb(flags);
    if ((flags & 1) == 0) element = element + ((flags & 2) != 0 ? Bytes{0x00} : Bytes{}) + zero;
    if ((flags & 3) != 0) element.push_back((flags & 4) != 0 ? 0x70 : 0x00);
    module.elements = {element + Bytes{0x00}};
    EXPECT_TRUE(
        begins(verdict(module), flags < 8 ? "valid" : "malformed: malformed element segment kind"))
        << flags;
    module.elements.clear();
    Bytes data = leb(flags);
    if (flags == 2) data.push_back(0x00);
    if (flags != 1) data = data + zero;
    module.data = {data + Bytes{0x00}};
    EXPECT_TRUE(
        begins(verdict(module), flags < 3 ? "valid" : "malformed: malformed data segment kind"))
        << flags;
  }
}

TEST(decoder, element_kind_must_be_0) {
  for (uint32_t kind = 1; kind < 256; kind++) {
    TestModule module = with_function("", "", {});
    module.elements = {{0x01, static_cast<uint8_t>(kind), 0x00}};
    EXPECT_TRUE(begins(verdict(module), "malformed: malformed element kind"));
  }
}

TEST(decoder, function_and_code_sections_must_agree) {
  const char* const message = "malformed: function and code section have inconsistent lengths";
  TestModule module = with_function("", "", {});
  module.bodies.push_back(function_body({}));
  EXPECT_EQ(verdict(module), message);
  module.bodies.clear();
  EXPECT_EQ(verdict(module), message);
  module = with_function("", "", {});
  module.functions.clear();
  EXPECT_EQ(verdict(module), message);
  module = with_function("", "", {});
  module.functions.push_back({0x00});
  EXPECT_EQ(verdict(module), message);
}

TEST(decoder, data_count_must_be_that_of_the_data_section) {
  const char* const message = "malformed: data count and data section have inconsistent lengths";
  TestModule module;
  module.data_count = 0;
  EXPECT_EQ(verdict(module), "valid");
  module.data_count = 1;
  EXPECT_EQ(verdict(module), message);
  module.data = {{0x01, 0x00}};
  EXPECT_EQ(verdict(module), "valid");
  module.data_count = 0;
  EXPECT_EQ(verdict(module), message);
  module.data_count = 1;
  EXPECT_TRUE(
      begins(verdict(module, without(Feature::BulkMemory)), "malformed: malformed section id 12"));
}

TEST(decoder, body_size_must_be_that_of_its_code) {
  // (func) with the size 2 of its body changed
  const auto with_size = [](uint64_t size, const Bytes& after) {
    TestModule module = with_function("", "", {});
    module.bodies = {leb(size) + Bytes{0x00, 0x0B} + after};
    return verdict(module);
  };
  EXPECT_EQ(with_size(2, {}), "valid");
  EXPECT_TRUE(begins(with_size(0, {}), "malformed: unexpected end"));
  EXPECT_TRUE(begins(with_size(1, {}), "malformed: section size mismatch"));
  EXPECT_TRUE(begins(with_size(3, {}), "malformed: length out of bounds"));
  EXPECT_TRUE(begins(with_size(0xFFFFFFFF, {}), "malformed: length out of bounds"));
  EXPECT_TRUE(begins(with_size(3, {0x0B}), "malformed: section size mismatch"));
}

TEST(decoder, body_needs_its_end) {
  TestModule module = with_function("", "", {});
  module.bodies = {sized({0x00, 0x01})};
  EXPECT_TRUE(begins(verdict(module),
                     "malformed: unexpected end of section or function: END "
                     "opcode expected"));
}

// --- Limits of this implementation
// ----------------------------------------------------------------

TEST(decoder_limits, locals_are_summed_before_they_are_expanded) {
  const auto with_groups = [](const Bytes& groups) {
    TestModule module = with_function("", "", {});
    module.bodies = {sized(groups + Bytes{0x0B})};
    return verdict(module);
  };
  const Bytes most = leb(0xFFFFFFFF);
  EXPECT_EQ(with_groups(Bytes{0x01} + leb(kMaxLocals) + Bytes{0x7F}), "valid");
  EXPECT_TRUE(begins(with_groups(Bytes{0x01} + leb(kMaxLocals + 1) + Bytes{0x7F}),
                     "limit: too many locals"));
  EXPECT_TRUE(begins(with_groups(Bytes{0x01} + most + Bytes{0x7F}), "limit: too many locals"));
  EXPECT_TRUE(begins(with_groups(Bytes{0x02} + most + Bytes{0x7F, 0x01, 0x7E}),
                     "malformed: too many locals"));
  EXPECT_TRUE(begins(with_groups(Bytes{0x02} + leb(kMaxLocals) + Bytes{0x7F, 0x01, 0x7E}),
                     "limit: too many locals"));
  // The sum does not wrap round at 2^64 either: groups are at least two bytes, so it cannot.
  EXPECT_TRUE(begins(with_groups(leb(1000) + repeated(most + Bytes{0x7F}, 1000)),
                     "malformed: too many locals"));
}

TEST(decoder_limits, locals_of_all_functions_together) {
  const size_t functions = kMaxTotalLocals / kMaxLocals + 1;
  const Bytes body = sized(Bytes{0x01} + leb(kMaxLocals) + Bytes{0x7F, 0x0B});
  TestModule module = with_function("", "", {});
  module.functions.assign(functions - 1, {0x00});
  module.bodies.assign(functions - 1, body);
  EXPECT_EQ(verdict(module), "valid");
  module.functions.push_back({0x00});
  module.bodies.push_back(body);
  EXPECT_TRUE(begins(verdict(module), "limit: too many locals"));
}

TEST(decoder_limits, parameters_and_results) {
  const auto with_type = [](size_t parameters, size_t results) {
    TestModule module;
    module.types = {function_type(std::string(parameters, 'i'), std::string(results, 'd'))};
    return verdict(module);
  };
  EXPECT_EQ(with_type(kMaxParameters, kMaxResults), "valid");
  EXPECT_TRUE(begins(with_type(kMaxParameters + 1, 0), "limit: 1001 parameters"));
  EXPECT_TRUE(begins(with_type(0, kMaxResults + 1), "limit: 1001 results"));
}

TEST(decoder_limits, names) {
  const auto with_name = [](size_t length) {
    return verdict(kPreamble + custom_section(std::string(length, 'n'), {}));
  };
  EXPECT_EQ(with_name(kMaxNameBytes), "valid");
  EXPECT_TRUE(begins(with_name(kMaxNameBytes + 1), "limit: a name of 100001 bytes"));
}

TEST(decoder_limits, custom_sections) {
  const Bytes most = kPreamble + repeated(custom_section("", {}), kMaxCustomSections);
  EXPECT_EQ(verdict(most), "valid");
  EXPECT_TRUE(begins(verdict(most + custom_section("", {})), "limit: more than 1000000 custom"));
}

TEST(decoder_limits, imports_count_as_functions) {
  const Bytes import = name_bytes("") + name_bytes("") + Bytes{0x00, 0x00};
  const Bytes imports = section(SectionId::Import, leb(1) + import);
  const auto with_functions = [&](size_t count) {
    return verdict(kPreamble + section(SectionId::Type, list_of({function_type("", "")})) +
                   imports + section(SectionId::Function, leb(count) + Bytes(count)) +
                   section(SectionId::Code, leb(count) + repeated(function_body({}), count)));
  };
  EXPECT_EQ(with_functions(kMaxFunctions - 1), "valid");
  EXPECT_TRUE(begins(with_functions(kMaxFunctions), "limit: 1000001 functions"));
  EXPECT_TRUE(begins(with_functions(kMaxFunctions + 1), "limit: 1000001 functions"));
}

TEST(decoder_limits, function_bytes) {
  const auto with_size = [](size_t size) {
    return verdict(with_function("", "", Bytes(size - 2, 0x01)));
  };
  EXPECT_EQ(with_size(kMaxFunctionBytes), "valid");
  EXPECT_TRUE(begins(with_size(kMaxFunctionBytes + 1), "limit: a function of 7654322 bytes"));
}

// --- Damaged modules
// -------------------------------------------------------------------------------

// Where a cut leaves whole sections, the module may be valid or invalid; anywhere else it is
// malformed.
TEST(decoder_damage, every_truncation_has_a_verdict) {
  const Bytes seed = seed_module();
  std::vector<size_t> whole = {8};
  while (whole.back() < seed.size()) {
    size_t at = whole.back() + 1;
    uint32_t size = 0;
    for (int shift = 0;; shift += 7) {
      size |= static_cast<uint32_t>(seed[at] & 0x7F) << shift;
      if (seed[at++] < 0x80) break;
    }
    whole.push_back(at + size);
  }
  ASSERT_EQ(whole.back(), seed.size());
  for (size_t length = 0; length < seed.size(); length++) {
    const std::string found = verdict(Bytes(seed.begin(), seed.begin() + length));
    if (std::find(whole.begin(), whole.end(), length) == whole.end()) {
      EXPECT_TRUE(begins(found, "malformed: ")) << length;
    } else {
      EXPECT_FALSE(begins(found, "limit")) << length;
    }
  }
}

TEST(decoder_damage, every_byte_with_every_value_has_a_verdict) {
  const Bytes seed = seed_module();
  size_t valid = 0, malformed = 0, invalid = 0, limit = 0;
  for (size_t at = 0; at < seed.size(); at++) {
    for (uint32_t value = 0; value < 256; value++) {
      Bytes bytes = seed;
      bytes[at] = static_cast<uint8_t>(value);
      for (const FeatureSet features : {kWasm2, kEverything}) {
        const std::string found = verdict(bytes, features);
        valid += found == "valid";
        malformed += found.starts_with("malformed: ");
        invalid += found.starts_with("invalid: ");
        limit += found.starts_with("limit: ");
      }
    }
  }
  EXPECT_EQ(valid + malformed + invalid + limit, seed.size() * 256 * 2);
  EXPECT_GT(valid, 2 * seed.size());
  EXPECT_GT(malformed, 0u);
  EXPECT_GT(invalid, 0u);
}

// Under a smaller feature set, what is valid stays so under a larger one, and nothing turns
// malformed that was not.
TEST(decoder_damage, features_only_add) {
  const Bytes seed = seed_module();
  for (size_t at = 8; at < seed.size(); at++) {
    for (const uint8_t value : Bytes{0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      Bytes bytes = seed;
      bytes[at] = value;
      if (verdict(bytes, kWasm2) == "valid") {
        EXPECT_EQ(verdict(bytes), "valid") << at;
      }
    }
  }
  for (uint32_t bit = 0; bit < 9; bit++) {
    const FeatureSet fewer{kEverything.bits & ~(1u << bit)};
    const std::string found = verdict(seed, fewer);
    EXPECT_TRUE(found == "valid" || found.starts_with("malformed: ") ||
                found.starts_with("invalid: "));
  }
}

}  // namespace
}  // namespace qip
