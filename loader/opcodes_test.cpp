// The opcode table against facts that do not come from it.
#include "loader/opcodes.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

namespace qip {
namespace {

constexpr const char* kIdentifiers[] = {
#define OP(Name, identifier, text, prefix, code, immediate, signature, kind, feature) #identifier,
#include "loader/opcodes.def"
#undef OP
};
constexpr const char* kNames[] = {
#define OP(Name, identifier, text, prefix, code, immediate, signature, kind, feature) #Name,
#include "loader/opcodes.def"
#undef OP
};

std::string with_underscores(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c == '.') c = '_';
  }
  return result;
}

std::string capitalised(std::string_view identifier) {
  std::string result;
  bool start = true;
  for (const char c : identifier) {
    if (c == '_') {
      start = true;
      continue;
    }
    result += start ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    start = false;
  }
  return result;
}

// Counted in the specification's index of instructions.
TEST(opcodes, every_page_is_complete) {
  size_t plain = 0, fc = 0, fd = 0;
  for (const OpcodeInfo& info : kOpcodeInfos) {
    plain += info.prefix == 0;
    fc += info.prefix == 0xFC;
    fd += info.prefix == 0xFD;
  }
  // Control 13, parametric 3, variables and tables 7, memory 25, constants 4, numeric 128 (0x45 to
  // 0xC4 without a hole), references 3.
  EXPECT_EQ(plain, 13u + 3u + 7u + 25u + 4u + 128u + 3u);
  EXPECT_EQ(fc, 18u);
  EXPECT_EQ(fd, 236u);
  EXPECT_EQ(plain + fc + fd, kOpcodeCount);
}

TEST(opcodes, codes_are_unique_and_found_again) {
  std::set<std::pair<int, int>> codes;
  for (size_t i = 0; i < kOpcodeCount; i++) {
    const OpcodeInfo& info = kOpcodeInfos[i];
    EXPECT_TRUE(codes.insert({info.prefix, info.code}).second) << info.text;
    EXPECT_EQ(opcode_at(info.prefix, info.code), static_cast<Opcode>(i)) << info.text;
  }
  size_t found = 0;
  for (const int prefix : {0x00, 0xFC, 0xFD}) {
    for (uint32_t code = 0; code < 256; code++) {
      found += opcode_at(static_cast<uint8_t>(prefix), code) != kNoOpcode;
    }
  }
  EXPECT_EQ(found, kOpcodeCount);
}

TEST(opcodes, codes_beyond_a_page_are_holes) {
  for (const uint32_t code : {0x100u, 0x106u, 0x10Cu, 0x8000u, 0xFFFFFFFFu}) {
    EXPECT_EQ(opcode_at(0x00, code), kNoOpcode);
    EXPECT_EQ(opcode_at(0xFC, code), kNoOpcode);
    EXPECT_EQ(opcode_at(0xFD, code), kNoOpcode);
  }
  EXPECT_EQ(opcode_at(0xFE, 0), kNoOpcode);
  EXPECT_EQ(opcode_at(0xFB, 0), kNoOpcode);
}

TEST(opcodes, identifier_and_name_follow_from_the_text) {
  for (size_t i = 0; i < kOpcodeCount; i++) {
    const std::string_view text = kOpcodeInfos[i].text;
    const std::string suffix = static_cast<Opcode>(i) == Opcode::SelectTyped ? "_typed" : "";
    EXPECT_EQ(kIdentifiers[i], with_underscores(text) + suffix);
    EXPECT_EQ(kNames[i], capitalised(kIdentifiers[i]));
  }
}

