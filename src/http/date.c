/* SPDX-License-Identifier: MIT
 *
 * date.c: HTTP dates and Unix seconds. RFC 9110 section 5.6.7: written as IMF-fixdate, read in all three forms that a recipient MUST
 * accept:
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate
 *     Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
 *     Sun Nov  6 08:49:37 1994          asctime
 */
#include "http/chars.h"
#include <parley/http.h>

#include <string.h>

static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char DAYS[] = "SunMonTueWedThuFriSat";

struct civil {
    int64_t year;
    int month, day, hour, minute, second;
};

static bool is_leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int days_in_month(int64_t y, int month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(y) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to the given day of the Gregorian calendar, years 1 to 9999. */
static int64_t days_from_civil(int64_t y, int month, int day)
{
    int64_t before = y - 1;
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
    for (int m = 1; m < month; m++)
        days += days_in_month(y, m);
    return days + day - 1;
}

static int64_t unix_from_civil(const struct civil *c)
{
    return days_from_civil(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
}

static void put_2(char *out, int value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
}

#define FIRST_S INT64_C(-62135596800)     /* 0001-01-01 00:00:00 */
#define LAST_S  INT64_C(253402300799)     /* 9999-12-31 23:59:59 */

bool pl_http_date_write(int64_t unix_s, char out[30])
{
    if (unix_s < FIRST_S || unix_s > LAST_S)
        return false;
    int64_t since_first = unix_s - FIRST_S;
    int64_t day = since_first / 86400;                /* 0001-01-01 was a Monday */
    int second = (int)(since_first % 86400);
    int64_t year = day / 366 + 1;                     /* never too late, and at most some twenty years too early */
    while (days_from_civil(year + 1, 1, 1) - days_from_civil(1, 1, 1) <= day)
        year++;
    int rest = (int)(day - (days_from_civil(year, 1, 1) - days_from_civil(1, 1, 1)));
    int month = 1;
    while (rest >= days_in_month(year, month))
        rest -= days_in_month(year, month++);
    memcpy(out, "Day, dd Mon yyyy hh:mm:ss GMT", 30);
    memcpy(out, DAYS + (day + 1) % 7 * 3, 3);
    put_2(out + 5, rest + 1);
    memcpy(out + 8, MONTHS + (month - 1) * 3, 3);
    put_2(out + 12, (int)(year / 100));
    put_2(out + 14, (int)(year % 100));
    put_2(out + 17, second / 3600);
    put_2(out + 20, second / 60 % 60);
    put_2(out + 23, second % 60);
    return true;
}

struct cursor {
    const char *s;
    size_t n;
};

static bool eat(struct cursor *c, const char *literal, size_t n)
{
    if (c->n < n || !http_same(c->s, n, literal, n))
        return false;
    c->s += n;
    c->n -= n;
    return true;
}

static bool eat_number(struct cursor *c, size_t digits, int64_t *value)
{
    uint64_t v;
    if (c->n < digits || !http_decimal(c->s, digits, &v))
        return false;
    *value = (int64_t)v;
    c->s += digits;
    c->n -= digits;
    return true;
}

static bool eat_int(struct cursor *c, size_t digits, int *value)
{
    int64_t v;
    if (!eat_number(c, digits, &v))
        return false;
    *value = (int)v;
    return true;
}

static bool eat_month(struct cursor *c, int *month)
{
    for (int m = 0; m < 12; m++) {
        if (eat(c, MONTHS + m * 3, 3)) {
            *month = m + 1;
            return true;
        }
    }
    return false;
}

static bool eat_clock(struct cursor *c, struct civil *out)
{
    return eat_int(c, 2, &out->hour) && eat(c, ":", 1) && eat_int(c, 2, &out->minute) && eat(c, ":", 1) && eat_int(c, 2, &out->second);
}

static bool read_imf(struct cursor c, struct civil *out)
{
    return eat_int(&c, 2, &out->day) && eat(&c, " ", 1) && eat_month(&c, &out->month) && eat(&c, " ", 1) && eat_number(&c, 4, &out->year) &&
           eat(&c, " ", 1) && eat_clock(&c, out) && eat(&c, " GMT", 4) && c.n == 0;
}

static bool read_850(struct cursor c, struct civil *out, int64_t now_s)
{
    if (!(eat_int(&c, 2, &out->day) && eat(&c, "-", 1) && eat_month(&c, &out->month) && eat(&c, "-", 1) && eat_number(&c, 2, &out->year) &&
          eat(&c, " ", 1) && eat_clock(&c, out) && eat(&c, " GMT", 4) && c.n == 0))
        return false;
    /* RFC 9110 5.6.7: more than 50 years in the future means the most recent year in the past with these digits. Without a clock: the
     * years 1970 to 2069. */
    out->year += out->year < 70 ? 2000 : 1900;
    if (now_s != PL_HTTP_NO_DATE && now_s >= 0 && now_s <= LAST_S) {
        int64_t this_year = 1970 + now_s / 31556952;
        out->year = this_year - this_year % 100 + out->year % 100;
        if (out->year > this_year + 50)
            out->year -= 100;
    }
    return true;
}

static bool read_asctime(struct cursor c, struct civil *out)
{
    if (!eat_month(&c, &out->month) || !eat(&c, " ", 1))
        return false;
    bool one_digit = eat(&c, " ", 1);
    return eat_int(&c, one_digit ? 1 : 2, &out->day) && eat(&c, " ", 1) && eat_clock(&c, out) && eat(&c, " ", 1) &&
           eat_number(&c, 4, &out->year) && c.n == 0;
}

static bool civil_valid(const struct civil *c)
{
    return c->year >= 1 && c->year <= 9999 && c->day >= 1 && c->day <= days_in_month(c->year, c->month) && c->hour <= 23 &&
           c->minute <= 59 && c->second <= 60;
}

bool pl_http_date_read(const char *text, size_t len, int64_t now_s, int64_t *unix_s)
{
    struct civil date = {0};
    size_t name = 0;
    while (name < len && http_is_alpha(text[name]))
        name++;
    /* The name of the day is not compared with the date: a wrong one changes nothing. */
    struct cursor rest = {text + name, len - name};
    bool ok;
    if (name < 3)
        return false;
    if (name == 3 && eat(&rest, " ", 1))
        ok = read_asctime(rest, &date);
    else if (eat(&rest, ", ", 2))
        ok = name == 3 ? read_imf(rest, &date) : read_850(rest, &date, now_s);
    else
        return false;
    if (!ok || !civil_valid(&date))
        return false;
    *unix_s = unix_from_civil(&date);
    return true;
}
