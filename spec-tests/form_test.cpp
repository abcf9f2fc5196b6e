// `qip form` through the built command: the conversation, files of answers, JSON, and every host
// check of the Form contract.
#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

using wat::data;
using wat::entry;
using wat::module;
using wat::value;

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-form");
  return made;
}

// How a number is exported.
enum class Style { Function, Global };

std::string number(const std::string& name, int64_t value, Style style = Style::Function) {
  if (style == Style::Function) return wat::value(name, value);
  return "(global (export \"" + name + "\") i32 (i32.const " + std::to_string(value) + "))";
}

// A form of two values, `name` and `age`; an age must be one byte long. Its output is the two with
// a slash between them. $step: 0, 1, 2 (complete). Labels and errors are constants.
struct FormText {
  Style style = Style::Function;
  std::string entry_name = "render";
  std::string replaced;     // an export that is made otherwise, or left out
  std::string replacement;  // its text
  std::string more;

  std::string item(const std::string& name, const std::string& text) const {
    return name == replaced ? replacement : text;
  }
  std::string text() const {
    const auto stepwise = [](const std::string& name, const char* first, const char* second,
                             const char* third) {
      return "(func (export \"" + name + "\") (result i32) (select (i32.const " + first +
             ") (select (i32.const " + second + ") (i32.const " + third +
             ") (i32.eq (global.get $step) (i32.const 1))) (i32.eqz (global.get $step))))";
    };
    std::string text = item("memory", "(memory (export \"memory\") 4 4)");
    if (replaced == "memory") text += "(memory 4 4)";
    text +=
        "(global $step (mut i32) (i32.const 0)) (global $wrong (mut i32) (i32.const 0))"
        "(global $used (mut i32) (i32.const 0))";
    text += data(100, "nameage") + data(200, "Your name\nAge") + data(300, "one digit, please");
    text += item("input_ptr", number("input_ptr", 1024, style));
    text += item("input_utf8_cap", number("input_utf8_cap", 16, style));
    text += item("output_ptr", number("output_ptr", 131072, style));
    text += item("output_utf8_cap", number("output_utf8_cap", 100, style));
    text += item("input_key_ptr", stepwise("input_key_ptr", "100", "104", "0"));
    text += item("input_key_size", stepwise("input_key_size", "4", "3", "0"));
    text += item("input_label_ptr", stepwise("input_label_ptr", "200", "210", "0"));
    text += item("input_label_size", stepwise("input_label_size", "9", "3", "0"));
    text += item("error_message_ptr", number("error_message_ptr", 300, style));
    text += item("error_message_size",
                 "(func (export \"error_message_size\") (result i32) "
                 "(select (i32.const 17) (i32.const 0) (global.get $wrong)))");
    const std::string body =
        "(if (i32.and (i32.eq (global.get $step) (i32.const 1))"
        "             (i32.ne (local.get $size) (i32.const 1)))"
        "  (then (global.set $wrong (i32.const 1)) (return (global.get $used))))"
        "(global.set $wrong (i32.const 0))"
        "(if (i32.eq (global.get $step) (i32.const 1)) (then"
        "  (i32.store8 (i32.add (i32.const 131072) (global.get $used)) (i32.const 47))"
        "  (global.set $used (i32.add (global.get $used) (i32.const 1)))))"
        "(memory.copy (i32.add (i32.const 131072) (global.get $used)) (i32.const 1024)"
        "             (local.get $size))"
        "(global.set $used (i32.add (global.get $used) (local.get $size)))"
        "(global.set $step (i32.add (global.get $step) (i32.const 1)))"
        "(global.get $used)";
    text += item("render", entry(body, entry_name));
    return module(text + more);
  }
};

std::string form() {
  return folder().build("form", FormText{}.text());
}
ProcessResult fill(const std::string& path, std::string_view input, const Strings& options = {}) {
  Strings arguments = {"form", path};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return folder().qip(arguments, input);
}

// --- The conversation ----------------------------------------------------------------------------

// The label's line feed is not the form's to print.
const std::string kFirst = "Your name: ";
const std::string kSecond = "Age: ";

