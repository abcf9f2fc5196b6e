// run_batch() and its rules for names: what is told while it runs, and that stopping it leaves the
// rest alone. (Results, failures and interruptions of the command: spec-tests/each_test.cpp.)
#include "host/batch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "host/test_modules.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;
using namespace test;

constexpr uint32_t kInputPtr = 1024;
constexpr uint32_t kOutputPtr = 32768;

// Gives its input back; traps on an empty one.
Bytes copying_module() {
  return ModuleBuilder()
      .memory(1)
      .value("input_ptr", kInputPtr)
      .value("input_utf8_cap", 1000)
      .value("output_ptr", kOutputPtr)
      .value("output_utf8_cap", 1000)
      .function("render", {kI32}, {kI32},
                Bytes{0x20, 0x00, 0x45, 0x04, 0x40, 0x00, 0x0B} +  // if (size == 0) unreachable
                    i32_const(kOutputPtr) + i32_const(kInputPtr) + local_get(0) + memory_copy() +
                    local_get(0))
      .bytes();
}

// What the observer was told, in order. A plain function pointer watches, so this is global.
struct Told {
  uint64_t done;
  uint64_t failed;
};
std::vector<Told> told;
std::atomic<bool> stop_now{false};
std::atomic<int> watchers{0};

void watch(uint64_t done, uint64_t failed) {
  EXPECT_EQ(watchers.fetch_add(1), 0) << "two threads at a time";
  told.push_back({done, failed});
  watchers.fetch_sub(1);
}

void stop_at_once(uint64_t, uint64_t) {
  stop_now = true;
}

class BatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "qip-batch-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
    Result<OutputFolder, std::string> opened = OutputFolder::open(path_ / "out");
    ASSERT_TRUE(opened.ok()) << opened.error();
    folder_.emplace(std::move(opened.value()));
    Result<Component, HostError> component = load_component("copy.wasm", copying_module());
    ASSERT_TRUE(component.ok()) << component.error().message;
    stages_.push_back({std::move(component.value()), {}});
    told.clear();
    stop_now = false;
  }
  void TearDown() override { fs::remove_all(path_); }

  // `count` files, of which every one whose number `is_bad` is empty.
  template <typename IsBad>
  void make_files(size_t count, IsBad is_bad) {
    for (size_t i = 0; i < count; i++) {
      paths_.push_back((path_ / ("f" + std::to_string(i))).string());
      std::ofstream(paths_.back()) << (is_bad(i) ? "" : "text " + std::to_string(i));
    }
  }
  void make_files(size_t count) {
    make_files(count, [](size_t) { return false; });
  }

  BatchJob job(unsigned threads) {
    names_.clear();
    for (const std::string& path : paths_) names_.push_back(path.c_str());
    BatchJob made;
    made.stages = stages_;
    made.files = names_;
    made.folder = &*folder_;
    made.threads = threads;
    return made;
  }
  size_t outputs() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(path_ / "out"), fs::directory_iterator()));
  }

  fs::path path_;
  std::optional<OutputFolder> folder_;
  std::vector<Stage> stages_;
  std::vector<std::string> paths_;
  std::vector<const char*> names_;
};

// --- Names ---------------------------------------------------------------------------------------

TEST_F(BatchTest, AnOutputIsNamedAfterTheLastPartOfThePath) {
  const BatchJob plain = job(1);
  EXPECT_EQ(batch_output_name(plain, "a"), "a");
  EXPECT_EQ(batch_output_name(plain, "/x.y/z/a.md"), "a.md");
  EXPECT_EQ(batch_output_name(plain, "x/.hidden"), ".hidden");
}

TEST_F(BatchTest, AnExtensionReplacesWhatFollowsTheLastDot) {
  BatchJob html = job(1);
  html.extension = ".html";
  EXPECT_EQ(batch_output_name(html, "x/a.md"), "a.html");
  EXPECT_EQ(batch_output_name(html, "a.tar.gz"), "a.tar.html");
  EXPECT_EQ(batch_output_name(html, "x.y/a"), "a.html");
  EXPECT_EQ(batch_output_name(html, ".hidden"), ".hidden.html");
  EXPECT_EQ(batch_output_name(html, "a."), "a.html");
  EXPECT_EQ(batch_output_name(html, "a.html"), "a.html");
}

