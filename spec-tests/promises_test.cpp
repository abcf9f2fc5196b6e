// Promises of the command that belong to no single test file: what `qip inspect --json` prints, one
// detection for all commands, one account of a trap for all commands, and a kept result that is
// for another input.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-promises");
  return made;
}

// --- inspect --json ------------------------------------------------------------------------------

// One line that is one JSON object in valid UTF-8; anything else is an empty object and a failure.
Json inspected(const std::string& path) {
  const ProcessResult result = folder().qip({"inspect", "--json", path});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1);
  EXPECT_TRUE(result.output.ends_with("\n"));
  Json json = Json::parse(result.output, nullptr, false);
  EXPECT_TRUE(json.is_object()) << result.output;
  return json.is_object() ? json : Json::object();
}

TEST(InspectJson, TellsWhatAComponentIs) {
  const std::string path = folder().build(
      "typed",
      wat::module(wat::content_type("input", "text/html") +
                  "(func (export \"uniform_set_b\") (param f64))"
                  "(func (export \"uniform_set_a\") (param i32) (result i32) "
                  "(local.get 0))" +
                  wat::input("utf8", 100) + wat::output("bytes", 200) + wat::entry(wat::kCopy)));
  const Json json = inspected(path);
  EXPECT_EQ(json.value("module", ""), path);
  EXPECT_EQ(json.value("contract", ""), "Content");
  EXPECT_EQ(json.value("entry", ""), "render(i32) -> i32");
  EXPECT_EQ(json.value("size", 0u), fs::file_size(path));
  const Json input = {
      {"encoding", "utf8"}, {"capacity", 100}, {"address", 1024}, {"content_type", "text/html"}};
  EXPECT_EQ(json["input"], input);
  EXPECT_EQ(json["output"]["encoding"], "raw");
  EXPECT_EQ(json["output"]["capacity"], 200);
  EXPECT_TRUE(json["output"]["content_type"].is_null());
  EXPECT_TRUE(json["problem"].is_null()) << json["problem"];
  const Json memory = {{"minimum_pages", 4}, {"maximum_pages", 4}};
  EXPECT_EQ(json["memory"], memory);
  EXPECT_EQ(json["strict"], true);
  EXPECT_EQ(json["imports"], Json::array());
  Strings uniforms;
  for (const Json& uniform : json["uniforms"]) {
    uniforms.push_back(uniform.value("key", "") + ":" + uniform.value("type", ""));
  }
  std::sort(uniforms.begin(), uniforms.end());
  EXPECT_EQ(uniforms, (Strings{"a:i32", "b:f64"}));
  // The digest is that of the file.
  const ProcessResult digest = folder().shell("sha256sum typed.wasm | cut -c1-64");
  EXPECT_EQ(json.value("sha256", "") + "\n", digest.output);
}

TEST(InspectJson, AgreesWithTheTextOfInspect) {
  for (const std::string& path :
       {folder().build("plain", wat::echo()), folder().build("nothing", "(module)"),
        folder().build("grows", wat::echo("(func (drop (memory.grow (i32.const 1))))"))}) {
    const Json json = inspected(path);
    const std::string text = folder().qip({"inspect", path}).output;
    EXPECT_TRUE(holds(
        text, {json.value("sha256", "?"), json.value("contract", "?"), json.value("reason", "?"),
               json.value("strict", false) ? "strict:    yes" : "strict:    no"}));
  }
}

TEST(InspectJson, AModuleThatCannotRunIsStillAnObject) {
  const Json half = inspected(folder().build(
      "half", wat::module("(memory (export \"memory\") 1)" + wat::value("input_ptr", 0) +
                          "(func (export \"input_utf8_cap\") (result i32) unreachable)" +
                          wat::entry("(i32.const 0)"))));
  EXPECT_EQ(half.value("contract", ""), "Content");
  EXPECT_TRUE(holds(half["problem"].dump(), {"input_utf8_cap", "unreachable"}));
  const Json imports =
      inspected(folder().build("imports", "(module (import \"env\" \"f\" (func (param i64))))"));
  ASSERT_EQ(imports["imports"].size(), 1u);
  EXPECT_TRUE(holds(imports["imports"][0].dump(), {"env", "\"f\"", "i64"}));
  EXPECT_EQ(imports["strict"], false);
  EXPECT_TRUE(holds(imports["not_strict_because"].dump(), {"import"}));
}

// Text of a module can be anything; what comes out is JSON all the same, and the text comes back.
TEST(InspectJson, EveryNameComesBack) {
  const Strings names = {"quote\" and back\\slash",
                         std::string("nul\0in it", 9),
                         "\x1b[31m\r\n\t",
                         "\x7f\xc2\x80\xc2\x9f",
                         "\xe2\x80\xa8\xe2\x80\xae",
                         "\xf0\x9f\x98\x80",
                         "</script>",
                         ""};
  std::string text = "(module";
  for (const std::string& name : names) text += "(func (export " + wat::literal(name) + "))";
  const Json json = inspected(folder().build("names", text + ")"));
  Strings found;
  for (const Json& one : json["exports"]) found.push_back(one.value("name", "?"));
  EXPECT_EQ(found, names);
}

