// qip inspect: what a module is and what it needs, in words.
//
// Promises: of the module, only its start function and its value exports run, inside the time
// limit; names that the module chose cannot disturb the terminal.
#include <string>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "host/contract.hpp"
#include "host/digest.hpp"
#include "host/text.hpp"
#include "loader/loader.hpp"

namespace qip {
namespace {

// --- The report ----------------------------------------------------------------------------------

class Report {
 public:
  void line(const char* label, const std::string& text) {
    std::string start = std::string(label) + ":";
    start.resize(11, ' ');
    text_ += start + text + "\n";
  }
  void item(const char* kind, const std::string& text) {
    std::string start = std::string("  ") + kind;
    start.resize(11, ' ');
    text_ += start + text + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
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
std::string needed_features(const Module& module) {
  std::string text;
  for (const Feature feature : kOptionalFeatures) {
    const uint32_t bit = static_cast<uint32_t>(feature);
    if (is_valid_under(module, FeatureSet{kEverything.bits & ~bit})) continue;
    text += (text.empty() ? "" : ", ") + std::string(feature_text(feature));
  }
  return text.empty() ? "none beyond WebAssembly 1.0" : text;
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

void add_imports(const Module& module, Report& report) {
  report.line("imports", module.imports.empty() ? "none" : number_text(module.imports.size()));
  uint32_t next[4] = {};  // by kind: imports come first in each index space
  for (const Import& item : module.imports) {
    const uint32_t index = next[static_cast<size_t>(item.kind)]++;
    report.item(extern_kind_text(item.kind),
                escape_controls(item.module + "." + item.name, kNameLimit) + " " +
                    type_text(module, item.kind, index));
  }
}

void add_exports(const Module& module, Report& report) {
  report.line("exports", module.exports.empty() ? "none" : number_text(module.exports.size()));
  for (const Export& item : module.exports) {
    report.item(extern_kind_text(item.kind), escape_controls(item.name, kNameLimit) + " " +
                                                 type_text(module, item.kind, item.index));
  }
}

// --- The contract --------------------------------------------------------------------------------

std::string entry_text(const ContentContract& contract) {
  const bool packed = contract.entry_result == EntryResult::Packed;
  return std::string(contract.entry) + (packed ? "(i32) -> i64" : "(i32) -> i32");
}

std::string reason_text(const ContentContract& contract) {
  std::string text = "Content, because it exports " + entry_text(contract);
  if (contract.input_capacity != nullptr) {
    text += std::string(" with input_ptr and ") + contract.input_capacity;
  }
  return text;
}

std::string items_text(Encoding encoding, uint32_t capacity) {
  const char* unit = encoding == Encoding::I32 ? " x 4 bytes" : " bytes";
  return std::string(encoding_text(encoding)) + ", at most " + number_text(capacity) + unit;
}

std::string input_text(const ContentStage& stage) {
  const ContentContract& contract = stage.contract();
  if (contract.input_capacity == nullptr) return "none";
  return items_text(contract.input_encoding, stage.values().input_capacity) + ", at address " +
         number_text(stage.values().input_ptr);
}

std::string output_text(const ContentStage& stage) {
  const ContentContract& contract = stage.contract();
  if (contract.output_capacity == nullptr) return "none, the result itself is printed";
  return items_text(contract.output_encoding, stage.values().output_capacity);
}

// The numbers that only the running component tells.
void add_values(const Component& component, const Options& options, Report& report) {
  TimedBudget budget(options.time_limit);
  budget.resume();
  Result<std::unique_ptr<ComponentInstance>, HostError> instance =
      ComponentInstance::create(component, budget);
  if (!instance.ok()) return report.line("problem", instance.error().message);
  Result<ContentStage, HostError> stage = ContentStage::bind(*instance.value());
  if (!stage.ok()) return report.line("problem", stage.error().message);
  report.line("input", input_text(stage.value()));
  report.line("output", output_text(stage.value()));
}

void add_contract(const Component& component, const Options& options, Report& report) {
  const Result<ContentContract, std::string> contract = content_contract(component.module());
  if (!contract.ok()) return report.line("contract", "none: " + contract.error());
  report.line("contract", reason_text(contract.value()));
  report.line("entry", entry_text(contract.value()));
  add_values(component, options, report);
}

}  // namespace

int inspect_command(const Command& command, const Options& options) {
  if (options.operands.size() != 1) return fail_with(usage_line(command));
  Result<Component, HostError> component = read_component(options.operands[0]);
  if (!component.ok()) return fail_with(component.error().message);
  const Module& module = component.value().module();

  Report report;
  report.line("module", component.value().path);
  const NameSection names = read_names(module);
  if (!names.module_name.empty())
    report.line("name", escape_controls(names.module_name, kNameLimit));
  report.line("size", number_text(module.bytes.size()) + " bytes");
  report.line("sha256", sha256_text(module.bytes));
  add_contract(component.value(), options, report);
  report.line("memory", memory_text(module));
  report.line("features", needed_features(module));
  add_imports(module, report);
  add_exports(module, report);
  return print(report.text());
}

}  // namespace qip
