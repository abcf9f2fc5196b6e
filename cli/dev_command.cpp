// qip dev: hands over to qip-dev, the program that has the sockets. It lies beside this one.
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "host/text.hpp"

namespace qip {
namespace {

constexpr const char* kServerName = "qip-dev";

// Empty: it cannot be told.
std::string own_folder() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0 || size == sizeof path) return "";
  const std::string whole(path, static_cast<size_t>(size));
  return whole.substr(0, whole.rfind('/') + 1);
}

}  // namespace

int dev_command(const Command& command, const Options& options) {
  if (options.operands.size() != 1) return fail_with(usage_line(command));
  const std::string program = own_folder() + kServerName;
  std::vector<char*> arguments = {const_cast<char*>(kServerName)};
  for (char** each = options.arguments; *each != nullptr; each++) arguments.push_back(*each);
  arguments.push_back(nullptr);
  execv(program.c_str(), arguments.data());
  return fail_with("qip dev needs the program qip-dev beside qip: " + escape_controls(program) +
                   ": " + system_error_text(errno));
}

}  // namespace qip
