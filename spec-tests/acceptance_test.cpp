// The acceptance table of the public contract, rows 1 to 71, word for word: every command line of
// the table with its input, the whole of stdout, the exit code, and what stderr must say.
//
// A row is skipped while modules/ holds no component that does its job; it runs by itself from the
// day on which there is one.
#include <map>
#include <set>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

// --- Components ----------------------------------------------------------------------------------

// The synthetic components of the table.
const std::map<std::string, std::string>& synthetic() {
  using namespace wat;
  static const std::string one_page =
      "(memory (export \"memory\") 1)" + value("input_utf8_cap", 64);
  static const std::string store_item =
      "(i32.store (i32.const 131072) (global.get $set)) (i32.const 1)";
  static const std::map<std::string, std::string> all = {
      {"M42", module(input() + entry("(i32.const 42)", "run"))},
      {"Mneg", module(input() + entry("(i32.const -1)", "run"))},
      {"Mecho", echo()},
      {"Mover", module(input() + output("utf8", 16) + entry("(i32.const 17)", "run"))},
      {"Mnegout", module(input() + output() + entry("(i32.const -1)", "run"))},
      {"Mi32", module(input() + output("i32", 16) +
                      data(131072, std::string("\1\0\0\0\xff\xff\xff\xff\xef\xbe\xad\xde", 12)) +
                      entry("(i32.const 3)", "run"))},
      {"Mtrap", module(input() + output() + entry("unreachable", "run"))},
      {"Mloop",
       module(input() + output() + entry("(loop $again (br $again)) (i32.const 0)", "run"))},
      {"Moutput65530", module(one_page + value("input_ptr", 0) + value("output_ptr", 65530) +
                              value("output_utf8_cap", 64) + entry("(i32.const 10)", "run"))},
      {"Minput65530",
       module(one_page + value("input_ptr", 65530) + entry("(local.get $size)", "run"))},
      {"Mnoinputptr", module(one_page + entry("(i32.const 1)", "run"))},
      {"Mnoinputcap", module("(memory (export \"memory\") 1)" + value("input_ptr", 0) +
                             entry("(i32.const 1)", "run"))},
      {"Mnooutputcap", module(input() + value("output_ptr", 0) + entry("(i32.const 1)", "run"))},
      {"Mnooutputptr",
       module(input() + value("output_utf8_cap", 64) + entry("(i32.const 42)", "run"))},
      {"Mimport", module("(import \"env\" \"f\" (func))" + input() + entry("(i32.const 1)"))},
      {"Mi", module(input() + output("i32", 16) + "(global $set (mut i32) (i32.const 0))" +
                    "(func (export \"uniform_set_i\") (param i32)"
                    " (global.set $set (local.get 0)))" +
                    entry(store_item, "run"))},
      {"Mf", module(input() + output("i32", 16) + "(global $set (mut i32) (i32.const 0))" +
                    "(func (export \"uniform_set_f\") (param f32)"
                    " (global.set $set (i32.reinterpret_f32 (local.get 0))))" +
                    entry(store_item, "run"))},
      // Appends alpha and beta, or gamma, to what comes in: a byte each.
      {"Malphabeta",
       module(input() + output("bytes") + "(global $alpha (mut i32) (i32.const 0))" +
              "(global $beta (mut i32) (i32.const 0))" +
              "(func (export \"uniform_set_alpha\") (param i32)"
              " (global.set $alpha (local.get 0)))" +
              "(func (export \"uniform_set_beta\") (param i32) (global.set $beta (local.get 0)))" +
              entry("(memory.copy (i32.const 131072) (i32.const 1024) (local.get $size))"
                    "(i32.store8 offset=131072 (local.get $size) (global.get $alpha))"
                    "(i32.store8 offset=131073 (local.get $size) (global.get $beta))"
                    "(i32.add (local.get $size) (i32.const 2))"))},
      {"Mgamma",
       module(input("bytes") + output("bytes") + "(global $gamma (mut i32) (i32.const 0))" +
              "(func (export \"uniform_set_gamma\") (param i32)"
              " (global.set $gamma (local.get 0)))" +
              entry("(memory.copy (i32.const 131072) (i32.const 1024) (local.get $size))"
                    "(i32.store8 offset=131072 (local.get $size) (global.get $gamma))"
                    "(i32.add (local.get $size) (i32.const 1))"))},
      {"Mhook",
       module(input() + output() +
              "(func (export \"uniform_set_width_and_height\") (param f32 f32))" + entry(kCopy))},
  };
  return all;
}

