// `qip run --cache`: a hit is the same as a run, nothing stale or damaged is ever used, and a
// thousand concurrent runs with killed ones among them leave neither a wrong result nor a file.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "spec-tests/component_folder.hpp"
#include "spec-tests/process.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

class CacheCommand : public testing::Test {
 protected:
  // A run with the cache folder "c", besides `arguments`.
  ProcessResult cached(Strings arguments, std::string_view input = "x") const {
    arguments.insert(arguments.begin(), {"run", "--cache", "c"});
    return folder_.qip(std::move(arguments), input);
  }
  // What -v says of the cache: "hit", "miss", or what there is instead.
  std::string verdict(Strings arguments, std::string_view input = "x") const {
    arguments.insert(arguments.begin(), "-v");
    const ProcessResult result = cached(std::move(arguments), input);
    const bool hit = result.error.find("cache: hit\n") != std::string::npos;
    const bool miss = result.error.find("cache: miss\n") != std::string::npos;
    if (result.exit_code != 0 || hit == miss) return result.error;
    return hit ? "hit" : "miss";
  }
  std::vector<fs::path> entries() const { return files(false); }
  std::vector<fs::path> temporaries() const { return files(true); }

  ComponentFolder folder_{"qip-cache"};

 private:
  std::vector<fs::path> files(bool in_tmp) const {
    std::vector<fs::path> found;
    if (!folder_.has("c")) return found;
    for (const auto& item : fs::recursive_directory_iterator(folder_.path("c"))) {
      const bool is_temporary = item.path().parent_path().filename() == "tmp";
      if (!item.is_directory() && is_temporary == in_tmp) found.push_back(item.path());
    }
    return found;
  }
};

// Answers with its uniform `value`, a letter.
std::string letter_text() {
  return wat::module(
      "(global $value (mut i32) (i32.const 97))"
      "(func (export \"uniform_set_value\") (param i32) (result i32)"
      "  (global.set $value (local.get 0)) (local.get 0))" +
      wat::input() + wat::output() +
      wat::entry("(i32.store8 (i32.const 131072) (global.get $value)) "
                 "(i32.const 1)"));
}

std::string ran_text(int number) {
  return wat::module(wat::input() + wat::entry("(i32.const " + std::to_string(number) + ")"));
}

// --- A hit is the same as a run ------------------------------------------------------------------

TEST_F(CacheCommand, AHitGivesWhatARunGives) {
  folder_.build("echo", wat::echo());
  folder_.build("bytes", wat::module(wat::input() + wat::output("bytes") + wat::entry(wat::kCopy)));
  folder_.build("items",
                wat::module(wat::data(131072, std::string("\x01\0\0\0\xef\xbe\xad\xde", 8)) +
                            wat::input() + wat::output("i32") + wat::entry("(i32.const 2)")));
  folder_.build("ran", ran_text(-1));
  folder_.build("rest", ran_text(7));
  folder_.build("letter", letter_text());
  const std::vector<Strings> chains = {
      {"echo.wasm"},
      {"bytes.wasm"},
      {"items.wasm"},
      {"-o", "-", "items.wasm"},
      {"ran.wasm"},
      {"echo.wasm", "ran.wasm"},
      {"ran.wasm", "rest.wasm"},
      {"letter.wasm", "?value=98"},
      {"bytes.wasm", "letter.wasm", "-u", "value=99", "echo.wasm"},
  };
  for (const Strings& chain : chains) {
    for (const std::string& input :
         {std::string(), std::string("text"), std::string("\0\xff", 2)}) {
      const std::string shown = testing::PrintToString(chain) + testing::PrintToString(input);
      Strings plain = chain;
      plain.insert(plain.begin(), "run");
      const ProcessResult reference = folder_.qip(plain, input);
      ASSERT_EQ(reference.exit_code, 0) << shown << reference.error;
      EXPECT_TRUE(succeeded(cached(chain, input), reference.output)) << shown;
      EXPECT_TRUE(succeeded(cached(chain, input), reference.output)) << shown;
      EXPECT_EQ(verdict(chain, input), "hit") << shown;
    }
  }
}

