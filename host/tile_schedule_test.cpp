// The schedule against a model of the memory: what is read must be what the pass before wrote last,
// whatever order the threads get ahead in.
#include "host/tile_schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace qip {
namespace {

using Reaches = std::vector<uint32_t>;

// Which band lies in every place, for the image and for what each pass but the last keeps.
class Model {
 public:
  Model(const TileSchedule& schedule, uint32_t bands, Reaches reaches)
      : schedule_(schedule), bands_(bands), reaches_(std::move(reaches)) {
    image_.resize(bands, false);
    for (size_t i = 0; i + 1 < reaches_.size(); i++) {
      kept_.emplace_back(schedule.room(i), bands);  // none of them
    }
  }

  void expect_readable(const TileSchedule::Item& item) const {
    const uint32_t reach = reaches_[item.pass];
    const uint32_t first = item.band - std::min(item.band, reach);
    const uint64_t end = std::min<uint64_t>(uint64_t{item.band} + reach + 1, bands_);
    for (uint32_t band = first; band < end; band++) {
      if (item.pass == 0) {
        EXPECT_FALSE(image_[band]) << "band " << band << " of the image is overwritten";
      } else {
        EXPECT_EQ(kept_[item.pass - 1][band % schedule_.room(item.pass - 1)], band)
            << "pass " << item.pass << ", band " << item.band;
      }
    }
  }
  void write(const TileSchedule::Item& item) {
    if (item.pass + 1 < reaches_.size()) {
      kept_[item.pass][item.band % schedule_.room(item.pass)] = item.band;
    } else if (reaches_.size() > 1) {  // a single pass has a second image if it has a halo
      image_[item.band] = true;
    }
  }

 private:
  const TileSchedule& schedule_;
  const uint32_t bands_;
  const Reaches reaches_;
  std::vector<bool> image_;
  std::vector<std::vector<uint32_t>> kept_;
};

// Threads take items in order; who may begin does, who may not waits; who is at work ends at
// random.
void run_at_random(uint32_t bands, const Reaches& reaches, uint32_t threads, uint32_t seed) {
  std::mt19937 random(seed);
  TileSchedule schedule(bands, reaches, threads);
  ASSERT_EQ(schedule.items().size(), size_t{bands} * reaches.size());
  Model model(schedule, bands, reaches);
  std::vector<TileSchedule::Item> waiting, working;
  size_t next = 0, ended = 0;
  while (ended < schedule.items().size()) {
    while (waiting.size() + working.size() < threads && next < schedule.items().size()) {
      waiting.push_back(schedule.items()[next++]);
    }
    for (size_t i = 0; i < waiting.size();) {
      if (!schedule.may_begin(waiting[i]) || (random() % 4 == 0 && !working.empty())) {
        i++;
        continue;
      }
      model.expect_readable(waiting[i]);
      working.push_back(waiting[i]);
      waiting.erase(waiting.begin() + static_cast<ptrdiff_t>(i));
    }
    ASSERT_FALSE(working.empty()) << "everybody waits";
    const size_t chosen = random() % working.size();
    const TileSchedule::Item item = working[chosen];
    working.erase(working.begin() + static_cast<ptrdiff_t>(chosen));
    model.expect_readable(item);  // to its end, whatever the others wrote meanwhile
    model.write(item);
    schedule.end(item);
    ended++;
  }
}

TEST(TileSchedule, NothingIsReadTooEarlyOrTooLate) {
  const std::vector<Reaches> chains = {
      {0},       {1},       {0, 1},       {1, 1},    {3, 1},   {1, 3},         {0, 1, 1},
      {5, 1, 1}, {1, 4, 2}, {2, 1, 5, 1}, {0, 9, 1}, {40, 40}, {0, 1, 1, 1, 1}};
  uint32_t seed = 0;
  for (const Reaches& reaches : chains) {
    for (const uint32_t bands : {1u, 2u, 3u, 7u, 20u, 33u}) {
      for (const uint32_t threads : {1u, 2u, 3u, 8u, 64u}) {
        for (int round = 0; round < 4; round++) run_at_random(bands, reaches, threads, seed++);
      }
    }
  }
}

TEST(TileSchedule, ASinglePassIsOneBandAfterTheOther) {
  const TileSchedule schedule(3, Reaches{2}, 2);
  ASSERT_EQ(schedule.items().size(), 3u);
  for (uint32_t i = 0; i < 3; i++) {
    EXPECT_EQ(schedule.items()[i].band, i);
    EXPECT_TRUE(schedule.may_begin(schedule.items()[i]));
  }
}

TEST(TileSchedule, TheOrderIsTheSameForEveryNumberOfThreads) {
  const TileSchedule one(30, Reaches{0, 2, 1}, 1);
  const TileSchedule many(30, Reaches{0, 2, 1}, 100);
  ASSERT_EQ(one.items().size(), many.items().size());
  for (size_t i = 0; i < one.items().size(); i++) {
    EXPECT_EQ(one.items()[i].pass, many.items()[i].pass);
    EXPECT_EQ(one.items()[i].band, many.items()[i].band);
  }
}

// What is kept does not grow with the image.
TEST(TileSchedule, RoomIsThatOfAFewBands) {
  const TileSchedule small(100, Reaches{0, 1, 1}, 2);
  const TileSchedule large(1'000, Reaches{0, 1, 1}, 2);
  for (size_t pass = 0; pass < 2; pass++) {
    EXPECT_LE(small.room(pass), 6u);
    EXPECT_EQ(small.room(pass), large.room(pass));
  }
  EXPECT_EQ(TileSchedule(4, Reaches{0, 1}, 100).room(0), 4u);
}

TEST(TileSchedule, HugeReachesDoNotWrap) {
  run_at_random(5, {0xFFFF'FFFF, 0xFFFF'FFFF, 0xFFFF'FFFF}, 3, 1);
}

}  // namespace
}  // namespace qip
