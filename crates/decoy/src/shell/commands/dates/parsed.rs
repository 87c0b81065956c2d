//! Dates as people write them, as gnulib's parse_datetime understands them.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, Timelike as _, Utc, Weekday};

use super::zone::{Zone, minutes_east};

/// The longest text that is looked at.
const LONGEST: usize = 1024;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A number: its value, how many digits, its sign if it has one, and nanoseconds behind a point.
    Number {
        value: i64,
        digits: usize,
        signed: bool,
        nanos: Option<u32>,
    },
    Word(String),
    Sign(char),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Year,
    Month,
    Day(i64),
    Second(i64),
}

/// What a text has said so far.
#[derive(Default)]
struct Said {
    date: Option<(i64, u32, u32)>,
    has_year: bool,
    time: Option<(u32, u32, u32, u32)>,
    weekday: Option<(i64, Weekday)>,
    zone: Option<i64>,
    years: i64,
    months: i64,
    days: i64,
    seconds: i64,
    relative: bool,
}

/// Farther from 1970 nothing is shown: every zone and every sum stays within what can be.
const FARTHEST: i64 = 8_000_000_000_000;

/// The moment that a text means, seen from `now` and `here`.
pub(in crate::shell::commands) fn parsed(
    text: &str,
    now: DateTime<Utc>,
    here: &Zone,
) -> Option<DateTime<Utc>> {
    read(text, now, here).filter(|time| time.timestamp().abs() <= FARTHEST)
}

fn read(text: &str, now: DateTime<Utc>, here: &Zone) -> Option<DateTime<Utc>> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("TZ=\"") {
        let (zone, rest) = rest.split_once('"')?;
        return parsed(rest, now, &Zone::of(zone));
    }
    if let Some(count) = text.strip_prefix('@') {
        return seconds(count.trim_start());
    }
    let tokens = tokens(&text.to_ascii_lowercase())?;
    let mut said = Said::default();
    let mut rest = tokens.as_slice();
    let today = here.at(now).time;
    while !rest.is_empty() {
        rest = item(rest, &mut said, i64::from(today.year()))?;
    }
    said.moment(now, here)
}

/// `@1700000000.5`
fn seconds(text: &str) -> Option<DateTime<Utc>> {
    let (whole, part) = text.split_once(['.', ',']).map_or((text, ""), |(whole, part)| (whole, part));
    let value: i64 = whole.parse().ok()?;
    if !part.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let nanos: i64 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    let negative = whole.starts_with('-') && nanos > 0;
    let (value, nanos) = if negative { (value - 1, 1_000_000_000 - nanos) } else { (value, nanos) };
    DateTime::from_timestamp(value, u32::try_from(nanos).ok()?)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        if c == '(' {
            rest = rest.split_once(')')?.1;
            continue;
        }
        let after_sign = rest.trim_start_matches(['+', '-']).trim_start();
        let is_sign = matches!(c, '+' | '-');
        if is_sign && !after_sign.starts_with(|c: char| c.is_ascii_digit()) {
            // A sign before no number is gone over.
            rest = rest.get(1..)?;
            continue;
        }
        if c.is_ascii_digit() || is_sign {
            let negative =
                is_sign && rest.get(..rest.len() - after_sign.len())?.matches('-').count() % 2 == 1;
            let body = if is_sign { after_sign } else { rest };
            let digits = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
            let value: i64 = body.get(..digits)?.parse().ok()?;
            let mut nanos = None;
            let mut taken = digits;
            if let Some(part) = body.get(digits..)?.strip_prefix(['.', ','])
                && part.starts_with(|c: char| c.is_ascii_digit())
            {
                let length = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
                nanos = format!("{:0<9}", part.get(..length)?).get(..9)?.parse().ok();
                taken += 1 + length;
            }
            tokens.push(Token::Number {
                value: if negative { -value } else { value },
                digits,
                signed: is_sign,
                nanos,
            });
            rest = body.get(taken..)?;
            continue;
        }
        if c.is_ascii_alphabetic() {
            let length = rest.find(|c: char| !c.is_ascii_alphabetic() && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Word(rest.get(..length)?.to_owned()));
            rest = rest.get(length..)?;
            continue;
        }
        tokens.push(Token::Sign(c));
        rest = rest.get(c.len_utf8()..)?;
    }
    Some(tokens)
}

