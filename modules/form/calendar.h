// What the forms for calendar events share: dates of the Gregorian calendar, and an iCalendar
// object (RFC 5545) with one event.
//
// Promises: the same answers give the same object, byte for byte. There is no clock here, so
// DTSTAMP, the time at which the object was made, is a stand-in: the event's start, read as UTC.
// UID is a UUID (RFC 9562, version 8) computed from the answers, so an event entered twice is one
// event.
#pragma once

#include "form/content_lines.h"
#include "form/form.h"

typedef struct {
  uint32_t year, month, day;  // years 1 to 9999, months and days from 1
} Date;

static bool is_leap_year(uint32_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t days_of_month(uint32_t year, uint32_t month) {
  static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && is_leap_year(year));
}

// The number that `count` decimal digits make; false if one is not a digit.
static bool read_digits(const uint8_t* bytes, uint32_t count, uint32_t* number) {
  *number = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (!is_digit(bytes[i])) return false;
    *number = *number * 10 + (bytes[i] - '0');
  }
  return true;
}

// YYYY-MM-DD, a day that exists.
static bool read_date(Text text, Date* date) {
  if (text.size != 10 || text.bytes[4] != '-' || text.bytes[7] != '-') return false;
  if (!read_digits(text.bytes, 4, &date->year) || !read_digits(text.bytes + 5, 2, &date->month) ||
      !read_digits(text.bytes + 8, 2, &date->day))
    return false;
  if (date->year == 0 || date->month - 1 >= 12) return false;
  return date->day - 1 < days_of_month(date->year, date->month);
}

// False if the next day is in the year 10000, which no date can be written with.
static bool advance_day(Date* date) {
  if (date->day < days_of_month(date->year, date->month)) {
    ++date->day;
    return true;
  }
  date->day = 1;
  if (date->month < 12) {
    ++date->month;
    return true;
  }
  date->month = 1;
  ++date->year;
  return date->year <= 9999;
}

static bool advance_days(Date* date, uint32_t days) {
  for (; days > 0; --days) {
    if (!advance_day(date)) return false;
  }
  return true;
}

static void put_digits(uint32_t number, uint32_t count) {
  uint8_t digits[4];
  for (uint32_t i = count; i > 0; number /= 10) digits[--i] = (uint8_t)('0' + number % 10);
  put_unit(digits, count);
}

static void put_date(Date date) {
  put_digits(date.year, 4);
  put_digits(date.month, 2);
  put_digits(date.day, 2);
}

// --- Identity ------------------------------------------------------------------------------------

// FNV-1a over `text` and a separator, which no answer holds.
static uint64_t hash_text(uint64_t hash, Text text) {
  for (uint32_t i = 0; i <= text.size; ++i) {
    hash = (hash ^ (i < text.size ? text.bytes[i] : 0)) * 0x100000001B3;
  }
  return hash;
}

// Spreads every bit of the hash over all of them (the finalizer of SplitMix64).
static uint64_t mix(uint64_t hash) {
  hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ hash >> 27) * 0x94D049BB133111EB;
  return hash ^ hash >> 31;
}

static void put_hex(uint64_t number, uint32_t digits) {
  static const char hex[16] = "0123456789abcdef";
  while (digits-- > 0) put_unit((const uint8_t*)&hex[number >> 4 * digits & 15], 1);
}

// From all answers: two hashes that begin differently.
static void put_unique_id(void) {
  uint64_t high = 0xCBF29CE484222325, low = ~high;
  for (uint32_t i = 0; field_at(i) != NULL; ++i) {
    high = hash_text(high, answer(i));
    low = hash_text(low, answer(i));
  }
  high = mix(high);
  low = mix(low);
  put_plain(TEXT("UID:"));
  put_hex(high >> 32, 8);
  put_plain(TEXT("-"));
  put_hex(high >> 16, 4);
  put_plain(TEXT("-8"));  // the version
  put_hex(high, 3);
  put_plain(TEXT("-"));
  put_hex((low >> 48 & 0x3FFF) | 0x8000, 4);  // the variant
  put_plain(TEXT("-"));
  put_hex(low, 12);
  end_line();
}

// --- The object ----------------------------------------------------------------------------------

static void put_event_begin(void) {
  put_line(TEXT("BEGIN:VCALENDAR"));
  put_line(TEXT("VERSION:2.0"));
  put_line(TEXT("PRODID:-//qip//Event form//EN"));
  put_line(TEXT("CALSCALE:GREGORIAN"));
  put_line(TEXT("BEGIN:VEVENT"));
  put_unique_id();
}

static void put_event_end(void) {
  put_line(TEXT("END:VEVENT"));
  put_line(TEXT("END:VCALENDAR"));
}
