//! What needs a person's eye: gaps in a log, lines that are no events, findings.

use super::{Query, Store, StoreError, Tx, retry};
use crate::time::now_ms;

/// Events that are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Whose.
    pub bucket: String,
    /// First that is missing.
    pub from_seq: u64,
    /// Last that is missing.
    pub to_seq: u64,
    /// `sequence` when the registry saw it, `bucket` when the bucket told of it.
    pub source: String,
    /// Why, as far as known.
    pub reason: String,
    /// How many bytes, 0 when unknown.
    pub bytes: u64,
    /// When it was found.
    pub found_at: i64,
}

/// A line that is no event, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectRow {
    /// Whose.
    pub bucket: String,
    /// In which object of the archive.
    pub object_key: String,
    /// Its number there, from 1.
    pub line_number: u64,
    /// Why.
    pub reason: String,
    /// The line, cut.
    pub line: String,
    /// When it was found.
    pub found_at: i64,
}

/// Something found about a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFinding {
    /// About which bucket.
    pub bucket_id: i64,
    /// In which analysis.
    pub analysis_id: Option<i64>,
    /// A word, as `log.backwards`.
    pub kind: &'static str,
    /// `info`, `warning` or `alarm`.
    pub severity: &'static str,
    /// About what; a repeat of the same bucket, kind and subject is one finding.
    pub subject: String,
    /// For people.
    pub detail: String,
}

/// A finding as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Row number.
    pub id: i64,
    /// About which bucket.
    pub bucket: String,
    /// A word.
    pub kind: String,
    /// `info`, `warning` or `alarm`.
    pub severity: String,
    /// About what.
    pub subject: String,
    /// For people.
    pub detail: String,
    /// When it was found last.
    pub found_at: i64,
}

impl Store {
    /// The last gaps, newest first.
    pub async fn gaps(&self, limit: u32) -> Result<Vec<Gap>, StoreError> {
        let query = Query::new(
            "SELECT b.name, g.from_seq, g.to_seq, g.source, g.reason, g.bytes, g.found_at FROM gaps g \
             JOIN buckets b ON b.id = g.bucket_id ORDER BY g.id DESC LIMIT ?",
        );
        let rows = self.engine.all(query.bind(limit)).await?;
        let gap = |row: &super::Row| {
            Ok(Gap {
                bucket: row.text(0)?,
                from_seq: row.count(1)?,
                to_seq: row.count(2)?,
                source: row.text(3)?,
                reason: row.text(4)?,
                bytes: row.count(5)?,
                found_at: row.int(6)?,
            })
        };
        rows.iter().map(gap).collect()
    }

    /// The last rejected lines, newest first.
    pub async fn rejects(&self, limit: u32) -> Result<Vec<RejectRow>, StoreError> {
        let query = Query::new(
            "SELECT b.name, o.object_key, r.line_number, r.reason, r.line, r.found_at FROM rejects r \
             JOIN buckets b ON b.id = r.bucket_id JOIN objects o ON o.id = r.object_id ORDER BY r.id DESC LIMIT ?",
        );
        let rows = self.engine.all(query.bind(limit)).await?;
        let reject = |row: &super::Row| {
            Ok(RejectRow {
                bucket: row.text(0)?,
                object_key: row.text(1)?,
                line_number: row.count(2)?,
                reason: row.text(3)?,
                line: row.text(4)?,
                found_at: row.int(5)?,
            })
        };
        rows.iter().map(reject).collect()
    }

    /// Writes a finding; the same one again only moves its time.
    pub async fn add_finding(&self, finding: &NewFinding) -> Result<(), StoreError> {
        retry(|| self.add_finding_once(finding)).await
    }

    async fn add_finding_once(&self, finding: &NewFinding) -> Result<(), StoreError> {
        let mut tx = self.engine.begin().await?;
        let subject: String = finding.subject.chars().take(255).collect();
        let again = Query::new("UPDATE findings SET found_at = ?, detail = ?, severity = ? WHERE bucket_id = ? AND kind = ? AND subject = ?")
            .bind(now_ms())
            .bind(finding.detail.as_str())
            .bind(finding.severity)
            .bind(finding.bucket_id)
            .bind(finding.kind)
            .bind(subject.as_str());
        if tx.execute(again).await?.rows == 0 {
            let row = Query::new(
                "INSERT INTO findings (bucket_id, analysis_id, kind, severity, subject, detail, found_at) VALUES ",
            );
            let row = row.list([
                finding.bucket_id.into(),
                finding.analysis_id.into(),
                finding.kind.into(),
                finding.severity.into(),
                subject.into(),
                finding.detail.as_str().into(),
                now_ms().into(),
            ]);
            tx.execute(row).await?;
        }
        tx.commit().await
    }

    /// The last findings, newest first.
    pub async fn findings(&self, limit: u32) -> Result<Vec<Finding>, StoreError> {
        let query = Query::new(
            "SELECT f.id, b.name, f.kind, f.severity, f.subject, f.detail, f.found_at FROM findings f \
             JOIN buckets b ON b.id = f.bucket_id ORDER BY f.found_at DESC, f.id DESC LIMIT ?",
        );
        let rows = self.engine.all(query.bind(limit)).await?;
        let finding = |row: &super::Row| {
            Ok(Finding {
                id: row.int(0)?,
                bucket: row.text(1)?,
                kind: row.text(2)?,
                severity: row.text(3)?,
                subject: row.text(4)?,
                detail: row.text(5)?,
                found_at: row.int(6)?,
            })
        };
        rows.iter().map(finding).collect()
    }
}

impl Tx {
    /// Writes a gap, once.
    pub(super) async fn add_gap(
        &mut self,
        bucket_id: i64,
        from: u64,
        to: u64,
        source: &'static str,
        reason: &str,
        bytes: u64,
    ) -> Result<(), StoreError> {
        let known = Query::new(
            "SELECT id FROM gaps WHERE bucket_id = ? AND from_seq = ? AND to_seq = ? AND source = ?",
        );
        if self.first(known.bind(bucket_id).bind(from).bind(to).bind(source)).await?.is_some() {
            return Ok(());
        }
        let row = Query::new(
            "INSERT INTO gaps (bucket_id, from_seq, to_seq, source, reason, bytes, found_at) VALUES ",
        );
        let row = row.list([
            bucket_id.into(),
            from.into(),
            to.into(),
            source.into(),
            reason.into(),
            bytes.into(),
            now_ms().into(),
        ]);
        self.execute(row).await.map(drop)
    }
}
