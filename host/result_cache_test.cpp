// The cache of results in a temporary folder: keys, proofs, damage, eviction, and what lies in the
// folder that is not the cache's own.
#include "host/result_cache.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "host/text.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string text_of(const std::vector<uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

struct ChainComponent {
  std::string module_bytes;
  Uniforms uniforms{};
};

CacheSlot slot_for(const std::vector<ChainComponent>& components, std::string_view input,
                   const RunLimits& limits = {}) {
  ChainDigest chain(limits);
  for (const ChainComponent& component : components) {
    chain.add_component(bytes_of(component.module_bytes), component.uniforms);
  }
  return ResultCache::slot_of(chain, bytes_of(input));
}

CacheSlot slot_of_input(std::string_view input) {
  return slot_for({{"module"}}, input);
}

class ResultCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "qip-cache-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    outside_ = pattern;
    folder_ = outside_ / "cache";
  }
  void TearDown() override { fs::remove_all(outside_); }

  std::unique_ptr<ResultCache> open(std::optional<uint64_t> max_bytes = std::nullopt) const {
    Result<std::unique_ptr<ResultCache>, HostError> cache =
        ResultCache::open(folder_.string(), max_bytes);
    EXPECT_TRUE(cache.ok()) << cache.error().message;
    return std::move(cache.value());
  }
  static std::string store(ResultCache& cache, const CacheSlot& slot, const std::string& output) {
    return cache.store(slot, "Ran: 7\n", true, 3, Encoding::Utf8, ContentType("text/plain"),
                       bytes_of(output));
  }
  static std::string found(ResultCache& cache, const CacheSlot& slot) {
    const std::optional<CachedResult> kept = cache.find(slot);
    return kept ? text_of(kept->output) : "(miss)";
  }

  fs::path path_of(const CacheSlot& slot) const {
    const std::string digits = hex_text(slot.key);
    return folder_ / digits.substr(0, 2) / digits.substr(2);
  }
  void set_age(const CacheSlot& slot, int seconds) const {
    const timespec then = {time(nullptr) - seconds, 0};
    const timespec times[2] = {then, then};
    ASSERT_EQ(utimensat(AT_FDCWD, path_of(slot).c_str(), times, 0), 0);
  }
  uint64_t bytes_kept() const {
    uint64_t total = 0;
    for (const auto& item : fs::recursive_directory_iterator(folder_)) {
      if (item.is_regular_file()) total += item.file_size();
    }
    return total;
  }
  size_t temporaries() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_ / "tmp"), fs::directory_iterator()));
  }
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write(const fs::path& path, std::string_view bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.good()) << path;
  }

  fs::path outside_;  // a folder around the cache
  fs::path folder_;
};

// --- What is stored is what is found -------------------------------------------------------------

TEST_F(ResultCacheTest, EveryFieldComesBack) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("input");
  EXPECT_FALSE(cache->find(slot));
  const std::string output("\0out\xff\n", 6);
  EXPECT_EQ(cache->store(slot, "Ran: 1\nRan: 4294967295\n", true, 0xFEDCBA98, Encoding::I32,
                         ContentType("image/png"), bytes_of(output)),
            "");
  const std::optional<CachedResult> kept = cache->find(slot);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->printed, "Ran: 1\nRan: 4294967295\n");
  EXPECT_TRUE(kept->has_output);
  EXPECT_EQ(kept->result, 0xFEDCBA98);
  EXPECT_EQ(kept->encoding, Encoding::I32);
  EXPECT_EQ(kept->content_type, ContentType("image/png"));
  EXPECT_EQ(text_of(kept->output), output);
}

TEST_F(ResultCacheTest, NothingIsNotTheSameAsEmpty) {
  const auto cache = open();
  const CacheSlot without = slot_of_input("without");
  const CacheSlot with_empty = slot_of_input("with empty");
  EXPECT_EQ(cache->store(without, "", false, 42, Encoding::Raw, std::nullopt, {}), "");
  EXPECT_EQ(cache->store(with_empty, "", true, 0, Encoding::Utf8, ContentType(""), {}), "");
  const std::optional<CachedResult> nothing = cache->find(without);
  const std::optional<CachedResult> empty = cache->find(with_empty);
  ASSERT_TRUE(nothing && empty);
  EXPECT_FALSE(nothing->has_output);
  EXPECT_EQ(nothing->result, 42u);
  EXPECT_FALSE(nothing->content_type);
  EXPECT_TRUE(empty->has_output);
  EXPECT_TRUE(empty->content_type);
}

