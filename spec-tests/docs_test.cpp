// The manual page and the shell completions: nothing that `qip help` tells is missing in them, the
// programs that read them find no fault, and in bash they really complete.
//
// Assumes: generate_docs stands beside the command. A shell that is not installed is skipped.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

ProcessResult generate(const std::string& kind) {
  const fs::path tool = fs::absolute(qip_path()).parent_path() / "generate_docs";
  return run_process({tool.string(), kind});
}

std::string generated(const std::string& kind) {
  const ProcessResult result = generate(kind);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.error, "");
  return result.output;
}

// --- What `qip help` tells -----------------------------------------------------------------------

struct HelpedOption {
  Strings flags;      // "-v", "--verbose"
  std::string value;  // "n", or nothing
  std::string help;
};

struct HelpedCommand {
  std::string name;
  std::string summary;
  std::vector<HelpedOption> options;
};

std::string without_blanks_around(const std::string& text) {
  const size_t start = text.find_first_not_of(" \n");
  if (start == std::string::npos) return "";
  return text.substr(start, text.find_last_not_of(" \n") + 1 - start);
}

// A line "  -v|--verbose <n>   what it does".
HelpedOption option_of(const std::string& line) {
  HelpedOption option;
  size_t end = line.find("  ", 2);
  const size_t value = line.find(" <");
  if (value != std::string::npos && value < end) {
    const size_t closed = line.find('>', value);
    option.value = line.substr(value + 2, closed - value - 2);
    end = closed + 1;
  }
  std::stringstream flags(line.substr(2, std::min(value, end) - 2));
  for (std::string flag; std::getline(flags, flag, '|');) option.flags.push_back(flag);
  option.help = without_blanks_around(line.substr(end));
  return option;
}

std::vector<HelpedOption> options_of(const std::string& command) {
  std::vector<HelpedOption> options;
  std::stringstream lines(run_process({qip_path(), "help", command}).output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  -")) options.push_back(option_of(line));
  }
  return options;
}

const std::vector<HelpedCommand>& helped() {
  static const std::vector<HelpedCommand> commands = [] {
    std::vector<HelpedCommand> found;
    std::stringstream lines(run_process({qip_path(), "help"}).output);
    bool listed = false;
    for (std::string line; std::getline(lines, line);) {
      if (listed && line.empty()) break;
      if (listed) {
        const size_t end = line.find(' ', 2);
        const std::string name = line.substr(2, end - 2);
        found.push_back({name, without_blanks_around(line.substr(end)), options_of(name)});
      }
      listed = listed || line == "Commands:";
    }
    return found;
  }();
  return commands;
}

const HelpedCommand& helped(const std::string& name) {
  for (const HelpedCommand& command : helped()) {
    if (command.name == name) return command;
  }
  ADD_FAILURE() << "no command " << name;
  return helped().front();
}

Strings flags_of(const HelpedCommand& command) {
  Strings flags;
  for (const HelpedOption& option : command.options) {
    flags.insert(flags.end(), option.flags.begin(), option.flags.end());
  }
  return flags;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// From `start` to the next `end` behind it, with a newline.
std::string part(const std::string& text, const std::string& start, const std::string& end) {
  const size_t from = text.find(start);
  if (from == std::string::npos) return "";
  const size_t to = text.find(end, from + start.size());
  return text.substr(from, to == std::string::npos ? to : to - from) + "\n";
}

// The tests below compare with nothing else, so this must not be empty by mistake.
TEST(Docs, HelpListsCommandsAndOptions) {
  EXPECT_GE(helped().size(), 7u);
  const Strings flags = flags_of(helped("run"));
  for (const std::string flag : {"-v", "--verbose", "--timeout-ms", "--each", "--cache", "-u"}) {
    EXPECT_EQ(std::count(flags.begin(), flags.end(), flag), 1) << flag;
  }
  for (const HelpedOption& option : helped("run").options) {
    EXPECT_NE(option.help, "") << option.flags[0];
  }
}

TEST(Docs, TheToolWantsToKnowWhatFor) {
  for (const std::string kind : {"", "html"}) {
    EXPECT_TRUE(failed(generate(kind), {"Usage: generate_docs man|bash|zsh|fish"}));
  }
}

// --- Completeness --------------------------------------------------------------------------------

TEST(Docs, TheManualPageTellsWhatHelpTells) {
  std::string page = generated("man");
  // Reads as plain text: the escapes of troff for fonts, dashes and backslashes are taken out.
  for (const std::string escape : {"\\fB", "\\fI", "\\fR", "\\&"}) {
    page = replaced(page, escape, "");
  }
  page = replaced(replaced(page, "\\-", "-"), "\\e", "\\");
  for (const HelpedCommand& command : helped()) {
    const std::string section = part(page, ".SS \"qip " + command.name + "\"\n", "\n.S");
    EXPECT_TRUE(holds(section, {command.summary}));
    for (const HelpedOption& option : command.options) {
      std::string line = "\n.TP\n" + option.flags[0];
      for (size_t i = 1; i < option.flags.size(); i++) line += ", " + option.flags[i];
      if (!option.value.empty()) line += " " + option.value;
      EXPECT_TRUE(holds(section, {line + "\n" + option.help + "\n"}));
    }
  }
}

TEST(Docs, TheManualPageHoldsTheDetailsOfHelp) {
  // Without the marks of the page; lines stay lines.
  std::string page = replaced(replaced(generated("man"), "\\-", "-"), "\\&", "");
  page = replaced(page, "\\e", "\\");
  size_t lines_seen = 0;
  for (const HelpedCommand& command : helped()) {
    const std::string section = part(page, ".SS \"qip " + command.name + "\"\n", "\n.S");
    std::stringstream lines(run_process({qip_path(), "help", command.name}).output);
    std::string line;
    std::getline(lines, line);  // the usage line
    while (std::getline(lines, line)) {
      if (line.empty() || line.starts_with("  -") || line.starts_with(command.name + ": "))
        continue;
      if (command.name != "help") {
        EXPECT_NE(section.find("\n" + line + "\n"), std::string::npos) << line << "\n" << section;
        lines_seen++;
      }
    }
  }
  EXPECT_GT(lines_seen, 30u);
}

// A line that begins with a dot or an apostrophe is a request to troff: no text may become one.
TEST(Docs, TheManualPageHasNoAccidentalRequests) {
  std::stringstream lines(generated("man"));
  std::string line;
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with(".TH QIP 1 ")) << line;
  while (std::getline(lines, line)) {
    if (!line.starts_with(".") && !line.starts_with("'")) continue;
    const Strings known = {".SH", ".SS", ".TP", ".PP", ".B", ".nf", ".fi"};
    const std::string request = line.substr(0, line.find(' '));
    EXPECT_EQ(std::count(known.begin(), known.end(), request), 1) << line;
  }
}

