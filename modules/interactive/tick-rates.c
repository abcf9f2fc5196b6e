// How a component keeps several times without a clock: four lanes, each with a rate of its own. A
// tick moves the lanes that are due and asks for the next one when the first of them is due again.
//
// The keys 1 to 4, or a click into a lane, stop it and let it go on; space does so for all.
// Promises: no tick is asked for that would change nothing, none at all while every lane stands; a
// host that is late loses steps, never the rhythm, because beats are counted from the lane's start.
#include "interactive/interactive.h"

FRAME(320, 200)

enum { kLanes = 4, kLaneHeight = kHeight / kLanes, kTrack = 208, kRunner = 16, kPlaces = 24 };
enum { kTrackX = 8, kTrackY = 22 };

static const Color kBackground = RGB(20, 22, 30), kTrackColor = RGB(45, 50, 66);
static const Color kText = RGB(207, 216, 220), kDim = RGB(96, 104, 122);
static const Color kLaneColors[kLanes] = {RGB(239, 83, 80), RGB(255, 202, 40), RGB(102, 187, 106),
                                          RGB(66, 165, 245)};
static const char* const kLaneTexts[kLanes] = {"EVERY 1000 MS", "EVERY 400 MS", "EVERY 150 MS",
                                               "EVERY 50 MS"};
static const int32_t kPeriods[kLanes] = {1000, 400, 150, 50};

typedef struct {
  bool is_running;
  int64_t start;   // when beat 0 was
  uint32_t first;  // the number of beat 0
  uint32_t beats;
} Lane;

static Lane lanes[kLanes];

// There and back: 0 to kPlaces and down again.
static int32_t place_of(uint32_t beats) {
  const int32_t phase = (int32_t)(beats % (2 * kPlaces));
  return phase < kPlaces ? phase : 2 * kPlaces - phase;
}

static void draw_runner(uint32_t number, Color color) {
  const int32_t x = kTrackX + place_of(lanes[number].beats) * 8;
  fill(x, (int32_t)number * kLaneHeight + kTrackY, kRunner, kRunner, color);
}

static void draw_count(uint32_t number) {
  const int32_t y = (int32_t)number * kLaneHeight;
  char text[8];
  write_number(text, 7, lanes[number].beats % 10000000);
  fill(248, y + kTrackY + 3, 64, kGlyphHeight, kBackground);
  fill_text(248, y + kTrackY + 3, text, kText);
}

static void draw_lane(uint32_t number) {
  const int32_t y = (int32_t)number * kLaneHeight;
  const bool is_running = lanes[number].is_running;
  fill(0, y, kWidth, kLaneHeight, kBackground);
  fill_text(kTrackX, y + 6, kLaneTexts[number], is_running ? kText : kDim);
  fill(kTrackX, y + kTrackY, kTrack, kRunner, kTrackColor);
  draw_runner(number, is_running ? kLaneColors[number] : kDim);
  draw_count(number);
}

static void start(void) {
  for (uint32_t i = 0; i < kLanes; ++i) {
    lanes[i] = (Lane){.is_running = true};
    draw_lane(i);
  }
}

// The beat that `now` belongs to, counted from the lane's start and not from the last tick.
static uint32_t beats_at(const Lane* lane, int32_t period, int64_t now) {
  return lane->first + (uint32_t)((now - lane->start) / period);
}

static int64_t next_beat_of(const Lane* lane, int32_t period) {
  return lane->start + ((int64_t)(lane->beats - lane->first) + 1) * period;
}

static void toggle(uint32_t number, int64_t now) {
  Lane* lane = &lanes[number];
  lane->is_running = !lane->is_running;
  lane->start = now;
  lane->first = lane->beats;
  draw_lane(number);
}

static bool is_any_running(void) {
  for (uint32_t i = 0; i < kLanes; ++i) {
    if (lanes[i].is_running) return true;
  }
  return false;
}

// Stops every lane, or lets all go on if none does.
static void toggle_all(int64_t now) {
  const bool stops = is_any_running();
  for (uint32_t i = 0; i < kLanes; ++i) {
    if (lanes[i].is_running == stops) toggle(i, now);
  }
}

KEY_EVENT(uint32_t key, uint32_t flags, int64_t now) {
  begin();
  if (!is_first_press(flags)) return 0;
  if (key - '1' < kLanes) {
    toggle(key - '1', now);
    return 1;
  }
  if (key != ' ') return 0;
  toggle_all(now);
  return 1;
}

static uint32_t held_buttons;

POINTER_EVENT(uint32_t buttons, int32_t x, int32_t y, int64_t now) {
  begin();
  const uint32_t pressed = buttons & ~held_buttons;
  held_buttons = buttons;
  if ((pressed & kPrimary) == 0 || x < 0 || x >= kWidth || y < 0 || y >= kHeight) return 0;
  toggle((uint32_t)(y / kLaneHeight), now);
  return 1;
}

static void advance(uint32_t number, int64_t now) {
  Lane* lane = &lanes[number];
  const uint32_t beats = beats_at(lane, kPeriods[number], now);
  if (beats == lane->beats) return;
  draw_runner(number, kTrackColor);
  lane->beats = beats;
  draw_runner(number, kLaneColors[number]);
  draw_count(number);
}

TICK(int64_t now) {
  begin();
  int64_t wake_up = kNoWakeUp;
  for (uint32_t i = 0; i < kLanes; ++i) {
    if (!lanes[i].is_running) continue;
    advance(i, now);
    const int64_t due = next_beat_of(&lanes[i], kPeriods[i]);
    if (wake_up == kNoWakeUp || due < wake_up) wake_up = due;
  }
  return wake_up;
}
