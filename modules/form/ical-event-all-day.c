// An event that takes a whole day, as an iCalendar object (RFC 5545), after asking for its title
// and its date. DTEND is the day after, because it is the first day that does not belong to the
// event.
#include "form/calendar.h"

enum { kTitle, kDate, kFieldCount };

static const Field kFields[kFieldCount] = {
    FIELD("title", "Event title", "Event title", 512, kRequired),
    FIELD("date", "Event date (YYYY-MM-DD)", "Date", kMaxAnswer, kRequired),
};

static const Field* field_at(uint32_t number) {
  return number < kFieldCount ? &kFields[number] : NULL;
}

static Date first_day, day_after;

static bool check_value(uint32_t number, Text value) {
  if (number != kDate) return true;
  if (!read_date(value, &first_day)) return refuse(TEXT(" must be a valid YYYY-MM-DD value."));
  day_after = first_day;
  return advance_days(&day_after, 1) ||
         refuse(TEXT(" is too late: the event must end before the year 10000."));
}

static void write_text(void) {
  put_event_begin();
  put_plain(TEXT("DTSTAMP:"));
  put_date(first_day);
  put_line(TEXT("T000000Z"));
  put_plain(TEXT("DTSTART;VALUE=DATE:"));
  put_date(first_day);
  end_line();
  put_plain(TEXT("DTEND;VALUE=DATE:"));
  put_date(day_after);
  end_line();
  put_text_line(TEXT("SUMMARY:"), answer(kTitle));
  put_event_end();
}