TEST(Docs, TheBashCompletionKnowsWhatHelpTells) {
  const std::string script = generated("bash");
  for (const HelpedCommand& command : helped()) {
    const std::string section = part(script, "\n    " + command.name, "\n      ;;\n");
    ASSERT_NE(section, "") << command.name;
    std::string flags;
    for (const std::string& flag : flags_of(command)) flags += (flags.empty() ? "" : " ") + flag;
    EXPECT_TRUE(holds(section, {"flags=\"" + flags + "\"\n"}));
  }
}

TEST(Docs, TheZshCompletionKnowsWhatHelpTells) {
  const std::string script = replaced(replaced(generated("zsh"), "'\\''", "\x01"), "\\", "");
  for (const HelpedCommand& command : helped()) {
    EXPECT_TRUE(holds(script, {"\n    '" + command.name + ":" + command.summary + "'\n"}));
    const std::string section = part(script, "\n    " + command.name, ";;\n");
    for (const HelpedOption& option : command.options) {
      const std::string flags = option.flags.size() == 1
                                    ? "'*" + option.flags[0]
                                    : "'*'{" + option.flags[0] + "," + option.flags[1] + "}'";
      std::string line = flags + "[" + replaced(option.help, "'", "\x01") + "]";
      if (!option.value.empty()) line += ":" + option.value + ":";
      EXPECT_TRUE(holds(section, {line}));
    }
  }
}

TEST(Docs, TheFishCompletionKnowsWhatHelpTells) {
  const std::string script = replaced(generated("fish"), "\\'", "'");
  for (const HelpedCommand& command : helped()) {
    EXPECT_TRUE(holds(script, {" -n __fish_use_subcommand -a " + command.name + " -d '" +
                               command.summary + "'\n"}));
    for (const HelpedOption& option : command.options) {
      std::string line = " -n '__fish_seen_subcommand_from " + command.name + "'";
      for (const std::string& flag : option.flags) {
        line += flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
      }
      const size_t at = script.find(line + " ");
      ASSERT_NE(at, std::string::npos) << line;
      const std::string rest = script.substr(at + line.size(), script.find('\n', at) - at);
      EXPECT_TRUE(holds(rest, {" -d '" + option.help + "'"}));
      // An option with a value says so, one without does not.
      const bool wants_value = rest.starts_with(" -r ") || rest.starts_with(" -x ");
      EXPECT_EQ(wants_value, !option.value.empty()) << line;
    }
  }
}

// --- What reads them -----------------------------------------------------------------------------

class DocsFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_.put("qip.1", generated("man"));
    folder_.put("qip.bash", generated("bash"));
    folder_.put("_qip", generated("zsh"));
    folder_.put("qip.fish", generated("fish"));
  }
  bool has_program(const std::string& name) const {
    return folder_.shell("command -v " + name).exit_code == 0;
  }
  // Succeeds without a word on stderr.
  void expect_silence(const std::string& script) const {
    const ProcessResult result = folder_.shell(script);
    EXPECT_EQ(result.exit_code, 0) << script << "\n" << result.error;
    EXPECT_EQ(result.error, "") << script;
  }

  // What bash offers for these words, of which the last one is being typed.
  Strings completed(const Strings& words) const {
    std::string script = "source ./qip.bash; COMP_WORDS=(";
    for (const std::string& word : words) script += "'" + word + "' ";
    script += "); COMP_CWORD=" + std::to_string(words.size() - 1) +
              "; _qip; for reply in \"${COMPREPLY[@]}\"; do printf '%s\\n' \"$reply\"; done";
    const ProcessResult result = folder_.shell(script);
    EXPECT_EQ(result.error, "");
    Strings replies;
    std::stringstream lines(result.output);
    for (std::string line; std::getline(lines, line);) replies.push_back(line);
    std::sort(replies.begin(), replies.end());
    return replies;
  }

  ComponentFolder folder_{"qip-docs"};
};

