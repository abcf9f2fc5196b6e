// Writes what a shell and `man` want to know about qip, from the table of commands: the same facts
// as `qip help`, so they cannot drift apart. A build tool, not part of the program.
//
// Usage: generate_docs man|bash|zsh|fish. Text on stdout; exit code 1 for anything else.
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/commands.hpp"
#include "host/version.hpp"

namespace qip {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string dashed(const char* name) {
  return (strlen(name) == 1 ? "-" : "--") + std::string(name);
}

// "-v --verbose"
std::string flags_of(const OptionSpec& option) {
  std::string text = dashed(option.name);
  if (option.alias != nullptr) text += " --" + std::string(option.alias);
  return text;
}

// --- man -----------------------------------------------------------------------------------------

// A backslash, and a dot or quote at the start of a line, mean something to troff.
std::string troff(const std::string& text) {
  std::string result = replaced(replaced(text, "\\", "\\e"), "-", "\\-");
  result = replaced(result, "\n.", "\n\\&.");
  result = replaced(result, "\n'", "\n\\&'");
  if (!result.empty() && (result[0] == '.' || result[0] == '\'')) result = "\\&" + result;
  return result;
}

// Paragraphs are kept; indented lines are examples.
std::string troff_details(const char* details) {
  std::string result;
  std::string text = details;
  bool example = false;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    std::string line = text.substr(start, end - start);
    start = end + 1;
    const bool indented = line.starts_with("  ");
    if (indented != example) {
      result += indented ? ".PP\n.nf\n" : ".fi\n";
      example = indented;
    }
    result += line.empty() ? std::string(".PP\n") : troff(line) + "\n";
  }
  return result + (example ? ".fi\n" : "");
}

std::string man_option(const OptionSpec& option) {
  std::string text = ".TP\n\\fB" + troff(dashed(option.name)) + "\\fR";
  if (option.alias != nullptr) text += ", \\fB" + troff(dashed(option.alias)) + "\\fR";
  if (option.argument != nullptr) text += " \\fI" + troff(option.argument) + "\\fR";
  return text + "\n" + troff(option.help) + "\n";
}

std::string man_command(const Command& command) {
  std::string text = ".SS \"qip " + std::string(command.name) + "\"\n";
  text += ".B qip " + std::string(command.name) + "\n";
  text += std::string(command.options.empty() ? "" : "[options] ") + troff(command.operands) + "\n";
  text += ".PP\n" + troff(command.summary) + ".\n";
  if (command.alias != nullptr) text += "Also: qip " + troff(command.alias) + ".\n";
  for (const OptionSpec& option : command.options) text += man_option(option);
  if (*command.details != '\0') text += ".PP\n" + troff_details(command.details);
  return text;
}

std::string man_page() {
  std::string text = ".TH QIP 1 \"\" \"qip " + std::string(kVersion) + "\" \"User Commands\"\n";
  text += ".SH NAME\nqip \\- run small sealed WebAssembly components in a pipeline\n";
  text += ".SH SYNOPSIS\n.B qip\n\\fIcommand\\fR [\\fIargs\\fR]\n";
  text +=
      ".SH DESCRIPTION\nA component is a WebAssembly module that imports nothing: bytes go in, "
      "bytes come out, and its output depends on its input alone. qip checks every pointer and "
      "size that a component returns, and bounds its time and memory.\n"
      ".PP\nOptions take one or two dashes and stand anywhere before \\-\\-; a value follows the "
      "name or an equals sign.\n";
  text += ".SH COMMANDS\n";
  for (const Command& command : commands()) text += man_command(command);
  text +=
      ".SH \"EXIT STATUS\"\n0 on success; 1 after a failure, with one message on standard error "
      "and nothing on standard output; 130 when \\-\\-each was interrupted.\n";
  return text;
}

// --- Shells --------------------------------------------------------------------------------------

// What completes an option's value.
enum class ValueKind { None, File, Folder, Other };
ValueKind value_kind(const OptionSpec& option) {
  if (option.argument == nullptr) return ValueKind::None;
  const std::string argument = option.argument;
  if (argument.starts_with("folder")) return ValueKind::Folder;
  if (argument.starts_with("file") || argument == "oracle") return ValueKind::File;
  return ValueKind::Other;
}

std::string command_names(const char* separator) {
  std::string text;
  for (const Command& command : commands()) {
    text += (text.empty() ? "" : separator) + std::string(command.name);
  }
  return text;
}

bool completes_commands(const Command& command) {
  return strcmp(command.operands, "[command]") == 0;
}

