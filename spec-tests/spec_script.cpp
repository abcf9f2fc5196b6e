// Runs the commands of one converted specification script. See spec_script.hpp.
#include "spec-tests/spec_script.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include "spec-tests/spec_values.hpp"

namespace qip {
namespace {

using nlohmann::json;

std::vector<uint8_t> read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Trap print_nothing(void*, const Value*, Value*) {
  return Trap::None;
}

const std::string& text_of(const json& object, const char* key) {
  return object.at(key).get_ref<const std::string&>();
}

// The suite's texts are prefixes of the reference interpreter's messages, and sometimes carry a
// detail that another engine does not have ("uninitialized element 2"): either may be the longer.
bool texts_agree(std::string_view expected, std::string_view actual) {
  if (actual.empty()) return false;
  return expected.starts_with(actual) || actual.starts_with(expected);
}

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

bool is_assertion(const std::string& command_type) {
  return command_type.starts_with("assert_");
}

}  // namespace

ScriptRunner::ScriptRunner(std::filesystem::path folder, std::string script_name,
                           FeatureSet features, bool foreign_features, Tally& tally)
    : folder_(std::move(folder)),
      script_name_(std::move(script_name)),
      features_(features),
      foreign_features_(foreign_features),
      tally_(tally) {
  add_spectest();
}

// --- The host module -----------------------------------------------------------------------------

void ScriptRunner::add_spectest() {
  using enum ValueType;
  const std::pair<const char*, std::vector<ValueType>> functions[] = {
      {"print", {}},
      {"print_i32", {I32}},
      {"print_i64", {I64}},
      {"print_f32", {F32}},
      {"print_f64", {F64}},
      {"print_i32_f32", {I32, F32}},
      {"print_f64_f64", {F64, F64}},
  };
  for (const auto& [name, parameters] : functions) {
    spectest_[name] =
        Extern::of(store_.add_host_function(FuncType{parameters, {}}, print_nothing, nullptr));
  }
  const auto add_global = [this](const char* name, ValueType type, Value value) {
    spectest_[name] = Extern::of(store_.add_global(GlobalType{type, false}, value));
  };
  add_global("global_i32", I32, Value::from_i32(666));
  add_global("global_i64", I64, Value::from_i64(666));
  add_global("global_f32", F32, Value::from_f32(666.6f));
  add_global("global_f64", F64, Value::from_f64(666.6));
  spectest_["table"] =
      Extern::of(store_.add_table(TableType{FuncRef, Limits{10, 20}}, budget_.limits()));
  spectest_["memory"] = Extern::of(store_.add_memory(MemoryType{Limits{1, 2}}, budget_.limits()));
}

// --- Modules and instances -----------------------------------------------------------------------

ScriptRunner::LoadOutcome ScriptRunner::load(const std::string& filename) {
  Result<Module, LoadError> module = decode(read_bytes(folder_ / filename), features_);
  if (!module) return {nullptr, module.error()};
  Result<ValidatedModule, LoadError> validated = validate(std::move(module.value()));
  if (!validated) return {nullptr, validated.error()};
  auto code = translate(std::move(validated.value()));
  if (!code) return {nullptr, code.error()};
  return {std::move(code.value()), std::nullopt};
}

bool ScriptRunner::find_import(const Import& import, Extern* result) const {
  if (import.module == "spectest") {
    const auto found = spectest_.find(import.name);
    if (found == spectest_.end()) return false;
    *result = found->second;
    return true;
  }
  const auto found = registered_.find(import.module);
  return found != registered_.end() && found->second->find_export(import.name, result);
}

// Names are the embedder's business: the engine gets externs, so an unknown name ends here.
ScriptRunner::InstantiateOutcome ScriptRunner::instantiate_code(std::shared_ptr<const Code> code) {
  std::vector<Extern> imports;
  for (const Import& import : code->module().imports) {
    Extern found;
    if (!find_import(import, &found)) {
      InstantiationError error;
      error.error_class = InstantiationErrorClass::Unlinkable;
      error.message = "unknown import " + import.module + "." + import.name;
      return {nullptr, std::nullopt, error};
    }
    imports.push_back(found);
  }
  budget_.start_deadline(kInvokeDeadline);
  auto instance = instantiate(store_, std::move(code), imports, budget_);
  budget_.clear_deadline();
  if (!instance) return {nullptr, std::nullopt, instance.error()};
  return {instance.value(), std::nullopt, std::nullopt};
}

ScriptRunner::InstantiateOutcome ScriptRunner::instantiate_file(const std::string& filename) {
  LoadOutcome loaded = load(filename);
  if (loaded.error) return {nullptr, loaded.error, std::nullopt};
  return instantiate_code(std::move(loaded.code));
}

void ScriptRunner::make_current(Instance* instance, const json& command, const char* name_key) {
  current_ = instance;
  if (command.contains(name_key)) named_[text_of(command, name_key)] = instance;
}

// The instance that `object` names, or the current one. Null if there is none.
Instance* ScriptRunner::find_instance(const json& object, const char* name_key) const {
  if (!object.contains(name_key)) return current_;
  const auto found = named_.find(text_of(object, name_key));
  return found == named_.end() ? nullptr : found->second;
}

// --- Actions -------------------------------------------------------------------------------------

ScriptRunner::ActionOutcome ScriptRunner::invoke_export(Instance& instance, const json& action) {
  ActionOutcome outcome;
  FunctionInstance* function = instance.exported_function(text_of(action, "field"));
  if (function == nullptr) {
    outcome.problem = "no exported function " + in_quotes(text_of(action, "field"));
    return outcome;
  }
  std::vector<Value> arguments;
  for (const json& argument : action.at("args")) arguments.push_back(parse_argument(argument));
  outcome.types = function->type->results;
  outcome.values.resize(outcome.types.size());
  budget_.start_deadline(kInvokeDeadline);
  outcome.trap = invoke(budget_, *function, arguments, outcome.values);
  budget_.clear_deadline();
  return outcome;
}

ScriptRunner::ActionOutcome ScriptRunner::perform(const json& action) {
  ActionOutcome outcome;
  Instance* instance = find_instance(action, "module");
  if (instance == nullptr) {
    outcome.problem = "no instance to act on";
    return outcome;
  }
  if (text_of(action, "type") == "invoke") return invoke_export(*instance, action);
  GlobalInstance* global = instance->exported_global(text_of(action, "field"));
  if (global == nullptr) {
    outcome.problem = "no exported global " + in_quotes(text_of(action, "field"));
    return outcome;
  }
  outcome.types = {global->type.type};
  outcome.values = {global->value};
  return outcome;
}

// --- Commands ------------------------------------------------------------------------------------

std::string ScriptRunner::run_module(const json& command) {
  current_ = nullptr;
  const InstantiateOutcome outcome = instantiate_file(text_of(command, "filename"));
  if (outcome.load_error) return describe(*outcome.load_error);
  if (outcome.error) return outcome.error->message;
  make_current(outcome.instance, command, "name");
  return {};
}

std::string ScriptRunner::run_module_definition(const json& command) {
  const LoadOutcome outcome = load(text_of(command, "filename"));
  if (outcome.error) return describe(*outcome.error);
  latest_definition_ = outcome.code;
  if (command.contains("name")) definitions_[text_of(command, "name")] = outcome.code;
  return {};
}

std::string ScriptRunner::run_module_instance(const json& command) {
  std::shared_ptr<const Code> code = latest_definition_;
  if (command.contains("module")) code = definitions_[text_of(command, "module")];
  if (code == nullptr) return "no such module definition";
  const InstantiateOutcome outcome = instantiate_code(std::move(code));
  if (outcome.error) return outcome.error->message;
  make_current(outcome.instance, command, "instance");
  return {};
}

std::string ScriptRunner::run_register(const json& command) {
  Instance* instance = find_instance(command, "name");
  if (instance == nullptr) return "no instance to register";
  registered_[text_of(command, "as")] = instance;
  return {};
}

std::string ScriptRunner::run_action(const json& command) {
  const ActionOutcome outcome = perform(command.at("action"));
  if (!outcome.problem.empty()) return outcome.problem;
  if (outcome.trap != Trap::None) return "trapped: " + std::string(trap_text(outcome.trap));
  return {};
}

std::string ScriptRunner::run_assert_return(const json& command) {
  const ActionOutcome outcome = perform(command.at("action"));
  if (!outcome.problem.empty()) return outcome.problem;
  if (outcome.trap != Trap::None) return "trapped: " + std::string(trap_text(outcome.trap));
  if (command.contains("either")) {
    for (const json& expected : command.at("either")) {
      if (outcome.values.size() == 1 && matches(expected, outcome.types[0], outcome.values[0])) {
        return {};
      }
    }
    return "none of the allowed results";
  }
  const json& expected = command.at("expected");
  if (expected.size() != outcome.values.size()) {
    return "expected " + std::to_string(expected.size()) + " results, got " +
           std::to_string(outcome.values.size());
  }
  for (size_t i = 0; i < outcome.values.size(); ++i) {
    if (!matches(expected[i], outcome.types[i], outcome.values[i])) {
      return "result " + std::to_string(i) + ": expected " + expectation_text(expected[i]) +
             ", got " + value_text(outcome.types[i], outcome.values[i]);
    }
  }
  return {};
}

// Also assert_exhaustion: exhaustion is a trap with its own text.
std::string ScriptRunner::run_assert_trap(const json& command) {
  const ActionOutcome outcome = perform(command.at("action"));
  if (!outcome.problem.empty()) return outcome.problem;
  const std::string& expected = text_of(command, "text");
  if (outcome.trap == Trap::None) return "expected trap " + in_quotes(expected) + ", got a result";
  if (!texts_agree(expected, trap_text(outcome.trap))) {
    return "expected trap " + in_quotes(expected) + ", got " + in_quotes(trap_text(outcome.trap));
  }
  return {};
}

std::string ScriptRunner::expect_load_error(const json& command, LoadErrorClass expected) {
  const LoadOutcome outcome = load(text_of(command, "filename"));
  const std::string wanted =
      std::string(load_error_class_text(expected)) + " (" + text_of(command, "text") + ")";
  if (!outcome.error) return "expected " + wanted + ", but the module loads";
  const LoadErrorClass actual = outcome.error->error_class;
  const bool foreign = foreign_features_ && expected == LoadErrorClass::Invalid &&
                       actual == LoadErrorClass::Malformed;
  if (actual != expected && !foreign) {
    return "expected " + wanted + ", got: " + describe(*outcome.error);
  }
  return {};
}

std::string ScriptRunner::run_assert_malformed(const json& command) {
  return expect_load_error(command, LoadErrorClass::Malformed);
}

std::string ScriptRunner::run_assert_invalid(const json& command) {
  return expect_load_error(command, LoadErrorClass::Invalid);
}

std::string ScriptRunner::run_assert_unlinkable(const json& command) {
  const InstantiateOutcome outcome = instantiate_file(text_of(command, "filename"));
  if (outcome.load_error) return "expected unlinkable, got: " + describe(*outcome.load_error);
  if (!outcome.error) return "expected unlinkable, but it links";
  if (outcome.error->error_class != InstantiationErrorClass::Unlinkable ||
      !texts_agree(text_of(command, "text"), outcome.error->message)) {
    return "expected " + in_quotes(text_of(command, "text")) + ", got: " + outcome.error->message;
  }
  return {};
}

std::string ScriptRunner::run_assert_uninstantiable(const json& command) {
  const InstantiateOutcome outcome = instantiate_file(text_of(command, "filename"));
  if (outcome.load_error) return "expected a trap, got: " + describe(*outcome.load_error);
  if (!outcome.error) return "expected a trap, but it instantiates";
  if (outcome.error->error_class != InstantiationErrorClass::Trapped ||
      !texts_agree(text_of(command, "text"), trap_text(outcome.error->trap))) {
    return "expected " + in_quotes(text_of(command, "text")) + ", got: " + outcome.error->message;
  }
  return {};
}

const std::map<std::string, ScriptRunner::Handler>& ScriptRunner::handlers() {
  static const std::map<std::string, Handler> table = {
      {"module", &ScriptRunner::run_module},
      {"module_definition", &ScriptRunner::run_module_definition},
      {"module_instance", &ScriptRunner::run_module_instance},
      {"register", &ScriptRunner::run_register},
      {"action", &ScriptRunner::run_action},
      {"assert_return", &ScriptRunner::run_assert_return},
      {"assert_trap", &ScriptRunner::run_assert_trap},
      {"assert_exhaustion", &ScriptRunner::run_assert_trap},
      {"assert_malformed", &ScriptRunner::run_assert_malformed},
      {"assert_invalid", &ScriptRunner::run_assert_invalid},
      {"assert_unlinkable", &ScriptRunner::run_assert_unlinkable},
      {"assert_uninstantiable", &ScriptRunner::run_assert_uninstantiable},
  };
  return table;
}

void ScriptRunner::run_command(const json& command) {
  const std::string& type = text_of(command, "type");
  tally_.line = command.at("line").get<uint32_t>();
  if (type == "assert_malformed" && text_of(command, "module_type") == "text") {
    ++tally_.text;
    return;
  }
  std::string problem;
  const auto handler = handlers().find(type);
  if (handler == handlers().end()) {
    problem = "the runner does not know this command";
  } else {
    try {
      problem = (this->*handler->second)(command);
    } catch (const std::exception& error) {
      problem = error.what();
    }
  }
  if (!problem.empty()) {
    ++tally_.failed;
    std::printf("%s:%u: %s: %s\n", script_name_.c_str(), tally_.line, type.c_str(),
                problem.c_str());
  } else if (is_assertion(type)) {
    ++tally_.passed;
  }
}

void ScriptRunner::run(const json& script) {
  for (const json& command : script.at("commands")) run_command(command);
}

}  // namespace qip
