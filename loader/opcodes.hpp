// Opcode, OpcodeInfo and the look-ups between them: everything expanded from opcodes.def.
//
// Promises: constant data only, no initialisation at run time. opcode_at() answers kNoOpcode for
// every hole, and for every prefix other than 0 (none), 0xFC and 0xFD.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "loader/features.hpp"

namespace qip {

enum class Opcode : uint16_t {
#define OP(Name, identifier, text, prefix, code, immediate, signature, kind, feature) Name,
#include "loader/opcodes.def"
#undef OP
};

inline constexpr size_t kOpcodeCount = 0
#define OP(...) +1
#include "loader/opcodes.def"
#undef OP
    ;
inline constexpr Opcode kNoOpcode = static_cast<Opcode>(0xFFFF);

// What follows the opcode in the code. The number of a MemArg is the base-2 logarithm of the
// natural alignment, that of a Lane the number of lanes.
enum class Immediate : uint8_t {
  None,
  BlockType,
  Label,
  LabelTable,
  Function,
  CallIndirect,  // type, table
  SelectTypes,
  Local,
  Global,
  Table,
  TableInit,  // element segment, table
  TableCopy,  // destination table, source table
  Element,
  Data,
  Memory,      // one zero byte
  MemoryInit,  // data segment, one zero byte
  MemoryCopy,  // two zero bytes
  ReferenceType,
  I32,
  I64,
  F32,
  F64,
  V128,
  Shuffle,  // 16 lane bytes
  MemArg0,
  MemArg1,
  MemArg2,
  MemArg3,
  MemArg4,
  MemArgLane0,  // a memory argument, then a lane byte
  MemArgLane1,
  MemArgLane2,
  MemArgLane3,
  Lane2,
  Lane4,
  Lane8,
  Lane16,
};

enum class OpcodeKind : uint8_t {
  Special,    // typing or meaning of its own
  Simple,     // a pure function of its operands: vm/semantics.hpp, vm/simd.hpp
  Load,       // address in, value out
  Store,      // address and value in
  Lane,       // pure, with a lane immediate
  Shuffle,    // pure, with 16 lane immediates
  LoadLane,   // address and vector in, vector out
  StoreLane,  // address and vector in
};

struct OpcodeInfo {
  std::string_view text;
  uint8_t prefix = 0;
  uint8_t code = 0;
  Immediate immediate = Immediate::None;
  std::string_view signature;  // operand letters, a colon, result letters; empty for Special
  OpcodeKind kind = OpcodeKind::Special;
  Feature feature = Feature::Core;

  constexpr size_t operand_count() const {
    const size_t colon = signature.find(':');
    return colon == std::string_view::npos ? 0 : colon;
  }
  constexpr bool has_result() const {
    return !signature.empty() && operand_count() + 1 < signature.size();
  }
  constexpr char operand(size_t index) const { return signature[index]; }
  constexpr char result() const { return signature[operand_count() + 1]; }
};

inline constexpr std::array<OpcodeInfo, kOpcodeCount> kOpcodeInfos = {{
#define OP(Name, identifier, text, prefix, code, immediate, signature, kind, feature) \
  {text, prefix, code, Immediate::immediate, signature, OpcodeKind::kind, Feature::feature},
#include "loader/opcodes.def"
#undef OP
}};

constexpr const OpcodeInfo& opcode_info(Opcode opcode) {
  return kOpcodeInfos[static_cast<size_t>(opcode)];
}

namespace opcode_tables {
constexpr std::array<Opcode, 256> page(uint8_t prefix) {
  std::array<Opcode, 256> result{};
  for (Opcode& opcode : result) opcode = kNoOpcode;
  for (size_t i = 0; i < kOpcodeCount; i++) {
    if (kOpcodeInfos[i].prefix == prefix) result[kOpcodeInfos[i].code] = static_cast<Opcode>(i);
  }
  return result;
}
inline constexpr std::array<Opcode, 256> kPlain = page(0);
inline constexpr std::array<Opcode, 256> kPrefixFC = page(0xFC);
inline constexpr std::array<Opcode, 256> kPrefixFD = page(0xFD);
}  // namespace opcode_tables

// The opcode of a code behind a prefix (0: no prefix), or kNoOpcode.
constexpr Opcode opcode_at(uint8_t prefix, uint32_t code) {
  if (code > 0xFF) return kNoOpcode;
  if (prefix == 0) return opcode_tables::kPlain[code];
  if (prefix == 0xFC) return opcode_tables::kPrefixFC[code];
  if (prefix == 0xFD) return opcode_tables::kPrefixFD[code];
  return kNoOpcode;
}

constexpr bool is_memory_argument(Immediate immediate) {
  return immediate >= Immediate::MemArg0 && immediate <= Immediate::MemArgLane3;
}
constexpr bool has_lane(Immediate immediate) {
  return immediate >= Immediate::MemArgLane0;
}
// Base-2 logarithm of the natural alignment. Precondition: is_memory_argument(immediate).
constexpr uint32_t natural_alignment(Immediate immediate) {
  return immediate >= Immediate::MemArgLane0
             ? static_cast<uint32_t>(immediate) - static_cast<uint32_t>(Immediate::MemArgLane0)
             : static_cast<uint32_t>(immediate) - static_cast<uint32_t>(Immediate::MemArg0);
}
// How many lanes the lane immediate may name. Precondition: has_lane(immediate).
constexpr uint32_t lane_count(Immediate immediate) {
  if (immediate <= Immediate::MemArgLane3) return 16u >> natural_alignment(immediate);
  return 2u << (static_cast<uint32_t>(immediate) - static_cast<uint32_t>(Immediate::Lane2));
}

}  // namespace qip