// Names of files may hold anything but a newline here, so replies are lines, not words.
std::string bash_completion() {
  std::string text =
      "# bash completion for qip, generated from its table of commands\n"
      "_qip() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  local flags=\"\" words=\"\"\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"" +
      command_names(" ") +
      "\" -- \"$current\")\n"
      "    return\n"
      "  fi\n"
      "  case \"${COMP_WORDS[1]}\" in\n";
  std::string values;
  for (const Command& command : commands()) {
    text += "    " + std::string(command.name);
    if (command.alias != nullptr) text += "|" + std::string(command.alias);
    text += ")\n      flags=\"";
    std::string flags;
    for (const OptionSpec& option : command.options) {
      flags += (flags.empty() ? "" : " ") + flags_of(option);
    }
    text += flags + "\"\n";
    for (const OptionSpec& option : command.options) {
      const ValueKind kind = value_kind(option);
      if (kind == ValueKind::None) continue;
      const std::string reply = kind == ValueKind::File     ? "-f"
                                : kind == ValueKind::Folder ? "-d"
                                                            : "-W ''";
      text += "      case \"$previous\" in " + replaced(flags_of(option), " ", "|") +
              ") mapfile -t COMPREPLY < <(compgen " + reply + " -- \"$current\"); return ;; esac\n";
    }
    if (completes_commands(command)) text += "      words=\"" + command_names(" ") + "\"\n";
    text += "      ;;\n";
  }
  return text +
         "  esac\n"
         "  case \"$current\" in\n"
         "    -*) mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$current\") ;;\n"
         "    *)\n"
         "      if [ -n \"$words\" ]; then\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "      else\n"
         "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
         "      fi ;;\n"
         "  esac\n"
         "}\n"
         "complete -o filenames -F _qip qip\n";
}

// Inside single quotes, and for a description in brackets.
std::string zsh_text(const std::string& text) {
  return replaced(replaced(replaced(replaced(text, "'", "'\\''"), "[", "\\["), "]", "\\]"), ":",
                  "\\:");
}

std::string zsh_option(const OptionSpec& option) {
  std::string text = "        ";
  const std::string help = "[" + zsh_text(option.help) + "]";
  const ValueKind kind = value_kind(option);
  std::string value;
  if (kind != ValueKind::None) {
    value = ":" + zsh_text(option.argument) + ":";
    if (kind == ValueKind::File) value += "_files";
    if (kind == ValueKind::Folder) value += "_files -/";
  }
  if (option.alias == nullptr) return text + "'*" + dashed(option.name) + help + value + "' \\\n";
  return text + "'*'{" + replaced(flags_of(option), " ", ",") + "}'" + help + value + "' \\\n";
}

std::string zsh_completion() {
  std::string text =
      "#compdef qip\n# zsh completion for qip, generated from its table of commands\n"
      "_qip() {\n"
      "  local -a subcommands=(\n";
  for (const Command& command : commands()) {
    text += "    '" + std::string(command.name) + ":" + zsh_text(command.summary) + "'\n";
  }
  text +=
      "  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe command subcommands\n"
      "    return\n"
      "  fi\n"
      "  local subcommand=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $subcommand in\n";
  for (const Command& command : commands()) {
    text += "    " + std::string(command.name);
    if (command.alias != nullptr) text += "|" + std::string(command.alias);
    text += ")\n      _arguments \\\n";
    for (const OptionSpec& option : command.options) text += zsh_option(option);
    text += completes_commands(command) ? "        '*:command:(" + command_names(" ") + ")' ;;\n"
                                        : "        '*:file:_files' ;;\n";
  }
  return text + "  esac\n}\n_qip \"$@\"\n";
}

std::string fish_text(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_option(const Command& command, const OptionSpec& option) {
  std::string text =
      "complete -c qip -n '__fish_seen_subcommand_from " + std::string(command.name) + "'";
  for (const char* name : {option.name, option.alias}) {
    if (name != nullptr) text += (strlen(name) == 1 ? " -s " : " -l ") + std::string(name);
  }
  const ValueKind kind = value_kind(option);
  if (kind == ValueKind::File) text += " -r -F";
  if (kind == ValueKind::Folder) text += " -x -a '(__fish_complete_directories)'";
  if (kind == ValueKind::Other) text += " -x";
  return text + " -d " + fish_text(option.help) + "\n";
}

std::string fish_completion() {
  std::string text = "# fish completion for qip, generated from its table of commands\n";
  for (const Command& command : commands()) {
    text += "complete -c qip -f -n __fish_use_subcommand -a " + std::string(command.name) + " -d " +
            fish_text(command.summary) + "\n";
  }
  for (const Command& command : commands()) {
    for (const OptionSpec& option : command.options) text += fish_option(command, option);
    if (completes_commands(command)) {
      text += "complete -c qip -f -n '__fish_seen_subcommand_from " + std::string(command.name) +
              "' -a '" + command_names(" ") + "'\n";
    }
  }
  return text;
}

}  // namespace
}  // namespace qip

int main(int argc, char** argv) {
  const std::string kind = argc == 2 ? argv[1] : "";
  std::string text;
  if (kind == "man") text = qip::man_page();
  if (kind == "bash") text = qip::bash_completion();
  if (kind == "zsh") text = qip::zsh_completion();
  if (kind == "fish") text = qip::fish_completion();
  if (text.empty()) {
    fputs("Usage: generate_docs man|bash|zsh|fish\n", stderr);
    return 1;
  }
  return fputs(text.c_str(), stdout) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}
