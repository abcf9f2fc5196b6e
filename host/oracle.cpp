// The basic contract is read from the module's bytes first, so that a getter that never returns is
// named for what it is, and then from an instance. Oracles are linked by export name and kind; what
// is left to check of types is instantiate()'s.
#include "host/oracle.hpp"

#include <utility>

#include "host/contract.hpp"
#include "host/detection.hpp"
#include "host/form.hpp"
#include "host/interactive.hpp"
#include "host/text.hpp"
#include "host/tile.hpp"
#include "loader/opcodes.hpp"
#include "loader/reader.hpp"

namespace qip {
namespace {

constexpr std::string_view kMust = "Wasm module must export ";
constexpr std::string_view kAsValue = " as global or function";

// Sentences are put together in one place: every `+` would be code of its own.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// --- Value exports -------------------------------------------------------------------------------

constexpr const char* kValueExports[] = {"input_ptr",
                                         "input_utf8_cap",
                                         "input_bytes_cap",
                                         "output_ptr",
                                         "output_utf8_cap",
                                         "output_i32_cap",
                                         "output_bytes_cap",
                                         "input_content_type_ptr",
                                         "input_content_type_size",
                                         "output_content_type_ptr",
                                         "output_content_type_size",
                                         "failure_modes_per_input_offset"};

// What keeps the body of a validated function () -> i32 from being one constant expression; empty
// if nothing does. The first `end` is the last: every instruction that opens a block is refused.
std::string why_not_constant(const Module& module, const FunctionBody& body) {
  if (body.local_count > 0) return "it declares locals";
  Reader reader(module.bytes.data(), body.code.offset, body.code.offset + body.code.size);
  std::string_view refused;
  uint64_t offset = 0;
  while (refused.empty()) {
    offset = reader.offset();
    const uint8_t first = reader.byte();
    const bool prefixed = first == 0xFC || first == 0xFD;
    const Opcode opcode = prefixed ? opcode_at(first, reader.u32()) : opcode_at(0, first);
    switch (opcode) {
      case Opcode::I32Const:
        reader.s32();
        break;
      case Opcode::GlobalGet:
        if (module.global_types[reader.u32()].is_mutable)
          refused = "global.get of a mutable global";
        break;
      case Opcode::I32Add:
      case Opcode::I32Sub:
      case Opcode::I32Mul:
        break;
      case Opcode::End:
        return "";
      default:
        refused = opcode_info(opcode).text;
    }
  }
  return joined({refused, " at byte ", number_text(offset)});
}

std::string check_value_export(const Module& module, const char* name) {
  const Export* found = find_export(module, name);
  const bool is_function = found->kind == ExternKind::Function;
  std::string problem;
  if (is_function) {
    // A function of another type is told apart when it is read.
    const FuncType wanted{{}, {ValueType::I32}};
    if (*exported_function_type(module, name) == wanted) {
      problem =
          why_not_constant(module, module.functions[found->index - module.imported_function_count]);
    }
  } else if (module.global_types[found->index].is_mutable) {
    problem = "it is a mutable global";
  }
  if (problem.empty()) return "";
  return joined({name, is_function ? "()" : "", " is not a plain constant: ", problem});
}

// --- The basic contract --------------------------------------------------------------------------

// Names of capacities, of which there must be one. `list` is for the message.
struct Capacities {
  std::string_view list;
  const char* names[3];
};
constexpr Capacities kInput = {"input_utf8_cap and input_bytes_cap",
                               {"input_utf8_cap", "input_bytes_cap", nullptr}};
constexpr Capacities kOutput = {"output_utf8_cap, output_i32_cap and output_bytes_cap",
                                {"output_utf8_cap", "output_i32_cap", "output_bytes_cap"}};

std::string exactly_one(const Module& module, const Capacities& capacities) {
  size_t found = 0;
  for (const char* name : capacities.names) {
    if (name != nullptr && has_value_export(module, name)) found++;
  }
  if (found == 1) return "";
  return joined({kMust, found == 0 ? "one of " : "only one of ", capacities.list});
}

std::string check_content_exports(const Module& module) {
  Result<ContentContract, std::string> contract = content_contract(module);
  if (!contract.ok()) return std::move(contract.error());
  const bool counts = contract.value().entry_result == EntryResult::Count;
  if (counts && !contract.value().has_output_ptr) return joined({kMust, "output_ptr", kAsValue});
  std::string problem;
  if (contract.value().input_capacity != nullptr) problem = exactly_one(module, kInput);
  return problem.empty() ? exactly_one(module, kOutput) : problem;
}

std::string check_tile_exports(const Module& module, const char* entry) {
  const FuncType wanted{{ValueType::F32, ValueType::F32}, {}};
  const FuncType& type = *exported_function_type(module, entry);
  if (!(type == wanted)) {
    return joined({kMust, entry, func_type_text(wanted), ", not ", entry, func_type_text(type)});
  }
  const Export* memory = find_export(module, "memory");
  if (memory == nullptr || memory->kind != ExternKind::Memory) return joined({kMust, "memory"});
  for (const char* name : {"input_ptr", "input_bytes_cap"}) {
    if (!has_value_export(module, name)) return joined({kMust, name, kAsValue});
  }
  return exactly_one(module, kInput);
}

std::string check_exports(const Module& module) {
  std::string problem;
  switch (detect_contract(module).kind) {
    case ContractKind::Tile:
      problem = check_tile_exports(module, tile_entry(module));
      break;
    case ContractKind::Interactive:
    case ContractKind::Form:
      break;  // binding an instance looks at every export
    default:
      problem = check_content_exports(module);
  }
  for (const char* name : kValueExports) {
    if (!problem.empty()) break;
    if (has_value_export(module, name)) problem = check_value_export(module, name);
  }
  return problem;
}

MaybeError check_first_frame(ComponentInstance& instance) {
  Result<InteractiveSession, HostError> session = InteractiveSession::bind(instance, {});
  if (!session.ok()) return std::move(session.error());
  const auto wake = session.value().tick(0);
  if (!wake.ok()) return wake.error();
  const Result<GuestBytes, HostError> frame = session.value().render();
  return frame.ok() ? std::nullopt : MaybeError(frame.error());
}

MaybeError check_first_prompt(ComponentInstance& instance) {
  Result<FormSession, HostError> session = FormSession::bind(instance);
  if (!session.ok()) return std::move(session.error());
  const Result<FormPrompt, HostError> prompt = session.value().prompt();
  return prompt.ok() ? std::nullopt : MaybeError(prompt.error());
}

MaybeError check_instance(const Component& component, TimedBudget& budget) {
  Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(component, budget);
  if (!instance.ok()) return std::move(instance.error());
  for (const char* name : kValueExports) {
    if (!has_value_export(component.module(), name)) continue;
    Result<uint32_t, HostError> value = instance.value()->read_value(name);
    if (!value.ok()) return std::move(value.error());
  }
  switch (detect_contract(component.module()).kind) {
    case ContractKind::Tile: {
      Result<TileStage, HostError> stage = TileStage::bind(*instance.value());
      return stage.ok() ? std::nullopt : MaybeError(std::move(stage.error()));
    }
    case ContractKind::Interactive:
      return check_first_frame(*instance.value());
    case ContractKind::Form:
      return check_first_prompt(*instance.value());
    default: {
      Result<ContentStage, HostError> stage = ContentStage::bind(*instance.value());
      return stage.ok() ? std::nullopt : MaybeError(std::move(stage.error()));
    }
  }
}

// --- Oracles -------------------------------------------------------------------------------------

constexpr const char* kImplementation = "impl";
constexpr const char* kHost = "qip";

// The older name is that of the time when entries were called `run`.
bool is_trap_probe(const Import& import) {
  return import.module == kHost &&
         (import.name == "render_must_trap" || import.name == "run_must_trap");
}

const FuncType& trap_probe_type() {
  static const FuncType type{{ValueType::I32}, {ValueType::I32}};
  return type;
}

const FuncType& check_type() {
  static const FuncType type{{}, {ValueType::I32}};
  return type;
}

// Oracles with a memory of their own that tell the host each case: another contract.
bool is_newer_form(const Module& oracle) {
  if (find_export(oracle, "positive") != nullptr) return false;
  if (find_export(oracle, "comply") != nullptr) return true;
  for (const Import& import : oracle.imports) {
    if (import.module == kHost && !is_trap_probe(import)) return true;
  }
  return false;
}

std::string check_signature(const Module& oracle, const char* check) {
  const FuncType* type = exported_function_type(oracle, check);
  const bool fits = type != nullptr && *type == check_type();
  return fits ? "" : joined({"the oracle must export ", check, "() -> i32"});
}

// What can be told without the component.
std::string check_oracle(const Module& oracle) {
  if (is_newer_form(oracle)) {
    return "the oracle is of the form that exports comply() and imports qip.must_render_exactly, "
           "which is not supported; export positive() -> i32 and import impl.memory";
  }
  bool has_memory = false;
  for (const Import& import : oracle.imports) {
    has_memory |= import.module == kImplementation && import.name == "memory" &&
                  import.kind == ExternKind::Memory;
  }
  std::string problem = check_signature(oracle, "positive");
  if (problem.empty() && find_export(oracle, "negative") != nullptr) {
    problem = check_signature(oracle, "negative");
  }
  if (problem.empty() && !has_memory) problem = "the oracle must import impl.memory";
  return problem;
}

bool is_exhaustion(Trap trap) {
  return trap == Trap::DeadlineExceeded || trap == Trap::FuelExhausted ||
         trap == Trap::CallStackExhausted || trap == Trap::OutOfHostMemory;
}

// One check: an instance of the component, one of the oracle, and the host function between them.
class OracleRun {
 public:
  OracleRun(const Component& implementation, const Component& oracle, TimedBudget& budget)
      : implementation_(implementation), oracle_(oracle), budget_(budget) {}

