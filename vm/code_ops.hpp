// CodeOp: the operations of the interpreter, as one enumeration: every plain opcode under its own
// number, then the rows of code_ops.def. For each: how its cell is laid out, which places its
// operands may have, and the table of its handlers.
//
// Handlers exist for the product of the places that an operation's row names. find_handler() gives
// null for a combination that does not exist; the emitter then moves operands to slots, for which
// every operation has a handler unless its row wants a constant (code_ops_test.cpp proves it).
#pragma once

#include <array>
#include <cstdint>

#include "loader/opcodes.hpp"
#include "vm/registers.hpp"

namespace qip {

enum class CodeOp : uint16_t {
  kLastOpcode = kOpcodeCount - 1,
#define CODE_OP(Name, Form, D, A, B, C, ...) Name,
#include "vm/code_ops.def"
#undef CODE_OP
  kCount,
};

inline constexpr size_t kCodeOpCount = static_cast<size_t>(CodeOp::kCount);

constexpr CodeOp code_op(Opcode opcode) {
  return static_cast<CodeOp>(opcode);
}
constexpr bool is_plain(CodeOp op) {
  return op <= CodeOp::kLastOpcode;
}

// How a cell is laid out. The letters are fields of the cell (vm/registers.hpp); "+24" a word
// there.
enum class Form : uint8_t {
  None,            // not executed as such: has a row of its own under another name
  Plain,           //
  Unary,           // d:D a:A
  Binary,          // d:D a:A b:B, f64 immediate +16
  Ternary,         // d:D a:A b:B c:C
  Lane,            // d:D a:A b:B lane:C
  Shuffle,         // d:D a:A b:B lanes +16..+31
  Move,            // d:D a:A
  Constant,        // d:D bits:B
  Constant64,      // d:D bits +16
  Constant128,     // d:D bits +16..+31
  MoveTwo,         // d:D a:A c:B low half, b:B high half
  AddTwo,          // d:D a:A immediates B, C
  CompareBranch,   // a:A b:D or immediate C (f64 +16), target:B
  AddBranch,       // a:A b:C c:E target:B
  StoreAddBranch,  // a:A b:C c:E target:B offset +24 value +28
  MoveBranch,      // d:D a:A target:B
  ConstBranch,     // d:D bits:C target:B
  AddJump,         // d:D b:C target:B
  Jump,            // target:B
  BranchTable,     // a:A count:B immediate:C, targets from +24, 4 bytes each
  Load,            // d:D a:A offset:B
  LoadIndexed,     // d:D a:A offset:B b:C
  LoadScaled,      // d:D a:A offset:B b:C shift:E
  LoadTable,       // d:D a:A offset:B b:C mask:E shift +24
  LoadOp,          // d:D a:A offset:B b:C immediate:E
  Store,           // c:D or immediate C, a:A offset:B
  StoreIndexed,    // c:D a:A offset:B b:C
  StoreScaled,     // c:D a:A offset:B b:C shift:E
  Modify,          // c:D or immediate E, a:A offset:B immediate:C
  PairImmediate,   // d:D a:A b:B immediate:C
  GlobalGet,       // d:D offset:B
  GlobalSet,       // a:A offset:B
  MemorySize,      // d:D
  ReturnValue,     // a:A or immediate B
  ReturnBinary,    // a:A b:B
  Call,            // delta:B cleared:D entry +16 frame +24
  CallIndirect,    // a:A delta:B type:C table:E
  Clear,           // from:A slots:B
  Slow,            // d:D a:A b:B c:C e:E word +24
};

// Sets of Kind, one bit each; kFloatFile marks operands in the float and vector registers.
using Places = uint8_t;
inline constexpr Places kFloatFile = 0x80;
inline constexpr Places kAllKinds = 0x1F;
constexpr Places place(Kind kind) {
  return static_cast<Places>(1u << static_cast<unsigned>(kind));
}

namespace places {
inline constexpr Places N = 0;
inline constexpr Places I = place(Kind::Immediate);
inline constexpr Places S = place(Kind::Slot);
inline constexpr Places SA = S | place(Kind::Accumulator);
inline constexpr Places SAI = SA | place(Kind::Immediate);
inline constexpr Places kHotIntegers = (QIP_HOT_INTEGERS > 0 ? place(Kind::Register0) : 0) |
                                       (QIP_HOT_INTEGERS > 1 ? place(Kind::Register1) : 0);
inline constexpr Places kHotFloats = (QIP_HOT_FLOATS > 0 ? place(Kind::Register0) : 0) |
                                     (QIP_HOT_FLOATS > 1 ? place(Kind::Register1) : 0);
inline constexpr Places V = SA | kHotIntegers;
inline constexpr Places VI = V | place(Kind::Immediate);
inline constexpr Places L = S | kHotIntegers;
inline constexpr Places LI = L | place(Kind::Immediate);
inline constexpr Places F = SA | kHotFloats | kFloatFile;
inline constexpr Places FI = F | place(Kind::Immediate);
inline constexpr Places FL = S | kHotFloats | kFloatFile;
inline constexpr Places W = SA | kFloatFile;
inline constexpr Places WS = S | kFloatFile;
}  // namespace places

struct CodeOpInfo {
  Form form = Form::None;
  Places d = 0, a = 0, b = 0, c = 0;
  bool wide_immediate = false;  // an immediate operand is a double: a word at +16
};

// Immediate operands that need 8 more bytes than the form has by itself.
constexpr uint32_t cell_bytes(const CodeOpInfo& info, Kind a, Kind b, Kind c) {
  switch (info.form) {
    case Form::Binary:
      return info.wide_immediate && b == Kind::Immediate ? 24 : 16;
    case Form::CompareBranch:
      return b == Kind::Immediate ? 24 : 16;
    case Form::Store:
      return c == Kind::Immediate ? 24 : 16;
    case Form::Ternary:
    case Form::Lane:
    case Form::Constant64:
    case Form::AddTwo:
    case Form::AddBranch:
    case Form::MoveBranch:
    case Form::ConstBranch:
    case Form::AddJump:
    case Form::BranchTable:  // without its targets
    case Form::LoadIndexed:
    case Form::LoadScaled:
    case Form::LoadOp:
    case Form::StoreIndexed:
    case Form::StoreScaled:
    case Form::Modify:
    case Form::PairImmediate:
    case Form::CallIndirect:
      return 24;
    case Form::Shuffle:
    case Form::Constant128:
    case Form::LoadTable:
    case Form::StoreAddBranch:
    case Form::Call:
    case Form::Slow:
      return 32;
    default:
      (void)a;
      return 16;
  }
}

constexpr unsigned place_count(Places set) {
  unsigned count = 0;
  for (unsigned bits = set & kAllKinds; bits != 0; bits &= bits - 1) count++;
  return count;
}
// The kind that is the `position`-th member of the set; Slot for an empty set.
constexpr Kind place_at(Places set, unsigned position) {
  for (unsigned kind = 0; kind < 5; kind++) {
    if ((set >> kind & 1) == 0) continue;
    if (position == 0) return static_cast<Kind>(kind);
    position--;
  }
  return Kind::Slot;
}
constexpr unsigned position_of(Places set, Kind kind) {
  return place_count(static_cast<Places>(set & (place(kind) - 1)));
}
constexpr bool contains(Places set, Kind kind) {
  return (set & place(kind)) != 0;
}

// An operand that the operation does not have counts as one position.
constexpr unsigned positions(Places set) {
  return set == 0 ? 1 : place_count(set);
}
constexpr unsigned handler_count(const CodeOpInfo& info) {
  return positions(info.d) * positions(info.a) * positions(info.b) * positions(info.c);
}

namespace code_op_tables {

constexpr Places float_places(char letter, Places integers, Places floats) {
  return letter == 'i' || letter == 'l' ? integers : letter == 'v' ? places::W : floats;
}

// Which operations get the whole product of places: what loops are made of. Division, remainder,
// copysign, rarer conversions and every vector operation make do with slots and accumulators.
constexpr bool is_hot_binary(const OpcodeInfo& info) {
  if (info.prefix != 0) return false;
  const uint8_t code = info.code;
  const bool division = (code >= 0x6D && code <= 0x70) || (code >= 0x7F && code <= 0x82);
  const bool copysign = code == 0x98 || code == 0xA6;
  return !division && !copysign;
}
constexpr bool is_hot_unary(const OpcodeInfo& info) {
  if (info.prefix != 0) return false;
  switch (info.code) {
    case 0x45:  // eqz
    case 0x50:
    case 0x8B:  // abs, neg, sqrt
    case 0x8C:
    case 0x91:
    case 0x99:
    case 0x9A:
    case 0x9F:
    case 0xA7:  // wrap, i32.trunc, extend
    case 0xA8:
    case 0xA9:
    case 0xAA:
    case 0xAB:
    case 0xAC:
    case 0xAD:
    case 0xB2:  // convert_i32, demote, promote
    case 0xB3:
    case 0xB6:
    case 0xB7:
    case 0xB8:
    case 0xBB:
      return true;
    default:
      return false;
  }
}
constexpr bool is_comparison(const OpcodeInfo& info) {
  return info.prefix == 0 && info.code >= 0x45 && info.code <= 0x66;
}

constexpr CodeOpInfo plain(const OpcodeInfo& info) {
  CodeOpInfo result;
  if (info.kind == OpcodeKind::Special || info.kind == OpcodeKind::Load ||
      info.kind == OpcodeKind::Store || info.kind == OpcodeKind::LoadLane ||
      info.kind == OpcodeKind::StoreLane) {
    return result;
  }
  const size_t operands = info.operand_count();
  const bool vector = info.prefix == 0xFD;
  const bool hot = operands == 1 ? is_hot_unary(info) : is_hot_binary(info);
  const Places integers = hot ? places::V : places::SA;
  const Places floats = hot ? places::F : places::W;
  result.d = float_places(info.result(), is_comparison(info) ? places::SA : integers, floats);
  result.a = float_places(info.operand(0), integers, floats);
  if (operands > 1) result.b = float_places(info.operand(1), integers, floats);
  if (operands > 2) result.c = float_places(info.operand(2), integers, floats);
  if (info.kind == OpcodeKind::Lane) {
    result.form = Form::Lane;
  } else if (info.kind == OpcodeKind::Shuffle) {
    result.form = Form::Shuffle;
  } else if (operands == 1) {
    result.form = Form::Unary;
  } else if (operands == 2) {
    result.form = Form::Binary;
    if (!vector) result.b |= place(Kind::Immediate);
    result.wide_immediate = info.operand(1) == 'd';
  } else {
    result.form = Form::Ternary;
  }
  return result;
}

constexpr std::array<CodeOpInfo, kCodeOpCount> make() {
  std::array<CodeOpInfo, kCodeOpCount> table{};
  for (size_t i = 0; i < kOpcodeCount; i++) table[i] = plain(kOpcodeInfos[i]);
  using namespace places;
#define CODE_OP(Name, Form_, D, A, B, C, ...) \
  table[static_cast<size_t>(CodeOp::Name)] = {Form::Form_, D, A, B, C, false};
#include "vm/code_ops.def"
#undef CODE_OP
#define CODE_OP(...)
#define FLOAT_COMPARE_BRANCH(name)                                       \
  table[static_cast<size_t>(CodeOp::BranchIf##name)].wide_immediate =    \
      opcode_info(Opcode::name).operand(1) == 'd';                       \
  table[static_cast<size_t>(CodeOp::BranchIfNot##name)].wide_immediate = \
      opcode_info(Opcode::name).operand(1) == 'd';
#define SELECT_COMPARE(name, D_, A_, B_)                                 \
  table[static_cast<size_t>(CodeOp::SelectIf##name)].wide_immediate =    \
      opcode_info(Opcode::name).operand(1) == 'd';                       \
  table[static_cast<size_t>(CodeOp::SelectIfNot##name)].wide_immediate = \
      opcode_info(Opcode::name).operand(1) == 'd';
#include "vm/code_ops.def"
#undef CODE_OP
  return table;
}

}  // namespace code_op_tables

inline constexpr std::array<CodeOpInfo, kCodeOpCount> kCodeOpInfoTable = code_op_tables::make();
constexpr const CodeOpInfo& code_op_info(CodeOp op) {
  return kCodeOpInfoTable[static_cast<size_t>(op)];
}

// The handlers are spread over this many translation units, by their number.
inline constexpr size_t kHandlerPartCount = 16;

// First operation of a part.
constexpr size_t part_begin(size_t part) {
  size_t total = 0;
  for (const CodeOpInfo& info : kCodeOpInfoTable) total += handler_count(info);
  size_t sum = 0;
  for (size_t i = 0; i < kCodeOpCount; i++) {
    if (sum * kHandlerPartCount >= part * total) return i;
    sum += handler_count(kCodeOpInfoTable[i]);
  }
  return kCodeOpCount;
}
// Per operation of the part, its handlers in the order of the places (vm/handlers.hpp).
template <size_t part>
const Handler* const* handler_part();

// Null if there is no handler for these places.
Handler find_handler(CodeOp op, Kind d, Kind a, Kind b, Kind c);
// "I32Add", "BranchIfI32Eq", ...: for the disassembly in tests.
const char* code_op_name(CodeOp op);

}  // namespace qip
