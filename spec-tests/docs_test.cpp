// The manual page and the shell completions come from the table of commands: nothing that `qip
// help` knows is missing, and each file is one that its reader accepts.
#include <set>
#include <sstream>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

// The generator lies beside the command.
std::string generated(const std::string& kind) {
  const auto tool = std::filesystem::absolute(qip_path()).parent_path() / "generate_docs";
  const ProcessResult result = run_process({tool.string(), kind});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.error, "");
  return result.output;
}

std::string help(const Strings& of = {}) {
  Strings arguments = {qip_path(), "help"};
  arguments.insert(arguments.end(), of.begin(), of.end());
  return run_process(arguments).output;
}

// The commands of the list in `qip help`.
Strings command_names() {
  Strings names;
  const std::string text = help();
  std::istringstream lines(text.substr(text.find("\nCommands:\n")));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() && !names.empty()) break;
    if (line.size() > 2 && line.starts_with("  ") && line[2] != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

// "--fuel", "-o", ... of the usage line.
Strings options_of(const std::string& command) {
  const std::string text = help({command});
  const std::string usage = text.substr(0, text.find('\n'));
  std::set<std::string> found;
  for (size_t at = usage.find('['); at != std::string::npos; at = usage.find('[', at + 1)) {
    std::string item = usage.substr(at + 1, usage.find_first_of(" ]", at) - at - 1);
    if (!item.starts_with("-") || item == "--") continue;
    const size_t bar = item.find('|');
    found.insert(item.substr(0, bar));
    if (bar != std::string::npos) found.insert(item.substr(bar + 1));
  }
  return {found.begin(), found.end()};
}

bool is_installed(const std::string& program) {
  return run_process({"/bin/sh", "-c", "command -v " + program}).exit_code == 0;
}

// The option as the kind of file writes it.
std::string spelled(const std::string& kind, const std::string& option) {
  const bool is_long = option.starts_with("--");
  const std::string bare = option.substr(is_long ? 2 : 1);
  if (kind == "man") {
    std::string text = is_long ? "\\-\\-" : "\\-";
    for (const char c : bare) text += c == '-' ? std::string("\\-") : std::string(1, c);
    return text;
  }
  if (kind == "fish") return (is_long ? "-l " : "-s ") + bare;
  return option;
}

TEST(Docs, NoCommandAndNoOptionIsMissing) {
  const Strings commands = command_names();
  EXPECT_GE(commands.size(), 7u);
  for (const std::string kind : {"man", "bash", "zsh", "fish"}) {
    const std::string text = generated(kind);
    size_t options = 0;
    for (const std::string& command : commands) {
      EXPECT_NE(text.find(command), std::string::npos) << kind << " " << command;
      for (const std::string& option : options_of(command)) {
        EXPECT_NE(text.find(spelled(kind, option)), std::string::npos)
            << kind << " " << command << " " << option;
        options++;
      }
    }
    EXPECT_GT(options, 40u) << kind;
  }
}

TEST(Docs, TheShellsAcceptTheCompletions) {
  const ComponentFolder folder("qip-docs");
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string path = folder.put(shell, generated(shell));
    if (!is_installed(shell)) continue;  // bash always is
    const ProcessResult result = run_process({shell, "-n", path});
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_EQ(result.error, "");
  }
}

// What bash would offer for the words, of which the last one is being typed.
std::string completions(const Strings& words) {
  static const ComponentFolder folder("qip-complete");
  folder.put("qip.bash", generated("bash"));
  std::string quoted;
  for (const std::string& word : words) quoted += " '" + word + "'";
  const ProcessResult result = folder.shell(
      "source ./qip.bash; name=$(complete -p qip | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
      "COMP_WORDS=(" +
      quoted +
      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
      "COMP_LINE=\"${COMP_WORDS[*]}\"; COMP_POINT=${#COMP_LINE}\n"
      "cur=\"${COMP_WORDS[COMP_CWORD]}\"; prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "$name qip \"$cur\" \"$prev\"; printf '%s ' \"${COMPREPLY[@]}\"");
  EXPECT_EQ(result.error, "");
  return " " + result.output;
}

TEST(Docs, BashCompletesCommandsAndOptions) {
  for (const std::string& command : command_names()) {
    EXPECT_TRUE(holds(completions({"qip", ""}), {" " + command + " "}));
  }
  EXPECT_TRUE(holds(completions({"qip", "in"}), {" inspect "}));
  EXPECT_EQ(completions({"qip", "in"}).find("run"), std::string::npos);
  EXPECT_TRUE(holds(completions({"qip", "run", "--max"}), {"--max-memory ", "--max-output "}));
  EXPECT_TRUE(holds(completions({"qip", "inspect", "--js"}), {"--json "}));
  EXPECT_EQ(completions({"qip", "version", "--fu"}).find("--fuel"), std::string::npos);
}

TEST(Docs, TheManualPageIsWellFormed) {
  const std::string page = generated("man");
  EXPECT_TRUE(page.starts_with(".TH QIP 1 ") || page.find("\n.TH QIP 1 ") != std::string::npos);
  EXPECT_TRUE(holds(page, {"\n.SH NAME\n", "\n.SH SYNOPSIS\n"}));
  // A line that begins with a dot or an apostrophe is a request: only those that exist.
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || (line[0] != '.' && line[0] != '\'')) continue;
    const std::string request = line.substr(0, line.find_first_of(" \t"));
    static const std::set<std::string> known = {".TH", ".SH", ".SS", ".TP", ".PP", ".B",  ".BR",
                                                ".I",  ".nf", ".fi", ".IP", ".RS", ".RE", ".\\\"",
                                                ".EX", ".EE", ".P",  ".BI", ".sp", ".br"};
    EXPECT_TRUE(known.contains(request)) << line;
  }
}

TEST(Docs, AnUnknownKindIsRefused) {
  const auto tool = std::filesystem::absolute(qip_path()).parent_path() / "generate_docs";
  for (const Strings& arguments : {Strings{tool.string()}, Strings{tool.string(), "pdf"}}) {
    const ProcessResult result = run_process(arguments);
    EXPECT_NE(result.exit_code, 0);
    EXPECT_EQ(result.output, "");
  }
}

}  // namespace
}  // namespace qip
