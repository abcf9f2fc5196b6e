// The components of modules/interactive/, played by scripts of events: which frames they make,
// when, and what is in them. Assumes: the working directory is the root of the repository. Expected
// pixels are computed here, apart from the components; the digests of the long plays were made with
// another engine (V8).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/component.hpp"
#include "host/digest.hpp"
#include "host/event_script.hpp"
#include "host/interactive.hpp"
#include "host/policy.hpp"
#include "host/replay.hpp"
#include "host/uniforms.hpp"

namespace qip {
namespace {

using std::string;

struct Frame {
  int64_t time = 0;
  uint32_t width = 0;
  std::vector<uint8_t> rgba;

  // 0xRRGGBB.
  uint32_t at(uint32_t x, uint32_t y) const {
    const uint8_t* pixel = &rgba[(size_t{y} * width + x) * 4];
    return uint32_t{pixel[0]} << 16 | uint32_t{pixel[1]} << 8 | pixel[2];
  }
};

// Of all frames and their times, cheap enough for gigabytes of them.
struct Fingerprint {
  uint32_t hash = 0x811C9DC5;
  uint32_t frames = 0;

  void add(uint32_t word) { hash = (hash ^ word) * 0x01000193; }
  void add_frame(int64_t time, std::span<const uint8_t> rgba) {
    add(static_cast<uint32_t>(time));
    for (size_t i = 0; i < rgba.size(); i += 4) {
      add(uint32_t{rgba[i]} | uint32_t{rgba[i + 1]} << 8 | uint32_t{rgba[i + 2]} << 16 |
          uint32_t{rgba[i + 3]} << 24);
    }
    frames++;
  }
};

// A component from its first moment to the end of one script.
class Play : public FrameSink {
 public:
  explicit Play(const string& name) : path_("modules/interactive/" + name + ".wasm") {}

  Play& uniform(const string& key, const string& value) {
    uniforms_.insert_or_assign(key, value);
    return *this;
  }
  // WebAssembly instructions that each call may have.
  Play& fuel(uint64_t instructions) {
    limits_.fuel = instructions;
    return *this;
  }
  Play& only_fingerprint() {
    keeps_frames_ = false;
    return *this;
  }

  Play& run(const string& text) {
    Result<EventScript, string> script = parse_event_script(text);
    EXPECT_TRUE(script.ok()) << (script.ok() ? "" : script.error());
    return run(script.value());
  }

  Play& run(const EventScript& script) {
    const string failure = failure_of(script);
    EXPECT_EQ(failure, "");
    return *this;
  }

  const std::vector<Frame>& frames() const { return frames_; }
  const Frame& last() const { return frames_.back(); }
  const Frame& frame_at(int64_t time) const {
    for (const Frame& frame : frames_) {
      if (frame.time == time) return frame;
    }
    ADD_FAILURE() << "no frame at " << time;
    return frames_.front();
  }
  std::vector<int64_t> times() const {
    std::vector<int64_t> times;
    for (const Frame& frame : frames_) times.push_back(frame.time);
    return times;
  }
  const Fingerprint& fingerprint() const { return fingerprint_; }
  uint32_t width() const { return width_; }
  uint32_t height() const { return height_; }

  MaybeError on_frame(int64_t time, std::span<const uint8_t> rgba) override {
    if (keeps_frames_) frames_.push_back({time, width_, {rgba.begin(), rgba.end()}});
    if (!keeps_frames_) fingerprint_.add_frame(time, rgba);
    return std::nullopt;
  }

 private:
  string failure_of(const EventScript& script) {
    std::ifstream file(path_, std::ios::binary);
    std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
    limits_.policy.strict = true;
    limits_.time = std::chrono::minutes(1);
    Result<Component, HostError> component = load_component(path_, std::move(bytes), limits_);
    if (!component.ok()) return component.error().message;
    TimedBudget budget(limits_);
    budget.resume();
    Result<std::unique_ptr<ComponentInstance>, HostError> instance =
        ComponentInstance::create(component.value(), budget);
    if (!instance.ok()) return instance.error().message;
    Result<InteractiveSession, HostError> session =
        InteractiveSession::bind(*instance.value(), uniforms_);
    budget.pause();
    if (!session.ok()) return session.error().message;
    EXPECT_TRUE(session.value().takes_keys() && session.value().takes_pointer());
    width_ = session.value().width();
    height_ = session.value().height();
    InteractiveLoop loop(session.value(), budget, *this);
    const MaybeError failure = replay(loop, script, *instance.value());
    return failure ? failure->message : "";
  }

