#include "vm/ir_builder.hpp"

#include <unordered_map>

#include "vm/code_contents.hpp"
#include "vm/patterns.hpp"

namespace qip {
namespace {

// One-element type lists for block types that are a value type.
constexpr ValueType kSingleTypes[] = {ValueType::I32,      ValueType::I64,  ValueType::F32,
                                      ValueType::F64,      ValueType::V128, ValueType::FuncRef,
                                      ValueType::ExternRef};

std::span<const ValueType> single_type(uint8_t encoding) {
  for (const ValueType& type : kSingleTypes) {
    if (static_cast<uint8_t>(type) == encoding) return {&type, 1};
  }
  return {};
}

uint32_t bytes_of(SlotType type) {
  if (type == SlotType::V128) return 16;
  return type == SlotType::I32 || type == SlotType::F32 ? 4 : 8;
}

// Values that are moved one by one; longer runs go through MoveBlock, so that a branch costs code
// in proportion to what was pushed, not to what its label takes.
constexpr uint32_t kMaxSingleMoves = 4;

}  // namespace

void build_ir(const Module& module, const FunctionBody& body, const TranslateOptions& options,
              bool with_byte_offsets, FunctionIr* ir) {
  IrBuilder(module, body, options, with_byte_offsets, ir).build();
}

IrBuilder::IrBuilder(const Module& module, const FunctionBody& body,
                     const TranslateOptions& options, bool with_byte_offsets, FunctionIr* ir)
    : module_(module),
      body_(body),
      options_(options),
      with_byte_offsets_(with_byte_offsets),
      ir_(*ir),
      type_(module.types[body.type_index]),
      reader_(module.bytes.data(), body.code.offset) {}

void IrBuilder::prepare_locals() {
  ir_.parameter_count = static_cast<uint32_t>(type_.parameters.size());
  ir_.argument_slots = argument_slots(type_);
  uint32_t slot = 0;
  for (const ValueType type : type_.parameters) {
    ir_.locals.push_back(slot_type(type));
    ir_.local_slots.push_back(static_cast<int32_t>(slot) -
                              static_cast<int32_t>(ir_.argument_slots));
    slot += slots_of(type);
  }
  slot = 0;
  for (uint32_t i = 0; i < body_.local_group_count; i++) {
    const LocalGroup& group = module_.local_groups[body_.first_local_group + i];
    for (uint32_t k = 0; k < group.count; k++) {
      ir_.locals.push_back(slot_type(group.type));
      ir_.local_slots.push_back(static_cast<int32_t>(slot));
      slot += slots_of(group.type);
    }
  }
  ir_.local_slot_count = slot;
  pending_.assign(ir_.locals.size(), 0);
  local_write_.assign(ir_.locals.size(), 0);
}

void IrBuilder::build() {
  prepare_locals();
  ir_.operations.reserve(body_.code.size / 2 + 8);
  Frame function;
  function.opcode = Opcode::Block;
  function.results = type_.results;
  function.end_label = function.branch_label = new_label(false);
  frames_.push_back(function);
  if (options_.fuel) {
    instruction_offset_ = reader_.offset();  // what runs out at once runs out here
    fuel_operations_.push_back(emit_op(CodeOp::Fuel, {}, {}));
  }

  while (!frames_.empty()) {  // ends: every pass reads an instruction, the body ends with `end`
    instruction_offset_ = reader_.offset();
    const uint8_t first = reader_.byte();
    Opcode opcode;
    if (first < 0xFC) {
      opcode = opcode_at(0, first);
    } else {
      opcode = opcode_at(first, reader_.u32());
    }
    if (options_.fuel) ir_.operations[fuel_operations_.back()].offset++;
    instruction(opcode);
    if (!reachable_ && !frames_.empty()) skip_unreachable();
  }
}

// --- The list of operations ----------------------------------------------------------------------

uint32_t IrBuilder::emit(Operation operation) {
  const auto index = static_cast<uint32_t>(ir_.operations.size());
  operation.depth = depth_;
  if (operation.d.is(OperandKind::Local)) {
    local_write_[operation.d.index()] = index + 1;
  } else if (operation.d.kind() != OperandKind::None) {
    const uint32_t slot = operation.d.index();
    const uint32_t end = slot + slots_of(operation.d.type());
    if (end > slot_write_.size()) slot_write_.resize(end + 16, 0);
    for (uint32_t i = slot; i < end; i++) slot_write_[i] = index + 1;
  }
  ir_.operations.push_back(operation);
  if (with_byte_offsets_) {
    // A fused operation traps where the part of it that can trap stood.
    ir_.byte_offsets.push_back(origin_ != 0 ? origin_ : static_cast<uint32_t>(instruction_offset_));
    origin_ = 0;
  }
  return index;
}

uint32_t IrBuilder::emit_op(CodeOp op, Operand d, Operand a, Operand b, Operand c) {
  Operation operation;
  operation.op = op;
  operation.d = d;
  operation.a = a;
  operation.b = b;
  operation.c = c;
  return emit(operation);
}

Operand IrBuilder::new_constant(SlotType type, uint64_t low, uint64_t high) {
  const auto index = static_cast<uint32_t>(ir_.constants.size());
  ir_.constants.push_back(low);
  if (type == SlotType::V128) ir_.constants.push_back(high);
  return Operand(OperandKind::Constant, type, index);
}

// --- The operand stack ---------------------------------------------------------------------------

uint32_t IrBuilder::next_slot() const {
  if (stack_.empty()) return 0;
  return stack_.back().slot + slots_of(stack_.back().value.type());
}

void IrBuilder::push(Operand value) {
  Entry entry;
  entry.value = value;
  entry.slot = next_slot();
  if (value.is(OperandKind::Local)) {
    entry.previous = pending_[value.index()];
    pending_[value.index()] = static_cast<uint32_t>(stack_.size()) + 1;
  }
  stack_.push_back(entry);
  const uint32_t end = entry.slot + slots_of(value.type());
  if (end > ir_.max_operand_slots) ir_.max_operand_slots = end;
}

void IrBuilder::push_slot(SlotType type) {
  push(Operand(OperandKind::Slot, type, next_slot()));
}

uint32_t IrBuilder::push_result(Operation operation, SlotType type) {
  operation.d = Operand(OperandKind::Temp, type, next_slot());
  const uint32_t index = emit(operation);
  push(Operand(OperandKind::Temp, type, index));
  return index;
}

Operand IrBuilder::pop() {
  const Entry entry = stack_.back();
  stack_.pop_back();
  if (entry.value.is(OperandKind::Local)) pending_[entry.value.index()] = entry.previous;
  if (settled_ > stack_.size()) settled_ = static_cast<uint32_t>(stack_.size());
  return entry.value;
}

void IrBuilder::truncate(uint32_t height) {
  while (stack_.size() > height) pop();
}

// After a control transfer: the frame's base, then the given values in their slots.
void IrBuilder::reset_to(const Frame& frame, std::span<const ValueType> types) {
  truncate(frame.stack_height);
  for (const ValueType type : types) push_slot(slot_type(type));
}

void IrBuilder::move(Operand destination, Operand source) {
  emit_op(move_op(source.type()), destination, source);
}

// Puts the value of a stack entry into the entry's own slot.
void IrBuilder::settle_entry(uint32_t index) {
  Entry& entry = stack_[index];
  if (!entry.value.is(OperandKind::Local) && !entry.value.is(OperandKind::Constant)) return;
  const SlotType type = entry.value.type();
  move(Operand(OperandKind::Temp, type, entry.slot), entry.value);
  entry.value = Operand(OperandKind::Temp, type, static_cast<uint32_t>(ir_.operations.size()) - 1);
}

// All entries. From the top down, so that each pending local is the newest of its list.
void IrBuilder::settle_all() {
  for (auto i = static_cast<uint32_t>(stack_.size()); i > settled_; i--) {
    const Operand value = stack_[i - 1].value;
    if (value.is(OperandKind::Local)) pending_[value.index()] = stack_[i - 1].previous;
    settle_entry(i - 1);
  }
  settled_ = static_cast<uint32_t>(stack_.size());
}

void IrBuilder::settle_top(uint32_t count) {
  if (count > kMaxSingleMoves) {
    settle_all();
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    const auto index = static_cast<uint32_t>(stack_.size()) - 1 - i;
    const Operand value = stack_[index].value;
    if (value.is(OperandKind::Local)) pending_[value.index()] = stack_[index].previous;
    settle_entry(index);
  }
}

// The local is about to be overwritten: whoever still waits for its old value gets a copy.
void IrBuilder::save_references(uint32_t local) {
  uint32_t next = pending_[local];
  pending_[local] = 0;
  while (next != 0) {  // ends: the list runs down the stack
    const uint32_t index = next - 1;
    next = stack_[index].previous;
    settle_entry(index);
  }
}

// --- Locals, globals, drop, select ---------------------------------------------------------------

void IrBuilder::get_local(uint32_t local) {
  push(Operand(OperandKind::Local, ir_.locals[local], local));
}

void IrBuilder::set_local(uint32_t local, bool tee) {
  const Operand value = pop();
  const Operand destination(OperandKind::Local, ir_.locals[local], local);
  if (!value.is_local(local)) {
    const auto count = static_cast<uint32_t>(ir_.operations.size());
    const bool retarget = value.is(OperandKind::Temp) && value.index() + 1 == count &&
                          ir_.operations.back().op != kCallDirect &&
                          code_op_info(ir_.operations.back().op).form != Form::Slow &&
                          (ir_.operations.back().flags & kPinned) == 0;
    if (retarget) {
      // The operation that made the value writes the local directly; copies of the old value
      // come in front of it.
      Operation producer = ir_.operations.back();
      if (pending_[local] != 0) {
        ir_.operations.pop_back();
        uint32_t origin = 0;
        if (with_byte_offsets_) {
          origin = ir_.byte_offsets.back();
          ir_.byte_offsets.pop_back();
        }
        save_references(local);
        producer.d = destination;
        origin_ = origin;
        emit(producer);
      } else {
        ir_.operations.back().d = destination;
        local_write_[local] = count;
      }
    } else {
      save_references(local);
      move(destination, value);
    }
  }
  if (tee) push(destination);
}

void IrBuilder::get_global(uint32_t global) {
  const SlotType type = slot_type(module_.global_types[global].type);
  if (global < module_.imported_global_count) {
    slow(CodeOp::ImportedGlobalGet, 0, true, type, global, bytes_of(type));
    return;
  }
  static constexpr CodeOp kOps[] = {CodeOp::GlobalGetI32, CodeOp::GlobalGetI64,
                                    CodeOp::GlobalGetF32, CodeOp::GlobalGetF64,
                                    CodeOp::GlobalGetV128};
  Operation operation;
  operation.op = kOps[static_cast<int>(type)];
  operation.immediate = global - module_.imported_global_count;
  push_result(operation, type);
}

void IrBuilder::set_global(uint32_t global) {
  const SlotType type = slot_type(module_.global_types[global].type);
  if (global < module_.imported_global_count) {
    slow(CodeOp::ImportedGlobalSet, 1, false, type, global, bytes_of(type));
    return;
  }
  static constexpr CodeOp kOps[] = {CodeOp::GlobalSetI32, CodeOp::GlobalSetI64,
                                    CodeOp::GlobalSetF32, CodeOp::GlobalSetF64,
                                    CodeOp::GlobalSetV128};
  Operation operation;
  operation.op = kOps[static_cast<int>(type)];
  operation.a = pop();
  operation.immediate = global - module_.imported_global_count;
  last_effect_ = emit(operation) + 1;
}

void IrBuilder::drop() {
  const Operand value = pop();
  if (!value.is(OperandKind::Temp)) return;
  Operation& producer = ir_.operations[value.index()];
  if (producer.op == kCallDirect || producer.op == CodeOp::CallIndirect ||
      producer.op == CodeOp::CallSlow) {
    producer.flags |= kUnused;
    return;
  }
  const Form form = code_op_info(producer.op).form;
  const bool pure = form == Form::Move || form == Form::PairImmediate || form == Form::GlobalGet;
  if (pure && (producer.flags & kPinned) == 0 && producer.d.is(OperandKind::Temp)) {
    producer.flags |= kDead;
  }
}

// The same local, or constants of the same bits.
bool IrBuilder::same_value(Operand x, Operand y) const {
  if (x.kind() != y.kind() || x.type() != y.type()) return false;
  if (x.is(OperandKind::Local)) return x.index() == y.index();
  return x.is(OperandKind::Constant) && x.type() != SlotType::V128 &&
         ir_.constant(x) == ir_.constant(y);
}

void IrBuilder::select(SlotType type) {
  static constexpr CodeOp kOps[] = {CodeOp::SelectI32, CodeOp::SelectI64, CodeOp::SelectF32,
                                    CodeOp::SelectF64, CodeOp::SelectV128};
  Operation operation;
  operation.op = kOps[static_cast<int>(type)];
  operation.c = pop();
  operation.b = pop();
  operation.a = pop();
  // (a < b) ? a : b and its relatives are one operation.
  if (Operation* compare = sinkable(operation.c)) {
    const bool same = same_value(compare->a, operation.a) && same_value(compare->b, operation.b);
    const bool swapped = same_value(compare->a, operation.b) && same_value(compare->b, operation.a);
    if ((same || swapped) && is_plain(compare->op) && compare->a.is(OperandKind::Local)) {
      CodeOp fused = kLabel;
      switch (static_cast<Opcode>(compare->op)) {
#define CODE_OP(...)
#define SELECT_COMPARE(name, D, A, B)                                  \
  case Opcode::name:                                                   \
    fused = same ? CodeOp::SelectIf##name : CodeOp::SelectIfNot##name; \
    break;
#include "vm/code_ops.def"
#undef CODE_OP
        default:
          break;
      }
      if (fused != kLabel) {
        // SelectIf: (x compare y) ? x : y. SelectIfNot picks y when the comparison holds.
        operation.op = fused;
        operation.a = compare->a;
        operation.b = compare->b;
        operation.c = {};
        compare->flags |= kDead;
      }
    }
  }
  push_result(operation, type);
}

// --- Control -------------------------------------------------------------------------------------

uint32_t IrBuilder::new_label(bool is_loop) {
  LabelInfo info;
  info.is_loop = is_loop;
  info.plain_loop = is_loop;
  ir_.labels.push_back(info);
  return static_cast<uint32_t>(ir_.labels.size()) - 1;
}

void IrBuilder::place_label(uint32_t label) {
  Operation operation;
  operation.op = kLabel;
  operation.label = label;
  last_label_ = emit(operation) + 1;
}

void IrBuilder::branch_to(uint32_t label) {
  Operation operation;
  operation.op = CodeOp::Jump;
  operation.label = label;
  ir_.labels[label].uses++;
  emit(operation);
}

void IrBuilder::read_block_type() {
  const uint8_t first = reader_.peek();
  block_parameters_ = {};
  block_results_ = {};
  if (first == 0x40) {
    reader_.byte();
    return;
  }
  block_results_ = single_type(first);
  if (!block_results_.empty()) {
    reader_.byte();
    return;
  }
  const FuncType& type = module_.types[static_cast<size_t>(reader_.s64())];
  block_parameters_ = type.parameters;
  block_results_ = type.results;
}

void IrBuilder::begin_block(Opcode opcode) {
  read_block_type();
  Operand condition;
  if (opcode == Opcode::If) condition = pop();
  settle_all();
  Frame frame;
  frame.opcode = opcode;
  frame.parameters = block_parameters_;
  frame.results = block_results_;
  frame.stack_height =
      static_cast<uint32_t>(stack_.size()) - static_cast<uint32_t>(block_parameters_.size());
  frame.slot_height = frame.stack_height == 0
                          ? 0
                          : stack_[frame.stack_height - 1].slot +
                                slots_of(stack_[frame.stack_height - 1].value.type());
  frame.end_label = frame.branch_label = new_label(false);
  if (opcode == Opcode::If) {
    frame.else_label = new_label(false);
    // Parameters must be in their slots for either arm.
    pin_top(static_cast<uint32_t>(block_parameters_.size()));
    branch_on(condition, frame.else_label, true);
  } else if (opcode == Opcode::Loop) {
    // Loops further out contain this one's parent already.
    if (!loops_.empty()) ir_.labels[loops_.back()].plain_loop = false;
    frame.branch_label = new_label(true);
    loops_.push_back(frame.branch_label);
    pin_top(static_cast<uint32_t>(block_parameters_.size()));
    if (depth_ < 255) depth_++;
    Operation head;
    head.op = kLoopHead;
    head.label = frame.branch_label;
    last_label_ = emit(head) + 1;
    reset_to(frame, frame.parameters);
    settled_ = static_cast<uint32_t>(stack_.size());
    if (options_.fuel) {
      frame.fuel_operation = emit_op(CodeOp::Fuel, {}, {}) + 1;
      fuel_operations_.push_back(frame.fuel_operation - 1);
    }
  }
  frames_.push_back(frame);
}

void IrBuilder::begin_else() {
  Frame& frame = frames_.back();
  if (reachable_) {
    move_to_target(frame);
    branch_to(frame.end_label);
  }
  frame.opcode = Opcode::Else;
  place_label(frame.else_label);
  reset_to(frame, frame.parameters);
  settled_ = static_cast<uint32_t>(stack_.size());
  reachable_ = true;
}

void IrBuilder::end_block() {
  const Frame frame = frames_.back();
  if (frame.opcode == Opcode::Loop) {
    if (depth_ > 0) depth_--;
    loops_.pop_back();
    if (options_.fuel) fuel_operations_.pop_back();
  }
  if (frames_.size() == 1) {
    if (reachable_) return_from_function();
    // Branches to the function's own label were turned into returns.
    frames_.pop_back();
    return;
  }
  frames_.pop_back();
  const bool has_else_path = frame.opcode == Opcode::If;  // an `if` without `else`
  if (frame.opcode == Opcode::Loop || (ir_.labels[frame.end_label].uses == 0 && !has_else_path)) {
    // Only falling through leads here: the stack stays as it is.
    if (!reachable_) truncate(frame.stack_height);
    return;
  }
  if (reachable_) move_to_target(frame);
  if (has_else_path) place_label(frame.else_label);
  if (ir_.labels[frame.end_label].uses != 0) place_label(frame.end_label);
  reset_to(frame, frame.results);
  if (settled_ < stack_.size()) settled_ = static_cast<uint32_t>(stack_.size());
  reachable_ = true;
}

// Skips instructions up to the `else` or `end` that makes code reachable again, or handles it.
void IrBuilder::skip_unreachable() {
  uint32_t nesting = 0;
  for (;;) {  // ends: the body is valid, its last instruction closes the last frame
    const uint8_t first = reader_.byte();
    const Opcode opcode = first < 0xFC ? opcode_at(0, first) : opcode_at(first, reader_.u32());
    switch (opcode) {
      case Opcode::Block:
      case Opcode::Loop:
      case Opcode::If:
        read_block_type();
        nesting++;
        continue;
      case Opcode::Else:
        if (nesting > 0) continue;
        begin_else();
        return;
      case Opcode::End:
        if (nesting > 0) {
          nesting--;
          continue;
        }
        end_block();
        if (reachable_ || frames_.empty()) return;
        continue;
      default:
        skip_immediates(opcode);
        continue;
    }
  }
}

void IrBuilder::skip_immediates(Opcode opcode) {
  const Immediate immediate = opcode_info(opcode).immediate;
  if (is_memory_argument(immediate)) {
    reader_.u32();
    reader_.u32();
    if (has_lane(immediate)) reader_.byte();
    return;
  }
  if (has_lane(immediate)) {
    reader_.byte();
    return;
  }
  switch (immediate) {
    case Immediate::Label:
    case Immediate::Function:
    case Immediate::Local:
    case Immediate::Global:
    case Immediate::Table:
    case Immediate::Element:
    case Immediate::Data:
    case Immediate::Memory:
      reader_.u32();
      return;
    case Immediate::CallIndirect:
    case Immediate::TableInit:
    case Immediate::TableCopy:
    case Immediate::MemoryInit:
    case Immediate::MemoryCopy:
      reader_.u32();
      reader_.u32();
      return;
    case Immediate::LabelTable:
      for (uint64_t count = uint64_t{reader_.u32()} + 1; count > 0; count--) reader_.u32();
      return;
    case Immediate::SelectTypes:
      for (uint32_t count = reader_.u32(); count > 0; count--) reader_.byte();
      return;
    case Immediate::ReferenceType:
      reader_.byte();
      return;
    case Immediate::I32:
    case Immediate::I64:
      reader_.s64();
      return;
    case Immediate::F32:
      reader_.raw<uint32_t>();
      return;
    case Immediate::F64:
      reader_.raw<uint64_t>();
      return;
    case Immediate::V128:
    case Immediate::Shuffle:
      reader_.raw<uint64_t>();
      reader_.raw<uint64_t>();
      return;
    default:
      return;
  }
}

// --- Branches ------------------------------------------------------------------------------------

// True if the values that a branch takes do not lie in the target's slots yet.
bool IrBuilder::needs_moves(const Frame& frame) const {
  const auto types = frame.branch_types();
  if (types.empty()) return false;
  const Entry& first = stack_[stack_.size() - types.size()];
  if (first.slot != frame.slot_height) return true;
  if (settled_ >= stack_.size()) return false;
  for (size_t i = stack_.size() - types.size(); i < stack_.size(); i++) {
    const Operand value = stack_[i].value;
    if (value.is(OperandKind::Local) || value.is(OperandKind::Constant)) return true;
  }
  return false;
}

// Copies the branch's values down into the target's slots. In ascending order, and every slot lies
// at or above its destination, so no copy destroys a value that is still needed.
void IrBuilder::move_to_target(const Frame& frame) {
  const auto types = frame.branch_types();
  const auto count = static_cast<uint32_t>(types.size());
  if (count == 0) return;
  const auto first = static_cast<uint32_t>(stack_.size()) - count;
  if (count > kMaxSingleMoves) {
    settle_all();
    pin_top(count);
    if (stack_[first].slot == frame.slot_height) return;
    Operation block;
    block.op = CodeOp::MoveBlock;
    block.offset = stack_[first].slot;
    block.immediate = frame.slot_height;
    block.extra = next_slot() - stack_[first].slot;
    last_effect_ = last_call_ = emit(block) + 1;
    return;
  }
  uint32_t slot = frame.slot_height;
  for (uint32_t i = 0; i < count; i++) {
    const Entry& entry = stack_[first + i];
    const SlotType type = entry.value.type();
    const bool in_place = entry.slot == slot && !entry.value.is(OperandKind::Local) &&
                          !entry.value.is(OperandKind::Constant);
    if (!in_place) move(Operand(OperandKind::Slot, type, slot), entry.value);
    slot += slots_of(type);
  }
}

// The topmost values must stay where they are: a label's other paths expect them in their slots.
void IrBuilder::pin_top(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const Operand value = stack_[stack_.size() - 1 - i].value;
    if (value.is(OperandKind::Temp)) ir_.operations[value.index()].flags |= kPinned;
  }
}