TEST(Form, EachPromptIsFollowedByTheNextOneWhereNothingEchoes) {
  EXPECT_TRUE(succeeded(fill(form(), "Ada\n7\n"), kFirst + kSecond + "Ada/7\n"));
}

TEST(Form, ARefusedValueIsAskedForAgain) {
  EXPECT_TRUE(succeeded(fill(form(), "Ada\n77\n\n7\n"),
                        kFirst + kSecond + "Error: one digit, please\n" + kSecond +
                            "Error: one digit, please\n" + kSecond + "Ada/7\n"));
}

TEST(Form, LineEndsAreNoPartOfAValue) {
  EXPECT_TRUE(succeeded(fill(form(), "Ada\r\r\n7"), kFirst + kSecond + "Ada/7\n"));
  EXPECT_TRUE(succeeded(fill(form(), "A\rda\n7\r"), kFirst + kSecond + "A\rda/7\n"));
  EXPECT_TRUE(succeeded(fill(form(), "\n7\n"), kFirst + kSecond + "/7\n"));
}

TEST(Form, AnInputThatEndsAbortsTheForm) {
  EXPECT_TRUE(failed(fill(form(), ""), {"form input aborted"}, kFirst));
  EXPECT_TRUE(failed(fill(form(), "Ada\n"), {"form input aborted"}, kFirst + kSecond));
}

TEST(Form, AValueBeyondTheCapacityIsRefusedByTheHost) {
  EXPECT_TRUE(succeeded(fill(form(), std::string(16, 'a') + "\n1\n"),
                        kFirst + kSecond + std::string(16, 'a') + "/1\n"));
  EXPECT_TRUE(failed(fill(form(), std::string(17, 'a') + "\n"),
                     {"form.wasm: input value exceeds module input_utf8_cap (17 > 16)"}, kFirst));
  EXPECT_TRUE(failed(fill(form(), std::string(1'000'000, 'a') + "\n"), {"(1000000 > 16)"}, kFirst));
}

TEST(Form, GlobalsAndFunctionsAndBothEntriesWork) {
  FormText globals;
  globals.style = Style::Global;
  globals.entry_name = "run";
  EXPECT_TRUE(succeeded(fill(folder().build("globals", globals.text()), "Ada\n7\n"),
                        kFirst + kSecond + "Ada/7\n"));
}

TEST(Form, AFormThatNeverAsksIsCalledOnce) {
  FormText text;
  text.replaced = "input_key_size";
  text.replacement = value("input_key_size", 0);
  EXPECT_TRUE(succeeded(fill(folder().build("no-questions", text.text()), ""), ""));
  text.replaced = "render";
  text.replacement = entry("(i32.store8 (i32.const 131072) (i32.const 33)) (i32.const 1)");
  text.more = "";
  FormText silent = text;
  silent.replaced = "render";
  silent.replacement = entry(
      "(i32.store8 (i32.const 131072) (i32.add (i32.const 48) (local.get $size)))"
      "(global.set $step (i32.const 2)) (i32.const 1)");
  EXPECT_TRUE(
      succeeded(fill(folder().build("one-question", silent.text()), "abc\n"), kFirst + "3\n"));
}

TEST(Form, AKeyOfWhiteSpaceMeansComplete) {
  FormText text;
  text.replaced = "input_key_ptr";
  text.replacement = value("input_key_ptr", 400);
  text.more = data(400, " \t\n ");
  EXPECT_TRUE(succeeded(fill(folder().build("space", text.text()), "x\n"), ""));
}

TEST(Form, WithoutALabelTheKeyIsShown) {
  FormText text;
  text.replaced = "input_label_size";
  text.replacement = value("input_label_size", 0);
  EXPECT_TRUE(
      succeeded(fill(folder().build("no-label", text.text()), "Ada\n7\n"), "name: age: Ada/7\n"));
}