  MaybeError run(std::string_view check) {
    if (MaybeError failure = link()) return failure;
    FunctionInstance& function = *oracle_instance_->function(check);
    Value result;
    const Trap trap = invoke(budget_.budget(), function, {}, {&result, 1});
    HostError error;
    if (trap != Trap::None) {
      error = trapped(trap, check);
    } else {
      const int32_t status = static_cast<int32_t>(result.i32());
      if (status > 0) return std::nullopt;
      error = contract_error(joined({check, "() returned ", std::to_string(status)}));
    }
    error.message += failure_details();
    return error;
  }

 private:
  MaybeError link() {
    InstanceOptions options;
    options.store = std::make_shared<Store>();
    Result<std::unique_ptr<ComponentInstance>, HostError> implementation =
        ComponentInstance::create(implementation_, budget_, options);
    if (!implementation.ok()) return std::move(implementation.error());
    implementation_instance_ = std::move(implementation.value());
    std::vector<Extern> imports;
    for (const Import& import : oracle_.module().imports) {
      Extern given;
      const std::string problem = resolve(import, *options.store, &given);
      if (!problem.empty()) {
        return contract_error(joined(
            {"the oracle imports ", escape_controls(import.module + "." + import.name, kNameLimit),
             " (", extern_kind_text(import.kind), "), ", problem}));
      }
      imports.push_back(given);
    }
    options.imports = imports;
    Result<std::unique_ptr<ComponentInstance>, HostError> oracle =
        ComponentInstance::create(oracle_, budget_, options);
    if (!oracle.ok()) return std::move(oracle.error());
    oracle_instance_ = std::move(oracle.value());
    return std::nullopt;
  }

