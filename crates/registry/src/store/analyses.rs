//! Analyses: which objects each covers, what it said, what it cost.
//!
//! An analysis is opened with the objects that none covers yet, and finished in one transaction with its text; a run
//! that dies in between is resumed by the next, so that an object is in exactly one finished analysis.

use super::{Query, Row, Store, StoreError, retry};
use crate::time::{now_ms, sql_time};

/// An analysis that waits for its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAnalysis {
    /// Row number.
    pub id: i64,
    /// Of which bucket.
    pub bucket_id: i64,
    /// Name of that bucket.
    pub bucket: String,
    /// Address of that bucket.
    pub ip_address: String,
    /// How often a text was asked for in vain.
    pub attempts: u64,
}

/// The text of an analysis and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedAnalysis {
    /// The text.
    pub text: String,
    /// `claude` and so on; `local` when no model was asked.
    pub provider: String,
    /// The model's name, empty for `local`.
    pub model: String,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// US dollars.
    pub cost_usd: f64,
    /// Events it covers.
    pub events: u64,
    /// First of them, milliseconds.
    pub from: Option<i64>,
    /// Last of them, milliseconds.
    pub to: Option<i64>,
    /// The facts, as JSON.
    pub facts: String,
}

/// An analysis as stored in `log_analysis`, with what is known beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Number of the row in `log_analysis`.
    pub id: i64,
    /// Name of the bucket.
    pub bucket: String,
    /// Address of the bucket.
    pub ip_address: String,
    /// The text: written by a model or from visitors' data, so never to be trusted.
    pub text: String,
    /// `YYYY-MM-DD HH:MM:SS…`, UTC.
    pub created_at: String,
    /// `claude` and so on; `local` when no model was asked.
    pub provider: String,
    /// The model's name.
    pub model: String,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// US dollars.
    pub cost_usd: f64,
    /// Events it covers.
    pub events: u64,
    /// First of them, milliseconds.
    pub from: Option<i64>,
    /// Last of them, milliseconds.
    pub to: Option<i64>,
    /// The facts, as JSON.
    pub facts: Option<String>,
}

const COLUMNS: &str = "SELECT l.id, l.name, l.ip_address, l.log_analysis, CAST(l.created_at AS CHAR), a.provider, a.model, \
     a.tokens_in, a.tokens_out, a.cost_usd, a.events, a.from_at, a.to_at, a.facts FROM log_analysis l \
     LEFT JOIN analyses a ON a.log_analysis_id = l.id";

fn analysis(row: &Row) -> Result<Analysis, StoreError> {
    Ok(Analysis {
        id: row.int(0)?,
        bucket: row.text(1)?,
        ip_address: row.text(2)?,
        text: row.text(3)?,
        created_at: row.text(4)?,
        provider: row.text(5)?,
        model: row.text(6)?,
        tokens_in: row.count(7)?,
        tokens_out: row.count(8)?,
        cost_usd: row.real(9)?,
        events: row.count(10)?,
        from: row.opt_int(11)?,
        to: row.opt_int(12)?,
        facts: row.opt_text(13)?,
    })
}

