// Interactive components through the built command: row 96 of the acceptance table byte for byte,
// every error of such a run, and replays: which frames, at which times, in which files.
//
// Expected pictures are worked out here. The animation is taken apart chunk by chunk.
#include <filesystem>
#include <set>

#include "host/digest.hpp"
#include "host/image.hpp"
#include "spec-tests/component_folder.hpp"
#include "spec-tests/pictures.hpp"
#include "spec-tests/terminal.hpp"

namespace qip {
namespace {

namespace fs = std::filesystem;
using namespace pictures;

const ComponentFolder& folder() {
  static const ComponentFolder made("qip-interactive");
  return made;
}

std::string shipped(const std::string& name) {
  return fs::absolute("modules/interactive/" + name + ".wasm").string();
}

// --- Components ----------------------------------------------------------------------------------

// A frame of width x height pixels at 1024. Every part may be replaced.
struct Parts {
  int64_t width = 2;
  int64_t height = 3;
  std::string size = "24";
  std::string announced = "(i32.const 24)";
  std::string pointer = wat::value("output_ptr", 1024);
  std::string tick = "(i64.const 0)";
  std::string render{};  // before its result
  std::string more{};

  std::string text() const {
    return wat::module("(memory (export \"memory\") 8 8) " + more +
                       wat::value("render_width_px", width) +
                       wat::value("render_height_px", height) + pointer +
                       "(func (export \"output_rgba8_srgb_bytes\") (result i32) " + announced +
                       ")" + "(func (export \"tick\") (param $now i64) (result i64) " + tick + ")" +
                       "(func (export \"render\") (param i32) (result i32) (local $i i32) " +
                       render + " (i32.const " + size + "))");
  }
};

// Fills the frame with $value of the pixel number $i.
std::string fill(const std::string& size, const std::string& value) {
  return "(local.set $i (i32.const 0)) (loop $next (i32.store offset=1024 (i32.shl (local.get $i)"
         " (i32.const 2)) " +
         value +
         ") (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))"
         " (i32.const " +
         std::to_string(std::stoi(size) / 4) + "))))";
}

// 288 x 288 pixels, alpha and all.
std::string pattern() {
  Parts parts;
  parts.width = parts.height = 288;
  parts.size = "331776";
  parts.announced = "(i32.const 331776)";
  parts.render = fill(parts.size, "(i32.mul (local.get $i) (i32.const 0x9E3779B1))");
  return folder().build("pattern", parts.text());
}

Picture pattern_picture() {
  Picture picture = uniform(288, 288, {});
  for (uint32_t i = 0; i < 288 * 288; i++) {
    const uint32_t bits = i * 0x9E3779B1;
    picture.pixels[i] = {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8),
                         static_cast<uint8_t>(bits >> 16), static_cast<uint8_t>(bits >> 24)};
  }
  return picture;
}

constexpr uint32_t kMixerSide = 8;

// Stirs all that it is told into one number, from which its pixels are made, and wants to be called
// after as many milliseconds as the number's low bits say. Events ask for a frame by its bit 5.
std::string mixer() {
  const auto stir = [](const std::string& value) {
    return "(global.set $state (i32.add (i32.mul (global.get $state) (i32.const 0x01000193)) " +
           value + "))";
  };
  const std::string now = stir("(i32.wrap_i64 (local.get $now))");
  const std::string asks = "(i32.and (i32.shr_u (global.get $state) (i32.const 5)) (i32.const 1))";
  Parts parts;
  parts.width = parts.height = kMixerSide;
  parts.size = "256";
  parts.announced = "(i32.const 256)";
  parts.tick = now +
               "(i64.add (local.get $now) (i64.extend_i32_u (i32.and (i32.shr_u (global.get $state)"
               " (i32.const 8)) (i32.const 63))))";
  parts.render = fill(parts.size,
                      "(i32.mul (global.get $state) (i32.add (local.get $i)"
                      " (i32.const 1)))");
  parts.more =
      "(global $state (mut i32) (i32.const 1))"
      "(func (export \"uniform_set_seed\") (param i32) (global.set $state (local.get 0)))"
      "(func (export \"key_event\") (param $key i32) (param $flags i32) (param $now i64)"
      " (result i32)" +
      stir("(local.get $key)") + stir("(local.get $flags)") + now + asks +
      ")(func (export \"pointer_event\") (param $buttons i32) (param $x i32) (param $y i32)"
      " (param $now i64) (result i32)" +
      stir("(local.get $buttons)") + stir("(local.get $x)") + stir("(local.get $y)") + now + asks +
      ")";
  return folder().build("mixer", parts.text());
}

// --- The mixer's frames, without it --------------------------------------------------------------

struct Told {
  int64_t time = 0;
  std::vector<uint32_t> words;  // none: a tick or the end
  std::string line;
  bool is_end = false;
};

struct Shown {
  int64_t time = 0;
  uint32_t state = 0;
};

Picture mixer_picture(uint32_t state) {
  Picture picture = uniform(kMixerSide, kMixerSide, {});
  for (uint32_t i = 0; i < kMixerSide * kMixerSide; i++) {
    const uint32_t bits = state * (i + 1);
    picture.pixels[i] = {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8),
                         static_cast<uint8_t>(bits >> 16), static_cast<uint8_t>(bits >> 24)};
  }
  return picture;
}

