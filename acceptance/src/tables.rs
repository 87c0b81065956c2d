//! The registry's tables, read from beside it: only those whose shape CONTRACT promises to everybody.

use std::{path::Path, time::Duration};

use serde_json::Value;
use sqlx::{
    Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

/// A read-only look at a SQLite registry.
pub struct Tables(SqlitePool);

impl Tables {
    /// Opens the file.
    pub async fn open(path: &Path) -> Self {
        let options =
            SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(Duration::from_secs(30));
        let pool =
            SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("the database");
        Self(pool)
    }

    /// Every event in `logs`, in the order of its rows, for one bucket.
    pub async fn logs(&self, bucket: &str) -> Vec<Value> {
        let rows = sqlx::query("SELECT log FROM logs WHERE name = ? ORDER BY id")
            .bind(bucket)
            .fetch_all(&self.0)
            .await;
        let rows = rows.expect("table logs");
        rows.iter().map(|row| serde_json::from_str(row.get::<&str, _>(0)).expect("one event a row")).collect()
    }

    /// Every text in `log_analysis` for one bucket.
    pub async fn analyses(&self, bucket: &str) -> Vec<String> {
        let rows =
            sqlx::query("SELECT log_analysis FROM log_analysis WHERE name = ? ORDER BY id").bind(bucket);
        rows.fetch_all(&self.0).await.expect("table log_analysis").iter().map(|row| row.get(0)).collect()
    }
}
