// Store, Instance, instantiate() and invoke(): run-time structures of WebAssembly.
//
// Promises: a guest touches nothing but what its own instance names. A Store owns every instance,
// memory, table, global and function made in it, and frees all of them together: funcrefs in
// shared tables can therefore never dangle, whatever order instances are used in.
// Assumes: one thread at a time per Store.
// Source: specification, "Execution/Runtime Structure" and "Execution/Modules".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loader/module.hpp"
#include "loader/result.hpp"
#include "vm/budget.hpp"
#include "vm/code.hpp"
#include "vm/memory.hpp"
#include "vm/trap.hpp"
#include "vm/value.hpp"

namespace qip {

struct Instance;

// A host function: reads its arguments, writes exactly as many results as its type declares, and
// returns Trap::None, or a trap to stop the guest.
using HostFunction = Trap (*)(void* context, const Value* arguments, Value* results);

struct FunctionInstance {
  const FuncType* type = nullptr;
  uint32_t canonical_type = 0;   // equal types of one module have equal numbers
  uint32_t function_index = 0;   // in the index space of `instance`; 0 for a host function
  Instance* instance = nullptr;  // null for a host function
  HostFunction host = nullptr;
  void* host_context = nullptr;
  const char* entry = nullptr;  // first cell; null for a host function
  uint32_t frame_bytes = 0;
};

// A table: references, 0 for null. Its elements never move while a guest runs.
struct TableInstance {
  ValueType element = ValueType::FuncRef;
  std::optional<uint32_t> maximum;  // as declared
  uint32_t limit = 0;               // elements it may ever have: declared and budget
  std::vector<uint64_t> elements;
};

struct GlobalInstance {
  Value value;
  GlobalType type;
};

// One thing that can be imported or exported. Not owned.
struct Extern {
  ExternKind kind = ExternKind::Function;
  union {
    FunctionInstance* function = nullptr;
    TableInstance* table;
    LinearMemory* memory;
    GlobalInstance* global;
  };
  static Extern of(FunctionInstance* function) {
    Extern result;
    result.kind = ExternKind::Function;
    result.function = function;
    return result;
  }
  static Extern of(TableInstance* table) {
    Extern result;
    result.kind = ExternKind::Table;
    result.table = table;
    return result;
  }
  static Extern of(LinearMemory* memory) {
    Extern result;
    result.kind = ExternKind::Memory;
    result.memory = memory;
    return result;
  }
  static Extern of(GlobalInstance* global) {
    Extern result;
    result.kind = ExternKind::Global;
    result.global = global;
    return result;
  }
};

struct Instance {
  std::shared_ptr<const Code> code;
  std::vector<FunctionInstance*> functions;  // imports first, as in the module's index space
  std::vector<TableInstance*> tables;
  std::vector<LinearMemory*> memories;
  std::vector<GlobalInstance*> globals;
  GlobalInstance* own_globals = nullptr;  // those the module defines, side by side
  std::vector<bool> dropped_elements;     // element segment i was dropped
  std::vector<bool> dropped_data;         // data segment i was dropped

  const Module& module() const { return code->module(); }
  // False if there is no export of that name.
  bool find_export(std::string_view name, Extern* result) const;
  // Null unless `name` is exported with that kind.
  FunctionInstance* exported_function(std::string_view name) const;
  LinearMemory* exported_memory(std::string_view name) const;
  GlobalInstance* exported_global(std::string_view name) const;
};

class Store {
 public:
  // The memories of its instances come from `pool` and go back there, if there is one; it must
  // live longer than the Store, and is used by one thread at a time as the Store is.
  explicit Store(MemoryPool* pool = nullptr);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Things that the host provides to imports. Null if the system has no memory for it.
  FunctionInstance* add_host_function(FuncType type, HostFunction function, void* context);
  TableInstance* add_table(const TableType& type, const BudgetLimits& limits);
  LinearMemory* add_memory(const MemoryType& type, const BudgetLimits& limits);
  GlobalInstance* add_global(const GlobalType& type, Value value);

  struct Contents;  // vm/instance.cpp
  Contents& contents() { return *contents_; }

 private:
  std::unique_ptr<Contents> contents_;
};

enum class InstantiationErrorClass : uint8_t {
  Unlinkable,  // an import is missing or has another type
  Trapped,     // a segment did not fit, or the start function trapped
  Limit,       // the budget does not allow a declared size, or the system has no memory
};
struct InstantiationError {
  InstantiationErrorClass error_class = InstantiationErrorClass::Unlinkable;
  Trap trap = Trap::None;  // Trapped only
  std::string message;     // the specification's wording, then details
};

struct InstantiateOptions {
  bool run_start = true;  // false: the module's start function is not called, nothing runs
};

// Source: specification, "Execution/Modules/Instantiation". `imports` holds one Extern per
// module().imports entry, in order. What active segments wrote into imported tables and memories
// before a trap stays, as the specification says.
Result<Instance*, InstantiationError> instantiate(Store& store, std::shared_ptr<const Code> code,
                                                  std::span<const Extern> imports, Budget& budget,
                                                  InstantiateOptions options = {});

// table.init: writes `count` elements of a segment into a table. False, and nothing written, if
// either range is out of bounds (a dropped segment has no elements).
bool initialize_table(Instance& instance, uint32_t table_index, uint32_t segment_index, uint64_t to,
                      uint64_t from, uint64_t count);

// Calls a function from the host. `arguments` and `results` must have exactly as many entries as
// the type; this is checked (Trap::HostFunctionFailed if not). On a trap the results are untouched.
[[nodiscard]] Trap invoke(Budget& budget, FunctionInstance& function,
                          std::span<const Value> arguments, std::span<Value> results);

// Where the last trap of this Budget happened, for messages. `byte_offset` is the offset of the
// instruction in the module's bytes. Empty instance: unknown (a host function, or before any trap).
// Both are known until the next invoke() or refuel() of the Budget, and only while the Store of the
// trapped instance lives. In guard builds nothing is known about an access out of bounds.
struct TrapLocation {
  const Instance* instance = nullptr;
  uint32_t function_index = 0;
  uint64_t byte_offset = 0;
};
TrapLocation last_trap_location(Budget& budget);

// The guest's calls that were under way at the last trap, innermost first, at most `limit` of them:
// the first entry equals last_trap_location(), the others are the call instructions that it came
// through. `total_depth` gets the number of all, shown or not. What a host function called on its
// own is not among them: there the innermost is the call of the host function. Empty where the
// location is unknown. (vm/trap_location.cpp)
std::vector<TrapLocation> last_trap_stack(Budget& budget, size_t limit, uint64_t* total_depth);

}  // namespace qip
