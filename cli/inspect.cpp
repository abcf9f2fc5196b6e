// qip inspect: what a module is and what it needs, in words or as JSON.
//
// Promises: of the module, only its start function and its value exports run, inside the time
// limit; names that the module chose cannot disturb the terminal. What is wrong with the contract
// is part of the answer, not a failure.
#include <string>

#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "host/contract.hpp"
#include "host/detection.hpp"
#include "host/digest.hpp"
#include "host/interactive.hpp"
#include "host/policy.hpp"
#include "host/text.hpp"
#include "loader/code_scan.hpp"
#include "loader/loader.hpp"

namespace qip {
namespace {

constexpr std::string_view kUniformPrefix = "uniform_set_";

// --- The facts -----------------------------------------------------------------------------------

struct Direction {
  const char* encoding = "";
  uint64_t capacity = 0;
  const char* unit = "bytes";
  std::optional<uint32_t> address;
  ContentType type;
};

struct Frame {
  uint32_t width = 0;
  uint32_t height = 0;
  bool takes_keys = false;
  bool takes_pointer = false;
};

struct UniformFact {
  std::string key;
  std::string type;
};

struct Facts {
  const Component* component = nullptr;
  NameSection names;
  std::string sha256;
  Detection detection;
  std::string entry;
  std::optional<Direction> input;
  std::optional<Direction> output;
  std::optional<Frame> frame;
  std::optional<uint32_t> failure_modes;
  std::vector<UniformFact> uniforms;
  std::string not_strict;  // the reasons; empty: it is
  std::vector<const char*> features;
  CodeScan code;
  uint64_t memory_grows = 0;
  std::string problem;  // why the values could not be read

