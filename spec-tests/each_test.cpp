// `qip run --each`: one chain over many files, through the built command. What a file gives depends
// on that file alone, an output is there as a whole or not at all, and neither interruptions nor
// numbers of files change that.
//
// No test measures time: where order matters, a named pipe holds the command at a known place.
#include <signal.h>

#include <filesystem>
#include <map>

#include "spec-tests/component_folder.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

// Copies, but traps on a text that begins with "!" and never ends on one that begins with "~".
// Uniform `mark`: a letter to begin with.
std::string picky_text() {
  return wat::module(
      "(global $mark (mut i32) (i32.const 0))"
      "(func (export \"uniform_set_mark\") (param i32) (global.set $mark (local.get 0)))" +
      wat::input() + wat::output() +
      wat::entry("(local $first i32) (local $to i32)"
                 "(local.set $first (i32.load8_u (i32.const 1024)))"
                 "(if (i32.eq (local.get $first) (i32.const 33)) (then (unreachable)))"
                 "(if (i32.eq (local.get $first) (i32.const 126)) (then (loop $e (br $e))))"
                 "(local.set $to (i32.const 131072))"
                 "(if (global.get $mark) (then"
                 "  (i32.store8 (local.get $to) (global.get $mark))"
                 "  (local.set $to (i32.add (local.get $to) (i32.const 1)))))"
                 "(memory.copy (local.get $to) (i32.const 1024) (local.get $size))"
                 "(i32.sub (i32.add (local.get $to) (local.get $size)) (i32.const 131072))"));
}

// Says how often it has been called in this life: "1".
std::string counting_text() {
  return wat::module("(global $calls (mut i32) (i32.const 48))" + wat::input() + wat::output() +
                     wat::entry("(global.set $calls (i32.add (global.get $calls) (i32.const 1)))"
                                "(i32.store8 (i32.const 131072) (global.get $calls))"
                                "(i32.const 1)"));
}

// The input again and again, to this many bytes: few instructions, many bytes.
constexpr uint64_t kRepeatedBytes = 200'000;
std::string repeat_text() {
  return wat::module(
      "(memory (export \"memory\") 20 20)" + wat::value("input_ptr", 1024) +
      wat::value("input_bytes_cap", 65536) + wat::value("output_ptr", 131072) +
      wat::value("output_bytes_cap", kRepeatedBytes) +
      wat::entry("(local $made i32) (local.set $made (local.get $size))"
                 "(memory.copy (i32.const 131072) (i32.const 1024) (local.get $size))"
                 "(loop $again"
                 "  (memory.copy (i32.add (i32.const 131072) (local.get $made))"
                 "               (i32.const 131072) (local.get $made))"
                 "  (local.set $made (i32.shl (local.get $made) (i32.const 1)))"
                 "  (br_if $again (i32.lt_u (local.get $made) (i32.const 200000))))"
                 "(i32.const 200000)"));
}

using Files = std::map<std::string, std::string>;  // contents by name

class Each : public testing::Test {
 protected:
  void SetUp() override {
    folder_.build("picky", picky_text());
    fs::create_directory(folder_.path("in"));
  }