// Goes from millisecond to millisecond.
std::vector<Shown> expected_frames(const std::vector<Told>& events, uint32_t state = 1) {
  std::vector<Shown> shown;
  const auto stir = [&state](uint32_t value) { state = state * 0x01000193 + value; };
  int64_t wake = 0;
  size_t next = 0;
  const int64_t end = events.empty() ? 0 : events.back().time;
  for (int64_t now = 0; now <= end; now++) {
    bool is_wanted = now == wake;
    if (!is_wanted && (events[next].time != now || events[next].is_end)) continue;
    for (; next < events.size() && events[next].time == now; next++) {
      if (events[next].words.empty()) continue;
      for (const uint32_t word : events[next].words) stir(word);
      stir(static_cast<uint32_t>(now));
      is_wanted |= (state >> 5 & 1) != 0;
    }
    stir(static_cast<uint32_t>(now));
    const int64_t wish = now + (state >> 8 & 63);
    wake = wish > now ? wish : now + 1;
    if (is_wanted) shown.push_back({now, state});
  }
  return shown;
}

std::vector<Told> random_events(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Told> events;
  int64_t time = 0;
  for (size_t i = 0; i < count; i++) {
    time += random() % 3 * (random() % 12);
    Told event;
    event.time = time;
    const std::string start = std::to_string(time);
    const uint32_t kind = random() % 8;
    if (kind == 0) {
      event.line = start + " tick";
    } else if (kind < 5) {
      const uint32_t key = 0xFF00 + random() % 256;
      const bool is_down = random() % 2 == 0, is_shift = random() % 4 == 0;
      event.words = {key, uint32_t{is_down} | (is_shift ? 4u : 0u)};
      event.line = start + " key " + std::to_string(key) + (is_down ? " down" : " up") +
                   (is_shift ? " shift" : "");
    } else {
      const int32_t x = static_cast<int32_t>(random() % 400) - 50;
      const int32_t y = static_cast<int32_t>(random());
      const bool is_held = random() % 2 == 0;
      event.words = {is_held ? 5u : 0u, static_cast<uint32_t>(x), static_cast<uint32_t>(y)};
      event.line = start + " pointer " + std::to_string(x) + " " + std::to_string(y) +
                   (is_held ? " primary secondary" : "");
    }
    events.push_back(event);
  }
  return events;
}

std::string script_of(const std::vector<Told>& events) {
  std::string text;
  for (const Told& event : events) text += event.line + "\n";
  return text;
}

// The lines of -v that begin with "frame", and the one that counts them.
std::string frame_lines(const ProcessResult& result) {
  std::string lines;
  std::istringstream in(result.error);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("frame ") || line.find(" frame") != std::string::npos)
      lines += line + "\n";
  }
  return lines;
}

