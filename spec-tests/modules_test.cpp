// Runs every component of modules/ through the built command and compares what it prints, byte for
// byte. Assumes: the working directory is the root of the repository; the command is $QIP or
// build/qip. Expected values come from the RFCs, the CommonMark and GitHub specifications, and
// zlib.
#include <gtest/gtest.h>

#include <dirent.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec-tests/process.hpp"

namespace qip {
namespace {

using std::string;
using std::string_view;

constexpr string_view kModules = "modules/";
constexpr size_t kKiB = 1024, kMiB = 1024 * 1024;

using Chain = std::vector<string>;

// Runs the components with `input`, with a time limit of a minute for slow test builds.
ProcessResult run(const Chain& chain, string_view input) {
  std::vector<string> argv = {qip_path(), "run", "--timeout-ms", "60000"};
  for (const string& name : chain) argv.push_back(string(kModules) + name + ".wasm");
  return run_process(argv, input, 90000);
}

// Long outputs are compared, not printed.
void expect_same(string_view actual, string_view expected) {
  if (actual.size() <= 4 * kKiB && expected.size() <= 4 * kKiB)
    EXPECT_EQ(actual, expected);
  else
    EXPECT_TRUE(actual == expected) << actual.size() << " bytes, expected " << expected.size();
}

// The whole stdout, with the newline that the command adds to text.
void expect_output(const Chain& chain, string_view input, string_view expected) {
  SCOPED_TRACE(chain.back() + " of \"" + string(input.substr(0, 80)) + "\"");
  const ProcessResult result = run(chain, input);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.error, "");
  expect_same(result.output, expected);
}

void expect_text(const Chain& chain, string_view input, const string& expected) {
  expect_output(chain, input, expected + "\n");
}

void expect_failure(const Chain& chain, string_view input, string_view message) {
  SCOPED_TRACE(chain.back() + " of \"" + string(input.substr(0, 80)) + "\"");
  const ProcessResult result = run(chain, input);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_NE(result.error.find(message), string::npos) << result.error;
}

void expect_trap(const Chain& chain, string_view input) {
  expect_failure(chain, input, "unreachable");
}

string read_file(const string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// All files below `folder` whose names end with `suffix`, with their paths.
std::vector<string> files_below(const string& folder, string_view suffix) {
  std::vector<string> found;
  DIR* const entries = opendir(folder.c_str());
  if (entries == nullptr) return found;
  while (const dirent* entry = readdir(entries)) {
    const string name = entry->d_name;
    if (name.starts_with(".")) continue;
    const string path = folder + "/" + name;
    struct stat status{};
    if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      for (string& inner : files_below(path, suffix)) found.push_back(std::move(inner));
    } else if (name.ends_with(suffix)) {
      found.push_back(path);
    }
  }
  closedir(entries);
  return found;
}

// --- Contents of several kinds -------------------------------------------------------------------

string repeated(string_view piece, size_t size) {
  string bytes;
  while (bytes.size() < size) bytes += piece;
  bytes.resize(size);
  return bytes;
}

// The same pseudo-random bytes on every machine (xorshift64*), from an alphabet of `symbols` bytes.
string random_bytes(size_t size, unsigned symbols = 256) {
  string bytes(size, '\0');
  uint64_t state = 88172645463325252u;
  for (char& byte : bytes) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    byte = static_cast<char>((state * 2685821657736338717u >> 32) % symbols);
  }
  return bytes;
}

// "0 1 2 ... count-1"
string numbers(int count) {
  string text;
  for (int i = 0; i < count; ++i) text += (i > 0 ? " " : "") + std::to_string(i);
  return text;
}

// --- The folder ----------------------------------------------------------------------------------

// The ids of a module's sections. LEB128 sizes; the files are our own, so a broken one just fails.
std::vector<int> section_ids(const string& bytes) {
  std::vector<int> ids;
  for (size_t at = 8; at < bytes.size();) {
    ids.push_back(bytes[at++]);
    size_t size = 0;
    for (int shift = 0; at < bytes.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      size |= static_cast<size_t>(byte & 127) << shift;
      if (byte < 128) break;
    }
    at += size;
  }
  return ids;
}

TEST(Modules, import_nothing_and_carry_a_name_section) {
  const std::vector<string> files = files_below("modules", ".wasm");
  EXPECT_GE(files.size(), 21u);
  for (const string& path : files) {
    if (path.find("modules/oracles/") != string::npos) continue;  // they import what they try
    const string bytes = read_file(path);
    ASSERT_EQ(bytes.substr(0, 4), string("\0asm", 4)) << path;
    for (const int id : section_ids(bytes)) EXPECT_NE(id, 2) << path << " has an import section";
    EXPECT_NE(bytes.find(string("\x04name", 5)), string::npos) << path;
  }
}

TEST(Modules, hold_no_path_and_no_compiler_version) {
  char* const folder = getcwd(nullptr, 0);
  ASSERT_NE(folder, nullptr);
  for (const string& path : files_below("modules", ".wasm")) {
    const string bytes = read_file(path);
    for (const char* trace : {static_cast<const char*>(folder), "/usr/", "clang version"})
      EXPECT_EQ(bytes.find(trace), string::npos) << path << " holds " << trace;
  }
  free(folder);
}

TEST(Modules, have_a_source_beside_them_and_a_line_in_the_readme) {
  const string readme = read_file("modules/README.md");
  for (const string& path : files_below("modules", ".wasm")) {
    const string stem = path.substr(0, path.size() - 5);
    struct stat status{};
    EXPECT_TRUE(stat((stem + ".wat").c_str(), &status) == 0 ||
                stat((stem + ".c").c_str(), &status) == 0)
        << path;
    EXPECT_NE(readme.find("`" + stem.substr(kModules.size()) + "`"), string::npos) << path;
  }
}

// --- Small text components -----------------------------------------------------------------------

TEST(Hello, greets_its_input_or_the_world) {
  for (const char* name : {"utf8/hello", "utf8/hello-c"}) {
    expect_output({name}, "World", "Hello, World\n");
    expect_output({name}, "World\n", "Hello, World\n\n");
    expect_output({name}, "", "Hello, World\n");
    expect_output({name}, "Zoë", "Hello, Zoë\n");
    expect_output({name}, repeated("x", 64 * kKiB), "Hello, " + repeated("x", 64 * kKiB) + "\n");
    expect_failure({name}, repeated("x", 64 * kKiB + 1), "Input is too large");
  }
}