void IrBuilder::branch(uint32_t depth) {
  if (depth + 1 == frames_.size()) {
    return_from_function();
    return;
  }
  const Frame frame = frames_[frames_.size() - 1 - depth];
  move_to_target(frame);
  branch_to(frame.branch_label);
  end_reachable();
}

void IrBuilder::branch_if(uint32_t depth) {
  const Operand condition = pop();
  const bool returns = depth + 1 == frames_.size();
  const Frame frame = frames_[frames_.size() - 1 - depth];
  if (!returns && !needs_moves(frame)) {
    pin_top(static_cast<uint32_t>(frame.branch_types().size()));
    branch_on(condition, frame.branch_label, false);
    last_effect_ = static_cast<uint32_t>(ir_.operations.size());
    return;
  }
  // Values have to move only if the branch is taken: go around the moves otherwise.
  if (frame.branch_types().size() > (returns ? 1 : kMaxSingleMoves)) settle_all();
  const uint32_t around = new_label(false);
  // What stays on the stack is still needed behind the label.
  const auto stays = static_cast<uint32_t>(frame.branch_types().size());
  branch_on(condition, around, true);
  pin_top(stays);
  if (returns) {
    return_from_function();
  } else {
    move_to_target(frame);
    branch_to(frame.branch_label);
  }
  reachable_ = true;
  place_label(around);
}

