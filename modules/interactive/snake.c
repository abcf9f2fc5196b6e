// Snake: eat, grow, touch neither the walls nor yourself.
//
// Arrow keys, or w a s d, steer and start; p or space pauses; r or Return starts anew.
// Uniforms: `steps_per_second` i32, 1 to 60 (8); `seed` i32 of where the food lies (1). The same
// seed and the same events at the same times are the same game.
// Promises: a step draws at most three cells; between games and in a pause no wake-up is wanted.
#include "interactive/interactive.h"

FRAME(288, 288)

enum {
  kCell = 16,
  kColumns = kWidth / kCell,
  kRows = kHeight / kCell - 1,
  kCells = kColumns * kRows
};
enum { kBar = kCell };  // the line of text above the field

static const Color kBackground = RGB(18, 24, 32), kBarColor = RGB(38, 50, 56);
static const Color kBody = RGB(76, 175, 80), kHead = RGB(197, 225, 165), kFood = RGB(239, 83, 80);
static const Color kText = RGB(236, 239, 241);

typedef enum { kWaiting, kRunning, kPaused, kLost, kWon } Phase;
typedef enum { kUp, kRight, kDown, kLeft } Direction;

static Phase phase;
static uint32_t score, best;
static uint32_t random_state;
static Beat beat;

// The cells of the snake, from its tail: a ring.
static uint16_t body[kCells];
static uint32_t tail, length;
static bool is_taken[kCells];
static uint32_t food;

// Turns that were asked for and not made yet: two keys between two steps are two turns.
static Direction direction, turns[2];
static uint32_t turn_count;

static int32_t steps_per_second = 8;
static uint32_t seed = 1;

UNIFORM("steps_per_second") set_steps_per_second(int32_t steps) {
  steps_per_second = clamped(steps, 1, 60);
}
UNIFORM("seed") set_seed(uint32_t value) {
  seed = value != 0 ? value : 1;
}

// --- Drawing -------------------------------------------------------------------------------------

static void draw_cell(uint32_t cell, Color color) {
  const int32_t x = (int32_t)(cell % kColumns) * kCell, y = (int32_t)(cell / kColumns) * kCell;
  fill(x + 1, kBar + y + 1, kCell - 2, kCell - 2, color);
}

static const char* phase_text(void) {
  switch (phase) {
    case kWaiting:
      return "ARROWS START";
    case kPaused:
      return "PAUSED";
    case kLost:
      return "R RESTARTS";
    case kWon:
      return "YOU WIN";
    default:
      return "";
  }
}

static void draw_bar(void) {
  char number[4];
  fill(0, 0, kWidth, kBar, kBarColor);
  fill_text(8, 3, "SCORE", kText);
  write_number(number, 3, score);
  fill_text(56, 3, number, kHead);
  fill_text(96, 3, "BEST", kText);
  write_number(number, 3, best);
  fill_text(136, 3, number, kHead);
  fill_text(184, 3, phase_text(), kText);
}

// --- The game ------------------------------------------------------------------------------------

static uint32_t head_cell(void) {
  return body[(tail + length - 1) % kCells];
}

static void add_head(uint32_t cell) {
  body[(tail + length) % kCells] = (uint16_t)cell;
  ++length;
  is_taken[cell] = true;
  draw_cell(cell, kHead);
}

static void drop_tail(void) {
  const uint32_t cell = body[tail];
  tail = (tail + 1) % kCells;
  --length;
  is_taken[cell] = false;
  draw_cell(cell, kBackground);
}

// On one of the free cells, each as likely. There is one.
static void place_food(void) {
  uint32_t skipped = next_random(&random_state) % (kCells - length);
  for (food = 0; is_taken[food] || skipped > 0; ++food) skipped -= !is_taken[food];
  draw_cell(food, kFood);
}