// Components that rows ask for and that modules/ need not hold yet.
const std::set<std::string> kToCome = {
    "html-tag-validator", "tld-validator", "html-aria-extractor", "unicode-normalize-nfc",
    "bmp-to-ico",         "bmp-double",    "svg-rasterize",       "text-to-bmp"};

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-acceptance");
  return made;
}

// The path of the component `name`, empty if there is none.
std::string component(const std::string& name) {
  if (synthetic().count(name) != 0) return folder().build(name, synthetic().at(name));
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator("modules")) {
    if (entry.path().filename() == name + ".wasm") return fs::absolute(entry.path()).string();
  }
  EXPECT_EQ(kToCome.count(name), 1u) << "no component " << name;
  return "";
}

// Resolves what begins with '@'. False: a component does not exist yet; `missing` names it.
bool resolve(Strings& arguments, std::string& missing) {
  for (std::string& argument : arguments) {
    if (argument.empty() || argument[0] != '@') continue;
    missing = argument.substr(1);
    argument = component(missing);
    if (argument.empty()) return false;
  }
  return true;
}

// --- The rows ------------------------------------------------------------------------------------

struct Row {
  const char* number;
  Strings arguments;  // "@name": that component
  std::string input;
  std::string output;  // all of stdout
  std::string error;   // empty: exit 0 and an empty stderr; else exit 1 and stderr holds it
  bool error_is_start = false;  // stderr begins with it, and may have several lines
};
// For messages of the test framework.
void PrintTo(const Row& row, std::ostream* out) {
  *out << "row " << row.number;
}

std::string bytes(std::initializer_list<int> values) {
  return {values.begin(), values.end()};
}

std::string red_pixel() {
  return "BM" + bytes({0x3A, 0, 0, 0, 0, 0, 0, 0,    0x36, 0, 0, 0, 0x28, 0, 0, 0, 1,    0, 0,
                       0,    1, 0, 0, 0, 1, 0, 0x18, 0,    0, 0, 0, 0,    4, 0, 0, 0,    0, 0,
                       0,    0, 0, 0, 0, 0, 0, 0,    0,    0, 0, 0, 0,    0, 0, 0, 0xFF, 0});
}

const std::string kItems = "00000001\nffffffff\ndeadbeef\n";
const std::string kMore = "Module returned more bytes than its stated capacity";
const std::string kLimit = "Wasm module exceeded the execution time limit ";