  string path_;
  Uniforms uniforms_;
  RunLimits limits_;
  bool keeps_frames_ = true;
  uint32_t width_ = 0, height_ = 0;
  std::vector<Frame> frames_;
  Fingerprint fingerprint_;
};

using Times = std::vector<int64_t>;

// --- All of them ---------------------------------------------------------------------------------

constexpr const char* kNames[] = {"snake", "life", "mandelbrot", "paint", "tick-rates"};

TEST(Interactive, FirstFramesAreOpaqueAndUnmovedByKeysThatMeanNothing) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    Play play(name);
    play.run("0 key F12 down\n0 key F12 up\n0 key Shift down\n0 pointer -5 -5 primary\n");
    ASSERT_EQ(play.frames().size(), 1u);
    ASSERT_EQ(play.last().rgba.size(), size_t{play.width()} * play.height() * 4);
    for (size_t i = 3; i < play.last().rgba.size(); i += 4) {
      ASSERT_EQ(play.last().rgba[i], 255) << "pixel " << i / 4;
    }
    Play untouched(name);
    untouched.run("0 tick\n");
    EXPECT_TRUE(play.last().rgba == untouched.last().rgba);
  }
}

TEST(Interactive, PositionsOfAnySizeAreHarmless) {
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    Play(name)
        .fuel(20'000'000)
        .run(
            "0 pointer 10 100 primary\n"
            "1 pointer 2147483647 2147483647 primary\n"
            "2 pointer -2147483647 2147483647 primary\n"
            "3 pointer 2147483647 -2147483647 primary\n"
            "4 pointer -2147483647 -2147483647 secondary\n"
            "5 pointer 0 0\n"
            "6 pointer -2147483647 -2147483647 primary\n"
            "7 pointer 2147483647 2147483647 secondary\n");
  }
}

// Events of all kinds, the same on every machine.
class Chance {
 public:
  uint32_t below(uint32_t limit) {
    state_ = state_ * 1664525 + 1013904223;
    return (state_ >> 16) % limit;
  }

 private:
  uint32_t state_ = 1;
};

EventScript random_script(size_t count, const std::vector<uint32_t>& keys) {
  constexpr uint32_t kButtons[] = {0, kPrimaryButton, kPrimaryButton, kSecondaryButton};
  EventScript script;
  Chance chance;
  int64_t time = 0;
  for (size_t i = 0; i < count; i++) {
    Event event;
    time += chance.below(20);
    event.time = time;
    if (chance.below(10) < 4) {
      event.kind = EventKind::Key;
      event.keysym = keys[chance.below(static_cast<uint32_t>(keys.size()))];
      event.flags = chance.below(8) > 0 ? uint32_t{kKeyDown} : 0;
    } else {
      event.kind = EventKind::Pointer;
      event.x = static_cast<int32_t>(chance.below(360)) - 20;
      event.y = static_cast<int32_t>(chance.below(280)) - 20;
      event.buttons = kButtons[chance.below(4)];
    }
    script.events.push_back(event);
  }
  return script;
}

void expect_fingerprint(const string& name, size_t events, const std::vector<uint32_t>& keys,
                        uint32_t frames, uint32_t hash) {
  Play play(name);
  play.only_fingerprint().run(random_script(events, keys));
  EXPECT_EQ(play.fingerprint().frames, frames) << name;
  EXPECT_EQ(play.fingerprint().hash, hash) << name << std::hex << " 0x" << play.fingerprint().hash;
}

constexpr uint32_t kLeft = 0xFF51, kUp = 0xFF52, kRight = 0xFF53, kDown = 0xFF54;

