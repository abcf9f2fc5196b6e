// An event with a start and a duration in minutes, as an iCalendar object (RFC 5545), after asking
// for its title, date, time and duration. Its times are local ones, wherever the reader is (form 1
// of section 3.3.5): the form asks for no time zone.
#include "form/calendar.h"

enum { kTitle, kDate, kStart, kDuration, kFieldCount };

static const Field kFields[kFieldCount] = {
    FIELD("title", "Event title", "Event title", 512, kRequired),
    FIELD("date", "Event date (YYYY-MM-DD)", "Date", kMaxAnswer, kRequired),
    FIELD("start_time", "Start time (HH:MM)", "Start time", kMaxAnswer, kRequired),
    FIELD("duration_minutes", "Duration in minutes", "Duration", kMaxAnswer, kRequired),
};

static const Field* field_at(uint32_t number) {
  return number < kFieldCount ? &kFields[number] : NULL;
}

enum { kMinutesOfDay = 24 * 60, kMaxDuration = 366 * kMinutesOfDay };

static Date start_day, end_day;
static uint32_t start_minute, end_minute;  // of the day

// HH:MM, from 00:00 to 23:59.
static bool read_time(Text text, uint32_t* minute_of_day) {
  uint32_t hours, minutes;
  if (text.size != 5 || text.bytes[2] != ':' || !read_digits(text.bytes, 2, &hours) ||
      !read_digits(text.bytes + 3, 2, &minutes) || hours > 23 || minutes > 59)
    return false;
  *minute_of_day = hours * 60 + minutes;
  return true;
}

// Digits only; the number stops growing where it is too large in any case.
static bool check_duration(Text value) {
  uint32_t duration = 0;
  for (uint32_t i = 0; i < value.size; ++i) {
    if (!is_digit(value.bytes[i])) return refuse(TEXT(" must be an integer number of minutes."));
    if (duration <= kMaxDuration) duration = duration * 10 + (value.bytes[i] - '0');
  }
  if (duration == 0) return refuse(TEXT(" must be at least 1 minute."));
  if (duration > kMaxDuration) return refuse(TEXT(" is too large."));
  end_day = start_day;
  end_minute = (start_minute + duration) % kMinutesOfDay;
  return advance_days(&end_day, (start_minute + duration) / kMinutesOfDay) ||
         refuse(TEXT(" is too large."));
}

static bool check_value(uint32_t number, Text value) {
  switch (number) {
    case kDate:
      return read_date(value, &start_day) || refuse(TEXT(" must be a valid YYYY-MM-DD value."));
    case kStart:
      return read_time(value, &start_minute) || refuse(TEXT(" must be a valid HH:MM value."));
    case kDuration:
      return check_duration(value);
    default:
      return true;
  }
}

static void put_time(Text name, Date date, uint32_t minute) {
  put_plain(name);
  put_date(date);
  put_plain(TEXT("T"));
  put_digits(minute / 60, 2);
  put_digits(minute % 60, 2);
  put_plain(TEXT("00"));
}

static void write_text(void) {
  put_event_begin();
  put_time(TEXT("DTSTAMP:"), start_day, start_minute);
  put_line(TEXT("Z"));
  put_time(TEXT("DTSTART:"), start_day, start_minute);
  end_line();
  put_time(TEXT("DTEND:"), end_day, end_minute);
  end_line();
  put_text_line(TEXT("SUMMARY:"), answer(kTitle));
  put_event_end();
}