impl Store {
    /// The last analyses, newest first; of one bucket or of all; below the row number `before` if given.
    pub async fn analyses(
        &self,
        bucket: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Analysis>, StoreError> {
        let mut query = Query::new(COLUMNS).push(" WHERE 1 = 1");
        if let Some(name) = bucket {
            query = query.push(" AND l.name = ?").bind(name);
        }
        if let Some(id) = before {
            query = query.push(" AND l.id < ?").bind(id);
        }
        let query = query.push(" ORDER BY l.id DESC LIMIT ?").bind(limit);
        self.engine.all(query).await?.iter().map(analysis).collect()
    }

    /// One analysis.
    pub async fn analysis(&self, id: i64) -> Result<Option<Analysis>, StoreError> {
        let query = Query::new(COLUMNS).push(" WHERE l.id = ?").bind(id);
        self.engine.first(query).await?.as_ref().map(analysis).transpose()
    }

    /// Opens an analysis for each bucket with objects that none covers, and returns these and all that were left open.
    pub async fn open_analyses(&self) -> Result<Vec<OpenAnalysis>, StoreError> {
        let new = Query::new(
            "SELECT DISTINCT bucket_id FROM objects WHERE state = 'parsed' AND analysis_id IS NULL ORDER BY bucket_id",
        );
        for row in self.engine.all(new).await? {
            let bucket_id = row.int(0)?;
            retry(|| self.open_analysis(bucket_id)).await?;
        }
        let open = Query::new(
            "SELECT a.id, a.bucket_id, b.name, b.ip_address, a.attempts FROM analyses a \
             JOIN buckets b ON b.id = a.bucket_id WHERE a.state = 'open' ORDER BY a.id",
        );
        let row = |row: &Row| {
            Ok(OpenAnalysis {
                id: row.int(0)?,
                bucket_id: row.int(1)?,
                bucket: row.text(2)?,
                ip_address: row.text(3)?,
                attempts: row.count(4)?,
            })
        };
        self.engine.all(open).await?.iter().map(row).collect()
    }

    /// One analysis of a bucket is open at most; what is new joins it.
    async fn open_analysis(&self, bucket_id: i64) -> Result<(), StoreError> {
        let mut tx = self.engine.begin().await?;
        let open =
            Query::new("SELECT id FROM analyses WHERE bucket_id = ? AND state = 'open' ORDER BY id LIMIT 1");
        let id = match tx.first(open.bind(bucket_id)).await? {
            Some(row) => row.int(0)?,
            None => {
                let row =
                    Query::new("INSERT INTO analyses (bucket_id, state, opened_at) VALUES (?, 'open', ?)");
                tx.execute(row.bind(bucket_id).bind(now_ms())).await?.first_id
            }
        };
        let cover = Query::new(
            "UPDATE objects SET analysis_id = ? WHERE bucket_id = ? AND state = 'parsed' AND analysis_id IS NULL",
        );
        tx.execute(cover.bind(id).bind(bucket_id)).await?;
        tx.commit().await
    }

    /// Writes the text of an open analysis. False when it is open no more.
    pub async fn finish_analysis(
        &self,
        open: &OpenAnalysis,
        finished: &FinishedAnalysis,
    ) -> Result<bool, StoreError> {
        retry(|| self.finish_analysis_once(open, finished)).await
    }

    async fn finish_analysis_once(
        &self,
        open: &OpenAnalysis,
        f: &FinishedAnalysis,
    ) -> Result<bool, StoreError> {
        let now = now_ms();
        let mut tx = self.engine.begin().await?;
        let row = Query::new(
            "INSERT INTO log_analysis (name, ip_address, log_analysis, created_at) VALUES (?, ?, ?, ?)",
        )
        .bind(open.bucket.as_str())
        .bind(open.ip_address.as_str())
        .bind(f.text.as_str())
        .bind(sql_time(now * 1000));
        let log_analysis_id = tx.execute(row).await?.first_id;
        let finish = Query::new(
            "UPDATE analyses SET state = 'done', log_analysis_id = ?, provider = ?, model = ?, tokens_in = ?, tokens_out = ?, \
             cost_usd = cost_usd + ?, events = ?, from_at = ?, to_at = ?, facts = ?, finished_at = ?, last_error = NULL \
             WHERE id = ? AND state = 'open'",
        )
        .bind(log_analysis_id)
        .bind(f.provider.as_str())
        .bind(f.model.as_str())
        .bind(f.tokens_in)
        .bind(f.tokens_out)
        .bind(f.cost_usd)
        .bind(f.events)
        .bind(f.from)
        .bind(f.to)
        .bind(f.facts.as_str())
        .bind(now)
        .bind(open.id);
        if tx.execute(finish).await?.rows == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Closes an open analysis that has nothing to say.
    pub async fn close_empty_analysis(&self, open: &OpenAnalysis) -> Result<(), StoreError> {
        let query = Query::new(
            "UPDATE analyses SET state = 'empty', finished_at = ? WHERE id = ? AND state = 'open'",
        );
        retry(|| self.engine.execute(query.clone().bind(now_ms()).bind(open.id))).await.map(drop)
    }

    /// No text came; the analysis stays open. What the attempt cost counts.
    pub async fn note_analysis_failed(&self, id: i64, error: &str, cost_usd: f64) -> Result<(), StoreError> {
        let query = Query::new(
            "UPDATE analyses SET attempts = attempts + 1, last_error = ?, cost_usd = cost_usd + ?, facts = NULL WHERE id = ?",
        );
        let query = query.bind(error.chars().take(2000).collect::<String>()).bind(cost_usd).bind(id);
        retry(|| self.engine.execute(query.clone())).await.map(drop)
    }

    /// US dollars spent on analyses that were opened or finished since `since` (milliseconds).
    pub async fn spent_since(&self, since: i64) -> Result<f64, StoreError> {
        let query = Query::new("SELECT SUM(cost_usd) FROM analyses WHERE opened_at >= ? OR finished_at >= ?")
            .bind(since)
            .bind(since);
        self.engine.first(query).await?.map_or(Ok(0.0), |row| row.real(0))
    }
}
