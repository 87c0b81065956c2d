//! The tables on SQLite: made once, refused when older or other.

use super::*;

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("deep/registry.db"))).await.unwrap();
    (folder, store)
}

#[tokio::test]
async fn tables_are_made_once() {
    let (_folder, store) = store().await;
    assert_eq!(store.migrate().await.unwrap().now, ["first", "labels"]);
    assert_eq!(store.migrate().await.unwrap(), Applied { now: vec![], before: 2 });
    assert_eq!(store.counts().await.unwrap(), Counts::default());
    store.engine.execute(Query::new("UPDATE schema_migrations SET sha256 = 'other'")).await.unwrap();
    assert!(matches!(store.migrate().await, Err(StoreError::Migration { version: 1 })));
}

#[tokio::test]
async fn the_two_scripts_make_the_same_tables() {
    let columns = |sql: &str| {
        let mut table = String::new();
        let mut found = Vec::new();
        for line in sql.lines() {
            if let Some(rest) = line.strip_prefix("CREATE TABLE IF NOT EXISTS ") {
                table = rest.trim_end_matches(" (").to_owned();
            } else if let Some(column) = line.strip_prefix("    ").and_then(|l| l.split(' ').next())
                && column.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
            {
                found.push(format!("{table}.{column}"));
            }
        }
        found
    };
    let sqlite = columns(include_str!("migrations/sqlite/0001_first.sql"));
    assert_eq!(sqlite, columns(include_str!("migrations/mysql/0001_first.sql")));
    let labels = columns(include_str!("migrations/sqlite/0002_labels.sql"));
    assert_eq!(labels, columns(include_str!("migrations/mysql/0002_labels.sql")));
    let names = |table: &str| sqlite.iter().filter_map(|c| c.strip_prefix(table)).collect::<Vec<_>>();
    assert_eq!(names("logs."), ["id", "name", "ip_address", "log", "log_size", "created_at"]);
    assert_eq!(names("log_analysis."), ["id", "name", "ip_address", "log_analysis", "created_at"]);
}

#[tokio::test]
async fn a_job_has_one_owner_and_a_late_one_is_fenced_off() {
    let (_folder, store) = store().await;
    store.migrate().await.unwrap();
    store.ensure_job("parse_logs", 0).await.unwrap();
    store.ensure_job("parse_logs", 0).await.unwrap();
    let first = store.claim_job("parse_logs", "a", 3_600_000, 60_000, false).await.unwrap().unwrap();
    assert_eq!(store.claim_job("parse_logs", "b", 3_600_000, 60_000, true).await.unwrap(), None);
    assert!(store.renew_job("parse_logs", first, 0).await.unwrap());
    // The lease ran out: another takes it, and the first can neither renew nor finish.
    let second = store.claim_job("parse_logs", "b", 3_600_000, 60_000, true).await.unwrap().unwrap();
    assert_eq!(second, first + 1);
    assert!(!store.renew_job("parse_logs", first, 60_000).await.unwrap());
    assert!(!store.finish_job("parse_logs", first, true, "{}").await.unwrap());
    assert!(store.finish_job("parse_logs", second, false, "{\"x\":1}").await.unwrap());
    let row = store.job("parse_logs").await.unwrap().unwrap();
    assert_eq!((row.runs, row.failures, row.last_report.as_deref()), (1, 1, Some("{\"x\":1}")));
    let runs = store.job_runs("parse_logs", 10).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.status.as_str()).collect::<Vec<_>>(), ["failed", "lost"]);
    // Not due for an hour, unless somebody asks.
    assert_eq!(store.claim_job("parse_logs", "a", 1, 1, false).await.unwrap(), None);
    assert!(store.nudge_job("parse_logs").await.unwrap() && !store.nudge_job("nothing").await.unwrap());
    assert!(store.claim_job("parse_logs", "a", 1, 1, false).await.unwrap().is_some());
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for() {
    let (_folder, store) = store().await;
    let Engine::Sqlite { writer, reader } = store.engine() else { panic!("SQLite") };
    for pool in [writer, reader] {
        let wait: i64 = sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(pool).await.unwrap();
        assert!(wait >= 30_000, "{wait} ms");
    }
}

/// Each store has connections of its own, as each process has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_that_open_and_write_at_once_never_find_it_locked() {
    const EACH: u64 = 25;
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("registry.db"));
    let begin = std::sync::Arc::new(tokio::sync::Barrier::new(5));
    let processes = (0..5).map(|process| {
        let (url, begin) = (url.clone(), std::sync::Arc::clone(&begin));
        tokio::spawn(async move {
            begin.wait().await;
            for turn in 0..EACH {
                // As `run-job` does beside `serve`: open, migrate, read and write in one transaction, close.
                let store = Store::open(&url).await.unwrap();
                store.migrate().await.unwrap();
                let mut tx = store.engine.begin().await.unwrap();
                let known = tx.first(Query::new("SELECT COUNT(*) FROM audit")).await.unwrap();
                let known = known.unwrap().count(0).unwrap();
                tx.note("a test", "turn", &format!("{process}/{turn}"), &known.to_string()).await.unwrap();
                tx.commit().await.unwrap();
                store.close().await;
            }
        })
    });
    for process in processes.collect::<Vec<_>>() {
        process.await.unwrap();
    }
    let store = Store::open(&url).await.unwrap();
    // Nobody wrote between the reading and the writing of another.
    let rows = store.engine.all(Query::new("SELECT detail FROM audit ORDER BY id")).await.unwrap();
    let seen: Vec<u64> = rows.iter().map(|row| row.text(0).unwrap().parse().unwrap()).collect();
    assert_eq!(seen, (0..5 * EACH).collect::<Vec<_>>());
}

#[test]
fn a_search_text_is_no_pattern() {
    assert_eq!(sessions::anywhere("100%_!x"), "%100!%!_!!x%");
}