std::vector<Row> rows() {
  return {
      {"1", {"run", "@base64-encode"}, "hello", "aGVsbG8=\n", ""},
      {"2", {"run", "@base64-encode"}, "", "\n", ""},
      {"3", {"run", "@base64-encode"}, bytes({0}), "AA==\n", ""},
      {"4", {"run", "@base64-encode", "@base64-decode"}, "hello", "hello", ""},
      {"5", {"run", "@crc"}, "abc", "352441c2\n", ""},
      {"6", {"run", "@crc"}, "123456789", "cbf43926\n", ""},
      {"7", {"run", "@crc"}, "", "", ""},
      {"8", {"run", "@e164"}, "+14155552671", "+14155552671\n", ""},
      {"9", {"run", "@e164"}, "+1 (212) 555-0100\n", "+12125550100\n", ""},
      {"10", {"run", "@e164"}, "abc", "\n", ""},
      {"11", {"run", "@trim"}, "  hi  ", "hi\n", ""},
      {"12", {"run", "@trim"}, "   ", "\n", ""},
      {"13", {"run", "@hello"}, "World", "Hello, World\n", ""},
      {"14", {"run", "@hello"}, "World\n", "Hello, World\n\n", ""},
      {"15", {"run", "@hello"}, "", "Hello, World\n", ""},
      {"16", {"run", "@hex-to-rgb"}, "#ff8800", "255,136,0\n", ""},
      {"17", {"run", "@rgb-to-hex"}, "255,0,170", "#ff00aa\n", ""},
      {"18", {"run", "@rgb-to-hex"}, " rgb( 101, 79, 240 ) ", "#654ff0\n", ""},
      {"19", {"run", "@rgb-to-hex"}, "256,0,0", "\n", ""},
      {"20", {"run", "@luhn"}, "49927398716", "49927398716\n", ""},
      {"21", {"run", "@luhn"}, "4992 7398 716", "49927398716\n", ""},
      {"22", {"run", "@luhn"}, "49927398717", "\n", ""},
      {"23a", {"run", "@html-tag-validator"}, "div", "builtin\n", ""},
      {"23b", {"run", "@html-tag-validator"}, "my-el", "custom\n", ""},
      {"23c", {"run", "@html-tag-validator"}, "Foo", "invalid\n", ""},
      {"24a", {"run", "@css-class-validator"}, "btn-primary", "btn-primary\n", ""},
      {"24b", {"run", "@css-class-validator"}, "a b", "\n", ""},
      {"25a", {"run", "@tld-validator"}, ".com", "com\n", ""},
      {"25b", {"run", "@tld-validator"}, "com", "\n", ""},
      {"26", {"run", "@shortcode-to-emoji"}, "Run :rocket: x :nope:", "Run 🚀 x :nope:\n", ""},
      {"27", {"run", "@html-aria-extractor"}, "<a href=\"/a\">Go</a>", "link: Go\n\n", ""},
      {"28",
       {"run", "@markdown-basic"},
       "# Title\nHello **World**\n",
       "<h1>Title</h1>\n<p>Hello <strong>World</strong></p>\n\n",
       ""},
      {"29",
       {"run", "@markdown-basic"},
       "| A | B |\n| --- | --- |\n| `x` | **y** |\n",
       "<table>\n<thead>\n<tr>\n<th>A</th>\n<th>B</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n"
       "<td><code>x</code></td>\n<td><strong>y</strong></td>\n</tr>\n</tbody>\n</table>\n\n",
       ""},
      {"31",
       {"run", "@zlib-compress", "@base64-encode"},
       "qip + wasm",
       "eAEBCgD1/3FpcCArIHdhc20SeQNu\n",
       ""},
      {"32",
       {"run", "@zlib-compress-fixed-huffman", "@base64-encode"},
       "qip + wasm",
       "eAErzCxQ0FYoTyzOBQASeQNu\n",
       ""},
      {"33a", {"run", "@zlib-compress", "@zlib-decompress"}, "qip + wasm", "qip + wasm", ""},
      {"33b",
       {"run", "@zlib-compress-fixed-huffman", "@zlib-decompress"},
       "qip + wasm",
       "qip + wasm",
       ""},
      {"33c",
       {"run", "@zlib-compress-dynamic-huffman", "@zlib-decompress"},
       "qip + wasm",
       "qip + wasm",
       ""},
      {"34", {"run", "@unicode-normalize-nfc"}, "e\xcc\x81", "\xc3\xa9\n", ""},
      {"35",
       {"run", "@bmp-to-ico", "@base64-encode"},
       red_pixel(),
       "AAABAAEAAQEAAAEAGAAwAAAAFgAAACgAAAABAAAAAgAAAAEAGAAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8AAAA"
       "A"
       "AA==\n",
       ""},
      {"37", {"run", "@M42"}, "hello", "Ran: 42\n", ""},
      {"38", {"run", "@Mneg"}, "hello", "Ran: 4294967295\n", ""},
      {"39", {"run", "@M42", "@hello"}, "x", "Ran: 42\nHello, World\n", ""},
      {"40", {"run", "@Mi32"}, "x", kItems, ""},
      {"41", {"run", "@Mi32", "@base64-encode"}, "x", "AQAAAP/////vvq3e\n", ""},
      {"42", {"run", "@Mover"}, "x", "", kMore},
      {"43", {"run", "@Mnegout"}, "x", "", kMore},
      {"44", {"run", "@Moutput65530"}, "x", "", "Could not read output"},
      {"45", {"run", "@Minput65530"}, "elevenbytes", "", "Could not write input"},
      {"46a", {"run", "@Mecho"}, std::string(70000, 'a'), "", "Input is too large"},
      {"46b", {"run", "@Mecho"}, std::string(65536, 'a'), std::string(65536, 'a') + "\n", ""},
      {"47", {"run", "@Mtrap"}, "x", "", "unreachable"},
      {"48", {"run", "--timeout-ms", "100", "@Mloop"}, "x", "", kLimit + "(100ms)"},
      {"49a", {"run", "--timeout-ms", "250", "@Mloop"}, "x", "", kLimit + "(250ms)"},
      {"49b", {"run", "--timeout-ms", "0", "@Mloop"}, "x", "", "Invalid timeout-ms: 0"},
      {"51a", {"run", "@utf8-must-be-valid"}, "\xff\xfe", "", "unreachable"},
      {"51b", {"run", "@utf8-must-be-valid"}, "hello", "hello\n", ""},
      {"52", {"run", "@trim"}, "\xff", "\xff\n", ""},
      {"53a",
       {"run", "@Mnoinputptr"},
       "x",
       "",
       "Wasm module must export input_ptr as global or function"},
      {"53b",
       {"run", "@Mnoinputcap"},
       "x",
       "",
       "Wasm module must export input_utf8_cap or input_bytes_cap as global or function"},
      {"54",
       {"run", "@Mnooutputcap"},
       "x",
       "",
       "Wasm module must export output_utf8_cap or output_i32_cap or output_bytes_cap as global or "
       "function"},
      {"55", {"run", "@Mnooutputptr"}, "x", "Ran: 42\n", ""},
      {"56", {"run", "@Mimport"}, "x", "", "Wasm module could not be instantiated"},
      {"57", {"run", "notwasm.txt"}, "x", "", "could not be compiled"},
      {"58",
       {"run", "nope.wasm"},
       "",
       "",
       "Error reading file: open nope.wasm: no such file or directory"},
      {"59",
       {"run", "-i", "nope.txt", "@hello"},
       "",
       "",
       "Error reading input file: open nope.txt: no such file or directory"},
      {"60a", {"run"}, "", "", "Usage: qip", true},
      {"60b", {}, "", "", "Usage: qip", true},
      {"60c", {"frob"}, "", "", "Usage: qip", true},
      {"60d", {"-v"}, "", "", "Usage: qip", true},
      {"61", {"run", "--zzz", "x.wasm"}, "", "", "flag provided but not defined: -zzz"},
      {"63",
       {"run", "-i", "in.txt", "-o", "out.png", "@trim"},
       "",
       "",
       "cannot encode non-image output as image"},
      {"64", {"run", "--", "--not-a-flag"}, "", "", "open --not-a-flag"},
      {"66a", {"run", "@Mi", "?i=5"}, "x", "00000005\n", ""},
      {"66b", {"run", "@Mi", "?i=-5"}, "x", "fffffffb\n", ""},
      {"66c", {"run", "@Mi", "?i=0xff5511ff"}, "x", "ff5511ff\n", ""},
      {"66d", {"run", "@Mi", "?i=%2B7"}, "x", "00000007\n", ""},
      {"67a",
       {"run", "@Mi", "?i=1.5"},
       "x",
       "",
       "invalid value \"1.5\" for uniform_set_i (expected i32)"},
      {"67b",
       {"run", "@Mi", "?i=1_000"},
       "x",
       "",
       "invalid value \"1_000\" for uniform_set_i (expected i32)"},
      {"67c",
       {"run", "@Mi", "?i="},
       "x",
       "",
       "invalid value \"\" for uniform_set_i (expected i32)"},
      {"67d",
       {"run", "@Mi", "?i=ff"},
       "x",
       "",
       "invalid value \"ff\" for uniform_set_i (expected i32)"},
      {"67e",
       {"run", "@Mi", "?i=0x100000000"},
       "x",
       "",
       "invalid value \"0x100000000\" for uniform_set_i (expected i32)"},
      {"68a", {"run", "@Mf", "?f=inf"}, "x", "7f800000\n", ""},
      {"68b", {"run", "@Mf", "?f=0x1p-2"}, "x", "3e800000\n", ""},
      {"68c",
       {"run", "@Mf", "?f=1e40"},
       "x",
       "",
       "invalid value \"1e40\" for uniform_set_f (expected f32)"},
      {"68d",
       {"run", "@Mf", "?f=abc"},
       "x",
       "",
       "invalid value \"abc\" for uniform_set_f (expected f32)"},
      {"68e",
       {"run", "@Mf", "?f=0x10"},
       "x",
       "",
       "invalid value \"0x10\" for uniform_set_f (expected f32)"},
      // '+' stands for a space in a query.
      {"68f",
       {"run", "@Mf", "?f=+0.5"},
       "x",
       "",
       "invalid value \" 0.5\" for uniform_set_f (expected f32)"},
      {"69",
       {"run", "@Malphabeta", "?alpha=1&beta=2", "@Mgamma", "?gamma=3", "?gamma=4"},
       "",
       "\1\2\4",
       ""},
      {"70a",
       {"run", "?x=1", "@Mi"},
       "x",
       "",
       "Invalid run module args: run uniform query \"?x=1\" must follow a wasm module path"},
      {"70b",
       {"run", "@Mi", "?"},
       "x",
       "",
       "Invalid run module args: run uniform query must not be empty"},
      {"70c",
       {"run", "@Mi", "?=1"},
       "x",
       "",
       "Invalid run module args: invalid run uniform query \"?=1\": empty key"},
      {"70d",
       {"run", "@Mi", "?foo=1"},
       "x",
       "",
       "Wasm module does not export uniform_set_foo for query key \"foo\""},
      {"71",
       {"run", "@Mhook", "?width_and_height=2"},
       "x",
       "",
       "uniform_set_width_and_height must accept exactly one argument"},
  };
}