TEST_F(ResultCacheTest, AnotherProcessFindsWhatOneStored) {
  const CacheSlot slot = slot_of_input("input");
  EXPECT_EQ(store(*open(), slot, "output"), "");
  EXPECT_EQ(found(*open(), slot_of_input("input")), "output");
  EXPECT_EQ(found(*open(), slot_of_input("Input")), "(miss)");
}

TEST_F(ResultCacheTest, ALargeOutputComesBack) {
  const auto cache = open();
  std::string output(3'000'001, '\0');
  for (size_t i = 0; i < output.size(); i++) output[i] = static_cast<char>(i * i >> 7);
  EXPECT_EQ(store(*cache, slot_of_input("x"), output), "");
  EXPECT_EQ(found(*cache, slot_of_input("x")), output);
}

TEST_F(ResultCacheTest, StoringAgainReplaces) {
  const auto cache = open();
  EXPECT_EQ(store(*cache, slot_of_input("x"), "first and longer"), "");
  EXPECT_EQ(store(*cache, slot_of_input("x"), "second"), "");
  EXPECT_EQ(found(*cache, slot_of_input("x")), "second");
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(ResultCacheTest, FolderAndEntriesAreForTheirOwnerAlone) {
  const mode_t old = umask(0);
  EXPECT_EQ(store(*open(), slot_of_input("x"), "output"), "");
  umask(old);
  for (const fs::path& path : {folder_, folder_ / "tmp", path_of(slot_of_input("x")).parent_path(),
                               path_of(slot_of_input("x"))}) {
    EXPECT_EQ(static_cast<unsigned>(fs::status(path).permissions()) & 077u, 0u) << path;
  }
}

// --- Keys ----------------------------------------------------------------------------------------

TEST_F(ResultCacheTest, WhatDecidesTheResultDecidesTheKey) {
  const RunLimits limits;
  RunLimits fuel = limits, no_fuel = limits, output = limits, memory = limits, fixed = limits,
            strict = limits;
  fuel.fuel = 1000;
  no_fuel.fuel = 0;
  output.max_output_bytes = 1000;
  memory.policy.max_memory_bytes = 1000;
  fixed.policy.fixed_memory = true;
  strict.policy.strict = true;

  const Uniforms one = {{"a", "1"}};
  const std::vector<CacheSlot> slots = {
      slot_for({}, ""),
      slot_for({{""}}, ""),
      slot_for({{"ab"}}, ""),
      slot_for({{"ab"}}, "x"),
      slot_for({{"abx"}}, ""),
      slot_for({{"a"}, {"bx"}}, ""),
      slot_for({{"ab"}, {"x"}}, ""),
      slot_for({{"x"}, {"ab"}}, ""),
      slot_for({{"ab"}, {"x"}, {""}}, ""),
      slot_for({{""}, {"ab"}, {"x"}}, ""),
      slot_for({{"ab", one}, {"x"}}, ""),
      slot_for({{"ab"}, {"x", one}}, ""),
      slot_for({{"ab", {{"a", "2"}}}, {"x"}}, ""),
      slot_for({{"ab", {{"b", "1"}}}, {"x"}}, ""),
      slot_for({{"ab", {{"a1", ""}}}, {"x"}}, ""),
      slot_for({{"ab", {{"", "a1"}}}, {"x"}}, ""),
      slot_for({{"ab", {{"a", "1"}, {"b", "2"}}}}, ""),
      slot_for({{"ab", {{"a", "2"}, {"b", "1"}}}}, ""),
      slot_for({{"ab", {{"a", "1b2"}}}}, ""),
      slot_for({{std::string("ab\0", 3)}}, ""),
      slot_for({{"ab"}}, std::string("\0", 1)),
      slot_for({{"ab"}}, "x", fuel),
      slot_for({{"ab"}}, "x", no_fuel),
      slot_for({{"ab"}}, "x", output),
      slot_for({{"ab"}}, "x", memory),
      slot_for({{"ab"}}, "x", fixed),
      slot_for({{"ab"}}, "x", strict),
  };
  std::set<Xxh3Digest> keys;
  for (size_t i = 0; i < slots.size(); i++) {
    EXPECT_TRUE(keys.insert(slots[i].key).second) << "slot " << i << " has the key of another";
  }
}

// A setting whose name is made up of what a further component would add to the stream.
TEST_F(ResultCacheTest, ASettingCannotPoseAsAComponent) {
  const std::string text(59, 'x');
  const std::string zero(8, '\0');
  const std::string letter = std::string("C") + std::string(7, '\0');  // also the length 67
  const Uniforms posing = {{letter + text, ""}};
  EXPECT_NE(slot_for({{"m", posing}}, "").chain_sha256,
            slot_for({{"m"}, {text + zero}}, "").chain_sha256);
}

// The proof must tell chains apart by itself, because it guards against equal keys.
TEST_F(ResultCacheTest, ChainDigestCoversEverythingBesidesTheInput) {
  RunLimits fuel;
  fuel.fuel = 1;
  const std::vector<CacheSlot> slots = {
      slot_for({{"ab"}}, "1"),       slot_for({{"a"}, {"b"}}, "1"),
      slot_for({{"b"}, {"a"}}, "1"), slot_for({{"ab", {{"a", "1"}}}}, "1"),
      slot_for({{"ab"}, {""}}, "1"), slot_for({{"ab"}}, "1", fuel),
      slot_for({{"ab1"}}, ""),
  };
  std::set<Sha256Digest> digests;
  for (const CacheSlot& slot : slots) digests.insert(slot.chain_sha256);
  EXPECT_EQ(digests.size(), slots.size());
  EXPECT_EQ(slots[0].chain_sha256, slot_for({{"ab"}}, "2").chain_sha256);
}

TEST_F(ResultCacheTest, WhatCannotChangeAResultIsNotInTheKey) {
  RunLimits limits;
  limits.time = std::chrono::milliseconds(1);
  limits.call_stack = true;
  const Uniforms settings = {{"b", "2"}, {"a", "1"}};
  EXPECT_EQ(slot_for({{"m", settings}}, "x").key, slot_for({{"m", settings}}, "x", limits).key);
}

TEST_F(ResultCacheTest, OneChainServesManyInputs) {
  ChainDigest chain{RunLimits()};
  chain.add_component(bytes_of("module"), {});
  const CacheSlot first = ResultCache::slot_of(chain, bytes_of("first"));
  EXPECT_NE(ResultCache::slot_of(chain, bytes_of("second")).key, first.key);
  EXPECT_EQ(ResultCache::slot_of(chain, bytes_of("first")).key, first.key);
  EXPECT_EQ(slot_of_input("first").key, first.key);
}

TEST_F(ResultCacheTest, InputDigestIsThatOfTheStandard) {
  const CacheSlot slot = slot_of_input("abc");
  EXPECT_EQ(hex_text(slot.input_sha256),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(slot.input_length, 3u);
}

// However the bytes arrive. 240 and 1024 are where XXH3 changes its method.
TEST(Digest, Xxh3DoesNotDependOnHowBytesArrive) {
  std::string text(5000, '\0');
  for (size_t i = 0; i < text.size(); i++) text[i] = static_cast<char>(i * 7 ^ i >> 5);
  for (const size_t size : {0, 1, 16, 128, 240, 241, 255, 256, 257, 1024, 1025, 5000}) {
    Xxh3 whole;
    whole.update(bytes_of(text).first(size));
    for (const size_t step : {1, 13, 255, 256, 300}) {
      Xxh3 pieces;
      for (size_t at = 0; at < size; at += step) {
        pieces.update(bytes_of(text).subspan(at, std::min(step, size - at)));
      }
      EXPECT_EQ(pieces.digest(), whole.digest()) << size << " bytes by " << step;
    }
  }
  // Source: the published value for no bytes and seed 0.
  EXPECT_EQ(hex_text(Xxh3().digest()), "99aa06d3014798d86001c324468d497f");
}

TEST(Digest, ACopyGoesOnByItself) {
  Xxh3 first;
  first.update(bytes_of("common"));
  Xxh3 second = first;
  first.update(bytes_of("a"));
  second.update(bytes_of("b"));
  Xxh3 whole;
  whole.update(bytes_of("commona"));
  EXPECT_EQ(first.digest(), whole.digest());
  EXPECT_NE(second.digest(), whole.digest());
}

// --- Proofs and damage ---------------------------------------------------------------------------

// As if two inputs or chains had one key.
TEST_F(ResultCacheTest, AnEqualKeyIsNotEnough) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("input");
  EXPECT_EQ(store(*cache, slot, "output"), "");
  CacheSlot other_input = slot;
  other_input.input_sha256[31] ^= 1;
  CacheSlot other_length = slot;
  other_length.input_length++;
  CacheSlot other_chain = slot;
  other_chain.chain_sha256[0] ^= 0x80;
  for (const CacheSlot& other : {other_input, other_length, other_chain}) {
    EXPECT_EQ(found(*cache, other), "(miss)");
  }
  EXPECT_EQ(found(*cache, slot), "output");
  // The other one takes the place, and then the first is a miss.
  EXPECT_EQ(store(*cache, other_input, "another output"), "");
  EXPECT_EQ(found(*cache, other_input), "another output");
  EXPECT_EQ(found(*cache, slot), "(miss)");
}

TEST_F(ResultCacheTest, AnEntryOfAnotherKeyIsAMiss) {
  const auto cache = open();
  EXPECT_EQ(store(*cache, slot_of_input("1"), "one"), "");
  EXPECT_EQ(store(*cache, slot_of_input("2"), "two"), "");
  fs::rename(path_of(slot_of_input("1")), path_of(slot_of_input("2")));
  EXPECT_EQ(found(*cache, slot_of_input("2")), "(miss)");
}

TEST_F(ResultCacheTest, EveryByteCounts) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("input");
  EXPECT_EQ(store(*cache, slot, "some output"), "");
  const std::string entry = read(path_of(slot));
  ASSERT_GT(entry.size(), 100u);
  for (size_t i = 0; i < entry.size(); i++) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      std::string damaged = entry;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      write(path_of(slot), damaged);
      ASSERT_EQ(found(*cache, slot), "(miss)") << "byte " << i << " changed by " << change;
    }
  }
  write(path_of(slot), entry);
  EXPECT_EQ(found(*cache, slot), "some output");
}