TEST(Hello, composes) {
  expect_output({"utf8/trim", "utf8/hello", "utf8/hello-c"}, "  you ", "Hello, Hello, you\n");
}

TEST(Trim, removes_ascii_white_space_at_both_ends_only) {
  expect_text({"utf8/trim"}, "  hi  ", "hi");
  expect_text({"utf8/trim"}, "   ", "");
  expect_text({"utf8/trim"}, "", "");
  expect_text({"utf8/trim"}, " \t\r\n\v\fa b\n c\n", "a b\n c");
  expect_text({"utf8/trim"}, "\xff", "\xff");
  expect_text({"utf8/trim"}, "\u00a0x\u00a0", "\u00a0x\u00a0");
  expect_text({"utf8/trim"}, string("\0 x \0", 5), string("\0 x \0", 5));
  expect_text({"utf8/trim"}, string(kMiB - 1, ' ') + "x", "x");
}

TEST(E164, keeps_all_digits_behind_a_plus) {
  expect_text({"utf8/e164"}, "+14155552671", "+14155552671");
  expect_text({"utf8/e164"}, "+1 (212) 555-0100\n", "+12125550100");
  expect_text({"utf8/e164"}, "abc", "");
  expect_text({"utf8/e164"}, "", "");
  expect_text({"utf8/e164"}, "+", "");
  expect_text({"utf8/e164"}, "tel:0049-30-0", "+0049300");
  expect_text({"utf8/e164"}, string(64 * kKiB, '7'), "+" + string(64 * kKiB, '7'));
}

TEST(Luhn, gives_back_the_digits_that_pass) {
  expect_text({"utf8/luhn"}, "49927398716", "49927398716");
  expect_text({"utf8/luhn"}, "4992 7398 716", "49927398716");
  expect_text({"utf8/luhn"}, "4111111111111111\n", "4111111111111111");
  expect_text({"utf8/luhn"}, "0", "0");
  expect_text({"utf8/luhn"}, "18", "18");
}

TEST(Luhn, gives_nothing_for_digits_that_fail_and_for_other_text) {
  for (const char* input :
       {"49927398717", "4111111111111112", "81", "", "  ", "4992-7398716", "49927398716x", "٤"})
    expect_text({"utf8/luhn"}, input, "");
}

TEST(RgbToHex, accepts_both_writings) {
  expect_text({"utf8/rgb-to-hex"}, "255,0,170", "#ff00aa");
  expect_text({"utf8/rgb-to-hex"}, " rgb( 101, 79, 240 ) ", "#654ff0");
  expect_text({"utf8/rgb-to-hex"}, "RGB(0,0,0)\n", "#000000");
  expect_text({"utf8/rgb-to-hex"}, "1 ,\t2 , 3", "#010203");
  expect_text({"utf8/rgb-to-hex"}, "007,010,0255", "#070aff");
}

TEST(RgbToHex, gives_nothing_for_anything_else) {
  for (const char* input :
       {"256,0,0", "", "1,2", "1,2,3,4", "rgb(1,2,3", "1,2,3)", "rgb 1,2,3", "-1,2,3", "1,2,3x",
        "99999999999999999999,0,0", "4294967296,0,0", "1.5,2,3", "rgb (1,2,3)", "rg", "rgb("})
    expect_text({"utf8/rgb-to-hex"}, input, "");
}

TEST(HexToRgb, accepts_six_or_three_digits) {
  expect_text({"utf8/hex-to-rgb"}, "#ff8800", "255,136,0");
  expect_text({"utf8/hex-to-rgb"}, "FF8800", "255,136,0");
  expect_text({"utf8/hex-to-rgb"}, "#f80", "255,136,0");
  expect_text({"utf8/hex-to-rgb"}, " #09a\n", "0,153,170");
  expect_text({"utf8/hex-to-rgb", "utf8/rgb-to-hex"}, "#654ff0", "#654ff0");
}

TEST(HexToRgb, gives_nothing_for_anything_else) {
  for (const char* input : {"", "#", "#ff", "#ffff", "#fffff", "#fffffff", "#gg0000", "##f80",
                            "#f 80", "0xff8800", "é00"})
    expect_text({"utf8/hex-to-rgb"}, input, "");
}

TEST(CssClassValidator, gives_back_identifiers) {
  for (const char* input : {"btn-primary", "_a", "a1", "-a", "--", "--x", "-_", "B", "größe", "🚀",
                            "md\\:flex", "\\31 0", "a\\", "w-1\\/2", "-\\31"})
    expect_text({"utf8/css-class-validator"}, input, string_view(input) == "a\\" ? "" : input);
}

TEST(CssClassValidator, gives_nothing_for_anything_else) {
  for (const char* input : {"a b", "", "-", "1a", "-1a", "a.b", "#a", "a:b", "a\n", " a", "a\\\nb",
                            "w-1/2", "\\", "a\"", "\x7f"})
    expect_text({"utf8/css-class-validator"}, input, "");
  expect_text({"utf8/css-class-validator"}, string("a\0", 2), "");
  expect_text({"utf8/css-class-validator"}, string("\0", 1), "");
}

TEST(Utf8MustBeValid, passes_well_formed_text_through) {
  expect_text({"utf8/utf8-must-be-valid"}, "hello", "hello");
  expect_text({"utf8/utf8-must-be-valid"}, "", "");
  // The first and last code point of each length, and those around the surrogates.
  const string edges = string("\0\x7f", 2) +
                       "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"
                       "\xed\x9f\xbf\xee\x80\x80";
  expect_text({"utf8/utf8-must-be-valid"}, edges, edges);
  for (size_t padding = 0; padding < 9; ++padding) {
    const string text = string(padding, 'x') + "\u20ac" + string(padding, 'y');
    expect_text({"utf8/utf8-must-be-valid"}, text, text);
  }
}

TEST(Utf8MustBeValid, traps_on_every_kind_of_ill_formed_text) {
  for (const string_view bad : std::initializer_list<string_view>{
           "\xff\xfe", "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xc2\xc0",
           "\xe0\x9f\xbf", "\xe0\xa0", "\xe0\xa0\x7f", "\xed\xa0\x80", "\xed\xbf\xbf", "\xef\xbf",
           "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
           "\xf8\x88\x80\x80\x80"}) {
    expect_trap({"utf8/utf8-must-be-valid"}, bad);
    expect_trap({"utf8/utf8-must-be-valid"}, "1234567" + string(bad) + "1234567");
  }
}

