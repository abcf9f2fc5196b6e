#include "vm/slow_ops.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "vm/bodies.hpp"
#include "vm/instance.hpp"

namespace qip {

namespace {

template <class T>
T slot(const Registers& r, int64_t offset) {
  return load_cell<T>(r.sp + offset, 0);
}
uint32_t a32(const Registers& r) {
  return slot<uint32_t>(r, field<Field::A>(r));
}
uint32_t b32(const Registers& r) {
  return slot<uint32_t>(r, field<Field::B>(r));
}
uint32_t c32(const Registers& r) {
  return slot<uint32_t>(r, field<Field::C>(r));
}
template <class T>
void set_d(Registers& r, T value) {
  memcpy(r.sp + field<Field::D>(r), &value, sizeof value);
}
uint32_t immediate(const Registers& r) {
  return static_cast<uint32_t>(field<Field::E>(r));
}
uint32_t second_immediate(const Registers& r) {
  return load_cell<uint32_t>(r.pc, 24);
}
uint32_t access_offset(const Registers& r) {
  return load_cell<uint32_t>(r.pc, 28);
}

bool done(Registers& r) {
  r.pc += kSlowCellBytes;
  return true;
}
bool interrupted(const Registers& r) {
  return r.context->interrupted.load(std::memory_order_relaxed) != 0;
}
Instance& instance(const Registers& r) {
  return *r.context->instance;
}

// Bulk instructions cost fuel by length, one unit for 16 bytes or one table element.
constexpr uint64_t kBytesPerFuel = 16;
bool charge(Registers& r, uint64_t units) {
  if (!instance(r).code->contents().options.fuel) return true;
  if (r.context->fuel < units) {
    r.context->fuel = 0;
    return fail(r, Trap::FuelExhausted);
  }
  r.context->fuel -= units;
  return true;
}

// Bulk work is cut into pieces so that a deadline is noticed between them.
constexpr uint64_t kChunkBytes = uint64_t{1} << 20;
constexpr uint64_t kChunkElements = uint64_t{1} << 16;

// --- Calls ---------------------------------------------------------------------------------------

bool call_host(Registers& r, const FunctionInstance& function, char* callee) {
  const FuncType& type = *function.type;
  const size_t count = type.parameters.size() + type.results.size();
  char* values_at = callee + (16 - reinterpret_cast<uintptr_t>(callee) % 16) % 16;
  const uint64_t bytes = 32 + sizeof(Value) * uint64_t{count};
  if (!frame_fits(r, callee, bytes)) return fail_stack(r);
  auto* values = reinterpret_cast<Value*>(values_at);
  for (size_t i = 0; i < count; i++) new (values + i) Value();
  Value* results = values + type.parameters.size();
  char* slots = callee - 8 * size_t{argument_slots(type)};
  slots_to_values(slots, type.parameters, values);
  MachineState& machine = *r.context;
  char* const outer_top = machine.stack_top;
  machine.stack_top = callee + bytes;
  const Trap trap = function.host(function.host_context, values, results);
  machine.stack_top = outer_top;
  // The host may have grown the memory, or run other guests.
  enter_instance(machine, machine.instance);
  if (trap != Trap::None) return fail(r, trap);
  machine.trap_instance = nullptr;  // the frames of a trap inside the host function are gone now
  values_to_slots(slots, type.results, results);
  if (type.results.size() == 1) {
    r.acc = results[0].low;
    memcpy(&r.facc, &results[0], 16);
  }
  return done(r);
}

// A call into another instance: a boundary frame remembers where to go back to. The arguments move
// up behind it, and its return operation brings the results down again.
//
//   callee + 0   return pc          + 16  the caller's instance
//   callee + 8   caller's sp        + 24  the function
//   callee + 32  arguments          + 32 + 8 * slots: the real frame
bool call_other_instance(Registers& r, const FunctionInstance& function, char* callee) {
  const uint64_t slots = argument_slots(*function.type);
  char* frame = callee + 32 + 8 * slots;
  if (!frame_fits(r, frame, function.frame_bytes)) return fail_stack(r);
  memcpy(callee + 32, callee - 8 * slots, 8 * slots);
  const char* return_pc = r.pc + kSlowCellBytes;
  memcpy(callee, &return_pc, 8);
  memcpy(callee + 8, &r.sp, 8);
  memcpy(callee + 16, &r.context->instance, 8);
  const FunctionInstance* pointer = &function;
  memcpy(callee + 24, &pointer, 8);
  r.sp = callee;
  enter_instance(*r.context, function.instance);
  r.memory = r.context->memory_base;
  enter_frame(r, frame, boundary_cell(), function.entry);
  return true;
}

bool call_function(Registers& r, const FunctionInstance& function) {
  char* callee = r.sp + field<Field::B>(r);
  if (function.host != nullptr) return call_host(r, function, callee);
  if (function.instance != r.context->instance) return call_other_instance(r, function, callee);
  if (!frame_fits(r, callee, function.frame_bytes)) return fail_stack(r);
  enter_frame(r, callee, r.pc + kSlowCellBytes, function.entry);
  return true;
}

struct StaticCell {
  Handler handler;
  int16_t d, a;
  int32_t b;
  uint64_t words[2];
};

QIP_PRESERVE_NONE void boundary_handler(QIP_PARAMETERS) {
  QIP_UNPACK;
  slow::BoundaryReturn(r);
  QIP_DISPATCH(r);
}
constexpr StaticCell kBoundaryCell = {boundary_handler, 0, 0, 0, {0, 0}};

}  // namespace

const char* boundary_cell() {
  return reinterpret_cast<const char*>(&kBoundaryCell);
}

namespace slow {

bool BoundaryReturn(Registers& r) {
  char* boundary = r.sp;
  const auto* function = load_cell<const FunctionInstance*>(boundary, 24);
  if (function->type->results.size() != 1) {
    const uint64_t slots = argument_slots(*function->type);
    memmove(boundary - 8 * slots, boundary + 32, 8 * slots);
  }
  enter_instance(*r.context, load_cell<Instance*>(boundary, 16));
  r.memory = r.context->memory_base;
  leave_frame(r);
  return true;
}

bool CallSlow(Registers& r) {
  return call_function(r, *instance(r).functions[static_cast<uint32_t>(field<Field::C>(r))]);
}

bool CallIndirectSlow(Registers& r) {
  const auto index = static_cast<uint32_t>(r.acc);
  const auto type_index = static_cast<uint32_t>(field<Field::C>(r));
  const TableInstance& table = *instance(r).tables[immediate(r)];
  if (index >= table.elements.size()) return fail(r, Trap::UndefinedElement);
  const auto* function = reinterpret_cast<const FunctionInstance*>(table.elements[index]);
  if (function == nullptr) return fail(r, Trap::UninitializedElement);
  if (!(*function->type == instance(r).module().types[type_index])) {
    return fail(r, Trap::IndirectCallTypeMismatch);
  }
  return call_function(r, *function);
}

// --- Copies --------------------------------------------------------------------------------------

bool CopyFarIn(Registers& r) {
  memcpy(r.sp + field<Field::D>(r), r.sp + field<Field::B>(r), 8 * size_t{immediate(r)});
  return done(r);
}
bool CopyFarOut(Registers& r) {
  memcpy(r.sp + field<Field::B>(r), r.sp + field<Field::D>(r), 8 * size_t{immediate(r)});
  return done(r);
}
bool MoveBlock(Registers& r) {
  memmove(r.sp + field<Field::C>(r), r.sp + field<Field::B>(r), 8 * size_t{immediate(r)});
  return done(r);
}

// --- Globals, references -------------------------------------------------------------------------

// The second immediate is the width of the type in bytes: a narrow value leaves no other bits.
bool ImportedGlobalGet(Registers& r) {
  memcpy(r.sp + field<Field::D>(r), &instance(r).globals[immediate(r)]->value, second_immediate(r));
  return done(r);
}
bool ImportedGlobalSet(Registers& r) {
  Value value;
  memcpy(&value, r.sp + field<Field::A>(r), second_immediate(r));
  instance(r).globals[immediate(r)]->value = value;
  return done(r);
}
bool RefFuncNow(Registers& r) {
  set_d(r, reinterpret_cast<uint64_t>(instance(r).functions[immediate(r)]));
  return done(r);
}

// --- Memory --------------------------------------------------------------------------------------

bool MemoryGrowNow(Registers& r) {
  const uint32_t old_pages = instance(r).memories[0]->grow(a32(r));
  r.context->memory_size = instance(r).memories[0]->size();
  set_d(r, old_pages);
  return done(r);
}

bool MemoryFillNow(Registers& r) {
  const uint64_t to = a32(r), length = c32(r);
  const auto value = static_cast<uint8_t>(b32(r));
  LinearMemory& memory = *instance(r).memories[0];
  if (!memory.contains(to, length)) return fail_bounds(r);
  if (!charge(r, length / kBytesPerFuel)) return false;
  for (uint64_t at = 0; at < length; at += kChunkBytes) {
    if (interrupted(r)) return fail(r, Trap::DeadlineExceeded);
    memset(memory.base() + to + at, value, std::min(kChunkBytes, length - at));
  }
  return done(r);
}

bool MemoryCopyNow(Registers& r) {
  const uint64_t to = a32(r), from = b32(r), length = c32(r);
  LinearMemory& memory = *instance(r).memories[0];
  if (!memory.contains(to, length) || !memory.contains(from, length)) return fail_bounds(r);
  if (!charge(r, length / kBytesPerFuel)) return false;
  // Pieces in the order that keeps overlapping bytes intact.
  const uint64_t chunks = (length + kChunkBytes - 1) / kChunkBytes;
  for (uint64_t i = 0; i < chunks; i++) {
    if (interrupted(r)) return fail(r, Trap::DeadlineExceeded);
    const uint64_t at = (to <= from ? i : chunks - 1 - i) * kChunkBytes;
    memmove(memory.base() + to + at, memory.base() + from + at, std::min(kChunkBytes, length - at));
  }
  return done(r);
}

bool MemoryInitNow(Registers& r) {
  const uint64_t to = a32(r), from = b32(r), length = c32(r);
  LinearMemory& memory = *instance(r).memories[0];
  const uint32_t segment = immediate(r);
  const ByteRange& bytes = instance(r).module().data_segments[segment].bytes;
  const uint64_t size = instance(r).dropped_data[segment] ? 0 : bytes.size;
  if (!memory.contains(to, length) || from > size || length > size - from) return fail_bounds(r);
  if (!charge(r, length / kBytesPerFuel)) return false;
  if (length > 0) {
    memcpy(memory.base() + to, instance(r).module().bytes.data() + bytes.offset + from, length);
  }
  return done(r);
}

bool DataDropNow(Registers& r) {
  instance(r).dropped_data[immediate(r)] = true;
  return done(r);
}

// A lane access: lane << 8 | base-2 logarithm of the width.
bool LoadLaneNow(Registers& r) {
  const uint64_t address = uint64_t{a32(r)} + access_offset(r);
  const uint32_t width = 1u << (immediate(r) & 0xFF);
  const uint32_t lane = immediate(r) >> 8;
  LinearMemory& memory = *instance(r).memories[0];
  if (!memory.contains(address, width)) return fail_bounds(r);
  uint8_t vector[16];
  memcpy(vector, r.sp + field<Field::B>(r), 16);
  memcpy(vector + lane * width, memory.base() + address, width);
  memcpy(r.sp + field<Field::D>(r), vector, 16);
  return done(r);
}
bool StoreLaneNow(Registers& r) {
  const uint64_t address = uint64_t{a32(r)} + access_offset(r);
  const uint32_t width = 1u << (immediate(r) & 0xFF);
  const uint32_t lane = immediate(r) >> 8;
  LinearMemory& memory = *instance(r).memories[0];
  if (!memory.contains(address, width)) return fail_bounds(r);
  memcpy(memory.base() + address, r.sp + field<Field::B>(r) + lane * width, width);
  return done(r);
}

// --- Tables --------------------------------------------------------------------------------------

bool fail_table(Registers& r) {
  return fail(r, Trap::OutOfBoundsTableAccess);
}

bool TableGetNow(Registers& r) {
  const TableInstance& table = *instance(r).tables[immediate(r)];
  const uint32_t index = a32(r);
  if (index >= table.elements.size()) return fail_table(r);
  set_d(r, table.elements[index]);
  return done(r);
}
bool TableSetNow(Registers& r) {
  TableInstance& table = *instance(r).tables[immediate(r)];
  const uint32_t index = a32(r);
  if (index >= table.elements.size()) return fail_table(r);
  table.elements[index] = slot<uint64_t>(r, field<Field::B>(r));
  return done(r);
}
bool TableSizeNow(Registers& r) {
  set_d(r, static_cast<uint32_t>(instance(r).tables[immediate(r)]->elements.size()));
  return done(r);
}
// Room for `wanted` elements, without ending the process if the system has none: the vector's own
// growth cannot fail politely, so the memory is asked for, given back, and then taken by it.
bool reserve_elements(TableInstance& table, uint64_t wanted) {
  if (wanted <= table.elements.capacity()) return true;
  // Twice the size, so that growing one by one stays linear; the exact size if that is too much.
  const uint64_t doubled = std::min<uint64_t>(table.limit, 2 * uint64_t{table.elements.size()});
  for (const uint64_t capacity : {std::max(wanted, doubled), wanted}) {
    void* probe = ::operator new(8 * capacity, std::nothrow);
    if (probe == nullptr) continue;
    ::operator delete(probe);
    table.elements.reserve(capacity);
    return true;
  }
  return false;
}

bool TableGrowNow(Registers& r) {
  TableInstance& table = *instance(r).tables[immediate(r)];
  const auto value = slot<uint64_t>(r, field<Field::A>(r));
  const uint32_t delta = b32(r);
  const auto size = static_cast<uint32_t>(table.elements.size());
  if (!charge(r, delta)) return false;
  if (uint64_t{size} + delta > table.limit) {
    set_d(r, 0xFFFFFFFFu);
    return done(r);
  }
  if (!reserve_elements(table, uint64_t{size} + delta)) {
    set_d(r, 0xFFFFFFFFu);
    return done(r);
  }
  table.elements.resize(size_t{size} + delta, value);
  set_d(r, size);
  return done(r);
}
bool TableFillNow(Registers& r) {
  TableInstance& table = *instance(r).tables[immediate(r)];
  const uint64_t to = a32(r), count = c32(r), size = table.elements.size();
  const auto value = slot<uint64_t>(r, field<Field::B>(r));
  if (to > size || count > size - to) return fail_table(r);
  if (!charge(r, count)) return false;
  for (uint64_t at = 0; at < count; at += kChunkElements) {
    if (interrupted(r)) return fail(r, Trap::DeadlineExceeded);
    const uint64_t piece = std::min(kChunkElements, count - at);
    std::fill_n(table.elements.begin() + static_cast<ptrdiff_t>(to + at), piece, value);
  }
  return done(r);
}
bool TableCopyNow(Registers& r) {
  TableInstance& destination = *instance(r).tables[immediate(r)];
  TableInstance& source = *instance(r).tables[second_immediate(r)];
  const uint64_t to = a32(r), from = b32(r), count = c32(r);
  if (from > source.elements.size() || count > source.elements.size() - from ||
      to > destination.elements.size() || count > destination.elements.size() - to) {
    return fail_table(r);
  }
  if (!charge(r, count)) return false;
  // At most the budget's table limit, 80 MB: one piece.
  memmove(destination.elements.data() + to, source.elements.data() + from, 8 * count);
  return done(r);
}
bool TableInitNow(Registers& r) {
  const uint64_t to = a32(r), from = b32(r), count = c32(r);
  if (!charge(r, count)) return false;
  if (!initialize_table(instance(r), immediate(r), second_immediate(r), to, from, count)) {
    return fail_table(r);
  }
  return done(r);
}
bool ElemDropNow(Registers& r) {
  instance(r).dropped_elements[immediate(r)] = true;
  return done(r);
}

}  // namespace slow
}  // namespace qip
