// HTTP dates, out in one form and in by three, checked against the C library where it knows better.
// Nothing here depends on a locale or a time zone.
#include "http/date.h"

#include <ctime>
#include <string>

#include "testing.h"

namespace {

using sluice::http::format_date;
using sluice::http::kDateBytes;
using sluice::http::parse_date;

constexpr int64_t kNow = 1790000000;  // in September 2026

std::string formatted(int64_t seconds) {
  std::string text(kDateBytes + 2, '#');
  format_date(seconds, text.data() + 1);
  CHECK_EQ(text.front(), '#');
  CHECK_EQ(text.back(), '#');
  return text.substr(1, kDateBytes);
}

std::string by_c_library(int64_t seconds, const char* format) {
  const time_t time = seconds;
  tm parts;
  gmtime_r(&time, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

TEST(dates_have_three_forms) {
  CHECK_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow), 784111777);
  CHECK_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow), 784111777);
  CHECK_EQ(parse_date("Sun Nov  6 08:49:37 1994", kNow), 784111777);
  CHECK_EQ(parse_date("Wed Nov 16 08:49:37 1994", kNow), 784975777);
  CHECK_EQ(formatted(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(dates_agree_with_the_c_library) {
  const int64_t last = 253402300799;  // the end of 9999
  for (int64_t seconds = 0; seconds <= last; seconds += 86400 * 37 + 12347) {
    const std::string text = formatted(seconds);
    CHECK_EQ(text, by_c_library(seconds, "%a, %d %b %Y %H:%M:%S GMT"));
    CHECK_EQ(parse_date(text, kNow), seconds);
    CHECK_EQ(parse_date(by_c_library(seconds, "%a %b %e %H:%M:%S %Y"), kNow), seconds);
  }
  CHECK_EQ(formatted(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK_EQ(formatted(last), "Fri, 31 Dec 9999 23:59:59 GMT");
  CHECK_EQ(formatted(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(dates_of_every_day_of_four_centuries_survive) {
  for (int64_t day = 0; day < 146097; ++day) {
    const std::string text = formatted(day * 86400);
    if (parse_date(text, kNow) != day * 86400) CHECK_EQ(text, "");
  }
}

TEST(two_digit_years_are_at_most_fifty_years_ahead) {
  const auto year_of = [](std::string_view year, int64_t now_s) {
    const int64_t seconds =
        parse_date("Monday, 01-Jan-" + std::string(year) + " 00:00:00 GMT", now_s);
    return by_c_library(seconds, "%Y");
  };
  CHECK_EQ(year_of("26", kNow), "2026");
  CHECK_EQ(year_of("75", kNow), "2075");
  CHECK_EQ(year_of("76", kNow), "2076");
  CHECK_EQ(year_of("77", kNow), "1977");
  CHECK_EQ(year_of("99", kNow), "1999");
  CHECK_EQ(year_of("00", kNow), "2000");
  CHECK_EQ(year_of("70", 0), "1970");
  CHECK_EQ(year_of("49", 4070908800), "2149");
  // Fifty years from now to the second, and one second more.
  CHECK_EQ(by_c_library(kNow, "%d %b %Y %T"), "21 Sep 2026 14:13:20");
  const auto date_of = [](const char* text) {
    return by_c_library(parse_date(text, kNow), "%d %b %Y %T");
  };
  CHECK_EQ(date_of("Monday, 21-Sep-76 14:13:20 GMT"), "21 Sep 2076 14:13:20");
  CHECK_EQ(date_of("Monday, 21-Sep-76 14:13:21 GMT"), "21 Sep 1976 14:13:21");
  CHECK_EQ(date_of("Monday, 31-Aug-76 23:59:59 GMT"), "31 Aug 2076 23:59:59");
  CHECK_EQ(date_of("Monday, 01-Oct-76 00:00:00 GMT"), "01 Oct 1976 00:00:00");
}

TEST(dates_before_the_epoch_count_as_the_epoch) {
  CHECK_EQ(parse_date("Wed, 31 Dec 1969 23:59:59 GMT", kNow), 0);
  CHECK_EQ(parse_date("Mon, 01 Jan 0001 00:00:00 GMT", kNow), 0);
  CHECK_EQ(parse_date("Sat, 01 Jan 0000 00:00:00 GMT", kNow), 0);
}

TEST(leap_days_and_leap_seconds_exist_when_they_exist) {
  CHECK_EQ(parse_date("Tue, 29 Feb 2000 00:00:00 GMT", kNow), 951782400);
  CHECK_EQ(parse_date("Thu, 29 Feb 2024 00:00:00 GMT", kNow), 1709164800);
  CHECK_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT", kNow), 1483228800);
  CHECK_EQ(parse_date("Thu, 29 Feb 1900 00:00:00 GMT", kNow), -1);
  CHECK_EQ(parse_date("Wed, 29 Feb 2023 00:00:00 GMT", kNow), -1);
  CHECK_EQ(parse_date("Mon, 29 Feb 2100 00:00:00 GMT", kNow), -1);
}

TEST(dates_are_refused_when_malformed) {
  for (const char* text : {"",
                           "0",
                           "-1",
                           "now",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           " Sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 8:49:37 GMT",
                           "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Sun, 32 Dec 1994 08:49:37 GMT",
                           "Sun, 06 Foo 1994 08:49:37 GMT",
                           "Xxx, 06 Nov 1994 08:49:37 GMT",
                           "Sun,06 Nov 1994 08:49:37 GMT",
                           "Sun, 06  Nov 1994 08:49:37 GMT",
                           "Sun, 06-Nov-1994 08:49:37 GMT",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sunday, 06 Nov 1994 08:49:37 GMT",
                           "Sunday, 6-Nov-94 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994",
                           "Sun Nov   6 08:49:37 1994",
                           "Sun Nov  6 08:49:37 1994 GMT",
                           "Sun Nov 06 08:49:37 94",
                           "1994-11-06T08:49:37Z",
                           "784111777",
                           "Sun, +6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov -994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"}) {
    const testing::Context context(text);
    CHECK_EQ(parse_date(text, kNow), -1);
  }
}