void IrBuilder::branch_table() {
  Operation operation;
  operation.op = CodeOp::BranchTable;
  operation.a = pop();
  const uint32_t count = reader_.u32() + 1;
  operation.label = static_cast<uint32_t>(ir_.tables.size());
  ir_.tables.push_back(count);
  const auto first = static_cast<uint32_t>(ir_.tables.size());
  // Targets that take values, or return, are reached through a stub that moves them: one for each
  // distinct depth.
  for (uint32_t i = 0; i < count; i++) ir_.tables.push_back(reader_.u32());
  const uint32_t last_depth = ir_.tables.back();
  const auto arity =
      static_cast<uint32_t>(frames_[frames_.size() - 1 - last_depth].branch_types().size());
  if (arity > 0) {
    settle_all();
    pin_top(arity);
  }
  std::vector<std::pair<uint32_t, uint32_t>> stubs;  // depth, label
  std::unordered_map<uint32_t, uint32_t> stub_of_depth;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t depth = ir_.tables[first + i];
    const Frame& frame = frames_[frames_.size() - 1 - depth];
    const bool returns = depth + 1 == frames_.size();
    if (!returns && !needs_moves(frame)) {
      ir_.tables[first + i] = frame.branch_label;
      ir_.labels[frame.branch_label].uses++;
      continue;
    }
    const auto [stub, added] = stub_of_depth.try_emplace(depth, 0);
    if (added) {
      stub->second = new_label(false);
      stubs.push_back({depth, stub->second});
    }
    ir_.tables[first + i] = stub->second;
    ir_.labels[stub->second].uses++;
  }
  emit(operation);
  for (const auto& [depth, label] : stubs) {
    place_label(label);
    if (depth + 1 == frames_.size()) {
      return_from_function();
    } else {
      const Frame target = frames_[frames_.size() - 1 - depth];
      move_to_target(target);
      branch_to(target.branch_label);
    }
  }
  end_reachable();
}