TEST(Interactive, TenThousandEventsMakeTheFramesThatAnotherEngineMakes) {
  expect_fingerprint("snake", 10000, {kLeft, kUp, kRight, kDown, 'r', 'r', 'p'}, 2333, 0x5DA18AD9);
  expect_fingerprint("life", 10000, {' ', 's', 'c', 'r', 'g', '+', '-', 's'}, 7733, 0x034F6A09);
  expect_fingerprint("paint", 10000, {'1', '2', '3', '6', '8', '[', ']', 'u', 'c'}, 6013,
                     0x91ADC9FB);
  expect_fingerprint("tick-rates", 10000, {'1', '2', '3', '4', ' '}, 4895, 0x1036D435);
  expect_fingerprint("mandelbrot", 200, {'+', '-', kLeft, kUp, kRight, kDown, '[', ']', 'r'}, 140,
                     0x71BCC328);
}

// --- Snake ---------------------------------------------------------------------------------------

constexpr uint32_t kSnakeBody = 0x4CAF50, kSnakeHead = 0xC5E1A5, kFood = 0xEF5350;

struct Place {
  uint32_t column, row;
  bool operator==(const Place&) const = default;
};

uint32_t color_of_place(const Frame& frame, uint32_t column, uint32_t row) {
  return frame.at(column * 16 + 8, 16 + row * 16 + 8);
}

std::vector<Place> places_of(const Frame& frame, uint32_t color) {
  std::vector<Place> places;
  for (uint32_t row = 0; row < 17; row++) {
    for (uint32_t column = 0; column < 18; column++) {
      if (color_of_place(frame, column, row) == color) places.push_back({column, row});
    }
  }
  return places;
}

std::vector<Place> head_of(const Frame& frame) {
  return places_of(frame, kSnakeHead);
}

TEST(Snake, WaitsForTheFirstKey) {
  Play play("snake");
  play.run("100000 end\n");
  EXPECT_EQ(play.times(), Times{0});
  EXPECT_EQ(play.width(), 288u);
  EXPECT_EQ(play.height(), 288u);
  EXPECT_EQ(head_of(play.last()), (std::vector<Place>{{9, 8}}));
  EXPECT_EQ(places_of(play.last(), kSnakeBody), (std::vector<Place>{{6, 8}, {7, 8}, {8, 8}}));
  // xorshift of 1 is 270369, which is 79 modulo the 302 free cells: row 4, column 7.
  EXPECT_EQ(places_of(play.last(), kFood), (std::vector<Place>{{7, 4}}));
}

// Eight steps a second; the ninth step to the right is into the wall.
TEST(Snake, MovesByItsBeatsUntilTheWall) {
  Play play("snake");
  play.run("100 key Right down\n100000 end\n");
  EXPECT_EQ(play.times(), (Times{0, 100, 225, 350, 475, 600, 725, 850, 975, 1100, 1225}));
  EXPECT_EQ(head_of(play.frame_at(225)), (std::vector<Place>{{10, 8}}));
  EXPECT_EQ(places_of(play.frame_at(225), kSnakeBody),
            (std::vector<Place>{{7, 8}, {8, 8}, {9, 8}}));
  EXPECT_EQ(head_of(play.last()), (std::vector<Place>{{17, 8}}));
}

TEST(Snake, SixtyStepsASecondDoNotDrift) {
  Play play("snake");
  play.uniform("steps_per_second", "60").run("0 key Up down\n100000 end\n");
  EXPECT_EQ(play.times(), (Times{0, 16, 33, 50, 66, 83, 100, 116, 133, 150}));
}

TEST(Snake, AHostThatIsLateLosesSteps) {
  Play play("snake");
  play.run(
      "ticks recorded\n0 key Right down\n1000 tick\n1124 tick\n1125 tick\n1375 tick\n1499 tick\n"
      "1500 tick\n");
  EXPECT_EQ(play.times(), (Times{0, 1000, 1125, 1375, 1500}));
  EXPECT_EQ(head_of(play.last()), (std::vector<Place>{{13, 8}})) << "four steps, not twelve";
}