class Acceptance : public testing::TestWithParam<Row> {};

TEST_P(Acceptance, IsAsTheTableSays) {
  const Row& row = GetParam();
  folder().put("notwasm.txt", "hello, world");
  folder().put("in.txt", "  hello  \n");
  Strings arguments = row.arguments;
  std::string missing;
  if (!resolve(arguments, missing)) GTEST_SKIP() << "there is no component " << missing << " yet";
  const ProcessResult result = folder().qip(arguments, row.input);
  if (row.error.empty()) {
    EXPECT_TRUE(succeeded(result, row.output));
  } else if (row.error_is_start || row.error.starts_with("flag provided")) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.output, row.output);
    EXPECT_TRUE(holds(result.error, {row.error}));
    EXPECT_EQ(result.error.find("Usage: qip"), 0u);
  } else {
    EXPECT_TRUE(failed(result, {row.error}, row.output));
  }
  EXPECT_FALSE(folder().has("out.png"));
}

INSTANTIATE_TEST_SUITE_P(Row, Acceptance, testing::ValuesIn(rows()),
                         [](const auto& info) { return std::string(info.param.number); });

// --- Rows that are not one command line ----------------------------------------------------------

const std::string kTitle = "# Title\nHello **World**\n";

TEST(AcceptanceRow, Row30IsAPage) {
  const ProcessResult result =
      folder().qip({"run", component("markdown-basic"), component("html-page-wrap")}, kTitle);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(result.output.starts_with("<!doctype html><html><head><meta charset=\"utf-8\">"));
  EXPECT_TRUE(holds(result.output, {"<title>Title</title>", "<main><h1>Title</h1>"}));
  EXPECT_TRUE(result.output.ends_with("</main></body></html>\n"));
}

