//! The tables, and how they came to be: numbered scripts, one text for each engine.

use sha2::{Digest, Sha256};

use super::{Query, Store, StoreError};
use crate::time::now_ms;

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    mysql: &'static str,
}

/// In order. A script that was ever released is never changed; every statement in it can run twice, because MySQL
/// commits each table by itself.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "first",
        sqlite: include_str!("migrations/sqlite/0001_first.sql"),
        mysql: include_str!("migrations/mysql/0001_first.sql"),
    },
    Migration {
        version: 2,
        name: "labels",
        sqlite: include_str!("migrations/sqlite/0002_labels.sql"),
        mysql: include_str!("migrations/mysql/0002_labels.sql"),
    },
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, \
     name VARCHAR(128) NOT NULL, sha256 CHAR(64) NOT NULL, applied_at BIGINT NOT NULL)";

/// What `migrate` did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Names of the scripts that ran now.
    pub now: Vec<&'static str>,
    /// How many had run before.
    pub before: usize,
}

impl Store {
    /// Brings the tables up to this program. Two registries may do it at once.
    pub async fn migrate(&self) -> Result<Applied, StoreError> {
        self.engine.script(TABLE).await?;
        let mut applied = Applied::default();
        for migration in MIGRATIONS {
            let sql = if self.engine.is_mysql() { migration.mysql } else { migration.sqlite };
            let digest = hex::encode(Sha256::digest(sql.as_bytes()));
            match self.applied_digest(migration.version).await? {
                Some(known) if known == digest => applied.before += 1,
                Some(_) => return Err(StoreError::Migration { version: migration.version }),
                None => {
                    self.engine.script(sql).await?;
                    let row = Query::new("INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)")
                        .bind(migration.version)
                        .bind(migration.name)
                        .bind(digest)
                        .bind(now_ms());
                    match self.engine.execute(row).await {
                        Err(error) if error.is_duplicate() => applied.before += 1,
                        result => {
                            result?;
                            applied.now.push(migration.name);
                        }
                    }
                }
            }
        }
        Ok(applied)
    }

    async fn applied_digest(&self, version: i64) -> Result<Option<String>, StoreError> {
        let query = Query::new("SELECT sha256 FROM schema_migrations WHERE version = ?").bind(version);
        self.engine.first(query).await?.map(|row| row.text(0)).transpose()
    }
}