TEST(Form, LabelsAndErrorsCannotControlTheTerminal) {
  FormText text;
  text.replaced = "input_label_ptr";
  text.replacement = value("input_label_ptr", 400);
  text.more = data(400,
                   "\x1b[2J\x07"
                   "\xc2\x9b"
                   "31m");
  EXPECT_TRUE(succeeded(fill(folder().build("escapes", text.text()), "Ada\n7\n"),
                        "\\x1b[2J\\x07\\u{009b}31: \\x1b[2: Ada/7\n"));
}

TEST(Form, ATrapNamesTheEntry) {
  FormText text;
  text.replaced = "render";
  text.replacement = entry("unreachable");
  EXPECT_TRUE(failed(fill(folder().build("traps", text.text()), "x\n"),
                     {"traps.wasm: render() failed: wasm error: unreachable"}, kFirst));
}

TEST(Form, AGuestThatNeverReturnsIsStopped) {
  FormText text;
  text.replaced = "render";
  text.replacement = entry("(loop $again (br $again)) unreachable");
  EXPECT_TRUE(failed(fill(folder().build("endless", text.text()), "x\n", {"--timeout-ms", "50"}),
                     {"endless.wasm: Wasm module exceeded the execution time limit (50ms)"},
                     kFirst));
}

TEST(Form, ThinkingTimeIsNotTheGuests) {
  const ProcessResult result = folder().shell(
      "(sleep 0.4; echo Ada; sleep 0.4; echo 7) | $COMMAND form --timeout-ms 200 " + form());
  EXPECT_TRUE(succeeded(result, kFirst + kSecond + "Ada/7\n"));
}

TEST(Form, SettingsAreTaken) {
  FormText text;
  text.more = "(func (export \"uniform_set_step\") (param i32) (global.set $step (local.get 0)))";
  const std::string path = folder().build("uniform", text.text());
  EXPECT_TRUE(succeeded(fill(path, "7\n", {"?step=1"}), kSecond + "/7\n"));
  EXPECT_TRUE(failed(fill(path, "7\n", {"?other=1"}), {"uniform_set_other"}));
}

// --- Answers and JSON ----------------------------------------------------------------------------

std::string answers(const std::string& text) {
  return folder().put("answers.txt", text);
}

TEST(FormAnswers, AFileFillsAFormInSilence) {
  EXPECT_TRUE(succeeded(
      fill(form(), "", {"--answers", answers("# a comment\n\nage=7\nname=Ada = Lovelace\r\n")}),
      "Ada = Lovelace/7\n"));
}

TEST(FormAnswers, WhatIsMissingOrRefusedEndsTheForm) {
  const auto with = [](const std::string& text) {
    return fill(form(), "", {"--answers", answers(text)});
  };
  EXPECT_TRUE(failed(with("name=Ada\n"), {"form.wasm: ", " has no answer for \"age\""}));
  EXPECT_TRUE(failed(with("name=Ada\nage=77\n"),
                     {"form.wasm: answer for \"age\" was refused: one digit, please"}));
  EXPECT_TRUE(failed(with("name\n"), {"answers.txt line 1: want key=value"}));
  EXPECT_TRUE(failed(with("\n=x\n"), {"answers.txt line 2: want key=value"}));
  EXPECT_TRUE(failed(fill(form(), "", {"--answers", folder().path("none")}),
                     {"Error reading answers: open ", "no such file or directory"}));
}

TEST(FormAnswers, AnswersThatNobodyAskedForAreTold) {
  const ProcessResult result =
      fill(form(), "", {"--answers", answers("name=Ada\nage=7\nshoe=42\nage=8\n")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "Ada/7\n");
  EXPECT_EQ(result.error, "answers that were not asked for: age, shoe\n");
}

TEST(FormJson, KeysValuesAndOutputAreOneObject) {
  const ProcessResult result = fill(form(), "A\"\xff\n77\n7\n", {"--json"});
  EXPECT_EQ(result.exit_code, 1);  // the output is not UTF-8
  const ProcessResult good = fill(form(), "A\"\xc3\xa9\n77\n7\n", {"--json"});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.output,
            "{\"answers\":[{\"key\":\"name\",\"label\":\"Your name\",\"value\":\"A\\\"\xc3\xa9\"},"
            "{\"key\":\"age\",\"label\":\"Age\",\"value\":\"7\"}],"
            "\"output\":\"A\\\"\xc3\xa9/7\"}\n");
  EXPECT_EQ(good.error, kFirst + kSecond + "Error: one digit, please\n" + kSecond);
}