TEST(AcceptanceRow, Row36RastersAFlag) {
  const std::string flag =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"32\" height=\"32\">"
      "<rect width=\"32\" height=\"32\" fill=\"#ff0000\"/>"
      "<rect x=\"13\" y=\"6\" width=\"6\" height=\"20\" fill=\"#ffffff\"/>"
      "<rect x=\"6\" y=\"13\" width=\"20\" height=\"6\" fill=\"#ffffff\"/></svg>";
  struct Case {
    Strings arguments;
    size_t size;
  };
  for (Case row : {Case{{"run", "@svg-rasterize"}, 4150},
                   Case{{"run", "@svg-rasterize", "@bmp-double"}, 16438},
                   Case{{"run", "@svg-rasterize", "@bmp-to-ico"}, 4286}}) {
    std::string missing;
    if (!resolve(row.arguments, missing)) GTEST_SKIP() << "there is no component " << missing;
    const ProcessResult result = folder().qip(row.arguments, flag);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_EQ(result.output.size(), row.size);
  }
}

TEST(AcceptanceRow, Row50WaitsForSlowInput) {
  ProcessOptions options;
  options.input = "<a href=\"/x\">X</a>";
  options.input_delay_ms = 500;
  const auto run = [&](const std::string& path) {
    return run_process({qip_path(), "run", "--timeout-ms", "100", path}, options);
  };
  EXPECT_TRUE(succeeded(run(component("trim")), std::string(options.input) + "\n"));
  const std::string extractor = component("html-aria-extractor");
  if (extractor.empty()) GTEST_SKIP() << "there is no component html-aria-extractor yet";
  const ProcessResult result = run(extractor);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(holds(result.output, {"link: X"}));
}

