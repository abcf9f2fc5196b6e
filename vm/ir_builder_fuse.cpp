// Numeric operations, memory accesses and conditions: where producers are sunk into their only
// consumer.
//
// A producer may be sunk if no label lies between and nothing in between writes what it reads;
// a load also not behind anything with an effect (stores, calls, traps, branches). All of this is
// answered from the last writer of each local and slot, so no search is needed.
#include "vm/ir_builder.hpp"
#include "vm/patterns.hpp"

namespace qip {
// --- Sinking -------------------------------------------------------------------------------------

bool IrBuilder::can_sink(uint32_t producer) const {
  const Operation& operation = ir_.operations[producer];
  if (producer < last_label_ || (operation.flags & (kDead | kPinned)) != 0) return false;
  if (!operation.d.is(OperandKind::Temp)) return false;
  if (is_load(operation.op) && producer < last_effect_) return false;
  for (const Operand operand : {operation.a, operation.b, operation.c}) {
    switch (operand.kind()) {
      case OperandKind::Local:
        if (local_write_[operand.index()] > producer) return false;
        break;
      case OperandKind::Temp:
      case OperandKind::Slot: {
        // Its slot may since have been taken by another value or by the arguments of a call.
        if (producer < last_call_) return false;
        const uint32_t slot = operand.is(OperandKind::Slot)
                                  ? operand.index()
                                  : ir_.operations[operand.index()].d.index();
        const uint32_t end = slot + slots_of(operand.type());
        for (uint32_t i = slot; i < end; i++) {
          if (i < slot_write_.size() && slot_write_[i] > producer + 1) return false;
        }
        break;
      }
      default:
        break;
    }
  }
  return true;
}

// The operation that defines `operand`, if it can be merged into an operation emitted now.
Operation* IrBuilder::sinkable(Operand operand) {
  if (!operand.is(OperandKind::Temp) || !can_sink(operand.index())) return nullptr;
  return &ir_.operations[operand.index()];
}

// The next operation carries the byte offset of `of`, a load that is merged into it.
void IrBuilder::keep_origin(Operand of) {
  if (with_byte_offsets_) origin_ = ir_.byte_offsets[of.index()];
}

bool IrBuilder::fits_immediate(Operand constant) const {
  if (constant.type() != SlotType::I64) return true;
  const auto value = static_cast<int64_t>(ir_.constant(constant));
  return value == static_cast<int32_t>(value);
}

// --- Numeric operations --------------------------------------------------------------------------

void IrBuilder::numeric(Opcode opcode) {
  const OpcodeInfo& info = opcode_info(opcode);
  const SlotType result = slot_type_of(info.result());
  switch (info.operand_count()) {
    case 1:
      unary(opcode, result);
      return;
    case 2:
      binary(opcode, result);
      return;
    default:
      ternary(opcode, result);
      return;
  }
}

void IrBuilder::unary(Opcode opcode, SlotType result) {
  Operation operation;
  operation.op = code_op(opcode);
  operation.a = pop();
  const uint32_t index = push_result(operation, result);
  if (may_trap(opcode)) last_effect_ = index + 1;
}

void IrBuilder::ternary(Opcode opcode, SlotType result) {
  Operation operation;
  operation.op = code_op(opcode);
  operation.c = pop();
  operation.b = pop();
  operation.a = pop();
  push_result(operation, result);
}

void IrBuilder::binary(Opcode opcode, SlotType result) {
  Operation x;
  x.b = pop();
  x.a = pop();
  // Constants belong on the right.
  if (x.a.is(OperandKind::Constant) && !x.b.is(OperandKind::Constant)) {
    if (is_commutative(opcode)) {
      std::swap(x.a, x.b);
    } else if (mirrored(opcode) != kNoOpcode) {
      std::swap(x.a, x.b);
      opcode = mirrored(opcode);
    }
  }
  x.op = code_op(opcode);
  fuse_pair(x, opcode);
  const uint32_t index = push_result(x, result);
  if (may_trap(opcode)) last_effect_ = index + 1;
}

bool IrBuilder::fuse_pair(Operation& x, Opcode opcode) {
  return fuse_pair_side(x, opcode, true) || fuse_pair_side(x, opcode, false);
}

// `left`: the operand to merge is x.a. Otherwise x.b.
bool IrBuilder::fuse_pair_side(Operation& x, Opcode opcode, bool left) {
  const Operand fused = left ? x.a : x.b;
  const Operand other = left ? x.b : x.a;
  Operation* y = sinkable(fused);
  if (y == nullptr) return false;
  if (is_load(y->op)) return fuse_load_op(x, opcode, left);
  if (!is_plain(y->op) || !has_value(y->a)) return false;
  Opcode first = static_cast<Opcode>(y->op);
  const bool either = is_commutative(opcode);

  if (y->b.is(OperandKind::Constant) && is_integer(y->b.type()) && fits_immediate(y->b)) {
    auto immediate = static_cast<uint32_t>(ir_.constant(y->b));
    // x - 5 is x + -5; the most negative number is its own negative, and wraps the same way.
    const bool subtract =
        first == Opcode::I32Sub || (first == Opcode::I64Sub && immediate != 0x80000000u);
    if (subtract) {
      first = first == Opcode::I32Sub ? Opcode::I32Add : Opcode::I64Add;
      immediate = 0u - immediate;
    }
    const CodeOp op = pair_immediate(first, opcode, !either && !left);
    const bool constant_ok = !other.is(OperandKind::Constant) || fits_immediate(other);
    if (op != kLabel && constant_ok) {
      x.op = op;
      x.a = y->a;
      x.b = other;
      x.immediate = immediate;
      y->flags |= kDead;
      return true;
    }
    return false;
  }
  if (!has_value(y->b)) return false;
  if (left && other.is(OperandKind::Constant) && is_integer(other.type()) &&
      fits_immediate(other)) {
    auto immediate = static_cast<uint32_t>(ir_.constant(other));
    Opcode second = opcode;
    if (second == Opcode::I32Sub) {
      second = Opcode::I32Add;
      immediate = 0u - immediate;
    }
    const CodeOp op = pair_then_immediate(first, second);
    if (op == kLabel) return false;
    x.op = op;
    x.a = y->a;
    x.b = y->b;
    x.immediate = immediate;
    y->flags |= kDead;
    return true;
  }
  return fuse_triple(x, opcode, left);
}

bool IrBuilder::fuse_triple(Operation& x, Opcode opcode, bool left) {
  const Operand fused = left ? x.a : x.b;
  const Operand other = left ? x.b : x.a;
  if (!has_value(other)) return false;
  Operation* y = sinkable(fused);
  const CodeOp op = triple(static_cast<Opcode>(y->op), opcode, !is_commutative(opcode) && !left);
  if (op == kLabel) return false;
  x.op = op;
  x.a = y->a;
  x.b = y->b;
  x.c = other;
  y->flags |= kDead;
  return true;
}

bool IrBuilder::fuse_load_op(Operation& x, Opcode opcode, bool left) {
  const Operand fused = left ? x.a : x.b;
  const Operand other = left ? x.b : x.a;
  if (!has_value(other)) return false;
  Operation* y = sinkable(fused);
  if (!has_value(y->a)) return false;
  uint32_t index = 0;
  CodeOp load = y->op;
  if (code_op_info(y->op).form == Form::LoadIndexed) {
    if (!y->b.is(OperandKind::Constant)) return false;
    index = static_cast<uint32_t>(ir_.constant(y->b));
    switch (y->op) {
#define CODE_OP(...)
#define LOAD_INDEXED(name, ...) \
  case CodeOp::name##Indexed:   \
    load = CodeOp::name##At;    \
    break;
#include "vm/code_ops.def"
#undef CODE_OP
      default:
        return false;
    }
  }
  const CodeOp op = load_op(load, opcode, !is_commutative(opcode) && left);
  if (op == kLabel) return false;
  x.op = op;
  x.a = other;
  x.b = y->a;
  x.offset = y->offset;
  x.immediate = index;
  keep_origin(fused);
  y->flags |= kDead;
  return true;
}

void IrBuilder::lane(Opcode opcode) {
  const OpcodeInfo& info = opcode_info(opcode);
  Operation operation;
  operation.op = code_op(opcode);
  operation.immediate = reader_.byte();
  if (info.operand_count() == 2) operation.b = pop();
  operation.a = pop();
  push_result(operation, slot_type_of(info.result()));
}

// --- Memory --------------------------------------------------------------------------------------

// The whole address is known: fold it into the offset. False if the sum needs more than 32 bits.
bool IrBuilder::fuse_constant_address(Operation& x) {
  if (!x.a.is(OperandKind::Constant)) return false;
  const uint64_t address = uint64_t{static_cast<uint32_t>(ir_.constant(x.a))} + x.offset;
  if (address > 0xFFFFFFFF) return false;
  x.offset = static_cast<uint32_t>(address);
  return true;
}

// ((index & mask) << shift) + base, or without a base: a table look-up. `y` makes the address.
bool IrBuilder::fuse_table_address(Operation& x, Operation& y, CodeOp table) {
  if (table == kLabel) return false;
  const auto is_index = [&](const Operation* z) {
    return z != nullptr && z->op == CodeOp::I32AndImmediateI32Shl && has_value(z->a) &&
           z->b.is(OperandKind::Constant);
  };
  Operation* z = nullptr;
  Operand base;
  if (is_index(&y)) {
    z = &y;
    base = new_constant(SlotType::I32, 0);
  } else if (y.op == code_op(Opcode::I32Add)) {
    z = sinkable(y.a);
    base = y.b;
    if (!is_index(z)) {
      z = sinkable(y.b);
      base = y.a;
    }
    if (!is_index(z)) return false;
    y.flags |= kDead;
  } else {
    return false;
  }
  x.op = table;
  x.a = z->a;
  x.b = base;
  x.immediate = z->immediate;
  x.extra = static_cast<uint32_t>(ir_.constant(z->b)) & 31;
  z->flags |= kDead;
  return true;
}

void IrBuilder::fuse_address(Operation& x, CodeOp indexed, CodeOp scaled, CodeOp table) {
  if (fuse_constant_address(x)) return;
  if (x.a.is(OperandKind::Constant)) {
    // Never inside the memory; an ordinary operand keeps the operation's form.
    move(Operand(OperandKind::Temp, SlotType::I32, next_slot()), x.a);
    x.a =
        Operand(OperandKind::Temp, SlotType::I32, static_cast<uint32_t>(ir_.operations.size()) - 1);
    ir_.max_operand_slots = std::max(ir_.max_operand_slots, next_slot() + 1);
    return;
  }
  Operation* y = sinkable(x.a);
  if (y == nullptr || !has_value(y->a)) return;
  if (y->op == CodeOp::I32ShlImmediateI32Add) {
    if (scaled == kLabel) return;
    x.op = scaled;
    x.immediate = y->immediate & 31;
    x.a = y->a;
    x.b = y->b;
    y->flags |= kDead;
    return;
  }
  if (fuse_table_address(x, *y, table)) return;
  if (y->op == code_op(Opcode::I32Add) && indexed != kLabel) {
    x.op = indexed;
    x.a = y->a;
    x.b = y->b;
    y->flags |= kDead;
  }
}

void IrBuilder::load(Opcode opcode) {
  reader_.u32();  // alignment: only a hint
  const AddressForms forms = address_forms(opcode);
  Operation x;
  x.op = forms.plain;
  x.offset = reader_.u32();
  x.a = pop();
  fuse_address(x, forms.indexed, forms.scaled, forms.table);
  push_result(x, slot_type_of(opcode_info(opcode).result()));
}

void IrBuilder::store(Opcode opcode) {
  reader_.u32();  // alignment: only a hint
  const AddressForms forms = address_forms(opcode);
  Operation x;
  x.op = forms.plain;
  x.offset = reader_.u32();
  x.c = pop();
  x.a = pop();
  fuse_address(x, forms.indexed, forms.scaled, kLabel);
  fuse_modify(x, opcode);
  last_effect_ = emit(x) + 1;
}

// store [p] (load [p] op v): one operation.
void IrBuilder::fuse_modify(Operation& x, Opcode store) {
  const bool indexed = code_op_info(x.op).form == Form::StoreIndexed;
  if (!indexed && code_op_info(x.op).form != Form::Store) return;
  if (!x.a.is(OperandKind::Local) || (indexed && !x.b.is(OperandKind::Constant))) return;
  const uint32_t index = indexed ? static_cast<uint32_t>(ir_.constant(x.b)) : 0;
  Operation* y = sinkable(x.c);
  if (y == nullptr) return;

  CodeOp load;
  Opcode op;
  bool reverse;
  if (load_op_parts(y->op, &load, &op, &reverse)) {
    // load op v, in either order: Modify computes (memory op value).
    const bool ordered = is_commutative(op) || reverse;
    if (!ordered || !(y->b == x.a) || y->immediate != index || y->offset != x.offset) return;
    const ModifyPattern pattern = modify_pattern(store, op, load);
    if (pattern.modify == kLabel) return;
    keep_origin(x.c);
    x.op = pattern.modify;
    x.c = y->a;
    x.b = {};
    x.immediate = index;
    y->flags |= kDead;
    return;
  }
  // The same with a constant.
  if (!is_plain(y->op) || !y->b.is(OperandKind::Constant) || !is_integer(y->b.type())) return;
  if (!fits_immediate(y->b)) return;
  Operation* z = sinkable(y->a);
  if (z == nullptr || !(z->a == x.a) || z->offset != x.offset) return;
  const ModifyPattern pattern = modify_pattern(store, static_cast<Opcode>(y->op), z->op);
  if (pattern.modify == kLabel) return;
  uint32_t load_index = 0;
  if (z->op == pattern.indexed) {
    if (!z->b.is(OperandKind::Constant)) return;
    load_index = static_cast<uint32_t>(ir_.constant(z->b));
  }
  if (load_index != index) return;
  keep_origin(y->a);
  x.op = pattern.modify;
  x.c = y->b;
  x.b = {};
  x.immediate = index;
  y->flags |= kDead;
  z->flags |= kDead;
}

// Everything that `control` does not know: lanes, shuffles, lane loads and stores.
void IrBuilder::lane_access(Opcode opcode) {
  const OpcodeInfo& info = opcode_info(opcode);
  if (info.kind == OpcodeKind::Lane) {
    lane(opcode);
    return;
  }
  Operation operation;
  if (info.kind == OpcodeKind::Shuffle) {
    operation.op = code_op(opcode);
    const auto low = reader_.raw<uint64_t>();
    const auto high = reader_.raw<uint64_t>();
    operation.c = new_constant(SlotType::V128, low, high);
    operation.b = pop();
    operation.a = pop();
    push_result(operation, SlotType::V128);
    return;
  }
  // v128.load8_lane and its relatives.
  reader_.u32();  // alignment
  const uint32_t offset = reader_.u32();
  const uint32_t lane_index = reader_.byte();
  const uint32_t width = natural_alignment(info.immediate);
  const bool is_load_lane = info.kind == OpcodeKind::LoadLane;
  operation.op = is_load_lane ? CodeOp::LoadLaneNow : CodeOp::StoreLaneNow;
  operation.offset = offset;
  operation.immediate = lane_index << 8 | width;
  operation.b = pop();
  operation.a = pop();
  if (is_load_lane) {
    last_effect_ = push_result(operation, SlotType::V128) + 1;
  } else {
    last_effect_ = emit(operation) + 1;
  }
}

// --- Conditions ----------------------------------------------------------------------------------

// Emits a branch to `label` if `condition` is not zero; with `invert`, if it is zero.
void IrBuilder::branch_on(Operand condition, uint32_t label, bool invert) {
  ir_.labels[label].uses++;
  Operation x;
  x.label = label;
  // eqz(eqz(...)): bounded, every turn consumes an operation.
  for (Operation* y = sinkable(condition);
       y != nullptr && y->op == code_op(Opcode::I32Eqz) && y->a.is(OperandKind::Temp) &&
       sinkable(y->a) != nullptr && is_plain(ir_.operations[y->a.index()].op);
       y = sinkable(condition)) {
    y->flags |= kDead;
    condition = y->a;
    invert = !invert;
  }
  if (Operation* y = sinkable(condition); y != nullptr && is_plain(y->op)) {
    const auto opcode = static_cast<Opcode>(y->op);
    if (opcode == Opcode::I32Eqz || opcode == Opcode::I64Eqz) {
      const bool wide = opcode == Opcode::I64Eqz;
      x.op = wide ? (invert ? CodeOp::BranchIfI64Ne : CodeOp::BranchIfI64Eq)
                  : (invert ? CodeOp::BranchIfI32Ne : CodeOp::BranchIfI32Eq);
      x.a = y->a;
      x.b = new_constant(wide ? SlotType::I64 : SlotType::I32, 0);
    } else if (opcode == Opcode::I32And) {
      x.op = invert ? CodeOp::BranchIfI32NoBit : CodeOp::BranchIfI32AnyBit;
      x.a = y->a;
      x.b = y->b;
    } else if (invert && opposite(opcode) != kNoOpcode) {
      x.op = branch_on_compare(opposite(opcode));
      x.a = y->a;
      x.b = y->b;
    } else if (invert && branch_on_not_compare(opcode) != kLabel) {
      x.op = branch_on_not_compare(opcode);
      x.a = y->a;
      x.b = y->b;
    } else if (!invert && branch_on_compare(opcode) != kLabel) {
      x.op = branch_on_compare(opcode);
      x.a = y->a;
      x.b = y->b;
    }
    if (x.op != kLabel) {
      y->flags |= kDead;
      emit(x);
      return;
    }
  }
  x.op = invert ? CodeOp::BranchIfI32Eq : CodeOp::BranchIfI32Ne;
  x.a = condition;
  x.b = new_constant(SlotType::I32, 0);
  emit(x);
}

}  // namespace qip
