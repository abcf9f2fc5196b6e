// Files in a temporary folder: whole writes, links, devices, pipes, and sizes out of bounds.
#include "host/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace qip {
namespace {

namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "qip-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const char* name) const { return (folder_ / name).string(); }
  void put(const char* name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string get(const char* name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t entries() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST_F(FilesTest, WriteFileCreatesReadableByAll) {
  const mode_t old = umask(022);
  EXPECT_EQ(write_file(path("new"), bytes_of("text")), "");
  umask(old);
  struct stat status;
  ASSERT_EQ(stat(path("new").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
  EXPECT_EQ(get("new"), "text");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(FilesTest, WriteFileReplacesInOneStepAndKeepsTheMode) {
  put("old", "a longer old text");
  chmod(path("old").c_str(), 0600);
  const int reader = open(path("old").c_str(), O_RDONLY);
  EXPECT_EQ(write_file(path("old"), bytes_of("new")), "");
  EXPECT_EQ(get("old"), "new");
  struct stat status;
  stat(path("old").c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  char buffer[64];
  EXPECT_EQ(read(reader, buffer, sizeof buffer), 17);  // who had it open still sees the old bytes
  close(reader);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(FilesTest, WriteFileFollowsSymbolicLinks) {
  put("real", "old");
  fs::create_symlink("real", folder_ / "link");
  EXPECT_EQ(write_file(path("link"), bytes_of("new")), "");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(get("real"), "new");
  fs::create_symlink("later", folder_ / "dangling");
  EXPECT_EQ(write_file(path("dangling"), bytes_of("made")), "");
  EXPECT_TRUE(fs::is_symlink(folder_ / "dangling"));
  EXPECT_EQ(get("later"), "made");
}

TEST_F(FilesTest, WriteFileLeavesDevicesAlone) {
  EXPECT_EQ(write_file("/dev/null", bytes_of("text")), "");
  struct stat status;
  stat("/dev/null", &status);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST_F(FilesTest, WriteFileReportsErrors) {
  EXPECT_EQ(write_file(path("no/such/file"), bytes_of("x")),
            "open " + path("no/such/file") + ": no such file or directory");
  EXPECT_EQ(write_file(folder_.string(), bytes_of("x")),
            "open " + folder_.string() + ": is a directory");
  EXPECT_NE(write_file("/dev/full", bytes_of("x")).find("no space left on device"),
            std::string::npos);
  EXPECT_EQ(entries(), 0u);
}

TEST_F(FilesTest, LongNamesLeaveRoomForTheTemporaryFile) {
  const std::string name(255, 'n');
  EXPECT_EQ(write_file(path(name.c_str()), bytes_of("x")), "");
  EXPECT_EQ(get(name.c_str()), "x");
}

TEST_F(FilesTest, ModuleFilesAreReadWhole) {
  std::string module("\0asm\1\0\0\0", 8);
  module += std::string(300'000, 'm');
  put("big.wasm", module);
  const auto bytes = read_module_file(path("big.wasm"));
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(std::string(bytes.value().begin(), bytes.value().end()), module);
  put("empty.wasm", "");
  EXPECT_TRUE(read_module_file(path("empty.wasm")).value().empty());
}

TEST_F(FilesTest, WhatCannotBeAModuleIsCutOffEarly) {
  EXPECT_LE(read_module_file("/dev/zero").value().size(), 65536u);
}

TEST_F(FilesTest, DirectoriesAndAbandonedPipesAreRefused) {
  EXPECT_EQ(read_module_file(folder_.string()).error(),
            "read " + folder_.string() + ": is a directory");
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_module_file(path("pipe")).error(),
            "read " + path("pipe") + ": a pipe that nobody writes to");
  EXPECT_EQ(read_module_file(path("nope")).error(),
            "open " + path("nope") + ": no such file or directory");
}

TEST_F(FilesTest, HugeModuleFilesAreRefusedUnread) {
  put("huge.wasm", std::string("\0asm", 4));
  ASSERT_EQ(truncate(path("huge.wasm").c_str(), int64_t{5} << 30), 0);
  EXPECT_NE(read_module_file(path("huge.wasm")).error().find("larger than the limit"),
            std::string::npos);
}

TEST_F(FilesTest, WriteFullyWritesBytesThenSuffix) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(write_fully(ends[1], bytes_of("bytes"), "\n"), 0);
  EXPECT_EQ(write_fully(ends[1], {}, "\n"), 0);
  EXPECT_EQ(write_fully(ends[1], {}, ""), 0);
  close(ends[1]);
  uint8_t buffer[16];
  EXPECT_EQ(read_fully(ends[0], buffer), 7);
  EXPECT_EQ(std::string(buffer, buffer + 7), "bytes\n\n");
  close(ends[0]);
}

}  // namespace
}  // namespace qip