// Leaves the operand stack untouched: the caller may still need it.
void IrBuilder::return_from_function() {
  const auto count = static_cast<uint32_t>(type_.results.size());
  Operation operation;
  operation.op = CodeOp::Return;
  if (count == 1) {
    operation.a = stack_.back().value;
    const SlotType type = operation.a.type();
    operation.op = type == SlotType::V128 ? CodeOp::ReturnV128
                   : in_float_file(type)  ? CodeOp::ReturnFloat
                                          : CodeOp::ReturnInteger;
  } else if (count > 1) {
    // The results take the place of the parameters, which may still be among the values: settle
    // all of them first, then move them in one block.
    settle_all();
    pin_top(count);
    const Entry& first = stack_[stack_.size() - count];
    Operation block;
    block.op = CodeOp::MoveBlock;
    block.offset = first.slot;
    block.immediate = 0xFFFFFFFF;  // the argument area
    block.extra = next_slot() - first.slot;
    last_effect_ = last_call_ = emit(block) + 1;
  }
  emit(operation);
  end_reachable();
}

// --- Calls ---------------------------------------------------------------------------------------

// Arguments lie in the topmost slots of the operand stack, where the callee's frame expects them.
void IrBuilder::arguments_in_place(const FuncType& type) {
  const auto count = static_cast<uint32_t>(type.parameters.size());
  settle_top(count);
  truncate(static_cast<uint32_t>(stack_.size()) - count);
}