TEST(ShortcodeToEmoji, replaces_known_codes_only) {
  expect_text({"utf8/shortcode-to-emoji"}, "Run :rocket: x :nope:", "Run 🚀 x :nope:");
  expect_text({"utf8/shortcode-to-emoji"}, ":+1::-1::100:", "👍👎💯");
  expect_text({"utf8/shortcode-to-emoji"}, ":nope:tada:", ":nope🎉");
  expect_text({"utf8/shortcode-to-emoji"}, ":us: :1st_place_medal: :zzz:", "🇺🇸 🥇 💤");
  expect_text({"utf8/shortcode-to-emoji"}, ":: ::: : :Rocket: :rocket",
              ":: ::: : :Rocket: :rocket");
  expect_text({"utf8/shortcode-to-emoji"}, "12:30:45 http://x", "12:30:45 http://x");
  expect_text({"utf8/shortcode-to-emoji"}, ":rocke: :rockett:", ":rocke: :rockett:");
}

// Reads the table from its source: {"name", "emoji"}.
std::vector<std::pair<string, string>> emoji_table() {
  const string source = read_file("modules/utf8/emoji_table.h");
  std::vector<std::pair<string, string>> table;
  for (size_t at = source.find("{\""); at != string::npos; at = source.find("{\"", at)) {
    const size_t name_end = source.find("\", \"", at);
    const size_t emoji_end = source.find("\"}", name_end);
    table.emplace_back(source.substr(at + 2, name_end - at - 2),
                       source.substr(name_end + 4, emoji_end - name_end - 4));
    at = emoji_end;
  }
  return table;
}

TEST(ShortcodeToEmoji, knows_every_entry_of_its_sorted_table) {
  const auto table = emoji_table();
  ASSERT_GE(table.size(), 1800u);
  string input, expected;
  for (size_t i = 0; i < table.size(); ++i) {
    if (i > 0) {
      EXPECT_LT(table[i - 1].first, table[i].first);
    }
    input += ":" + table[i].first + ": ";
    expected += table[i].second + " ";
  }
  expect_text({"utf8/shortcode-to-emoji"}, input, expected);
}

TEST(InfiniteLoop, is_ended_by_the_time_limit) {
  const ProcessResult result = run_process(
      {qip_path(), "run", "--timeout-ms", "100", string(kModules) + "utf8/infinite-loop.wasm"},
      "x");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_NE(result.error.find("exceeded the execution time limit (100ms)"), string::npos)
      << result.error;
}

// --- Bytes ---------------------------------------------------------------------------------------

TEST(Base64, encodes_as_rfc_4648_section_10) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"hello", "aGVsbG8="}};
  for (const auto& [bytes, text] : vectors) {
    expect_text({"bytes/base64-encode"}, bytes, text);
    expect_output({"utf8/base64-decode"}, text, bytes);
    expect_output({"bytes/base64-encode", "utf8/base64-decode"}, bytes, bytes);
  }
  expect_text({"bytes/base64-encode"}, string("\0", 1), "AA==");
  expect_text({"bytes/base64-encode"}, "\xff\xff\xfe\xfb\xef\xbe", "///+++++");
}

TEST(Base64, round_trips_all_lengths_and_bytes) {
  string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  expect_output({"bytes/base64-encode", "utf8/base64-decode"}, all, all);
  const string large = random_bytes(kMiB + 1);
  expect_output({"bytes/base64-encode", "utf8/base64-decode"}, large, large);
}

TEST(Base64, decoding_skips_white_space) {
  expect_output({"utf8/base64-decode"}, " aGVs\r\nbG8\t=\n", "hello");
  expect_output({"utf8/base64-decode"}, "\n", "");
  expect_output({"utf8/base64-decode"}, "Zg=\n=", "f");
}

TEST(Base64, decoding_traps_on_malformed_text) {
  for (const char* bad : {"a", "aG", "aGV", "aGVsbG8", "aGVsbG8==", "=", "====", "aGVs=", "Zg=",
                          "Zg===", "Zg==Zg==", "Zh==", "Zm9=", "aGVs-_==", "aG!s", "Zg=g", "é"})
    expect_trap({"utf8/base64-decode"}, bad);
  expect_trap({"utf8/base64-decode"}, string("Zm9v\0", 5));
}

TEST(Crc, is_crc_32_of_ieee_802_3) {
  expect_output({"bytes/crc"}, "abc", "352441c2\n");
  expect_output({"bytes/crc"}, "123456789", "cbf43926\n");
  expect_output({"bytes/crc"}, "", "");
  expect_output({"bytes/crc"}, string("\0", 1), "d202ef8d\n");
  expect_output({"bytes/crc"}, string(4, '\xff'), "ffffffff\n");
  expect_output({"bytes/crc"}, "The quick brown fox jumps over the lazy dog", "414fa339\n");
}

// Sixteen prefixes exercise each remainder of the four-byte steps; the values are zlib's.
TEST(Crc, is_right_for_every_remainder_of_a_step) {
  const string text = "abcdefghi";
  const char* expected[] = {"e8b7be43", "9e83486d", "352441c2", "ed82cd11", "8587d865",
                            "4b8e39ef", "312a6aa6", "aeef2a50", "8da988af"};
  for (size_t len = 1; len <= text.size(); ++len)
    expect_output({"bytes/crc"}, text.substr(0, len), string(expected[len - 1]) + "\n");
}

TEST(Crc, hands_raw_items_on) {
  // cbf43926, lowest byte first.
  expect_text({"bytes/crc", "bytes/base64-encode"}, "123456789", "Jjn0yw==");
}

// --- zlib ----------------------------------------------------------------------------------------

const char* const kCompressors[] = {"bytes/zlib-compress", "bytes/zlib-compress-fixed-huffman",
                                    "bytes/zlib-compress-dynamic-huffman"};

TEST(ZlibCompress, stored_and_fixed_streams_are_exact) {
  expect_text({"bytes/zlib-compress", "bytes/base64-encode"}, "qip + wasm",
              "eAEBCgD1/3FpcCArIHdhc20SeQNu");
  expect_text({"bytes/zlib-compress-fixed-huffman", "bytes/base64-encode"}, "qip + wasm",
              "eAErzCxQ0FYoTyzOBQASeQNu");
  expect_text({"bytes/zlib-compress", "bytes/base64-encode"}, "", "eAEBAAD//wAAAAE=");
  expect_text({"bytes/zlib-compress-fixed-huffman", "bytes/base64-encode"}, "", "eAEDAAAAAAE=");
  expect_text({"bytes/zlib-compress-dynamic-huffman", "bytes/base64-encode"}, "", "eJwDAAAAAAE=");
  // One literal, then one match of length 5 at distance 1 (RFC 1951, section 3.2.6).
  expect_text({"bytes/zlib-compress-fixed-huffman", "bytes/base64-encode"}, "aaaaaa",
              "eAFLBAMAB/sCRw==");
}

