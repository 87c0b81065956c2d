//! Times by a format, as GNU's strftime writes them.

use chrono::{DateTime, Datelike as _, FixedOffset, Timelike as _, Utc};

/// The most that one format may become.
const MOST: usize = 64 * 1024;
/// The widest field.
const WIDEST: usize = 1024;

/// A moment where it is looked at from.
#[derive(Clone)]
pub(in crate::shell::commands) struct Moment {
    pub(super) time: DateTime<FixedOffset>,
    pub(super) zone: String,
}

/// A time of the machine by a format.
pub(in crate::shell::commands) fn written(format: &str, time: DateTime<Utc>) -> String {
    Moment { time: time.fixed_offset(), zone: "UTC".to_owned() }.written(format)
}

/// How a field is asked for.
#[derive(Clone, Copy, Default)]
struct Field {
    pad: Option<char>,
    upper: bool,
    swap: bool,
    width: Option<usize>,
    colons: usize,
}

impl Moment {
    pub(super) fn written(&self, format: &str) -> String {
        let mut text = String::new();
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            text += rest.get(..at).unwrap_or_default();
            let spec = rest.get(at..).unwrap_or_default();
            let (piece, taken) = self.field(spec);
            text += &piece;
            rest = spec.get(taken..).unwrap_or_default();
            if text.len() > MOST {
                return text;
            }
        }
        text + rest
    }

    /// What the field at the beginning becomes, and how long it is.
    fn field(&self, spec: &str) -> (String, usize) {
        let mut field = Field::default();
        let mut at = 1;
        let sign = |at: usize| spec.get(at..).and_then(|rest| rest.chars().next());
        while let Some(flag) = sign(at).filter(|c| "_-0+^#".contains(*c)) {
            match flag {
                '^' => field.upper = true,
                '#' => field.swap = true,
                pad => field.pad = Some(pad),
            }
            at += 1;
        }
        let digits = spec.get(at..).unwrap_or_default();
        let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        field.width = digits.get(..length).and_then(|n| n.parse::<usize>().ok()).map(|n| n.min(WIDEST));
        at += length;
        while sign(at) == Some(':') && field.colons < 3 {
            field.colons += 1;
            at += 1;
        }
        if matches!(sign(at), Some('E' | 'O')) && sign(at + 1).is_some_and(|c| c.is_ascii_alphabetic()) {
            at += 1;
        }
        let Some(letter) = sign(at) else { return (spec.to_owned(), spec.len()) };
        let end = at + letter.len_utf8();
        match self.value(letter, field) {
            Some(text) if field.colons == 0 || letter == 'z' => (text, end),
            _ => (spec.get(..end).unwrap_or_default().to_owned(), end),
        }
    }

    fn value(&self, letter: char, field: Field) -> Option<String> {
        let time = &self.time;
        let number = |value: i64, digits: usize, pad: char| Some(padded(value, digits, pad, field));
        let word = |text: &str| {
            let text = if field.upper || field.swap { text.to_uppercase() } else { text.to_owned() };
            Some(filled(text, ' ', field))
        };
        let whole = |format: &str| word(&self.written(format));
        let twelve = |hour: u32| if hour.is_multiple_of(12) { 12 } else { i64::from(hour % 12) };
        let week = time.iso_week();
        let noon = if time.hour() < 12 { "AM" } else { "PM" };
        match letter {
            '%' => Some("%".to_owned()),
            'n' => Some("\n".to_owned()),
            't' => Some("\t".to_owned()),
            'a' => word(&time.format("%a").to_string()),
            'A' => word(&time.format("%A").to_string()),
            'b' | 'h' => word(&time.format("%b").to_string()),
            'B' => word(&time.format("%B").to_string()),
            'c' => whole("%a %b %e %H:%M:%S %Y"),
            'C' => number(i64::from(time.year()).div_euclid(100), 2, '0'),
            'd' => number(time.day().into(), 2, '0'),
            'D' | 'x' => whole("%m/%d/%y"),
            'e' => number(time.day().into(), 2, ' '),
            'F' => whole("%Y-%m-%d"),
            'g' => number(i64::from(week.year()).rem_euclid(100), 2, '0'),
            'G' => number(week.year().into(), 4, '0'),
            'H' => number(time.hour().into(), 2, '0'),
            'I' => number(twelve(time.hour()), 2, '0'),
            'j' => number(time.ordinal().into(), 3, '0'),
            'k' => number(time.hour().into(), 2, ' '),
            'l' => number(twelve(time.hour()), 2, ' '),
            'm' => number(time.month().into(), 2, '0'),
            'M' => number(time.minute().into(), 2, '0'),
            'N' => {
                let digits = format!("{:09}", time.nanosecond() % 1_000_000_000);
                let width = field.width.unwrap_or(9);
                let text = match width {
                    0..=9 => digits.get(..width.max(1)).unwrap_or_default().to_owned(),
                    _ => format!("{digits:0<width$}"),
                };
                Some(if field.pad == Some('-') { text.trim_end_matches('0').to_owned() } else { text })
            }
            'p' if field.swap => Some(filled(noon.to_lowercase(), ' ', field)),
            'p' => word(noon),
            'P' => Some(filled(noon.to_lowercase(), ' ', field)),
            'q' => number(i64::from(time.month0() / 3 + 1), 1, '0'),
            'r' => whole("%I:%M:%S %p"),
            'R' => whole("%H:%M"),
            's' => number(time.timestamp(), 1, '0'),
            'S' => number(time.second().into(), 2, '0'),
            'T' | 'X' => whole("%H:%M:%S"),
            'u' => number(time.weekday().number_from_monday().into(), 1, '0'),
            'w' => number(time.weekday().num_days_from_sunday().into(), 1, '0'),
            'U' => {
                number(i64::from((time.ordinal0() + 7 - time.weekday().num_days_from_sunday()) / 7), 2, '0')
            }
            'W' => {
                number(i64::from((time.ordinal0() + 7 - time.weekday().num_days_from_monday()) / 7), 2, '0')
            }
            'V' => number(week.week().into(), 2, '0'),
            'y' => number(i64::from(time.year()).rem_euclid(100), 2, '0'),
            'Y' => number(time.year().into(), 4, '0').map(|text| {
                // A year has as many digits as it has.
                if field.width.is_none() && field.pad.is_none() { time.year().to_string() } else { text }
            }),
            'z' => Some(self.offset(field)),
            'Z' if field.swap => Some(filled(self.zone.to_lowercase(), ' ', field)),
            'Z' => word(&self.zone),
            _ => None,
        }
    }

    /// `+0000`, `+00:00`, `+00:00:00`, `+00`.
    fn offset(&self, field: Field) -> String {
        let seconds = self.time.offset().local_minus_utc();
        let (sign, all) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
        let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
        let digits = match field.colons {
            0 => format!("{hours:02}{minutes:02}"),
            1 => format!("{hours:02}:{minutes:02}"),
            2 => format!("{hours:02}:{minutes:02}:{rest:02}"),
            _ if rest != 0 => format!("{hours:02}:{minutes:02}:{rest:02}"),
            _ if minutes != 0 => format!("{hours:02}:{minutes:02}"),
            _ => format!("{hours:02}"),
        };
        let width = field.width.unwrap_or(0).saturating_sub(1);
        match field.pad {
            Some('-') => {
                let short = digits.trim_start_matches('0');
                format!("{sign}{}", if short.is_empty() { "0" } else { short })
            }
            Some('_') => {
                let short = digits.trim_start_matches('0');
                let short = if short.is_empty() { "0" } else { short };
                let width = width.max(digits.len());
                format!("{:>1$}", format!("{sign}{short}"), width + 1)
            }
            _ => format!("{sign}{digits:0>width$}"),
        }
    }
}

