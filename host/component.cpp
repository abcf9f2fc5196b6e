// Loading, instantiating and calling one component, and the sentences for everything that can go
// wrong on the way. Whatever a module chose as a name passes through quoted() or escape_controls().
#include "host/component.hpp"

#include <utility>

#include "host/text.hpp"

namespace qip {
namespace {

constexpr std::string_view kNotInstantiated = "Wasm module could not be instantiated: ";

std::string time_limit_text(const TimedBudget& budget) {
  return "Wasm module exceeded the execution time limit (" + format_duration(budget.limit()) + ")";
}

// The name under which a function is exported; empty if it is not.
std::string_view export_name_of(const Module& module, uint32_t function_index) {
  for (const Export& item : module.exports) {
    if (item.kind == ExternKind::Function && item.index == function_index) return item.name;
  }
  return {};
}

}  // namespace

Result<Component, HostError> load_component(std::string path, std::vector<uint8_t> bytes) {
  const auto refuse = [&path](const LoadError& error) {
    return HostError{HostErrorClass::Load, "wasm module \"" + path + "\" could not be compiled: " +
                                               escape_controls(describe(error))};
  };
  Result<Module, LoadError> module = decode(std::move(bytes));
  if (!module.ok()) return refuse(module.error());
  Result<ValidatedModule, LoadError> validated = validate(std::move(module.value()));
  if (!validated.ok()) return refuse(validated.error());
  Result<std::shared_ptr<const Code>, LoadError> code = translate(std::move(validated.value()));
  if (!code.ok()) return refuse(code.error());
  return Component{std::move(path), std::move(code.value())};
}

MaybeError check_sealed(const Component& component) {
  const std::vector<Import>& imports = component.module().imports;
  if (imports.empty()) return std::nullopt;
  const Import& first = imports.front();
  std::string message = component.path + ": ";
  message += kNotInstantiated;
  message += "a component has no imports, but this module imports " +
             escape_controls(first.module + "." + first.name, kNameLimit) + " (" +
             extern_kind_text(first.kind) + ")";
  if (imports.size() > 1) message += " and " + number_text(imports.size() - 1) + " more";
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
    const Component& component, TimedBudget& budget, StartExport start) {
  if (MaybeError failure = check_sealed(component)) return std::move(*failure);
  std::unique_ptr<ComponentInstance> created(new ComponentInstance(component, budget));
  if (MaybeError failure = created->instantiate_module()) return std::move(*failure);
  if (start == StartExport::Call) {
    if (MaybeError failure = created->call_start_export()) return std::move(*failure);
  }
  return created;
}

MaybeError ComponentInstance::instantiate_module() {
  Result<Instance*, InstantiationError> made =
      instantiate(store_, component_.code, {}, budget_.budget());
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

HostError ComponentInstance::error(std::string_view message) const {
  return contract_error(component_.path + ": " + std::string(message));
}

std::string ComponentInstance::function_text(uint32_t index) const {
  const Module& module = component_.module();
  const NameSection names = read_names(module);
  std::string_view name = names.function_name(index);
  if (name.empty()) name = export_name_of(module, index);
  const std::string number = "function " + number_text(index);
  return name.empty() ? number : number + " " + quoted(name);
}

HostError ComponentInstance::trap_error(Trap trap, std::string_view context) const {
  const std::string path = component_.path + ": ";
  if (trap == Trap::DeadlineExceeded) {
    return HostError{HostErrorClass::Budget, path + time_limit_text(budget_)};
  }
  const bool is_budget = trap == Trap::CallStackExhausted || trap == Trap::FuelExhausted ||
                         trap == Trap::OutOfHostMemory;
  return HostError{is_budget ? HostErrorClass::Budget : HostErrorClass::Trap,
                   path + std::string(context) + "wasm error: " + trap_reason(trap) + trap_place()};
}

std::string ComponentInstance::trap_place() const {
  const TrapLocation location = last_trap_location(budget_.budget());
  if (location.instance == nullptr) return "";
  return " in " + function_text(location.function_index) + " at byte " +
         number_text(location.byte_offset);
}

}  // namespace qip
