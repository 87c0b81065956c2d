//! What a text has said of a moment so far, and the moment that it comes to.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, Timelike as _, Utc, Weekday};

use super::super::zone::Zone;
use super::words::Unit;

/// What a text has said so far.
#[derive(Default)]
pub(super) struct Said {
    pub(super) date: Option<(i64, u32, u32)>,
    pub(super) has_year: bool,
    pub(super) time: Option<(u32, u32, u32, u32)>,
    weekday: Option<(i64, Weekday)>,
    pub(super) zone: Option<i64>,
    years: i64,
    months: i64,
    days: i64,
    seconds: i64,
    pub(super) relative: bool,
}

/// Years of two digits are of our time.
pub(super) fn full_year(value: i64, digits: usize) -> i64 {
    match value {
        0..69 if digits == 2 => value + 2000,
        69..100 if digits == 2 => value + 1900,
        _ => value,
    }
}

impl Said {
    pub(super) fn day(&mut self, year: i64, digits: usize, month: i64, day: i64) -> Option<()> {
        self.dated(full_year(year, digits), month, day)?;
        self.has_year = true;
        Some(())
    }

    pub(super) fn dated(&mut self, year: i64, month: i64, day: i64) -> Option<()> {
        if self.date.is_some() {
            return None;
        }
        self.date = Some((year, u32::try_from(month).ok()?, u32::try_from(day).ok()?));
        Some(())
    }

    pub(super) fn clock(
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

    pub(super) fn weekday(&mut self, count: i64, day: Weekday) -> Option<()> {
        if self.weekday.is_some() {
            return None;
        }
        self.weekday = Some((count, day));
        Some(())
    }

    pub(super) fn add(&mut self, count: i64, unit: Unit) -> Option<()> {
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

    pub(super) fn moment(&self, now: DateTime<Utc>, here: &Zone) -> Option<DateTime<Utc>> {
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