Strings sorted(Strings words) {
  std::sort(words.begin(), words.end());
  return words;
}

TEST_F(DocsFiles, GroffFindsNoFaultInTheManualPage) {
  if (!has_program("groff")) GTEST_SKIP() << "groff is not installed";
  expect_silence("groff -man -Tutf8 -ww -z qip.1");
  expect_silence("groff -t -man -Tascii -ww -b -z qip.1");
}

TEST_F(DocsFiles, ManShowsThePage) {
  if (!has_program("man")) GTEST_SKIP() << "man is not installed";
  const ProcessResult shown =
      folder_.shell("LC_ALL=C.UTF-8 MANPAGER=cat MANWIDTH=100 man --warnings=w -l ./qip.1");
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_EQ(shown.error, "");
  EXPECT_TRUE(holds(shown.output, {"QIP(1)", "NAME", "SYNOPSIS", "EXIT STATUS"}));
}

TEST_F(DocsFiles, ShellsCanReadTheirCompletions) {
  expect_silence("bash -n qip.bash");
  expect_silence(
      "set -eu; source ./qip.bash; complete -p qip >complete; grep -q -- '-F _qip' complete");
}

TEST_F(DocsFiles, ZshCanReadItsCompletion) {
  if (!has_program("zsh")) GTEST_SKIP() << "zsh is not installed";
  expect_silence("zsh -n _qip");
}

TEST_F(DocsFiles, FishCanReadItsCompletion) {
  if (!has_program("fish")) GTEST_SKIP() << "fish is not installed";
  expect_silence("fish -n qip.fish");
}

// --- Completing in bash --------------------------------------------------------------------------

TEST_F(DocsFiles, TheFirstWordIsACommand) {
  Strings names;
  for (const HelpedCommand& command : helped()) names.push_back(command.name);
  EXPECT_EQ(completed({"qip", ""}), sorted(names));
  EXPECT_EQ(completed({"qip", "ins"}), Strings{"inspect"});
  EXPECT_EQ(completed({"qip", "nothing"}), Strings());
}

TEST_F(DocsFiles, ADashOffersTheOptionsOfTheCommand) {
  for (const HelpedCommand& command : helped()) {
    EXPECT_EQ(completed({"qip", command.name, "-"}), sorted(flags_of(command))) << command.name;
  }
  EXPECT_EQ(completed({"qip", "run", "a.wasm", "--f"}),
            (Strings{"--fixed-memory", "--frames", "--fuel"}));
  EXPECT_EQ(completed({"qip", "call", "--each"}), Strings());
}

TEST_F(DocsFiles, HelpIsForCommands) {
  EXPECT_EQ(completed({"qip", "help", "ru"}), Strings{"run"});
  EXPECT_EQ(completed({"qip", "doc", "ru"}), Strings{"run"});
}

TEST_F(DocsFiles, AnythingElseIsAFile) {
  fs::create_directory(folder_.path("some-folder"));
  folder_.put("some.wasm", "");
  folder_.put("some other.wasm", "");
  folder_.put("some*", "");
  const Strings all = {"some other.wasm", "some*", "some-folder", "some.wasm"};
  EXPECT_EQ(completed({"qip", "run", "some"}), sorted(all));
  EXPECT_EQ(completed({"qip", "comply", "m.wasm", "--with", "some o"}), Strings{"some other.wasm"});
  for (const std::string flag : {"-i", "-o", "--output"}) {
    EXPECT_EQ(completed({"qip", "run", flag, "some"}), sorted(all)) << flag;
  }
}

TEST_F(DocsFiles, ValuesOfOptionsAreOfTheirKind) {
  fs::create_directory(folder_.path("some-folder"));
  folder_.put("some.wasm", "");
  EXPECT_EQ(completed({"qip", "run", "--cache", "some"}), Strings{"some-folder"});
  // Every other value is the user's to know; a file or an option would be wrong.
  for (const HelpedCommand& command : helped()) {
    for (const HelpedOption& option : command.options) {
      const bool is_path = option.value.starts_with("file") || option.value.starts_with("folder") ||
                           option.value == "oracle";
      if (option.value.empty() || is_path) continue;
      for (const std::string& flag : option.flags) {
        EXPECT_EQ(completed({"qip", command.name, flag, ""}), Strings()) << flag;
      }
    }
  }
}

}  // namespace
}  // namespace qip
