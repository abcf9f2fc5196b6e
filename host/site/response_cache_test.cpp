// What is remembered, for how long, and what is forgotten.
#include "host/site/response_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "host/site/response.hpp"

namespace qip {
namespace {

ResponseKey key_of(uint8_t number) {
  ResponseKey key;
  key.source.digest[0] = number;
  return key;
}

SharedResponse response_of(size_t bytes) {
  auto response = std::make_shared<SiteResponse>();
  response->body.resize(bytes);
  return response;
}

FileStamp stamp_of(uint64_t inode) {
  return {.device = 1,
          .inode = inode,
          .size = 10,
          .modified_nanoseconds = 1'000'000'000,
          .changed_nanoseconds = 2'000'000'000};
}

constexpr uint64_t kRoomForThree = 3 * (1000 + kResponseOverhead);

TEST(ResponseCache, FindsWhatWasKept) {
  ResponseCache cache(kRoomForThree);
  EXPECT_EQ(cache.find(key_of(1)), nullptr);
  const SharedResponse response = response_of(1000);
  cache.keep(key_of(1), response);
  EXPECT_EQ(cache.find(key_of(1)), response);
  EXPECT_EQ(cache.held_bytes(), 1000 + kResponseOverhead);
}

TEST(ResponseCache, EveryPartOfTheKeyCounts) {
  ResponseCache cache(kRoomForThree);
  const ResponseKey key = key_of(1);
  cache.keep(key, response_of(1));
  ResponseKey other = key;
  other.source.digest[15] ^= 1;
  EXPECT_EQ(cache.find(other), nullptr);
  other = key;
  other.source.size = 1;
  EXPECT_EQ(cache.find(other), nullptr);
  other = key;
  other.making[15] = 1;
  EXPECT_EQ(cache.find(other), nullptr);
}

TEST(ResponseCache, LeastRecentlyUsedGoesFirst) {
  ResponseCache cache(kRoomForThree);
  for (uint8_t i = 1; i <= 3; i++) cache.keep(key_of(i), response_of(1000));
  EXPECT_NE(cache.find(key_of(1)), nullptr);
  cache.keep(key_of(4), response_of(1000));
  EXPECT_EQ(cache.find(key_of(2)), nullptr);
  EXPECT_NE(cache.find(key_of(1)), nullptr);
  EXPECT_NE(cache.find(key_of(3)), nullptr);
  EXPECT_NE(cache.find(key_of(4)), nullptr);
  EXPECT_EQ(cache.held_bytes(), kRoomForThree);
}

TEST(ResponseCache, HoldsNoMoreThanItMay) {
  ResponseCache cache(kRoomForThree);
  for (uint8_t i = 0; i < 200; i++) {
    cache.keep(key_of(i), response_of(i * 20u));
    EXPECT_LE(cache.held_bytes(), kRoomForThree);
  }
  cache.keep(key_of(200), response_of(kRoomForThree));
  EXPECT_EQ(cache.find(key_of(200)), nullptr) << "larger than the cache";
  EXPECT_NE(cache.find(key_of(199)), nullptr) << "and nothing went for it";
  cache.keep(key_of(201), response_of(kRoomForThree - kResponseOverhead));
  EXPECT_NE(cache.find(key_of(201)), nullptr);
  EXPECT_EQ(cache.held_bytes(), kRoomForThree);
}

TEST(ResponseCache, EmptyResponsesAreBoundedToo) {
  ResponseCache cache(2 * kResponseOverhead);
  for (uint8_t i = 0; i < 10; i++) cache.keep(key_of(i), response_of(0));
  int found = 0;
  for (uint8_t i = 0; i < 10; i++) found += cache.find(key_of(i)) != nullptr;
  EXPECT_EQ(found, 2);
}

TEST(ResponseCache, SizeOfZeroKeepsNothing) {
  ResponseCache cache(0);
  EXPECT_FALSE(cache.keeps_responses());
  cache.keep(key_of(1), response_of(0));
  EXPECT_EQ(cache.find(key_of(1)), nullptr);
}

TEST(ResponseCache, ResponseInUseOutlivesItsPlace) {
  ResponseCache cache(kResponseOverhead + 10);
  cache.keep(key_of(1), response_of(10));
  const SharedResponse held = cache.find(key_of(1));
  cache.keep(key_of(2), response_of(10));
  EXPECT_EQ(cache.find(key_of(1)), nullptr);
  EXPECT_EQ(held->body.size(), 10u);
}

TEST(ResponseCache, DigestIsBelievedWhileTheStampIsTheSame) {
  ResponseCache cache(0);
  const FileStamp stamp = stamp_of(7);
  const SourceDigest digest = {{1, 2, 3}, 10};
  EXPECT_EQ(cache.find_source(stamp), std::nullopt);
  cache.keep_source(stamp, digest);
  EXPECT_EQ(cache.find_source(stamp), digest);
  for (int field = 0; field < 5; field++) {
    FileStamp other = stamp;
    if (field == 0) other.device++;
    if (field == 1) other.inode++;
    if (field == 2) other.size++;
    if (field == 3) other.modified_nanoseconds++;
    if (field == 4) other.changed_nanoseconds++;
    EXPECT_EQ(cache.find_source(other), std::nullopt) << field;
  }
  EXPECT_EQ(cache.find_source(stamp), digest);
}

TEST(ResponseCache, DigestsOfVanishedFilesAreForgotten) {
  ResponseCache cache(0);
  const SourceDigest digest = {{1}, 10};
  cache.keep_source(stamp_of(1), digest);
  cache.keep_source(stamp_of(2), digest);
  for (uint64_t i = 0; i < 2 * kMostDigests; i++) {
    cache.keep_source(stamp_of(10 + i), digest);
    if (i % 1000 == 0) {
      ASSERT_TRUE(cache.find_source(stamp_of(1))) << i;
    }
  }
  EXPECT_TRUE(cache.find_source(stamp_of(1))) << "asked for now and then";
  EXPECT_FALSE(cache.find_source(stamp_of(2))) << "never asked for";
  EXPECT_FALSE(cache.find_source(stamp_of(10)));
  EXPECT_TRUE(cache.find_source(stamp_of(9 + 2 * kMostDigests)));
}

TEST(ResponseCache, StampOfARecentEditIsNotSettled) {
  const int64_t edited = 1'000'000'000'000;
  const int64_t soon = edited + 10'000'000;
  const int64_t later = edited + 1'000'000'000;
  FileStamp stamp = stamp_of(1);
  EXPECT_TRUE(is_settled(stamp, soon));
  stamp.modified_nanoseconds = edited;
  EXPECT_FALSE(is_settled(stamp, soon));
  EXPECT_FALSE(is_settled(stamp, edited - 1'000'000'000)) << "from the future";
  EXPECT_TRUE(is_settled(stamp, later));
  stamp = stamp_of(1);
  stamp.changed_nanoseconds = edited;
  EXPECT_FALSE(is_settled(stamp, soon));
  EXPECT_TRUE(is_settled(stamp, later));
}

TEST(ResponseCache, ServesManyThreads) {
  ResponseCache cache(kRoomForThree);
  std::atomic<int> wrong{0};
  const auto work = [&](size_t seed) {
    for (size_t i = 0; i < 5000; i++) {
      const auto number = static_cast<uint8_t>((i * 7 + seed) % 9);
      const SharedResponse found = cache.find(key_of(number));
      if (found != nullptr && found->body.size() != number * 100u) wrong++;
      cache.keep(key_of(number), response_of(number * 100u));
      cache.keep_source(stamp_of(number), {{number}, number});
      const std::optional<SourceDigest> known = cache.find_source(stamp_of(number));
      if (!known || known->size != number) wrong++;
      if (cache.held_bytes() > kRoomForThree) wrong++;
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 4; i++) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace qip