fn plain(token: Option<&Token>) -> Option<(i64, usize)> {
    match token {
        Some(Token::Number { value, digits, signed: false, nanos: None }) => Some((*value, *digits)),
        _ => None,
    }
}

/// A number behind the hyphen of a date, which the lexer took for its sign.
fn hyphened(token: Option<&Token>) -> Option<(i64, usize)> {
    match token {
        Some(Token::Number { value, digits, signed: true, nanos: None }) if *value <= 0 => {
            Some((-value, *digits))
        }
        _ => None,
    }
}

fn word(token: Option<&Token>) -> Option<&str> {
    match token {
        Some(Token::Word(word)) => Some(word.as_str()),
        _ => None,
    }
}

/// One item at the beginning; what is left.
fn item<'a>(tokens: &'a [Token], said: &mut Said, year: i64) -> Option<&'a [Token]> {
    let (first, rest) = tokens.split_first()?;
    match first {
        Token::Number { value, digits, signed: false, nanos: None } => {
            number((*value, *digits), rest, said, year)
        }
        Token::Number { value, signed: true, nanos: None, .. } => {
            let rest = relative(*value, rest, said)?;
            Some(rest)
        }
        Token::Word(name) => named(name, rest, said, year),
        _ => None,
    }
}

fn number<'a>(
    (value, digits): (i64, usize),
    rest: &'a [Token],
    said: &mut Said,
    year: i64,
) -> Option<&'a [Token]> {
    // 10:30, 10:30:00.5
    if rest.first() == Some(&Token::Sign(':')) {
        return clock(value, rest, said);
    }
    // 12/25/2023, 2023/12/25
    if rest.first() == Some(&Token::Sign('/')) {
        let (second, _) = plain(rest.get(1))?;
        if rest.get(2) == Some(&Token::Sign('/')) {
            let (third, places) = plain(rest.get(3))?;
            if digits >= 4 {
                said.day(value, digits, second, third)?;
            } else {
                said.day(third, places, value, second)?;
            }
            return rest.get(4..);
        }
        said.dated(year, value, second)?;
        return rest.get(2..);
    }
    // 2023-12-25
    if let (Some((month, _)), Some((day, _))) = (hyphened(rest.first()), hyphened(rest.get(1))) {
        said.day(value, digits, month, day)?;
        let rest = rest.get(2..)?;
        let is_time = word(rest.first()) == Some("t") && plain(rest.get(1)).is_some();
        return if is_time { rest.get(1..) } else { Some(rest) };
    }
    let Some(next) = word(rest.first()) else { return bare(value, digits, rest, said) };
    // 25 Dec 2023, 25-Dec-2023
    if let Some(month) = month(next) {
        let after = rest.get(1..)?;
        if let Some((year, places)) = hyphened(after.first()).filter(|(_, places)| *places >= 2) {
            said.day(year, places, month, value)?;
            return after.get(1..);
        }
        if let Some((of, places)) = plain(after.first())
            && after.get(1) != Some(&Token::Sign(':'))
            && word(after.get(1)).is_none_or(|word| unit(word).is_none() && meridian(word).is_none())
            && places >= 4
        {
            said.day(of, places, month, value)?;
            return after.get(1..);
        }
        said.dated(year, month, value)?;
        return Some(after);
    }
    if let Some(afternoon) = meridian(next) {
        said.clock(value, 0, 0, 0, Some(afternoon))?;
        return rest.get(1..);
    }
    if let Some(day) = weekday(next) {
        said.weekday(value, day)?;
        return rest.get(1..);
    }
    if unit(next).is_some() {
        return relative(value, rest, said);
    }
    bare(value, digits, rest, said)
}

/// A number alone: a year, a date, an hour.
fn bare<'a>(value: i64, digits: usize, rest: &'a [Token], said: &mut Said) -> Option<&'a [Token]> {
    if said.date.is_some() && !said.has_year && !said.relative && (said.time.is_some() || digits > 2) {
        let (_, month, day) = said.date?;
        said.date = Some((full_year(value, digits), month, day));
        said.has_year = true;
    } else if digits > 4 {
        said.day(value / 10_000, digits - 4, value / 100 % 100, value % 100)?;
    } else if digits <= 2 {
        said.clock(value, 0, 0, 0, None)?;
    } else {
        said.clock(value / 100, value % 100, 0, 0, None)?;
    }
    Some(rest)
}