  // Writes in/NAME for each.
  void put(const Files& files) const {
    for (const auto& [name, contents] : files) folder_.put("in/" + name, contents);
  }
  // What stands behind "--".
  static Strings paths_of(const Files& files) {
    Strings paths;
    for (const auto& file : files) paths.push_back("in/" + file.first);
    return paths;
  }
  ProcessResult each(Strings arguments, const Strings& files) const {
    arguments.insert(arguments.begin(), {"run", "--each"});
    arguments.push_back("--");
    arguments.insert(arguments.end(), files.begin(), files.end());
    return folder_.qip(std::move(arguments), "", 60'000);
  }
  // Everything that a folder holds, hidden names included.
  Files listing(const std::string& name) const {
    Files found;
    for (const auto& item : fs::directory_iterator(folder_.path(name))) {
      const std::string file = item.path().filename().string();
      found[file] = item.is_regular_file() ? folder_.get(name + "/" + file) : "(no file)";
    }
    return found;
  }

  ComponentFolder folder_{"qip-each"};
};

std::string numbered(const std::string& prefix, size_t number) {
  std::string digits = std::to_string(number);
  return prefix + std::string(6 - digits.size(), '0') + digits;
}

Files numbered_files(size_t count) {
  Files files;
  for (size_t i = 0; i < count; i++) files[numbered("f", i)] = "text " + std::to_string(i);
  return files;
}

// --- Results -------------------------------------------------------------------------------------

// Files of many sizes, empty, binary, trapping, and too large for the component.
Files mixed_files(size_t count) {
  Files files;
  for (size_t i = 0; i < count; i++) {
    std::string contents = i % 5 == 0 ? "" : "file " + std::to_string(i) + ": ";
    contents += std::string((i * 7919) % 3000, static_cast<char>(i));
    if (i % 13 == 0) contents.insert(0, "!");
    if (i % 97 == 5) contents += std::string(65536, 'x');
    files[numbered("f", i)] = contents;
  }
  return files;
}

bool is_rejected(const std::string& contents) {
  return contents.starts_with("!") || contents.size() > 65536;
}

TEST_F(Each, ResultsDoNotDependOnTheNumberOfThreads) {
  const Files files = mixed_files(400);
  put(files);
  Files wanted;
  std::string failures;
  size_t failed = 0;
  for (const auto& [name, contents] : files) {
    if (!is_rejected(contents)) {
      wanted[name] = "Z" + contents;
    } else {
      failures += "\n  in/" + name + ": ";
      failed++;
    }
  }
  ASSERT_GT(failed, 30u);
  std::string first_error;
  for (const std::string jobs : {"1", "2", "7", "64"}) {
    const ProcessResult result =
        each({"-j", jobs, "-o", "out" + jobs, "picky.wasm", "?mark=90"}, paths_of(files));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.output, "");
    EXPECT_TRUE(listing("out" + jobs) == wanted) << "with " << jobs << " threads";
    if (first_error.empty()) first_error = result.error;
    EXPECT_EQ(result.error, first_error) << jobs;
  }
  // The list names exactly the files that failed, in the order of the command line.
  EXPECT_TRUE(first_error.starts_with(std::to_string(failed) + " of 400 files failed:\n  in/"));
  std::string names;
  for (size_t at = first_error.find("\n  in/"); at != std::string::npos;
       at = first_error.find("\n  in/", at + 1)) {
    names += first_error.substr(at, first_error.find(": ", at) + 2 - at);
  }
  EXPECT_EQ(names, failures);
}

TEST_F(Each, AFileGivesWhatARunWithItGives) {
  folder_.build("bytes", wat::module(wat::input() + wat::output("bytes") + wat::entry(wat::kCopy)));
  folder_.build("items",
                wat::module(wat::data(131072, std::string("\1\0\0\0\xff\0\0\0", 8)) + wat::input() +
                            wat::output("i32") + wat::entry("(i32.const 2)")));
  folder_.build("ran", wat::module(wat::input() + wat::entry("(i32.const 7)")));
  const Files files = {{"a", ""}, {"b", "text"}, {"c", std::string("\0\xff\n", 3)}};
  put(files);
  const std::vector<Strings> chains = {
      {"picky.wasm"},
      {"bytes.wasm"},
      {"items.wasm"},
      {"picky.wasm", "?mark=65", "-u", "mark=66", "bytes.wasm", "picky.wasm", "-u", "mark=67"}};
  for (Strings chain : chains) {
    SCOPED_TRACE(testing::PrintToString(chain));
    Files wanted;
    for (const auto& file : files) {
      Strings arguments = {"run", "-o", "one", "-i", "in/" + file.first};
      arguments.insert(arguments.end(), chain.begin(), chain.end());
      ASSERT_TRUE(succeeded(folder_.qip(arguments), ""));
      wanted[file.first] = folder_.get("one");
    }
    chain.insert(chain.begin(), {"-o", "out"});
    EXPECT_TRUE(succeeded(each(chain, paths_of(files)), ""));
    EXPECT_EQ(listing("out"), wanted);
  }
}

