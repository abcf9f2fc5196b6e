// qip check: whether components keep their contract in practice, a line per rule.
//
// Promises: every component is read and compiled before the first line is printed, so a module that
// cannot be loaded is one line on stderr and nothing on stdout; exit code 1 on a breach.
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/modules.hpp"
#include "cli/output.hpp"
#include "host/checklist.hpp"
#include "host/files.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

const char* verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::Pass:
      return "PASS";
    case Verdict::Note:
      return "NOTE";
    case Verdict::Fail:
      return "FAIL";
  }
  return "";
}

// The sample, cut one byte behind what any check takes: then it is too large for every component
// that is tried at all.
Result<std::vector<uint8_t>, std::string> read_sample(const char* path) {
  Result<FileDescriptor, std::string> file = open_for_reading(path);
  if (!file.ok()) return std::move(file.error());
  std::vector<uint8_t> bytes(kMostCheckedInputBytes + 1);
  const int64_t size = read_fully(file.value().number(), bytes);
  if (size < 0) return "read " + std::string(path) + ": " + system_error_text(errno);
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

std::string report_text(const Component& component, const Checklist& list) {
  std::string text = component.path + ": " + contract_kind_text(list.kind) + "\n";
  for (const Finding& finding : list.findings) {
    text += std::string("  ") + verdict_text(finding.verdict) + " " + finding.rule + ": " +
            finding.words + "\n";
  }
  return text + "  " + number_text(list.count(Verdict::Pass)) + " passed, " +
         number_text(list.count(Verdict::Fail)) + " failed, " +
         number_text(list.count(Verdict::Note)) + " notes\n";
}

}  // namespace

int check_command(const Command& command, const Options& options) {
  if (options.operands.empty()) return fail_with(usage_line(command));
  std::vector<Component> components;
  for (const char* path : options.operands) {
    Result<Component, HostError> component = read_component(path, options.limits);
    if (!component.ok()) return fail_with(component.error());
    components.push_back(std::move(component.value()));
  }
  std::vector<uint8_t> sample;
  if (options.input_path != nullptr) {
    Result<std::vector<uint8_t>, std::string> read = read_sample(options.input_path);
    if (!read.ok()) return fail_with("Error reading input file: " + read.error());
    sample = std::move(read.value());
  }
  int code = kSuccess;
  for (const Component& component : components) {
    const Checklist list = check_component(component, options.limits, sample);
    const std::string separator = &component == components.data() ? "" : "\n";
    if (const int printed = print(separator + report_text(component, list))) return printed;
    if (list.count(Verdict::Fail) > 0) code = kFailure;
  }
  return code;
}

}  // namespace qip
