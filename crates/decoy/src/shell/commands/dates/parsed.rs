//! Dates as people write them, as gnulib's parse_datetime understands them.

mod said;
mod tokens;
mod words;

use chrono::{DateTime, Datelike as _, Utc};

use super::zone::{Zone, minutes_east};
use said::{Said, full_year};
use tokens::{Token, hyphened, plain, tokens, word};
use words::{Unit, meridian, month, ordinal, unit, weekday};

/// The longest text that is looked at.
const LONGEST: usize = 1024;

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
