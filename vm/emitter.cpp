// Pass 4: cells.
#include "vm/emitter.hpp"

#include <new>

#include "vm/instance.hpp"
#include "vm/patterns.hpp"

namespace qip {
namespace {

constexpr int64_t kMaxNear = 32'767;
// Frames larger than this keep their scratch slots in front, where they are always near.
constexpr int64_t kLargeFrame = 28 * 1024;

bool is_near(int64_t offset) {
  return offset >= -32'768 && offset <= kMaxNear;
}
bool fits32(int64_t value) {
  return value == static_cast<int32_t>(value);
}

CodeOp constant_op(SlotType type) {
  switch (type) {
    case SlotType::I32:
      return CodeOp::ConstI32;
    case SlotType::I64:
      return CodeOp::ConstI64;
    case SlotType::F32:
      return CodeOp::ConstF32;
    case SlotType::F64:
      return CodeOp::ConstF64;
    case SlotType::V128:
      return CodeOp::ConstV128;
  }
  return CodeOp::ConstI64;
}

}  // namespace

// --- CellBuffer ----------------------------------------------------------------------------------

CellBuffer::~CellBuffer() {
  ::operator delete(data_);
}

uint64_t CellBuffer::append(uint64_t count) {
  const uint64_t offset = size_;
  if (size_ + count > capacity_) {
    uint64_t capacity = capacity_ < 4096 ? 4096 : capacity_ * 2;
    while (capacity < size_ + count) capacity *= 2;
    reallocate(capacity);
  }
  __builtin_memset(data_ + offset, 0, count);
  size_ += count;
  return offset;
}

void CellBuffer::reallocate(uint64_t capacity) {
  char* data = static_cast<char*>(::operator new(capacity));
  if (size_ > 0) __builtin_memcpy(data, data_, size_);
  ::operator delete(data_);
  data_ = data;
  capacity_ = capacity;
}

char* CellBuffer::release() {
  if (size_ > 0) reallocate(size_);
  char* data = data_;
  data_ = nullptr;
  size_ = capacity_ = 0;
  return data;
}

// --- Frame, prologue -----------------------------------------------------------------------------

Emitter::Emitter(const Module& module, const std::vector<uint32_t>& canonical_types, FunctionIr& ir,
                 CellBuffer& cells, std::vector<CallFixup>& fixups,
                 std::vector<CellOrigin>* origins)
    : module_(module),
      canonical_types_(canonical_types),
      ir_(ir),
      cells_(cells),
      fixups_(fixups),
      origins_(origins) {}

FunctionCode Emitter::emit() {
  assign_accumulators();
  choose_hot_locals();
  FunctionCode code;
  lay_out_frame(&code);
  label_cells_.assign(ir_.labels.size(), 0);
  code.entry = cells_.size();
  prologue(&code);
  for (uint32_t i = 0; i < ir_.operations.size(); i++) {
    if (ir_.operations[i].dead()) continue;
    if (origins_ != nullptr) origins_->push_back({cells_.size(), ir_.byte_offsets[i]});
    operation(i);
  }
  patch_branches();
  code.end = cells_.size();
  return code;
}

void Emitter::lay_out_frame(FunctionCode* code) {
  const int64_t header = save_mode_ != 0 ? kHomeOffset + kHomeBytes : kHomeOffset;
  const int64_t body = 8 * (int64_t{ir_.local_slot_count} + ir_.max_operand_slots);
  const int64_t scratch_bytes = 8 * kScratchSlots;
  if (header + body + scratch_bytes > kLargeFrame) {
    scratch_base_ = header;
    locals_base_ = header + scratch_bytes;
    operands_base_ = locals_base_ + 8 * int64_t{ir_.local_slot_count};
  } else {
    locals_base_ = header;
    operands_base_ = locals_base_ + 8 * int64_t{ir_.local_slot_count};
    scratch_base_ = operands_base_ + 8 * int64_t{ir_.max_operand_slots};
  }
  const int64_t bytes = header + body + scratch_bytes;
  code->frame_bytes = static_cast<uint32_t>(bytes);
}

// Clears the locals and loads hot ones. The Clear is the first cell, so that a direct call, which
// clears by itself, can start behind it.
void Emitter::prologue(FunctionCode* code) {
  const uint32_t slots = ir_.local_slot_count;
  if (slots > 0) {
    if (slots <= 4) {
      static constexpr CodeOp kClear[] = {CodeOp::Clear1, CodeOp::Clear2, CodeOp::Clear3,
                                          CodeOp::Clear4};
      cell(kClear[slots - 1], 0, locals_base_, slots);
      code->clear_count = slots;
      code->clear_offset = static_cast<int32_t>(locals_base_);
    } else {
      cell(CodeOp::ClearMany, 0, locals_base_, slots);
    }
  }
  code->direct_entry = code->clear_count > 0 ? cells_.size() : code->entry;
  for (uint32_t i = 0; i < hot_.size(); i++) {
    if (hot_[i] < 0) continue;
    const SlotType type = ir_.locals[i];
    const Place to{static_cast<Kind>(static_cast<int>(Kind::Register0) + hot_[i]), 0, false};
    Place from{Kind::Immediate, 0, false};
    if (i < ir_.parameter_count) from = {Kind::Slot, 8 * int64_t{ir_.local_slots[i]}, false};
    move(to, from, type);
  }
}

// --- Places --------------------------------------------------------------------------------------

Emitter::Place Emitter::place_of(Operand operand) const {
  switch (operand.kind()) {
    case OperandKind::Local: {
      const uint32_t local = operand.index();
      if (hot_[local] >= 0) {
        return {static_cast<Kind>(static_cast<int>(Kind::Register0) + hot_[local]), 0, false};
      }
      const int64_t slot = ir_.local_slots[local];
      return {Kind::Slot, (local < ir_.parameter_count ? 0 : locals_base_) + 8 * slot, false};
    }
    case OperandKind::Temp: {
      const Operation& producer = ir_.operations[operand.index()];
      if ((producer.flags & kInAcc) != 0) return {Kind::Accumulator, 0, false};
      return {Kind::Slot, operand_slot_offset(producer.d.index()), false};
    }
    case OperandKind::Slot:
      return {Kind::Slot, operand_slot_offset(operand.index()), false};
    case OperandKind::Constant: {
      const uint64_t bits = ir_.constant(operand);
      switch (operand.type()) {
        case SlotType::I32:
        case SlotType::F32:
          return {Kind::Immediate, static_cast<int32_t>(static_cast<uint32_t>(bits)), false};
        case SlotType::I64: {
          const auto value = static_cast<int64_t>(bits);
          return {Kind::Immediate, value, !fits32(value)};
        }
        default:
          // f64: its bits; v128: the index of the constant.
          return {Kind::Immediate,
                  operand.type() == SlotType::V128 ? static_cast<int64_t>(operand.index())
                                                   : static_cast<int64_t>(bits),
                  true};
      }
    }
    case OperandKind::None:
      break;
  }
  return {};
}

Emitter::Place Emitter::destination_of(const Operation& x) const {
  if (x.d.is(OperandKind::Local)) return place_of(x.d);
  if (x.d.is(OperandKind::None)) return {};
  if ((x.flags & kInAcc) != 0) return {Kind::Accumulator, 0, false};
  return {Kind::Slot, operand_slot_offset(x.d.index()), false};
}

// --- Cells ---------------------------------------------------------------------------------------

uint64_t Emitter::cell(Handler handler, int64_t d, int64_t a, int64_t b, uint32_t bytes) {
  const uint64_t at = cells_.append(bytes);
  cells_.put(at, handler);
  cells_.put(at + 8, static_cast<int16_t>(d));
  cells_.put(at + 10, static_cast<int16_t>(a));
  cells_.put(at + 12, static_cast<int32_t>(b));
  return at;
}

uint64_t Emitter::cell(CodeOp op, int64_t d, int64_t a, int64_t b) {
  const CodeOpInfo& info = code_op_info(op);
  return cell(find_handler(op, Kind::Slot, Kind::Slot, Kind::Slot, Kind::Slot), d, a, b,
              cell_bytes(info, Kind::Slot, Kind::Slot, Kind::Slot));
}

void Emitter::copy_far(CodeOp op, int64_t near_offset, int64_t far_offset, SlotType type) {
  const uint64_t at = cell(op, near_offset, 0, far_offset);
  cells_.put(at + 20, static_cast<int32_t>(slots_of(type)));
}

// Any place to any place that can be written.
void Emitter::move(Place to, Place from, SlotType type) {
  if (to.kind == Kind::Slot && !is_near(to.value)) {
    const Place middle =
        from.kind == Kind::Slot && is_near(from.value) ? from : to_scratch(from, type, 3);
    copy_far(CodeOp::CopyFarOut, middle.value, to.value, type);
    return;
  }
  if (from.kind == Kind::Immediate) {
    CodeOp op = constant_op(type);
    if (type == SlotType::I64 && from.wide) op = CodeOp::ConstI64Wide;
    const CodeOpInfo& info = code_op_info(op);
    const uint64_t at =
        cell(find_handler(op, to.kind, Kind::Slot, Kind::Slot, Kind::Slot), to.value, 0,
             from.wide ? 0 : from.value, cell_bytes(info, Kind::Slot, Kind::Slot, Kind::Slot));
    if (type == SlotType::V128) {
      const auto index = static_cast<size_t>(from.value);
      cells_.put(at + 16, ir_.constants[index]);
      cells_.put(at + 24, ir_.constants[index + 1]);
    } else if (info.form == Form::Constant64) {
      cells_.put(at + 16, from.value);
    }
    return;
  }
  if (from.kind == Kind::Slot && !is_near(from.value)) {
    if (to.kind == Kind::Slot) {
      copy_far(CodeOp::CopyFarIn, to.value, from.value, type);
      return;
    }
    const Place middle = scratch(3);
    copy_far(CodeOp::CopyFarIn, middle.value, from.value, type);
    from = middle;
  }
  const CodeOp op = move_op(type);
  cell(find_handler(op, to.kind, from.kind, Kind::Slot, Kind::Slot), to.value, from.value, 0, 16);
}

Emitter::Place Emitter::to_scratch(Place from, SlotType type, int index) {
  const Place to = scratch(index);
  move(to, from, type);
  return to;
}

// A slot beyond the reach of 16 bits is copied first.
Emitter::Place Emitter::near(Place place, SlotType type, int index) {
  if (place.kind != Kind::Slot || is_near(place.value)) return place;
  return to_scratch(place, type, index);
}

// --- Operations ----------------------------------------------------------------------------------

void Emitter::operation(uint32_t index) {
  const Operation& x = ir_.operations[index];
  if (x.op == kLabel) {
    label_cells_[x.label] = cells_.size();
    return;
  }
  if (x.op == kLoopHead) {
    loop_head(x);
    return;
  }
  if (x.op == kCallDirect || x.op == CodeOp::CallSlow || x.op == CodeOp::CallIndirect) {
    call(x);
    return;
  }
  switch (code_op_info(x.op).form) {
    case Form::Move:
      move(destination_of(x), place_of(x.a), x.a.type());
      return;
    case Form::BranchTable:
      branch_table(x);
      return;
    case Form::Slow:
      slow(x);
      return;
    default:
      plain(x);
      return;
  }
}

void Emitter::loop_head(const Operation& x) {
  const LabelInfo& label = ir_.labels[x.label];
  if (label.uses > 0 && label.plain_loop) {
    cell(CodeOp::SetLoop, 0, 0, 0);
    label_cells_[x.label] = cells_.size();
    return;
  }
  label_cells_[x.label] = cells_.size();
  if (label.uses > 0) cell(CodeOp::LoopCheck, 0, 0, 0);
}

// Brings each operand to a place that the operation has a handler for, and writes the cell.
void Emitter::plain(const Operation& x) {
  const CodeOpInfo& info = code_op_info(x.op);
  const bool is_access = info.form == Form::Load || info.form == Form::Store;
  Place d = destination_of(x), a = place_of(x.a), b = place_of(x.b), c = place_of(x.c);
  if (is_access && x.a.is(OperandKind::Constant)) a = {Kind::Immediate, 0, false};
  // MoveTwo writes c; the operations that update locals in place name them in a and d only.
  const SlotType type_a = x.a.type(), type_b = x.b.type(), type_c = x.c.type();

  const auto legal = [&](Place place, Places places, SlotType type, int number) {
    if (places == 0) return place;
    const bool wide = place.kind == Kind::Immediate && place.wide &&
                      !(info.wide_immediate && type == SlotType::F64 && number == 1);
    if (!contains(places, place.kind) || wide) return to_scratch(place, type, number);
    return place;
  };
  a = near(legal(a, info.a, type_a, 0), type_a, 0);
  b = legal(b, info.b, type_b, 1);
  if (info.form == Form::Shuffle) {
    c = {};
  } else {
    c = legal(c, info.c, type_c, 2);
  }
  if (info.form == Form::CompareBranch) b = near(b, type_b, 1);
  if (info.form == Form::Store || info.form == Form::StoreIndexed ||
      info.form == Form::StoreScaled || info.form == Form::Modify) {
    c = near(c, type_c, 2);
  }
  Place target = d;
  const bool writes = !x.d.is(OperandKind::None);
  bool copy_out = false;
  if (writes && (!contains(info.d, d.kind) || (d.kind == Kind::Slot && !is_near(d.value)))) {
    target = scratch(3);
    copy_out = true;
  }

  Handler handler = find_handler(x.op, target.kind, a.kind, b.kind, c.kind);
  if (handler == nullptr) {
    // Two operands in one accumulator cannot be; be safe and use slots for all.
    a = a.kind == Kind::Slot ? a : to_scratch(a, type_a, 0);
    b = b.kind == Kind::Slot ? b : to_scratch(b, type_b, 1);
    c = c.kind == Kind::Slot ? c : to_scratch(c, type_c, 2);
    handler = find_handler(x.op, target.kind, a.kind, b.kind, c.kind);
  }
  const uint32_t bytes = cell_bytes(info, a.kind, b.kind, c.kind);
  const bool immediate_b = b.kind == Kind::Immediate;
  const bool immediate_c = c.kind == Kind::Immediate;
  uint64_t at = 0;
  const auto word = [&](uint64_t offset, int64_t value) {
    cells_.put(at + offset, static_cast<int32_t>(value));
  };
  const auto branch = [&] { branch_fixups_.push_back({at + 12, at, x.label, true}); };
  switch (info.form) {
    case Form::Plain:
      at = cell(handler, 0, 0, x.offset, bytes);
      break;
    case Form::Unary:
      at = cell(handler, target.value, a.value, 0, bytes);
      break;
    case Form::Binary:
      at = cell(handler, target.value, a.value, b.wide ? 0 : b.value, bytes);
      if (immediate_b && info.wide_immediate) cells_.put(at + 16, b.value);
      break;
    case Form::Ternary:
      at = cell(handler, target.value, a.value, b.value, bytes);
      word(16, c.value);
      break;
    case Form::Lane:
      at = cell(handler, target.value, a.value, b.value, bytes);
      word(16, x.immediate);
      break;
    case Form::Shuffle:
      at = cell(handler, target.value, a.value, b.value, bytes);
      cells_.put(at + 16, ir_.constants[x.c.index()]);
      cells_.put(at + 24, ir_.constants[x.c.index() + 1]);
      break;
    case Form::MoveTwo:
      at = cell(handler, target.value, a.value, 0, bytes);
      cells_.put(at + 12, static_cast<int16_t>(c.value));
      cells_.put(at + 14, static_cast<int16_t>(b.value));
      break;
    case Form::AddTwo:
      at = cell(handler, target.value, a.value, static_cast<int32_t>(x.immediate), bytes);
      word(16, static_cast<int32_t>(x.extra));
      break;
    case Form::CompareBranch:
      at = cell(handler, immediate_b ? 0 : b.value, a.value, 0, bytes);
      if (immediate_b) {
        if (info.wide_immediate)
          cells_.put(at + 16, b.value);
        else
          word(16, b.value);
      }
      branch();
      break;
    case Form::AddBranch:
    case Form::StoreAddBranch:
      at = cell(handler, 0, a.value, 0, bytes);
      word(16, b.value);
      word(20, c.value);
      if (info.form == Form::StoreAddBranch) {
        cells_.put(at + 24, x.immediate);
        cells_.put(at + 28, x.extra);
      }
      branch();
      break;
    case Form::MoveBranch:
      at = cell(handler, target.value, a.value, 0, bytes);
      branch();
      break;
    case Form::ConstBranch:
      at = cell(handler, target.value, 0, 0, bytes);
      cells_.put(at + 16, x.immediate);
      branch();
      break;
    case Form::AddJump:
      at = cell(handler, target.value, 0, 0, bytes);
      word(16, b.value);
      branch();
      break;
    case Form::Jump:
      at = cell(handler, 0, 0, 0, bytes);
      branch();
      break;
    case Form::Load:
      at = cell(handler, target.value, a.value, static_cast<int32_t>(x.offset), bytes);
      break;
    case Form::LoadIndexed:
      at = cell(handler, target.value, a.value, static_cast<int32_t>(x.offset), bytes);
      word(16, b.value);
      break;
    case Form::LoadScaled:
    case Form::LoadTable:
      at = cell(handler, target.value, a.value, static_cast<int32_t>(x.offset), bytes);
      word(16, b.value);
      cells_.put(at + 20, x.immediate);
      if (info.form == Form::LoadTable) cells_.put(at + 24, x.extra);
      break;
    case Form::LoadOp:
      at = cell(handler, target.value, a.value, static_cast<int32_t>(x.offset), bytes);
      word(16, b.value);
      cells_.put(at + 20, x.immediate);
      break;
    case Form::Store:
      at = cell(handler, immediate_c ? 0 : c.value, a.value, static_cast<int32_t>(x.offset), bytes);
      if (immediate_c) word(16, c.value);
      break;
    case Form::StoreIndexed:
    case Form::StoreScaled:
      at = cell(handler, c.value, a.value, static_cast<int32_t>(x.offset), bytes);
      word(16, b.value);
      if (info.form == Form::StoreScaled) cells_.put(at + 20, x.immediate);
      break;
    case Form::Modify:
      at = cell(handler, immediate_c ? 0 : c.value, a.value, static_cast<int32_t>(x.offset), bytes);
      cells_.put(at + 16, x.immediate);
      if (immediate_c) word(20, c.value);
      break;
    case Form::PairImmediate:
      at = cell(handler, target.value, a.value, b.value, bytes);
      cells_.put(at + 16, x.immediate);
      break;
    case Form::GlobalGet:
      at = cell(handler, target.value, 0, int64_t{x.immediate} * int64_t{sizeof(GlobalInstance)},
                bytes);
      break;
    case Form::GlobalSet:
      at = cell(handler, 0, a.value, int64_t{x.immediate} * int64_t{sizeof(GlobalInstance)}, bytes);
      break;
    case Form::MemorySize:
      at = cell(handler, target.value, 0, 0, bytes);
      break;
    case Form::ReturnValue:
      at = cell(handler, 0, a.kind == Kind::Immediate ? 0 : a.value,
                a.kind == Kind::Immediate ? a.value : 0, bytes);
      break;
    case Form::ReturnBinary:
      at = cell(handler, 0, a.value, b.value, bytes);
      break;
    default:
      break;
  }
  if (copy_out) move(d, target, x.d.type());
}

void Emitter::branch_table(const Operation& x) {
  const CodeOpInfo& info = code_op_info(x.op);
  Place a = place_of(x.a);
  if (a.kind == Kind::Immediate) a = to_scratch(a, SlotType::I32, 0);
  a = near(a, SlotType::I32, 0);
  const uint32_t count = ir_.tables[x.label];
  const uint64_t bytes = 24 + (4 * uint64_t{count} + 7) / 8 * 8;
  const uint64_t at = cell(find_handler(x.op, Kind::Slot, a.kind, Kind::Slot, Kind::Slot), 0,
                           a.value, int64_t{count} - 1, cell_bytes(info, a.kind, a.kind, a.kind));
  cells_.append(bytes - 24);
  cells_.put(at + 16, x.immediate);
  for (uint32_t i = 0; i < count; i++) {
    branch_fixups_.push_back({at + 24 + 4 * uint64_t{i}, at, ir_.tables[x.label + 1 + i], false});
  }
}

// Operands in slots; d, a near, b and c anywhere.
void Emitter::slow(const Operation& x) {
  const auto in_slot = [&](Operand operand, int number) {
    const Place place = place_of(operand);
    if (operand.is(OperandKind::None)) return place;
    return place.kind == Kind::Slot ? place : to_scratch(place, operand.type(), number);
  };
  const Place a = near(in_slot(x.a, 0), x.a.type(), 0);
  const Place b = in_slot(x.b, 1), c = in_slot(x.c, 2);
  const Place d = destination_of(x);
  const bool writes = !x.d.is(OperandKind::None);
  const bool direct = d.kind == Kind::Slot && is_near(d.value);
  const Place target = direct ? d : scratch(3);
  if (x.op == CodeOp::MoveBlock) {
    const int64_t to = x.immediate == 0xFFFFFFFF ? -8 * int64_t{ir_.argument_slots}
                                                 : operand_slot_offset(x.immediate);
    const uint64_t at = cell(x.op, 0, 0, operand_slot_offset(x.offset));
    cells_.put(at + 16, static_cast<int32_t>(to));
    cells_.put(at + 20, x.extra);
    return;
  }
  const uint64_t at = cell(x.op, target.value, a.value, b.value);
  cells_.put(at + 16, static_cast<int32_t>(c.value));
  cells_.put(at + 20, x.immediate);
  cells_.put(at + 24, x.extra);
  cells_.put(at + 28, x.offset);
  if (writes && !direct) move(d, target, x.d.type());
}

// --- Calls ---------------------------------------------------------------------------------------

void Emitter::call(const Operation& x) {
  static constexpr CodeOp kSave[] = {CodeOp::Return, CodeOp::SaveIntegers, CodeOp::SaveFloats,
                                     CodeOp::SaveAll};
  const int64_t delta = operand_slot_offset(x.offset) + 8 * int64_t{x.extra};
  if (x.op == kCallDirect) {
    const uint64_t at = cell(CodeOp::Call0, 0, 0, delta);
    fixups_.push_back({at, x.immediate - module_.imported_function_count, save_mode_});
    finish_call(x);
    return;
  }
  if (x.op == CodeOp::CallSlow) {
    if (save_mode_ != 0) cell(kSave[save_mode_], 0, 0, 0);
    const uint64_t at = cell(CodeOp::CallSlow, 0, 0, delta);
    cells_.put(at + 16, x.immediate);
    finish_call(x);
    return;
  }
  Place a = place_of(x.a);
  const uint32_t type = canonical_types_[x.immediate];
  const uint32_t table = x.label;
  if (a.kind == Kind::Immediate) a = to_scratch(a, SlotType::I32, 0);
  a = near(a, SlotType::I32, 0);
  if (save_mode_ != 0) cell(kSave[save_mode_], 0, 0, 0);
  if (table == 0) {
    const uint64_t at =
        cell(find_handler(CodeOp::CallIndirect, Kind::Slot, a.kind, Kind::Slot, Kind::Slot), 0,
             a.value, delta, 24);
    cells_.put(at + 16, type);
  } else if (a.kind != Kind::Accumulator) {
    move({Kind::Accumulator, 0, false}, a, SlotType::I32);
  }
  const uint64_t at = cell(CodeOp::CallIndirectSlow, 0, 0, delta);
  cells_.put(at + 16, x.immediate);
  cells_.put(at + 20, table);
  finish_call(x);
}

void Emitter::finish_call(const Operation& x) {
  static constexpr CodeOp kRestore[] = {CodeOp::Return, CodeOp::RestoreIntegers,
                                        CodeOp::RestoreFloats, CodeOp::RestoreAll};
  if (save_mode_ != 0) cell(kRestore[save_mode_], 0, 0, 0);
  if (x.d.is(OperandKind::None) || (x.flags & (kInAcc | kUnused)) != 0) return;
  move(destination_of(x), {Kind::Accumulator, 0, false}, x.d.type());
}

void Emitter::patch_branches() {
  for (const Fixup& fixup : branch_fixups_) {
    const LabelInfo& label = ir_.labels[fixup.label];
    int64_t offset =
        static_cast<int64_t>(label_cells_[fixup.label]) - static_cast<int64_t>(fixup.from);
    if (fixup.loop_register && label.is_loop && label.plain_loop) offset = 0;
    cells_.put(fixup.at, static_cast<int32_t>(offset));
  }
}

}  // namespace qip