// A path on Linux need not be UTF-8; JSON has to be.
TEST(InspectJson, APathThatIsNoTextStillGivesJson) {
  const std::string plain = folder().build("plain", wat::echo());
  const std::string path = folder().path("\xff\xc3(\"\n.wasm");
  fs::copy_file(plain, path, fs::copy_options::overwrite_existing);
  EXPECT_EQ(inspected(path).value("contract", ""), "Content");
}

// --- One detection -------------------------------------------------------------------------------

struct Kind {
  std::string name;    // as the commands say it
  std::string module;  // text
};

std::vector<Kind> kinds() {
  const std::string memory = "(memory (export \"memory\") 1 1)";
  std::string form = wat::input() + wat::output() + wat::entry("(i32.const 0)");
  for (const char* name : {"input_key_ptr", "input_key_size", "input_label_ptr", "input_label_size",
                           "error_message_ptr", "error_message_size"}) {
    form += wat::value(name, 0);
  }
  return {
      {"Content", wat::echo()},
      {"Content", wat::module(wat::input() + wat::value("output_bytes_cap", 10) +
                              wat::entry("(i64.const 0)", "render", "i64"))},
      {"Tile",
       wat::module(memory + wat::value("input_ptr", 0) + wat::value("input_bytes_cap", 65536) +
                   "(func (export \"tile_rgba32float_64x64\") (param f32 f32))")},
      {"Form", wat::module(form)},
      {"Interactive",
       wat::module(memory + wat::value("input_ptr", 0) + wat::value("input_utf8_cap", 10) +
                   wat::value("output_ptr", 1024) + wat::value("output_rgba8_srgb_bytes", 16) +
                   wat::value("render_width_px", 2) + wat::value("render_height_px", 2) +
                   "(func (export \"tick\") (param i64) (result i64) (i64.const 0))" +
                   wat::entry("(i32.const 16)"))},
      {"none", "(module)"},
  };
}

TEST(Detection, IsTheSameForEveryCommand) {
  // 1 x 1 pixel, 24 bits.
  const std::string picture(
      "BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0"
      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2\3\0",
      58);
  int number = 0;
  for (const Kind& kind : kinds()) {
    const std::string path =
        folder().build("kind-" + kind.name + std::to_string(number++), kind.module);
    SCOPED_TRACE(path);
    const Json json = inspected(path);
    EXPECT_EQ(json.value("contract", ""), kind.name);
    const std::string words = kind.name + (kind.name == "none" ? ": " : ", because ");
    EXPECT_NE(json.value("reason", ""), "");
    EXPECT_TRUE(holds(folder().qip({"inspect", path}).output,
                      {"contract:  " + words + json.value("reason", "?") + "\n"}));
    const ProcessResult checked = folder().qip({"check", path});
    EXPECT_TRUE(checked.output.starts_with(path + ": " + kind.name + "\n")) << checked.output;
    const ProcessResult planned = folder().qip({"run", "--dry-run", path});
    EXPECT_TRUE(holds(planned.output, {"  contract: " + words + json.value("reason", "?") + "\n"}))
        << planned.error;
    // What can be planned can be run, and what cannot is refused by both.
    const ProcessResult run = folder().qip({"run", path}, kind.name == "Tile" ? picture : "x");
    EXPECT_EQ(run.exit_code, planned.exit_code) << run.error << planned.error;
    EXPECT_EQ(run.signal, 0);
    if (kind.name == "Content") {
      EXPECT_EQ(run.exit_code, 0) << run.error;
    }
    if (kind.name == "none") {
      EXPECT_TRUE(failed(run, {path}));
    }
  }
}

// --- One account of a trap -----------------------------------------------------------------------

// `module`, where the component has $inner, which traps, and calls it in the way of `parts`.
std::string trapping(const std::string& name, const std::string& parts) {
  return folder().build(name,
                        wat::module(parts + "(func $inner (result i32) (i32.div_u (i32.const 1) "
                                            "(i32.const 0)))"));
}

