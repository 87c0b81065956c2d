//! Whether the lines of an extract are what its headers say.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;

use crate::log_parser::is_sha256;
use crate::time::parse_timestamp;

/// More holes than this in one answer are no log.
const MISSING: usize = 1000;

/// What an extract holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub lines: u64,
    /// Time of the first event, microseconds since 1970; 0 when it has none.
    pub first_at: i64,
    /// Sequence numbers that are missing before and between, both ends included.
    pub missing: Vec<(u64, u64)>,
    /// Captured files that the events name.
    pub artifacts: Vec<String>,
}

#[derive(Deserialize)]
struct Line<'l> {
    seq: u64,
    #[serde(borrow, default)]
    timestamp: Cow<'l, str>,
    #[serde(borrow, default)]
    shasum: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    outfile: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    ttylog: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    eventid: Cow<'l, str>,
}

/// Checks that every line has its `seq`, that they ascend from `first` to `last`, and that all lie after `after`.
pub(super) fn check(plain: &[u8], after: u64, first: u64, last: u64) -> Result<Checked, String> {
    if last > i64::MAX as u64 {
        return Err(format!("sequence number {last} is out of range"));
    }
    let mut before = after;
    let mut lines = 0;
    let mut first_at = 0;
    let mut missing = Vec::new();
    let mut artifacts = BTreeSet::new();
    for (text, number) in plain.split(|b| *b == b'\n').zip(1_u64..).filter(|(text, _)| !text.is_empty()) {
        let line: Line<'_> = serde_json::from_slice(text)
            .map_err(|error| format!("line {number} has no sequence number: {error}"))?;
        if line.seq <= before {
            return Err(format!("line {number} has sequence number {} after {before}", line.seq));
        }
        if lines == 0 {
            if line.seq != first {
                return Err(format!("the first sequence number is {}, not {first}", line.seq));
            }
            first_at = parse_timestamp(&line.timestamp).unwrap_or(0);
        }
        if line.seq - before > 1 {
            missing.push((before + 1, line.seq - 1));
            if missing.len() > MISSING {
                return Err(format!("more than {MISSING} holes in the sequence"));
            }
        }
        before = line.seq;
        lines += 1;
        // An artifact is something the bucket kept under its digest; a file that was only asked for is none.
        let kept = line.outfile.as_deref().or(line.ttylog.as_deref()).is_some_and(|name| !name.is_empty());
        if kept || line.eventid == "rustbucket.http.request" {
            artifacts.extend(line.shasum.filter(|sum| is_sha256(sum)).map(Cow::into_owned));
        }
    }
    if lines == 0 {
        return Err("it has no line".to_owned());
    }
    if before != last {
        return Err(format!("the last sequence number is {before}, not {last}"));
    }
    Ok(Checked { lines, first_at, missing, artifacts: artifacts.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(numbers: &[u64]) -> Vec<u8> {
        let line = |n: &u64| {
            format!("{{\"seq\":{n},\"timestamp\":\"2026-11-21T00:00:00.000001Z\",\"eventid\":\"x\"}}\n")
        };
        numbers.iter().map(line).collect::<String>().into_bytes()
    }

    #[test]
    fn a_whole_log_passes_and_its_holes_are_told() {
        let checked = check(&log(&[5, 6, 7]), 4, 5, 7).unwrap();
        assert_eq!((checked.lines, checked.missing, checked.first_at % 1_000_000), (3, vec![], 1));
        assert_eq!(check(&log(&[9, 12]), 4, 9, 12).unwrap().missing, [(5, 8), (10, 11)]);
    }

    #[test]
    fn everything_else_is_refused() {
        let fault = |plain: &[u8], after, first, last| check(plain, after, first, last).unwrap_err();
        assert!(fault(b"", 0, 1, 1).contains("no line"));
        assert!(fault(b"{}\n", 0, 1, 1).contains("missing field `seq`"));
        assert!(fault(b"{\"seq\":1}\nnot json\n", 0, 1, 2).starts_with("line 2 has no sequence number"));
        assert!(fault(b"{\"seq\":\"1\"}\n", 0, 1, 1).contains("no sequence number"));
        assert!(fault(&log(&[1, 2, 2]), 0, 1, 2).contains("sequence number 2 after 2"));
        assert!(fault(&log(&[2, 1]), 0, 2, 1).contains("sequence number 1 after 2"));
        assert!(fault(&log(&[3, 4]), 4, 3, 4).contains("after 4"));
        assert!(fault(&log(&[1, 2]), 0, 1, 3).contains("last sequence number is 2, not 3"));
        assert!(fault(&log(&[1, 2]), 0, 2, 2).contains("first sequence number is 1, not 2"));
        assert!(fault(&log(&[1]), 0, 1, u64::MAX).contains("out of range"));
        let holes: Vec<u64> = (1..=2002).step_by(2).map(|n| n + 1).collect();
        assert!(fault(&log(&holes), 0, 2, 2002).contains("holes"));
    }

    #[test]
    fn kept_files_are_wanted_and_unkept_ones_are_not() {
        let sum = "a".repeat(64);
        let line = |rest: &str| {
            format!("{{\"seq\":1,\"eventid\":\"cowrie.session.file_upload\",\"shasum\":\"{sum}\"{rest}}}\n")
        };
        assert_eq!(
            check(line(",\"outfile\":\"artifacts/a\"").as_bytes(), 0, 1, 1).unwrap().artifacts,
            std::slice::from_ref(&sum)
        );
        assert!(check(line(",\"outfile\":\"\"").as_bytes(), 0, 1, 1).unwrap().artifacts.is_empty());
        let evil = b"{\"seq\":1,\"shasum\":\"../../etc/passwd\",\"outfile\":\"x\"}";
        assert!(check(evil, 0, 1, 1).unwrap().artifacts.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300), after in 0u64..5, first in any::<u64>(), last in any::<u64>()) {
            if let Ok(checked) = check(&bytes, after, first, last) {
                prop_assert!(checked.lines > 0 && first > after && last >= first);
            }
        }
    }
}