  // The error completes "the oracle imports <name>, ".
  std::string resolve(const Import& import, Store& store, Extern* given) {
    if (import.module == kHost) {
      if (!is_trap_probe(import)) return "which does not exist";
      return resolve_trap_probe(store, given);
    }
    if (import.module != kImplementation) return "but may import from impl and qip only";
    const Module& module = implementation_.module();
    const Export* found = find_export(module, import.name);
    if (found == nullptr) return "which the component does not export";
    if (found->kind != import.kind) {
      return joined({"which the component exports as a ", extern_kind_text(found->kind)});
    }
    if (import.kind == ExternKind::Function) {
      const FuncType& has = *exported_function_type(module, import.name);
      const FuncType& wants = oracle_.module().types[import.type_index];
      if (!(has == wants)) {
        return joined(
            {"as ", func_type_text(wants), "; the component exports it as ", func_type_text(has)});
      }
    }
    implementation_instance_->instance().find_export(import.name, given);
    return "";
  }

  std::string resolve_trap_probe(Store& store, Extern* given) {
    const Result<ContentContract, std::string> contract =
        content_contract(implementation_.module());
    if (!contract.ok()) return "but the component has no entry to render with";
    entry_ = implementation_instance_->function(contract.value().entry);
    *given = Extern::of(store.add_host_function(trap_probe_type(), render_must_trap, this));
    return "";
  }

  // qip.render_must_trap. A budget that ran out is not the component's trap: it ends the check.
  static Trap render_must_trap(void* context, const Value* arguments, Value* results) {
    OracleRun& run = *static_cast<OracleRun*>(context);
    Value ignored;
    const Trap trap = invoke(run.budget_.budget(), *run.entry_, {arguments, 1}, {&ignored, 1});
    if (is_exhaustion(trap)) {
      run.exhaustion_ = run.implementation_instance_->trap_error(trap, "");
      return trap;
    }
    results[0] = Value::from_i32(trap == Trap::None ? 0 : 1);
    return Trap::None;
  }