TEST_F(ResultCacheTest, EveryOtherLengthIsAMiss) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("input");
  EXPECT_EQ(store(*cache, slot, "some output"), "");
  const std::string entry = read(path_of(slot));
  for (size_t size = 0; size < entry.size(); size++) {
    write(path_of(slot), std::string_view(entry).substr(0, size));
    ASSERT_EQ(found(*cache, slot), "(miss)") << "cut off at " << size;
  }
  write(path_of(slot), entry + '\0');
  EXPECT_EQ(found(*cache, slot), "(miss)");
  write(path_of(slot), entry + entry);
  EXPECT_EQ(found(*cache, slot), "(miss)");
}

TEST_F(ResultCacheTest, AnEnormousEntryTakesNoMemory) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("input");
  EXPECT_EQ(store(*cache, slot, "some output"), "");
  constexpr off_t kEnormous = off_t{1} << 40;
  ASSERT_EQ(truncate(path_of(slot).c_str(), kEnormous), 0);
  EXPECT_EQ(found(*cache, slot), "(miss)");
  // The same with a length in the head that fits the file: the output's is the last of the fields.
  std::fstream file(path_of(slot), std::ios::binary | std::ios::in | std::ios::out);
  constexpr std::streamoff kOutputLengthAt = 8 + 16 + 32 + 8 + 32 + 8 + 8 + 8;
  const uint64_t length = static_cast<uint64_t>(kEnormous) - kOutputLengthAt - 8 - 7 - 10 - 16;
  file.seekp(kOutputLengthAt);
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file.close();
  EXPECT_EQ(found(*cache, slot), "(miss)");
}

