//! UTC timestamps and day names, made without a calendar library because every event pays for one.

const DAY_SECONDS: u64 = 86_400;
const MICROS: u64 = 1_000_000;

/// Days since 1970-01-01 of a moment in microseconds since then.
pub fn day_of(micros: u64) -> u64 {
    micros / MICROS / DAY_SECONDS
}

/// `YYYY-MM-DD` of a day counted from 1970-01-01.
///
/// The algorithm is `civil_from_days` of Howard Hinnant's "chrono-compatible low-level date algorithms".
pub fn day_name(day: u64) -> String {
    let z = day + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

/// The day counted from 1970-01-01 of a `YYYY-MM-DD`, when it is a real date.
pub fn day_from_name(name: &str) -> Option<u64> {
    let mut parts = name.split('-');
    let (year, month, day_of_month) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() != 2 || day_of_month.len() != 2 {
        return None;
    }
    let (year, month, day_of_month): (u64, u64, u64) =
        (year.parse().ok()?, month.parse().ok()?, day_of_month.parse().ok()?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day_of_month) {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year / 400;
    let year_of_era = shifted_year % 400;
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day_of_month - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let day = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    (day_name(day) == name).then_some(day)
}

/// Formats moments; the part down to the second is kept between calls.
#[derive(Debug, Default)]
pub struct Timestamps {
    second: Option<u64>,
    text: String,
}

impl Timestamps {
    /// `YYYY-MM-DDTHH:MM:SS.ffffffZ` of a moment in microseconds since 1970.
    pub fn format(&mut self, micros: u64) -> &str {
        let second = micros / MICROS;
        if self.second == Some(second) {
            self.text.truncate("YYYY-MM-DDTHH:MM:SS.".len());
        } else {
            let (hour, minute, rest) = (second / 3600 % 24, second / 60 % 60, second % 60);
            self.text = format!("{}T{hour:02}:{minute:02}:{rest:02}.", day_name(second / DAY_SECONDS));
            self.second = Some(second);
        }
        let fraction = micros % MICROS;
        for divisor in [100_000, 10_000, 1000, 100, 10, 1] {
            self.text.push(char::from(b'0' + (fraction / divisor % 10) as u8));
        }
        self.text.push('Z');
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The reference is chrono, over every moment a four-digit year can name.
        #[test]
        fn agrees_with_chrono(micros in 0u64..253_402_300_799_000_000) {
            let moment = DateTime::from_timestamp_micros(micros as i64).unwrap();
            let mut timestamps = Timestamps::default();
            prop_assert_eq!(timestamps.format(micros), moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
            let day = day_of(micros);
            prop_assert_eq!(day_name(day), moment.format("%Y-%m-%d").to_string());
            prop_assert_eq!(day_from_name(&day_name(day)), Some(day));
        }
    }

    #[test]
    fn keeps_the_second_between_calls() {
        let mut timestamps = Timestamps::default();
        assert_eq!(timestamps.format(1_700_000_000_000_001), "2023-11-14T22:13:20.000001Z");
        assert_eq!(timestamps.format(1_700_000_000_999_999), "2023-11-14T22:13:20.999999Z");
        assert_eq!(timestamps.format(1_700_000_001_000_000), "2023-11-14T22:13:21.000000Z");
    }

    #[test]
    fn refuses_days_that_do_not_exist() {
        for name in ["2023-02-29", "2023-13-01", "2023-1-01", "1969-12-31", "x", "2023-01-01-1", "2023-01-32"]
        {
            assert_eq!(day_from_name(name), None, "{name}");
        }
    }
}
