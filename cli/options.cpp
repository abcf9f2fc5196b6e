// Option parsing for every command, on getopt_long_only.
//
// Bounded: getopt consumes at least one element a turn.
#include <getopt.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "cli/commands.hpp"
#include "host/text.hpp"
#include "loader/error.hpp"

namespace qip {
namespace {

// getopt_long_only returns this for what is not an option, in order, because of the leading '-'.
constexpr int kOperand = 1;
constexpr int kFirstOption = 256;
constexpr const char* kInOrder = "-:";

std::vector<option> long_options(const Command& command) {
  std::vector<option> result;
  int value = kFirstOption;
  for (const OptionSpec& spec : command.options) {
    const int argument = spec.argument != nullptr ? required_argument : optional_argument;
    result.push_back({spec.name, argument, nullptr, value});
    if (spec.alias != nullptr) result.push_back({spec.alias, argument, nullptr, value});
    value++;
  }
  result.push_back({nullptr, 0, nullptr, 0});
  return result;
}

// "--name=value" and "-name" are both "name".
std::string_view flag_name(std::string_view element) {
  while (!element.empty() && element.front() == '-') element.remove_prefix(1);
  return element.substr(0, element.find('='));
}

bool is_exactly(std::string_view name, const OptionSpec& spec) {
  return name == spec.name || (spec.alias != nullptr && name == spec.alias);
}

bool looks_like_number(std::string_view element) {
  if (element.size() < 2 || element[0] != '-') return false;
  element.remove_prefix(1);
  const bool digit = element[0] >= '0' && element[0] <= '9';
  return digit || element[0] == '.' || element.starts_with("inf") || element.starts_with("nan");
}

std::string unknown_flag(const Command& command, std::string_view element) {
  const std::string name = escape_controls(flag_name(element));
  if (name == "h" || name == "help") return usage_line(command) + " flag: help requested";
  return usage_line(command) + " flag provided but not defined: -" + name;
}

std::string apply_boolean(const OptionSpec& spec, const char* value, Options& options) {
  const std::string_view text = value == nullptr ? "true" : value;
  for (const char* yes : {"true", "TRUE", "True", "t", "T", "1"}) {
    if (text == yes) return spec.apply(options, "true");
  }
  for (const char* no : {"false", "FALSE", "False", "f", "F", "0"}) {
    if (text == no) return spec.apply(options, "false");
  }
  return "invalid boolean value " + quoted(text) + " for -" + spec.name;
}

}  // namespace

std::string parse_options(const Command& command, int argc, char** argv, Options& options) {
  const std::vector<option> table = long_options(command);
  options.arguments = argv + 1;
  optind = 0;  // start over
  opterr = 0;  // messages are ours
  for (;;) {
    const int code = getopt_long_only(argc, argv, kInOrder, table.data(), nullptr);
    if (code == -1) break;
    if (code == kOperand) {
      options.operands.push_back(optarg);
      continue;
    }
    const char* element = argv[optind - 1];
    if (code == ':') {
      return usage_line(command) + " flag needs an argument: -" + std::string(flag_name(element));
    }
    if (code < kFirstOption) {
      if (!command.numeric_operands || !looks_like_number(element)) {
        return unknown_flag(command, element);
      }
      options.operands.push_back(element);
      continue;
    }
    const OptionSpec& spec = command.options[static_cast<size_t>(code - kFirstOption)];
    // A value of its own stands behind the flag; otherwise this element is the flag.
    const bool separate = spec.argument != nullptr && optarg == element;
    const char* flag = separate ? argv[optind - 2] : element;
    if (!is_exactly(flag_name(flag), spec)) return unknown_flag(command, flag);
    std::string problem = spec.argument != nullptr ? spec.apply(options, optarg)
                                                   : apply_boolean(spec, optarg, options);
    if (!problem.empty()) return problem;
  }
  // What stopped the loop was the end or a "--".
  if (optind > 0 && strcmp(argv[optind - 1], "--") == 0) {
    options.separator = options.operands.size();
  }
  for (int i = optind; i < argc; i++) options.operands.push_back(argv[i]);
  return "";
}

unsigned thread_count(const Options& options) {
  if (options.jobs != 0) return options.jobs;
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : static_cast<unsigned>(cores);
}

}  // namespace qip
