// Loading, instantiating and calling one component, and the sentences for everything that can go
// wrong on the way. Whatever a module chose as a name passes through quoted() or escape_controls().
#include "host/component.hpp"

#include <utility>

#include "host/module_text.hpp"
#include "host/policy.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr std::string_view kNotInstantiated = "Wasm module could not be instantiated: ";

// Frames of a call stack that are worth reading.
constexpr size_t kCallStackLines = 32;

std::string time_limit_text(const TimedBudget& budget) {
  return "Wasm module exceeded the execution time limit (" + format_duration(budget.limits().time) +
         ")";
}

}  // namespace

Result<Component, HostError> load_component(std::string path, std::vector<uint8_t> bytes,
                                            const RunLimits& limits) {
  const auto refuse = [&path](const LoadError& error) {
    return HostError{HostErrorClass::Load, "wasm module \"" + path + "\" could not be compiled: " +
                                               escape_controls(describe(error))};
  };
  Result<Module, LoadError> module = decode(std::move(bytes));
  if (!module.ok()) return refuse(module.error());
  Result<ValidatedModule, LoadError> validated = validate(std::move(module.value()));
  if (!validated.ok()) return refuse(validated.error());
  Result<std::shared_ptr<const Code>, LoadError> code =
      translate(std::move(validated.value()), TranslateOptions{.fuel = limits.fuel.has_value()});
  if (!code.ok()) return refuse(code.error());
  Component component{std::move(path), std::move(code.value())};
  if (MaybeError failure = check_policy(component, limits.policy)) return std::move(*failure);
  return component;
}

MaybeError check_sealed(const Component& component) {
  if (component.module().imports.empty()) return std::nullopt;
  std::string message = component.path + ": ";
  message += kNotInstantiated;
  message +=
      "a component has no imports, but this module imports " + imports_text(component.module());
  return HostError{HostErrorClass::Unlinkable, std::move(message)};
}

