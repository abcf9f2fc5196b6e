// translate(): validated module to cells, one function after the other.
#include <algorithm>
#include <new>
#include <string>
#include <unordered_map>

#include "vm/code_contents.hpp"
#include "vm/emitter.hpp"
#include "vm/ir.hpp"

namespace qip {
namespace {

// The first type equal to each type, found by hashing the types' bytes.
std::vector<uint32_t> canonical_types(const Module& module) {
  std::vector<uint32_t> result(module.types.size());
  std::unordered_map<std::string, uint32_t> first;
  std::string key;
  for (uint32_t i = 0; i < module.types.size(); i++) {
    key.clear();
    for (const ValueType type : module.types[i].parameters) key += static_cast<char>(type);
    key += ':';
    for (const ValueType type : module.types[i].results) key += static_cast<char>(type);
    result[i] = first.try_emplace(key, i).first->second;
  }
  return result;
}

void reset(FunctionIr* ir) {
  ir->operations.clear();
  ir->byte_offsets.clear();
  ir->constants.clear();
  ir->labels.clear();
  ir->tables.clear();
  ir->locals.clear();
  ir->local_slots.clear();
  ir->parameter_count = ir->local_slot_count = ir->argument_slots = ir->max_operand_slots = 0;
}

// The handler of a direct call depends on how many slots the callee wants cleared.
void link_call(const CallFixup& fixup, const CodeContents& contents) {
  const FunctionCode& callee = contents.functions[fixup.callee];
  const auto op = static_cast<CodeOp>(static_cast<int>(CodeOp::Call0) +
                                      4 * static_cast<int>(callee.clear_count) + fixup.save_mode);
  const Handler handler = find_handler(op, Kind::Slot, Kind::Slot, Kind::Slot, Kind::Slot);
  const char* entry = contents.cells + callee.direct_entry;
  char* cell = contents.cells + fixup.cell;
  const auto clear_offset = static_cast<int16_t>(callee.clear_offset);
  __builtin_memcpy(cell, &handler, sizeof handler);
  __builtin_memcpy(cell + 8, &clear_offset, sizeof clear_offset);
  __builtin_memcpy(cell + 16, &entry, sizeof entry);
  __builtin_memcpy(cell + 24, &callee.frame_bytes, sizeof callee.frame_bytes);
}

}  // namespace

uint32_t slot_count(const std::vector<ValueType>& types) {
  uint32_t count = 0;
  for (const ValueType type : types) count += slots_of(type);
  return count;
}

uint32_t argument_slots(const FuncType& type) {
  const uint32_t parameters = slot_count(type.parameters);
  const uint32_t results = slot_count(type.results);
  return parameters > results ? parameters : results;
}

CodeContents::~CodeContents() {
  ::operator delete(cells);
}

Code::Code(std::unique_ptr<CodeContents> contents) : contents_(std::move(contents)) {}
Code::~Code() = default;
const Module& Code::module() const {
  return contents_->module.module();
}
uint64_t Code::size_bytes() const {
  return contents_->cells_bytes;
}

Result<std::shared_ptr<const Code>, LoadError> translate(ValidatedModule validated,
                                                         TranslateOptions options) {
  auto contents = std::make_unique<CodeContents>(std::move(validated));
  const Module& module = contents->module.module();
  contents->options = options;
  contents->canonical_types = canonical_types(module);
  contents->functions.reserve(module.functions.size());
  CellBuffer cells;
  std::vector<CallFixup> fixups;
  FunctionIr ir;
  for (const FunctionBody& body : module.functions) {
    reset(&ir);
    build_ir(module, body, options, false, &ir);
    fuse_neighbours(&ir);
    contents->functions.push_back(
        Emitter(module, contents->canonical_types, ir, cells, fixups, nullptr).emit());
  }
  contents->cells_bytes = cells.size();
  contents->cells = cells.release();
  for (const CallFixup& fixup : fixups) link_call(fixup, *contents);
  return std::shared_ptr<const Code>(std::make_shared<Code>(std::move(contents)));
}

std::vector<uint64_t> byte_offsets_of_cells(const CodeContents& contents, uint32_t defined_index,
                                            std::span<const uint64_t> cell_offsets) {
  const Module& module = contents.module.module();
  std::vector<uint64_t> result(cell_offsets.size(), 0);
  if (defined_index >= module.functions.size()) return result;
  FunctionIr ir;
  build_ir(module, module.functions[defined_index], contents.options, true, &ir);
  fuse_neighbours(&ir);
  CellBuffer cells;
  std::vector<CallFixup> fixups;
  std::vector<CellOrigin> origins;
  Emitter(module, contents.canonical_types, ir, cells, fixups, &origins).emit();
  for (size_t i = 0; i < cell_offsets.size(); i++) {
    const uint64_t relative = cell_offsets[i] - contents.functions[defined_index].entry;
    // Origins are in the order of their cells: the last one that begins at or before it.
    const auto next = std::upper_bound(
        origins.begin(), origins.end(), relative,
        [](uint64_t cell, const CellOrigin& origin) { return cell < origin.cell; });
    if (next != origins.begin()) result[i] = (next - 1)->byte_offset;
  }
  return result;
}

}  // namespace qip