// The text says most of the signature: i32.wrap_i64 takes an i64 and gives an i32.
TEST(opcodes, signature_agrees_with_the_text) {
  const auto letter = [](std::string_view type) {
    return type == "i32" ? 'i' : type == "i64" ? 'l' : type == "f32" ? 'f' : 'd';
  };
  const std::set<std::string_view> compares = {"eqz",  "eq",   "ne",   "lt_s", "lt_u",
                                               "gt_s", "gt_u", "le_s", "le_u", "ge_s",
                                               "ge_u", "lt",   "gt",   "le",   "ge"};
  for (const OpcodeInfo& info : kOpcodeInfos) {
    if (info.kind != OpcodeKind::Simple || info.prefix == 0xFD) continue;
    const std::string_view type = info.text.substr(0, 3);
    const std::string_view operation = info.text.substr(4);
    EXPECT_EQ(info.result(), compares.count(operation) != 0 ? 'i' : letter(type)) << info.text;
    char operand = letter(type);
    for (const std::string_view other : {"_i32", "_i64", "_f32", "_f64"}) {
      if (operation.find(other) != std::string_view::npos) operand = letter(other.substr(1));
    }
    for (size_t i = 0; i < info.operand_count(); i++) {
      EXPECT_EQ(info.operand(i), operand) << info.text;
    }
  }
}

TEST(opcodes, every_signature_is_letters_colon_letter) {
  for (const OpcodeInfo& info : kOpcodeInfos) {
    if (info.kind == OpcodeKind::Special) {
      EXPECT_TRUE(info.signature.empty()) << info.text;
      continue;
    }
    EXPECT_NE(info.signature.find(':'), std::string_view::npos) << info.text;
    EXPECT_EQ(info.signature.find_first_not_of("ilfdv:"), std::string_view::npos) << info.text;
    EXPECT_GE(info.operand_count(), 1u) << info.text;
    EXPECT_LE(info.operand_count(), 3u) << info.text;
    EXPECT_LE(info.signature.size(), info.operand_count() + 2) << info.text;
    const bool stores = info.kind == OpcodeKind::Store || info.kind == OpcodeKind::StoreLane;
    EXPECT_EQ(info.has_result(), !stores) << info.text;
  }
}

// A load or store names its width in the text; without a width it is that of its type.
TEST(opcodes, natural_alignment_is_the_accessed_width) {
  for (const OpcodeInfo& info : kOpcodeInfos) {
    if (!is_memory_argument(info.immediate)) continue;
    const size_t access = info.text.find("load") != std::string_view::npos
                              ? info.text.find("load") + 4
                              : info.text.find("store") + 5;
    unsigned bits = 0;
    size_t i = access;
    for (; i < info.text.size() && std::isdigit(info.text[i]) != 0; i++) {
      bits = bits * 10 + static_cast<unsigned>(info.text[i] - '0');
    }
    if (i < info.text.size() && info.text[i] == 'x') {
      bits *= static_cast<unsigned>(info.text[i + 1] - '0');
    }
    if (bits == 0) bits = info.text.starts_with("v128") ? 128 : info.text[1] == '3' ? 32 : 64;
    EXPECT_EQ(8u << natural_alignment(info.immediate), bits) << info.text;
    if (has_lane(info.immediate)) {
      EXPECT_EQ(lane_count(info.immediate), 128 / bits) << info.text;
    }
  }
}

TEST(opcodes, lane_count_is_that_of_the_shape) {
  for (const OpcodeInfo& info : kOpcodeInfos) {
    if (info.kind != OpcodeKind::Lane) continue;
    const std::string_view shape = info.text.substr(0, info.text.find('.'));
    const std::string_view lanes = shape.substr(shape.find('x') + 1);
    EXPECT_EQ(std::to_string(lane_count(info.immediate)), lanes) << info.text;
  }
}

TEST(opcodes, feature_follows_from_the_page) {
  for (const OpcodeInfo& info : kOpcodeInfos) {
    EXPECT_EQ(info.feature == Feature::Simd, info.prefix == 0xFD) << info.text;
    EXPECT_EQ(info.feature == Feature::SaturatingConversion,
              info.text.find("trunc_sat") != std::string_view::npos && info.prefix == 0xFC)
        << info.text;
    EXPECT_EQ(info.feature == Feature::SignExtension,
              info.prefix == 0 && info.code >= 0xC0 && info.code <= 0xC4)
        << info.text;
  }
}

}  // namespace
}  // namespace qip