void IrBuilder::finish_call(const FuncType& type, uint32_t argument_slot, uint32_t call) {
  if (!loops_.empty()) ir_.labels[loops_.back()].plain_loop = false;
  last_effect_ = last_call_ = call + 1;
  const uint32_t used = argument_slot + argument_slots(type);
  if (used > ir_.max_operand_slots) ir_.max_operand_slots = used;
  if (type.results.size() == 1) {
    const SlotType result = slot_type(type.results[0]);
    ir_.operations[call].d = Operand(OperandKind::Temp, result, argument_slot);
    const uint32_t end = argument_slot + slots_of(result);
    if (end > slot_write_.size()) slot_write_.resize(end + 16, 0);
    for (uint32_t i = argument_slot; i < end; i++) slot_write_[i] = call + 1;
    push(Operand(OperandKind::Temp, result, call));
  } else {
    for (const ValueType result : type.results) push_slot(slot_type(result));
  }
}

void IrBuilder::call(uint32_t function) {
  const FuncType& type = module_.types[module_.function_types[function]];
  arguments_in_place(type);
  Operation operation;
  operation.op = function < module_.imported_function_count ? CodeOp::CallSlow : kCallDirect;
  operation.offset = next_slot();
  operation.immediate = function;
  operation.extra = argument_slots(type);
  const uint32_t slot = operation.offset;
  finish_call(type, slot, emit(operation));
}