  // The error names the one whose code was running.
  HostError trapped(Trap trap, std::string_view check) {
    const TrapLocation location = last_trap_location(budget_.budget());
    const bool inside = location.instance == &implementation_instance_->instance();
    const ComponentInstance& owner = inside ? *implementation_instance_ : *oracle_instance_;
    HostError error = exhaustion_ ? *exhaustion_ : owner.trap_error(trap, "");
    error.message =
        joined({check, is_exhaustion(trap) ? "() stopped: " : "() trapped: ", error.message});
    return error;
  }

  // --- What the oracle has to say about a failure ------------------------------------------------

  // ": message (input "...", expected "...", got "...")", as far as the oracle exports it.
  std::string failure_details() {
    std::string text;
    const std::optional<std::string> message = exported_text("message");
    if (message && !message->empty()) text = joined({": ", *message});
    std::string list;
    std::string_view separator = " (";
    const auto add = [&](std::string_view label, const char* name) {
      const std::optional<std::string> bytes = exported_text(name);
      if (!bytes) return false;
      list += joined({separator, label, " \"", *bytes, "\""});
      separator = ", ";
      return true;
    };
    add("input", "input");
    add("expected", "expected_output");
    if (!add("got", "actual_output")) add("got", "output");
    return list.empty() ? text : joined({text, list, ")"});
  }

  // The bytes that failure_<name>_ptr and failure_<name>_size tell (or fail_...), fit for a
  // message.
  std::optional<std::string> exported_text(const char* name) {
    for (const char* prefix : {"failure_", "fail_"}) {
      const std::optional<uint32_t> pointer = exported_number(joined({prefix, name, "_ptr"}));
      const std::optional<uint32_t> size = exported_number(joined({prefix, name, "_size"}));
      if (!pointer || !size || (*pointer == 0 && *size == 0)) continue;
      const std::optional<GuestBytes> bytes =
          implementation_instance_->memory().bytes(*pointer, *size);
      if (!bytes) continue;
      const std::span<const uint8_t> span = bytes->get();
      return escape_controls({reinterpret_cast<const char*>(span.data()), span.size()}, kNameLimit);
    }
    return std::nullopt;
  }

  std::optional<uint32_t> exported_number(const std::string& name) {
    if (!has_value_export(oracle_.module(), name)) return std::nullopt;
    Result<uint32_t, HostError> value = oracle_instance_->read_value(name);
    if (!value.ok()) return std::nullopt;
    return value.value();
  }

  const Component& implementation_;
  const Component& oracle_;
  TimedBudget& budget_;
  std::unique_ptr<ComponentInstance> implementation_instance_;
  std::unique_ptr<ComponentInstance> oracle_instance_;
  FunctionInstance* entry_ = nullptr;  // of the component, for qip.render_must_trap
  MaybeError exhaustion_;              // where the budget ran out inside qip.render_must_trap
};

MaybeError run_check(const Component& implementation, const Component& oracle, const char* check,
                     TimedBudget& budget) {
  budget.restart();
  budget.resume();
  MaybeError failure = OracleRun(implementation, oracle, budget).run(check);
  budget.pause();
  return failure;
}

}  // namespace

MaybeError check_basic_contract(const Component& component, TimedBudget& budget) {
  MaybeError failure = check_sealed(component);
  if (!failure) {
    std::string problem = check_exports(component.module());
    if (!problem.empty()) return contract_error(std::move(problem));
    budget.restart();
    budget.resume();
    failure = check_instance(component, budget);
    budget.pause();
  }
  const std::string prefix = component.path + ": ";
  if (failure && failure->message.starts_with(prefix)) failure->message.erase(0, prefix.size());
  return failure;
}

OracleOutcome run_oracle(const Component& implementation, const Component& oracle,
                         TimedBudget& budget) {
  OracleOutcome outcome;
  std::string problem = check_oracle(oracle.module());
  if (!problem.empty()) {
    outcome.failure = contract_error(std::move(problem));
    return outcome;
  }
  const bool has_negative = find_export(oracle.module(), "negative") != nullptr;
  outcome.checks = has_negative ? "positive, negative" : "positive";
  outcome.failure = run_check(implementation, oracle, "positive", budget);
  if (!outcome.failure && has_negative) {
    outcome.failure = run_check(implementation, oracle, "negative", budget);
  }
  return outcome;
}

}  // namespace qip