// There is no other place for them: stdout belongs to no file.
TEST_F(Each, RanLinesGoToTheFile) {
  folder_.build("ran", wat::module(wat::input() + wat::entry("(i32.const -1)")));
  put({{"a", "text"}});
  EXPECT_TRUE(succeeded(each({"-o", "out", "ran.wasm"}, {"in/a"}), ""));
  EXPECT_EQ(folder_.get("out/a"), "Ran: 4294967295\n");
}

TEST_F(Each, EveryFileGetsFreshInstances) {
  folder_.build("counting", counting_text());
  const Files files = numbered_files(50);
  put(files);
  for (const std::string jobs : {"1", "3"}) {
    EXPECT_TRUE(succeeded(each({"-j", jobs, "-o", "out", "counting.wasm"}, paths_of(files)), ""));
    for (const auto& [name, contents] : listing("out")) EXPECT_EQ(contents, "1") << name;
  }
}

TEST_F(Each, WhatOneFileLeavesInMemoryIsNotSeenByTheNext) {
  // Gives the 16 bytes behind its input, and writes all over its memory.
  folder_.build("leaky", wat::module(wat::input() + wat::output() +
                                     wat::entry("(memory.copy (i32.const 131072) (i32.const 5000) "
                                                "(i32.const 16))"
                                                "(memory.fill (i32.const 1024) (i32.const 83) "
                                                "(i32.const 65536))"
                                                "(i32.const 16)")));
  const Files files = numbered_files(20);
  put(files);
  EXPECT_TRUE(succeeded(each({"-j", "1", "-o", "out", "leaky.wasm"}, paths_of(files)), ""));
  for (const auto& [name, contents] : listing("out")) {
    EXPECT_EQ(contents, std::string(16, '\0')) << name;
  }
}

TEST_F(Each, TheCacheChangesNoResult) {
  const Files files = mixed_files(120);
  put(files);
  const Strings chain = {"picky.wasm", "?mark=90"};
  const auto run = [&](const std::string& out, Strings more) {
    more.insert(more.end(), {"-o", out});
    more.insert(more.end(), chain.begin(), chain.end());
    return each(more, paths_of(files));
  };
  const ProcessResult plain = run("plain", {});
  const ProcessResult misses = run("misses", {"--cache", "c", "-j", "2"});
  const ProcessResult hits = run("hits", {"--cache", "c", "-j", "7"});
  EXPECT_EQ(plain.exit_code, 1);
  for (const ProcessResult* result : {&misses, &hits}) {
    EXPECT_EQ(result->exit_code, 1);
    EXPECT_EQ(result->output, "");
    EXPECT_EQ(result->error, plain.error);
  }
  EXPECT_TRUE(listing("misses") == listing("plain"));
  EXPECT_TRUE(listing("hits") == listing("plain"));
  const size_t good = listing("plain").size();
  EXPECT_TRUE(holds(run("told", {"--cache", "c", "-v"}).error,
                    {"cache: " + std::to_string(good) + " hits of 120\n"}));
}

// --- Failures ------------------------------------------------------------------------------------

