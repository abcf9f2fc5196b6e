// The commands of qip: one table from which dispatch, usage lines, help and option parsing derive.
//
// Promises: options in Go style (one or two dashes, `-flag value` or `-flag=value`, `-v=false`),
// anywhere before `--`; an abbreviation of an option is not that option.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "host/timed_budget.hpp"

namespace qip {

inline constexpr const char* kVersion = "0.1.0";

// Everything that options can set. A command's table says which of them it takes.
struct Options {
  const char* input_path = nullptr;   // "-": stdin
  const char* output_path = nullptr;  // "-": stdout
  bool verbose = false;
  std::chrono::nanoseconds time_limit = kDefaultTimeLimit;
  std::vector<const char*> operands;
};

struct OptionSpec {
  const char* name;      // without dashes
  const char* alias;     // another name, or null
  const char* argument;  // what to call its value; null: a boolean, which takes none
  const char* help;
  // Stores the value ("true" or "false" for a boolean). Returns what is wrong with it, or nothing.
  std::string (*apply)(Options& options, const char* value);
};

struct Command {
  const char* name;
  const char* alias;     // or null
  const char* operands;  // as in the usage line
  const char* summary;   // one line
  const char* details;   // paragraphs for `qip help <command>`, each ending with a newline
  std::span<const OptionSpec> options;
  bool numeric_operands;  // an operand such as -5 or -inf is not an option
  // Returns the exit code.
  int (*run)(const Command& command, const Options& options);
};

std::span<const Command> commands();
// Null if there is none of that name.
const Command* find_command(std::string_view name);

// "Usage: qip run [-v|--verbose] ... <module>..."
std::string usage_line(const Command& command);
// The usage of qip as a whole, several lines with a newline at the end.
std::string main_usage();
// Usage line, summary, options, details.
std::string help_text(const Command& command);

// Parses what follows the command's name. Returns a complete message on failure, else nothing.
std::string parse_options(const Command& command, int argc, char** argv, Options& options);

int run_command(const Command& command, const Options& options);
int inspect_command(const Command& command, const Options& options);
int call_command(const Command& command, const Options& options);
int help_command(const Command& command, const Options& options);
int version_command(const Command& command, const Options& options);

}  // namespace qip
