//! What lies in the archive, and whose turn it is to read it.

use super::{Query, Row, Store, StoreError, retry};
use crate::time::now_ms;

/// An object that was just written to the archive.
#[derive(Clone, Debug)]
pub struct NewObject {
    /// Whose events.
    pub bucket_id: i64,
    /// Its key.
    pub key: String,
    /// First sequence number in it.
    pub first_seq: u64,
    /// Last sequence number in it.
    pub last_seq: u64,
    /// Lines in it.
    pub lines: u64,
    /// Bytes before compression.
    pub plain_bytes: u64,
    /// Bytes as stored.
    pub stored_bytes: u64,
    /// SHA-256 of the plain bytes, lower-case hex.
    pub sha256: String,
    /// The bucket's cursor before it.
    pub after_seq: u64,
    /// Sequence numbers that are missing before and in it, both ends included.
    pub missing: Vec<(u64, u64)>,
    /// SHA-256 of the captured files that its events name.
    pub artifacts: Vec<String>,
}

/// An object of the archive.
#[derive(Clone, Debug)]
pub struct Object {
    /// Row number.
    pub id: i64,
    /// Whose events.
    pub bucket_id: i64,
    /// Name of that bucket.
    pub bucket: String,
    /// Address of that bucket.
    pub ip_address: String,
    /// Its key.
    pub key: String,
    /// First sequence number in it.
    pub first_seq: u64,
    /// Last sequence number in it.
    pub last_seq: u64,
    /// Bytes before compression.
    pub plain_bytes: u64,
    /// SHA-256 of the plain bytes.
    pub sha256: String,
    /// `stored`, `parsed` or `failed`.
    pub state: String,
    /// How often reading it failed. A registry that died while it read does not count.
    pub attempts: u64,
    /// Fences off whoever claimed it before.
    pub fence: i64,
}

const COLUMNS: &str = "SELECT o.id, o.bucket_id, b.name, b.ip_address, o.object_key, o.first_seq, o.last_seq, \
     o.plain_bytes, o.sha256, o.state, o.attempts, o.claim_fence FROM objects o JOIN buckets b ON b.id = o.bucket_id";

fn object(row: &Row) -> Result<Object, StoreError> {
    Ok(Object {
        id: row.int(0)?,
        bucket_id: row.int(1)?,
        bucket: row.text(2)?,
        ip_address: row.text(3)?,
        key: row.text(4)?,
        first_seq: row.count(5)?,
        last_seq: row.count(6)?,
        plain_bytes: row.count(7)?,
        sha256: row.text(8)?,
        state: row.text(9)?,
        attempts: row.count(10)?,
        fence: row.int(11)?,
    })
}

impl Store {
    /// Records an object that the archive holds and moves the bucket's cursor past it, both or neither.
    pub async fn record_object(&self, new: &NewObject) -> Result<(), StoreError> {
        retry(|| self.record_object_once(new)).await
    }

    async fn record_object_once(&self, new: &NewObject) -> Result<(), StoreError> {
        let now = now_ms();
        let mut tx = self.engine.begin().await?;
        let cursor = Query::new(
            "UPDATE buckets SET acked_seq = ?, last_contact_at = ?, last_error = NULL, failures = 0, next_try_at = 0 \
             WHERE id = ? AND acked_seq = ?",
        );
        let cursor = cursor.bind(new.last_seq).bind(now).bind(new.bucket_id).bind(new.after_seq);
        if tx.execute(cursor).await?.rows == 0 {
            return Err(StoreError::TakenOver { what: "the bucket's cursor" });
        }
        let row = Query::new(
            "INSERT INTO objects (bucket_id, object_key, first_seq, last_seq, line_count, plain_bytes, stored_bytes, \
             sha256, state, stored_at) VALUES ",
        )
        .list([
            new.bucket_id.into(),
            new.key.as_str().into(),
            new.first_seq.into(),
            new.last_seq.into(),
            new.lines.into(),
            new.plain_bytes.into(),
            new.stored_bytes.into(),
            new.sha256.as_str().into(),
            "stored".into(),
            now.into(),
        ]);
        tx.execute(row).await?;
        for (from, to) in &new.missing {
            tx.add_gap(
                new.bucket_id,
                *from,
                *to,
                "sequence",
                "sequence numbers are missing in what the bucket sent",
                0,
            )
            .await?;
        }
        for sha256 in &new.artifacts {
            tx.want_artifact(new.bucket_id, sha256).await?;
        }
        tx.commit().await
    }

    /// Takes the oldest object that nobody has read, for `lease` milliseconds.
    pub async fn claim_object(&self, lease: i64) -> Result<Option<Object>, StoreError> {
        loop {
            let now = now_ms();
            let query = Query::new(COLUMNS)
                .push(" WHERE o.state = 'stored' AND o.claim_until <= ? ORDER BY o.id LIMIT 1")
                .bind(now);
            let Some(found) = self.engine.first(query).await?.as_ref().map(object).transpose()? else {
                return Ok(None);
            };
            let claim = Query::new(
                "UPDATE objects SET claim_until = ?, claim_fence = claim_fence + 1 \
                 WHERE id = ? AND claim_fence = ? AND state = 'stored'",
            );
            let claim = claim.bind(now + lease).bind(found.id).bind(found.fence);
            if retry(|| self.engine.execute(claim.clone())).await?.rows > 0 {
                return Ok(Some(Object { fence: found.fence + 1, ..found }));
            }
        }
    }

    /// Gives a claimed object back: it is read again after `wait` milliseconds, or never when `for_good`.
    pub async fn release_object(
        &self,
        object: &Object,
        error: &str,
        wait: i64,
        for_good: bool,
    ) -> Result<(), StoreError> {
        let query = Query::new(
            "UPDATE objects SET claim_until = ?, last_error = ?, state = ?, attempts = attempts + 1 WHERE id = ? AND claim_fence = ?",
        )
        .bind(now_ms() + wait)
        .bind(error.chars().take(2000).collect::<String>())
        .bind(if for_good { "failed" } else { "stored" })
        .bind(object.id)
        .bind(object.fence);
        retry(|| self.engine.execute(query.clone())).await.map(drop)
    }

    /// Puts every object of a bucket (or all) back to be read again; the rows stay as they are.
    pub async fn reread_objects(&self, bucket: Option<&str>) -> Result<u64, StoreError> {
        let mut query = Query::new(
            "UPDATE objects SET state = 'stored', attempts = 0, claim_until = 0 WHERE state <> 'stored'",
        );
        if let Some(name) = bucket {
            query = query.push(" AND bucket_id = (SELECT id FROM buckets WHERE name = ?)").bind(name);
        }
        retry(|| self.engine.execute(query.clone())).await.map(|done| done.rows)
    }

    /// Objects of one state.
    pub async fn objects(&self, state: &str, limit: u32) -> Result<Vec<Object>, StoreError> {
        let query =
            Query::new(COLUMNS).push(" WHERE o.state = ? ORDER BY o.id LIMIT ?").bind(state).bind(limit);
        self.engine.all(query).await?.iter().map(object).collect()
    }
}
