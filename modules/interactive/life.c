// Conway's game of life on a torus of 64 by 45 cells.
//
// Space pauses and goes on; s or Right makes one step; c clears; r fills at random; g puts back the
// gliders' gun; + and - change the speed. The pointer draws: the primary button what the first cell
// was not, the secondary button dead cells. Time stands while a button is held.
// Uniforms: `generations_per_second` i32, 1 to 60 (10); `seed` i32 of the random cells (1).
// Promises: a generation draws only cells that changed; in a pause no wake-up is wanted.
#include "interactive/interactive.h"

FRAME(320, 240)

enum { kCell = 5, kColumns = 64, kRows = 45, kBar = kHeight - kRows * kCell };

static const Color kGrid = RGB(24, 28, 34), kDead = RGB(12, 14, 18), kAlive = RGB(255, 213, 79);
static const Color kText = RGB(176, 190, 197);

// A row is a word, bit x is column x.
static uint64_t cells[kRows];
static uint32_t generation;
static bool is_running;
static Beat beat;
static int32_t rate = 10;
static uint32_t seed = 1, random_state;

UNIFORM("generations_per_second") set_generations_per_second(int32_t generations) {
  rate = clamped(generations, 1, 60);
}
UNIFORM("seed") set_seed(uint32_t value) {
  seed = value != 0 ? value : 1;
}

// --- Drawing -------------------------------------------------------------------------------------

static void draw_bar(void) {
  char number[8];
  fill(0, 0, kWidth, kBar, kGrid);
  fill_text(4, 3, is_running ? "RUNNING" : "PAUSED", kText);
  write_number(number, 2, (uint32_t)rate);
  fill_text(84, 3, number, kText);
  fill_text(108, 3, "PER SECOND", kText);
  fill_text(204, 3, "GEN", kText);
  write_number(number, 7, generation);
  fill_text(244, 3, number, kText);
}

static void set_row(uint32_t row, uint64_t value) {
  for (uint64_t changed = cells[row] ^ value; changed != 0; changed &= changed - 1) {
    const int32_t column = __builtin_ctzll(changed);
    const Color color = value >> column & 1 ? kAlive : kDead;
    fill(column * kCell, kBar + (int32_t)row * kCell, kCell - 1, kCell - 1, color);
  }
  cells[row] = value;
}

// --- Patterns ------------------------------------------------------------------------------------

static void clear(void) {
  for (uint32_t row = 0; row < kRows; ++row) set_row(row, 0);
  generation = 0;
}

static void fill_at_random(void) {
  for (uint32_t row = 0; row < kRows; ++row) {
    // A quarter of the cells.
    uint64_t value = (uint64_t)next_random(&random_state) << 32 | next_random(&random_state);
    value &= (uint64_t)next_random(&random_state) << 32 | next_random(&random_state);
    set_row(row, value);
  }
  generation = 0;
}

// Gosper's gun, which sends out a glider every 30 generations.
static void put_gun(void) {
  static const char* const rows[9] = {
      "........................O...........", "......................O.O...........",
      "............OO......OO............OO", "...........O...O....OO............OO",
      "OO........O.....O...OO..............", "OO........O...O.OO....O.O...........",
      "..........O.....O.......O...........", "...........O...O....................",
      "............OO......................",
  };
  clear();
  for (uint32_t row = 0; row < 9; ++row) {
    uint64_t value = 0;
    for (uint32_t column = 0; column < 36; ++column) {
      value |= (uint64_t)(rows[row][column] == 'O') << (column + 4);
    }
    set_row(row + 4, value);
  }
}

static void start(void) {
  random_state = seed;
  is_running = true;
  start_beat(&beat, rate, 0);
  fill(0, 0, kWidth, kHeight, kGrid);
  for (int32_t row = 0; row < kRows; ++row) {
    for (int32_t column = 0; column < kColumns; ++column) {
      fill(column * kCell, kBar + row * kCell, kCell - 1, kCell - 1, kDead);
    }
  }
  put_gun();
  draw_bar();
}

// --- The rule ------------------------------------------------------------------------------------

// Two bits of a count for each of 64 columns.
typedef struct {
  uint64_t ones, twos;
} Counts;

static uint64_t rotated(uint64_t row, uint32_t by) {
  return row << by | row >> (64 - by);
}

// Of a cell and its neighbours to the left and right, how many are alive.
static Counts count_of_three(uint64_t row) {
  const uint64_t left = rotated(row, 1), right = rotated(row, 63);
  const uint64_t either = left ^ right;
  return (Counts){either ^ row, (left & right) | (either & row)};
}

