#include "loader/function_validator.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "loader/impl_limits.hpp"

namespace qip {
namespace {

constexpr OperandType kI32 = operand_type(ValueType::I32);
constexpr OperandType kFuncRef = operand_type(ValueType::FuncRef);

constexpr bool is_reference_operand(OperandType type) {
  return is_reference(static_cast<ValueType>(type));
}

const char* operand_text(OperandType type) {
  return type == kUnknown ? "any type" : value_type_text(static_cast<ValueType>(type));
}

// What the loop needs of an OpcodeInfo, in 8 bytes.
struct Signature {
  std::array<OperandType, 3> operands{};
  uint8_t operand_count = 0;
  OperandType result = kUnknown;  // kUnknown: none
  OpcodeKind kind = OpcodeKind::Special;
  Immediate immediate = Immediate::None;
};
constexpr std::array<Signature, kOpcodeCount> kSignatures = [] {
  std::array<Signature, kOpcodeCount> table{};
  for (size_t i = 0; i < kOpcodeCount; i++) {
    const OpcodeInfo& info = kOpcodeInfos[i];
    table[i].operand_count = static_cast<uint8_t>(info.operand_count());
    for (size_t k = 0; k < info.operand_count(); k++) {
      table[i].operands[k] = operand_type_of_letter(info.operand(k));
    }
    if (info.has_result()) table[i].result = operand_type_of_letter(info.result());
    table[i].kind = info.kind;
    table[i].immediate = info.immediate;
  }
  return table;
}();

// Frames keep their block type in 32 bits: a type index (below kMaxTypes), or the encoded byte of a
// single result or of none above this number.
constexpr uint32_t kSingleByteType = 0xFFFFFF00;
constexpr uint8_t kNoResultByte = 0x40;
static_assert(kMaxTypes < kSingleByteType);

// kBytes[n] = n, so that a single type is a list of types too.
constexpr std::array<OperandType, 128> kBytes = [] {
  std::array<OperandType, 128> bytes{};
  for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<OperandType>(i);
  return bytes;
}();

}  // namespace

// --- Errors --------------------------------------------------------------------------------------

void FunctionValidator::invalid(std::string message) {
  reader_.fail(LoadErrorClass::Invalid, start_, std::move(message));
}

void FunctionValidator::beyond(std::string message) {
  reader_.fail(LoadErrorClass::Limit, start_, std::move(message));
}

const char* FunctionValidator::instruction_text() const {
  return opcode_info(opcode_).text.data();  // a literal, so it ends with a zero
}

void FunctionValidator::mismatch(OperandType wanted) {
  std::string message = std::string("type mismatch: ") + instruction_text() + " needs " +
                        operand_text(wanted) + ", but ";
  if (height_ > floor_) {
    message += std::string(operand_text(operands_[height_ - 1])) + " is on the stack";
  } else {
    message += frames_.size() > 1 ? "the stack of the block is empty" : "the stack is empty";
  }
  invalid(std::move(message));
}

// --- One body ------------------------------------------------------------------------------------

bool FunctionValidator::validate(const FunctionBody& body) {
  if (begin(body)) {
    while (!frames_.empty() && !failed()) instruction();  // ends: every turn consumes bytes
  }
  if (!failed() && !reader_.at_end()) reader_.malformed(kAfterEnd);
  return !failed();
}

bool FunctionValidator::begin(const FunctionBody& body) {
  reader_ = Reader(module_.bytes.data(), body.code.offset, body.code.offset);
  reader_.narrow(body.code.size);
  start_ = body.code.offset;
  height_ = floor_ = 0;
  unreachable_ = false;
  frames_.clear();
  expand_locals(body);
  push_frame(Opcode::Block, body.type_index);
  return !failed();
}

// One byte per local: an instruction then finds its type at once, whatever the groups. kMaxLocals
// bounds the list, kMaxTotalLocals the work over all bodies.
void FunctionValidator::expand_locals(const FunctionBody& body) {
  const OperandTypes parameters = types_of(module_.types[body.type_index].parameters);
  const uint64_t total = uint64_t{parameters.size()} + body.local_count;
  if (total > kMaxLocals) {
    return beyond("too many locals: " + std::to_string(total) +
                  " with the parameters; the limit is " + std::to_string(kMaxLocals));
  }
  locals_.assign(parameters.begin(), parameters.end());
  for (uint32_t i = 0; i < body.local_group_count; i++) {
    const LocalGroup& group = module_.local_groups[body.first_local_group + i];
    locals_.resize(locals_.size() + group.count, operand_type(group.type));
  }
}

// --- The operand stack ---------------------------------------------------------------------------

// The list never grows beyond the limit, so the inline push() comes here when it is reached. There
// is room even then: the instruction at hand is still carried out, with at most the parameters and
// results of one type.
void FunctionValidator::reserve(size_t more) {
  const size_t needed = height_ + more;
  if (needed > kMaxOperandHeight) {
    beyond("more than " + std::to_string(kMaxOperandHeight) + " operands on the stack");
    operands_.resize(needed);
  } else if (needed > operands_.size()) {
    const size_t ahead = operands_.size() * 2 + 64;
    operands_.resize(std::clamp(ahead, needed, size_t{kMaxOperandHeight}));
  }
}

OperandType FunctionValidator::pop_below_floor() {
  if (!unreachable_) mismatch(kUnknown);
  return kUnknown;
}

// What the inline pop() leaves: an unknown operand, an empty stack, an error.
void FunctionValidator::pop_other(OperandType wanted) {
  if (height_ > floor_) {
    if (operands_[height_ - 1] != kUnknown && wanted != kUnknown) return mismatch(wanted);
    height_--;
  } else if (!unreachable_) {
    mismatch(wanted);
  }
}

// Are operands of these types on top? They stay there. In dead code there may be fewer.
// A thousand types cost the compiler's vector loop some ten nanoseconds, which keeps long
// signatures named by short instructions (call, br_table) near the price of their bytes.
bool FunctionValidator::check_top(OperandTypes wanted) {
  const size_t available = height_ - floor_;
  const size_t count = std::min(wanted.size(), available);
  const OperandType* found = operands_.data() + height_ - count;
  const OperandType* expected = wanted.data() + wanted.size() - count;
  uint32_t different = 0;
  for (size_t i = 0; i < count; i++) {
    different |= static_cast<uint32_t>((found[i] != expected[i]) & (found[i] != kUnknown));
  }
  if (different == 0 && (count == wanted.size() || unreachable_)) return true;
  // An error: find the operand that a reader would find first, going down from the top.
  for (size_t i = wanted.size(); i > 0 && !failed(); i--) pop(wanted[i - 1]);
  return false;
}

void FunctionValidator::pop_all(OperandTypes wanted) {
  if (check_top(wanted)) height_ -= std::min(wanted.size(), height_ - floor_);
}

void FunctionValidator::push_all(OperandTypes types) {
  reserve(types.size());
  if (!types.empty()) memcpy(operands_.data() + height_, types.data(), types.size());
  height_ += types.size();
}

// --- Frames --------------------------------------------------------------------------------------

OperandTypes FunctionValidator::types_of(const std::vector<ValueType>& types) const {
  static_assert(sizeof(ValueType) == sizeof(OperandType));
  return {reinterpret_cast<const OperandType*>(types.data()), types.size()};
}

OperandTypes FunctionValidator::parameters(uint32_t encoded_type) const {
  if (encoded_type >= kSingleByteType) return {};
  return types_of(module_.types[encoded_type].parameters);
}

OperandTypes FunctionValidator::results(uint32_t encoded_type) const {
  if (encoded_type < kSingleByteType) return types_of(module_.types[encoded_type].results);
  const uint32_t byte = encoded_type - kSingleByteType;
  return {kBytes.data() + byte, byte == kNoResultByte ? size_t{0} : size_t{1}};
}

OperandTypes FunctionValidator::label_types(const Frame& frame) const {
  return frame.opcode == Opcode::Loop ? parameters(frame.encoded_type)
                                      : results(frame.encoded_type);
}

void FunctionValidator::push_frame(Opcode opcode, uint32_t encoded_type) {
  if (!frames_.empty()) frames_.back().unreachable = unreachable_;
  frames_.push_back({height(), encoded_type, opcode, false});
  floor_ = height_;
  unreachable_ = false;
}

// The block's results are on top and nothing else; they are taken off.
FunctionValidator::Frame FunctionValidator::pop_frame() {
  const Frame frame = frames_.back();
  pop_all(results(frame.encoded_type));
  if (!failed() && height_ != floor_) {
    invalid("type mismatch: " + std::to_string(height_ - floor_) +
            " values too many on the stack at the end of the " +
            (frames_.size() > 1 ? "block" : "function"));
  }
  frames_.pop_back();
  if (!frames_.empty()) {
    floor_ = frames_.back().floor;
    unreachable_ = frames_.back().unreachable;
  }
  return frame;
}

void FunctionValidator::set_unreachable() {
  height_ = floor_;
  unreachable_ = true;
}

// --- Immediates ----------------------------------------------------------------------------------

bool FunctionValidator::exists(uint32_t number, size_t count, const char* what) {
  if (number < count) return !failed();
  invalid(std::string("unknown ") + what + " " + std::to_string(number));
  return false;
}

// An index below `count`, or 0 and an error.
uint32_t FunctionValidator::index(size_t count, const char* what) {
  const uint32_t number = reader_.u32();
  return exists(number, count, what) ? number : 0;
}

OperandTypes FunctionValidator::label() {
  const uint32_t depth = index(frames_.size(), "label");
  if (failed()) return {};
  return label_types(frames_[frames_.size() - 1 - depth]);
}

OperandType FunctionValidator::local() {
  const uint32_t number = index(locals_.size(), "local");
  return failed() ? kUnknown : locals_[number];
}

OperandType FunctionValidator::table(uint32_t number) {
  if (!exists(number, module_.table_types.size(), "table")) return kUnknown;
  return operand_type(module_.table_types[number].element);
}

OperandType FunctionValidator::element_segment(uint32_t number) {
  if (!exists(number, module_.element_segments.size(), "elem segment")) return kUnknown;
  return operand_type(module_.element_segments[number].type);
}

void FunctionValidator::data_segment(uint32_t number) {
  exists(number, module_.data_count.value_or(0), "data segment");
}

void FunctionValidator::memory(uint32_t number) {
  exists(number, module_.memory_types.size(), "memory");
}

void FunctionValidator::memory_argument(Immediate immediate) {
  const MemoryArgument argument = read_memory_argument(reader_, module_.features);
  if (failed()) return;
  memory(0);
  if (argument.alignment > natural_alignment(immediate)) {
    invalid("alignment must not be larger than natural");
  }
  if (argument.offset > 0xFFFFFFFF) {
    invalid("offset out of range: " + std::to_string(argument.offset) + " in a 32-bit memory");
  }
}

void FunctionValidator::lane(uint32_t count) {
  const uint8_t number = reader_.byte();
  if (number >= count) invalid("invalid lane index " + std::to_string(number));
}

// --- Instructions --------------------------------------------------------------------------------

void FunctionValidator::instruction() {
  start_ = reader_.offset();
  if (reader_.at_end()) {
    reader_.malformed("unexpected end of section or function: END opcode expected");
    return;
  }
  opcode_ = read_opcode(reader_, module_.features);
  if (opcode_ == kNoOpcode) return;
  if (kSignatures[static_cast<size_t>(opcode_)].kind == OpcodeKind::Special) {
    special();
  } else {
    by_signature(opcode_);
  }
}

// Every opcode whose typing is its row in the table.
void FunctionValidator::by_signature(Opcode opcode) {
  const Signature& signature = kSignatures[static_cast<size_t>(opcode)];
  if (signature.immediate != Immediate::None) {
    if (is_memory_argument(signature.immediate)) memory_argument(signature.immediate);
    if (has_lane(signature.immediate)) lane(lane_count(signature.immediate));
    if (signature.immediate == Immediate::Shuffle) {
      for (int i = 0; i < 16; i++) lane(32);
    }
  }
  for (uint32_t i = signature.operand_count; i > 0; i--) pop(signature.operands[i - 1]);
  if (signature.result != kUnknown) push(signature.result);
}

void FunctionValidator::special() {
  switch (opcode_) {
    case Opcode::Unreachable:
      return set_unreachable();
    case Opcode::Nop:
      return;
    case Opcode::Block:
    case Opcode::Loop:
    case Opcode::If:
      return begin_block();
    case Opcode::Else:
      return begin_else();
    case Opcode::End:
      return end_block();
    case Opcode::Br:
      pop_all(label());
      return set_unreachable();
    case Opcode::BrIf:
      return branch_if();
    case Opcode::BrTable:
      return branch_table();
    case Opcode::Return:
      pop_all(results(frames_.front().encoded_type));
      return set_unreachable();
    case Opcode::Call:
      return call();
    case Opcode::CallIndirect:
      return call_indirect();
    case Opcode::Drop:
      pop();
      return;
    case Opcode::Select:
      return select();
    case Opcode::SelectTyped:
      return select_typed();
    case Opcode::LocalGet:
      return push(local());
    case Opcode::LocalSet:
      return pop(local());
    case Opcode::LocalTee:
      return local_tee();
    case Opcode::GlobalGet:
      return global_get();
    case Opcode::GlobalSet:
      return global_set();
    case Opcode::I32Const:
      reader_.s32();
      return push(kI32);
    case Opcode::I64Const:
      reader_.s64();
      return push(operand_type(ValueType::I64));
    case Opcode::F32Const:
      return constant(ValueType::F32, 4);
    case Opcode::F64Const:
      return constant(ValueType::F64, 8);
    case Opcode::V128Const:
      return constant(ValueType::V128, 16);
    case Opcode::RefNull:
      return push(operand_type(read_reference_type(reader_, module_.features)));
    case Opcode::RefIsNull:
      return reference_is_null();
    case Opcode::RefFunc:
      return reference_to_function();
    default:
      return memory_instruction();
  }
}

void FunctionValidator::constant(ValueType type, uint64_t bytes) {
  reader_.skip(bytes);
  push(operand_type(type));
}

// --- Control -------------------------------------------------------------------------------------

void FunctionValidator::begin_block() {
  const int64_t block_type = read_block_type(reader_, module_.features);
  if (failed()) return;
  if (block_type >= static_cast<int64_t>(module_.types.size())) {
    return invalid("unknown type " + std::to_string(block_type));
  }
  const uint32_t encoded_type = block_type >= 0
                                    ? static_cast<uint32_t>(block_type)
                                    : kSingleByteType + static_cast<uint32_t>(block_type & 0x7F);
  if (opcode_ == Opcode::If) pop(kI32);
  const OperandTypes types = parameters(encoded_type);
  pop_all(types);
  push_frame(opcode_, encoded_type);
  push_all(types);
}

void FunctionValidator::begin_else() {
  if (frames_.back().opcode != Opcode::If) {
    reader_.fail(LoadErrorClass::Malformed, start_, "misplaced ELSE opcode");
    return;
  }
  const Frame frame = pop_frame();
  push_frame(Opcode::Else, frame.encoded_type);
  push_all(parameters(frame.encoded_type));
}

void FunctionValidator::end_block() {
  const Frame frame = pop_frame();
  const OperandTypes types = results(frame.encoded_type);
  // Without an else, the parameters fall through as the results.
  if (frame.opcode == Opcode::If && !std::ranges::equal(parameters(frame.encoded_type), types)) {
    return invalid("type mismatch: an if without else must give what it takes");
  }
  if (!frames_.empty()) push_all(types);
}

void FunctionValidator::branch_if() {
  const OperandTypes types = label();
  pop(kI32);
  pop_all(types);
  push_all(types);
}

void FunctionValidator::branch_table() {
  pop(kI32);
  const uint64_t labels = uint64_t{reader_.count()} + 1;
  size_t arity = 0;
  for (uint64_t i = 0; i < labels && !failed(); i++) {
    const OperandTypes types = label();
    if (i == 0) arity = types.size();
    if (types.size() != arity) return invalid("type mismatch: br_table labels differ in arity");
    check_top(types);
  }
  set_unreachable();
}

void FunctionValidator::call() {
  const uint32_t function = index(module_.function_types.size(), "function");
  if (!failed()) call_type(module_.types[module_.function_types[function]]);
}

void FunctionValidator::call_indirect() {
  const uint32_t type = index(module_.types.size(), "type");
  const OperandType element = table();
  if (failed()) return;
  if (element != kFuncRef) {
    return invalid("type mismatch: call_indirect needs a table of funcref");
  }
  pop(kI32);
  call_type(module_.types[type]);
}

void FunctionValidator::call_type(const FuncType& type) {
  pop_all(types_of(type.parameters));
  push_all(types_of(type.results));
}

// --- Parametric, variables, references -----------------------------------------------------------

void FunctionValidator::select() {
  pop(kI32);
  const OperandType second = pop();
  const OperandType first = pop();
  if (failed()) return;
  if (is_reference_operand(first) || is_reference_operand(second)) {
    return invalid("type mismatch: select without a type takes numbers or vectors");
  }
  if (first != second && first != kUnknown && second != kUnknown) {
    return invalid(std::string("type mismatch: select between ") + operand_text(first) + " and " +
                   operand_text(second));
  }
  push(first == kUnknown ? second : first);
}

void FunctionValidator::select_typed() {
  const uint32_t count = reader_.count();
  OperandType type = kUnknown;
  for (uint32_t i = 0; i < count && !failed(); i++) {
    type = operand_type(read_value_type(reader_, module_.features));
  }
  if (failed()) return;
  if (count != 1) return invalid("invalid result arity: select gives one value");
  pop(kI32);
  pop(type);
  pop(type);
  push(type);
}

void FunctionValidator::local_tee() {
  const OperandType type = local();
  pop(type);
  push(type);
}

void FunctionValidator::global_get() {
  const uint32_t number = index(module_.global_types.size(), "global");
  if (!failed()) push(operand_type(module_.global_types[number].type));
}

void FunctionValidator::global_set() {
  const uint32_t number = index(module_.global_types.size(), "global");
  if (failed()) return;
  const GlobalType& type = module_.global_types[number];
  if (!type.is_mutable) return invalid("global is immutable: global " + std::to_string(number));
  pop(operand_type(type.type));
}

void FunctionValidator::reference_is_null() {
  const OperandType type = pop();
  if (failed()) return;
  if (type != kUnknown && !is_reference_operand(type)) {
    return invalid(std::string("type mismatch: ref.is_null needs a reference, but ") +
                   operand_text(type) + " is on the stack");
  }
  push(kI32);
}

void FunctionValidator::reference_to_function() {
  const uint32_t function = index(module_.function_types.size(), "function");
  if (failed()) return;
  if (!declared_functions_[function]) {
    return invalid("undeclared function reference " + std::to_string(function));
  }
  push(kFuncRef);
}

// --- Memories and tables -------------------------------------------------------------------------

void FunctionValidator::operands_i32(int count, bool gives_i32) {
  for (; count > 0; count--) pop(kI32);
  if (gives_i32) push(kI32);
}

void FunctionValidator::memory_instruction() {
  switch (opcode_) {
    case Opcode::MemorySize:
    case Opcode::MemoryGrow:
      memory(memory_index());
      return operands_i32(opcode_ == Opcode::MemoryGrow ? 1 : 0, true);
    case Opcode::MemoryCopy:
      memory(memory_index());
      [[fallthrough]];
    case Opcode::MemoryFill:
      memory(memory_index());
      return operands_i32(3, false);
    case Opcode::MemoryInit: {
      const uint32_t segment = read_data_index(reader_, module_);
      memory(memory_index());
      data_segment(segment);
      return operands_i32(3, false);
    }
    case Opcode::DataDrop:
      return data_segment(read_data_index(reader_, module_));
    default:
      return table_instruction();
  }
}

void FunctionValidator::table_instruction() {
  switch (opcode_) {
    case Opcode::TableGet: {
      const OperandType type = table();
      pop(kI32);
      return push(type);
    }
    case Opcode::TableSet:
      pop(table());
      return pop(kI32);
    case Opcode::TableSize:
      table();
      return push(kI32);
    case Opcode::TableGrow:
      element_and_count(table());
      return push(kI32);
    case Opcode::TableFill:
      element_and_count(table());
      return pop(kI32);
    case Opcode::TableInit: {
      const uint32_t segment = reader_.u32();
      const OperandType type = table();
      return copy_elements(type, element_segment(segment));
    }
    case Opcode::TableCopy: {
      const OperandType type = table();
      return copy_elements(type, table());
    }
    case Opcode::ElemDrop:
      element_segment(reader_.u32());
      return;
    default:
      // Not reached: a Special row of opcodes.def without a case. The derived tests would notice.
      return invalid(std::string("no validation rule for ") + instruction_text());
  }
}

// A count on top of an element, as table.grow and table.fill take them.
void FunctionValidator::element_and_count(OperandType element) {
  pop(kI32);
  pop(element);
}

void FunctionValidator::copy_elements(OperandType to, OperandType from) {
  if (!failed() && to != from) {
    return invalid(std::string("type mismatch: ") + instruction_text() + " from " +
                   operand_text(from) + " to a table of " + operand_text(to));
  }
  operands_i32(3, false);
}

}  // namespace qip