  const Module& module() const { return component->module(); }
};

// --- Features ------------------------------------------------------------------------------------

constexpr Feature kOptionalFeatures[] = {Feature::SignExtension,  Feature::SaturatingConversion,
                                         Feature::MultiValue,     Feature::BulkMemory,
                                         Feature::ReferenceTypes, Feature::Simd,
                                         Feature::ExtendedConst};

bool is_valid_under(const Module& module, FeatureSet features) {
  Result<Module, LoadError> decoded = decode(module.bytes, features);
  return decoded.ok() && validate(std::move(decoded.value())).ok();
}

// A module needs a feature if it is not valid without it.
std::vector<const char*> needed_features(const Module& module) {
  std::vector<const char*> needed;
  for (const Feature feature : kOptionalFeatures) {
    const uint32_t bit = static_cast<uint32_t>(feature);
    if (is_valid_under(module, FeatureSet{kEverything.bits & ~bit})) continue;
    needed.push_back(feature_text(feature));
  }
  return needed;
}

// --- Sizes and types -----------------------------------------------------------------------------

std::string pages_text(uint64_t pages) {
  return number_text(pages) + (pages == 1 ? " page (" : " pages (") +
         number_text(pages * kPageBytes) + " bytes)";
}

std::string memory_text(const Module& module) {
  if (module.memory_types.empty()) return "none";
  const Limits& limits = module.memory_types[0].limits;
  return pages_text(limits.minimum) +
         (limits.maximum ? ", at most " + pages_text(*limits.maximum) : ", no declared maximum");
}

std::string global_text(const GlobalType& type) {
  return std::string(value_type_text(type.type)) + (type.is_mutable ? " mutable" : "");
}

std::string table_text(const TableType& type) {
  std::string text = number_text(type.limits.minimum) + " " + value_type_text(type.element);
  if (type.limits.maximum) text += ", at most " + number_text(*type.limits.maximum);
  return text;
}

// The type of entry `index` of an index space.
std::string type_text(const Module& module, ExternKind kind, uint32_t index) {
  switch (kind) {
    case ExternKind::Function:
      return func_type_text(module.types[module.function_types[index]]);
    case ExternKind::Table:
      return table_text(module.table_types[index]);
    case ExternKind::Memory:
      return pages_text(module.memory_types[index].limits.minimum);
    case ExternKind::Global:
      return global_text(module.global_types[index]);
  }
  return "";
}

// --- Gathering -----------------------------------------------------------------------------------

std::string entry_text(const ContentContract& contract) {
  const bool packed = contract.entry_result == EntryResult::Packed;
  return std::string(contract.entry) + (packed ? "(i32) -> i64" : "(i32) -> i32");
}

// The numbers of a Content component, which only the running component tells.
MaybeError read_content(ComponentInstance& instance, Facts& facts) {
  const Result<ContentStage, HostError> bound = ContentStage::bind(instance);
  if (!bound.ok()) return bound.error();
  const ContentContract& contract = bound.value().contract();
  const ContentValues& values = bound.value().values();
  facts.entry = entry_text(contract);
  if (contract.input_capacity != nullptr) {
    facts.input = {encoding_text(contract.input_encoding), values.input_capacity, "bytes",
                   values.input_ptr, bound.value().types().input};
  }
  if (contract.output_capacity != nullptr) {
    const bool items = contract.output_encoding == Encoding::I32;
    facts.output = {encoding_text(contract.output_encoding), values.output_capacity,
                    items ? "x 4 bytes" : "bytes", std::nullopt, bound.value().types().output};
  }
  if (contract.may_reject) facts.failure_modes = values.failure_modes;
  return std::nullopt;
}

MaybeError read_tile(ComponentInstance& instance, Facts& facts) {
  facts.entry = std::string(tile_entry(facts.module())) + "(f32, f32)";
  const Result<uint32_t, HostError> pointer = instance.read_value("input_ptr");
  if (!pointer.ok()) return pointer.error();
  const Result<uint32_t, HostError> capacity = instance.read_value("input_bytes_cap");
  if (!capacity.ok()) return capacity.error();
  facts.input = {"rgba32float", capacity.value(), "bytes", pointer.value(), std::nullopt};
  return std::nullopt;
}

MaybeError read_interactive(ComponentInstance& instance, Facts& facts) {
  facts.entry = "render(i32) -> i32";
  const Result<InteractiveSession, HostError> bound = InteractiveSession::bind(instance, {});
  if (!bound.ok()) return bound.error();
  const InteractiveSession& session = bound.value();
  facts.frame = {session.width(), session.height(), session.takes_keys(), session.takes_pointer()};
  return std::nullopt;
}

MaybeError read_values(const Options& options, Facts& facts) {
  const ContractKind kind = facts.detection.kind;
  if (kind == ContractKind::None || kind == ContractKind::Form) return std::nullopt;
  TimedBudget budget(options.limits);
  budget.resume();
  const Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(*facts.component, budget);
  if (!instance.ok()) return instance.error();
  if (kind == ContractKind::Tile) return read_tile(*instance.value(), facts);
  if (kind == ContractKind::Interactive) return read_interactive(*instance.value(), facts);
  return read_content(*instance.value(), facts);
}

void find_uniforms(Facts& facts) {
  for (const Export& item : facts.module().exports) {
    if (item.kind != ExternKind::Function || !item.name.starts_with(kUniformPrefix)) continue;
    const FuncType& type = facts.module().types[facts.module().function_types[item.index]];
    std::string parameters;
    for (const ValueType parameter : type.parameters) {
      if (!parameters.empty()) parameters += ", ";
      parameters += value_type_text(parameter);
    }
    facts.uniforms.push_back({std::string(item.name.substr(kUniformPrefix.size())), parameters});
  }
}

// What check_policy() says behind its first words.
std::string strict_reasons(const Component& component) {
  Policy strict;
  strict.strict = true;
  const MaybeError failure = check_policy(component, strict);
  if (!failure) return "";
  constexpr std::string_view kMark = "rejected by policy: ";
  const size_t at = failure->message.rfind(kMark);
  return at == std::string::npos ? failure->message : failure->message.substr(at + kMark.size());
}

Facts gather(const Component& component, const Options& options) {
  Facts facts;
  facts.component = &component;
  facts.names = read_names(component.module());
  facts.sha256 = sha256_text(component.module().bytes);
  facts.detection = detect_contract(component.module());
  facts.code = scan_code(component.module());
  for (const MemoryGrows& grows : facts.code.memory_grows) facts.memory_grows += grows.count;
  facts.features = needed_features(component.module());
  facts.not_strict = strict_reasons(component);
  find_uniforms(facts);
  if (const MaybeError failure = read_values(options, facts)) facts.problem = failure->message;
  return facts;
}

// Calls `use` with every import: its kind, module, name and type as text.
template <class Use>
void for_each_import(const Module& module, const Use& use) {
  uint32_t next[4] = {};  // by kind: imports come first in each index space
  for (const Import& item : module.imports) {
    const uint32_t index = next[static_cast<size_t>(item.kind)]++;
    use(item, type_text(module, item.kind, index));
  }
}

// --- In words ------------------------------------------------------------------------------------

class Report {
 public:
  void line(const char* label, const std::string& text) { add(std::string(label) + ":", text); }
  void item(const char* kind, const std::string& text) { add(std::string("  ") + kind, text); }
  const std::string& text() const { return text_; }