TEST(Snake, GrowsByWhatItEats) {
  Play play("snake");
  play.run("0 key Up down\n510 key Left down\n900 key p down\n100000 end\n");
  EXPECT_EQ(head_of(play.frame_at(625)), (std::vector<Place>{{8, 4}}));
  EXPECT_EQ(places_of(play.frame_at(625), kSnakeBody).size(), 3u);
  EXPECT_EQ(head_of(play.frame_at(750)), (std::vector<Place>{{7, 4}}));
  // The tail leaves in every step but the one that eats.
  EXPECT_EQ(places_of(play.frame_at(750), kSnakeBody).size(), 4u);
  EXPECT_EQ(places_of(play.frame_at(875), kSnakeBody).size(), 4u);
  ASSERT_EQ(places_of(play.frame_at(750), kFood).size(), 1u);
  EXPECT_NE(places_of(play.frame_at(750), kFood)[0], (Place{7, 4}));
  EXPECT_EQ(play.last().time, 900) << "a pause wants no wake-up";
}

TEST(Snake, DoesNotTurnBack) {
  Play play("snake");
  play.run("0 key Left down\n130 end\n");
  EXPECT_EQ(head_of(play.last()), (std::vector<Place>{{10, 8}}));
}

// With four cells the head may follow the tail in a square, because the tail leaves first.
TEST(Snake, TwoKeysBetweenTwoStepsAreTwoTurnsAndATailIsNoObstacle) {
  Play play("snake");
  play.run("0 key Up down\n10 key Left down\n260 key Down down\n380 key Right down\n501 end\n");
  EXPECT_EQ(head_of(play.frame_at(125)), (std::vector<Place>{{9, 7}}));
  EXPECT_EQ(head_of(play.frame_at(250)), (std::vector<Place>{{8, 7}}));
  EXPECT_EQ(head_of(play.frame_at(375)), (std::vector<Place>{{8, 8}}));
  EXPECT_EQ(head_of(play.frame_at(500)), (std::vector<Place>{{9, 8}}));
}

// With five cells it runs into itself: the same square after the meal at (7, 4).
TEST(Snake, DiesOfItself) {
  Play play("snake");
  play.run(
      "0 key Up down\n510 key Left down\n760 key Down down\n880 key Right down\n"
      "1010 key Up down\n100000 end\n");
  EXPECT_EQ(head_of(play.frame_at(1000)), (std::vector<Place>{{8, 5}}));
  EXPECT_EQ(play.last().time, 1125);
  EXPECT_EQ(head_of(play.last()), (std::vector<Place>{{8, 5}}));
}

TEST(Snake, StartsAnew) {
  Play play("snake");
  play.run("0 key Right down\n5000 key r down\n6000 end\n");
  EXPECT_EQ(play.last().time, 5000);
  EXPECT_EQ(head_of(play.last()), (std::vector<Place>{{9, 8}}));
  EXPECT_EQ(places_of(play.last(), kFood).size(), 1u);
}

TEST(Snake, TheSeedDecidesWhereTheFoodLies) {
  Play play("snake");
  play.uniform("seed", "2").run("0 tick\n");
  // xorshift of 2 is 540738, which is 158 modulo 302; behind the four cells of the snake: 162.
  EXPECT_EQ(places_of(play.last(), kFood), (std::vector<Place>{{0, 9}}));
}

// --- Life ----------------------------------------------------------------------------------------

constexpr uint32_t kLifeColumns = 64, kLifeRows = 45;
using Field = std::set<std::pair<uint32_t, uint32_t>>;  // column, row

Field field_of(const Frame& frame) {
  Field field;
  for (uint32_t row = 0; row < kLifeRows; row++) {
    for (uint32_t column = 0; column < kLifeColumns; column++) {
      if (frame.at(column * 5 + 2, 15 + row * 5 + 2) == 0xFFD54F) field.insert({column, row});
    }
  }
  return field;
}