const Export* find_export(const Module& module, std::string_view name) {
  for (const Export& item : module.exports) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

bool has_value_export(const Module& module, std::string_view name) {
  const Export* found = find_export(module, name);
  return found != nullptr &&
         (found->kind == ExternKind::Function || found->kind == ExternKind::Global);
}

std::string trap_reason(Trap trap) {
  const std::string specification(trap_text(trap));
  switch (trap) {
    case Trap::OutOfBoundsTableAccess:
    case Trap::UndefinedElement:
    case Trap::UninitializedElement:
      return "invalid table access (" + specification + ")";
    case Trap::CallStackExhausted:
      return "stack overflow (" + specification + ")";
    default:
      return specification;
  }
}

Result<std::unique_ptr<ComponentInstance>, HostError> ComponentInstance::create(
    const Component& component, TimedBudget& budget, const InstanceOptions& options) {
  if (options.imports.empty()) {
    if (MaybeError failure = check_sealed(component)) return std::move(*failure);
  }
  std::unique_ptr<ComponentInstance> created(new ComponentInstance(component, budget));
  if (MaybeError failure = created->instantiate_module(options)) return std::move(*failure);
  if (options.starting == Starting::Everything) {
    if (MaybeError failure = created->call_start_export()) return std::move(*failure);
  }
  return created;
}

MaybeError ComponentInstance::instantiate_module(const InstanceOptions& options) {
  store_ = options.store != nullptr ? options.store : std::make_shared<Store>();
  Result<Instance*, InstantiationError> made =
      instantiate(*store_, component_.code, options.imports, budget_.budget(),
                  InstantiateOptions{.run_start = options.starting != Starting::Nothing});
  if (made.ok()) {
    instance_ = made.value();
    return std::nullopt;
  }
  const InstantiationError& error = made.error();
  if (error.trap != Trap::None) return trap_error(error.trap, kNotInstantiated);
  const bool is_limit = error.error_class == InstantiationErrorClass::Limit;
  return HostError{
      is_limit ? HostErrorClass::Budget : HostErrorClass::Unlinkable,
      component_.path + ": " + std::string(kNotInstantiated) + escape_controls(error.message)};
}

MaybeError ComponentInstance::call_start_export() {
  FunctionInstance* start = function("_start");
  if (start == nullptr) return std::nullopt;
  if (!start->type->parameters.empty()) {
    return error(std::string(kNotInstantiated) + "the exported function _start takes parameters");
  }
  std::vector<Value> results(start->type->results.size());
  return call(*start, {}, results, kNotInstantiated);
}

MaybeError ComponentInstance::call(FunctionInstance& function, std::span<const Value> arguments,
                                   std::span<Value> results, std::string_view context) {
  calls_++;
  const Trap trap = invoke(budget_.budget(), function, arguments, results);
  if (trap == Trap::None) return std::nullopt;
  return trap_error(trap, context);
}

Result<uint32_t, HostError> ComponentInstance::read_value(std::string_view name) {
  const std::string text(name);
  if (GlobalInstance* global = instance_->exported_global(name)) {
    if (global->type.type != ValueType::I32) {
      return error("Wasm module must export " + text + " as global or function of type i32, not " +
                   value_type_text(global->type.type));
    }
    return global->value.i32();
  }
  FunctionInstance* function = instance_->exported_function(name);
  if (function == nullptr) {
    return error("Wasm module must export " + text + " as global or function");
  }
  const FuncType& type = *function->type;
  if (!type.parameters.empty()) {
    return error(text + "() call failed: it takes " + number_text(type.parameters.size()) +
                 (type.parameters.size() == 1 ? " parameter" : " parameters") + ", want 0");
  }
  if (type.results.size() != 1) {
    return error(text + "() returned " + number_text(type.results.size()) + " values, want 1");
  }
  if (type.results[0] != ValueType::I32) {
    return error("Wasm module must export " + text + " as global or function of type i32, not " +
                 value_type_text(type.results[0]));
  }
  Value result;
  if (MaybeError failure = call(*function, {}, {&result, 1}, text + "() call failed: ")) {
    return std::move(*failure);
  }
  return result.i32();
}

MaybeError ComponentInstance::check_output_size(uint64_t size) const {
  const std::optional<uint64_t> limit = limits().max_output_bytes;
  if (!limit || size <= *limit) return std::nullopt;
  HostError failure =
      error("output of " + number_text(size) + " bytes exceeds --max-output " +
                       number_text(*limit) + " bytes");
  failure.error_class = HostErrorClass::Budget;
  return failure;
}

HostError ComponentInstance::error(std::string_view message) const {
  return contract_error(component_.path + ": " + std::string(message));
}

HostError ComponentInstance::trap_error(Trap trap, std::string_view context) const {
  const std::string path = component_.path + ": ";
  if (trap == Trap::DeadlineExceeded) {
    return HostError{HostErrorClass::Budget, path + time_limit_text(budget_), call_stack_text()};
  }
  const bool is_budget = trap == Trap::CallStackExhausted || trap == Trap::FuelExhausted ||
                         trap == Trap::OutOfHostMemory;
  return HostError{is_budget ? HostErrorClass::Budget : HostErrorClass::Trap,
                   path + std::string(context) + "wasm error: " + trap_reason(trap) + trap_place(),
                   call_stack_text()};
}

std::string ComponentInstance::trap_place() const {
  const TrapLocation location = last_trap_location(budget_.budget());
  if (location.instance == nullptr) return "";
  return " in " + function_text(location.instance->module(), location.function_index) +
         " at byte " + number_text(location.byte_offset);
}

std::string ComponentInstance::call_stack_text() const {
  if (!budget_.limits().call_stack) return "";
  uint64_t depth = 0;
  const std::vector<TrapLocation> frames =
      last_trap_stack(budget_.budget(), kCallStackLines, &depth);
  std::string text;
  for (const TrapLocation& frame : frames) {
    text += "\n  at " + function_text(frame.instance->module(), frame.function_index) + " byte " +
            number_text(frame.byte_offset);
  }
  if (depth > frames.size()) {
    text += "\n  and " + number_text(depth - frames.size()) + " more";
  }
  return text;
}

}  // namespace qip