TEST_F(CacheCommand, RanLinesComeBackInOrder) {
  folder_.build("ran", ran_text(-1));
  folder_.build("rest", ran_text(7));
  const std::string lines = folder_.qip({"run", "ran.wasm", "rest.wasm"}).output;
  EXPECT_NE(lines.find("Ran: 4294967295\n"), std::string::npos) << lines;
  EXPECT_EQ(cached({"ran.wasm", "rest.wasm"}).output, lines);
  EXPECT_EQ(verdict({"ran.wasm", "rest.wasm"}), "hit");
  EXPECT_TRUE(succeeded(cached({"ran.wasm", "rest.wasm"}), lines));
}

TEST_F(CacheCommand, OutputFilesAreWrittenOnAHit) {
  folder_.build("echo", wat::echo());
  EXPECT_TRUE(succeeded(cached({"-o", "first", "echo.wasm"}, "text"), ""));
  EXPECT_TRUE(succeeded(cached({"-o", "second", "echo.wasm"}, "text"), ""));
  EXPECT_EQ(folder_.get("first"), "text");
  EXPECT_EQ(folder_.get("second"), "text");
  EXPECT_EQ(entries().size(), 1u);
}

// The name of the output is no part of the result, so its rules hold on a hit as well.
TEST_F(CacheCommand, AnImageNameIsCheckedOnAHit) {
  folder_.build("image", wat::module(wat::data(131072, "BM-pixels") + wat::input("bytes") +
                                     wat::output("bytes") + wat::entry("(i32.const 9)")));
  folder_.build("typed",
                wat::module(wat::content_type("output", "image/png") + wat::input("bytes") +
                            wat::output("bytes") + wat::entry("(i32.const 9)")));
  for (int run = 0; run < 2; run++) {
    EXPECT_TRUE(failed(cached({"-o", "out.png", "image.wasm"}), {"cannot write"}));
    EXPECT_TRUE(succeeded(cached({"-o", "out.bmp", "image.wasm"}), ""));
    EXPECT_TRUE(succeeded(cached({"-o", "typed.png", "typed.wasm"}), ""));
  }
  EXPECT_EQ(folder_.get("out.bmp"), "BM-pixels");
  EXPECT_EQ(entries().size(), 2u);
}

TEST_F(CacheCommand, TheInputCountsAndNotWhereItComesFrom) {
  folder_.build("echo", wat::echo());
  folder_.put("file", "text");
  EXPECT_EQ(verdict({"echo.wasm"}, "text"), "miss");
  EXPECT_EQ(verdict({"-i", "file", "echo.wasm"}, "something else"), "hit");
  EXPECT_EQ(verdict({"-i", "-", "echo.wasm"}, "text"), "hit");
  EXPECT_EQ(verdict({"echo.wasm"}, "text "), "miss");
}

TEST_F(CacheCommand, AHitDecodesNothing) {
  folder_.build("echo", wat::echo());
  const ProcessResult miss = cached({"-v", "echo.wasm", "echo.wasm"});
  const ProcessResult hit = cached({"-v", "echo.wasm", "echo.wasm"});
  EXPECT_TRUE(holds(miss.error, {"cache: miss\n", "compiled module[0]", "compiled module[1]"}));
  EXPECT_TRUE(holds(hit.error, {"cache: hit\n"}));
  EXPECT_EQ(hit.error.find("compiled module"), std::string::npos) << hit.error;
  EXPECT_EQ(hit.output, miss.output);
}

// --- What decides the result decides the key -----------------------------------------------------

TEST_F(CacheCommand, UniformsAreTakenApart) {
  folder_.build("letter", letter_text());
  for (int run = 0; run < 2; run++) {
    EXPECT_TRUE(succeeded(cached({"letter.wasm"}), "a\n"));
    EXPECT_TRUE(succeeded(cached({"letter.wasm", "?value=98"}), "b\n"));
    EXPECT_TRUE(succeeded(cached({"letter.wasm", "?value=99"}), "c\n"));
    EXPECT_TRUE(succeeded(cached({"letter.wasm", "?value=98", "-u", "value=99"}), "c\n"));
  }
  EXPECT_EQ(entries().size(), 3u);
}

TEST_F(CacheCommand, AComponentIsItsBytesAndNotItsName) {
  folder_.build("echo", wat::echo());
  folder_.build("letter", letter_text());
  folder_.put("used.wasm", folder_.get("echo.wasm"));
  EXPECT_TRUE(succeeded(cached({"used.wasm"}), "x\n"));
  EXPECT_EQ(verdict({"echo.wasm"}), "hit");
  folder_.put("used.wasm", folder_.get("letter.wasm"));
  EXPECT_TRUE(succeeded(cached({"used.wasm"}), "a\n"));
}