Field next_generation(const Field& field) {
  Field next;
  for (uint32_t row = 0; row < kLifeRows; row++) {
    for (uint32_t column = 0; column < kLifeColumns; column++) {
      size_t neighbours = 0;
      for (uint32_t i = 0; i < 9; i++) {
        if (i == 4) continue;
        neighbours += field.count({(column + kLifeColumns + i % 3 - 1) % kLifeColumns,
                                   (row + kLifeRows + i / 3 - 1) % kLifeRows});
      }
      if (neighbours == 3 || (neighbours == 2 && field.contains({column, row}))) {
        next.insert({column, row});
      }
    }
  }
  return next;
}

TEST(Life, EveryGenerationFollowsTheRule) {
  for (const char* first : {"0 key g down\n", "0 key r down\n"}) {
    Play play("life");
    play.uniform("generations_per_second", "20").run(string(first) + "5000 end\n");
    ASSERT_EQ(play.frames().size(), 101u);
    Field field = field_of(play.frames()[0]);
    EXPECT_GE(field.size(), 36u) << "the gun alone has 36 cells";
    for (size_t i = 1; i < play.frames().size(); i++) {
      field = next_generation(field);
      ASSERT_EQ(play.frames()[i].time, static_cast<int64_t>(50 * i));
      ASSERT_EQ(field_of(play.frames()[i]), field) << "generation " << i;
    }
  }
}

TEST(Life, ThePointerDrawsAndTheStepKeySteps) {
  Play play("life");
  play.run(
      "0 key c down\n"
      "1 pointer 52 67 primary\n"  // column 10, row 10
      "2 pointer 62 67 primary\n"  // to column 12
      "3 pointer 62 67\n"
      "4 key s down\n"
      "5 key s down repeat\n"
      "100000 end\n");
  EXPECT_EQ(field_of(play.frame_at(0)), Field{});
  EXPECT_EQ(field_of(play.frame_at(1)), (Field{{10, 10}}));
  EXPECT_EQ(field_of(play.frame_at(2)), (Field{{10, 10}, {11, 10}, {12, 10}}));
  EXPECT_EQ(field_of(play.frame_at(4)), (Field{{11, 9}, {11, 10}, {11, 11}}));
  EXPECT_EQ(field_of(play.frame_at(5)), (Field{{10, 10}, {11, 10}, {12, 10}}));
  EXPECT_EQ(play.last().time, 5) << "stepping pauses";
}

TEST(Life, AStrokeThatBeginsOnALivingCellErasesAndSoDoesTheSecondaryButton) {
  Play play("life");
  play.run(
      "0 key c down\n0 key space down\n"
      "1 pointer 2 17 primary\n2 pointer 22 17 primary\n3 pointer 22 17\n"
      "4 pointer 12 17 primary\n5 pointer 12 17\n"
      "6 pointer 0 17 secondary\n");
  EXPECT_EQ(field_of(play.frame_at(2)), (Field{{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}}));
  EXPECT_EQ(field_of(play.frame_at(4)), (Field{{0, 0}, {1, 0}, {3, 0}, {4, 0}}));
  EXPECT_EQ(field_of(play.frame_at(6)), (Field{{1, 0}, {3, 0}, {4, 0}}));
}

TEST(Life, AFastStrokeHasNoGaps) {
  Play play("life");
  play.run("0 key c down\n0 key space down\n1 pointer 0 15 primary\n2 pointer 319 239 primary\n");
  const Field field = field_of(play.last());
  EXPECT_EQ(field.size(), 64u) << "one cell a column";
  std::optional<std::pair<uint32_t, uint32_t>> before;
  for (const auto& [column, row] : field) {
    if (before) {
      EXPECT_EQ(column, before->first + 1);
      EXPECT_LE(row - before->second, 1u);
    }
    before = {column, row};
  }
}

TEST(Life, TimeStandsWhileAButtonIsHeldAndInAPause) {
  Play play("life");
  play.run("50 pointer 300 200 primary\n5000 pointer 300 200\n5150 key space down\n90000 end\n");
  EXPECT_EQ(play.times(), (Times{0, 50, 5100, 5150}));
}