/// What follows an hour and begins with a colon.
fn clock<'a>(hour: i64, rest: &'a [Token], said: &mut Said) -> Option<&'a [Token]> {
    let (minute, _) = plain(rest.get(1))?;
    let mut rest = rest.get(2..)?;
    let (mut second, mut part) = (0, 0);
    if rest.first() == Some(&Token::Sign(':')) {
        match rest.get(1)? {
            Token::Number { value, signed: false, nanos, .. } => {
                (second, part) = (*value, nanos.unwrap_or(0));
            }
            _ => return None,
        }
        rest = rest.get(2..)?;
    }
    let afternoon = word(rest.first()).and_then(meridian);
    said.clock(hour, minute, second, part, afternoon)?;
    if afternoon.is_some() {
        return rest.get(1..);
    }
    // A signed number right behind a time is its distance from UTC.
    if let Some(Token::Number { value, digits, signed: true, nanos: None }) = rest.first() {
        return offset(*value, *digits, rest, 0, said);
    }
    Some(rest)
}

/// `+02`, `+0200`, `+02:00` at the beginning, from a zone of its own.
fn offset<'a>(
    value: i64,
    digits: usize,
    rest: &'a [Token],
    base: i64,
    said: &mut Said,
) -> Option<&'a [Token]> {
    let colon = rest.get(1) == Some(&Token::Sign(':'));
    let (minutes, taken) = match plain(rest.get(2)).filter(|_| colon) {
        Some((minutes, _)) => (value * 60 + if value < 0 { -minutes } else { minutes }, 3),
        None if digits <= 2 => (value * 60, 1),
        None => (value / 100 * 60 + value % 100, 1),
    };
    if minutes.abs() > 24 * 60 || said.zone.is_some() {
        return None;
    }
    said.zone = Some(base + minutes);
    rest.get(taken..)
}

/// A number of units, perhaps `ago`.
fn relative<'a>(value: i64, rest: &'a [Token], said: &mut Said) -> Option<&'a [Token]> {
    let unit = unit(word(rest.first())?)?;
    let rest = rest.get(1..)?;
    let (value, rest) = match word(rest.first()) {
        Some("ago") => (value.checked_neg()?, rest.get(1..)?),
        Some("hence") => (value, rest.get(1..)?),
        _ => (value, rest),
    };
    said.add(value, unit)?;
    Some(rest)
}

fn named<'a>(name: &str, rest: &'a [Token], said: &mut Said, year: i64) -> Option<&'a [Token]> {
    if let Some(month) = month(name) {
        // Dec-25-2023, Dec 25, 2023
        if let (Some((day, _)), Some((of, places))) = (hyphened(rest.first()), hyphened(rest.get(1))) {
            said.day(of, places, month, day)?;
            return rest.get(2..);
        }
        let (day, places) = plain(rest.first())?;
        let mut rest = rest.get(1..)?;
        if rest.first() == Some(&Token::Sign(':')) || places > 2 {
            return None;
        }
        said.dated(year, month, day)?;
        if rest.first() == Some(&Token::Sign(',')) {
            let (of, places) = plain(rest.get(1))?;
            said.date = Some((full_year(of, places), u32::try_from(month).ok()?, u32::try_from(day).ok()?));
            said.has_year = true;
            rest = rest.get(2..)?;
        }
        return Some(rest);
    }
    if let Some(day) = weekday(name) {
        said.weekday(0, day)?;
        let comma = rest.first() == Some(&Token::Sign(','));
        return rest.get(usize::from(comma)..);
    }
    match name {
        "now" | "today" | "tomorrow" | "yesterday" => {
            let days = match name {
                "tomorrow" => 1,
                "yesterday" => -1,
                _ => 0,
            };
            said.add(days, Unit::Day(1))?;
            return Some(rest);
        }
        _ => {}
    }
    if let Some(count) = ordinal(name) {
        let next = word(rest.first())?;
        if let Some(day) = weekday(next) {
            said.weekday(count, day)?;
            return rest.get(1..);
        }
        return relative(count, rest, said);
    }
    if let Some(unit) = unit(name) {
        let ago = word(rest.first()) == Some("ago");
        said.add(if ago { -1 } else { 1 }, unit)?;
        return rest.get(usize::from(ago)..);
    }
    let (zone, summer) = match minutes_east(name) {
        Some(minutes) => (minutes, 0),
        None => (minutes_east(name.strip_suffix("dst")?.trim_end())?, 60),
    };
    if let Some(Token::Number { value, digits, signed: true, nanos: None }) = rest.first()
        && word(rest.get(1)).is_none_or(|next| unit(next).is_none())
    {
        return offset(*value, *digits, rest, zone, said);
    }
    if said.zone.is_some() {
        return None;
    }
    said.zone = Some(zone + summer);
    Some(rest)
}

