// Pass 2: neighbours that no label separates become one operation.
//
// One walk; `live` holds the operations since the last label that are still alive, so that the
// neighbour before the neighbour is at hand without searching.
#include "vm/ir.hpp"
#include "vm/patterns.hpp"

namespace qip {
namespace {

// Operations that update a local in place, or write and then jump, need their destination within
// 16-bit reach of sp: no copy can follow a jump.
constexpr uint32_t kMaxNearSlots = 2'500;

class NeighbourFuser {
 public:
  explicit NeighbourFuser(FunctionIr& ir) : ir_(ir), operations_(ir.operations) {}

  void run() {
    for (uint32_t i = 0; i < operations_.size(); i++) {
      Operation& x = operations_[i];
      if (x.dead()) continue;
      if (x.op == kLabel || x.op == kLoopHead) {
        live_.clear();
        continue;
      }
      // Fusing may make the next fusion possible (store, add, branch): twice is the longest chain.
      if (fuse(i)) fuse(i);
      live_.push_back(i);
    }
  }

 private:
  Operation* previous() { return live_.empty() ? nullptr : &operations_[live_.back()]; }
  void take_previous() {
    operations_[live_.back()].flags |= kDead;
    live_.pop_back();
  }
  uint32_t constant(Operand operand) const { return static_cast<uint32_t>(ir_.constant(operand)); }
  bool fits(Operand operand) const {
    if (!operand.is(OperandKind::Constant)) return operand.is(OperandKind::Local);
    if (operand.type() == SlotType::I32) return true;
    const auto value = static_cast<int64_t>(ir_.constant(operand));
    return operand.type() == SlotType::I64 && value == static_cast<int32_t>(value);
  }
  Operand negated(Operand operand) {
    const auto index = static_cast<uint32_t>(ir_.constants.size());
    ir_.constants.push_back(static_cast<uint32_t>(0u - constant(operand)));
    return Operand(OperandKind::Constant, SlotType::I32, index);
  }

  // local = local + (local or constant); a subtraction of a constant counts. The addend.
  bool is_increment(const Operation& p, Operand* addend) {
    if (!p.d.is(OperandKind::Local) || !p.a.is(OperandKind::Local) || !(p.a == p.d)) return false;
    if (p.op == code_op(Opcode::I32Add) || p.op == code_op(Opcode::I64Add)) {
      if (!fits(p.b)) return false;
      *addend = p.b;
      return true;
    }
    if (p.op == code_op(Opcode::I32Sub) && p.b.is(OperandKind::Constant)) {
      *addend = negated(p.b);
      return true;
    }
    return false;
  }
  static bool is_integer_move(const Operation& p) {
    return p.op == CodeOp::MoveI32 || p.op == CodeOp::MoveI64;
  }

  bool fuse(uint32_t i) {
    Operation& x = operations_[i];
    Operation* p = previous();
    if (p == nullptr) return false;
    if (compare_of_branch(x.op) != kNoOpcode) return fuse_add_branch(x, *p);
    switch (x.op) {
      case CodeOp::Jump:
        return fuse_jump(x, *p);
      case CodeOp::ReturnInteger:
        return fuse_return(x, *p);
      case CodeOp::BranchTable:
        return fuse_table(x, *p);
      case CodeOp::MoveI32:
      case CodeOp::MoveI64:
        return fuse_moves(x, *p);
      default:
        break;
    }
    if (code_op_info_form(x) == Form::AddBranch) return fuse_store_branch(i, *p);
    if (x.op == code_op(Opcode::I32Add) || x.op == code_op(Opcode::I32Sub)) {
      return fuse_two_increments(i);
    }
    return false;
  }
  static Form code_op_info_form(const Operation& x) {
    return x.op < CodeOp::kCount ? code_op_info(x.op).form : Form::None;
  }

  bool fuse_add_branch(Operation& x, Operation& p) {
    Opcode compare = compare_of_branch(x.op);
    Operand addend;
    if (!is_increment(p, &addend)) return false;
    Operand local = x.a, limit = x.b;
    if (limit == p.d && !(local == p.d)) {
      std::swap(local, limit);
      if (mirrored(compare) != kNoOpcode)
        compare = mirrored(compare);
      else if (!is_commutative(compare))
        return false;
    }
    if (!(local == p.d) || limit == p.d || !fits(limit)) return false;
    const Opcode add = local.type() == SlotType::I64 ? Opcode::I64Add : Opcode::I32Add;
    const CodeOp op = add_branch(compare, add);
    if (op == kLabel) return false;
    x.op = op;
    x.a = local;
    x.b = addend;
    x.c = limit;
    take_previous();
    return true;
  }