// --- Mandelbrot ----------------------------------------------------------------------------------

struct View {
  double x = -0.5, y = 0;
  int32_t zoom = 0, depth = 256;
};

uint32_t wave(uint32_t position) {
  const uint32_t phase = position % 128;
  return (phase < 64 ? phase : 127 - phase) * 255 / 63;
}

// The definition, without shortcuts.
uint32_t mandelbrot_color(const View& view, int32_t x, int32_t y) {
  const double scale = 0.01 / static_cast<double>(int64_t{1} << view.zoom);
  const double c_real = view.x + (x - 160) * scale, c_imaginary = view.y + (y - 120) * scale;
  double real = 0, imaginary = 0;
  for (uint32_t n = 0; n < static_cast<uint32_t>(view.depth); n++) {
    const double real_square = real * real, imaginary_square = imaginary * imaginary;
    if (real_square + imaginary_square > 4) {
      return wave(n * 2) << 16 | wave(n * 3 + 20) << 8 | wave(n * 5 + 50);
    }
    imaginary = 2 * real * imaginary + c_imaginary;
    real = real_square - imaginary_square + c_real;
  }
  return 0;
}

void expect_view(const Frame& frame, const View& view) {
  size_t wrong = 0;
  for (int32_t y = 0; y < 240; y++) {
    for (int32_t x = 0; x < 320; x++) {
      wrong += frame.at(static_cast<uint32_t>(x), static_cast<uint32_t>(y)) !=
               mandelbrot_color(view, x, y);
    }
  }
  EXPECT_EQ(wrong, 0u) << "pixels that differ";
}

TEST(Mandelbrot, TheFinishedPictureIsTheSetAndNoWakeUpIsWantedAnyMore) {
  Play play("mandelbrot");
  play.run("1000000 end\n");
  EXPECT_LT(play.frames().size(), 100u);
  expect_view(play.last(), View{});
}

TEST(Mandelbrot, TheFirstFrameIsWholeAndCoarse) {
  Play play("mandelbrot");
  play.run("0 tick\n");
  const View view;
  // Whatever the pass, the first pixel of a coarsest block is its own, and no pixel is blank.
  for (int32_t y = 0; y < 240; y += 16) {
    for (int32_t x = 0; x < 320; x += 16) {
      EXPECT_EQ(play.last().at(static_cast<uint32_t>(x), static_cast<uint32_t>(y)),
                mandelbrot_color(view, x, y));
    }
  }
}

TEST(Mandelbrot, KeysMoveAndZoomAtTheCentre) {
  Play play("mandelbrot");
  play.run("0 key Left down\n1 key Up down\n2 key + down\n3 key ] down\n1000000 end\n");
  View view;
  view.x += -40 * 0.01;
  view.y += -40 * 0.01;
  view.zoom = 1;
  view.depth = 512;
  expect_view(play.last(), view);
}

TEST(Mandelbrot, ThePointerZoomsAtItsPlace) {
  Play play("mandelbrot");
  play.run(
      "0 pointer 60 70 primary\n1 pointer 60 70\n2 pointer 260 200 primary\n"
      "3 pointer 261 201 primary\n4 pointer 0 0\n1000000 end\n");
  View view;
  view.x += (60 - 160) * (0.01 - 0.005);
  view.y += (70 - 120) * (0.01 - 0.005);
  view.x += (260 - 160) * (0.005 - 0.0025);
  view.y += (200 - 120) * (0.005 - 0.0025);
  view.zoom = 2;
  expect_view(play.last(), view);
}

TEST(Mandelbrot, UniformsChooseTheFirstViewAndRGoesBackToIt) {
  Play play("mandelbrot");
  play.uniform("center_x", "-0.743643").uniform("center_y", "0.131825").uniform("zoom", "12");
  play.run("0 key + down\n50 key Down down\n60 key r down\n1000000 end\n");
  expect_view(play.last(), {-0.743643, 0.131825, 12, 256});
}

