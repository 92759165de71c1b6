// HTTP dates by arithmetic on the proleptic Gregorian calendar: the C library's functions know
// locales and time zones, and HTTP has neither.
#include "http/date.h"

#include <array>

#include "http/chars.h"

namespace sluice::http {
namespace {

constexpr int64_t kDaySeconds = 86400;
/// Two-digit years: how far in the future a date can be (RFC 9110 §5.6.7).
constexpr int kFutureYears = 50;

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Date {
  int year = 0;
  int month = 0;  ///< 0 to 11
  int day = 0;    ///< 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// Days from 1970-01-01. Years are counted from March, so that a leap day is a year's last.
constexpr int64_t days_from_date(int year, int month, int day) {
  const int64_t y = month < 2 ? year - 1 : year;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/// The inverse; `days` is not negative.
constexpr Date date_from_days(int64_t days) {
  days += 719468;
  const int64_t era = days / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t march_month = (5 * day_of_year + 2) / 153;
  Date date;
  date.month = static_cast<int>((march_month + 2) % 12);
  date.year = static_cast<int>(year_of_era + era * 400) + (date.month < 2 ? 1 : 0);
  date.day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
  return date;
}

constexpr int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDaysIn = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDaysIn[static_cast<size_t>(month)] + (month == 1 && leap ? 1 : 0);
}

/// Reads the fixed shapes of dates; after a mismatch `good` stays false and nothing more is read.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  bool good() const { return good_; }
  bool complete() const { return good_ && rest_.empty(); }

  void literal(std::string_view wanted) {
    good_ = good_ && rest_.starts_with(wanted);
    if (good_) rest_.remove_prefix(wanted.size());
  }

  int number(size_t digits) {
    good_ = good_ && rest_.size() >= digits && is_all(kDigit, rest_.substr(0, digits));
    if (!good_) return 0;
    int value = 0;
    for (size_t i = 0; i < digits; ++i) value = value * 10 + (rest_[i] - '0');
    rest_.remove_prefix(digits);
    return value;
  }

  /// Index of the name that comes next. Names are case-sensitive (RFC 9110 §5.6.7).
  template <size_t count>
  int name(const std::array<std::string_view, count>& names) {
    for (size_t i = 0; good_ && i < count; ++i) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(names[i].size());
      return static_cast<int>(i);
    }
    good_ = false;
    return 0;
  }

  void time(Date& date) {
    date.hour = number(2);
    literal(":");
    date.minute = number(2);
    literal(":");
    date.second = number(2);
  }

  /// Two digits, the first of which may be a space (asctime).
  int padded_day() {
    if (good_ && !rest_.empty() && rest_[0] == ' ') {
      rest_.remove_prefix(1);
      return number(1);
    }
    return number(2);
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

/// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_fixdate(std::string_view text, Date& date) {
  DateReader reader(text);
  reader.name(kDays);
  reader.literal(", ");
  date.day = reader.number(2);
  reader.literal(" ");
  date.month = reader.name(kMonths);
  reader.literal(" ");
  date.year = reader.number(4);
  reader.literal(" ");
  reader.time(date);
  reader.literal(" GMT");
  return reader.complete();
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"; the year comes out as 0 to 99.
bool read_rfc850(std::string_view text, Date& date) {
  DateReader reader(text);
  reader.name(kLongDays);
  reader.literal(", ");
  date.day = reader.number(2);
  reader.literal("-");
  date.month = reader.name(kMonths);
  reader.literal("-");
  date.year = reader.number(2);
  reader.literal(" ");
  reader.time(date);
  reader.literal(" GMT");
  return reader.complete();
}

/// "Sun Nov  6 08:49:37 1994"
bool read_asctime(std::string_view text, Date& date) {
  DateReader reader(text);
  reader.name(kDays);
  reader.literal(" ");
  date.month = reader.name(kMonths);
  reader.literal(" ");
  date.day = reader.padded_day();
  reader.literal(" ");
  reader.time(date);
  reader.literal(" ");
  date.year = reader.number(4);
  return reader.complete();
}

/// -1 when there is no such day or time. A leap second counts as the second after it.
int64_t seconds_of(const Date& date) {
  if (date.day < 1 || date.day > days_in_month(date.year, date.month)) return -1;
  if (date.hour > 23 || date.minute > 59 || date.second > 60) return -1;
  const int64_t days = days_from_date(date.year, date.month, date.day);
  const int64_t seconds = days * kDaySeconds + date.hour * 3600 + date.minute * 60 + date.second;
  // Before the epoch is as good as the epoch: no file of ours is older.
  return seconds < 0 ? 0 : seconds;
}

/// The year of `date`, which has two digits of it, so that the date is at most 50 years ahead.
int full_year(const Date& date, int64_t now_s) {
  if (now_s < 0) now_s = 0;
  const Date now = date_from_days(now_s / kDaySeconds);
  const int latest = now.year + kFutureYears;
  const int year = latest - (latest - date.year) % 100;
  if (year < latest) return year;
  // The fiftieth year from now counts up to this very second.
  const int64_t of_day = now_s % kDaySeconds;
  const auto passed = [](const Date& d, int64_t s) {
    return (d.month * 32 + d.day) * kDaySeconds + s;
  };
  const int64_t time = date.hour * 3600 + date.minute * 60 + date.second;
  return passed(date, time) > passed(now, of_day) ? year - 100 : year;
}

char* put(char* out, std::string_view text) {
  for (char c : text) *out++ = c;
  return out;
}

char* put_two(char* out, int value) {
  *out++ = static_cast<char>('0' + value / 10);
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}

}  // namespace

void format_date(int64_t seconds, char* out) {
  const int64_t days = seconds / kDaySeconds;
  const int of_day = static_cast<int>(seconds % kDaySeconds);
  const Date date = date_from_days(days);
  out = put(out, kDays[static_cast<size_t>((days + 4) % 7)]);  // 1970-01-01 was a Thursday
  out = put_two(put(out, ", "), date.day);
  out = put(put(out, " "), kMonths[static_cast<size_t>(date.month)]);
  out = put_two(put_two(put(out, " "), date.year / 100), date.year % 100);
  out = put_two(put(out, " "), of_day / 3600);
  out = put_two(put(out, ":"), of_day / 60 % 60);
  out = put_two(put(out, ":"), of_day % 60);
  put(out, " GMT");
}

int64_t parse_date(std::string_view text, int64_t now_s) {
  Date date;
  if (read_fixdate(text, date) || read_asctime(text, date)) return seconds_of(date);
  if (!read_rfc850(text, date)) return -1;
  date.year = full_year(date, now_s);
  return seconds_of(date);
}

}  // namespace sluice::http
