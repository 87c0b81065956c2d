//! The registry's clock: milliseconds since 1970, and the two ways times are written down.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

/// Now, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    Utc::now().timestamp_millis()
}

/// As `DATETIME(6)` takes it: `YYYY-MM-DD HH:MM:SS.ffffff`, UTC.
pub fn sql_time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// For people: `YYYY-MM-DD HH:MM:SSZ`.
pub fn readable(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
        .replace('T', " ")
}

/// Reads an event's `YYYY-MM-DDTHH:MM:SS[.ffffff]Z` as microseconds since 1970.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let moment =
        NaiveDateTime::parse_from_str(text.strip_suffix('Z')?, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc();
    // A year that no table holds is no time.
    (moment.timestamp() >= 0 && moment.timestamp() < 253_402_300_800).then(|| moment.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_to_the_microsecond_and_written_back() {
        let micros = parse_timestamp("2026-11-21T20:01:02.123456Z").unwrap();
        assert_eq!(sql_time(micros), "2026-11-21 20:01:02.123456");
        assert_eq!(readable(micros / 1000), "2026-11-21 20:01:02Z");
        for bad in [
            "",
            "Z",
            "2026-11-21",
            "2026-13-01T00:00:00Z",
            "2026-11-21T20:01:02+01:00",
            "99999-01-01T00:00:00Z",
            "1960-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_timestamp(bad), None, "{bad}");
        }
    }
}
