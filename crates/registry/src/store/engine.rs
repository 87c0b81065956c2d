//! The two database engines behind one small interface: text of our own, values bound, rows read by position.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlPool, MySqlPoolOptions, MySqlRow};
use sqlx::query::Query as SqlxQuery;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, MySql, Row as _, Sqlite, Transaction};

use super::{Query, StoreError, Value};

/// How long SQLite waits for another process (`run-job` beside `serve`) that writes, before it says "database is locked".
const BUSY: Duration = Duration::from_secs(60);

/// What a statement changed.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Rows that matched and were written.
    pub rows: u64,
    /// The id of the first row of an `INSERT` whose key the engine chose.
    pub first_id: i64,
    /// Distance between the ids of the rows of one `INSERT`.
    pub id_step: i64,
}

/// One row of an answer.
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From MySQL or MariaDB.
    MySql(MySqlRow),
}

macro_rules! get {
    ($row:expr, $index:expr, $type:ty) => {
        match $row {
            Row::Sqlite(row) => row.try_get::<$type, _>($index),
            Row::MySql(row) => row.try_get::<$type, _>($index),
        }
        .map_err(|source| StoreError::Column { index: $index, source })
    };
}

impl Row {
    /// A whole number.
    pub fn int(&self, index: usize) -> Result<i64, StoreError> {
        get!(self, index, i64)
    }
    /// A whole number that is never negative; negative reads as 0.
    pub fn count(&self, index: usize) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.opt_int(index)?.unwrap_or(0)).unwrap_or(0))
    }
    /// A whole number or NULL.
    pub fn opt_int(&self, index: usize) -> Result<Option<i64>, StoreError> {
        get!(self, index, Option<i64>)
    }
    /// A flag.
    pub fn flag(&self, index: usize) -> Result<bool, StoreError> {
        Ok(self.int(index)? != 0)
    }
    /// A fraction, 0 for NULL.
    pub fn real(&self, index: usize) -> Result<f64, StoreError> {
        Ok(get!(self, index, Option<f64>)?.unwrap_or(0.0))
    }
    /// Text, empty for NULL.
    pub fn text(&self, index: usize) -> Result<String, StoreError> {
        Ok(self.opt_text(index)?.unwrap_or_default())
    }
    /// Text or NULL.
    pub fn opt_text(&self, index: usize) -> Result<Option<String>, StoreError> {
        get!(self, index, Option<String>)
    }
}

fn bound_sqlite(query: Query) -> SqlxQuery<'static, Sqlite, SqliteArguments> {
    let mut bound = sqlx::query::<Sqlite>(AssertSqlSafe(query.text));
    for value in query.values {
        bound = match value {
            Value::Null => bound.bind(None::<String>),
            Value::Int(n) => bound.bind(n),
            Value::Real(n) => bound.bind(n),
            Value::Text(text) => bound.bind(text),
        };
    }
    bound
}

fn bound_mysql(query: Query) -> SqlxQuery<'static, MySql, MySqlArguments> {
    let mut bound = sqlx::query::<MySql>(AssertSqlSafe(query.text));
    for value in query.values {
        bound = match value {
            Value::Null => bound.bind(None::<String>),
            Value::Int(n) => bound.bind(n),
            Value::Real(n) => bound.bind(n),
            Value::Text(text) => bound.bind(text),
        };
    }
    bound
}

/// The database as it is reached.
#[derive(Clone)]
pub enum Engine {
    /// One file, one writer at a time, any number of readers.
    Sqlite {
        /// The only connection that writes.
        writer: SqlitePool,
        /// Connections that only read.
        reader: SqlitePool,
    },
    /// MySQL 8 or newer, or MariaDB 10.11 or newer.
    MySql {
        /// Every connection.
        pool: MySqlPool,
        /// `auto_increment_increment` of the server, above 1 in a cluster.
        id_step: i64,
    },
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite { .. } => "Engine::Sqlite",
            Self::MySql { .. } => "Engine::MySql",
        })
    }
}

impl Engine {
    /// Opens (and makes, if absent) the file `path`.
    pub async fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        let open = |source| StoreError::Open { what: path.display().to_string(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        }
        // FULL: what a bucket was told is kept must survive a power cut, because the bucket then deletes it.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .statement_cache_capacity(200);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // Longer than one holder of the writer may wait for another process.
            .acquire_timeout(BUSY + Duration::from_secs(30))
            .connect_with(options.clone())
            .await
            .map_err(open)?;
        let reader = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(open)?;
        Ok(Self::Sqlite { writer, reader })
    }

