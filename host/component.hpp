// Component: a sealed module ready to run; ComponentInstance: one fresh, isolated life of it.
//
// Promises: an import of any kind is refused by name before anything of the component runs (unless
// the caller supplies it: instances that test another one, host/oracle.hpp); every
// guest instruction, the start function included, runs inside the TimedBudget; every failure is one
// sentence that begins with the component's path.
// Assumes: one thread at a time per ComponentInstance. Components themselves are immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "host/guest_memory.hpp"
#include "host/timed_budget.hpp"
#include "loader/result.hpp"
#include "vm/code.hpp"
#include "vm/instance.hpp"

namespace qip {

struct Component {
  std::string path;  // as the user named it: the prefix of messages
  std::shared_ptr<const Code> code;

  const Module& module() const { return code->module(); }
};

// decode(), validate(), translate() and check_policy() in one: class Load or Policy on failure.
Result<Component, HostError> load_component(std::string path, std::vector<uint8_t> bytes,
                                            const RunLimits& limits = {});

// Class Unlinkable if the module imports anything, naming the first import.
MaybeError check_sealed(const Component& component);

// The export of that name, whatever its kind; null if there is none.
const Export* find_export(const Module& module, std::string_view name);

// A value export (behaviour: zero-argument function or global, read as unsigned 32-bit) exists.
// Whether its type is right shows when it is read.
bool has_value_export(const Module& module, std::string_view name);

// "integer divide by zero", ...: the wording of `wasm error: <reason>`, followed by the
// specification's in brackets where that differs.
std::string trap_reason(Trap trap);

// What instantiation runs of the module.
enum class Starting : uint8_t {
  Everything,     // the start function, then an exported function `_start`, as components expect
  StartFunction,  // the start function alone, as the specification says
  Nothing,        // neither: only for looking at value exports
};

struct InstanceOptions {
  Starting starting = Starting::Everything;
  // Instances that import from each other share a Store. Null: a Store of its own.
  std::shared_ptr<Store> store{};
  // One per import of the module; empty: the module must have none. They outlive the instance.
  std::span<const Extern> imports{};
};

class ComponentInstance {
 public:
  // The budget's clock must be running. `component` and `budget` outlive the instance.
  static Result<std::unique_ptr<ComponentInstance>, HostError> create(
      const Component& component, TimedBudget& budget, const InstanceOptions& options = {});
  ComponentInstance(const ComponentInstance&) = delete;
  ComponentInstance& operator=(const ComponentInstance&) = delete;

  const Component& component() const { return component_; }
  const RunLimits& limits() const { return budget_.limits(); }
  // For instances that import from this one. Not owned.
  Instance& instance() { return *instance_; }
  // Null unless exported with that kind.
  FunctionInstance* function(std::string_view name) const {
    return instance_->exported_function(name);
  }
  bool has_memory() const { return instance_->exported_memory("memory") != nullptr; }
  // Precondition: has_memory().
  GuestMemory memory() const { return GuestMemory(*instance_->exported_memory("memory"), calls_); }

  // Calls a function of the guest; GuestBytes made before are void. `context` comes between the
  // component's path and the reason in the message of a trap, for example "input_ptr() call failed:
  // ".
  MaybeError call(FunctionInstance& function, std::span<const Value> arguments,
                  std::span<Value> results, std::string_view context = "");

  // Reads a value export. Precondition: has_value_export(). A function of the wrong type and a
  // global that is not i32 are errors.
  Result<uint32_t, HostError> read_value(std::string_view name);

  // The error of an output that is larger than the limits allow, if it is.
  MaybeError check_output_size(uint64_t size) const;

  // A contract error about this component.
  HostError error(std::string_view message) const;
  // The error of the trap that the budget saw last, if it happened in code of this instance.
  HostError trap_error(Trap trap, std::string_view context) const;

 private:
  ComponentInstance(const Component& component, TimedBudget& budget)
      : component_(component), budget_(budget) {}
  MaybeError instantiate_module(const InstanceOptions& options);
  MaybeError call_start_export();
  std::string trap_place() const;
  std::string call_stack_text() const;

  const Component& component_;
  TimedBudget& budget_;
  std::shared_ptr<Store> store_;
  Instance* instance_ = nullptr;
  uint64_t calls_ = 0;  // into this guest
};

}  // namespace qip
