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
inline constexpr Places kHotIntegers = (QIP_HOT_INTEGERS > 0 ? place(Kind::Register0) : 0) |
                                       (QIP_HOT_INTEGERS > 1 ? place(Kind::Register1) : 0);
inline constexpr Places kHotFloats = (QIP_HOT_FLOATS > 0 ? place(Kind::Register0) : 0) |
                                     (QIP_HOT_FLOATS > 1 ? place(Kind::Register1) : 0);
inline constexpr Places N = 0;
inline constexpr Places I = place(Kind::Immediate);
inline constexpr Places S = place(Kind::Slot), SI = S | I;
inline constexpr Places SA = S | place(Kind::Accumulator), SAI = SA | I;
inline constexpr Places L = S | kHotIntegers, LI = L | I;
inline constexpr Places V = SA | kHotIntegers, VI = V | I;
inline constexpr Places FS = S | kFloatFile, FSI = FS | I;
inline constexpr Places W = SA | kFloatFile, WI = W | I;
inline constexpr Places FL = FS | kHotFloats, FLI = FL | I;
inline constexpr Places F = W | kHotFloats, FI = F | I;
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
// None for an operation that is never executed as such.
constexpr unsigned table_entry_count(const CodeOpInfo& info) {
  return info.form == Form::None ? 0 : handler_count(info);
}

namespace code_op_tables {

// The places of an operand that may be an integer or a float. Vectors make do with slots and the
// accumulator.
struct PlaceChoice {
  Places integers = 0, floats = 0;
};
inline constexpr PlaceChoice kAnywhere = {places::V, places::F};
inline constexpr PlaceChoice kAnywhereOrConstant = {places::VI, places::FI};
inline constexpr PlaceChoice kTemporary = {places::SA, places::W};
inline constexpr PlaceChoice kTemporaryOrConstant = {places::SAI, places::WI};
inline constexpr PlaceChoice kSlotOrConstant = {places::SI, places::FSI};
inline constexpr PlaceChoice kLocalOrConstant = {places::LI, places::FLI};

constexpr Places choose(char letter, PlaceChoice choice) {
  if (letter == 'v') return places::W;
  return letter == 'i' || letter == 'l' ? choice.integers : choice.floats;
}

struct BinaryPlaces {
  PlaceChoice d, a, b;
};
// What loops are made of gets the whole product of places, the rest what compilers' output needs
// often enough to be worth the handlers. The reasons in common: results of comparisons are used at
// once; the distance of a rotation is a constant; a division outweighs a move.
constexpr BinaryPlaces binary_places(const OpcodeInfo& info) {
  if (info.prefix != 0) return {kTemporary, kTemporary, kTemporary};
  const uint8_t code = info.code;
  if (code >= 0x46 && code <= 0x4F) {  // comparisons of i32
    return {kTemporary, kAnywhere, kAnywhereOrConstant};
  }
  if (code >= 0x51 && code <= 0x5A) {  // of i64
    return {kTemporary, kAnywhere, kLocalOrConstant};
  }
  if (code >= 0x5B && code <= 0x66) {  // of f32, f64
    return {kTemporary, kAnywhere, kSlotOrConstant};
  }
  switch (code) {
    case 0x6D:  // div, rem
    case 0x6E:
    case 0x6F:
    case 0x70:
    case 0x7F:
    case 0x80:
    case 0x81:
    case 0x82:
      return {kTemporary, kTemporary, kTemporaryOrConstant};
    case 0x77:  // rotl, rotr
    case 0x78:
    case 0x89:
    case 0x8A:
      return {kAnywhere, kAnywhere, kSlotOrConstant};
    case 0x93:  // float sub: compilers add the negated constant
    case 0xA1:
      return {kAnywhere, kAnywhere, kAnywhere};
    case 0x95:  // float div
    case 0xA3:
      return {kTemporary, kAnywhere, kAnywhereOrConstant};
    case 0x96:  // min, max, copysign
    case 0x97:
    case 0x98:
    case 0xA4:
    case 0xA5:
    case 0xA6:
      return {kTemporary, kTemporary, kTemporary};
    default:
      return {kAnywhere, kAnywhere, kAnywhereOrConstant};
  }
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
  BinaryPlaces choice = {kTemporary, kTemporary, kTemporary};
  if (operands == 1 && is_hot_unary(info)) choice = {kAnywhere, kAnywhere, kAnywhere};
  if (operands == 2) choice = binary_places(info);
  result.d = choose(info.result(), is_comparison(info) ? kTemporary : choice.d);
  result.a = choose(info.operand(0), choice.a);
  if (operands > 1) result.b = choose(info.operand(1), choice.b);
  if (operands > 2) result.c = choose(info.operand(2), kTemporary);
  if (info.kind == OpcodeKind::Lane) {
    result.form = Form::Lane;
  } else if (info.kind == OpcodeKind::Shuffle) {
    result.form = Form::Shuffle;
  } else if (operands == 1) {
    result.form = Form::Unary;
  } else if (operands == 2) {
    result.form = Form::Binary;
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
#define FLOAT_COMPARE_BRANCH(name, ...)                                  \
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
// Entries in a part's table: the handlers of its operations in the order of the places
// (vm/handlers.hpp).
constexpr size_t part_handler_count(size_t part) {
  size_t count = 0;
  const size_t end = part_begin(part + 1);
  for (size_t i = part_begin(part); i < end; i++) {
    count += table_entry_count(kCodeOpInfoTable[i]);
  }
  return count;
}
// Each entry is the distance from itself to the handler, in bytes; 0: no handler.
template <size_t part>
const int32_t* handler_part();

// Null if there is no handler for these places.
Handler find_handler(CodeOp op, Kind d, Kind a, Kind b, Kind c);
// "I32Add", "BranchIfI32Eq", ...: for the disassembly in tests.
const char* code_op_name(CodeOp op);

}  // namespace qip
