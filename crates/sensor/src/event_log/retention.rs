//! Which log files may go: by age once the registry has them, by size when the disk needs it.

use std::sync::Arc;

use super::ledger::Gap;
use super::segment::Segment;

/// What decides.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Days a file is kept after its own day.
    pub retention_days: u32,
    /// Bytes all files together may have.
    pub max_bytes: u64,
    /// A registry fetches the log: what it does not have yet is kept longer.
    pub registry: bool,
}

/// What is to be deleted.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Files to delete.
    pub victims: Vec<Arc<Segment>>,
    /// Events that nobody has and that go with them.
    pub gaps: Vec<Gap>,
}

/// Judges files, oldest first. The newest stays whatever happens: it proves the last number.
pub fn judge(rules: Rules, segments: &[Arc<Segment>], today: u64, acknowledged: u64) -> Verdict {
    let mut verdict = Verdict::default();
    let mut total: u64 = segments.iter().map(|segment| segment.length()).sum();
    let Some((_newest, candidates)) = segments.split_last() else { return verdict };
    let mut deleting_oldest = true;
    for segment in candidates {
        let old = today.saturating_sub(segment.day) > u64::from(rules.retention_days);
        let fetched = segment.last_seq() <= acknowledged;
        let expired = old && (fetched || !rules.registry);
        // Size takes only from the old end, so that what is lost is one range.
        let crowded_out = deleting_oldest && total > rules.max_bytes;
        if !expired && !crowded_out {
            deleting_oldest = false;
            continue;
        }
        total = total.saturating_sub(segment.length());
        if !expired && !fetched {
            verdict.gaps.push(gap_of(segment, acknowledged, "deleted to stay within log_max_bytes"));
        }
        verdict.victims.push(Arc::clone(segment));
    }
    verdict
}

/// What is lost with a file of which everything up to `acknowledged` is safe elsewhere.
pub fn gap_of(segment: &Segment, acknowledged: u64, reason: &str) -> Gap {
    let from_seq = segment.first_seq().max(acknowledged + 1);
    // When the file cannot be searched, all of it is called lost.
    let start = segment.locate(acknowledged).unwrap_or_default();
    Gap {
        from_seq,
        to_seq: segment.last_seq(),
        bytes: segment.length().saturating_sub(start),
        reason: reason.to_owned(),
    }
}
