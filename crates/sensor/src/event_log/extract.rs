//! Reading the log from a position on, without disturbing the writer.

use std::sync::Arc;

use super::fault::EventLogError;
use super::segment::{self, Segment};

/// Whole lines from one log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extract {
    /// JSON lines, each with its newline.
    pub bytes: Vec<u8>,
    /// Sequence number of the first line.
    pub first_seq: u64,
    /// Sequence number of the last line.
    pub last_seq: u64,
    /// More lines follow.
    pub more: bool,
}

/// Reads what follows `after`: at least one line, and no more lines than fit `limit_bytes`.
///
/// What is handed over is made durable first, so that no number the registry has seen can be given
/// a second time after a power cut.
pub fn read_after(
    segments: &[Arc<Segment>],
    after: u64,
    limit_bytes: u64,
) -> Result<Option<Extract>, EventLogError> {
    let mut rest = segments.iter().filter(|segment| segment.length() > 0 && segment.last_seq() > after);
    let Some(segment) = rest.next() else { return Ok(None) };
    let more_files = rest.next().is_some();
    segment.sync().map_err(|source| EventLogError::Sync { path: segment.path.clone(), source })?;
    let fault = |source| EventLogError::ReadFile { path: segment.path.clone(), source };
    let end = segment.length();
    let start = segment.locate(after).map_err(fault)?;
    let wanted = end.min(start.saturating_add(limit_bytes));
    let mut stop = segment.line_start_before(wanted).map_err(fault)?;
    if stop <= start {
        // One line larger than the limit.
        stop = segment.find_newline(start, end).map_err(fault)?.map_or(end, |newline| newline + 1);
    }
    let bytes = segment.read(start, stop).map_err(fault)?;
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let first_seq = lines.clone().find_map(segment::seq_of);
    let last_seq = std::iter::from_fn(|| lines.next_back()).find_map(segment::seq_of);
    let (Some(first_seq), Some(last_seq)) = (first_seq, last_seq) else {
        return Err(fault(std::io::Error::other("the lines after the position carry no sequence number")));
    };
    Ok(Some(Extract { bytes, first_seq, last_seq, more: stop < end || more_files }))
}
