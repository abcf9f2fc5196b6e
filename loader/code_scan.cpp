// A call takes at least two bytes of code and gives at most four of targets; everything else is a
// few bytes per function or type.
#include "loader/code_scan.hpp"

#include <utility>

#include "loader/reader.hpp"
#include "loader/syntax.hpp"

namespace qip {
namespace {

class CodeScanner {
 public:
  explicit CodeScanner(const Module& module) : module_(module) {}

  CodeScan run() {
    const size_t function_count = module_.function_types.size();
    // No body is number 0: there is no caller yet.
    last_caller_.assign(function_count + module_.types.size(), 0);
    scan_.referenced.assign(function_count, false);
    scan_.target_begins.assign(module_.imported_function_count, 0);
    scan_.target_begins.reserve(function_count + 1);
    reference_segments();
    for (const FunctionBody& body : module_.functions) {
      scan_.target_begins.push_back(static_cast<uint32_t>(scan_.targets.size()));
      scan_body(body);
    }
    scan_.target_begins.push_back(static_cast<uint32_t>(scan_.targets.size()));
    return std::move(scan_);
  }

 private:
  void reference_segments() {
    for (const ElementSegment& segment : module_.element_segments) {
      for (const uint32_t index : segment.function_indices) scan_.referenced[index] = true;
    }
    for (const ConstantInstruction& step : module_.constant_instructions) {
      if (step.opcode == Opcode::RefFunc) scan_.referenced[step.low] = true;
    }
  }

  void scan_body(const FunctionBody& body) {
    body_number_++;
    Reader reader(module_.bytes.data(), body.code.offset, body.code.offset + body.code.size);
    // Ends: every turn consumes a byte.
    while (!reader.at_end() && !reader.failed()) scan_instruction(reader);
  }

  void scan_instruction(Reader& reader) {
    const uint64_t start = reader.offset();
    const Opcode opcode = read_opcode(reader, module_.features);
    if (opcode == kNoOpcode) return;
    if (opcode != Opcode::Else && opcode != Opcode::End) scan_.instruction_count++;
    switch (opcode) {
      case Opcode::Call:
        scan_.call_count++;
        return add_target(reader.u32());
      case Opcode::CallIndirect:
        scan_.indirect_call_count++;
        add_target(static_cast<uint32_t>(module_.function_types.size()) + reader.u32());
        reader.u32();  // the table: references move freely between those of one module
        return;
      case Opcode::RefFunc:
        scan_.referenced[reader.u32()] = true;
        return;
      case Opcode::MemoryGrow:
        add_memory_grow(start);
        break;
      case Opcode::Loop:
        scan_.loop_count++;
        break;
      default:
        break;
    }
    skip_immediate(reader, module_, opcode_info(opcode).immediate);
  }

  void add_target(uint32_t target) {
    if (last_caller_[target] == body_number_) return;
    last_caller_[target] = body_number_;
    scan_.targets.push_back(target);
  }

  void add_memory_grow(uint64_t offset) {
    const uint32_t index = module_.imported_function_count + body_number_ - 1;
    if (scan_.memory_grows.empty() || scan_.memory_grows.back().function_index != index) {
      scan_.memory_grows.push_back({index, 0, offset});
    }
    scan_.memory_grows.back().count++;
  }

  const Module& module_;
  CodeScan scan_;
  uint32_t body_number_ = 0;           // of the body at hand, from 1
  std::vector<uint32_t> last_caller_;  // by target: the last body that calls it
};

}  // namespace

CodeScan scan_code(const Module& module) {
  return CodeScanner(module).run();
}

}  // namespace qip