TEST(ZlibCompress, stored_blocks_hold_65535_bytes) {
  const string bytes = random_bytes(65536);
  const ProcessResult result = run({"bytes/zlib-compress"}, bytes);
  ASSERT_EQ(result.output.size(), 2u + 5 + 65535 + 5 + 1 + 4);
  EXPECT_EQ(result.output.substr(0, 7), string("\x78\x01\x00\xff\xff\x00\x00", 7));
  EXPECT_EQ(result.output.substr(2 + 5 + 65535, 5), string("\x01\x01\x00\xfe\xff", 5));
}

TEST(ZlibCompress, round_trips_any_content_and_length) {
  for (const char* compressor : kCompressors) {
    expect_output({compressor, "bytes/zlib-decompress"}, "qip + wasm", "qip + wasm");
    for (const size_t size :
         {0,   1,   2,     3,     4,     7,     8,     9,     257,   258,   259,    260,
          516, 517, 16383, 16384, 16385, 32768, 32769, 65535, 65536, 65537, 131070, 200001})
      for (const unsigned symbols : {1, 2, 5, 256}) {
        const string bytes = random_bytes(size, symbols);
        expect_output({compressor, "bytes/zlib-decompress"}, bytes, bytes);
      }
    const string text = numbers(50000);
    expect_output({compressor, "bytes/zlib-decompress"}, text, text);
  }
}

// Repetitions exactly one window back, and one byte farther than a match may reach.
TEST(ZlibCompress, round_trips_matches_at_the_window_edge) {
  for (const char* compressor : kCompressors)
    for (const size_t distance : {32767, 32768, 32769}) {
      const string bytes = repeated(random_bytes(distance), 3 * distance);
      expect_output({compressor, "bytes/zlib-decompress"}, bytes, bytes);
    }
  const string near = repeated(random_bytes(32768), 3 * 32768);
  EXPECT_LT(run({"bytes/zlib-compress-dynamic-huffman"}, near).output.size(), 34000u);
}

// Symbol counts that grow like Fibonacci numbers would need codes longer than 15 bits.
TEST(ZlibCompress, round_trips_when_code_lengths_hit_their_limit) {
  string bytes;
  size_t count = 1, before = 1;
  for (char symbol = 'a'; symbol <= 'u'; ++symbol) {
    bytes.append(count, symbol);
    before = std::exchange(count, count + before);
  }
  // Shuffled, so that literals and not matches carry the counts.
  const string order = random_bytes(bytes.size() * 4);
  for (size_t i = bytes.size() - 1; i > 0; --i) {
    uint32_t random = 0;
    memcpy(&random, order.data() + 4 * i, sizeof random);
    std::swap(bytes[i], bytes[random % (i + 1)]);
  }
  for (const char* compressor : kCompressors)
    expect_output({compressor, "bytes/zlib-decompress"}, bytes, bytes);
}

TEST(ZlibCompress, dynamic_codes_beat_fixed_codes_and_never_expand_much) {
  const string text = numbers(20000);
  const size_t fixed = run({"bytes/zlib-compress-fixed-huffman"}, text).output.size();
  const size_t dynamic = run({"bytes/zlib-compress-dynamic-huffman"}, text).output.size();
  EXPECT_LT(fixed, text.size() * 3 / 4);
  EXPECT_LT(dynamic, fixed * 9 / 10);
  EXPECT_LT(run({"bytes/zlib-compress-dynamic-huffman"}, random_bytes(200000)).output.size(),
            200100u);
}

TEST(ZlibCompress, takes_8_mib_and_not_a_byte_more) {
  const string largest = repeated("0123456789abcdef", 8 * kMiB);
  for (const char* compressor : kCompressors) {
    expect_output({compressor, "bytes/zlib-decompress"}, largest, largest);
    expect_failure({compressor}, largest + "x", "Input is too large");
  }
}

// Streams that zlib 1.2.13 wrote, in Base64.
struct GoldenStream {
  const char* what;
  string content;
  const char* stream;
};

std::vector<GoldenStream> golden_streams() {
  const string abc = repeated("abc", 1200);
  return {
      {"empty", "", "eJwDAAAAAAE="},
      {"stored block", "stored by zlib", "eAEBDgDx/3N0b3JlZCBieSB6bGliKVAFXg=="},
      {"fixed block", abc, "eAFLTEpOHEWjaBSNoqGAAM9by3A="},
      {"dynamic block", numbers(200),
       "eNod0skBxCAQxMBUFALNMTD5J7by/ts2LjEIk8XmUFweTQYJmWSRTQ4pcskjzRxMn5nMxdzMwyzmZT5mswYr"
       "LF+5WJt1WMW6rMdq9mCHPdl+cbMPu9iX/djNGZxwJmdxPNDhFOdyHqepQYWa1KI25XmLutSjmju44U7u4m7u"
       "4fo7l/u4zRu88CZv8Tbv8Irn3z5e04MOPelFb/rQRV9ajE9DjqHHEGQoMiQZmgxRhipDluHuz+bug/vkPrrP"
       "7sP79D4+/SJg5ufrTsOIGBUjY3SMkFEyUkbLrC+EOzmjZwSNopE0mkbUqBpZs79i7pSNtNE24kbdyBt9I3AU"
       "zvnSuhM5Kkfm6Byho3SkjtYRO/XdAXd6R/AoHsmjeUSP6pE9uud+l8Wd9NE+4kf9yB/9Y4BYICbI+26VOyvE"
       "DLFDDBFLxBSxRYwRa6S/69c/kBl8LQ=="},
      {"dynamic block without matches", numbers(200).substr(0, 120),
       "eJwFwQEBACAIA8EqH4FtqNC/mHeFMKE5XB7DokJCRkGNDrrooUGLCwsbBzc++OKHBy8pImIS0uSQSx4ZsnTR"
       "ok1/3poU1A=="},
      {"matches at distance 1", string(300, 'a') + string(300, 'b'), "eAFLHAVEg6RRQDQAAJ8n5IU="},
      {"window of 512 bytes", abc, "GJVLTEpOHEWjaBSNoqGAAM9by3A="},
      {"flushed in the middle", abc, "eJxKTEpOHEWjiNoIAAAA//8bRaOIFggAz1vLcA=="},
      {"flushed between dynamic blocks", numbers(200).substr(0, 200),
       "eJwMzAEBADEIAzErJ4G2wDb/xv4FJIUwoRmWw+WhQkJGQY0GLTrooocL/8Y4uPHgxQdf/EgRkb8MaTJkPwAA"
       "AP//BcEBAQAgCAPBKh9BZRvQv5h3VFNDLTrooocKCRkFNRq0+OCLHy4sbBzcePCSQy55pIiISUiTIcsHpQwj"
       "Lg=="},
  };
}

