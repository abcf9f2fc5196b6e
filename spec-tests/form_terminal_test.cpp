// `qip form` at a real terminal: prompts, editing, colour, Ctrl-C, and the terminal as it was.
#include "spec-tests/component_folder.hpp"
#include "spec-tests/terminal.hpp"

namespace qip {
namespace {

const char kEmail[] = "modules/form/email-message.wasm";

std::vector<std::string> command(const Strings& more = {}) {
  Strings words = {std::filesystem::absolute(qip_path()).string(), "form", kEmail};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(FormTerminal, AFormIsAnsweredAtItsPrompts) {
  Terminal terminal(command());
  ASSERT_TRUE(terminal.shows("First name: ")) << terminal.screen();
  terminal.type("Ada\r");
  ASSERT_TRUE(terminal.shows("Email address: ")) << terminal.screen();
  terminal.type("bad\r");
  ASSERT_TRUE(terminal.shows("\x1b[31mError: Email address is invalid.\x1b[0m"))
      << terminal.screen();
  terminal.type("ada@example.com\r");
  ASSERT_TRUE(terminal.shows("To: \"Ada\" <ada@example.com>")) << terminal.screen();
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_TRUE(terminal.is_restored());
}

TEST(FormTerminal, NoColorMeansNoColour) {
  Terminal terminal(command(), {}, {"NO_COLOR=1"});
  ASSERT_TRUE(terminal.shows("First name: "));
  terminal.type("Ada\r");
  ASSERT_TRUE(terminal.shows("Email address: "));
  terminal.type("bad\r");
  ASSERT_TRUE(terminal.shows("Error: Email address is invalid."));
  EXPECT_EQ(terminal.screen().find("\x1b[31m"), std::string::npos);
}

TEST(FormTerminal, ALineCanBeErased) {
  Terminal terminal(command());
  ASSERT_TRUE(terminal.shows("First name: "));
  terminal.type(
      "Bob\x7f\x7f\x7f"
      "Ada\r");
  ASSERT_TRUE(terminal.shows("Email address: "));
  terminal.type("ada@example.com\r");
  ASSERT_TRUE(terminal.shows("\"Ada\" <ada@example.com>")) << terminal.screen();
  EXPECT_EQ(terminal.wait(), 0);
}

TEST(FormTerminal, EarlierLinesComeBackWithTheArrowWhereEditingIsBuiltIn) {
  Terminal terminal(command());
  ASSERT_TRUE(terminal.shows("First name: "));
  // An editor takes the terminal's keys one by one.
  if (terminal.is_restored()) GTEST_SKIP() << "built without line editing";
  terminal.type("grace@example.com\r");
  ASSERT_TRUE(terminal.shows("Email address: "));
  terminal.type("\x1b[A\r");
  ASSERT_TRUE(terminal.shows("<grace@example.com>")) << terminal.screen();
  EXPECT_EQ(terminal.wait(), 0);
}

TEST(FormTerminal, CtrlCLeavesWith130AndNoOutput) {
  Terminal terminal(command());
  ASSERT_TRUE(terminal.shows("First name: "));
  terminal.type("Ada\r");
  ASSERT_TRUE(terminal.shows("Email address: "));
  terminal.type("ada@ex\x03");
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_EQ(terminal.screen().find("To: "), std::string::npos);
  EXPECT_TRUE(terminal.is_restored());
}

TEST(FormTerminal, CtrlDAbortsTheForm) {
  Terminal terminal(command());
  ASSERT_TRUE(terminal.shows("First name: "));
  terminal.type("\x04");
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_TRUE(terminal.shows("form input aborted", 100)) << terminal.screen();
  EXPECT_TRUE(terminal.is_restored());
}

TEST(FormTerminal, ASignalLeavesTheTerminalAsItWas) {
  for (const int number : {SIGTERM, SIGHUP}) {
    Terminal terminal(command());
    ASSERT_TRUE(terminal.shows("First name: "));
    kill(terminal.pid(), number);
    EXPECT_NE(terminal.wait(), 0);
    EXPECT_TRUE(terminal.is_restored()) << number;
  }
}

}  // namespace
}  // namespace qip