// A result must not get around a limit under which there would be none.
TEST_F(CacheCommand, LimitsHoldInSpiteOfAKeptResult) {
  folder_.build("echo", "(module " + wat::input() + wat::output() +
                            "(func (drop (memory.grow (i32.const 1))))" + wat::entry(wat::kCopy) +
                            ")");
  EXPECT_TRUE(succeeded(cached({"echo.wasm"}, "text"), "text\n"));
  EXPECT_EQ(verdict({"echo.wasm"}, "text"), "hit");
  const std::vector<Strings> limits = {{"--fuel", "1"},
                                       {"--max-output", "3"},
                                       {"--max-memory", "65536"},
                                       {"--fixed-memory"},
                                       {"--strict"}};
  for (Strings arguments : limits) {
    arguments.push_back("echo.wasm");
    EXPECT_TRUE(failed(cached(arguments, "text"), {"echo.wasm"})) << arguments[0];
  }
  EXPECT_EQ(verdict({"--timeout-ms", "4000", "echo.wasm"}, "text"), "hit");
}

TEST_F(CacheCommand, APinIsVerifiedOnAHit) {
  folder_.build("echo", wat::echo());
  EXPECT_EQ(verdict({"echo.wasm"}), "miss");
  const std::string wrong = "echo.wasm#sha256=" + std::string(64, '0');
  EXPECT_TRUE(failed(cached({wrong}), {"echo.wasm"}));
}

TEST_F(CacheCommand, FailuresAreNotKept) {
  folder_.build("trap", wat::module(wat::input() + wat::output() + wat::entry("(unreachable)")));
  folder_.build("echo", wat::echo());
  for (int run = 0; run < 2; run++) {
    EXPECT_TRUE(failed(cached({"trap.wasm"}), {"trap.wasm", "unreachable"}));
    EXPECT_TRUE(failed(cached({"echo.wasm", "trap.wasm"}), {"trap.wasm"}));
    EXPECT_TRUE(failed(cached({"missing.wasm"}), {"missing.wasm"}));
  }
  EXPECT_TRUE(entries().empty());
}

// --- Damage, and folders that do not serve -------------------------------------------------------

TEST_F(CacheCommand, ADamagedEntryIsIgnoredAndRewritten) {
  folder_.build("echo", wat::echo());
  EXPECT_EQ(verdict({"echo.wasm"}, "text"), "miss");
  ASSERT_EQ(entries().size(), 1u);
  const fs::path entry = entries()[0];
  const std::string name = fs::relative(entry, folder_.path()).string();
  const std::string good = folder_.get(name);
  std::string changed = good;
  changed[changed.find("text")] = 'T';
  const Strings damages = {"", good.substr(0, good.size() / 2), good + "x", changed,
                           std::string(good.size(), '\0')};
  for (const std::string& damage : damages) {
    folder_.put(name, damage);
    EXPECT_TRUE(succeeded(cached({"echo.wasm"}, "text"), "text\n"));
    EXPECT_EQ(folder_.get(name), good);
    EXPECT_EQ(verdict({"echo.wasm"}, "text"), "hit");
  }
}

TEST_F(CacheCommand, AFolderThatIsAFileFailsBeforeAnythingRuns) {
  folder_.build("ran", ran_text(1));
  folder_.put("c", "text");
  EXPECT_TRUE(failed(cached({"ran.wasm"}), {"cache c: open: not a directory"}));
  EXPECT_EQ(folder_.get("c"), "text");
}

TEST_F(CacheCommand, AResultThatCannotBeKeptIsStillAResult) {
  folder_.build("echo", wat::echo());
  fs::create_directory(folder_.path("c"));
  folder_.put("c/tmp", "not a folder");
  EXPECT_TRUE(succeeded(cached({"echo.wasm"}, "text"), "text\n"));
  const ProcessResult told = cached({"-v", "echo.wasm"}, "text");
  EXPECT_EQ(told.output, "text\n");
  EXPECT_TRUE(holds(told.error, {"cache: miss\n", "cache c: open folder tmp: not a directory\n"}));
}