string decoded(const string& base64) {
  return run({"utf8/base64-decode"}, base64).output;
}

TEST(ZlibDecompress, reads_the_streams_of_zlib) {
  for (const GoldenStream& golden : golden_streams()) {
    SCOPED_TRACE(golden.what);
    expect_output({"utf8/base64-decode", "bytes/zlib-decompress"}, golden.stream, golden.content);
  }
}

TEST(ZlibDecompress, traps_on_every_cut_of_a_stream) {
  const string stream = decoded("eJxKTEpOHEWjiNoIAAAA//8bRaOIFggAz1vLcA==");
  for (size_t len = 0; len < stream.size(); ++len)
    expect_trap({"bytes/zlib-decompress"}, stream.substr(0, len));
}

TEST(ZlibDecompress, traps_on_wrong_frames) {
  const string good = decoded("eAErzCxQ0FYoTyzOBQASeQNu");
  expect_output({"bytes/zlib-decompress"}, good, "qip + wasm");
  const auto with = [&](size_t at, char byte) {
    string bad = good;
    bad[at] = byte;
    return bad;
  };
  expect_trap({"bytes/zlib-decompress"}, with(0, 0x77));                // method 7
  expect_trap({"bytes/zlib-decompress"}, with(1, 0x02));                // check bits
  expect_trap({"bytes/zlib-decompress"}, with(good.size() - 1, 'o'));   // Adler-32
  expect_trap({"bytes/zlib-decompress"}, with(good.size() - 4, 0x13));  // Adler-32
  expect_trap({"bytes/zlib-decompress"}, good + "x");                   // bytes behind the end
  expect_trap({"utf8/base64-decode", "bytes/zlib-decompress"},
              "eLsGLAIVywARCmASABmRBEk=");                              // dictionary
  expect_trap({"bytes/zlib-decompress"}, "\x88\x1c" + good.substr(2));  // window of 64 KiB
}

TEST(ZlibDecompress, traps_on_malformed_blocks) {
  const auto expect_bad = [](string_view deflate) {
    expect_trap({"bytes/zlib-decompress"}, "\x78\x01" + string(deflate) + string("\0\0\0\x01", 4));
  };
  expect_bad(string_view("\x07", 1));                      // block type 3
  expect_bad(string_view("\x01\x01\x00\xff\xff\x61", 6));  // length and complement disagree
  expect_bad(string_view("\x01\x05\x00\xfa\xff\x61", 6));  // stored block longer than the input
  expect_bad(string_view("\x03\x02", 2));                  // match before the first byte
  expect_bad(string_view("\x1b\x03", 2));                  // length symbol 286
  expect_bad(string_view("\x4b\x04\x7e", 3));              // distance symbol 30 or 31
  expect_bad(string_view("\xfd\x00\x00", 3));              // more than 286 literal symbols
  expect_bad(string_view("\x05\x1f\x00\x00", 4));          // 32 distance symbols
  expect_bad(string_view("\x05\xe0\x81\x08\x00\x00\x00\x00", 8));  // code length code incomplete
  expect_bad(string_view("\x05\x00\x92\x24\x49\x92\x24\x49\x92", 9));  // and over-subscribed
}

// Only the bits that fill the last byte of the DEFLATE stream up mean nothing.
TEST(ZlibDecompress, traps_on_every_flipped_bit_that_has_a_meaning) {
  const string content = "qip + wasm";
  const string stream = decoded("eAErzCxQ0FYoTyzOBQASeQNu");
  int without_meaning = 0;
  for (size_t bit = 0; bit < 8 * stream.size(); ++bit) {
    string bad = stream;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const ProcessResult result = run({"bytes/zlib-decompress"}, bad);
    without_meaning += result.exit_code == 0;
    EXPECT_EQ(result.output, result.exit_code == 0 ? content : "") << "bit " << bit;
  }
  EXPECT_EQ(without_meaning, 6);
}

// A zlib stream of stored blocks (RFC 1950 and RFC 1951, section 3.2.4), written here.
string stored_stream(string_view content) {
  uint32_t low = 1, high = 0;
  for (const char byte : content) {
    low = (low + static_cast<unsigned char>(byte)) % 65521;
    high = (high + low) % 65521;
  }
  string stream = "\x78\x01";
  do {
    const string_view part = content.substr(0, 65535);
    content.remove_prefix(part.size());
    stream.push_back(content.empty());
    for (const size_t length : {part.size(), ~part.size()})
      stream += {static_cast<char>(length), static_cast<char>(length >> 8)};
    stream += part;
  } while (!content.empty());
  const uint32_t checksum = high << 16 | low;
  for (int shift = 24; shift >= 0; shift -= 8)
    stream.push_back(static_cast<char>(checksum >> shift));
  return stream;
}

TEST(ZlibDecompress, gives_16_mib_and_traps_beyond) {
  const string largest = repeated("0123456789abcde", 16 * kMiB);
  expect_output({"bytes/zlib-decompress"}, stored_stream(largest), largest);
  expect_trap({"bytes/zlib-decompress"}, stored_stream(largest + "x"));
}

TEST(ZlibDecompress, unpacks_a_stream_a_thousand_times_its_size) {
  const string large = string(8 * kMiB, 'z');
  const string packed = run({"bytes/zlib-compress-dynamic-huffman"}, large).output;
  EXPECT_LT(packed.size(), 20000u);
  expect_output({"bytes/zlib-decompress"}, packed, large);
}

// --- HTML ----------------------------------------------------------------------------------------

const char kPageStart[] = "<!doctype html><html><head><meta charset=\"utf-8\">";
const char kPageEnd[] = "</main></body></html>\n";