TEST_F(Each, FailuresAreListedAtTheEndAndTheOthersGoOn) {
  put({{"a", "good"}, {"b", "!bad"}, {"c", "good"}, {"d", "~endless"}, {"e", "good"}});
  fs::create_directory(folder_.path("in/folder"));
  const ProcessResult result =
      each({"--timeout-ms", "300", "-o", "out", "picky.wasm"},
           {"in/a", "in/b", "in/c", "in/d", "in/missing", "in/folder", "in/e"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(listing("out"), (Files{{"a", "good"}, {"c", "good"}, {"e", "good"}}));
  EXPECT_TRUE(result.error.starts_with("4 of 7 files failed:\n  in/b: picky.wasm: wasm error: "))
      << result.error;
  EXPECT_TRUE(holds(result.error, {"\n  in/d: picky.wasm: ", "300ms",
                                   "\n  in/missing: open in/missing: no such file or directory\n",
                                   "\n  in/folder: read in/folder: is a directory\n"}));
  EXPECT_EQ(result.error.find("in/a"), std::string::npos) << result.error;
}

TEST_F(Each, AFailureLeavesAnOlderOutputAlone) {
  put({{"a", "!bad"}, {"b", "new"}});
  fs::create_directory(folder_.path("out"));
  for (const char* name : {"out/a", "out/b", "out/other"}) folder_.put(name, "old");
  EXPECT_EQ(each({"-o", "out", "picky.wasm"}, {"in/a", "in/b"}).exit_code, 1);
  EXPECT_EQ(listing("out"), (Files{{"a", "old"}, {"b", "new"}, {"other", "old"}}));
}

TEST_F(Each, OnlyTheFirstThousandFailuresAreListed) {
  Files files;
  for (size_t i = 0; i < 1200; i++) files[numbered("f", i)] = "!";
  put(files);
  std::string first_error;
  for (const std::string jobs : {"1", "7"}) {
    const ProcessResult result = each({"-j", jobs, "-o", "out", "picky.wasm"}, paths_of(files));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(result.error.starts_with("1200 of 1200 files failed:\n  in/f000000: "));
    EXPECT_TRUE(holds(result.error, {"\n  in/f000999: ", "\n  and 200 more\n"}));
    EXPECT_EQ(result.error.find("in/f001000"), std::string::npos);
    if (first_error.empty()) first_error = result.error;
    EXPECT_TRUE(result.error == first_error) << jobs;
  }
  EXPECT_EQ(listing("out"), Files());
}

// The time, the fuel and the output's size are limits of one file, not of all together.
TEST_F(Each, LimitsAreForEachFile) {
  const Files files = numbered_files(40);
  put(files);
  EXPECT_EQ(each({"--fuel", "5", "-j", "1", "-o", "out", "picky.wasm"}, {"in/f000000"}).exit_code,
            1);
  const Strings enough = {"--fuel", "200", "--max-output", "8",   "--timeout-ms", "4000",
                          "-j",     "1",   "-o",           "out", "picky.wasm"};
  EXPECT_TRUE(succeeded(each(enough, paths_of(files)), ""));
  folder_.put("in/f000007", "nine bytes");
  const ProcessResult result = each(enough, paths_of(files));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.error, {"1 of 40 files failed:\n  in/f000007: picky.wasm: "}));
}