// A row after one generation, from it and the counts of the three rows. A cell lives if the nine
// cells around and including it count 3, or 4 with itself alive.
static uint64_t next_row(uint64_t row, Counts above, Counts here, Counts below) {
  // ones + ones + ones, then twos + twos + twos + carry; sums stay below 10, so what has no fours
  // and no small bits is 0 or 8.
  const uint64_t half = above.ones ^ here.ones;
  const uint64_t ones = half ^ below.ones;
  const uint64_t carry = (above.ones & here.ones) | (half & below.ones);
  const uint64_t pair = above.twos ^ here.twos, pair_carry = above.twos & here.twos;
  const uint64_t other = below.twos ^ carry, other_carry = below.twos & carry;
  const uint64_t twos = pair ^ other;
  const uint64_t fours = pair_carry ^ other_carry ^ (pair & other);
  const uint64_t is_three = ones & twos & ~fours;
  const uint64_t is_four = ~ones & ~twos & fours;
  return is_three | (is_four & row);
}

static void step(void) {
  Counts above = count_of_three(cells[kRows - 1]), here = count_of_three(cells[0]);
  const Counts first = here;
  for (uint32_t row = 0; row < kRows; ++row) {
    const Counts below = row + 1 < kRows ? count_of_three(cells[row + 1]) : first;
    set_row(row, next_row(cells[row], above, here, below));
    above = here;
    here = below;
  }
  ++generation;
  draw_bar();
}

// --- The pointer ---------------------------------------------------------------------------------

static uint32_t held_buttons;
static bool draws_alive;
static int32_t last_column, last_row;

static void set_cell(int32_t column, int32_t row, bool alive) {
  if (column < 0 || column >= kColumns || row < 0 || row >= kRows) return;
  const uint64_t bit = (uint64_t)1 << column;
  set_row((uint32_t)row, alive ? cells[row] | bit : cells[row] & ~bit);
}

// Every cell from the last one to this one (Bresenham), so a fast stroke has no gaps.
static void draw_stroke(int32_t column, int32_t row) {
  const int32_t width = column > last_column ? column - last_column : last_column - column;
  const int32_t height = row > last_row ? row - last_row : last_row - row;
  const int32_t step_x = column > last_column ? 1 : -1, step_y = row > last_row ? 1 : -1;
  int32_t error = width - height;
  set_cell(last_column, last_row, draws_alive);
  while (last_column != column || last_row != row) {
    const int32_t twice = 2 * error;
    if (twice > -height) {
      error -= height;
      last_column += step_x;
    }
    if (twice < width) {
      error += width;
      last_row += step_y;
    }
    set_cell(last_column, last_row, draws_alive);
  }
}

POINTER_EVENT(uint32_t buttons, int32_t x, int32_t y, int64_t now) {
  begin();
  buttons &= kPrimary | kSecondary;
  const bool is_press = held_buttons == 0 && buttons != 0;
  const bool is_release = held_buttons != 0 && buttons == 0;
  held_buttons = buttons;
  if (is_release) start_beat(&beat, rate, now);
  if (buttons == 0) return 0;
  // A little beyond the field is as good as far beyond it.
  const int32_t column = clamped(x, -kCell, kWidth + kCell - 1) / kCell - (x < 0);
  const int32_t below = clamped(y, -kCell, kHeight + kCell - 1) - kBar;
  const int32_t row = below / kCell - (below < 0);
  if (is_press) {
    const bool inside = column >= 0 && column < kColumns && row >= 0 && row < kRows;
    draws_alive = (buttons & kSecondary) == 0 && !(inside && (cells[row] >> column & 1) != 0);
    last_column = column;
    last_row = row;
  }
  draw_stroke(column, row);
  return 1;
}

// --- Keys and time -------------------------------------------------------------------------------

KEY_EVENT(uint32_t key, uint32_t flags, int64_t now) {
  begin();
  if ((flags & kFlagDown) == 0) return 0;
  switch (to_lower(key)) {
    case ' ':
    case 'p':
      if ((flags & kFlagRepeat) != 0) return 0;
      is_running = !is_running;
      break;
    case 's':
    case kKeyRight:
      is_running = false;
      step();
      break;
    case 'c':
      clear();
      break;
    case 'r':
      fill_at_random();
      break;
    case 'g':
      put_gun();
      break;
    case '+':
    case '=':
      rate = min_of(rate + 1 + rate / 8, 60);
      break;
    case '-':
      rate = max_of(rate - 1 - rate / 8, 1);
      break;
    default:
      return 0;
  }
  start_beat(&beat, rate, now);
  draw_bar();
  return 1;
}

TICK(int64_t now) {
  begin();
  if (!is_running || held_buttons != 0) return kNoWakeUp;
  if (take_beat(&beat, now)) step();
  return next_beat(&beat);
}
