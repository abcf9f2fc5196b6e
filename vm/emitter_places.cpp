// Pass 3: places.
#include <algorithm>

#include "vm/emitter.hpp"

namespace qip {
namespace {

bool is_call(CodeOp op) {
  return op == kCallDirect || op == CodeOp::CallSlow || op == CodeOp::CallIndirect;
}

// What a call costs when locals live in registers, in uses of a local: saving and restoring.
// Measured: without such a rule, recursion loses a third of its speed.
constexpr double kCallPenalty = 6;
constexpr double kEntryPenalty = 4;
constexpr double kLoopWeight = 8;
constexpr int kMaxWeightedDepth = 6;

double weight_of(uint8_t depth) {
  double weight = 1;
  for (int i = 0; i < depth && i < kMaxWeightedDepth; i++) weight *= kLoopWeight;
  return weight;
}

}  // namespace

// A temporary may travel in the accumulator if its value is not disturbed between definition and
// use: no other accumulator value of the same file lives in an overlapping stretch, and no label or
// call lies between. Stretches are assigned in the order of their ends, so it is enough to remember
// where the last one ended.
void Emitter::assign_accumulators() {
  uint32_t ends[2] = {0, 0};  // integer and float accumulator: consumer of the last value, plus 1
  uint32_t barrier = 0;       // first operation whose value may still be in an accumulator
  for (uint32_t i = 0; i < ir_.operations.size(); i++) {
    Operation& x = ir_.operations[i];
    if (x.dead()) continue;
    if (x.op == kLabel || x.op == kLoopHead) {
      barrier = i;
      continue;
    }
    if (x.op < CodeOp::kCount) {
      const CodeOpInfo& info = code_op_info(x.op);
      struct Use {
        Operand operand;
        Places places;
      };
      Use uses[3] = {{x.a, info.a}, {x.b, info.b}, {x.c, info.c}};
      // MoveTwo's c is a destination; it is a local, so it is never considered.
      std::sort(uses, uses + 3, [](const Use& one, const Use& other) {
        return one.operand.index() > other.operand.index();
      });
      for (const Use& use : uses) {
        const Operand operand = use.operand;
        if (!operand.is(OperandKind::Temp) || !contains(use.places, Kind::Accumulator)) continue;
        const uint32_t definition = operand.index();
        Operation& producer = ir_.operations[definition];
        const bool from_call = is_call(producer.op);
        if (definition < barrier || (producer.flags & kPinned) != 0) continue;
        if (!producer.d.is(OperandKind::Temp)) continue;
        if (!from_call && !contains(code_op_info(producer.op).d, Kind::Accumulator)) continue;
        const int file = in_float_file(operand.type()) ? 1 : 0;
        if (definition + 1 < ends[file]) continue;
        producer.flags |= kInAcc;
        ends[file] = i + 1;
      }
    }
    if (is_call(x.op)) barrier = i;
  }
}

void Emitter::choose_hot_locals() {
  const size_t count = ir_.locals.size();
  hot_.assign(count, -1);
  if (QIP_HOT_INTEGERS + QIP_HOT_FLOATS == 0 || count == 0) return;
  std::vector<double> uses(count, 0);
  double penalty = kEntryPenalty;
  bool any_call = false;
  for (const Operation& x : ir_.operations) {
    if (x.dead()) continue;
    const double weight = weight_of(x.depth);
    if (is_call(x.op)) {
      penalty += kCallPenalty * weight;
      any_call = true;
    }
    const bool slow = x.op < CodeOp::kCount && code_op_info(x.op).form == Form::Slow;
    for (const Operand operand : {x.d, x.a, x.b, x.c}) {
      if (!operand.is(OperandKind::Local)) continue;
      uses[operand.index()] += slow ? -weight : weight;
    }
  }
  // The best of each file; ties go to the lower index, so the choice is always the same.
  const int limits[2] = {QIP_HOT_INTEGERS, QIP_HOT_FLOATS};
  int chosen[2] = {0, 0};
  for (int file = 0; file < 2; file++) {
    for (int number = 0; number < limits[file]; number++) {
      size_t best = count;
      for (size_t i = 0; i < count; i++) {
        const SlotType type = ir_.locals[i];
        if (type == SlotType::V128 || in_float_file(type) != (file == 1) || hot_[i] >= 0) continue;
        if (uses[i] <= penalty) continue;
        if (best == count || uses[i] > uses[best]) best = i;
      }
      if (best == count) break;
      hot_[best] = static_cast<int8_t>(number);
      chosen[file]++;
    }
  }
  hot_integers_ = chosen[0];
  hot_floats_ = chosen[1];
  if (any_call) {
    save_mode_ = static_cast<uint8_t>((hot_integers_ > 0 ? 1 : 0) | (hot_floats_ > 0 ? 2 : 0));
  }
}

}  // namespace qip