TEST_F(Each, AnOutputThatCannotBeWrittenIsAFailureOfItsFile) {
  put({{"a", "text"}, {"b", "text"}, {"c", "text"}});
  fs::create_directories(folder_.path("out/b"));
  const ProcessResult result = each({"-o", "out", "picky.wasm"}, {"in/a", "in/b", "in/c"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(holds(result.error, {"1 of 3 files failed:\n  in/b: ", "out/b: is a directory\n"}));
  EXPECT_EQ(listing("out"), (Files{{"a", "text"}, {"b", "(no file)"}, {"c", "text"}}));
}

// A full disk, played by a limit on the size of files.
TEST_F(Each, AnOutputThatIsCutOffIsNotThere) {
  put({{"a", "small"}, {"b", std::string(9000, 'x')}, {"c", "small"}});
  const ProcessResult result = folder_.shell(
      "trap '' XFSZ; ulimit -f 1; \"$COMMAND\" run --each -o out picky.wasm -- in/a in/b in/c");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(
      holds(result.error, {"1 of 3 files failed:\n  in/b: ", "write out/b: file too large\n"}));
  EXPECT_EQ(listing("out"), (Files{{"a", "small"}, {"c", "small"}}));
}

// --- Names ---------------------------------------------------------------------------------------

TEST_F(Each, OutputsHaveTheNamesOfTheirInputs) {
  fs::create_directories(folder_.path("in/deep/er"));
  put({{"plain", "1"}, {"a.md", "2"}, {"deep/b.tar.gz", "3"}, {"deep/er/.hidden", "4"}});
  const Strings files = {"in/plain", "in/a.md", "in/deep/b.tar.gz", "in/deep/er/.hidden"};
  EXPECT_TRUE(succeeded(each({"-o", "kept", "picky.wasm"}, files), ""));
  EXPECT_EQ(listing("kept"),
            (Files{{"plain", "1"}, {"a.md", "2"}, {"b.tar.gz", "3"}, {".hidden", "4"}}));
  EXPECT_TRUE(succeeded(each({"--extension", ".html", "-o", "new", "picky.wasm"}, files), ""));
  EXPECT_EQ(
      listing("new"),
      (Files{{"plain.html", "1"}, {"a.html", "2"}, {"b.tar.html", "3"}, {".hidden.html", "4"}}));
}

TEST_F(Each, AnExtensionIsPartOfAName) {
  put({{"a", "text"}});
  for (const std::string extension : {"", "/x", "../x"}) {
    EXPECT_TRUE(failed(each({"--extension", extension, "-o", "out", "picky.wasm"}, {"in/a"}),
                       {"Invalid extension: " + extension}));
  }
  EXPECT_FALSE(folder_.has("out"));
}

TEST_F(Each, TwoOutputsOfOneNameAreRefusedBeforeAnythingIsWritten) {
  fs::create_directory(folder_.path("in/other"));
  put({{"a.md", "1"}, {"a.txt", "2"}, {"b", "3"}, {"other/b", "4"}});
  fs::create_directory(folder_.path("out"));
  folder_.put("out/b", "old");
  EXPECT_TRUE(
      failed(each({"-o", "out", "picky.wasm"}, {"in/a.md", "in/b", "in/a.txt", "in/other/b"}),
             {"in/b", "in/other/b", "out/b"}));
  EXPECT_TRUE(failed(each({"-o", "out", "picky.wasm"}, {"in/a.md", "in/a.md"}), {"in/a.md"}));
  EXPECT_TRUE(failed(
      each({"--extension", ".html", "-o", "out", "picky.wasm"}, {"in/a.md", "in/b", "in/a.txt"}),
      {"in/a.md", "in/a.txt", "out/a.html"}));
  EXPECT_EQ(listing("out"), (Files{{"b", "old"}}));
}

TEST_F(Each, AnOutputNeverReplacesItsInput) {
  put({{"a", "text"}, {"b.md", "text"}});
  fs::create_directory(folder_.path("out"));
  fs::create_symlink(folder_.path("in/a"), folder_.path("out/a"));
  const std::string reason = ": the output would replace the input\n";
  const ProcessResult same = each({"-o", "in", "picky.wasm", "?mark=90"}, {"in/a", "in/b.md"});
  EXPECT_EQ(same.exit_code, 1);
  EXPECT_TRUE(holds(same.error, {"in/a" + reason, "in/b.md" + reason}));
  // By another name: a link from the output folder, and a detour to it.
  const ProcessResult linked = each({"-o", "out", "picky.wasm", "?mark=90"}, {"in/a"});
  EXPECT_EQ(linked.exit_code, 1);
  EXPECT_TRUE(holds(linked.error, {"in/a" + reason}));
  const ProcessResult detour = each({"-o", "out/../in", "picky.wasm", "?mark=90"}, {"in/a"});
  EXPECT_TRUE(holds(detour.error, {"in/a" + reason}));
  EXPECT_EQ(listing("in"), (Files{{"a", "text"}, {"b.md", "text"}}));
  // With another extension both have room in one folder.
  EXPECT_TRUE(succeeded(each({"--extension", ".html", "-o", "in", "picky.wasm"}, {"in/b.md"}), ""));
  EXPECT_EQ(folder_.get("in/b.html"), "text");
}

TEST_F(Each, AnOutputNeverReplacesAnotherInput) {
  put({{"a", "old"}, {"other", "text"}});
  fs::create_directory(folder_.path("out"));
  // `in/link` is what the output of `in/a` would be written to.
  folder_.put("out/a", "earlier");
  fs::create_symlink(folder_.path("out/a"), folder_.path("in/link"));
  for (const Strings& files : {Strings{"in/a", "in/link"}, Strings{"in/link", "in/a"}}) {
    EXPECT_TRUE(failed(each({"-o", "out", "picky.wasm"}, files),
                       {"in/link would be replaced by the output of in/a"}));
    EXPECT_EQ(listing("out"), (Files{{"a", "earlier"}}));
  }
}

// --- The folder ----------------------------------------------------------------------------------

TEST_F(Each, TheFolderIsMadeAndMustBeOne) {
  put({{"a", "text"}});
  folder_.put("file", "text");
  EXPECT_TRUE(failed(each({"-o", "file", "picky.wasm"}, {"in/a"}),
                     {"Error creating output folder: ", "file: not a directory"}));
  EXPECT_TRUE(failed(each({"-o", "no/where", "picky.wasm"}, {"in/a"}),
                     {"Error creating output folder: ", "no/where: no such file or directory"}));
  EXPECT_EQ(folder_.get("file"), "text");
  for (int run = 0; run < 2; run++) {
    EXPECT_TRUE(succeeded(each({"-o", "made/", "picky.wasm"}, {"in/a"}), ""));
    EXPECT_EQ(listing("made"), (Files{{"a", "text"}}));
  }
}

// --- The command line ----------------------------------------------------------------------------

TEST_F(Each, AChainThatCannotRunFailsBeforeAnythingIsMade) {
  put({{"a", "text"}});
  folder_.build("imports", "(module (import \"env\" \"f\" (func)))");
  const Strings pinned = {"-o", "out", "picky.wasm#sha256=" + std::string(64, '0')};
  EXPECT_TRUE(failed(each({"-o", "out", "missing.wasm"}, {"in/a"}), {"missing.wasm"}));
  EXPECT_TRUE(
      failed(each({"-o", "out", "picky.wasm", "imports.wasm"}, {"in/a"}), {"imports.wasm"}));
  EXPECT_TRUE(failed(each({"-o", "out", "picky.wasm", "?no=1"}, {"in/a"}), {"no"}));
  EXPECT_TRUE(failed(each({"-o", "out", "picky.wasm", "?mark=x"}, {"in/a"}), {"mark"}));
  EXPECT_TRUE(failed(each({"--max-memory", "65536", "-o", "out", "picky.wasm"}, {"in/a"}),
                     {"picky.wasm", "rejected by policy"}));
  EXPECT_TRUE(failed(each(pinned, {"in/a"}), {"picky.wasm: sha256 mismatch"}));
  EXPECT_FALSE(folder_.has("out"));
}

TEST_F(Each, WantsAFolderAChainAndFiles) {
  put({{"a", "text"}});
  const auto refused = [&](const Strings& arguments, const std::string& message) {
    EXPECT_TRUE(failed(folder_.qip(arguments), {message})) << testing::PrintToString(arguments);
  };
  refused({"run", "--each", "-o", "out", "picky.wasm"}, "Usage: qip run");
  refused({"run", "--each", "-o", "out", "picky.wasm", "--"}, "Usage: qip run");
  refused({"run", "--each", "-o", "out", "--", "in/a"}, "Usage: qip run");
  refused({"run", "--each", "picky.wasm", "--", "in/a"}, "Usage: qip run");
  refused({"run", "--each", "-o", "out", "-i", "in/a", "picky.wasm", "--", "in/a"}, "-i");
  refused({"run", "--each", "--dry-run", "-o", "out", "picky.wasm", "--", "in/a"}, "--dry-run");
  for (const std::string jobs : {"0", "-1", "1025", "two", ""}) {
    refused({"run", "--each", "-j", jobs, "-o", "out", "picky.wasm", "--", "in/a"},
            "Invalid jobs: " + jobs);
  }
  EXPECT_FALSE(folder_.has("out"));
}

// Behind "--" nothing is an option, a setting or a module.
TEST_F(Each, FilesMayHaveAnyName) {
  const Strings names = {"-v", "--each", "?mark=90", "a=b", "x.wasm#sha256=0", "two\nlines", " "};
  Files wanted;
  for (const std::string& name : names) {
    folder_.put(name, name);
    wanted[name] = name;
  }
  EXPECT_TRUE(succeeded(each({"-o", "out", "picky.wasm"}, names), ""));
  EXPECT_EQ(listing("out"), wanted);
}

// --- What is told --------------------------------------------------------------------------------

TEST_F(Each, VerboseCounts) {
  put({{"a", "text"}, {"b", "!"}, {"c", "text"}});
  EXPECT_TRUE(holds(each({"-v", "-o", "out", "picky.wasm"}, {"in/a", "in/b", "in/c"}).error,
                    {"3 files done, 1 failed\n"}));
  EXPECT_TRUE(
      holds(each({"-v", "-o", "out", "picky.wasm"}, {"in/a"}).error, {"1 file done, 0 failed\n"}));
}

// One line that is written over, and gone before the failures are listed. A pipe sees none of it.
TEST_F(Each, ProgressIsForTerminals) {
  put({{"a", "text"}, {"b", "!"}, {"c", "text"}});
  if (folder_.shell("command -v script").exit_code != 0) GTEST_SKIP() << "no script(1)";
  const ProcessResult seen = folder_.shell(
      "script -qec '\"$COMMAND\" run --each -o out picky.wasm -- in/a in/b in/c' /dev/null "
      "</dev/null");
  EXPECT_EQ(seen.exit_code, 1);
  const size_t progress = seen.output.find("\r3 files done, 1 failed\x1b[K");
  const size_t cleared = seen.output.find("\r\x1b[K");
  const size_t list = seen.output.find("1 of 3 files failed:");
  EXPECT_LT(progress, cleared) << testing::PrintToString(seen.output);
  EXPECT_LT(cleared, list) << testing::PrintToString(seen.output);
  EXPECT_NE(list, std::string::npos);
  EXPECT_TRUE(succeeded(each({"-o", "out", "picky.wasm"}, {"in/a", "in/c"}), ""));
}

// --- Interruption --------------------------------------------------------------------------------

// The third of five files is a named pipe: when it has been opened the first two are done, and the
// command waits. `signals` is what happens then; descriptor 3 is the pipe's other end.
ProcessResult interrupted(const ComponentFolder& folder, const std::string& signals) {
  return folder.shell(
      "mkfifo in/c; "
      "\"$COMMAND\" run --each -j 1 -o out picky.wasm -- in/a in/b in/c in/d in/e & "
      "exec 3>in/c; " +
      signals + " wait $!");
}

TEST_F(Each, AnInterruptionLetsWhatHasBegunEndAndStartsNoMore) {
  for (const std::string signal : {"INT", "TERM"}) {
    for (const auto& item : fs::directory_iterator(folder_.path())) {
      if (item.is_directory()) fs::remove_all(item);
    }
    fs::create_directory(folder_.path("in"));
    put({{"a", "1"}, {"b", "2"}, {"d", "4"}, {"e", "5"}});
    const ProcessResult result =
        interrupted(folder_, "kill -" + signal + " $!; echo 3 >&3; exec 3>&-;");
    EXPECT_EQ(result.exit_code, 130);
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(result.error, "interrupted: 2 files not begun\n");
    EXPECT_EQ(listing("out"), (Files{{"a", "1"}, {"b", "2"}, {"c", "3\n"}}));
  }
}

TEST_F(Each, FailuresBeforeAnInterruptionAreListed) {
  put({{"a", "1"}, {"b", "!"}, {"d", "4"}, {"e", "5"}});
  const ProcessResult result = interrupted(folder_, "kill -INT $!; echo '!' >&3; exec 3>&-;");
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_TRUE(result.error.starts_with("2 of 5 files failed:\n  in/b: ")) << result.error;
  EXPECT_TRUE(holds(result.error, {"\n  in/c: ", "\ninterrupted: 2 files not begun\n"}));
  EXPECT_EQ(listing("out"), (Files{{"a", "1"}}));
}

// Whoever waits for a file that never ends must not have to kill.
TEST_F(Each, ASecondInterruptionEndsTheCommand) {
  put({{"a", "1"}, {"b", "2"}, {"d", "4"}, {"e", "5"}});
  const ProcessResult result =
      interrupted(folder_,
                  "kill -TERM $!; until [ ! -d /proc/$! ] || ! kill -TERM $! || "
                  "[ \"$(cut -d' ' -f3 /proc/$!/stat)\" = Z ]; do sleep 0.01; done;");
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(listing("out"), (Files{{"a", "1"}, {"b", "2"}}));
}

// Whatever moment it is: an output has all of its bytes, or there is none. The next run puts
// everything right.
TEST_F(Each, AKilledCommandLeavesNoHalfOfAnOutput) {
  folder_.build("repeat", repeat_text());
  constexpr size_t kCount = 40;
  Files wanted;
  for (size_t i = 0; i < kCount; i++) {
    const std::string unit = numbered("", i) + ".";
    folder_.put("in/" + numbered("f", i), unit);
    std::string whole;
    while (whole.size() < kRepeatedBytes) whole += unit;
    wanted[numbered("f", i)] = whole.substr(0, kRepeatedBytes);
  }
  size_t seen = 0;
  for (int round = 0; round < 6; round++) {
    // Killed when so many outputs are there, while the next ones are being written.
    const ProcessResult killed = folder_.shell(
        "\"$COMMAND\" run --each -j 2 -o out repeat.wasm -- in/* & "
        "until [ -e out/" +
        numbered("f", static_cast<size_t>(round) * 6) + " ]; do :; done; kill -9 $!; wait $!");
    EXPECT_FALSE(killed.timed_out);
    for (const auto& [name, contents] : listing("out")) {
      if (name.starts_with(".")) continue;  // what was being written
      EXPECT_TRUE(contents == wanted[name]) << name << ": " << contents.size() << " bytes";
      seen++;
    }
    fs::remove_all(folder_.path("out"));
  }
  EXPECT_GE(seen, 6u);
  EXPECT_TRUE(succeeded(each({"-o", "out", "repeat.wasm"}, paths_of(wanted)), ""));
  EXPECT_TRUE(listing("out") == wanted);
}

// --- Memory --------------------------------------------------------------------------------------

// The most memory that the command had before its last file, which is a named pipe: when that has
// been opened, all others are done. In KiB; the counter is the process's own, whoever started it.
long peak_before_the_last(const ComponentFolder& folder, size_t count) {
  const ProcessResult result =
      folder.shell("\"$COMMAND\" run --each -j 1 -o out picky.wasm -- $(ls in/f* | head -n " +
                   std::to_string(count) +
                   ") in/last 2>errors & "
                   "exec 3>in/last; grep VmHWM /proc/$!/status | tr -dc 0-9; exec 3>&-; wait $!");
  EXPECT_FALSE(result.timed_out);
  return strtol(result.output.c_str(), nullptr, 10);
}

// For 4,000 names and the pointers to them.
constexpr long kMarginKilobytes = 512;

bool is_sanitized() {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#elif defined(__has_feature)
  return __has_feature(address_sanitizer);
#else
  return false;
#endif
}

TEST_F(Each, MemoryDoesNotDependOnTheNumberOfFiles) {
  if (is_sanitized()) GTEST_SKIP() << "the sanitizer does not give memory back";
  // A page of memory kept for each would be 15 MB.
  put(numbered_files(4000));
  ASSERT_EQ(folder_.shell("mkfifo in/last").exit_code, 0);
  const long few = peak_before_the_last(folder_, 200);
  const long many = peak_before_the_last(folder_, 4000);
  EXPECT_GT(few, 500);
  EXPECT_LT(many, few + kMarginKilobytes);
  EXPECT_EQ(folder_.get("out/f003999"), "text 3999");
}

TEST_F(Each, MemoryDoesNotDependOnTheNumberOfFailures) {
  if (is_sanitized()) GTEST_SKIP() << "the sanitizer does not give memory back";
  Files files = numbered_files(4000);
  for (auto& file : files) file.second = "!";
  put(files);
  ASSERT_EQ(folder_.shell("mkfifo in/last").exit_code, 0);
  const long few = peak_before_the_last(folder_, 1500);  // more than are remembered
  const long many = peak_before_the_last(folder_, 4000);
  EXPECT_GT(few, 500);
  EXPECT_LT(many, few + kMarginKilobytes);
  EXPECT_TRUE(holds(folder_.get("errors"), {"4000 of 4001 files failed:", "and 3000 more"}));
}

}  // namespace
}  // namespace qip