string title_of(string_view fragment) {
  const string page = run({"text/html/html-page-wrap"}, fragment).output;
  EXPECT_TRUE(page.starts_with(kPageStart)) << page;
  EXPECT_TRUE(page.ends_with(string(fragment) + kPageEnd)) << page;
  const size_t start = page.find("<title>") + 7;
  return page.substr(start, page.find("</title>") - start);
}

TEST(HtmlPageWrap, makes_a_page_of_markdown_output) {
  const ProcessResult result = run({"text/markdown/markdown-basic", "text/html/html-page-wrap"},
                                   "# Title\nHello **World**\n");
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(result.output.starts_with(kPageStart)) << result.output;
  EXPECT_NE(result.output.find("<title>Title</title>"), string::npos) << result.output;
  EXPECT_NE(result.output.find("<main><h1>Title</h1>"), string::npos) << result.output;
  EXPECT_TRUE(result.output.ends_with(kPageEnd)) << result.output;
}

TEST(HtmlPageWrap, takes_its_title_from_the_first_h1) {
  EXPECT_EQ(title_of("<h1>One</h1><h1>Two</h1>"), "One");
  EXPECT_EQ(title_of("<p>x</p><H1 class='a>b'>Some <em>big</em>\n  <code>T</code>&amp;C </H1>"),
            "Some big T&amp;C");
  EXPECT_EQ(title_of("<!-- <h1>no</h1> --><script>'<h1>no</h1>'</script><h1>yes</h1>"), "yes");
  EXPECT_EQ(title_of("<h1>a<!-- b --><script>c</script>d</h1>"), "ad");
  EXPECT_EQ(title_of("<h1><textarea></title></textarea>e</h1>"), "e");
  EXPECT_EQ(title_of("<h1>unclosed"), "unclosed");
  EXPECT_EQ(title_of("<h2>no</h2><h10>no</h10>"), "Untitled");
  EXPECT_EQ(title_of("<h1> </h1>"), "Untitled");
  EXPECT_EQ(title_of(""), "Untitled");
  EXPECT_EQ(title_of("<h1"), "Untitled");
}

TEST(HtmlLinkExtractor, lists_url_and_text) {
  expect_text({"text/html/html-link-extractor"}, "<a href=\"/a\">Go</a>", "/a Go\n");
  expect_text({"text/html/html-link-extractor"},
              "<p><a href='/x'>X</a> and <A class=\"k\" HREF=/y data-z>Y</A></p>", "/x X\n/y Y\n");
  expect_text({"text/html/html-link-extractor"}, "no links", "");
  expect_text({"text/html/html-link-extractor"}, "", "");
  expect_text({"text/html/html-link-extractor"}, "<a name=x>no</a><a>no</a><abbr href=/n>n</abbr>",
              "");
  expect_text({"text/html/html-link-extractor"}, "<a href=/e></a>", "/e \n");
}

TEST(HtmlLinkExtractor, cleans_text_and_urls) {
  expect_text({"text/html/html-link-extractor"},
              "<a href=' /a b\n?x=1&amp;y=2&copy=3 '>\n Two <b>bold</b>\n words<br>here </a>",
              "/a%20b?x=1&y=2&copy=3 Two bold words here\n");
  expect_text({"text/html/html-link-extractor"},
              "<a href=/&#x65;>&lt;&#233;&eacute;&#x1F680;&#0;&nope; & &</a>",
              "/e <éé🚀\uFFFD&nope; & &\n");
  expect_text({"text/html/html-link-extractor"}, "<a href=/i><img src=x alt=\"A &amp; B\"></a>",
              "/i A & B\n");
  expect_text({"text/html/html-link-extractor"}, "<a href=/s>a<script>var b</script>c</a>",
              "/s ac\n");
}

TEST(HtmlLinkExtractor, follows_the_markup_as_browsers_do) {
  expect_text({"text/html/html-link-extractor"}, "<!-- <a href=/c>c</a> --><a href=/d>d</a>",
              "/d d\n");
  expect_text({"text/html/html-link-extractor"},
              "<script>\"<a href=/no>\"</script ><a title='a>b' href=/yes>y</a>", "/yes y\n");
  expect_text({"text/html/html-link-extractor"}, "<a href=/1>one<a href=/2>two</a>",
              "/1 one\n/2 two\n");
  expect_text({"text/html/html-link-extractor"}, "<a href=/open>to the end", "/open to the end\n");
  expect_text({"text/html/html-link-extractor"}, "<a href=/cut", "");
  expect_text({"text/html/html-link-extractor"}, "<a href=/1 href=/2>first</a>", "/1 first\n");
  expect_text({"text/html/html-link-extractor"}, "a < b <a href=/x>1 < 2</a> </ p>", "/x 1 < 2\n");
  expect_text({"text/markdown/markdown-basic", "text/html/html-link-extractor"},
              "See [the *docs*](https://example.com/a?b=1&c=2).",
              "https://example.com/a?b=1&c=2 the docs\n");
}

// --- Markdown ------------------------------------------------------------------------------------

void expect_html(string_view markdown, const string& html) {
  expect_text({"text/markdown/markdown-basic"}, markdown, html);
}

TEST(Markdown, headings_and_paragraphs) {
  expect_html("# Title\nHello **World**\n",
              "<h1>Title</h1>\n<p>Hello <strong>World</strong></p>\n");
  expect_html("###### six ##\n####### seven\n#no\n", "<h6>six</h6>\n<p>####### seven\n#no</p>\n");
  expect_html("# a #b\n## c \\##\n#\n", "<h1>a #b</h1>\n<h2>c ##</h2>\n<h1></h1>\n");
  expect_html("One\n===\nTwo\nlines\n---\n", "<h1>One</h1>\n<h2>Two\nlines</h2>\n");
  expect_html("a\nb\n\n\nc\n", "<p>a\nb</p>\n<p>c</p>\n");
  expect_html("", "");
  expect_html("\n\n", "");
  expect_html("no newline at the end", "<p>no newline at the end</p>\n");
  expect_html("\xef\xbb\xbf# after a byte order mark\r\nx\ry\r\n",
              "<h1>after a byte order mark</h1>\n<p>x\ny</p>\n");
}