 private:
  void add(std::string start, const std::string& text) {
    start.resize(11, ' ');
    text_ += start;
    text_ += text;
    text_ += '\n';
  }
  std::string text_;
};

std::string direction_text(const Direction& direction) {
  std::string text = direction.encoding;
  text += ", at most " + number_text(direction.capacity) + " " + direction.unit;
  if (direction.address) text += ", at address " + number_text(*direction.address);
  if (direction.type) text += ", " + *direction.type;
  return text;
}

std::string frame_text(const Frame& frame) {
  std::string text = number_text(frame.width) + " x " + number_text(frame.height) + " pixels";
  if (!frame.takes_keys && !frame.takes_pointer) return text + ", takes no events";
  text += ", takes ";
  if (frame.takes_keys) text += frame.takes_pointer ? "keys and " : "keys";
  return text + (frame.takes_pointer ? "the pointer" : "");
}

std::string code_text(const Facts& facts) {
  const Module& module = facts.module();
  std::string text = number_text(module.functions.size()) + " functions, ";
  text += number_text(facts.code.instruction_count) + " instructions, ";
  text += number_text(facts.code.loop_count) + " loops, ";
  text += number_text(facts.code.indirect_call_count) + " indirect calls, ";
  text += number_text(facts.memory_grows) + " memory.grow";
  return text + (module.start ? ", a start function" : "");
}

void add_contract(const Facts& facts, Report& report) {
  const bool is_none = facts.detection.kind == ContractKind::None;
  report.line("contract", std::string(contract_kind_text(facts.detection.kind)) +
                              (is_none ? ": " : ", because ") + facts.detection.reason);
  if (!facts.entry.empty()) report.line("entry", facts.entry);
  if (!facts.problem.empty()) {
    report.line("problem", facts.problem);
  } else if (facts.detection.kind == ContractKind::Content) {
    report.line("input", facts.input ? direction_text(*facts.input) : "none");
    report.line("output", facts.output ? direction_text(*facts.output)
                                       : "none, the result itself is printed");
  } else if (facts.input) {
    report.line("input", direction_text(*facts.input));
  }
  if (facts.frame) report.line("frame", frame_text(*facts.frame));
  if (facts.failure_modes) {
    report.line("rejects",
                "input, with " + number_text(*facts.failure_modes) + " modes per input offset");
  }
  for (const UniformFact& uniform : facts.uniforms) {
    report.line("uniform", escape_controls(uniform.key, kNameLimit) + " (" + uniform.type + ")");
  }
}

std::string in_words(const Facts& facts) {
  const Module& module = facts.module();
  Report report;
  report.line("module", facts.component->path);
  if (!facts.names.module_name.empty()) {
    report.line("name", escape_controls(facts.names.module_name, kNameLimit));
  }
  report.line("size", number_text(module.bytes.size()) + " bytes");
  report.line("sha256", facts.sha256);
  add_contract(facts, report);
  report.line("memory", memory_text(module));
  report.line("code", code_text(facts));
  report.line("strict", facts.not_strict.empty() ? "yes" : "no: " + facts.not_strict);
  std::string features;
  for (const char* feature : facts.features)
    features += (features.empty() ? "" : ", ") + std::string(feature);
  report.line("features", features.empty() ? "none beyond WebAssembly 1.0" : features);
  report.line("imports", module.imports.empty() ? "none" : number_text(module.imports.size()));
  for_each_import(module, [&](const Import& item, const std::string& type) {
    report.item(extern_kind_text(item.kind),
                escape_controls(item.module + "." + item.name, kNameLimit) + " " + type);
  });
  report.line("exports", module.exports.empty() ? "none" : number_text(module.exports.size()));
  for (const Export& item : module.exports) {
    report.item(extern_kind_text(item.kind), escape_controls(item.name, kNameLimit) + " " +
                                                 type_text(module, item.kind, item.index));
  }
  return report.text();
}

// --- As JSON -------------------------------------------------------------------------------------

void add_direction(JsonText& json, const char* key, const std::optional<Direction>& direction) {
  json.key(key);
  if (!direction) return json.null();
  json.begin_object();
  json.key("encoding").text(direction->encoding);
  json.key("capacity").number(direction->capacity);
  if (direction->address) json.key("address").number(*direction->address);
  json.key("content_type");
  direction->type ? json.text(*direction->type) : json.null();
  json.end_object();
}

void add_contract(JsonText& json, const Facts& facts) {
  json.key("contract").text(contract_kind_text(facts.detection.kind));
  json.key("reason").text(facts.detection.reason);
  json.key("entry");
  facts.entry.empty() ? json.null() : json.text(facts.entry);
  add_direction(json, "input", facts.input);
  add_direction(json, "output", facts.output);
  if (facts.frame) {
    json.key("frame").begin_object();
    json.key("width").number(facts.frame->width);
    json.key("height").number(facts.frame->height);
    json.key("takes_keys").boolean(facts.frame->takes_keys);
    json.key("takes_pointer").boolean(facts.frame->takes_pointer);
    json.end_object();
  }
  json.key("failure_modes_per_input_offset");
  facts.failure_modes ? json.number(*facts.failure_modes) : json.null();
  json.key("problem");
  facts.problem.empty() ? json.null() : json.text(facts.problem);
  json.key("uniforms").begin_array();
  for (const UniformFact& uniform : facts.uniforms) {
    json.begin_object();
    json.key("key").text(uniform.key);
    json.key("type").text(uniform.type);
    json.end_object();
  }
  json.end_array();
}

void add_memory(JsonText& json, const Module& module) {
  json.key("memory");
  if (module.memory_types.empty()) return json.null();
  const Limits& limits = module.memory_types[0].limits;
  json.begin_object();
  json.key("minimum_pages").number(limits.minimum);
  json.key("maximum_pages");
  limits.maximum ? json.number(*limits.maximum) : json.null();
  json.end_object();
}

void add_code(JsonText& json, const Facts& facts) {
  json.key("functions").number(facts.module().functions.size());
  json.key("instructions").number(facts.code.instruction_count);
  json.key("loops").number(facts.code.loop_count);
  json.key("calls").number(facts.code.call_count);
  json.key("indirect_calls").number(facts.code.indirect_call_count);
  json.key("memory_grows").number(facts.memory_grows);
  json.key("start_function").boolean(facts.module().start.has_value());
  json.key("strict").boolean(facts.not_strict.empty());
  json.key("not_strict_because");
  facts.not_strict.empty() ? json.null() : json.text(facts.not_strict);
  json.key("features").begin_array();
  for (const char* feature : facts.features) json.text(feature);
  json.end_array();
}

std::string as_json(const Facts& facts) {
  const Module& module = facts.module();
  JsonText json;
  json.begin_object();
  json.key("module").text(escape_controls(facts.component->path));
  json.key("name");
  facts.names.module_name.empty() ? json.null() : json.text(facts.names.module_name);
  json.key("size").number(module.bytes.size());
  json.key("sha256").text(facts.sha256);
  add_contract(json, facts);
  add_memory(json, module);
  add_code(json, facts);
  json.key("imports").begin_array();
  for_each_import(module, [&](const Import& item, const std::string& type) {
    json.begin_object();
    json.key("kind").text(extern_kind_text(item.kind));
    json.key("module").text(item.module);
    json.key("name").text(item.name);
    json.key("type").text(type);
    json.end_object();
  });
  json.end_array();
  json.key("exports").begin_array();
  for (const Export& item : module.exports) {
    json.begin_object();
    json.key("kind").text(extern_kind_text(item.kind));
    json.key("name").text(item.name);
    json.key("type").text(type_text(module, item.kind, item.index));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace

int inspect_command(const Command& command, const Options& options) {
  if (options.operands.size() != 1) return fail_with(usage_line(command));
  Result<Component, HostError> component = read_component(options.operands[0], options.limits);
  if (!component.ok()) return fail_with(component.error());
  const Facts facts = gather(component.value(), options);
  return print(options.json ? as_json(facts) : in_words(facts));
}

}  // namespace qip