TEST(FormOutput, AFileGetsTheBytesAndIsOnlyReplacedByACompleteForm) {
  folder().put("out.txt", "before");
  EXPECT_EQ(fill(form(), "Ada\n", {"-o", "out.txt"}).exit_code, 1);
  EXPECT_EQ(folder().get("out.txt"), "before");
  EXPECT_TRUE(succeeded(fill(form(), "Ada\n7\n", {"-o", "out.txt"}), kFirst + kSecond));
  EXPECT_EQ(folder().get("out.txt"), "Ada/7");
}

// --- Every host check ----------------------------------------------------------------------------

struct Check {
  const char* name;
  const char* replaced;
  std::string replacement;
  std::string more;
  std::string message;
};

void PrintTo(const Check& check, std::ostream* out) {
  *out << check.name;
}

const Check kChecks[] = {
    // What is missing is told in the contract's order.
    {"no-memory", "memory", "", "", "Wasm module must export memory"},
    {"no-input-ptr", "input_ptr", "", "", "Wasm module must export input_ptr"},
    {"no-input-cap", "input_utf8_cap", "", "", "Wasm module must export input_utf8_cap"},
    {"no-entry", "render", "", "", "Wasm module must export render or run as (i32) -> i32"},
    {"entry-type", "render", "(func (export \"render\") (result i32) (i32.const 0))", "",
     "Wasm module must export render or run as (i32) -> i32"},
    {"no-output-ptr", "output_ptr", "", "", "Wasm module must export output_ptr"},
    {"no-output-cap", "output_utf8_cap", "", "", "Wasm module must export output_utf8_cap"},
    {"no-key-ptr", "input_key_ptr", "", "", "Wasm module must export input_key_ptr"},
    {"no-key-size", "input_key_size", "", "", "Wasm module must export input_key_size"},
    {"no-label-ptr", "input_label_ptr", "", "", "Wasm module must export input_label_ptr"},
    {"no-label-size", "input_label_size", "", "", "Wasm module must export input_label_size"},
    {"no-error-ptr", "error_message_ptr", "", "", "Wasm module must export error_message_ptr"},
    {"no-error-size", "error_message_size", "", "", "Wasm module must export error_message_size"},
    // Each string: pointer and size of the wrong sign, outside, not UTF-8, of another type.
    {"key-ptr-negative", "input_key_ptr", value("input_key_ptr", -1), "",
     "module returned invalid pointer/size for input_key_ptr/input_key_size: ptr=-1 size=4"},
    {"key-size-negative", "input_key_size", value("input_key_size", -5), "",
     "module returned invalid pointer/size for input_key_ptr/input_key_size: ptr=100 size=-5"},
    {"key-outside", "input_key_ptr", value("input_key_ptr", 262141), "",
     "input_key_ptr/input_key_size exceed wasm memory bounds"},
    {"key-far-outside", "input_key_size", value("input_key_size", INT32_MAX), "",
     "input_key_ptr/input_key_size exceed wasm memory bounds"},
    {"key-utf8", "input_key_ptr", value("input_key_ptr", 400),
     data(400,
          "ab\xff"
          "c"),
     "input_key_ptr/input_key_size must be valid UTF-8"},
    {"key-type", "input_key_ptr", "(global (export \"input_key_ptr\") i64 (i64.const 1))", "",
     "input_key_ptr as global or function of type i32, not i64"},
    {"key-trap", "input_key_ptr", "(func (export \"input_key_ptr\") (result i32) unreachable)", "",
     "input_key_ptr() call failed: wasm error: unreachable"},
    {"label-ptr-negative", "input_label_ptr", value("input_label_ptr", -2147483648LL), "",
     "for input_label_ptr/input_label_size: ptr=-2147483648 size=9"},
    {"label-size-negative", "input_label_size", value("input_label_size", -1), "",
     "for input_label_ptr/input_label_size: ptr=200 size=-1"},
    {"label-outside", "input_label_ptr", value("input_label_ptr", 262136), "",
     "input_label_ptr/input_label_size exceed wasm memory bounds"},
    {"label-utf8", "input_label_ptr", value("input_label_ptr", 400), data(400, "12345678\xc3"),
     "input_label_ptr/input_label_size must be valid UTF-8"},
    {"error-ptr-negative", "error_message_ptr", value("error_message_ptr", -3), "",
     "for error_message_ptr/error_message_size: ptr=-3 size=0"},
    {"error-size-negative", "error_message_size", value("error_message_size", -1), "",
     "for error_message_ptr/error_message_size: ptr=300 size=-1"},
    {"error-outside", "error_message_size", value("error_message_size", 262144), "",
     "error_message_ptr/error_message_size exceed wasm memory bounds"},
    {"error-utf8", "error_message_size", value("error_message_size", 1), data(300, "\x80"),
     "error_message_ptr/error_message_size must be valid UTF-8"},
};

