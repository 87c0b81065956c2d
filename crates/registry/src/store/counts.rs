//! The figures of the front page and of `/metrics`.

use super::{Query, Store, StoreError};

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Buckets that are called.
    pub buckets_active: u64,
    /// Buckets that wait for a person.
    pub buckets_pending: u64,
    /// Buckets that were shut out.
    pub buckets_revoked: u64,
    /// Active buckets whose last call failed.
    pub buckets_failing: u64,
    /// Events in the tables.
    pub events: u64,
    /// Visits in the tables.
    pub sessions: u64,
    /// Objects that nobody has read yet.
    pub objects_stored: u64,
    /// Objects whose rows are in the tables.
    pub objects_parsed: u64,
    /// Objects that cannot be read.
    pub objects_failed: u64,
    /// Lines that are no events.
    pub rejects: u64,
    /// Gaps in the logs.
    pub gaps: u64,
    /// Captured files the archive has.
    pub artifacts: u64,
    /// Analyses.
    pub analyses: u64,
    /// Findings.
    pub findings: u64,
}

impl Store {
    /// Counts everything.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let query = Query::new(
            "SELECT (SELECT COUNT(*) FROM buckets WHERE status = 'active'), \
             (SELECT COUNT(*) FROM buckets WHERE status = 'pending'), \
             (SELECT COUNT(*) FROM buckets WHERE status = 'revoked'), \
             (SELECT COUNT(*) FROM buckets WHERE status = 'active' AND last_error IS NOT NULL), \
             (SELECT COUNT(*) FROM events), (SELECT COUNT(*) FROM sessions), \
             (SELECT COUNT(*) FROM objects WHERE state = 'stored'), (SELECT COUNT(*) FROM objects WHERE state = 'parsed'), \
             (SELECT COUNT(*) FROM objects WHERE state = 'failed'), (SELECT COUNT(*) FROM rejects), \
             (SELECT COUNT(*) FROM gaps), (SELECT COUNT(*) FROM artifacts WHERE state = 'stored'), \
             (SELECT COUNT(*) FROM log_analysis), (SELECT COUNT(*) FROM findings)",
        );
        let Some(row) = self.engine.first(query).await? else { return Ok(Counts::default()) };
        Ok(Counts {
            buckets_active: row.count(0)?,
            buckets_pending: row.count(1)?,
            buckets_revoked: row.count(2)?,
            buckets_failing: row.count(3)?,
            events: row.count(4)?,
            sessions: row.count(5)?,
            objects_stored: row.count(6)?,
            objects_parsed: row.count(7)?,
            objects_failed: row.count(8)?,
            rejects: row.count(9)?,
            gaps: row.count(10)?,
            artifacts: row.count(11)?,
            analyses: row.count(12)?,
            findings: row.count(13)?,
        })
    }
}
