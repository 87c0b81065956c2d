//! Captured files: which are wanted from which bucket, which the archive has.

use super::{Query, Row, Store, StoreError, Tx, retry};
use crate::time::now_ms;

/// A file that an event named and the archive may lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedArtifact {
    /// Row number.
    pub id: i64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// How often it was asked for.
    pub attempts: u64,
}

/// A captured file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Which bucket caught it.
    pub bucket: String,
    /// SHA-256, lower-case hex; the archive has it as `artifacts/SHA256`.
    pub sha256: String,
    /// `wanted`, `stored` or `missing`.
    pub state: String,
    /// Bytes, 0 until stored.
    pub size: u64,
    /// When an event named it.
    pub found_at: i64,
    /// When the archive got it.
    pub stored_at: Option<i64>,
    /// Why it is not there.
    pub last_error: Option<String>,
}

impl Store {
    /// What may be asked of a bucket now.
    pub async fn wanted_artifacts(
        &self,
        bucket_id: i64,
        now: i64,
        limit: u32,
    ) -> Result<Vec<WantedArtifact>, StoreError> {
        let query = Query::new(
            "SELECT id, sha256, attempts FROM artifacts WHERE bucket_id = ? AND state = 'wanted' AND next_try_at <= ? ORDER BY id LIMIT ?",
        );
        let rows = self.engine.all(query.bind(bucket_id).bind(now).bind(limit)).await?;
        rows.iter()
            .map(|row| Ok(WantedArtifact { id: row.int(0)?, sha256: row.text(1)?, attempts: row.count(2)? }))
            .collect()
    }

    /// The size of a file the archive has, whoever brought it.
    pub async fn stored_artifact(&self, sha256: &str) -> Result<Option<u64>, StoreError> {
        let query = Query::new("SELECT size FROM artifacts WHERE sha256 = ? AND state = 'stored' LIMIT 1")
            .bind(sha256);
        self.engine.first(query).await?.map(|row| row.count(0)).transpose()
    }

    /// The archive has it.
    pub async fn note_artifact_stored(&self, id: i64, size: u64) -> Result<(), StoreError> {
        let query = Query::new(
            "UPDATE artifacts SET state = 'stored', size = ?, stored_at = ?, last_error = NULL WHERE id = ?",
        );
        retry(|| self.engine.execute(query.clone().bind(size).bind(now_ms()).bind(id))).await.map(drop)
    }

    /// It did not come: it is asked for again at `next_try_at`, or never when `for_good`.
    pub async fn note_artifact_failed(
        &self,
        id: i64,
        error: &str,
        next_try_at: i64,
        for_good: bool,
    ) -> Result<(), StoreError> {
        let query = Query::new("UPDATE artifacts SET state = ?, attempts = attempts + 1, next_try_at = ?, last_error = ? WHERE id = ?")
            .bind(if for_good { "missing" } else { "wanted" })
            .bind(next_try_at)
            .bind(error.chars().take(2000).collect::<String>())
            .bind(id);
        retry(|| self.engine.execute(query.clone())).await.map(drop)
    }

    /// The last captured files, newest first; of one bucket or of all.
    pub async fn artifacts(&self, bucket: Option<&str>, limit: u32) -> Result<Vec<Artifact>, StoreError> {
        let mut query = Query::new(
            "SELECT b.name, a.sha256, a.state, a.size, a.found_at, a.stored_at, a.last_error FROM artifacts a \
             JOIN buckets b ON b.id = a.bucket_id",
        );
        if let Some(name) = bucket {
            query = query.push(" WHERE b.name = ?").bind(name);
        }
        let rows = self.engine.all(query.push(" ORDER BY a.id DESC LIMIT ?").bind(limit)).await?;
        let artifact = |row: &Row| {
            Ok(Artifact {
                bucket: row.text(0)?,
                sha256: row.text(1)?,
                state: row.text(2)?,
                size: row.count(3)?,
                found_at: row.int(4)?,
                stored_at: row.opt_int(5)?,
                last_error: row.opt_text(6)?,
            })
        };
        rows.iter().map(artifact).collect()
    }
}

impl Tx {
    /// Notes that an event named a file, once for each bucket.
    pub(super) async fn want_artifact(&mut self, bucket_id: i64, sha256: &str) -> Result<(), StoreError> {
        let known = Query::new("SELECT id FROM artifacts WHERE bucket_id = ? AND sha256 = ?")
            .bind(bucket_id)
            .bind(sha256);
        if self.first(known).await?.is_some() {
            return Ok(());
        }
        let row = Query::new(
            "INSERT INTO artifacts (bucket_id, sha256, state, found_at) VALUES (?, ?, 'wanted', ?)",
        );
        self.execute(row.bind(bucket_id).bind(sha256).bind(now_ms())).await.map(drop)
    }
}