std::string expected_lines(const std::vector<Shown>& frames) {
  std::string lines;
  for (size_t i = 0; i < frames.size(); i++) {
    const std::string file = bmp(mixer_picture(frames[i].state));
    lines +=
        "frame " + std::to_string(i + 1) + " at " + std::to_string(frames[i].time) +
        "ms sha256: " + sha256_text({reinterpret_cast<const uint8_t*>(file.data()), file.size()}) +
        "\n";
  }
  return lines + std::to_string(frames.size()) + (frames.size() == 1 ? " frame\n" : " frames\n");
}

// --- The first frame -----------------------------------------------------------------------------

TEST(InteractiveRun, Row96ABmpWhateverStdinHolds) {
  const std::string wanted = bmp(pattern_picture());
  ASSERT_EQ(wanted.size(), 331830u);
  const std::string long_input(3 << 20, '\xFF');
  for (const std::string_view input :
       {std::string_view(), std::string_view("x\n"), std::string_view("\0\xFE", 2),
        std::string_view(long_input)}) {
    const ProcessResult result = folder().qip({"run", pattern()}, input);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_EQ(result.error, "");
    EXPECT_TRUE(result.output == wanted) << input.size() << " bytes on stdin";
  }
  const ProcessResult snake = folder().qip({"run", shipped("snake")});
  EXPECT_EQ(snake.exit_code, 0) << snake.error;
  EXPECT_EQ(snake.output.size(), 331830u);
  EXPECT_EQ(read_bmp(snake.output).width, 288u);
}

TEST(InteractiveRun, TheInputIsReadAndIgnored) {
  folder().put("input", "anything");
  EXPECT_TRUE(folder().qip({"run", "-i", "input", pattern()}).output == bmp(pattern_picture()));
  EXPECT_TRUE(failed(folder().qip({"run", "-i", "absent", pattern()}),
                     {"Error reading input file: open absent: no such file or directory"}));
  // The writer is not cut off, and an endless one does not keep the command.
  EXPECT_EQ(folder()
                .shell("set -o pipefail; head -c 9000000 /dev/zero | $COMMAND run " + pattern() +
                       " | wc -c")
                .output,
            "331830\n");
  EXPECT_EQ(folder().shell("yes | $COMMAND run " + pattern() + " | wc -c").output, "331830\n");
  EXPECT_EQ(folder().shell("$COMMAND run " + pattern() + " </dev/null | wc -c").output, "331830\n");
}

TEST(InteractiveRun, ATerminalIsNotWaitedFor) {
  const std::string out = folder().path("from-terminal.bmp");
  Terminal terminal({fs::absolute(qip_path()).string(), "run", "-o", out, pattern()});
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  EXPECT_TRUE(folder().get("from-terminal.bmp") == bmp(pattern_picture()));
}

TEST(InteractiveRun, TheNameOfTheOutputSaysItsFormat) {
  const Picture picture = pattern_picture();
  for (const char* name : {"a.png", "a.PNG", "a.bmp", "a.jpg", "a.jpeg", "a.data"}) {
    EXPECT_TRUE(succeeded(folder().qip({"run", "-o", name, pattern()}), "")) << name;
  }
  EXPECT_TRUE(read_png(folder().get("a.png")).picture == picture);
  EXPECT_EQ(folder().get("a.PNG"), folder().get("a.png"));
  EXPECT_TRUE(folder().get("a.bmp") == bmp(picture));
  EXPECT_TRUE(folder().get("a.data") == bmp(picture));
  EXPECT_EQ(folder().get("a.jpg").substr(0, 3), "\xFF\xD8\xFF");
  EXPECT_EQ(folder().get("a.jpeg"), folder().get("a.jpg"));
  EXPECT_TRUE(folder().qip({"run", "-o", "-", pattern()}).output == bmp(picture));
}

TEST(InteractiveRun, UniformsApply) {
  const auto first = [](uint32_t seed) { return bmp(mixer_picture(seed * 0x01000193)); };
  EXPECT_TRUE(folder().qip({"run", mixer()}).output == first(1));
  EXPECT_TRUE(folder().qip({"run", mixer(), "?seed=77"}).output == first(77));
  EXPECT_TRUE(folder().qip({"run", mixer(), "-u", "seed=78"}).output == first(78));
  EXPECT_TRUE(
      failed(folder().qip({"run", mixer(), "?speed=1"}), {"does not export uniform_set_speed"}));
}

