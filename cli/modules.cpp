// Reading and compiling modules in the order of the command line.
#include "cli/modules.hpp"

#include <chrono>

#include "cli/output.hpp"
#include "host/digest.hpp"
#include "host/files.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr std::string_view kPinMark = "#sha256=";
constexpr size_t kPinDigits = 64;

struct PinnedPath {
  std::string path;
  std::string sha256;  // lower case; empty: not pinned
};

// The error is complete.
Result<PinnedPath, std::string> split_pin(const std::string& module) {
  const size_t mark = module.rfind(kPinMark);
  if (mark == std::string::npos) return PinnedPath{module, ""};
  std::string digits = module.substr(mark + kPinMark.size());
  bool is_digest = digits.size() == kPinDigits;
  for (char& digit : digits) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
    is_digest &= (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
  }
  if (!is_digest) return module + ": a pin must be 64 hexadecimal digits";
  return PinnedPath{module.substr(0, mark), digits};
}

Result<Component, HostError> compile(ModuleFile file, const Options& options, size_t index) {
  using Clock = std::chrono::steady_clock;
  if (options.verbose) {
    log_line("module " + file.path + " sha256: " + sha256_text(file.bytes));
  }
  const Clock::time_point start = Clock::now();
  Result<Component, HostError> component =
      load_component(std::move(file.path), std::move(file.bytes), options.limits);
  if (component.ok() && options.verbose) {
    log_line("compiled module[" + number_text(index) + "] in " +
             format_duration(Clock::now() - start));
  }
  return component;
}

// What is wrong with a setting, with the words in front that all of them share.
std::string setting_error(const Command& command, const std::string& problem) {
  return std::string("Invalid ") + command.name + " module args: " + problem;
}

// Collects operands and settings in the order of the command line.
class ArgumentReader {
 public:
  ArgumentReader(const Command& command, std::vector<ComponentArgument>& chain)
      : command_(command), chain_(chain) {}

  std::string add_operand(const char* text) {
    if (*text != '?') {
      chain_.push_back({text, {}});
      return "";
    }
    if (chain_.empty()) return stray("query", text);
    return add_uniform_query(command_.name, text, chain_.back().uniforms);
  }
  std::string add_pair(const char* text) {
    if (chain_.empty()) return stray("setting", text);
    return add_uniform_pair(text, chain_.back().uniforms);
  }

 private:
  std::string stray(const char* what, const char* text) const {
    return std::string(command_.name) + " uniform " + what + " \"" + escape_controls(text) +
           "\" must follow a wasm module path";
  }

  const Command& command_;
  std::vector<ComponentArgument>& chain_;
};

}  // namespace

Result<std::vector<ComponentArgument>, std::string> component_arguments(const Command& command,
                                                                        const Options& options) {
  std::vector<ComponentArgument> chain;
  ArgumentReader reader(command, chain);
  const size_t end = options.takes_files() ? options.separator : options.operands.size();
  size_t next_pair = 0;
  for (size_t i = 0; i <= end; i++) {
    for (; next_pair < options.uniforms.size() && options.uniforms[next_pair].operands_before <= i;
         next_pair++) {
      const std::string problem = reader.add_pair(options.uniforms[next_pair].text);
      if (!problem.empty()) return setting_error(command, problem);
    }
    if (i == end) break;
    const std::string problem = reader.add_operand(options.operands[i]);
    if (!problem.empty()) return setting_error(command, problem);
  }
  return chain;
}

Result<ModuleFile, HostError> read_module(const std::string& module) {
  Result<PinnedPath, std::string> pinned = split_pin(module);
  if (!pinned.ok()) return contract_error(pinned.error());
  const PinnedPath& named = pinned.value();
  Result<std::vector<uint8_t>, std::string> bytes = read_module_file(named.path);
  if (!bytes.ok()) return file_error("Error reading file: " + bytes.error());
  if (!named.sha256.empty()) {
    const std::string actual = sha256_text(bytes.value());
    if (actual != named.sha256) {
      return contract_error(named.path + ": sha256 mismatch: expected " + named.sha256 + ", got " +
                            actual);
    }
  }
  return ModuleFile{named.path, std::move(bytes.value())};
}

Result<Component, HostError> read_component(const std::string& module, const RunLimits& limits) {
  Result<ModuleFile, HostError> file = read_module(module);
  if (!file.ok()) return std::move(file.error());
  return load_component(std::move(file.value().path), std::move(file.value().bytes), limits);
}

Result<std::vector<Stage>, HostError> read_stages(std::vector<ComponentArgument> arguments,
                                                  const Options& options) {
  std::vector<Stage> stages;
  for (ComponentArgument& argument : arguments) {
    Result<ModuleFile, HostError> file = read_module(argument.module);
    if (!file.ok()) return std::move(file.error());
    Result<Component, HostError> component =
        compile(std::move(file.value()), options, stages.size());
    if (!component.ok()) return std::move(component.error());
    stages.push_back({std::move(component.value()), std::move(argument.uniforms)});
  }
  return stages;
}

Result<std::vector<Stage>, HostError> compile_stages(std::vector<ComponentArgument> arguments,
                                                     std::vector<ModuleFile> files,
                                                     const Options& options) {
  std::vector<Stage> stages;
  for (size_t i = 0; i < arguments.size(); i++) {
    Result<Component, HostError> component = compile(std::move(files[i]), options, i);
    if (!component.ok()) return std::move(component.error());
    stages.push_back({std::move(component.value()), std::move(arguments[i].uniforms)});
  }
  return stages;
}

}  // namespace qip
