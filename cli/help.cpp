// qip help and qip version: what the table of commands says.
#include <string>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "host/version.hpp"

namespace qip {

int help_command(const Command& command, const Options& options) {
  if (options.operands.empty()) {
    return print(main_usage() + "\n" + help_text(*find_command("run")));
  }
  const Command* topic = options.operands.size() == 1 ? find_command(options.operands[0]) : nullptr;
  if (topic == nullptr) return fail_with(usage_line(command));
  return print(help_text(*topic));
}

int version_command(const Command& command, const Options& options) {
  if (!options.operands.empty()) return fail_with(usage_line(command));
  return print(std::string("qip ") + kVersion + "\n");
}

}  // namespace qip