TEST(InteractiveRun, InALongerChainItIsContent) {
  Parts parts;
  parts.render = "(memory.copy (i32.const 1024) (i32.const 2048) (i32.const 4))";
  parts.more = wat::value("input_ptr", 2048) + wat::value("input_utf8_cap", 1024) +
               wat::value("output_utf8_cap", 1024);
  parts.size = "4";
  parts.announced = "(i32.const 4)";
  parts.width = parts.height = 1;
  const std::string both = folder().build("both", parts.text());
  EXPECT_TRUE(succeeded(folder().qip({"run", both, folder().build("echo", wat::echo())}, "text"),
                        "text\n"));
  EXPECT_EQ(folder().qip({"run", both}, "text").output, bmp(make(1, 1, {{0, 0, 0, 0}})));
}

TEST(InteractiveRun, WhatLacksAPieceIsContent) {
  const std::string part = folder().build(
      "no-tick", wat::module(wat::input() + wat::output() + wat::entry(wat::kCopy) +
                             wat::value("render_width_px", 1) + wat::value("render_height_px", 1) +
                             wat::value("output_rgba8_srgb_bytes", 4)));
  EXPECT_TRUE(succeeded(folder().qip({"run", part}, "text"), "text\n"));
}

TEST(InteractiveRun, ResultsAreNotKeptInACache) {
  for (int i = 0; i < 2; i++) {
    const ProcessResult result = folder().qip({"run", "-v", "--cache", "cache", pattern()});
    EXPECT_TRUE(result.output == bmp(pattern_picture()));
    EXPECT_EQ(result.error.find("cache: hit"), std::string::npos);
  }
  const std::string echo = folder().build("echo", wat::echo());
  EXPECT_TRUE(succeeded(folder().qip({"run", "--cache", "cache", echo}, "x"), "x\n"));
  folder().put("none", "");
  EXPECT_TRUE(failed(folder().qip({"run", "--cache", "cache", "--events", "none", echo}, "x"),
                     {"--events and --frames need one interactive component"}));
}

TEST(InteractiveRun, InspectAndDryRunSayWhatItIs) {
  EXPECT_TRUE(holds(folder().qip({"inspect", mixer()}).output,
                    {"contract:  Interactive, because it exports tick(i64) -> i64",
                     "frame:     8 x 8 pixels, takes keys and the pointer"}));
  EXPECT_TRUE(holds(folder().qip({"inspect", pattern()}).output,
                    {"frame:     288 x 288 pixels, takes no events"}));
  EXPECT_TRUE(holds(folder().qip({"inspect", "--json", mixer()}).output,
                    {R"("frame":{"width":8,"height":8,"takes_keys":true,"takes_pointer":true})"}));
  const ProcessResult plan = folder().qip({"run", "--dry-run", mixer()});
  EXPECT_EQ(plan.exit_code, 0);
  EXPECT_TRUE(holds(
      plan.output, {"contract: Interactive", "input:    none but events",
                    "output:   frames of 8 x 8 pixels, image/bmp", "Pipeline compatible: 1 step"}));
  Parts parts;
  parts.height = -1;
  const std::string broken = folder().build("plan-broken", parts.text());
  const ProcessResult refused = folder().qip({"run", "--dry-run", broken});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(holds(refused.error, {"invalid render size 2x-1"}));
}

// --- Its errors ----------------------------------------------------------------------------------

struct WrongPart {
  const char* name;
  Parts parts;
  std::string error;  // behind the path
};

