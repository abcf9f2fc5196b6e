// The components of modules/form/, filled in through the built command: what they ask, what they
// refuse and with which words, and what they write, byte for byte.
// Assumes: the working directory is the root of the repository; the command is $QIP or build/qip.
// Expected values come from RFC 5322 and 2047 (mail), RFC 6350 (vCard), RFC 5545 (iCalendar).
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "spec-tests/process.hpp"

namespace qip {
namespace {

using std::string;
using std::string_view;

constexpr const char* kForms[] = {"email-message", "vcard-business", "ical-event-all-day",
                                  "ical-event-minutes"};

ProcessResult fill_in(const string& form, const string& lines) {
  return run_process(
      {qip_path(), "form", "--strict", "--timeout-ms", "60000", "modules/form/" + form + ".wasm"},
      lines, 90000);
}

// What the form writes, without the prompts: the part of stdout from `begin` on.
string text_of(const string& form, const string& lines, const string& begin) {
  const ProcessResult result = fill_in(form, lines);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  const size_t at = result.output.find(begin);
  EXPECT_NE(at, string::npos) << result.output;
  return at == string::npos ? "" : result.output.substr(at);
}

string mail_of(const string& lines) {
  return text_of("email-message", lines, "From: ");
}
string card_of(const string& lines) {
  return text_of("vcard-business", lines, "BEGIN:");
}
string all_day_event_of(const string& lines) {
  return text_of("ical-event-all-day", lines, "BEGIN:");
}
string timed_event_of(const string& lines) {
  return text_of("ical-event-minutes", lines, "BEGIN:");
}

// The line that begins so, without its end; folded lines are put together.
string line_of(string text, const string& begin) {
  for (size_t at; (at = text.find("\r\n ")) != string::npos;) text.erase(at, 3);
  const size_t from = text.find("\n" + begin);
  if (from == string::npos) return "";
  return text.substr(from + 1, text.find('\r', from) - from - 1);
}

std::vector<string> lines_of(const string& text, const string& end) {
  std::vector<string> lines;
  for (size_t from = 0; from < text.size();) {
    const size_t to = text.find(end, from);
    EXPECT_NE(to, string::npos) << "a line without its end";
    if (to == string::npos) break;
    lines.push_back(text.substr(from, to - from));
    from = to + end.size();
  }
  return lines;
}

// The form answers `value`, given behind `before`, with this message, and asks again.
void expect_refused(const string& form, const string& before, const string& value,
                    const string& message) {
  SCOPED_TRACE(form + " with \"" + value.substr(0, 60) + "\"");
  const ProcessResult result = fill_in(form, before + value + "\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.error.find("form input aborted"), string::npos) << result.error;
  const size_t at = result.output.find("Error: ");
  ASSERT_NE(at, string::npos) << result.output;
  EXPECT_EQ(result.output.substr(at, result.output.find('\n', at) - at), "Error: " + message);
  EXPECT_TRUE(result.output.ends_with(": ")) << result.output;
}

string repeated(const string& piece, size_t count) {
  string text;
  while (count-- > 0) text += piece;
  return text;
}

// --- All of them ---------------------------------------------------------------------------------

TEST(Forms, KeepTheStrictProfileAndTheirContract) {
  for (const char* form : kForms) {
    const ProcessResult result = run_process(
        {qip_path(), "run", "--strict", "--dry-run", string("modules/form/") + form + ".wasm"});
    EXPECT_NE(result.output.find("contract: Form"), string::npos) << form << result.error;
  }
}

TEST(Forms, RefuseWhatIsEmptyTooLongOrNoText) {
  for (const char* form : kForms) {
    const ProcessResult asked = fill_in(form, "");
    const string label = asked.output.substr(0, asked.output.find(": "));
    EXPECT_EQ(asked.output, label + ": ") << "nothing but the first prompt";
    expect_refused(form, "", "", label + " is required.");
    expect_refused(form, "", " \t ", label + " is required.");
    expect_refused(form, "", string(1024, 'x'), label + " is too long.");
    for (const char* value : {"\xFF", "a\xC3", "\xC0\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
                              "\xF4\x90\x80\x80", "\x80", "\xF0\x8F\xBF\xBF"}) {
      expect_refused(form, "", value, label + " must be valid UTF-8.");
    }
    for (const char* value :
         {"a\tb", "a\rb", "\x1B[31m", "\x7F", "\xC2\x9B", "\xE2\x80\xA8x", "\xE2\x80\xA9x"}) {
      expect_refused(form, "", value, label + " must be one line without control characters.");
    }
  }
}

TEST(Forms, TakeAValueAsLongAsTheInputBufferButNotOneByteMore) {
  const ProcessResult result = fill_in("email-message", string(1025, 'x') + "\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.error.find("input value exceeds module input_utf8_cap (1025 > 1024)"),
            string::npos)
      << result.error;
}

// --- Mail ----------------------------------------------------------------------------------------

TEST(EmailMessageForm, AsksAgainAfterAnInvalidAddress) {
  const ProcessResult result = fill_in("email-message", "Ada\nbad\nada@example.com\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.output,
            "First name: Email address: Error: Email address is invalid.\n"
            "Email address: From: no-reply@example.com\n"
            "To: \"Ada\" <ada@example.com>\n"
            "Subject: Welcome, Ada\n"
            "\n"
            "Hi Ada,\n"
            "\n"
            "Welcome! From now on you will hear from us at\n"
            "ada@example.com\n"
            "\n"
            "Best wishes,\n"
            "qip\n");
}

TEST(EmailMessageForm, ValuesLoseTheWhiteSpaceAtTheirEnds) {
  EXPECT_EQ(mail_of("  Ada \t\n ada@example.com \n"), mail_of("Ada\nada@example.com\n"));
}

TEST(EmailMessageForm, QuotesNamesInTheHeader) {
  const string mail = mail_of("Ada \"A\" \\ L\na@example.com\n");
  EXPECT_NE(mail.find("\nTo: \"Ada \\\"A\\\" \\\\ L\" <a@example.com>\n"), string::npos) << mail;
  EXPECT_NE(mail.find("\nSubject: Welcome, Ada \"A\" \\ L\n"), string::npos) << mail;
}

TEST(EmailMessageForm, NamesBeyondAsciiBecomeEncodedWords) {
  const string mail = mail_of("Zoë\nzoe@example.com\n");
  EXPECT_TRUE(
      mail.starts_with("From: no-reply@example.com\n"
                       "To: =?UTF-8?B?Wm/Dqw==?= <zoe@example.com>\n"
                       "Subject: Welcome, =?UTF-8?B?Wm/Dqw==?=\n"
                       "MIME-Version: 1.0\n"
                       "Content-Type: text/plain; charset=UTF-8\n"
                       "Content-Transfer-Encoding: 8bit\n"
                       "\n"
                       "Hi Zoë,\n"))
      << mail;
}

TEST(EmailMessageForm, NamesThatLookLikeEncodedWordsAreEncoded) {
  const string mail = mail_of("=?x\na@example.com\n");
  EXPECT_NE(mail.find("\nTo: =?UTF-8?B?PT94?= <a@example.com>\n"), string::npos) << mail;
  EXPECT_EQ(mail.find("MIME-Version"), string::npos) << "the body is ASCII";
}

// 60 letters of 2 bytes: 22 (44 bytes) behind "To: ", 22 on the next line, 16 on the last. Behind
// "Subject: Welcome, " there is room for 16.
TEST(EmailMessageForm, LongNamesAreFoldedBetweenCharacters) {
  const string mail = mail_of(repeated("é", 60) + "\na@example.com\n");
  const string header = mail.substr(0, mail.find("\n\n") + 1);
  for (const string& line : lines_of(header, "\n")) EXPECT_LE(line.size(), 76u) << line;
  // Three letters, 8 digits.
  const string three = "w6nDqcOp";
  const string words_of_22 = repeated(three, 7) + "w6k=";
  EXPECT_NE(header.find("To: =?UTF-8?B?" + words_of_22 + "?=\n =?UTF-8?B?" + words_of_22 +
                        "?=\n =?UTF-8?B?" + repeated(three, 5) + "w6k=?= <a@example.com>\n"),
            string::npos)
      << header;
  EXPECT_NE(header.find("Subject: Welcome, =?UTF-8?B?" + repeated(three, 5) + "w6k=?=\n "),
            string::npos)
      << header;
}

TEST(EmailMessageForm, LongAddressesGoToTheNextLine) {
  const string address = string(60, 'a') + "@example.com";
  const string mail = mail_of("Ada\n" + address + "\n");
  EXPECT_NE(mail.find("To: \"Ada\"\n <" + address + ">\n"), string::npos) << mail;
}

TEST(EmailMessageForm, TakesAddressesOfMailAndNothingElse) {
  for (const string& address :
       {string("a@b.cd"), string("first.last+tag@sub.example.co"),
        string("!#$%&'*+-/=?^_`{|}~@x.yz"), string("a@1.2.x3"), string("a@xn--bcher-kva.example"),
        string(64, 'a') + "@example.com", "a@" + string(63, 'b') + ".com"}) {
    EXPECT_NE(mail_of("Ada\n" + address + "\n").find(address), string::npos) << address;
  }
  for (const string& address : {string("bad"),
                                string("@example.com"),
                                string("a@"),
                                string("a@b"),
                                string("a@.com"),
                                string("a@b..com"),
                                string("a@b.com."),
                                string(".a@b.com"),
                                string("a.@b.com"),
                                string("a..b@c.com"),
                                string("a b@c.com"),
                                string("a@b c.com"),
                                string("a@-b.com"),
                                string("a@b-.com"),
                                string("a@b_c.com"),
                                string("a@b@c.com"),
                                string("a@127.0.0.1"),
                                string("a@[127.0.0.1]"),
                                string("\"a\"@b.com"),
                                string("a,b@c.com"),
                                string("<a@b.com>"),
                                string("é@b.com"),
                                string("a@é.com"),
                                string(65, 'a') + "@example.com",
                                "a@" + string(64, 'b') + ".com"}) {
    expect_refused("email-message", "Ada\n", address, "Email address is invalid.");
  }
  expect_refused("email-message", "Ada\n", "a@" + repeated("bcd.", 63) + "e",
                 "Email address is too long.");
}

// --- vCard ---------------------------------------------------------------------------------------

TEST(VcardBusinessForm, WritesACard) {
  const ProcessResult result = fill_in("vcard-business",
                                       "Acme, Inc.; \\ Sons\nAda Lovelace\nFounder\n"
                                       "ada@acme.example\n+1 (212) 555-0100\n"
                                       "https://acme.example/?a=b,c;d\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output,
            "Business name: Contact full name: Job title: Email address: Phone number: Website "
            "URL: BEGIN:VCARD\r\n"
            "VERSION:4.0\r\n"
            "FN:Ada Lovelace\r\n"
            "ORG:Acme\\, Inc.\\; \\\\ Sons\r\n"
            "TITLE:Founder\r\n"
            "EMAIL;TYPE=work:ada@acme.example\r\n"
            "TEL;TYPE=work,voice:+1 (212) 555-0100\r\n"
            "URL:https://acme.example/?a=b,c;d\r\n"
            "END:VCARD\r\n");
}

TEST(VcardBusinessForm, WhatIsLeftEmptyHasNoLine) {
  EXPECT_EQ(card_of("Acme\nAda\n\na@b.cd\n\n\n"),
            "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\nORG:Acme\r\nEMAIL;TYPE=work:a@b.cd\r\n"
            "END:VCARD\r\n");
  expect_refused("vcard-business", "Acme\n", "", "Contact full name is required.");
  expect_refused("vcard-business", "Acme\nAda\n\n", "", "Email address is required.");
}

TEST(VcardBusinessForm, FoldsAt75BytesBetweenCharacters) {
  // "FN:" and 72 bytes fill a line; the next begins with a space.
  EXPECT_NE(card_of("Acme\n" + string(72, 'x') + "\n\na@b.cd\n\n\n")
                .find("\r\nFN:" + string(72, 'x') + "\r\nORG:"),
            string::npos);
  EXPECT_NE(card_of("Acme\n" + string(73, 'x') + "\n\na@b.cd\n\n\n")
                .find("\r\nFN:" + string(72, 'x') + "\r\n x\r\nORG:"),
            string::npos);
  // 35 letters of 2 bytes make 73; one more would be 75, the next begins a line of 37.
  EXPECT_NE(card_of("Acme\n" + repeated("é", 74) + "\n\na@b.cd\n\n\n")
                .find("\r\nFN:" + repeated("é", 36) + "\r\n " + repeated("é", 37) + "\r\n é\r\n"),
            string::npos);
  // An escape is not divided either.
  EXPECT_NE(card_of("Acme\n" + string(71, 'x') + ",y\n\na@b.cd\n\n\n")
                .find("\r\nFN:" + string(71, 'x') + "\r\n \\,y\r\n"),
            string::npos);
}

TEST(VcardBusinessForm, ChecksNumbersAndSites) {
  const string before_phone = "Acme\nAda\n\na@b.cd\n";
  for (const char* phone : {"12", "1234567890123456", "+", "1+23", "call me", "555 x 3", "٣٣٣"}) {
    expect_refused("vcard-business", before_phone, phone, "Phone number is invalid.");
  }
  for (const char* phone : {"112", "+123456789012345", "(0) 30.123-45"}) {
    EXPECT_EQ(line_of(card_of(before_phone + phone + "\n\n"), "TEL"),
              string("TEL;TYPE=work,voice:") + phone);
  }
  const string before_site = before_phone + "\n";
  for (const char* site : {"acme.example", "ftp://acme.example", "http:/acme", "javascript:x"}) {
    expect_refused("vcard-business", before_site, site,
                   "Website URL must start with http:// or https://");
  }
  for (const char* site : {"http://", "https:///x", "https://a b", "https://a/%", "https://a/%2x",
                           "https://a/\"", "https://é.example", "https://a/<x>"}) {
    expect_refused("vcard-business", before_site, site, "Website URL is invalid.");
  }
  for (const char* site : {"HTTP://a.example", "https://[::1]:80/%C3%A9?x#y", "https://1.2.3.4"}) {
    EXPECT_EQ(line_of(card_of(before_site + site + "\n"), "URL"), string("URL:") + site);
  }
}

// --- iCalendar -----------------------------------------------------------------------------------

TEST(IcalEventAllDayForm, WritesAnEvent) {
  const ProcessResult result =
      fill_in("ical-event-all-day", "Team, sync; \\o/\n2026-02-30\n2026-03-14\n");
  EXPECT_EQ(result.exit_code, 0);
  const string unique_id = line_of(result.output, "UID:");
  EXPECT_EQ(result.output,
            "Event title: Event date (YYYY-MM-DD): Error: Date must be a valid YYYY-MM-DD value.\n"
            "Event date (YYYY-MM-DD): BEGIN:VCALENDAR\r\n"
            "VERSION:2.0\r\n"
            "PRODID:-//qip//Event form//EN\r\n"
            "CALSCALE:GREGORIAN\r\n"
            "BEGIN:VEVENT\r\n" +
                unique_id +
                "\r\n"
                "DTSTAMP:20260314T000000Z\r\n"
                "DTSTART;VALUE=DATE:20260314\r\n"
                "DTEND;VALUE=DATE:20260315\r\n"
                "SUMMARY:Team\\, sync\\; \\\\o/\r\n"
                "END:VEVENT\r\n"
                "END:VCALENDAR\r\n");
}

TEST(IcalEventAllDayForm, EndsOnTheNextDayOfTheCalendar) {
  const auto end_of = [](const string& date) {
    return line_of(all_day_event_of("x\n" + date + "\n"), "DTEND");
  };
  EXPECT_EQ(end_of("2026-01-31"), "DTEND;VALUE=DATE:20260201");
  EXPECT_EQ(end_of("2026-12-31"), "DTEND;VALUE=DATE:20270101");
  EXPECT_EQ(end_of("2026-02-28"), "DTEND;VALUE=DATE:20260301");
  EXPECT_EQ(end_of("2028-02-28"), "DTEND;VALUE=DATE:20280229");
  EXPECT_EQ(end_of("2028-02-29"), "DTEND;VALUE=DATE:20280301");
  EXPECT_EQ(end_of("2000-02-29"), "DTEND;VALUE=DATE:20000301");
  EXPECT_EQ(end_of("0001-01-01"), "DTEND;VALUE=DATE:00010102");
  EXPECT_EQ(end_of("9999-12-30"), "DTEND;VALUE=DATE:99991231");
  expect_refused("ical-event-all-day", "x\n", "9999-12-31",
                 "Date is too late: the event must end before the year 10000.");
}

TEST(IcalEventAllDayForm, TakesDaysThatExist) {
  for (const char* date :
       {"2026-02-29", "1900-02-29", "2026-04-31", "2026-00-10", "2026-13-01", "2026-01-00",
        "2026-01-32", "0000-01-01", "2026-1-1", "2026/01/01", "20260101", "2026-01-01x", "26-01-01",
        "tomorrow", "2026-0a-01", "-026-01-01"}) {
    expect_refused("ical-event-all-day", "x\n", date, "Date must be a valid YYYY-MM-DD value.");
  }
}

TEST(IcalEventMinutesForm, WritesAnEvent) {
  const ProcessResult result =
      fill_in("ical-event-minutes", "Overnight\n2026-12-31\n24:00\n23:30\n0\nsoon\n120\n");
  EXPECT_EQ(result.exit_code, 0);
  const string unique_id = line_of(result.output, "UID:");
  EXPECT_EQ(result.output,
            "Event title: Event date (YYYY-MM-DD): Start time (HH:MM): Error: Start time must be a "
            "valid HH:MM value.\n"
            "Start time (HH:MM): Duration in minutes: Error: Duration must be at least 1 minute.\n"
            "Duration in minutes: Error: Duration must be an integer number of minutes.\n"
            "Duration in minutes: BEGIN:VCALENDAR\r\n"
            "VERSION:2.0\r\n"
            "PRODID:-//qip//Event form//EN\r\n"
            "CALSCALE:GREGORIAN\r\n"
            "BEGIN:VEVENT\r\n" +
                unique_id +
                "\r\n"
                "DTSTAMP:20261231T233000Z\r\n"
                "DTSTART:20261231T233000\r\n"
                "DTEND:20270101T013000\r\n"
                "SUMMARY:Overnight\r\n"
                "END:VEVENT\r\n"
                "END:VCALENDAR\r\n");
}

TEST(IcalEventMinutesForm, EndsAfterItsMinutes) {
  const auto end_of = [](const string& date, const string& time, const string& minutes) {
    return line_of(timed_event_of("x\n" + date + "\n" + time + "\n" + minutes + "\n"), "DTEND");
  };
  EXPECT_EQ(end_of("2026-03-14", "09:30", "90"), "DTEND:20260314T110000");
  EXPECT_EQ(end_of("2026-03-14", "00:00", "1"), "DTEND:20260314T000100");
  EXPECT_EQ(end_of("2026-03-14", "23:59", "0001"), "DTEND:20260315T000000");
  EXPECT_EQ(end_of("2028-02-28", "12:00", "1440"), "DTEND:20280229T120000");
  EXPECT_EQ(end_of("2026-01-01", "00:00", "527040"), "DTEND:20270102T000000") << "366 days";
  EXPECT_EQ(end_of("9999-12-31", "23:00", "59"), "DTEND:99991231T235900");
}

TEST(IcalEventMinutesForm, ChecksTimesAndDurations) {
  for (const char* time :
       {"9:30", "24:00", "12:60", "1230", "12:3", "12:30:00", "ab:cd", "12-30"}) {
    expect_refused("ical-event-minutes", "x\n2026-03-14\n", time,
                   "Start time must be a valid HH:MM value.");
  }
  const string before = "x\n2026-03-14\n10:00\n";
  for (const char* duration : {"0", "000"}) {
    expect_refused("ical-event-minutes", before, duration, "Duration must be at least 1 minute.");
  }
  for (const char* duration : {"-1", "1.5", "1h", "+5", "1 0"}) {
    expect_refused("ical-event-minutes", before, duration,
                   "Duration must be an integer number of minutes.");
  }
  for (const char* duration : {"527041", "4294967297", "99999999999999999999999"}) {
    expect_refused("ical-event-minutes", before, duration, "Duration is too large.");
  }
  expect_refused("ical-event-minutes", "x\n9999-12-31\n23:00\n", "60", "Duration is too large.");
}

TEST(IcalEvents, SummariesAreFolded) {
  const string event = all_day_event_of(repeated("日本", 80) + "\n2026-03-14\n");
  for (const string& line : lines_of(event, "\r\n")) EXPECT_LE(line.size(), 75u) << line;
  EXPECT_EQ(line_of(event, "SUMMARY:"), "SUMMARY:" + repeated("日本", 80));
  EXPECT_NE(event.find("\r\nSUMMARY:" + repeated("日本", 11) + "\r\n "), string::npos) << event;
}

// RFC 9562: version 8, variant 10, in lower-case hexadecimal.
TEST(IcalEvents, UniqueIdsAreUuidsOfTheAnswers) {
  const string id = line_of(all_day_event_of("x\n2026-03-14\n"), "UID:").substr(4);
  ASSERT_EQ(id.size(), 36u);
  for (size_t i = 0; i < id.size(); i++) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    EXPECT_EQ(id[i] == '-', is_dash) << id;
    EXPECT_TRUE(is_dash || string_view("0123456789abcdef").find(id[i]) != string::npos) << id;
  }
  EXPECT_EQ(id[14], '8') << id;
  EXPECT_NE(string_view("89ab").find(id[19]), string::npos) << id;
  const auto id_of = [](const string& lines) { return line_of(all_day_event_of(lines), "UID:"); };
  EXPECT_EQ(id_of("x\n2026-03-14\n"), "UID:" + id);
  EXPECT_EQ(id_of(" x \n2026-03-14\n"), "UID:" + id) << "the same answers";
  EXPECT_NE(id_of("y\n2026-03-14\n"), "UID:" + id);
  EXPECT_NE(id_of("x\n2026-03-15\n"), "UID:" + id);
}

}  // namespace
}  // namespace qip