static void new_game(void) {
  fill(0, kBar, kWidth, kHeight - kBar, kBackground);
  for (uint32_t cell = 0; cell < kCells; ++cell) is_taken[cell] = false;
  phase = kWaiting;
  score = tail = length = turn_count = 0;
  direction = kRight;
  const uint32_t middle = kRows / 2 * kColumns + kColumns / 2;
  for (uint32_t cell = middle - 3; cell <= middle; ++cell) {
    if (length > 0) draw_cell(cell - 1, kBody);
    add_head(cell);
  }
  place_food();
  draw_bar();
}

static void start(void) {
  random_state = seed;
  new_game();
}

// The cell in front of the head, or kCells for a wall.
static uint32_t next_cell(void) {
  const uint32_t cell = head_cell(), column = cell % kColumns;
  switch (direction) {
    case kUp:
      return cell >= kColumns ? cell - kColumns : kCells;
    case kDown:
      return cell + kColumns < kCells ? cell + kColumns : kCells;
    case kLeft:
      return column > 0 ? cell - 1 : kCells;
    default:
      return column + 1 < kColumns ? cell + 1 : kCells;
  }
}

static void end_game(Phase how) {
  phase = how;
  draw_bar();
}

static void eat(void) {
  ++score;
  if (score > best) best = score;
  if (length == kCells) {
    end_game(kWon);
    return;
  }
  place_food();
  draw_bar();
}

static void step(void) {
  if (turn_count > 0) {
    direction = turns[0];
    turns[0] = turns[1];
    --turn_count;
  }
  const uint32_t cell = next_cell();
  // The tail's cell is free: the tail leaves it in the same step.
  const bool is_free = cell < kCells && (!is_taken[cell] || cell == body[tail]);
  if (!is_free) {
    end_game(kLost);
    return;
  }
  draw_cell(head_cell(), kBody);
  if (cell != food) drop_tail();
  add_head(cell);
  if (cell == food) eat();
}

// --- The contract --------------------------------------------------------------------------------

// The direction that a key means; false if none.
static bool steering(uint32_t key, Direction* wanted) {
  switch (key) {
    case kKeyUp:
    case 'w':
      *wanted = kUp;
      return true;
    case kKeyRight:
    case 'd':
      *wanted = kRight;
      return true;
    case kKeyDown:
    case 's':
      *wanted = kDown;
      return true;
    case kKeyLeft:
    case 'a':
      *wanted = kLeft;
      return true;
    default:
      return false;
  }
}

// Turning back, and on in the same direction, is no turn.
static void turn(Direction wanted) {
  const Direction last = turn_count > 0 ? turns[turn_count - 1] : direction;
  if (turn_count < 2 && (wanted ^ last) & 1) turns[turn_count++] = wanted;
}

static int32_t set_phase(Phase wanted, int64_t now) {
  phase = wanted;
  start_beat(&beat, steps_per_second, now);
  draw_bar();
  return 1;
}

static int32_t steer(Direction wanted, int64_t now) {
  if (phase == kLost || phase == kWon) return 0;
  turn(wanted);
  return phase != kRunning ? set_phase(kRunning, now) : 0;
}

KEY_EVENT(uint32_t key, uint32_t flags, int64_t now) {
  begin();
  if (!is_first_press(flags)) return 0;
  key = to_lower(key);
  Direction wanted;
  if (steering(key, &wanted)) return steer(wanted, now);
  if (key == 'r' || key == kKeyReturn) {
    new_game();
    return 1;
  }
  if (key != 'p' && key != ' ') return 0;
  if (phase == kRunning) return set_phase(kPaused, now);
  return phase == kPaused ? set_phase(kRunning, now) : 0;
}

// Nothing to point at; but some hosts take a component for interactive only if it has both.
POINTER_EVENT(uint32_t buttons, int32_t x, int32_t y, int64_t now) {
  (void)buttons, (void)x, (void)y, (void)now;
  return 0;
}

TICK(int64_t now) {
  begin();
  if (phase == kRunning && take_beat(&beat, now)) step();
  return phase == kRunning ? next_beat(&beat) : kNoWakeUp;
}