TEST(Markdown, emphasis) {
  expect_html("*a* _b_ **c** __d__ ***e***",
              "<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> "
              "<em><strong>e</strong></em></p>\n");
  expect_html("**a *b* c** *d **e** f*",
              "<p><strong>a <em>b</em> c</strong> <em>d <strong>e</strong> f</em></p>\n");
  expect_html("snake_case_name 2*3*4 * x * _ y _",
              "<p>snake_case_name 2<em>3</em>4 * x * _ y _</p>\n");
  expect_html("**a* *b** ***", "<p><em><em>a</em> <em>b</em></em> ***</p>\n");
  expect_html("*a **b*", "<p>*a *<em>b</em></p>\n");
  expect_html("foo*bar*baz _(x)_ „_y_“", "<p>foo<em>bar</em>baz <em>(x)</em> „<em>y</em>“</p>\n");
  expect_html("~~gone~~ ~one~ ~~~x~~~ a~~b",
              "<p><del>gone</del> <del>one</del> ~~~x~~~ a~~b</p>\n");
}

TEST(Markdown, code) {
  expect_html("`a` ``b ` c`` ` d ` `` ` ``",
              "<p><code>a</code> <code>b ` c</code> <code>d</code> <code>`</code></p>\n");
  expect_html("`*x* <b> & \\` y`", "<p><code>*x* &lt;b&gt; &amp; \\</code> y`</p>\n");
  expect_html("```c++ x\nint a;\n\n  <b>\n```\nafter\n",
              "<pre><code class=\"language-c++\">int a;\n\n  &lt;b&gt;\n</code></pre>\n"
              "<p>after</p>\n");
  expect_html("~~~\n```\n~~~~\n", "<pre><code>```\n</code></pre>\n");
  expect_html("```\nopen to the end", "<pre><code>open to the end\n</code></pre>\n");
  expect_html("    a\n\n\tb\n      c\n\n\nd\n",
              "<pre><code>a\n\nb\n  c\n</code></pre>\n<p>d</p>\n");
  expect_html("a\n    not code\n", "<p>a\nnot code</p>\n");
  expect_html("a `b\nc` d\n", "<p>a <code>b c</code> d</p>\n");
}