TEST_F(ResultCacheTest, ADamagedEntryIsReplaced) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("input");
  EXPECT_EQ(store(*cache, slot, "output"), "");
  write(path_of(slot), "damage");
  EXPECT_EQ(found(*cache, slot), "(miss)");
  EXPECT_EQ(store(*cache, slot, "output"), "");
  EXPECT_EQ(found(*cache, slot), "output");
}

// --- The maximum ---------------------------------------------------------------------------------

// What an entry takes besides printed lines, content type and output.
uint64_t overhead(const fs::path& entry, const std::string& output) {
  return fs::file_size(entry) - output.size();
}

TEST_F(ResultCacheTest, TheLeastRecentlyUsedGoesFirst) {
  const std::string output(1000, 'o');
  std::vector<CacheSlot> slots;
  for (const char* input : {"0", "1", "2", "3"}) slots.push_back(slot_of_input(input));
  EXPECT_EQ(store(*open(), slots[0], output), "");
  const uint64_t size = fs::file_size(path_of(slots[0]));
  const auto cache = open(size * 3 + size / 2);
  EXPECT_EQ(store(*cache, slots[1], output), "");
  EXPECT_EQ(store(*cache, slots[2], output), "");
  set_age(slots[0], 300);
  set_age(slots[1], 200);
  set_age(slots[2], 100);
  EXPECT_EQ(found(*cache, slots[0]), output);  // was the oldest, is the newest now
  EXPECT_EQ(store(*cache, slots[3], output), "");
  EXPECT_FALSE(fs::exists(path_of(slots[1])));
  for (const size_t kept : {0, 2, 3}) EXPECT_TRUE(fs::exists(path_of(slots[kept]))) << kept;
}

