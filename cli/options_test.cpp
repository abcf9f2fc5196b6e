// Options in Go style, and the table of commands.
#include <gtest/gtest.h>

#include "cli/commands.hpp"

namespace qip {
namespace {

struct Parsed {
  Options options;
  std::string problem;
};

Parsed parse(const char* command, std::vector<std::string> arguments) {
  static std::vector<std::vector<std::string>> kept;  // Options point into argv
  kept.push_back(std::move(arguments));
  kept.back().insert(kept.back().begin(), command);
  std::vector<char*> argv;
  for (std::string& argument : kept.back()) argv.push_back(argument.data());
  argv.push_back(nullptr);
  Parsed parsed;
  parsed.problem = parse_options(*find_command(command), static_cast<int>(argv.size()) - 1,
                                 argv.data(), parsed.options);
  return parsed;
}

std::vector<std::string> operands(const Parsed& parsed) {
  return {parsed.options.operands.begin(), parsed.options.operands.end()};
}

using Strings = std::vector<std::string>;

TEST(Options, OneOrTwoDashesBeforeOrAfterOperands) {
  for (const Strings& arguments : {Strings{"-timeout-ms", "250", "-i", "in", "a", "b"},
                                   Strings{"a", "--timeout-ms=250", "b", "--i=in"},
                                   Strings{"a", "b", "-timeout-ms=250", "-i=in"}}) {
    const Parsed parsed = parse("run", arguments);
    EXPECT_EQ(parsed.problem, "");
    EXPECT_EQ(parsed.options.limits.time, std::chrono::milliseconds(250));
    EXPECT_STREQ(parsed.options.input_path, "in");
    EXPECT_EQ(operands(parsed), (Strings{"a", "b"}));
  }
}

TEST(Options, DashDashEndsFlagsAndDashIsAnOperand) {
  EXPECT_EQ(operands(parse("run", {"-v", "a", "--", "-v", "--x"})), (Strings{"a", "-v", "--x"}));
  EXPECT_EQ(operands(parse("run", {"-", "a"})), (Strings{"-", "a"}));
  EXPECT_STREQ(parse("run", {"-i", "-", "a"}).options.input_path, "-");
}

TEST(Options, BooleansTakeValuesOnlyAfterAnEqualsSign) {
  EXPECT_TRUE(parse("run", {"-v", "a"}).options.verbose);
  EXPECT_TRUE(parse("run", {"--verbose=true"}).options.verbose);
  EXPECT_FALSE(parse("run", {"-v=false"}).options.verbose);
  EXPECT_EQ(operands(parse("run", {"-v", "false"})), Strings{"false"});
  EXPECT_NE(parse("run", {"-v=maybe"}).problem, "");
}

TEST(Options, UnknownFlagsAndAbbreviationsAreRefused) {
  for (const char* flag : {"--zzz", "-zzz", "--zzz=1"}) {
    EXPECT_NE(parse("run", {flag, "x.wasm"}).problem.find("flag provided but not defined: -zzz"),
              std::string::npos);
  }
  EXPECT_NE(parse("run", {"--timeout=5"}).problem.find("not defined: -timeout"), std::string::npos);
  EXPECT_NE(parse("run", {"--timeout", "5"}).problem.find("not defined: -timeout"),
            std::string::npos);
  EXPECT_NE(parse("run", {"--verb"}).problem.find("not defined: -verb"), std::string::npos);
  EXPECT_NE(parse("run", {"-vi"}).problem.find("not defined: -vi"), std::string::npos);
  EXPECT_EQ(parse("run", {"--zzz"}).problem.find("Usage: qip run"), 0u);
}

TEST(Options, HelpIsAUsageError) {
  for (const char* flag : {"-h", "--help", "-help"}) {
    const std::string problem = parse("run", {flag}).problem;
    EXPECT_EQ(problem.find("Usage: qip run"), 0u);
    EXPECT_NE(problem.find("flag: help requested"), std::string::npos);
  }
}

TEST(Options, MissingValueIsRefused) {
  EXPECT_NE(parse("run", {"a", "-i"}).problem.find("flag needs an argument: -i"),
            std::string::npos);
}

TEST(Options, TimeoutMustBePositive) {
  for (const char* text : {"0", "-1", "abc", "", "1x", "99999999999999999999", "9000000000001"}) {
    EXPECT_EQ(parse("run", {"--timeout-ms", text}).problem,
              std::string("Invalid timeout-ms: ") + text);
  }
}

TEST(Options, NegativeNumbersAreOperandsOfCallOnly) {
  EXPECT_EQ(operands(parse("call", {"m", "f", "-5", "-1.5", "-inf", "-nan:0x1"})),
            (Strings{"m", "f", "-5", "-1.5", "-inf", "-nan:0x1"}));
  EXPECT_NE(parse("call", {"m", "f", "-x"}).problem, "");
  EXPECT_NE(parse("run", {"-5"}).problem, "");
}

TEST(CommandTable, NamesAreUniqueAndUsagesBeginAlike) {
  for (const Command& command : commands()) {
    EXPECT_EQ(find_command(command.name), &command);
    EXPECT_EQ(usage_line(command).find(std::string("Usage: qip ") + command.name), 0u);
    EXPECT_NE(main_usage().find(std::string("  ") + command.name), std::string::npos);
  }
  EXPECT_EQ(find_command("doc"), find_command("help"));
  EXPECT_EQ(find_command("frob"), nullptr);
}

}  // namespace
}  // namespace qip
