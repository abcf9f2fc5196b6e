// Where a run trapped: its instruction, and the calls that led there, read from the value stack
// that the run left behind.
//
// Promises: one walk over the frames, and each function that is shown is translated again once,
// however often it is there. Whatever the value stack holds, nothing outside of it is read: every
// frame must lie below the one before, inside the stack, and return to where the code of a known
// instance is; the walk ends at the first that does not.
#include <algorithm>
#include <cstring>

#include "vm/code_contents.hpp"
#include "vm/instance.hpp"
#include "vm/slow_ops.hpp"

namespace qip {
namespace {

// An instruction that is running, by its cell.
struct Frame {
  const Instance* instance = nullptr;
  uint32_t defined_index = 0;
  uint64_t cell_offset = 0;
};

uintptr_t address_of(const char* byte) {
  return reinterpret_cast<uintptr_t>(byte);
}

// False if `pc` is not in the cells of the instance's code.
bool find_frame(const Instance* instance, uintptr_t pc, Frame* frame) {
  const CodeContents& contents = instance->code->contents();
  const uint64_t offset = pc - address_of(contents.cells);
  if (offset >= contents.cells_bytes) return false;
  // Functions lie in the cells in their order.
  const auto next = std::upper_bound(
      contents.functions.begin(), contents.functions.end(), offset,
      [](uint64_t cell, const FunctionCode& function) { return cell < function.entry; });
  if (next == contents.functions.begin()) return false;
  *frame = {instance, static_cast<uint32_t>(next - contents.functions.begin() - 1), offset};
  return true;
}

uint32_t function_index(const Frame& frame) {
  return frame.instance->module().imported_function_count + frame.defined_index;
}

bool is_known(const MachineState& machine) {
  return machine.trap != Trap::None && machine.trap_instance != nullptr &&
         machine.trap_pc != nullptr;
}

// Goes from the frame of the trap to its callers, one frame at a time. Every step goes down, so it
// ends.
class Walk {
 public:
  explicit Walk(const MachineState& machine)
      : bottom_(address_of(machine.stack_base)),
        top_(full_stack_limit(machine)),
        sp_(address_of(machine.trap_sp)) {
    found_ = is_known(machine) && bottom_ != 0 && in_stack(sp_, kMinimumFrameBytes) &&
             find_frame(machine.trap_instance, address_of(machine.trap_pc), &frame_);
  }

  bool found() const { return found_; }
  const Frame& frame() const { return frame_; }

  void next() {
    found_ = false;
    const Instance* instance = frame_.instance;
    uintptr_t return_pc = 0;
    if (!leave(&return_pc)) return;
    if (return_pc == address_of(boundary_cell())) {
      if (!cross(&instance) || !leave(&return_pc)) return;
    }
    // The byte before is in the call, whose cell may be the last of its function. The exit cell,
    // where a run began, is in no code.
    found_ = find_frame(instance, return_pc - 1, &frame_);
  }

 private:
  bool in_stack(uintptr_t sp, uint64_t bytes) const {
    return sp >= bottom_ && sp < top_ && bytes <= top_ - sp;
  }
  template <class T>
  T read(uint64_t offset) const {
    T value;
    memcpy(&value, reinterpret_cast<const char*>(sp_) + offset, sizeof value);
    return value;
  }

  // To the frame below.
  bool leave(uintptr_t* return_pc) {
    *return_pc = read<uintptr_t>(0);
    const auto caller = read<uintptr_t>(8);
    if (caller >= sp_ || !in_stack(caller, kMinimumFrameBytes)) return false;
    sp_ = caller;
    return true;
  }

  // A call from another instance (vm/slow_ops.cpp draws its frame). It names the function that it
  // called: the very one that is running.
  bool cross(const Instance** instance) const {
    constexpr uint64_t kBoundaryBytes = 32;
    if (!in_stack(sp_, kBoundaryBytes)) return false;
    const auto* function = read<const FunctionInstance*>(24);
    if (frame_.instance->functions[function_index(frame_)] != function) return false;
    *instance = read<const Instance*>(16);
    return true;
  }

  const uintptr_t bottom_, top_;
  uintptr_t sp_;
  Frame frame_;
  bool found_ = false;
};

bool same_function(const Frame& a, const Frame& b) {
  return a.defined_index == b.defined_index && a.instance->code == b.instance->code;
}

// The byte offset of every frame, function by function. The comparisons are far cheaper than the
// translations that they save.
std::vector<TrapLocation> locate(const std::vector<Frame>& frames) {
  std::vector<TrapLocation> locations(frames.size());
  std::vector<size_t> members;
  std::vector<uint64_t> cells;
  for (size_t first = 0; first < frames.size(); first++) {
    if (locations[first].instance != nullptr) continue;
    members.clear();
    cells.clear();
    for (size_t i = first; i < frames.size(); i++) {
      if (!same_function(frames[i], frames[first])) continue;
      members.push_back(i);
      cells.push_back(frames[i].cell_offset);
    }
    const std::vector<uint64_t> offsets = byte_offsets_of_cells(
        frames[first].instance->code->contents(), frames[first].defined_index, cells);
    for (size_t k = 0; k < members.size(); k++) {
      const Frame& frame = frames[members[k]];
      locations[members[k]] = {frame.instance, function_index(frame), offsets[k]};
    }
  }
  return locations;
}

}  // namespace

TrapLocation last_trap_location(Budget& budget) {
  const MachineState& machine = budget.machine();
  Frame frame;
  if (!is_known(machine) ||
      !find_frame(machine.trap_instance, address_of(machine.trap_pc), &frame)) {
    return {};
  }
  return locate({frame}).front();
}

std::vector<TrapLocation> last_trap_stack(Budget& budget, size_t limit, uint64_t* total_depth) {
  std::vector<Frame> frames;
  *total_depth = 0;
  for (Walk walk(budget.machine()); walk.found(); walk.next()) {
    if (frames.size() < limit) frames.push_back(walk.frame());
    ++*total_depth;
  }
  return locate(frames);
}

}  // namespace qip
