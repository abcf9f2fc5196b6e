// The name section, and the words of messages.
#include <gtest/gtest.h>

#include "loader/test_modules.hpp"

namespace qip {
namespace {

NameSection names_of(const Bytes& contents) {
  const auto module = decode(kPreamble + custom_section("name", contents));
  EXPECT_TRUE(module.ok());
  return read_names(module.value());
}
Bytes subsection(uint8_t id, const Bytes& contents) {
  return Bytes{id} + sized(contents);
}
Bytes function_names(const std::vector<std::pair<uint32_t, std::string>>& names) {
  std::vector<Bytes> items;
  for (const auto& [index, name] : names) items.push_back(leb(index) + name_bytes(name));
  return subsection(1, list_of(items));
}

TEST(names, module_and_functions) {
  const NameSection names =
      names_of(subsection(0, name_bytes("m")) + function_names({{0, "zero"}, {300, "far"}}));
  EXPECT_EQ(names.module_name, "m");
  EXPECT_EQ(names.function_name(0), "zero");
  EXPECT_EQ(names.function_name(300), "far");
  EXPECT_EQ(names.function_name(1), "");
  EXPECT_EQ(names.function_name(301), "");
}

TEST(names, no_section_gives_no_names) {
  const auto module = decode(kPreamble);
  const NameSection names = read_names(module.value());
  EXPECT_EQ(names.module_name, "");
  EXPECT_EQ(names.function_name(0), "");
}

TEST(names, unknown_subsections_are_skipped) {
  const NameSection names = names_of(subsection(2, {1, 2, 3}) + function_names({{4, "four"}}));
  EXPECT_EQ(names.function_name(4), "four");
}

TEST(names, functions_out_of_order_are_found) {
  const NameSection names = names_of(function_names({{9, "nine"}, {2, "two"}, {5, "five"}}));
  EXPECT_EQ(names.function_name(2), "two");
  EXPECT_EQ(names.function_name(5), "five");
  EXPECT_EQ(names.function_name(9), "nine");
}

TEST(names, broken_section_keeps_what_came_before) {
  const Bytes good = subsection(0, name_bytes("m")) + function_names({{0, "zero"}});
  for (const Bytes& broken :
       {Bytes{0x01}, Bytes{0x01, 0x05}, Bytes{0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F},
        subsection(1, leb(0xFFFFFFFF)), subsection(1, {0x01, 0x01, 0x05, 'a'}),
        function_names({{1, "\xFF"}})}) {
    const NameSection names = names_of(good + broken);
    EXPECT_EQ(names.module_name, "m");
    EXPECT_EQ(names.function_name(0), "zero");
    EXPECT_EQ(names.function_name(1), "");
  }
}

TEST(text, quoted_names_are_printable_and_short) {
  EXPECT_EQ(qip::quoted("plain"), "\"plain\"");
  EXPECT_EQ(qip::quoted(""), "\"\"");
  EXPECT_EQ(qip::quoted("a\"b\\c"), "\"a\\22b\\5cc\"");
  EXPECT_EQ(qip::quoted(std::string_view("\0\n\x1b[31m\x7f", 8)), "\"\\00\\0a\\1b[31m\\7f\"");
  EXPECT_EQ(qip::quoted("\xc2\x85 \xc2\xa9 \xc3\xa9"), "\"\\c2\\85 \xc2\xa9 \xc3\xa9\"");
  EXPECT_EQ(qip::quoted(std::string(80, 'x')), "\"" + std::string(80, 'x') + "\"");
  EXPECT_EQ(qip::quoted(std::string(81, 'x')), "\"" + std::string(80, 'x') + "...\"");
  // Not cut inside a character.
  EXPECT_EQ(qip::quoted(std::string(79, 'x') + "\xc3\xa9"), "\"" + std::string(79, 'x') + "...\"");
}

TEST(text, errors_are_one_line) {
  EXPECT_EQ(describe({LoadErrorClass::Malformed, 17, "unexpected end"}),
            "malformed module at byte 17: unexpected end");
  EXPECT_EQ(describe({LoadErrorClass::Invalid, 0, "type mismatch"}),
            "invalid module at byte 0: type mismatch");
  EXPECT_EQ(describe({LoadErrorClass::Limit, 3, "too many locals"}),
            "module beyond a limit at byte 3: too many locals");
}

TEST(text, types_by_their_names) {
  EXPECT_EQ(func_type_text({{ValueType::I32, ValueType::V128}, {ValueType::ExternRef}}),
            "(i32, v128) -> (externref)");
  EXPECT_EQ(func_type_text({}), "() -> ()");
}

}  // namespace
}  // namespace qip