TEST_F(BatchTest, AClashNamesBothFilesWhereverTheyStand) {
  paths_ = {"x/b", "a.md", "c", "y/b", "a.txt"};
  const std::string clash = find_name_clash(job(1));
  EXPECT_NE(clash.find("x/b"), std::string::npos) << clash;
  EXPECT_NE(clash.find("y/b"), std::string::npos) << clash;
  paths_ = {"x/b", "a.md", "c", "a.txt"};
  BatchJob html = job(1);
  EXPECT_EQ(find_name_clash(html), "");
  html.extension = ".html";
  const std::string other = find_name_clash(html);
  EXPECT_NE(other.find("a.md"), std::string::npos) << other;
  EXPECT_NE(other.find("a.txt"), std::string::npos) << other;
  paths_ = {};
  EXPECT_EQ(find_name_clash(job(1)), "");
}

// --- Running -------------------------------------------------------------------------------------

TEST_F(BatchTest, EveryFileIsDoneOnceWhateverTheNumberOfThreads) {
  make_files(100, [](size_t i) { return i % 9 == 4; });
  for (const unsigned threads : {1u, 2u, 7u, 200u}) {
    const BatchReport report = run_batch(job(threads));
    EXPECT_EQ(report.done, 100u);
    EXPECT_EQ(report.failed, 11u);
    EXPECT_EQ(report.failures.size(), 11u);
    for (const auto& [index, reason] : report.failures) {
      EXPECT_EQ(index % 9, 4u);
      EXPECT_NE(reason.find("copy.wasm: wasm error: unreachable"), std::string::npos) << reason;
    }
    EXPECT_EQ(outputs(), 89u);
  }
}

TEST_F(BatchTest, NoFilesAreNoWork) {
  const BatchReport report = run_batch(job(3));
  EXPECT_EQ(report.done, 0u);
  EXPECT_EQ(outputs(), 0u);
}

TEST_F(BatchTest, TheFailuresOfTheFirstFilesAreRemembered) {
  make_files(kMaxRememberedFailures + 50, [](size_t) { return true; });
  for (const unsigned threads : {1u, 7u}) {
    const BatchReport report = run_batch(job(threads));
    EXPECT_EQ(report.failed, kMaxRememberedFailures + 50);
    ASSERT_EQ(report.failures.size(), kMaxRememberedFailures);
    EXPECT_EQ(report.failures.begin()->first, 0u);
    EXPECT_EQ(report.failures.rbegin()->first, kMaxRememberedFailures - 1);
  }
}

TEST_F(BatchTest, ProgressGrowsAndTheLastFileIsAlwaysTold) {
  make_files(60, [](size_t i) { return i % 20 == 0; });
  for (const unsigned threads : {1u, 5u}) {
    told.clear();
    BatchJob watched = job(threads);
    watched.on_progress = watch;
    run_batch(watched);
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.back().done, 60u);
    EXPECT_EQ(told.back().failed, 3u);
    for (size_t i = 1; i < told.size(); i++) {
      EXPECT_LT(told[i - 1].done, told[i].done);
      EXPECT_LE(told[i - 1].failed, told[i].failed);
    }
  }
}

// --- Stopping ------------------------------------------------------------------------------------

TEST_F(BatchTest, StoppedBeforeItBeginsItDoesNothing) {
  make_files(10);
  stop_now = true;
  BatchJob stopped = job(4);
  stopped.stop = &stop_now;
  EXPECT_EQ(run_batch(stopped).done, 0u);
  EXPECT_EQ(outputs(), 0u);
}

// What has begun ends: each thread may have one file in hand when the first one is told.
TEST_F(BatchTest, AfterAStopEachThreadEndsItsFileAndTakesNoOther) {
  make_files(500);
  for (const unsigned threads : {1u, 4u}) {
    for (const auto& item : fs::directory_iterator(path_ / "out")) fs::remove(item);
    stop_now = false;
    BatchJob stopped = job(threads);
    stopped.stop = &stop_now;
    stopped.on_progress = stop_at_once;  // told of the first file
    const BatchReport report = run_batch(stopped);
    EXPECT_GE(report.done, 1u);
    EXPECT_LE(report.done, threads);
    EXPECT_EQ(report.failed, 0u);
    EXPECT_EQ(outputs(), report.done);
  }
}

}  // namespace
}  // namespace qip