TEST_F(ResultCacheTest, AMissIsNotAUse) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("x");
  EXPECT_EQ(store(*cache, slot, "output"), "");
  set_age(slot, 1000);
  const auto before = fs::last_write_time(path_of(slot));
  CacheSlot other = slot;
  other.input_sha256[0] ^= 1;
  EXPECT_EQ(found(*cache, other), "(miss)");
  EXPECT_EQ(fs::last_write_time(path_of(slot)), before);
  EXPECT_EQ(found(*cache, slot), "output");
  EXPECT_GT(fs::last_write_time(path_of(slot)), before);
}

TEST_F(ResultCacheTest, TheMaximumHoldsAfterEveryStore) {
  constexpr uint64_t kMaximum = 20'000;
  const auto cache = open(kMaximum);
  uint64_t most = 0;
  for (int i = 0; i < 300; i++) {
    const std::string output(static_cast<size_t>(i * 7919 % 3000), 'o');
    ASSERT_EQ(store(*cache, slot_of_input(std::to_string(i)), output), "");
    ASSERT_EQ(found(*cache, slot_of_input(std::to_string(i))), output) << i;
    ASSERT_LE(bytes_kept(), kMaximum) << i;
    most = std::max(most, bytes_kept());
  }
  EXPECT_GT(most, kMaximum / 10 * 8);  // and it is made use of
}

TEST_F(ResultCacheTest, EvictionLeavesATenthFree) {
  const std::string output(1000 - 200, 'o');
  const auto unbounded = open();
  for (int i = 0; i < 100; i++) {
    EXPECT_EQ(store(*unbounded, slot_of_input(std::to_string(i)), output), "");
  }
  const uint64_t size = fs::file_size(path_of(slot_of_input("0")));
  ASSERT_EQ(bytes_kept(), 100 * size);
  const uint64_t maximum = 50 * size;
  EXPECT_EQ(store(*open(maximum), slot_of_input("new"), output), "");
  EXPECT_EQ(bytes_kept(), 45 * size);
  EXPECT_TRUE(fs::exists(path_of(slot_of_input("new"))));
}