void IrBuilder::call_indirect() {
  const uint32_t type_index = reader_.u32();
  const uint32_t table = reader_.u32();
  const FuncType& type = module_.types[type_index];
  Operation operation;
  operation.op = CodeOp::CallIndirect;
  operation.a = pop();
  if (operation.a.is(OperandKind::Temp) || operation.a.is(OperandKind::Slot)) {
    // Its slot lies above the arguments, where the callee's frame begins: it is read before that.
    ir_.max_operand_slots = std::max(ir_.max_operand_slots, next_slot() + 1);
  }
  arguments_in_place(type);
  operation.offset = next_slot();
  operation.immediate = type_index;
  operation.label = table;
  operation.extra = argument_slots(type);
  const uint32_t slot = operation.offset;
  finish_call(type, slot, emit(operation));
}

// An operation of vm/slow_ops.cpp: operands in a, b, c, in the order of the stack.
void IrBuilder::slow(CodeOp op, uint32_t operand_count, bool has_result, SlotType result,
                     uint32_t immediate, uint32_t extra) {
  Operation operation;
  operation.op = op;
  if (operand_count > 2) operation.c = pop();
  if (operand_count > 1) operation.b = pop();
  if (operand_count > 0) operation.a = pop();
  operation.immediate = immediate;
  operation.extra = extra;
  if (has_result) {
    last_effect_ = push_result(operation, result) + 1;
  } else {
    last_effect_ = emit(operation) + 1;
  }
}