std::vector<WrongPart> wrong_parts() {
  std::vector<WrongPart> list;
  const auto add = [&list](const char* name, const std::string& error) -> Parts& {
    list.push_back({name, {}, error});
    return list.back().parts;
  };
  const std::string expected = " bytes, expected 24 (render_width_px*render_height_px*4)";
  add("width-0", "interactive module reported invalid render size 0x3").width = 0;
  add("width-minus", "interactive module reported invalid render size -7x3").width = -7;
  add("height-0", "interactive module reported invalid render size 2x0").height = 0;
  add("height-minus", "interactive module reported invalid render size 2x-1").height = -1;
  add("tick-trap", "tick(0) failed: ").tick = "unreachable";
  add("render-trap", "render(0) failed: ").render = "unreachable";
  add("render-size", "render(0) returned 23" + expected).size = "23";
  add("bytes", "output_rgba8_srgb_bytes returned 28" + expected).announced = "(i32.const 28)";
  add("no-pointer", "interactive module missing output_ptr export").pointer = "";
  add("pointer", "could not read output frame").pointer = wat::value("output_ptr", 524288 - 23);
  add("pointer-minus", "could not read output frame").pointer = wat::value("output_ptr", -1);
  add("key", "Wasm module must export key_event as (i32, i32, i64) -> i32").more =
      "(func (export \"key_event\") (param i32 i32) (result i32) (i32.const 0))";
  add("tick-loop", "Wasm module exceeded the execution time limit (200ms)").tick =
      "(loop $for_ever (br $for_ever)) (unreachable)";
  Parts& wide = add("wide", "an image of 70000 x 1 pixels is too large");
  wide.width = 70000;
  wide.height = 1;
  wide.size = "280000";
  wide.announced = "(i32.const 280000)";
  // The size of the frame is read before the uniforms are set.
  Parts& early = add("early", "output_rgba8_srgb_bytes returned 20" + expected);
  early.more =
      "(global $bytes (mut i32) (i32.const 20))"
      "(func (export \"uniform_set_bytes\") (param i32) (global.set $bytes (local.get 0)))";
  early.announced = "(global.get $bytes)";
  return list;
}

TEST(InteractiveRun, EveryErrorNamesTheComponentAndWritesNothing) {
  for (const WrongPart& wrong : wrong_parts()) {
    SCOPED_TRACE(wrong.name);
    const std::string path = folder().build(wrong.name, wrong.parts.text());
    Strings arguments = {"run", "--timeout-ms", "200", path};
    if (std::string_view(wrong.name) == "early") arguments.push_back("?bytes=24");
    EXPECT_TRUE(failed(folder().qip(arguments), {path + ": " + wrong.error}));
    arguments.insert(arguments.begin() + 1, {"-o", "never.png", "--frames", "never"});
    EXPECT_TRUE(failed(folder().qip(arguments), {path + ": " + wrong.error}));
    EXPECT_FALSE(folder().has("never.png"));
    EXPECT_FALSE(folder().has("never"));
  }
}

TEST(InteractiveRun, AnImportIsRefused) {
  Parts parts;
  parts.more = "";
  std::string text = parts.text();
  text.insert(std::string("(module ").size(), "(import \"env\" \"now\" (func (result i64)))");
  EXPECT_TRUE(failed(folder().qip({"run", folder().build("import", text)}), {"env", "now"}));
}

// --- Replays -------------------------------------------------------------------------------------