fn padded(value: i64, digits: usize, usual: char, field: Field) -> String {
    let pad = match field.pad {
        Some('_') => ' ',
        Some('-') => return value.to_string(),
        Some(_) => '0',
        None => usual,
    };
    let (sign, text) = (if value < 0 { "-" } else { "" }, value.unsigned_abs().to_string());
    let width = field.width.unwrap_or(digits).max(digits).saturating_sub(sign.len());
    if pad == ' ' { format!("{sign}{text:>width$}") } else { format!("{sign}{text:0>width$}") }
}

fn filled(text: String, usual: char, field: Field) -> String {
    let pad = if field.pad == Some('0') { '0' } else { usual };
    let missing = field.width.unwrap_or(0).saturating_sub(text.chars().count());
    format!("{}{text}", pad.to_string().repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_gnu() {
        // Measured with date of coreutils 9.1.
        let time = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
        for (format, text) in [
            ("%-d|%_d|%03d|%^a|%#p|%-m|%_H", "14|14|014|TUE|pm|11|22"),
            ("%10Y|%-5Y|%_5d", "0000002023|2023|   14"),
            ("%j %U %V %W %u %w %G %g %C %y", "318 46 46 46 2 2 2023 23 20 23"),
            ("%z %:z %::z %:::z %Z %#Z", "+0000 +00:00 +00:00:00 +00 UTC utc"),
            ("%q %P %N %3N %E %Q%", "4 pm 000000000 000 %E %Q%"),
        ] {
            assert_eq!(written(format, time), text);
        }
    }
}