    /// Connects to `mysql://…`.
    pub async fn open_mysql(url: &str) -> Result<Self, StoreError> {
        let open =
            |source| StoreError::Open { what: "the MySQL server of `database.url`".to_owned(), source };
        let options = MySqlConnectOptions::from_str(url)
            .map_err(open)?
            .charset("utf8mb4")
            .collation("utf8mb4_unicode_ci");
        let pool = MySqlPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(30))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // Strict: a value that does not fit is an error, not a silent cut. READ COMMITTED: no gap locks
                    // between two objects of one bucket that are filed at the same time.
                    sqlx::raw_sql(
                        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; \
                         SET SESSION transaction_isolation = 'READ-COMMITTED'",
                    )
                    .execute(&mut *connection)
                    .await
                    .or(sqlx::raw_sql("SET SESSION tx_isolation = 'READ-COMMITTED'")
                        .execute(connection)
                        .await)?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(open)?;
        let step: i64 = sqlx::query("SELECT CAST(@@auto_increment_increment AS SIGNED)")
            .fetch_one(&pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(open)?;
        Ok(Self::MySql { pool, id_step: step.max(1) })
    }

    /// Whether this is MySQL or MariaDB.
    pub fn is_mysql(&self) -> bool {
        matches!(self, Self::MySql { .. })
    }

    /// Runs a script of several statements.
    pub async fn script(&self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { writer, .. } => sqlx::raw_sql(sql).execute(writer).await.map(drop),
            Self::MySql { pool, .. } => sqlx::raw_sql(sql).execute(pool).await.map(drop),
        }
        .map_err(StoreError::Statement)
    }

    /// Runs one statement that writes, as a transaction of its own.
    pub async fn execute(&self, query: Query) -> Result<Done, StoreError> {
        let mut tx = self.begin().await?;
        let done = tx.execute(query).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Reads every row.
    pub async fn all(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite { reader, .. } => bound_sqlite(query)
                .fetch_all(reader)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Self::MySql { pool, .. } => bound_mysql(query)
                .fetch_all(pool)
                .await
                .map(|rows| rows.into_iter().map(Row::MySql).collect()),
        }
        .map_err(StoreError::Statement)
    }

    /// Reads the first row, if there is one.
    pub async fn first(&self, query: Query) -> Result<Option<Row>, StoreError> {
        Ok(self.all(query).await?.into_iter().next())
    }

    /// Begins a transaction that writes.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        match self {
            // IMMEDIATE: a transaction that reads first and writes later would fail at once when another process wrote.
            Self::Sqlite { writer, .. } => writer.begin_with("BEGIN IMMEDIATE").await.map(Tx::Sqlite),
            Self::MySql { pool, id_step } => pool.begin().await.map(|tx| Tx::MySql(tx, *id_step)),
        }
        .map_err(StoreError::Begin)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            Self::MySql { pool, .. } => pool.close().await,
        }
    }
}

/// A transaction; dropped without [`Tx::commit`] it leaves nothing.
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On MySQL or MariaDB, with the server's id step.
    MySql(Transaction<'static, MySql>, i64),
}

impl Tx {
    /// Runs one statement.
    pub async fn execute(&mut self, query: Query) -> Result<Done, StoreError> {
        match self {
            Self::Sqlite(tx) => bound_sqlite(query).execute(&mut **tx).await.map(|done| {
                let rows = done.rows_affected();
                let last = done.last_insert_rowid();
                Done { rows, first_id: last - i64::try_from(rows).unwrap_or(1) + 1, id_step: 1 }
            }),
            Self::MySql(tx, id_step) => bound_mysql(query).execute(&mut **tx).await.map(|done| Done {
                rows: done.rows_affected(),
                first_id: i64::try_from(done.last_insert_id()).unwrap_or(0),
                id_step: *id_step,
            }),
        }
        .map_err(StoreError::Statement)
    }

    /// Reads every row, seeing this transaction's own writes.
    pub async fn all(&mut self, query: Query) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(tx) => bound_sqlite(query)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Self::MySql(tx, _) => bound_mysql(query)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::MySql).collect()),
        }
        .map_err(StoreError::Statement)
    }

    /// Reads the first row, if there is one.
    pub async fn first(&mut self, query: Query) -> Result<Option<Row>, StoreError> {
        Ok(self.all(query).await?.into_iter().next())
    }

    /// Makes it last.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::MySql(tx, _) => tx.commit().await,
        }
        .map_err(StoreError::Commit)
    }
}