// At a point of the set that is in no shortcut every pixel takes the whole depth.
TEST(Mandelbrot, ATickIsBoundedWhereverOneLooks) {
  Play play("mandelbrot");
  play.uniform("center_x", "-0.1225").uniform("center_y", "0.7448");
  play.uniform("zoom", "42").uniform("depth", "4096").fuel(8'000'000);
  play.run("1000 end\n");
  EXPECT_GT(play.frames().size(), 50u);
}

// --- Paint ---------------------------------------------------------------------------------------

constexpr uint32_t kBlack = 0x000000, kWhite = 0xFFFFFF, kRed = 0xE53935, kBlue = 0x1E88E5;

// Columns of row y that have a colour, as [first, last], if they are without gaps.
Place run_of(const Frame& frame, uint32_t y, uint32_t color) {
  std::optional<Place> run;
  for (uint32_t x = 0; x < frame.width; x++) {
    if (frame.at(x, y) != color) continue;
    EXPECT_TRUE(!run || run->row + 1 == x) << "a gap in row " << y << " at " << x;
    run = run ? Place{run->column, x} : Place{x, x};
  }
  return run.value_or(Place{1, 0});
}
constexpr Place kNoRun = {1, 0};

TEST(Paint, AClickIsADisc) {
  Play play("paint");
  play.run("0 pointer 100 60 primary\n");
  EXPECT_EQ(run_of(play.last(), 57, kBlack), kNoRun);
  EXPECT_EQ(run_of(play.last(), 58, kBlack), (Place{99, 101}));
  EXPECT_EQ(run_of(play.last(), 59, kBlack), (Place{98, 102}));
  EXPECT_EQ(run_of(play.last(), 60, kBlack), (Place{98, 102}));
  EXPECT_EQ(run_of(play.last(), 61, kBlack), (Place{98, 102}));
  EXPECT_EQ(run_of(play.last(), 62, kBlack), (Place{99, 101}));
  EXPECT_EQ(run_of(play.last(), 63, kBlack), kNoRun);
}

TEST(Paint, AFastStrokeHasNoGaps) {
  Play play("paint");
  play.run("0 pointer 20 50 primary\n1 pointer 200 50 primary\n2 pointer 60 160 primary\n");
  const Frame& across = play.frame_at(1);
  EXPECT_EQ(run_of(across, 48, kBlack), (Place{19, 201}));
  EXPECT_EQ(run_of(across, 50, kBlack), (Place{18, 202}));
  EXPECT_EQ(run_of(across, 53, kBlack), kNoRun);
  // The diagonal passes every row below once.
  for (uint32_t y = 54; y <= 160; y++) {
    const Place run = run_of(play.last(), y, kBlack);
    EXPECT_GE(run.row - run.column, 4u) << y;
    EXPECT_LE(run.row - run.column, 8u) << y;
  }
}

TEST(Paint, ColoursComeFromKeysAndFromTheBar) {
  Play play("paint");
  play.run(
      "0 key 2 down\n1 pointer 50 50 primary\n2 pointer 50 50\n"
      "3 pointer 132 230 primary\n4 pointer 132 100 primary\n5 pointer 132 100\n"
      "6 pointer 132 100 primary\n");
  EXPECT_EQ(play.frame_at(1).at(50, 50), kRed);
  // A press in the bar chooses the sixth colour, and dragging from there paints nothing.
  EXPECT_EQ(play.times(), (Times{0, 1, 3, 6}));
  EXPECT_EQ(play.frame_at(3).at(132, 100), kWhite);
  EXPECT_EQ(play.last().at(132, 100), kBlue);
}

TEST(Paint, TheSecondaryButtonErases) {
  Play play("paint");
  play.run(
      "0 pointer 50 50 primary\n1 pointer 80 50 primary\n2 pointer 80 50\n"
      "3 pointer 60 50 secondary\n");
  EXPECT_EQ(play.last().at(57, 50), kBlack);
  EXPECT_EQ(play.last().at(58, 50), kWhite);
  EXPECT_EQ(play.last().at(62, 50), kWhite);
  EXPECT_EQ(play.last().at(63, 50), kBlack);
}

