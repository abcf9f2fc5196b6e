// The table of commands and everything that is printed from it. A new command is a row here and a
// function; a new option is a row and a setter.
#include "cli/commands.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace qip {
namespace {

std::string set_input(Options& options, const char* value) {
  options.input_path = value;
  return "";
}

std::string set_output(Options& options, const char* value) {
  options.output_path = value;
  return "";
}

std::string set_verbose(Options& options, const char* value) {
  options.verbose = strcmp(value, "true") == 0;
  return "";
}

std::string set_timeout(Options& options, const char* value) {
  // Nanoseconds have to fit 63 bits: at most 292 years.
  constexpr long long kMaxMilliseconds = 9'000'000'000'000;
  char* end = nullptr;
  errno = 0;
  const long long number = strtoll(value, &end, 10);
  const bool is_number = end != value && *end == '\0' && errno == 0;
  if (!is_number || number <= 0 || number > kMaxMilliseconds) {
    return std::string("Invalid timeout-ms: ") + value;
  }
  options.time_limit = std::chrono::milliseconds(number);
  return "";
}

constexpr OptionSpec kVerbose = {"v", "verbose", nullptr,
                                 "log digests and durations on standard error", set_verbose};
constexpr OptionSpec kInput = {"i", nullptr, "file or -",
                               "read the input from this file; - is standard input", set_input};
constexpr OptionSpec kOutput = {"o", "output", "file or -",
                                "write the output's bytes, and nothing else, to this file",
                                set_output};
constexpr OptionSpec kTimeout = {
    "timeout-ms", nullptr, "n",
    "stop after so many milliseconds of instantiation and execution (default 5000)", set_timeout};

constexpr OptionSpec kRunOptions[] = {kVerbose, kInput, kOutput, kTimeout};
constexpr OptionSpec kTimeoutOnly[] = {kTimeout};

constexpr const char* kRunDetails =
    "Each module gets the output of the one before it; the first one gets the input file, or\n"
    "standard input when that is a pipe or a file, or nothing.\n"
    "\n"
    "Text output is followed by a newline; bytes are written as they are; a list of 32-bit "
    "numbers\n"
    "is written as lines of eight hexadecimal digits. A module without output prints its result "
    "as\n"
    "`Ran: <number>`. With -o the output's bytes are written exactly, without a newline. If "
    "anything\n"
    "fails, no output is written.\n"
    "\n"
    "  echo World | qip run hello.wasm\n"
    "  qip run -i photo.bmp -o photo.b64 zlib-compress.wasm base64-encode.wasm\n";

constexpr const char* kInspectDetails =
    "Prints which contract the module keeps and why, its entry, capacities, memory, features of\n"
    "WebAssembly that it needs, exports, name, and SHA-256 digest. Of the module itself, only its\n"
    "start function and the functions that tell capacities and pointers are run.\n";

constexpr const char* kCallDetails =
    "Calls one exported function of a module without imports and prints its results, one a line.\n"
    "\n"
    "  i32, i64   5, -5, 0xff (bits)\n"
    "  f32, f64   1.5, -1e9, 0x1p-2, inf, nan, nan:0x200000 (payload)\n"
    "  v128       i8x16:, i16x8:, i32x4:, i64x2:, f32x4: or f64x2: and the lanes, lowest first,\n"
    "             with commas between them; or 0x and up to 32 digits, lane 0 being the last ones\n"
    "  funcref    null\n"
    "  externref  null, or a number\n"
    "\n"
    "  qip call kernel.wasm bench 7\n"
    "  qip call simd.wasm add i32x4:1,2,3,4 0x00000001000000010000000100000001\n";

constexpr Command kCommands[] = {
    {"run", nullptr, "<module>...", "run a chain of components on an input", kRunDetails,
     kRunOptions, false, run_command},
    {"inspect", nullptr, "<module>", "say what a module is and what it needs", kInspectDetails,
     kTimeoutOnly, false, inspect_command},
    {"call", nullptr, "<module> <export> [<argument>...]", "call one exported function",
     kCallDetails, kTimeoutOnly, true, call_command},
    {"help", "doc", "[command]", "explain a command", "", {}, false, help_command},
    {"version", nullptr, "", "print the version", "", {}, false, version_command},
};

std::string flag_text(const OptionSpec& option) {
  std::string text = strlen(option.name) == 1 ? "-" : "--";
  text += option.name;
  if (option.alias != nullptr) text += std::string("|--") + option.alias;
  if (option.argument != nullptr) text += std::string(" <") + option.argument + ">";
  return text;
}

// `text` in a column `width` wide.
std::string padded(const std::string& text, size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : kCommands) {
    if (name == command.name || (command.alias != nullptr && name == command.alias)) {
      return &command;
    }
  }
  return nullptr;
}

std::string usage_line(const Command& command) {
  std::string line = std::string("Usage: qip ") + command.name;
  for (const OptionSpec& option : command.options) line += " [" + flag_text(option) + "]";
  if (*command.operands != '\0') line += std::string(" ") + command.operands;
  return line;
}

std::string main_usage() {
  std::string text = "Usage: qip <command> [args]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    text += "  " + padded(command.name, 10) + command.summary + "\n";
  }
  return text + "\n`qip help <command>` explains one of them.\n";
}

std::string help_text(const Command& command) {
  std::string text = usage_line(command) + "\n\n" + command.name + ": " + command.summary + "\n";
  if (!command.options.empty()) text += "\n";
  for (const OptionSpec& option : command.options) {
    text += "  " + padded(flag_text(option), 28) + option.help + "\n";
  }
  if (*command.details != '\0') text += std::string("\n") + command.details;
  return text;
}

}  // namespace qip
