//! Time zones: those of the variable `TZ`, and the few that dates may name.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::{OffsetName as _, Tz};

use super::written::Moment;

/// Where times are looked at from.
#[derive(Clone)]
pub(in crate::shell::commands) enum Zone {
    Named(Tz),
    /// Always so far from UTC, by this name.
    Fixed(FixedOffset, String),
}

impl Zone {
    pub(super) fn utc() -> Self {
        Self::Fixed(Utc.fix(), "UTC".to_owned())
    }

    /// What `TZ` says; what it cannot mean is UTC.
    pub(super) fn of(text: &str) -> Self {
        let name = text.strip_prefix(':').unwrap_or(text);
        if name.is_empty() {
            return Self::utc();
        }
        if let Ok(zone) = name.parse::<Tz>() {
            return Self::Named(zone);
        }
        Self::posix(name).unwrap_or_else(|| {
            // A name that nobody knows is still shown, as far as it is letters.
            let letters: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
            let shown = if letters.len() < 3 { "UTC".to_owned() } else { letters };
            Self::Fixed(Utc.fix(), shown)
        })
    }

    /// `EST5`, `UTC-3`, `<+03>-3:30`; rules for the summer are left out.
    fn posix(text: &str) -> Option<Self> {
        let (name, rest) = match text.strip_prefix('<') {
            Some(rest) => rest.split_once('>')?,
            None => text.split_at(text.find(|c: char| !c.is_ascii_alphabetic())?),
        };
        if name.len() < 3 {
            return None;
        }
        let (sign, rest) = match rest.strip_prefix('-') {
            Some(rest) => (1, rest),
            None => (-1, rest.strip_prefix('+').unwrap_or(rest)),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(rest.len());
        let mut seconds = 0;
        for (part, unit) in rest.get(..end)?.split(':').zip([3600, 60, 1]) {
            seconds += part.parse::<i32>().ok().filter(|part| *part < 168)?.checked_mul(unit)?;
        }
        Some(Self::Fixed(FixedOffset::east_opt(sign * seconds)?, name.to_owned()))
    }

    /// A moment as it is here.
    pub(super) fn at(&self, time: DateTime<Utc>) -> Moment {
        match self {
            Self::Named(zone) => {
                let local = time.with_timezone(zone);
                let name = local.offset().abbreviation().map_or_else(|| "UTC".to_owned(), str::to_owned);
                Moment { time: local.fixed_offset(), zone: name }
            }
            Self::Fixed(offset, name) => Moment { time: time.with_timezone(offset), zone: name.clone() },
        }
    }

    /// The moment when clocks here show this.
    pub(super) fn moment(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Self::Named(zone) => zone.from_local_datetime(&local).earliest().map(|time| time.to_utc()),
            Self::Fixed(offset, _) => offset.from_local_datetime(&local).earliest().map(|time| time.to_utc()),
        }
    }
}

/// Minutes east of UTC of a zone that a date names (parse-datetime.y).
pub(super) fn minutes_east(word: &str) -> Option<i64> {
    const ZONES: &[(&str, i64)] = &[
        ("adt", -180),
        ("akdt", -480),
        ("akst", -540),
        ("art", -180),
        ("ast", -240),
        ("brst", -120),
        ("brt", -180),
        ("bst", 60),
        ("cat", 120),
        ("cdt", -300),
        ("cest", 120),
        ("cet", 60),
        ("clst", -180),
        ("clt", -240),
        ("cst", -360),
        ("eat", 180),
        ("edt", -240),
        ("eest", 180),
        ("eet", 120),
        ("est", -300),
        ("gmt", 0),
        ("gst", 240),
        ("hadt", -540),
        ("hast", -600),
        ("hst", -600),
        ("ist", 330),
        ("jst", 540),
        ("kst", 540),
        ("mdt", -360),
        ("mest", 120),
        ("mesz", 120),
        ("met", 60),
        ("mez", 60),
        ("msd", 240),
        ("msk", 180),
        ("mst", -420),
        ("ndt", -150),
        ("nst", -210),
        ("nzdt", 780),
        ("nzst", 720),
        ("pdt", -420),
        ("pst", -480),
        ("sast", 120),
        ("sgt", 480),
        ("sst", -720),
        ("ut", 0),
        ("utc", 0),
        ("wat", 60),
        ("west", 60),
        ("wet", 0),
        ("z", 0),
    ];
    ZONES.iter().find(|(name, _)| *name == word).map(|(_, minutes)| *minutes)
}