  bool fuse_store_branch(uint32_t i, Operation& p) {
    Operation& x = operations_[i];
    if (p.op >= CodeOp::kCount || !(p.a == x.a) || !p.c.is(OperandKind::Constant)) return false;
    if (p.offset != 0 || !x.b.is(OperandKind::Constant)) return false;
    Opcode store;
    uint32_t address = 0;
    if (p.op == CodeOp::I32StoreAt || p.op == CodeOp::I32StoreIndexed) {
      store = Opcode::I32Store;
    } else if (p.op == CodeOp::I32Store8At || p.op == CodeOp::I32Store8Indexed) {
      store = Opcode::I32Store8;
    } else {
      return false;
    }
    if (code_op_info_form(p) == Form::StoreIndexed) {
      if (!p.b.is(OperandKind::Constant)) return false;
      address = constant(p.b);
    }
    const CodeOp op = store_add_branch(x.op, store);
    if (op == kLabel) return false;
    x.op = op;
    x.immediate = address;
    x.extra = constant(p.c);
    // The store is what can trap.
    if (!ir_.byte_offsets.empty()) ir_.byte_offsets[i] = ir_.byte_offsets[live_.back()];
    take_previous();
    return true;
  }

  bool fuse_jump(Operation& x, Operation& p) {
    Operand addend;
    if (p.op == CodeOp::MoveI32 && p.a.is(OperandKind::Constant)) {
      x.op = CodeOp::ConstBranchI32;
      x.d = p.d;
      x.immediate = constant(p.a);
    } else if (p.op == CodeOp::MoveI32) {
      x.op = CodeOp::MoveBranchI32;
      x.d = p.d;
      x.a = p.a;
    } else if (p.d.type() == SlotType::I32 && is_increment(p, &addend)) {
      x.op = CodeOp::AddJump;
      x.d = p.d;
      x.b = addend;
    } else {
      return false;
    }
    if ((p.flags & kPinned) != 0) x.flags |= kPinned;
    take_previous();
    return true;
  }

  bool fuse_return(Operation& x, Operation& p) {
    if (!x.a.is(OperandKind::Temp) || x.a.index() != live_.back()) return false;
    if (return_binary(p.op) == kLabel || p.a.is(OperandKind::Constant)) return false;
    if ((p.flags & kPinned) != 0) return false;
    x.op = return_binary(p.op);
    x.a = p.a;
    x.b = p.b;
    take_previous();
    return true;
  }

  bool fuse_table(Operation& x, Operation& p) {
    if (!x.a.is(OperandKind::Temp) || x.a.index() != live_.back()) return false;
    if (!p.b.is(OperandKind::Constant) || p.a.is(OperandKind::Constant)) return false;
    if (p.op == code_op(Opcode::I32Add)) {
      x.immediate = constant(p.b);
    } else if (p.op == code_op(Opcode::I32Sub)) {
      x.immediate = 0u - constant(p.b);
    } else {
      return false;
    }
    x.op = CodeOp::BranchTableAdd;
    x.a = p.a;
    take_previous();
    return true;
  }

  bool fuse_moves(Operation& x, Operation& p) {
    if (!is_integer_move(p) || !p.d.is(OperandKind::Local) || !p.a.is(OperandKind::Local) ||
        !x.d.is(OperandKind::Local) || !x.a.is(OperandKind::Local)) {
      return false;
    }
    const Operand second_to = x.d, second_from = x.a;
    x.op = CodeOp::MoveTwo;
    x.d = p.d;
    x.a = p.a;
    x.c = second_to;
    x.b = second_from;
    take_previous();
    return true;
  }

  // Not if the second increment is better off in the branch that follows.
  bool fuse_two_increments(uint32_t i) {
    Operation& x = operations_[i];
    Operation& p = *previous();
    Operand first, second;
    if (p.d == x.d || p.d.type() != SlotType::I32 || x.d.type() != SlotType::I32) return false;
    if (!is_increment(p, &first) || !first.is(OperandKind::Constant)) return false;
    if (!is_increment(x, &second) || !second.is(OperandKind::Constant)) return false;
    uint32_t next = i + 1;  // ends at the next live operation: linear over all calls
    while (next < operations_.size() && operations_[next].dead()) next++;
    if (next < operations_.size()) {
      const Operation& after = operations_[next];
      if (after.op == CodeOp::Jump) return false;
      if (compare_of_branch(after.op) != kNoOpcode && (after.a == x.d || after.b == x.d)) {
        return false;
      }
    }
    x.op = CodeOp::AddTwo;
    x.a = x.d;
    x.d = p.d;
    x.b = {};
    x.immediate = constant(first);
    x.extra = constant(second);
    take_previous();
    return true;
  }

  FunctionIr& ir_;
  std::vector<Operation>& operations_;
  std::vector<uint32_t> live_;
};

}  // namespace

void fuse_neighbours(FunctionIr* ir) {
  if (uint64_t{ir->local_slot_count} + ir->max_operand_slots > kMaxNearSlots) return;
  NeighbourFuser(*ir).run();
}

}  // namespace qip