TEST(Replay, TenThousandEventsMakeTheFramesThatTheRulesSay) {
  const std::vector<Told> events = random_events(10'000, 1);
  folder().put("events", script_of(events));
  const std::vector<Shown> frames = expected_frames(events);
  EXPECT_GT(frames.size(), 4'000u);
  const ProcessResult first =
      folder().qip({"run", "-v", "--events", "events", mixer()}, "", 60'000);
  ASSERT_EQ(first.exit_code, 0) << first.error;
  EXPECT_TRUE(frame_lines(first) == expected_lines(frames));
  EXPECT_TRUE(first.output == bmp(mixer_picture(frames.back().state)));
  const ProcessResult again =
      folder().qip({"run", "-v", "--events", "events", mixer()}, "", 60'000);
  EXPECT_TRUE(frame_lines(again) == frame_lines(first));
}

TEST(Replay, AScriptMayComeFromStdin) {
  const std::vector<Told> events = random_events(50, 2);
  const std::vector<Shown> frames = expected_frames(events, 9);
  const ProcessResult result =
      folder().qip({"run", "-v", "--events", "-", mixer(), "?seed=9"}, script_of(events));
  EXPECT_EQ(frame_lines(result), expected_lines(frames));
  EXPECT_TRUE(result.output == bmp(mixer_picture(frames.back().state)));
}

TEST(Replay, TheEndLetsTimePassAndIsNoStepItself) {
  std::vector<Told> events = random_events(20, 3);
  const int64_t last = events.back().time;
  for (int64_t end = last + 2'000; end < last + 2'070; end++) {  // wake-ups are at most 63 apart
    events.push_back({end, {}, std::to_string(end) + " end", true});
    const ProcessResult result =
        folder().qip({"run", "-v", "--events", "-", mixer()}, script_of(events));
    ASSERT_EQ(frame_lines(result), expected_lines(expected_frames(events)));
    events.pop_back();
  }
}

TEST(Replay, TheLastFrameIsTheOutput) {
  const std::vector<Told> events = random_events(30, 4);
  const Picture last = mixer_picture(expected_frames(events).back().state);
  folder().put("short", script_of(events));
  EXPECT_TRUE(succeeded(folder().qip({"run", "--events", "short", mixer()}), bmp(last)));
  EXPECT_TRUE(succeeded(folder().qip({"run", "--events", "short", "-o", "last.png", mixer()}), ""));
  EXPECT_TRUE(read_png(folder().get("last.png")).picture == last);
}

// --- Folders of frames ---------------------------------------------------------------------------

Strings names_in(const std::string& name) {
  Strings names;
  for (const auto& entry : fs::directory_iterator(folder().path(name))) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string frame_file(size_t number) {
  const std::string digits = std::to_string(number);
  return "frame-" + std::string(6 - digits.size(), '0') + digits + ".png";
}

void expect_frames_in(const std::string& name, const std::vector<Shown>& frames) {
  Strings names;
  std::string index;
  for (size_t i = 0; i < frames.size(); i++) {
    names.push_back(frame_file(i + 1));
    index += std::to_string(i + 1) + " " + std::to_string(frames[i].time) + "\n";
    EXPECT_TRUE(read_png(folder().get(name + "/" + names.back())).picture ==
                mixer_picture(frames[i].state))
        << names.back();
  }
  names.push_back("frames.txt");
  EXPECT_EQ(names_in(name), names) << "nothing else, and nothing half";
  EXPECT_EQ(folder().get(name + "/frames.txt"), index);
}

TEST(Replay, EveryFrameIsAFile) {
  const std::vector<Told> events = random_events(60, 5);
  folder().put("sixty", script_of(events));
  EXPECT_TRUE(
      succeeded(folder().qip({"run", "--events", "sixty", "--frames", "all", mixer()}), ""));
  expect_frames_in("all", expected_frames(events));
  // A shorter one into the same folder leaves none of the longer behind.
  const std::vector<Told> few(events.begin(), events.begin() + 9);
  folder().put("nine", script_of(few));
  EXPECT_TRUE(succeeded(folder().qip({"run", "--events", "nine", "--frames", "all", mixer()}), ""));
  expect_frames_in("all", expected_frames(few));
  EXPECT_TRUE(succeeded(folder().qip({"run", "--frames", "all", mixer()}), ""));
  expect_frames_in("all", expected_frames({}));
}

TEST(Replay, TheLastFrameComesBesidesWhenAsked) {
  const std::vector<Told> events = random_events(5, 6);
  const Picture last = mixer_picture(expected_frames(events).back().state);
  folder().put("five", script_of(events));
  const Strings start = {"run", "--events", "five", "--frames", "five-frames", mixer(), "-o"};
  const auto with = [&start](const std::string& name) {
    Strings arguments = start;
    arguments.push_back(name);
    return folder().qip(arguments);
  };
  EXPECT_TRUE(succeeded(with("five.png"), ""));
  EXPECT_TRUE(read_png(folder().get("five.png")).picture == last);
  EXPECT_TRUE(succeeded(with("-"), bmp(last)));
}

TEST(Replay, AFolderWithoutItsIndexIsNotComplete) {
  Parts parts;
  parts.more =
      "(func (export \"key_event\") (param i32 i32 i64) (result i32)"
      " (if (i32.eq (local.get 0) (i32.const 120)) (then unreachable)) (i32.const 1))";
  const std::string path = folder().build("trap-at-x", parts.text());
  folder().put("good", "1 key a down\n2 key b down\n");
  folder().put("bad", "1 key a down\n2 key x down\n3 key b down\n");
  const auto run = [&path](const std::string& events) {
    return folder().qip(
        {"run", "--events", events, "--frames", "partly", "-o", "partly.apng", path});
  };
  EXPECT_TRUE(succeeded(run("good"), ""));
  EXPECT_EQ(names_in("partly").back(), "frames.txt");
  fs::remove(folder().path("partly.apng"));
  EXPECT_TRUE(failed(run("bad"), {path + ": key_event() failed: "}));
  EXPECT_EQ(names_in("partly"), (Strings{frame_file(1), frame_file(2), frame_file(3)}))
      << "the third is of the run before";
  EXPECT_FALSE(folder().has("partly.apng"));
}

TEST(Replay, AFolderThatCannotBeIsAnError) {
  folder().put("file", "");
  EXPECT_TRUE(failed(folder().qip({"run", "--frames", "file", mixer()}),
                     {"Error creating frames folder: open file: not a directory"}));
  EXPECT_TRUE(failed(folder().qip({"run", "--frames", "absent/frames", mixer()}),
                     {"Error creating frames folder: mkdir absent/frames: no such file"}));
  EXPECT_TRUE(failed(folder().qip({"run", "--frames", "", mixer()}), {"Invalid frames: "}));
}

// --- Animations ----------------------------------------------------------------------------------

struct AnimationFrame {
  uint32_t numerator = 0, denominator = 0;
};

// Checks what is the same in every file: order, checksums, sequence numbers, counts.
std::vector<AnimationFrame> frames_of_animation(const std::string& file) {
  std::vector<AnimationFrame> frames;
  uint32_t sequence = 0, count = 0;
  std::string types;
  EXPECT_EQ(file.substr(0, 8), "\x89PNG\r\n\x1a\n");
  for (size_t at = 8; at + 12 <= file.size();) {
    const std::string type = file.substr(at + 4, 4);
    const std::string data = file.substr(at + 8, big(file, at));
    EXPECT_EQ(file.substr(at, data.size() + 12), chunk(type, data));
    if (types.empty() || !types.ends_with(type)) types += type;
    if (type == "acTL") {
      count = big(data, 0);
      EXPECT_EQ(big(data, 4), 0u) << "it plays without end";
    }
    if (type == "fcTL" || type == "fdAT") {
      EXPECT_EQ(big(data, 0), sequence++);
    }
    if (type == "fcTL") {
      const uint32_t delay = big(data, 20);
      frames.push_back({delay >> 16, delay & 0xFFFF});
    }
    at += 12 + data.size();
  }
  EXPECT_EQ(count, frames.size());
  std::string wanted = "IHDRacTLfcTLIDAT";
  for (size_t i = 1; i < frames.size(); i++) wanted += "fcTLfdAT";
  EXPECT_EQ(types, wanted + "IEND");
  return frames;
}

TEST(Replay, AnAnimationHasEveryFrameForItsTime) {
  const std::vector<Told> events = random_events(100, 7);
  const std::vector<Shown> frames = expected_frames(events);
  folder().put("hundred", script_of(events));
  EXPECT_TRUE(
      succeeded(folder().qip({"run", "--events", "hundred", "-o", "hundred.apng", mixer()}), ""));
  const std::string file = folder().get("hundred.apng");
  const std::vector<AnimationFrame> read = frames_of_animation(file);
  ASSERT_EQ(read.size(), frames.size());
  for (size_t i = 0; i + 1 < read.size(); i++) {
    EXPECT_EQ(read[i].numerator, frames[i + 1].time - frames[i].time) << i;
    EXPECT_EQ(read[i].denominator, 1000u);
  }
  EXPECT_EQ(read.back().numerator, 100u);
  const auto shown = decode_image({reinterpret_cast<const uint8_t*>(file.data()), file.size()});
  ASSERT_TRUE(shown.ok()) << shown.error();
  Picture picture = uniform(shown.value().width, shown.value().height, {});
  for (size_t i = 0; i < picture.pixels.size(); i++) {
    const uint8_t* from = &shown.value().rgba[4 * i];
    picture.pixels[i] = {from[0], from[1], from[2], from[3]};
  }
  EXPECT_TRUE(picture == mixer_picture(frames.front().state));
}

TEST(Replay, TheLastFrameOfAnAnimationIsShownUntilTheEnd) {
  folder().put("until", "100 key Right down\n3000 end\n");
  ASSERT_TRUE(succeeded(
      folder().qip({"run", "--events", "until", "-o", "until.APNG", shipped("snake")}), ""));
  const std::vector<AnimationFrame> frames = frames_of_animation(folder().get("until.APNG"));
  ASSERT_EQ(frames.size(), 11u) << "nine steps to the wall";
  EXPECT_EQ(frames[0].numerator, 100u);
  EXPECT_EQ(frames[1].numerator, 125u);
  EXPECT_EQ(frames.back().numerator, 3000u - 1225u);
}

TEST(Replay, OneFrameIsAnAnimationToo) {
  ASSERT_TRUE(succeeded(folder().qip({"run", "-o", "one.apng", pattern()}), ""));
  EXPECT_EQ(frames_of_animation(folder().get("one.apng")).size(), 1u);
  EXPECT_TRUE(
      succeeded(folder().qip({"run", "--cache", "cache", "-o", "two.apng", pattern()}), ""));
  EXPECT_EQ(folder().get("two.apng"), folder().get("one.apng"));
}

// --- What a replay refuses -----------------------------------------------------------------------

TEST(Replay, AWrongScriptIsToldBeforeAnythingRuns) {
  folder().put("wrong", "0 tick\n1 key Rigth down\n");
  EXPECT_TRUE(failed(folder().qip({"run", "--events", "wrong", "--frames", "no", mixer()}),
                     {"Error reading events: wrong: line 2: not a key: \"Rigth\""}));
  EXPECT_TRUE(failed(folder().qip({"run", "--events", "-", mixer()}, "0 jump\n"),
                     {"Error reading events: /dev/stdin: line 1: want key, pointer, tick or end"}));
  EXPECT_TRUE(failed(folder().qip({"run", "--events", "absent", mixer()}),
                     {"Error reading events: open absent: no such file or directory"}));
  EXPECT_TRUE(failed(folder().qip({"run", "--events", ".", mixer()}), {"Error reading events: "}));
  EXPECT_FALSE(folder().has("no"));
}

TEST(Replay, OnlyOneInteractiveComponentCanFollowEvents) {
  const std::string echo = folder().build("echo", wat::echo());
  const std::string wanted = "--events and --frames need one interactive component and no other";
  folder().put("empty", "");
  for (const Strings& option : {Strings{"--events", "empty"}, Strings{"--frames", "no"}}) {
    Strings arguments = {"run", option[0], option[1], echo};
    EXPECT_TRUE(failed(folder().qip(arguments), {wanted}));
    arguments = {"run", option[0], option[1], "--each", "-o", "no", echo, "--", "empty"};
    EXPECT_TRUE(failed(folder().qip(arguments), {"--each takes no --events and no --frames"}));
  }
  EXPECT_FALSE(folder().has("no"));
}

TEST(Replay, AnUnstoppableClockIsStopped) {
  Parts parts;
  parts.tick = "(i64.add (local.get $now) (i64.const 1))";
  const std::string path = folder().build("restless", parts.text());
  folder().put("aeons", "9000000000000000000 end\n");
  EXPECT_TRUE(failed(folder().qip({"run", "--events", "aeons", path}, "", 120'000),
                     {path + ": wants more than 1000000 wake-ups between the events"}));
}

}  // namespace
}  // namespace qip