TEST(Paint, BrushesHaveSizesFromOneTo33) {
  Play small("paint");
  small.run("0 key [ down\n0 key [ down\n0 pointer 50 50 primary\n");
  EXPECT_EQ(run_of(small.last(), 50, kBlack), (Place{50, 50}));
  EXPECT_EQ(run_of(small.last(), 51, kBlack), kNoRun);
  string keys;
  for (int i = 0; i < 20; i++) keys += "0 key ] down\n";
  Play large("paint");
  large.run(keys + "0 pointer 50 50 primary\n");
  EXPECT_EQ(run_of(large.last(), 50, kBlack), (Place{34, 66}));
  EXPECT_EQ(run_of(large.last(), 66, kBlack).row, 54u) << "4 beside the centre: 4 * 4 + 16 * 16";
}

TEST(Paint, TheSheetEndsAtTheBar) {
  Play play("paint");
  play.run("0 tick\n1 pointer 160 200 primary\n2 pointer 250 239 primary\n");
  for (uint32_t y = 216; y < 240; y++) {
    for (uint32_t x = 0; x < 320; x++) {
      ASSERT_EQ(play.last().at(x, y), play.frame_at(0).at(x, y)) << x << ", " << y;
    }
  }
  EXPECT_EQ(play.last().at(198, 215), kBlack);
}

TEST(Paint, UndoTakesBackOneStrokeAndGivesItAgain) {
  Play play("paint");
  play.run(
      "0 pointer 50 50 primary\n1 pointer 50 50\n2 pointer 90 90 primary\n3 pointer 90 90\n"
      "4 key u down\n5 key u down\n6 key c down\n7 key u down\n");
  EXPECT_TRUE(play.frame_at(4).rgba == play.frame_at(0).rgba);
  EXPECT_TRUE(play.frame_at(5).rgba == play.frame_at(2).rgba);
  EXPECT_EQ(run_of(play.frame_at(6), 50, kBlack), kNoRun);
  EXPECT_TRUE(play.frame_at(7).rgba == play.frame_at(2).rgba);
}

// --- Tick rates ----------------------------------------------------------------------------------

// Where a lane's runner is: its first column.
uint32_t runner_of(const Frame& frame, uint32_t lane) {
  constexpr uint32_t kColors[] = {0xEF5350, 0xFFCA28, 0x66BB6A, 0x42A5F5};
  return run_of(frame, lane * 50 + 30, kColors[lane]).column;
}

TEST(TickRates, WakesUpExactlyWhenALaneIsDue) {
  Play play("tick-rates");
  play.run("0 key 4 down\n1000 end\n");
  EXPECT_EQ(play.times(), (Times{0, 150, 300, 400, 450, 600, 750, 800, 900, 1000}));
  EXPECT_EQ(runner_of(play.frame_at(450), 0), 8u);
  EXPECT_EQ(runner_of(play.frame_at(450), 1), 8u + 8);
  EXPECT_EQ(runner_of(play.frame_at(450), 2), 8u + 3 * 8);
  EXPECT_EQ(runner_of(play.frame_at(1000), 0), 8u + 8);
}

TEST(TickRates, AHostThatIsLateLosesStepsButNotTheRhythm) {
  Play play("tick-rates");
  play.run("ticks recorded\n0 tick\n1990 tick\n");
  Play punctual("tick-rates");
  punctual.run("1990 end\n");
  EXPECT_EQ(play.times(), (Times{0, 1990}));
  EXPECT_TRUE(play.last().rgba == punctual.last().rgba);
  // 39 beats of 50 ms: 24 places there, 15 back.
  EXPECT_EQ(runner_of(play.last(), 3), 8u + 9 * 8);
}

TEST(TickRates, StandingLanesWantNoWakeUp) {
  Play play("tick-rates");
  play.run("120 key space down\n50000 key 1 down\n52500 pointer 5 5 primary\n90000 end\n");
  EXPECT_EQ(play.times(), (Times{0, 50, 100, 120, 50000, 51000, 52000, 52500}));
}

}  // namespace
}  // namespace qip
