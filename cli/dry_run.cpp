// qip run --dry-run: the plan of a chain, for people and for checks without data.
#include <string>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "host/plan.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

std::string type_text(const ContentType& type) {
  return type ? *type : "unspecified type";
}

std::string capacity_text(Encoding encoding, uint32_t capacity) {
  return std::string(encoding_text(encoding)) + ", at most " + number_text(capacity) +
         (encoding == Encoding::I32 ? " items" : " bytes");
}

std::string input_text(const PlannedStage& stage) {
  if (stage.frame_width != 0) return "none but events";
  if (stage.detection.kind == ContractKind::Tile) {
    return "image in tiles, at most " + number_text(stage.tile_capacity) + " bytes each, " +
           type_text(stage.incoming);
  }
  if (stage.contract.input_capacity == nullptr) return "none";
  return capacity_text(stage.contract.input_encoding, stage.values.input_capacity) + ", " +
         type_text(stage.incoming);
}

std::string output_text(const PlannedStage& stage) {
  if (stage.frame_width != 0) {
    return "frames of " + number_text(stage.frame_width) + " x " + number_text(stage.frame_height) +
           " pixels, " + type_text(stage.outgoing);
  }
  if (stage.detection.kind == ContractKind::Tile) {
    return "image in tiles, " + type_text(stage.outgoing);
  }
  if (stage.contract.output_capacity == nullptr || stage.values.output_capacity == 0) {
    return "none, its result is printed";
  }
  return capacity_text(stage.contract.output_encoding, stage.values.output_capacity) + ", " +
         type_text(stage.outgoing);
}

std::string stage_text(size_t number, const Stage& stage, const PlannedStage& planned) {
  std::string text = "step " + number_text(number) + ": " + stage.component.path + "\n";
  const auto line = [&text](const char* label, const std::string& value) {
    text += std::string("  ") + label + value + "\n";
  };
  const bool is_none = planned.detection.kind == ContractKind::None;
  line("contract: ", std::string(contract_kind_text(planned.detection.kind)) +
                         (is_none ? ": " : ", because ") + planned.detection.reason);
  if (planned.is_bound) {
    line("input:    ", input_text(planned));
    line("output:   ", output_text(planned));
  }
  for (const auto& [key, value] : stage.uniforms) {
    line("uniform:  ", escape_controls(key) + " = " + escape_controls(value));
  }
  for (const std::string& warning : planned.warnings) line("warning:  ", warning);
  if (!planned.problem.empty()) line("problem:  ", planned.problem);
  return text;
}

}  // namespace

int dry_run(const Command& command, const Options& options) {
  Result<std::vector<ComponentArgument>, std::string> arguments =
      component_arguments(command, options);
  if (!arguments.ok()) return fail_with(arguments.error());
  if (arguments.value().empty()) return fail_with(usage_line(command));
  Result<std::vector<Stage>, HostError> stages = read_stages(std::move(arguments.value()), options);
  if (!stages.ok()) return fail_with(stages.error());

  const std::vector<PlannedStage> plan = plan_chain(stages.value(), options.limits);
  std::string text;
  std::string first_problem;
  for (size_t i = 0; i < plan.size(); i++) {
    text += stage_text(i + 1, stages.value()[i], plan[i]);
    if (first_problem.empty()) first_problem = plan[i].problem;
  }
  if (first_problem.empty()) {
    text += "Pipeline compatible: " + number_text(plan.size()) +
            (plan.size() == 1 ? " step\n" : " steps\n");
  }
  const int code = print(text);
  return first_problem.empty() ? code : fail_with(first_problem);
}

}  // namespace qip