// The component, the trap in the specification's words, the function, and the byte: in every
// command, wherever it is that guest code runs.
TEST(Traps, AreToldAlikeByEveryCommand) {
  const std::string rendering =
      trapping("rendering", wat::input() + wat::output() + wat::entry("(call $inner)"));
  const std::string starting =
      trapping("starting", wat::input() + wat::output() + wat::entry("(i32.const 0)") +
                               "(func $first (drop (call $inner))) (start $first)");
  const std::string telling =
      trapping("telling", "(memory (export \"memory\") 1)" + wat::value("input_ptr", 0) +
                              "(func (export \"input_utf8_cap\") (result i32) (call $inner))" +
                              wat::entry("(i32.const 0)"));
  const std::string setting =
      trapping("setting", "(func (export \"uniform_set_k\") (param i32) (drop (call $inner)))" +
                              wat::input() + wat::output() + wat::entry("(i32.const 0)"));
  folder().put("file", "text");
  const std::vector<std::pair<std::string, Strings>> runs = {
      {rendering, {"run", rendering}},
      {starting, {"run", starting}},
      {telling, {"run", telling}},
      {setting, {"run", setting, "?k=1"}},
      {rendering, {"run", "--cache", "kept", rendering}},
      {rendering, {"run", "--each", "-o", "out", rendering, "--", "file"}},
      {telling, {"run", "--dry-run", telling}},
      {rendering, {"call", rendering, "render", "0"}},
      {starting, {"call", starting, "render", "0"}},
      {telling, {"inspect", telling}},
      {telling, {"check", telling}},
      {rendering, {"check", rendering}},
      {starting, {"check", starting}},
  };
  for (const auto& [path, arguments] : runs) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    const ProcessResult result = folder().qip(arguments, "text");
    const std::string all = result.output + result.error;
    EXPECT_EQ(result.signal, 0);
    EXPECT_TRUE(holds(all, {path, "integer divide by zero", "\"inner\" at byte "}));
    if (arguments[0] == "run" || arguments[0] == "call") {
      EXPECT_EQ(result.exit_code, 1);
      if (arguments[1] != "--dry-run") {
        EXPECT_EQ(result.output, "");
      }
    }
  }
}

TEST(Traps, VerboseHasTheCallStackInEveryCommandThatRuns) {
  const std::string path =
      trapping("rendering", wat::input() + wat::output() + wat::entry("(call $inner)"));
  folder().put("file", "text");
  for (const Strings& arguments :
       {Strings{"run", "-v", path}, Strings{"call", "-v", path, "render", "0"},
        Strings{"run", "--each", "-v", "-o", "out", path, "--", "file"}}) {
    const std::string error = folder().qip(arguments, "text").error;
    const size_t inner = error.find("\n", error.find("integer divide by zero"));
    ASSERT_NE(inner, std::string::npos) << error;
    const std::string stack = error.substr(inner);
    EXPECT_TRUE(holds(stack, {"\"inner\"", "\"render\""})) << testing::PrintToString(arguments);
    EXPECT_LT(stack.find("\"inner\""), stack.find("\"render\"")) << error;
  }
}

// --- A kept result is for its input --------------------------------------------------------------

// If two inputs had one key, the entry found would be that of the other: it must not be used.
TEST(Cache, AnEntryOfAnotherInputOfTheSameLengthIsNoHit) {
  const ComponentFolder own("qip-collision");
  own.build("echo", wat::echo());
  const auto cached = [&own](const std::string& input) {
    return own.qip({"run", "-v", "--cache", "c", "echo.wasm"}, input);
  };
  const auto entries = [&own] {
    Strings found;
    for (const auto& item : fs::recursive_directory_iterator(own.path("c"))) {
      if (item.is_regular_file()) found.push_back(item.path());
    }
    return found;
  };
  EXPECT_EQ(cached("one").output, "one\n");
  const Strings first = entries();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(cached("two").output, "two\n");
  Strings both = entries();
  ASSERT_EQ(both.size(), 2u);
  const std::string second = both[0] == first[0] ? both[1] : both[0];
  fs::copy_file(first[0], second, fs::copy_options::overwrite_existing);
  const ProcessResult result = cached("two");
  EXPECT_EQ(result.output, "two\n");
  EXPECT_TRUE(holds(result.error, {"cache: miss\n"}));
  EXPECT_TRUE(holds(cached("two").error, {"cache: hit\n"}));
}

// --- Limits --------------------------------------------------------------------------------------

TEST(MaxOutput, IsALimitForEveryCommandThatRenders) {
  const std::string path =
      folder().build("writes", wat::module(wat::data(131072, "12345") + wat::input() +
                                           wat::output() + wat::entry("(i32.const 5)")));
  folder().put("file", "text");
  for (const Strings& arguments :
       {Strings{"run"}, Strings{"run", "--cache", "kept"}, Strings{"check"}}) {
    for (const std::string limit : {"4", "5"}) {
      Strings all = arguments;
      all.insert(all.end(), {"--max-output", limit, path});
      const ProcessResult result = folder().qip(all);
      EXPECT_EQ(result.exit_code, limit == "4" ? 1 : 0) << arguments[0] << result.output;
      if (limit == "4") {
        EXPECT_TRUE(holds(result.output + result.error, {"5 bytes", "4 bytes"}));
      }
    }
  }
}

}  // namespace
}  // namespace qip