// A full disk, played by a limit on the size of files.
TEST_F(CacheCommand, AnEntryThatCannotBeWrittenToItsEndIsRemoved) {
  folder_.build("echo", wat::echo());
  const ProcessResult result = folder_.shell(
      "trap '' XFSZ; ulimit -f 1; head -c 9000 /dev/zero | \"$COMMAND\" run -v --cache c "
      "echo.wasm");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, std::string(9000, '\0') + "\n");
  EXPECT_TRUE(holds(result.error, {"cache c: write: file too large\n"}));
  EXPECT_TRUE(entries().empty());
  EXPECT_TRUE(temporaries().empty());
}

TEST_F(CacheCommand, AWriterThatDiesHalfwayLeavesNothingForLong) {
  folder_.build("echo", wat::echo());
  const std::string input(9000, 'x');
  folder_.put("input", input);
  const ProcessResult killed =
      folder_.shell("ulimit -c 0; ulimit -f 1; exec \"$COMMAND\" run --cache c -i input echo.wasm");
  EXPECT_EQ(killed.signal, SIGXFSZ) << killed.error;
  EXPECT_TRUE(entries().empty());
  EXPECT_EQ(temporaries().size(), 1u);
  EXPECT_EQ(verdict({"-i", "input", "echo.wasm"}), "miss");
  EXPECT_TRUE(temporaries().empty());
  EXPECT_TRUE(succeeded(cached({"-i", "input", "echo.wasm"}), input + "\n"));
  EXPECT_EQ(verdict({"-i", "input", "echo.wasm"}), "hit");
}

TEST_F(CacheCommand, TheMaximumHoldsFromRunToRun) {
  folder_.build("echo", wat::echo());
  constexpr uint64_t kMaximum = 10'000;
  for (int i = 0; i < 40; i++) {
    const std::string input = std::to_string(i) + std::string(900, 'x');
    const Strings arguments = {"--cache-max", std::to_string(kMaximum), "echo.wasm"};
    EXPECT_EQ(verdict(arguments, input), "miss");
    EXPECT_EQ(verdict(arguments, input), "hit");
    uint64_t total = 0;
    for (const fs::path& entry : entries()) total += fs::file_size(entry);
    EXPECT_LE(total, kMaximum);
  }
}

// --- Batches -------------------------------------------------------------------------------------

TEST_F(CacheCommand, BatchesAndRunsShareResults) {
  folder_.build("echo", wat::echo());
  fs::create_directory(folder_.path("out"));
  for (const char* name : {"1", "2", "3"}) folder_.put(name, std::string("input ") + name);
  EXPECT_EQ(verdict({"-i", "2", "echo.wasm"}), "miss");
  const Strings batch = {"--each", "-v", "-o", "out", "echo.wasm", "--", "1", "2", "3"};
  EXPECT_TRUE(holds(cached(batch).error, {"cache: 1 hits of 3\n"}));
  fs::remove(folder_.path("out/1"));
  EXPECT_TRUE(holds(cached(batch).error, {"cache: 3 hits of 3\n"}));
  EXPECT_EQ(folder_.get("out/1"), "input 1");
  EXPECT_EQ(verdict({"-i", "3", "echo.wasm"}), "hit");
}

// --- The storm -----------------------------------------------------------------------------------

constexpr int kStormRuns = 1000;
constexpr int kStormAtATime = 16;
constexpr int kStormInputs = 50;
constexpr int kStormOutputBytes = 500'000;  // takes a while to write; more than a pipe holds

std::string storm_input(int number) {
  return "input " + std::to_string(number) + ".";
}

// The input again and again: few instructions, many bytes.
std::string repeat_text() {
  return wat::module(
      "(memory (export \"memory\") 20 20)" + wat::value("input_ptr", 1024) +
      wat::value("input_bytes_cap", 65536) + wat::value("output_ptr", 131072) +
      wat::value("output_bytes_cap", kStormOutputBytes) +
      wat::entry("(local $made i32) (local.set $made (local.get $size))"
                 "(memory.copy (i32.const 131072) (i32.const 1024) (local.get $size))"
                 "(loop $again"
                 "  (memory.copy (i32.add (i32.const 131072) (local.get $made))"
                 "               (i32.const 131072) (local.get $made))"
                 "  (local.set $made (i32.shl (local.get $made) (i32.const 1)))"
                 "  (br_if $again (i32.lt_u (local.get $made) (i32.const 500000))))"
                 "(i32.const 500000)"));
}