TEST(Markdown, lists) {
  expect_html("- a\n- b\n", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n");
  expect_html("1. a\n2. b\n", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n");
  expect_html("7) a\n8) b\n", "<ol start=\"7\">\n<li>a</li>\n<li>b</li>\n</ol>\n");
  expect_html("- a\n  - b\n    - c\n- d\n",
              "<ul>\n<li>a\n<ul>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n</li>\n<li>d</li>\n"
              "</ul>\n");
  expect_html("1. a\n   - b\n\n   c\n2. d\n",
              "<ol>\n<li>\n<p>a</p>\n<ul>\n<li>b</li>\n</ul>\n<p>c</p>\n</li>\n<li>\n<p>d</p>\n"
              "</li>\n</ol>\n");
  expect_html("- a\n\n- b\n", "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>\n");
  expect_html("- a\n+ b\n* c\n",
              "<ul>\n<li>a</li>\n</ul>\n<ul>\n<li>b</li>\n</ul>\n<ul>\n<li>c</li>\n</ul>\n");
  expect_html("-\n- b\n-\n", "<ul>\n<li></li>\n<li>b</li>\n<li></li>\n</ul>\n");
  expect_html("- a\nlazy\n\nout\n", "<ul>\n<li>a\nlazy</li>\n</ul>\n<p>out</p>\n");
  expect_html("- # h\n- > q\n- ```\n  c\n  ```\n",
              "<ul>\n<li>\n<h1>h</h1>\n</li>\n<li>\n<blockquote>\n<p>q</p>\n</blockquote>\n</li>\n"
              "<li>\n<pre><code>c\n</code></pre>\n</li>\n</ul>\n");
  expect_html("In 1984\n12. is no list\n-not\n1234567890. no\n",
              "<p>In 1984\n12. is no list\n-not\n1234567890. no</p>\n");
  expect_html("1. a\n\n       code\n",
              "<ol>\n<li>\n<p>a</p>\n<pre><code>code\n</code></pre>\n</li>\n</ol>\n");
}

TEST(Markdown, block_quotes_and_rules) {
  expect_html("> a\n> b\n\nc\n", "<blockquote>\n<p>a\nb</p>\n</blockquote>\n<p>c</p>\n");
  expect_html("> a\nlazy\n", "<blockquote>\n<p>a\nlazy</p>\n</blockquote>\n");
  expect_html(">> # a\n> - b\n",
              "<blockquote>\n<blockquote>\n<h1>a</h1>\n</blockquote>\n<ul>\n<li>b</li>\n</ul>\n"
              "</blockquote>\n");
  expect_html("***\n- - -\n___\n--\n", "<hr />\n<hr />\n<hr />\n<p>--</p>\n");
  expect_html("a\n***\nb\n", "<p>a</p>\n<hr />\n<p>b</p>\n");
}

TEST(Markdown, links_and_images) {
  expect_html("[a](/b) [c](</d e> \"t\") [f](g 'h') [i](j (k)) [](l) [m]()",
              "<p><a href=\"/b\">a</a> <a href=\"/d%20e\" title=\"t\">c</a> "
              "<a href=\"g\" title=\"h\">f</a> <a href=\"j\" title=\"k\">i</a> <a href=\"l\"></a> "
              "<a href=\"\">m</a></p>\n");
  expect_html("[*a* `]` \\]](/b(c)d\\))",
              "<p><a href=\"/b(c)d)\"><em>a</em> <code>]</code> ]</a></p>\n");
  expect_html("![a *b* \"c\"](/d.png \"e\")",
              "<p><img src=\"/d.png\" alt=\"a b &quot;c&quot;\" title=\"e\" /></p>\n");
  expect_html("[![i](/i.png)](/x)", "<p><a href=\"/x\"><img src=\"/i.png\" alt=\"i\" /></a></p>\n");
  expect_html("[a [b](/b) c](/d)", "<p>[a <a href=\"/b\">b</a> c](/d)</p>\n");
  expect_html("![a [b](/b) ![c](/c)](/d)", "<p><img src=\"/d\" alt=\"a b c\" /></p>\n");
  expect_html("[a] [b](c [d](e f) ![g] h](i)", "<p>[a] [b](c [d](e f) ![g] h](i)</p>\n");
  expect_html("*[a*](b) [c*](d)*", "<p><em><a href=\"b\">a*</a> <a href=\"d\">c*</a></em></p>\n");
  expect_html("[q](/?a=1&b=2&amp;c=\"3\"ü)",
              "<p><a href=\"/?a=1&amp;b=2&amp;c=%223%22%C3%BC\">q</a></p>\n");
  expect_html("<https://a.example/?x=1&y=2> <me@example.com> <x> <a b:c>",
              "<p><a href=\"https://a.example/?x=1&amp;y=2\">https://a.example/?x=1&amp;y=2</a> "
              "<a href=\"mailto:me@example.com\">me@example.com</a> &lt;x&gt; &lt;a b:c&gt;</p>\n");
}

TEST(Markdown, link_definitions) {
  expect_html(
      "[a][Ref  One] [ref one][] ![Ref\nONE] [b][none] [none]\n\n[ref one]: </u v> 'T&\"'\n",
      "<p><a href=\"/u%20v\" title=\"T&amp;&quot;\">a</a> "
      "<a href=\"/u%20v\" title=\"T&amp;&quot;\">ref one</a> "
      "<img src=\"/u%20v\" alt=\"Ref\nONE\" title=\"T&amp;&quot;\" /> [b][none] [none]</p>\n");
  expect_html(
      "[a]: /1\n[a]: /2\n[b]: /3\n\"title\"\n[c]: /4 x\n\n[a] [b] [c]\n",
      "<p>[c]: /4 x</p>\n<p><a href=\"/1\">a</a> <a href=\"/3\" title=\"title\">b</a> [c]</p>\n");
  expect_html("> - [deep]: /d\n\n[deep](no [deep]\n",
              "<blockquote>\n<ul>\n<li></li>\n</ul>\n</blockquote>\n"
              "<p><a href=\"/d\">deep</a>(no <a href=\"/d\">deep</a></p>\n");
  expect_html("[x]: /x\n===\n\n[[x]] [x][y] [y][x]\n",
              "<p>===</p>\n<p>[<a href=\"/x\">x</a>] [x][y] <a href=\"/x\">y</a></p>\n");
  expect_html("[j]: javascript:x\n[j]\n", "<p><a href=\"\">j</a></p>\n");
}

TEST(Markdown, tables) {
  expect_html("| A | B |\n| --- | --- |\n| `x` | **y** |\n",
              "<table>\n<thead>\n<tr>\n<th>A</th>\n<th>B</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n"
              "<td><code>x</code></td>\n<td><strong>y</strong></td>\n</tr>\n</tbody>\n</table>\n");
  expect_html("a|b|c|d\n:-|-:|:-:|-\n1|2|3\n1|2|3|4|5\n\nend\n",
              "<table>\n<thead>\n<tr>\n<th align=\"left\">a</th>\n<th align=\"right\">b</th>\n"
              "<th align=\"center\">c</th>\n<th>d</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n"
              "<td align=\"left\">1</td>\n<td align=\"right\">2</td>\n<td align=\"center\">3</td>\n"
              "<td></td>\n</tr>\n<tr>\n<td align=\"left\">1</td>\n<td align=\"right\">2</td>\n"
              "<td align=\"center\">3</td>\n<td>4</td>\n</tr>\n</tbody>\n</table>\n<p>end</p>\n");
  expect_html("text\n| `a\\|b` |\n|-|\n",
              "<p>text</p>\n<table>\n<thead>\n<tr>\n<th><code>a|b</code></th>\n</tr>\n</thead>\n"
              "</table>\n");
  expect_html("| a |\n| - | - |\n", "<p>| a |\n| - | - |</p>\n");
  expect_html(
      "| a |\n|-|\n> q\n",
      "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n</table>\n<blockquote>\n<p>q</p>\n"
      "</blockquote>\n");
}

TEST(Markdown, escapes_and_breaks) {
  expect_html("\\*a\\* \\# \\[b](c) \\\\ \\q \\<", "<p>*a* # [b](c) \\ \\q &lt;</p>\n");
  expect_html("a  \nb\\\nc \nd\n", "<p>a<br />\nb<br />\nc\nd</p>\n");
  expect_html("<b>&amp; & &copy; &#38; &nope \"q\"</b>",
              "<p>&lt;b&gt;&amp; &amp; &copy; &#38; &amp;nope &quot;q&quot;&lt;/b&gt;</p>\n");
  expect_html("<script>alert(1)</script>\n", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
  expect_html(string_view("a\0b", 3), "<p>a\uFFFDb</p>\n");
}

TEST(Markdown, leaves_out_link_targets_that_run_code) {
  for (const char* target : {"javascript:alert(1)", "JaVaScRiPt:x", "vbscript:x",
                             "data:text/html,x", "file:///etc", "javascript\\:x", "<javascript:x>"})
    expect_html("[a](" + string(target) + ")", "<p><a href=\"\">a</a></p>\n");
  expect_html("<javascript:x>", "<p><a href=\"\">javascript:x</a></p>\n");
  expect_html("[a](javascript&colon;x)", "<p><a href=\"javascript&amp;colon;x\">a</a></p>\n");
  expect_html("![a](data:image/png;base64,AAAA)",
              "<p><img src=\"data:image/png;base64,AAAA\" alt=\"a\" /></p>\n");
}

TEST(Markdown, is_linear_on_hostile_input) {
  const string_view patterns[] = {"[",      "![[]()", "*a _b ", "a***",  "`a",       "<a@",
                                  "[a](<b", "> ",     "- ",     "[ (](", "~~a",      "|a",
                                  "\t",     "_a*_ ",  "&#x",    "a\n",   "[a](b \"", "[a]: /b\n\n",
                                  "[a][",   "[a]: <", "#",      "1. ",   "``a`"};
  for (const string_view pattern : patterns) {
    SCOPED_TRACE(pattern);
    const ProcessResult result =
        run_process({qip_path(), "run", "--timeout-ms", "10000",
                     string(kModules) + "text/markdown/markdown-basic.wasm"},
                    repeated(pattern, 500 * kKiB), 30000);
    EXPECT_EQ(result.exit_code, 0) << result.error;
  }
}

TEST(Markdown, traps_when_its_output_does_not_fit) {
  expect_trap({"text/markdown/markdown-basic"}, repeated(string(100, '>') + "\n\n", 400 * kKiB));
}

TEST(Markdown, survives_deep_nesting) {
  const ProcessResult result = run({"text/markdown/markdown-basic"}, repeated("> ", 10000) + "a\n");
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_NE(result.output.find("<p>&gt; &gt; "), string::npos);
}

}  // namespace
}  // namespace qip