class FormCheck : public testing::TestWithParam<Check> {};

TEST_P(FormCheck, IsMadeBeforeAnythingIsAsked) {
  const Check& check = GetParam();
  FormText text;
  text.replaced = check.replaced;
  text.replacement = check.replacement;
  text.more = check.more;
  const std::string path = folder().build(check.name, text.text());
  EXPECT_TRUE(failed(fill(path, "Ada\n7\n"), {std::string(check.name) + ".wasm: ", check.message}));
}

INSTANTIATE_TEST_SUITE_P(Form, FormCheck, testing::ValuesIn(kChecks));

// Checks that come later: of where the value goes, and of the output.
struct LateCheck {
  const char* name;
  const char* replaced;
  std::string replacement;
  std::string more;
  std::string message;
  std::string shown;
};

void PrintTo(const LateCheck& check, std::ostream* out) {
  *out << check.name;
}

// Everything that is asked for is answered at once.
std::string at_once(const std::string& result) {
  return entry("(global.set $step (i32.const 2)) " + result);
}

const LateCheck kLateChecks[] = {
    {"input-outside", "input_ptr", value("input_ptr", 262142), "", "Could not write input", kFirst},
    {"input-negative", "input_ptr", value("input_ptr", -1), "", "Could not write input", kFirst},
    {"output-negative", "render", at_once("(i32.const -7)"), "",
     "render returned negative output size: -7", kFirst},
    {"output-over", "render", at_once("(i32.const 101)"), "",
     "render output size exceeds output_utf8_cap (101 > 100)", kFirst},
    {"output-outside", "output_ptr", value("output_ptr", 262142), "", "Could not read output",
     kFirst + kSecond},
    {"output-utf8", "render",
     at_once("(i32.store8 (i32.const 131072) (i32.const 255)) (i32.const 1)"), "",
     "module output is not valid UTF-8", kFirst},
};

class FormLateCheck : public testing::TestWithParam<LateCheck> {};

TEST_P(FormLateCheck, IsMadeWhenItsTimeComes) {
  const LateCheck& check = GetParam();
  FormText text;
  text.replaced = check.replaced;
  text.replacement = check.replacement;
  text.more = check.more;
  const std::string path = folder().build(check.name, text.text());
  EXPECT_TRUE(failed(fill(path, "Ada\n7\n"), {std::string(check.name) + ".wasm: ", check.message},
                     check.shown));
}

INSTANTIATE_TEST_SUITE_P(Form, FormLateCheck, testing::ValuesIn(kLateChecks));

TEST(Form, AComponentOfAnotherContractIsRefused) {
  EXPECT_TRUE(failed(fill(folder().build("echo", wat::echo()), "x\n"),
                     {"echo.wasm: Wasm module must export input_key_ptr"}));
}

TEST(Form, OneModuleIsWanted) {
  EXPECT_TRUE(failed(folder().qip({"form"}), {"Usage: qip form"}));
  EXPECT_TRUE(failed(folder().qip({"form", form(), form()}), {"Usage: qip form"}));
}

}  // namespace
}  // namespace qip