TEST_F(ResultCacheTest, AnEntryLargerThanTheMaximumIsNotKept) {
  const auto cache = open(2000);
  EXPECT_EQ(store(*cache, slot_of_input("small"), "output"), "");
  const uint64_t rest = overhead(path_of(slot_of_input("small")), "output");
  EXPECT_EQ(store(*cache, slot_of_input("large"), std::string(2001 - rest, 'o')), "");
  EXPECT_EQ(found(*cache, slot_of_input("large")), "(miss)");
  EXPECT_EQ(found(*cache, slot_of_input("small")), "output");
  const std::string just_fits(2000 - rest, 'o');
  EXPECT_EQ(store(*cache, slot_of_input("just fits"), just_fits), "");
  EXPECT_EQ(found(*cache, slot_of_input("just fits")), just_fits);
  EXPECT_EQ(bytes_kept(), 2000u);
}

TEST_F(ResultCacheTest, AMaximumOfNothingKeepsNothing) {
  const auto cache = open(0);
  EXPECT_EQ(store(*cache, slot_of_input("x"), ""), "");
  EXPECT_EQ(bytes_kept(), 0u);
}

TEST_F(ResultCacheTest, AnotherProcessExceedsTheMaximumByATenthAtMost) {
  constexpr uint64_t kMaximum = 100'000;
  const auto first = open(kMaximum);
  const auto second = open(kMaximum);
  for (int i = 0; i < 1000; i++) {
    ResultCache& cache = i % 3 == 0 ? *second : *first;
    ASSERT_EQ(store(cache, slot_of_input(std::to_string(i)), std::string(500, 'o')), "");
    ASSERT_LE(bytes_kept(), kMaximum + kMaximum / 10) << i;
  }
}

// --- Other writers -------------------------------------------------------------------------------

