//! The words of a date: months, days of the week, units, and what stands for a count.

use chrono::Weekday;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unit {
    Year,
    Month,
    Day(i64),
    Second(i64),
}

pub(super) fn month(word: &str) -> Option<i64> {
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

pub(super) fn weekday(word: &str) -> Option<Weekday> {
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

pub(super) fn meridian(word: &str) -> Option<bool> {
    match word {
        "am" | "a.m." => Some(false),
        "pm" | "p.m." => Some(true),
        _ => None,
    }
}

pub(super) fn ordinal(word: &str) -> Option<i64> {
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

pub(super) fn unit(word: &str) -> Option<Unit> {
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