fn month(word: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let short = word.trim_end_matches('.');
    let found = MONTHS.iter().position(|name| *name == short || short.len() == 3 && name.starts_with(short));
    let found = found.or(if short == "sept" { Some(8) } else { None })?;
    i64::try_from(found + 1).ok()
}

fn weekday(word: &str) -> Option<Weekday> {
    let short = word.trim_end_matches('.');
    Some(match short {
        "sunday" | "sun" => Weekday::Sun,
        "monday" | "mon" => Weekday::Mon,
        "tuesday" | "tue" | "tues" => Weekday::Tue,
        "wednesday" | "wed" | "wednes" => Weekday::Wed,
        "thursday" | "thu" | "thur" | "thurs" => Weekday::Thu,
        "friday" | "fri" => Weekday::Fri,
        "saturday" | "sat" => Weekday::Sat,
        _ => return None,
    })
}

fn meridian(word: &str) -> Option<bool> {
    match word {
        "am" | "a.m." => Some(false),
        "pm" | "p.m." => Some(true),
        _ => None,
    }
}

fn ordinal(word: &str) -> Option<i64> {
    Some(match word {
        "last" => -1,
        "this" => 0,
        "next" | "first" => 1,
        "third" => 3,
        "fourth" => 4,
        "fifth" => 5,
        "sixth" => 6,
        "seventh" => 7,
        "eighth" => 8,
        "ninth" => 9,
        "tenth" => 10,
        "eleventh" => 11,
        "twelfth" => 12,
        _ => return None,
    })
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word.strip_suffix('s').unwrap_or(word) {
        "year" => Unit::Year,
        "month" => Unit::Month,
        "fortnight" => Unit::Day(14),
        "week" => Unit::Day(7),
        "day" => Unit::Day(1),
        "hour" => Unit::Second(3600),
        "minute" | "min" => Unit::Second(60),
        "second" | "sec" => Unit::Second(1),
        _ => return None,
    })
}

/// Years of two digits are of our time.
fn full_year(value: i64, digits: usize) -> i64 {
    match value {
        0..69 if digits == 2 => value + 2000,
        69..100 if digits == 2 => value + 1900,
        _ => value,
    }
}

impl Said {
    fn day(&mut self, year: i64, digits: usize, month: i64, day: i64) -> Option<()> {
        self.dated(full_year(year, digits), month, day)?;
        self.has_year = true;
        Some(())
    }

    fn dated(&mut self, year: i64, month: i64, day: i64) -> Option<()> {
        if self.date.is_some() {
            return None;
        }
        self.date = Some((year, u32::try_from(month).ok()?, u32::try_from(day).ok()?));
        Some(())
    }

    fn clock(
        &mut self,
        hour: i64,
        minute: i64,
        second: i64,
        nanos: u32,
        afternoon: Option<bool>,
    ) -> Option<()> {
        let hour = match afternoon {
            None => hour,
            Some(_) if !(1..=12).contains(&hour) => return None,
            Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
        };
        if self.time.is_some() {
            return None;
        }
        self.time = Some((
            u32::try_from(hour).ok()?,
            u32::try_from(minute).ok()?,
            u32::try_from(second).ok()?,
            nanos,
        ));
        Some(())
    }

    fn weekday(&mut self, count: i64, day: Weekday) -> Option<()> {
        if self.weekday.is_some() {
            return None;
        }
        self.weekday = Some((count, day));
        Some(())
    }

    fn add(&mut self, count: i64, unit: Unit) -> Option<()> {
        self.relative = true;
        let add = |sum: &mut i64, times: i64| -> Option<()> {
            *sum = sum.checked_add(count.checked_mul(times)?)?;
            Some(())
        };
        match unit {
            Unit::Year => add(&mut self.years, 1),
            Unit::Month => add(&mut self.months, 1),
            Unit::Day(days) => add(&mut self.days, days),
            Unit::Second(seconds) => add(&mut self.seconds, seconds),
        }
    }