// --- Dispatch over opcodes -----------------------------------------------------------------------

void IrBuilder::instruction(Opcode opcode) {
  const OpcodeInfo& info = opcode_info(opcode);
  switch (info.kind) {
    case OpcodeKind::Simple:
      numeric(opcode);
      return;
    case OpcodeKind::Load:
      load(opcode);
      return;
    case OpcodeKind::Store:
      store(opcode);
      return;
    case OpcodeKind::Special:
      control(opcode);
      return;
    default:
      lane_access(opcode);
      return;
  }
}

void IrBuilder::control(Opcode opcode) {
  switch (opcode) {
    case Opcode::Unreachable:
      emit_op(CodeOp::UnreachableNow, {}, {});
      end_reachable();
      return;
    case Opcode::Nop:
      return;
    case Opcode::Block:
    case Opcode::Loop:
    case Opcode::If:
      begin_block(opcode);
      return;
    case Opcode::Else:
      begin_else();
      return;
    case Opcode::End:
      end_block();
      return;
    case Opcode::Br:
      branch(reader_.u32());
      return;
    case Opcode::BrIf:
      branch_if(reader_.u32());
      return;
    case Opcode::BrTable:
      branch_table();
      return;
    case Opcode::Return:
      return_from_function();
      return;
    case Opcode::Call:
      call(reader_.u32());
      return;
    case Opcode::CallIndirect:
      call_indirect();
      return;
    case Opcode::Drop:
      drop();
      return;
    case Opcode::Select:
      select(stack_[stack_.size() - 2].value.type());
      return;
    case Opcode::SelectTyped: {
      reader_.u32();
      const auto type = static_cast<ValueType>(reader_.byte());
      select(slot_type(type));
      return;
    }
    case Opcode::LocalGet:
      get_local(reader_.u32());
      return;
    case Opcode::LocalSet:
      set_local(reader_.u32(), false);
      return;
    case Opcode::LocalTee:
      set_local(reader_.u32(), true);
      return;
    case Opcode::GlobalGet:
      get_global(reader_.u32());
      return;
    case Opcode::GlobalSet:
      set_global(reader_.u32());
      return;
    case Opcode::I32Const:
      push(new_constant(SlotType::I32, static_cast<uint32_t>(reader_.s64())));
      return;
    case Opcode::I64Const:
      push(new_constant(SlotType::I64, static_cast<uint64_t>(reader_.s64())));
      return;
    case Opcode::F32Const:
      push(new_constant(SlotType::F32, reader_.raw<uint32_t>()));
      return;
    case Opcode::F64Const:
      push(new_constant(SlotType::F64, reader_.raw<uint64_t>()));
      return;
    case Opcode::V128Const: {
      const auto low = reader_.raw<uint64_t>();
      const auto high = reader_.raw<uint64_t>();
      push(new_constant(SlotType::V128, low, high));
      return;
    }
    case Opcode::RefNull:
      reader_.byte();
      push(new_constant(SlotType::I64, 0));
      return;
    case Opcode::RefIsNull: {
      Operation operation;
      operation.op = code_op(Opcode::I64Eqz);
      operation.a = pop();
      push_result(operation, SlotType::I32);
      return;
    }
    case Opcode::RefFunc:
      slow(CodeOp::RefFuncNow, 0, true, SlotType::I64, reader_.u32());
      return;
    case Opcode::MemorySize: {
      reader_.byte();
      Operation operation;
      operation.op = CodeOp::MemorySizeNow;
      push_result(operation, SlotType::I32);
      return;
    }
    case Opcode::MemoryGrow:
      reader_.byte();
      slow(CodeOp::MemoryGrowNow, 1, true, SlotType::I32);
      return;
    case Opcode::MemoryFill:
      reader_.byte();
      slow(CodeOp::MemoryFillNow, 3, false, SlotType::I32);
      return;
    case Opcode::MemoryCopy:
      reader_.byte();
      reader_.byte();
      slow(CodeOp::MemoryCopyNow, 3, false, SlotType::I32);
      return;
    case Opcode::MemoryInit: {
      const uint32_t segment = reader_.u32();
      reader_.byte();
      slow(CodeOp::MemoryInitNow, 3, false, SlotType::I32, segment);
      return;
    }
    case Opcode::DataDrop:
      slow(CodeOp::DataDropNow, 0, false, SlotType::I32, reader_.u32());
      return;
    case Opcode::TableGet:
      slow(CodeOp::TableGetNow, 1, true, SlotType::I64, reader_.u32());
      return;
    case Opcode::TableSet:
      slow(CodeOp::TableSetNow, 2, false, SlotType::I64, reader_.u32());
      return;
    case Opcode::TableSize:
      slow(CodeOp::TableSizeNow, 0, true, SlotType::I32, reader_.u32());
      return;
    case Opcode::TableGrow:
      slow(CodeOp::TableGrowNow, 2, true, SlotType::I32, reader_.u32());
      return;
    case Opcode::TableFill:
      slow(CodeOp::TableFillNow, 3, false, SlotType::I32, reader_.u32());
      return;
    case Opcode::TableCopy: {
      const uint32_t destination = reader_.u32();
      const uint32_t source = reader_.u32();
      slow(CodeOp::TableCopyNow, 3, false, SlotType::I32, destination, source);
      return;
    }
    case Opcode::TableInit: {
      const uint32_t segment = reader_.u32();
      const uint32_t table = reader_.u32();
      slow(CodeOp::TableInitNow, 3, false, SlotType::I32, table, segment);
      return;
    }
    case Opcode::ElemDrop:
      slow(CodeOp::ElemDropNow, 0, false, SlotType::I32, reader_.u32());
      return;
    default:
      return;
  }
}

}  // namespace qip