TEST(AcceptanceRow, Row62WritesExactlyTheBytes) {
  folder().put("in.txt", "  hello  \n");
  EXPECT_TRUE(
      succeeded(folder().qip({"run", "-i", "in.txt", "-o", "out.txt", component("trim")}), ""));
  EXPECT_EQ(folder().get("out.txt"), "hello");
}

TEST(AcceptanceRow, Row65SetsTheTextOfABitmap) {
  const std::string painter = component("text-to-bmp");
  if (painter.empty()) GTEST_SKIP() << "there is no component text-to-bmp yet";
  const auto number_at = [](const std::string& bmp, size_t offset) {
    int32_t number = 0;
    if (bmp.size() >= 54) memcpy(&number, bmp.data() + offset, sizeof number);
    return number;
  };
  const auto paint = [&](const Strings& uniforms) {
    Strings arguments = {"run", painter};
    arguments.insert(arguments.end(), uniforms.begin(), uniforms.end());
    const ProcessResult result = folder().qip(arguments, "one\ntwo\nthree\n");
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return result.output;
  };
  const std::string plain = paint({}), apart = paint({"?leading=40"});
  EXPECT_EQ(number_at(apart, 18), number_at(plain, 18));
  EXPECT_NE(number_at(apart, 22), number_at(plain, 22));
  EXPECT_EQ(number_at(paint({"?cols=10"}), 18), 80);
}

}  // namespace
}  // namespace qip
