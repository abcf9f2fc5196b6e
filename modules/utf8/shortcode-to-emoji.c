// Replaces the emoji shortcodes that GitHub knows, such as `:rocket:`, by their emoji. A name that
// is not in the table stays as it is, with its colons, and its closing colon may open the next one.
// Input up to 1 MiB. An emoji is at most four times as long as its shortcode.
#include "component.h"
#include "utf8/emoji_table.h"

INPUT_UTF8(1 << 20)
OUTPUT_UTF8(4 << 20)

enum { kEmojiCount = sizeof emoji_table / sizeof emoji_table[0] };

static bool is_name_byte(uint32_t byte) {
  return byte - 'a' < 26 || is_digit(byte) || byte == '_' || byte == '-' || byte == '+';
}

// The order of a name in the input and a name of the table: negative, zero or positive.
static int32_t compare_names(const uint8_t* name, uint32_t len, const char* other) {
  for (uint32_t i = 0; i < len; ++i) {
    const int32_t difference = (int32_t)name[i] - (uint8_t)other[i];
    if (difference != 0) return difference;  // also when the other name ends here
  }
  return other[len] == '\0' ? 0 : -1;
}

// The emoji of a name, or null. The table is sorted by the bytes of the names.
static const char* find_emoji(const uint8_t* name, uint32_t len) {
  uint32_t low = 0, high = kEmojiCount;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const int32_t order = compare_names(name, len, emoji_table[middle].name);
    if (order == 0) return emoji_table[middle].emoji;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

RENDER(uint32_t input_len) {
  output_len = 0;
  for (uint32_t at = 0; at < input_len;) {
    if (input[at] != ':') {
      put(input[at++]);
      continue;
    }
    uint32_t end = at + 1;
    while (end < input_len && is_name_byte(input[end])) ++end;
    const char* emoji = NULL;
    if (end < input_len && input[end] == ':') emoji = find_emoji(input + at + 1, end - at - 1);
    if (emoji != NULL) {
      while (*emoji != '\0') put((uint8_t)*emoji++);
      at = end + 1;
    } else {
      put_bytes(input + at, end - at);
      at = end;
    }
  }
  return output_len;
}