std::string storm_output(int number) {
  const std::string input = storm_input(number);
  std::string output;
  while (output.size() < kStormOutputBytes) output += input;
  return output.substr(0, kStormOutputBytes);
}

// Starts a run, and kills it with the signal that cannot be caught, so many microseconds later or,
// with `after_lookup`, so many after it has told whether the result is there. Nobody reads its
// output, which is more than the pipe holds: it does not end by itself.
bool run_and_kill(const Strings& argv, bool after_lookup, int microseconds) {
  ProcessOptions options;
  process_detail::Pipes pipes;
  pid_t pid = 0;
  if (!pipes.open() || process_detail::spawn(argv, options, pipes, pid) != 0) return false;
  process_detail::close_fd(pipes.error[1]);
  std::string told;
  while (after_lookup && pipes.error[0] >= 0 && told.find("cache: ") == std::string::npos) {
    process_detail::drain(pipes.error[0], told);
  }
  const timespec pause{0, microseconds * 1000L};
  nanosleep(&pause, nullptr);
  kill(pid, SIGKILL);
  int status = 0;
  return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST_F(CacheCommand, AStormWithKilledRunsLeavesNoWrongResultAndNoFile) {
  folder_.build("repeat", repeat_text());
  for (int i = 0; i < kStormInputs; i++) folder_.put("in" + std::to_string(i), storm_input(i));
  // Room for a third of the results, so that runs go on missing.
  constexpr uint64_t kMaximum = uint64_t{kStormInputs} * kStormOutputBytes / 3;
  const auto argv = [this](int input) {
    return Strings{fs::absolute(qip_path()).string(),
                   "run",
                   "-v",
                   "--cache",
                   folder_.path("c"),
                   "--cache-max",
                   std::to_string(kMaximum),
                   "-i",
                   folder_.path("in" + std::to_string(input)),
                   folder_.path("repeat.wasm")};
  };

  std::atomic<int> next{0};
  std::atomic<int> killed{0};
  std::atomic<int> hits{0};
  std::atomic<int> misses{0};
  const auto work = [&] {
    for (int run = next++; run < kStormRuns; run = next++) {
      std::mt19937 random(static_cast<unsigned>(run));
      const int input = static_cast<int>(random() % kStormInputs);
      if (random() % 4 == 0) {
        // Half of them anywhere in their life, half of them about where they write.
        const bool after_lookup = random() % 2 == 0;
        const int microseconds = static_cast<int>(random() % (after_lookup ? 2'000 : 10'000));
        if (run_and_kill(argv(input), after_lookup, microseconds)) killed++;
        continue;
      }
      const ProcessResult result = run_process(argv(input), {}, 60000);
      if (result.exit_code != 0 || result.output != storm_output(input)) {
        ADD_FAILURE() << "run " << run << " of input " << input << " gave " << result.output.size()
                      << " bytes, exit " << result.exit_code << ", signal " << result.signal << "\n"
                      << result.error;
      }
      (result.error.find("cache: hit\n") != std::string::npos ? hits : misses)++;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kStormAtATime; i++) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  // About a quarter was killed, and the rest was mixed.
  EXPECT_GT(killed, kStormRuns / 5);
  EXPECT_GT(hits, kStormRuns / 20);
  EXPECT_GT(misses, kStormRuns / 20);

  // A run that stores tidies up; every input still has its result, and gets its place.
  for (int i = 0; i < kStormInputs; i++) {
    EXPECT_EQ(run_process(argv(i)).output, storm_output(i)) << i;
    const ProcessResult again = run_process(argv(i));
    EXPECT_EQ(again.output, storm_output(i)) << i;
    EXPECT_TRUE(holds(again.error, {"cache: hit\n"})) << i;
  }
  EXPECT_TRUE(temporaries().empty());
  uint64_t total = 0;
  for (const fs::path& entry : entries()) {
    EXPECT_EQ(entry.filename().string().size(), 30u) << entry;
    EXPECT_EQ(entry.parent_path().filename().string().size(), 2u) << entry;
    total += fs::file_size(entry);
  }
  EXPECT_LE(total, kMaximum);
  EXPECT_GT(total, kMaximum / 2);
}

}  // namespace
}  // namespace qip