TEST_F(ResultCacheTest, WhatADeadWriterLeftIsRemoved) {
  const auto cache = open();
  EXPECT_EQ(store(*cache, slot_of_input("1"), "one"), "");
  write(folder_ / "tmp" / "0123456789abcdef", "half of an en");
  write(folder_ / "tmp" / "fedcba9876543210", "");
  EXPECT_EQ(store(*cache, slot_of_input("2"), "two"), "");
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(ResultCacheTest, WhatALivingWriterHoldsStaysUntilItDies) {
  const auto cache = open();
  EXPECT_EQ(store(*cache, slot_of_input("1"), "one"), "");
  const fs::path held = folder_ / "tmp" / "0123456789abcdef";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    const int fd = ::open(held.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    const bool locked = fd >= 0 && flock(fd, LOCK_EX) == 0;
    if (::write(ready[1], locked ? "y" : "n", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  EXPECT_EQ(store(*cache, slot_of_input("2"), "two"), "");
  EXPECT_TRUE(fs::exists(held));
  kill(writer, SIGKILL);
  ASSERT_EQ(waitpid(writer, nullptr, 0), writer);
  EXPECT_EQ(store(*cache, slot_of_input("3"), "three"), "");
  EXPECT_FALSE(fs::exists(held));
  close(ready[0]);
  close(ready[1]);
}

// Each store begins by removing temporary files that nobody holds; it must never get one of the
// other threads between its making and its final name.
TEST_F(ResultCacheTest, ThreadsShareACache) {
  const auto cache = open();
  constexpr int kThreads = 4;
  constexpr int kStores = 150;
  const auto name = [](int thread, int i) {
    return std::to_string(i % 2 == 0 ? 0 : thread) + "/" + std::to_string(i);
  };
  std::vector<std::string> problems(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; thread++) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kStores; i++) {
        const CacheSlot slot = slot_of_input(name(thread, i));
        problems[thread] += store(*cache, slot, "output of " + name(thread, i));
        if (found(*cache, slot) != "output of " + name(thread, i)) problems[thread] += "lost";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int thread = 0; thread < kThreads; thread++) {
    EXPECT_EQ(problems[thread], "");
    for (int i = 0; i < kStores; i++) {
      EXPECT_EQ(found(*cache, slot_of_input(name(thread, i))), "output of " + name(thread, i));
    }
  }
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(ResultCacheTest, ThreadsShareAMaximum) {
  constexpr uint64_t kMaximum = 5000;
  const auto cache = open(kMaximum);
  std::vector<std::string> problems(4);
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < problems.size(); thread++) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 150; i++) {
        const std::string name = std::to_string(i * 31 % 40);
        const std::string output(static_cast<size_t>(i * 31 % 40 * 37), 'o');
        problems[thread] += store(*cache, slot_of_input(name), output);
        const std::string text = found(*cache, slot_of_input(name));
        if (text != "(miss)" && text != output) problems[thread] += "wrong";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& problem : problems) EXPECT_EQ(problem, "");
  EXPECT_LE(bytes_kept(), kMaximum);
  EXPECT_GT(bytes_kept(), 0u);
}

// --- What is not the cache's own -----------------------------------------------------------------

TEST_F(ResultCacheTest, ForeignFilesAreLeftAlone) {
  EXPECT_EQ(store(*open(), slot_of_input("old"), std::string(500, 'o')), "");
  const fs::path sub = path_of(slot_of_input("old")).parent_path();
  const std::string digits = "0123456789abcdef0123456789abcd";  // as many as an entry has
  std::vector<fs::path> foreign = {
      folder_ / "README",
      folder_ / "tmp" / "note.txt",
      folder_ / "tmp" / "0123456789ABCDEF",   // not lower case
      folder_ / "tmp" / "0123456789abcde",    // too short
      folder_ / "tmp" / "0123456789abcdef0",  // too long
      sub / "note",
      sub / digits.substr(1),
      sub / (digits + "0"),
      folder_ / digits,
  };
  for (const fs::path& path : foreign) write(path, std::string(5000, 'f'));
  const fs::path treasure = outside_ / "treasure";
  write(treasure, std::string(5000, 't'));
  foreign.push_back(treasure);
  for (const fs::path& link : {folder_ / "tmp" / "aaaaaaaaaaaaaaaa", sub / digits}) {
    fs::create_symlink(treasure, link);
    foreign.push_back(link);
  }
  const fs::path elsewhere = outside_ / "elsewhere";
  fs::create_directory(elsewhere);
  write(elsewhere / digits, "not an entry of ours");
  foreign.push_back(elsewhere / digits);
  // One of three folders holds neither of the entries.
  fs::path linked = folder_ / "00";
  for (const char* name : {"01", "02"}) {
    if (linked == sub || linked == path_of(slot_of_input("new")).parent_path()) {
      linked = folder_ / name;
    }
  }
  fs::create_directory_symlink(elsewhere, linked);
  foreign.push_back(linked);
  for (const fs::path& folder :
       {sub / std::string(30, 'b'), folder_ / "tmp" / "bbbbbbbbbbbbbbbb"}) {
    fs::create_directory(folder);
    foreign.push_back(folder);
  }
  ASSERT_EQ(mkfifo((folder_ / "tmp" / "cccccccccccccccc").c_str(), 0600), 0);
  foreign.push_back(folder_ / "tmp" / "cccccccccccccccc");

  // A maximum that makes room by removing all that may be removed.
  const auto cache = open(800);
  EXPECT_EQ(store(*cache, slot_of_input("new"), std::string(600, 'n')), "");
  EXPECT_EQ(found(*cache, slot_of_input("old")), "(miss)");
  EXPECT_EQ(found(*cache, slot_of_input("new")), std::string(600, 'n'));
  for (const fs::path& path : foreign) EXPECT_TRUE(fs::exists(fs::symlink_status(path))) << path;
  EXPECT_EQ(fs::file_size(treasure), 5000u);
}

TEST_F(ResultCacheTest, ALinkInAnEntrysPlaceIsNotFollowed) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("x");
  EXPECT_EQ(store(*cache, slot, "output"), "");
  const fs::path moved = outside_ / "moved";
  fs::rename(path_of(slot), moved);
  fs::create_symlink(moved, path_of(slot));
  EXPECT_EQ(found(*cache, slot), "(miss)");
  const std::string before = read(moved);
  EXPECT_EQ(store(*cache, slot, "new output"), "");  // takes the link's place
  EXPECT_EQ(read(moved), before);
  EXPECT_EQ(found(*cache, slot), "new output");
}

TEST_F(ResultCacheTest, ALinkInAFoldersPlaceIsNotFollowed) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("x");
  EXPECT_EQ(store(*cache, slot, "output"), "");
  const fs::path moved = outside_ / "moved";
  fs::rename(path_of(slot).parent_path(), moved);
  fs::create_directory_symlink(moved, path_of(slot).parent_path());
  EXPECT_EQ(found(*cache, slot), "(miss)");
  EXPECT_EQ(store(*cache, slot, "new output"),
            "cache " + folder_.string() + ": open folder: not a directory");
}

