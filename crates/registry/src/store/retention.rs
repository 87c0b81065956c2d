//! Forgetting what is older than the settings say.

use super::{Query, Store, StoreError, Value, retry};
use crate::time::now_ms;

/// Rows removed in one transaction.
const BATCH: u32 = 2000;

/// What retention removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Events, each with its row in `logs`.
    pub events: u64,
    /// Visits.
    pub sessions: u64,
}

impl Store {
    /// Removes events and visits that are older than `before` (milliseconds), and browsers that are signed in no more.
    pub async fn sweep_events(&self, before: i64) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        loop {
            let found = retry(|| self.sweep_batch(before)).await?;
            swept.events += found;
            if found < u64::from(BATCH) {
                break;
            }
        }
        let sessions = Query::new("DELETE FROM sessions WHERE last_at < ?").bind(before);
        swept.sessions = retry(|| self.engine.execute(sessions.clone())).await?.rows;
        if swept.sessions > 0 {
            let labels = Query::new(
                "DELETE FROM session_labels WHERE NOT EXISTS (SELECT 1 FROM sessions s \
                 WHERE s.bucket_id = session_labels.bucket_id AND s.session = session_labels.session)",
            );
            retry(|| self.engine.execute(labels.clone())).await?;
        }
        let browsers = Query::new("DELETE FROM web_sessions WHERE expires_at < ?").bind(now_ms());
        retry(|| self.engine.execute(browsers.clone())).await?;
        Ok(swept)
    }

    async fn sweep_batch(&self, before: i64) -> Result<u64, StoreError> {
        let mut tx = self.engine.begin().await?;
        let old = Query::new("SELECT id, log_id FROM events WHERE at < ? ORDER BY at LIMIT ?")
            .bind(before)
            .bind(BATCH);
        let rows = tx.all(old).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut events = Vec::with_capacity(rows.len());
        let mut logs = Vec::with_capacity(rows.len());
        for row in &rows {
            events.push(Value::Int(row.int(0)?));
            logs.push(Value::Int(row.int(1)?));
        }
        tx.execute(Query::new("DELETE FROM logs WHERE id IN ").list(logs)).await?;
        tx.execute(Query::new("DELETE FROM events WHERE id IN ").list(events)).await?;
        tx.commit().await?;
        Ok(rows.len() as u64)
    }

    /// Keys of objects that were read and are older than `before` (milliseconds).
    pub async fn old_objects(&self, before: i64, limit: u32) -> Result<Vec<(i64, String)>, StoreError> {
        let query = Query::new(
            "SELECT id, object_key FROM objects WHERE state = 'parsed' AND stored_at < ? ORDER BY id LIMIT ?",
        );
        let rows = self.engine.all(query.bind(before).bind(limit)).await?;
        rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?))).collect()
    }

    /// The archive no longer has this object.
    pub async fn note_object_expired(&self, id: i64) -> Result<(), StoreError> {
        let query = Query::new("UPDATE objects SET state = 'expired' WHERE id = ?").bind(id);
        retry(|| self.engine.execute(query.clone())).await.map(drop)
    }
}
