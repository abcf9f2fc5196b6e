// The commands of qip: one table from which dispatch, usage lines, help and option parsing derive.
//
// Promises: options in Go style (one or two dashes, `-flag value` or `-flag=value`, `-v=false`),
// anywhere before `--`; an abbreviation of an option is not that option.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/terminal_output.hpp"
#include "host/image.hpp"
#include "host/limits.hpp"
#include "host/site/site.hpp"

namespace qip {

inline constexpr uint16_t kDefaultPort = 4000;
inline constexpr const char* kDefaultBindAddress = "127.0.0.1";

// Everything that options can set. A command's table says which of them it takes.
struct Options {
  // A setting (-u key=value) belongs to the component that is named before it.
  struct Uniform {
    size_t operands_before;
    const char* text;
  };

  const char* input_path = nullptr;   // "-": stdin
  const char* output_path = nullptr;  // "-": stdout; with `each` a folder
  bool verbose = false;
  RunLimits limits;
  bool has_time_limit = false;  // limits.time was asked for
  bool sequential = false;
  int quality = kDefaultJpegQuality;
  bool json = false;
  const char* answers_path = nullptr;  // of a form
  bool dry_run = false;
  bool each = false;
  unsigned jobs = 0;                    // 0: one per core
  const char* extension = nullptr;      // of outputs, with `each`
  const char* events_path = nullptr;    // "-": stdin
  const char* frames_folder = nullptr;  // where every frame goes
  const char* record_path = nullptr;    // of the events of `qip play`
  std::optional<Graphics> graphics;     // empty: what the terminal has
  const char* cache_folder = nullptr;
  std::optional<uint64_t> cache_max_bytes;
  std::vector<const char*> oracles;
  const char* recipes_path = nullptr;     // of a site; null: `_recipes` of its content, if any
  const char* forms_path = nullptr;       // the same with `_forms`
  const char* components_path = nullptr;  // the same with `_components`
  std::optional<SiteMode> mode;
  uint16_t port = kDefaultPort;  // 0: any that is free
  const char* bind_address = kDefaultBindAddress;
  bool tar = false;
  bool warc = false;
  const char* host = nullptr;  // of the URIs in an archive
  std::vector<Uniform> uniforms;
  std::vector<const char*> operands;
  size_t separator = SIZE_MAX;  // the first operand behind "--", if there is a "--"
  char** arguments = nullptr;   // what follows the command's name, up to a null

  // Operands behind "--" are input files, not components.
  bool takes_files() const { return each && separator != SIZE_MAX; }
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

// As many as were asked for, else one per core.
unsigned thread_count(const Options& options);

int run_command(const Command& command, const Options& options);
int form_command(const Command& command, const Options& options);
// Parts of `qip run`: --dry-run and --each. Neither reads standard input.
int dry_run(const Command& command, const Options& options);
int run_each(const Command& command, const Options& options);
int play_command(const Command& command, const Options& options);
int image_command(const Command& command, const Options& options);
// Hands over to the program qip-dev.
int dev_command(const Command& command, const Options& options);
int route_command(const Command& command, const Options& options);
int inspect_command(const Command& command, const Options& options);
int call_command(const Command& command, const Options& options);
int check_command(const Command& command, const Options& options);
int comply_command(const Command& command, const Options& options);
int help_command(const Command& command, const Options& options);
int version_command(const Command& command, const Options& options);

}  // namespace qip