TEST_F(ResultCacheTest, APipeInAnEntrysPlaceIsAMiss) {
  const auto cache = open();
  const CacheSlot slot = slot_of_input("x");
  EXPECT_EQ(store(*cache, slot, "output"), "");
  fs::remove(path_of(slot));
  ASSERT_EQ(mkfifo(path_of(slot).c_str(), 0600), 0);
  EXPECT_EQ(found(*cache, slot), "(miss)");
}

// --- Folders that do not serve -------------------------------------------------------------------

TEST_F(ResultCacheTest, AFolderThatIsAFileIsAnError) {
  write(folder_, "text");
  const auto cache = ResultCache::open(folder_.string(), std::nullopt);
  ASSERT_FALSE(cache.ok());
  EXPECT_EQ(cache.error().error_class, HostErrorClass::File);
  EXPECT_EQ(cache.error().message, "cache " + folder_.string() + ": open: not a directory");
}

TEST_F(ResultCacheTest, AFolderThatCannotBeMadeIsAnError) {
  const std::string path = (folder_ / "below" / "nothing").string();
  const auto cache = ResultCache::open(path, std::nullopt);
  ASSERT_FALSE(cache.ok());
  EXPECT_EQ(cache.error().message, "cache " + path + ": open: no such file or directory");
}

TEST_F(ResultCacheTest, ACacheThatMayOnlyBeReadStillHits) {
  EXPECT_EQ(store(*open(), slot_of_input("x"), "output"), "");
  fs::permissions(outside_, fs::perms(0755));
  for (const auto& item : fs::recursive_directory_iterator(folder_)) {
    fs::permissions(item.path(), fs::perms(item.is_directory() ? 0555 : 0444));
  }
  fs::permissions(folder_, fs::perms(0555));
  const auto attempt = [this] {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
    const auto cache = open();
    const std::string wanted = "cache " + folder_.string() + ": create: permission denied";
    const bool hits = found(*cache, slot_of_input("x")) == "output";
    const bool tells = store(*cache, slot_of_input("x"), "output") == wanted;
    _exit(hits && tells ? 0 : 1);
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
  for (const auto& item : fs::recursive_directory_iterator(folder_)) {
    if (item.is_directory()) fs::permissions(item.path(), fs::perms(0755));
  }
  fs::permissions(folder_, fs::perms(0755));
}

TEST_F(ResultCacheTest, AFolderThatVanishesIsASentence) {
  const auto cache = open();
  fs::remove_all(folder_);
  EXPECT_EQ(found(*cache, slot_of_input("x")), "(miss)");
  EXPECT_EQ(store(*cache, slot_of_input("x"), "output"),
            "cache " + folder_.string() + ": open folder: no such file or directory");
}

TEST_F(ResultCacheTest, AFileInThePlaceOfTemporariesIsASentence) {
  const auto cache = open();
  write(folder_ / "tmp", "text");
  EXPECT_EQ(store(*cache, slot_of_input("x"), "output"),
            "cache " + folder_.string() + ": open folder tmp: not a directory");
  EXPECT_EQ(found(*cache, slot_of_input("x")), "(miss)");
}

}  // namespace
}  // namespace qip
