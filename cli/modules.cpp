// Modules from files, in the order of the command line: each is read, then compiled.
#include "cli/modules.hpp"

#include <chrono>

#include "cli/output.hpp"
#include "host/digest.hpp"
#include "host/files.hpp"
#include "host/text.hpp"

namespace qip {

Result<Component, HostError> read_component(const std::string& path) {
  Result<std::vector<uint8_t>, std::string> bytes = read_module_file(path);
  if (!bytes.ok()) return file_error("Error reading file: " + bytes.error());
  return load_component(path, std::move(bytes.value()));
}

Result<std::vector<Component>, HostError> read_components(std::span<const char* const> paths,
                                                          bool verbose) {
  using Clock = std::chrono::steady_clock;
  std::vector<Component> components;
  components.reserve(paths.size());
  for (const char* path : paths) {
    const Clock::time_point start = Clock::now();
    Result<Component, HostError> component = read_component(path);
    if (!component.ok()) return std::move(component.error());
    if (verbose) {
      log_line(std::string("module ") + path +
               " sha256: " + sha256_text(component.value().module().bytes));
      log_line("compiled module[" + number_text(components.size()) + "] in " +
               format_duration(Clock::now() - start));
    }
    components.push_back(std::move(component.value()));
  }
  return components;
}

}  // namespace qip
