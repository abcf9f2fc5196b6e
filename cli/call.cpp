// qip call: one exported function of a module without imports, with numbers from the command line.
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "cli/value_text.hpp"
#include "host/component.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

// The type of the function that is exported as `name`. The error is a sentence.
Result<const FuncType*, HostError> find_function(const Component& component,
                                                 std::string_view name) {
  const Module& module = component.module();
  const Export* found = find_export(module, name);
  if (found != nullptr && found->kind == ExternKind::Function) {
    return &module.types[module.function_types[found->index]];
  }
  std::string message = component.path + ": Wasm module exports ";
  message += found == nullptr
                 ? std::string("nothing named ") + quoted(name)
                 : quoted(name) + " as a " + extern_kind_text(found->kind) + ", not as a function";
  return contract_error(std::move(message));
}

Result<std::vector<Value>, HostError> parse_arguments(const FuncType& type, const char* name,
                                                      std::span<const char* const> texts) {
  if (texts.size() != type.parameters.size()) {
    return contract_error(quoted(name) + " has type " + func_type_text(type) + ", got " +
                          number_text(texts.size()) +
                          (texts.size() == 1 ? " argument" : " arguments"));
  }
  std::vector<Value> values;
  for (size_t i = 0; i < texts.size(); i++) {
    Result<Value, std::string> value = parse_value(type.parameters[i], texts[i]);
    if (!value.ok()) {
      return contract_error("argument " + number_text(i + 1) + ": " + value.error());
    }
    values.push_back(value.value());
  }
  return values;
}

}  // namespace

int call_command(const Command& command, const Options& options) {
  if (options.operands.size() < 2) return fail_with(usage_line(command));
  const char* name = options.operands[1];
  Result<Component, HostError> component = read_component(options.operands[0], options.limits);
  if (!component.ok()) return fail_with(component.error());
  // A module that is not sealed is refused for that, whatever else may be wrong.
  if (MaybeError failure = check_sealed(component.value())) return fail_with(*failure);
  Result<const FuncType*, HostError> type = find_function(component.value(), name);
  if (!type.ok()) return fail_with(type.error());
  Result<std::vector<Value>, HostError> arguments =
      parse_arguments(*type.value(), name, std::span(options.operands).subspan(2));
  if (!arguments.ok()) return fail_with(arguments.error());

  TimedBudget budget(options.limits);
  budget.resume();
  Result<std::unique_ptr<ComponentInstance>, HostError> instance = ComponentInstance::create(
      component.value(), budget, InstanceOptions{.starting = Starting::StartFunction});
  if (!instance.ok()) return fail_with(instance.error());
  std::vector<Value> results(type.value()->results.size());
  FunctionInstance& function = *instance.value()->function(name);
  if (MaybeError failure = instance.value()->call(function, arguments.value(), results)) {
    return fail_with(*failure);
  }
  budget.pause();

  std::string lines;
  for (size_t i = 0; i < results.size(); i++) {
    lines += format_value(type.value()->results[i], results[i]) + "\n";
  }
  return print(lines);
}

}  // namespace qip