    fn moment(&self, now: DateTime<Utc>, here: &Zone) -> Option<DateTime<Utc>> {
        let today = here.at(now).time.naive_local();
        let (year, month, day) = self.date.unwrap_or((today.year().into(), today.month(), today.day()));
        let only_relative = self.relative && self.date.is_none() && self.weekday.is_none();
        let (hour, minute, second, nanos) = match self.time {
            Some(time) => time,
            None if only_relative => (today.hour(), today.minute(), today.second(), today.nanosecond()),
            None => (0, 0, 0, 0),
        };
        // What no calendar has is refused before anything is added.
        let given = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        given.and_hms_nano_opt(hour, minute, second, nanos)?;
        let months = year
            .checked_add(self.years)?
            .checked_mul(12)?
            .checked_add(i64::from(month) - 1)?
            .checked_add(self.months)?;
        let begin = NaiveDate::from_ymd_opt(
            i32::try_from(months.div_euclid(12)).ok()?,
            u32::try_from(months.rem_euclid(12)).ok()? + 1,
            1,
        )?;
        let mut date =
            begin.checked_add_signed(Duration::try_days((i64::from(day) - 1).checked_add(self.days)?)?)?;
        if let (Some((count, wanted)), None) = (self.weekday, self.date) {
            let (is, to) = (date.weekday(), wanted.num_days_from_monday());
            let ahead = (i64::from(to) - i64::from(is.num_days_from_monday())).rem_euclid(7);
            let weeks = count - i64::from(count > 0 && is != wanted);
            date = date.checked_add_signed(Duration::try_days(ahead.checked_add(weeks.checked_mul(7)?)?)?)?;
        }
        let local = date.and_hms_nano_opt(hour, minute, second, nanos)?;
        let moment = match self.zone {
            Some(minutes) => local.checked_sub_signed(Duration::try_minutes(minutes)?)?.and_utc(),
            None => here.moment(local)?,
        };
        moment.checked_add_signed(Duration::try_seconds(self.seconds)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
        parsed(text, now, &Zone::utc()).map_or("-".to_owned(), |time| time.format("%F %T").to_string())
    }

    #[test]
    fn dates_are_read_as_gnu_reads_them() {
        // Now is Tuesday, 2023-11-14 22:13:20. Measured with date of coreutils 9.1.
        for (text, time) in [
            ("2023-12-25", "2023-12-25 00:00:00"),
            ("2023-12-25T10:30:00+01:00", "2023-12-25 09:30:00"),
            ("12/25/2023", "2023-12-25 00:00:00"),
            ("Dec 25 2023", "2023-12-25 00:00:00"),
            ("25 Dec 2023 10:00", "2023-12-25 10:00:00"),
            ("25 December 2023 10:00pm", "2023-12-25 22:00:00"),
            ("25-Dec-2023", "2023-12-25 00:00:00"),
            ("Mon Dec 25 10:00:00 UTC 2023", "2023-12-25 10:00:00"),
            ("Thu, 01 Jan 2024 00:00:00 GMT", "2024-01-01 00:00:00"),
            ("2023-12-25 +1 day", "2023-12-26 00:00:00"),
            ("2023-01-31 1 month", "2023-03-03 00:00:00"),
            ("2023-12-25 3 hours ago", "2023-12-24 21:00:00"),
            ("1 jan 2024 + 90 min", "2024-01-01 01:30:00"),
            ("20231225 1030", "2023-12-25 10:30:00"),
            ("10:00", "2023-11-14 10:00:00"),
            ("tomorrow 00:00", "2023-11-15 00:00:00"),
            ("yesterday", "2023-11-13 22:13:20"),
            ("next monday", "2023-11-20 00:00:00"),
            ("last friday", "2023-11-10 00:00:00"),
            ("tuesday", "2023-11-14 00:00:00"),
            ("3 days ago 2024-03-10", "2024-03-07 00:00:00"),
            ("2024-05-01 12:00 PDT", "2024-05-01 19:00:00"),
            ("@0", "1970-01-01 00:00:00"),
            ("", "2023-11-14 00:00:00"),
            ("2023-02-30", "-"),
            ("2023-12-25 25:00", "-"),
            ("bad date", "-"),
            ("noon", "-"),
        ] {
            assert_eq!(said(text), time, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[0-9a-z:/@+\\- .,()]{0,40}") {
            let _ = said(&text);
        }
    }
}
