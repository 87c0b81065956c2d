//! Who may use the registry: users, their signed-in browsers, API tokens, registration keys, the audit trail.

use std::fmt;
use std::str::FromStr;

use super::{Query, Row, Store, StoreError, retry};
use crate::time::now_ms;

/// What a person or a program may do; each role may do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also nudges jobs.
    Analyst,
    /// Also decides about buckets, users and keys.
    Admin,
}

impl Role {
    /// The word in the table, in settings and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "viewer" => Ok(Self::Viewer),
            "analyst" => Ok(Self::Analyst),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("role `{word}` is unknown; it is `viewer`, `analyst` or `admin`")),
        }
    }
}

fn role(row: &Row, index: usize) -> Result<Role, StoreError> {
    let word = row.text(index)?;
    word.parse().map_err(|_| StoreError::Word { what: "role", value: word })
}

/// A person.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Row number.
    pub id: i64,
    /// The name to sign in with.
    pub name: String,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub created_at: i64,
    /// May not sign in.
    pub disabled: bool,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct WebSession {
    /// Whose.
    pub user: User,
    /// What forms must carry.
    pub csrf: String,
    /// It ends then, milliseconds.
    pub expires_at: i64,
    /// Last request, milliseconds.
    pub last_seen_at: i64,
}

/// A program's key to the API. The key itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Row number.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when.
    pub created_at: i64,
    /// Last use.
    pub last_used_at: Option<i64>,
    /// Ended then.
    pub revoked_at: Option<i64>,
}

/// What lets a bucket register. The key itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationKey {
    /// Row number.
    pub id: i64,
    /// How many buckets may still register with it; none: any number.
    pub uses_left: Option<i64>,
    /// Since when.
    pub created_at: i64,
    /// By whom.
    pub created_by: String,
    /// Until when; none: for ever.
    pub expires_at: Option<i64>,
    /// Ended then.
    pub revoked_at: Option<i64>,
}

/// Who did what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, milliseconds.
    pub at: i64,
    /// Who.
    pub who: String,
    /// What, as `bucket.revoked`.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// More of it.
    pub detail: String,
}

const USER: &str = "SELECT id, name, password_hash, role, created_at, disabled FROM users";

fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        id: row.int(0)?,
        name: row.text(1)?,
        password_hash: row.text(2)?,
        role: role(row, 3)?,
        created_at: row.int(4)?,
        disabled: row.flag(5)?,
    })
}

impl Store {
    /// Every user, by name.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.engine.all(Query::new(USER).push(" ORDER BY name")).await?.iter().map(user).collect()
    }

    /// One user.
    pub async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        let query = Query::new(USER).push(" WHERE name = ?").bind(name);
        self.engine.first(query).await?.as_ref().map(user).transpose()
    }

    /// Adds a user, or gives a known one a new password and role (and ends their signed-in browsers). True when new.
    pub async fn set_user(
        &self,
        name: &str,
        password_hash: &str,
        role: Role,
        who: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin().await?;
        let update = Query::new("UPDATE users SET password_hash = ?, role = ?, disabled = 0 WHERE name = ?");
        let known = tx.execute(update.bind(password_hash).bind(role.as_str()).bind(name)).await?.rows > 0;
        if known {
            let ended =
                Query::new("DELETE FROM web_sessions WHERE user_id = (SELECT id FROM users WHERE name = ?)");
            tx.execute(ended.bind(name)).await?;
        } else {
            let row =
                Query::new("INSERT INTO users (name, password_hash, role, created_at) VALUES (?, ?, ?, ?)");
            tx.execute(row.bind(name).bind(password_hash).bind(role.as_str()).bind(now_ms())).await?;
        }
        tx.note(who, if known { "user.change" } else { "user.add" }, name, role.as_str()).await?;
        tx.commit().await?;
        Ok(!known)
    }

    /// Signs a browser in. `id_sha256` is the digest of the cookie, which itself is nowhere.
    pub async fn open_web_session(
        &self,
        id_sha256: &str,
        user_id: i64,
        csrf: &str,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let now = now_ms();
        let row = Query::new(
            "INSERT INTO web_sessions (id_sha256, user_id, csrf, created_at, last_seen_at, expires_at) VALUES ",
        );
        let row = row.list([
            id_sha256.into(),
            user_id.into(),
            csrf.into(),
            now.into(),
            now.into(),
            expires_at.into(),
        ]);
        self.engine.execute(row).await.map(drop)
    }

    /// The signed-in browser with this cookie, unless it expired or its user may not sign in any more.
    pub async fn web_session(&self, id_sha256: &str) -> Result<Option<WebSession>, StoreError> {
        let query = Query::new(
            "SELECT u.id, u.name, u.password_hash, u.role, u.created_at, u.disabled, w.csrf, w.expires_at, w.last_seen_at \
             FROM web_sessions w JOIN users u ON u.id = w.user_id WHERE w.id_sha256 = ? AND w.expires_at > ? AND u.disabled = 0",
        );
        let Some(row) = self.engine.first(query.bind(id_sha256).bind(now_ms())).await? else {
            return Ok(None);
        };
        Ok(Some(WebSession {
            user: user(&row)?,
            csrf: row.text(6)?,
            expires_at: row.int(7)?,
            last_seen_at: row.int(8)?,
        }))
    }

    /// Notes that a signed-in browser was seen.
    pub async fn touch_web_session(&self, id_sha256: &str, expires_at: i64) -> Result<(), StoreError> {
        let query =
            Query::new("UPDATE web_sessions SET last_seen_at = ?, expires_at = ? WHERE id_sha256 = ?");
        self.engine.execute(query.bind(now_ms()).bind(expires_at).bind(id_sha256)).await.map(drop)
    }

    /// Signs a browser out.
    pub async fn close_web_session(&self, id_sha256: &str) -> Result<(), StoreError> {
        self.engine
            .execute(Query::new("DELETE FROM web_sessions WHERE id_sha256 = ?").bind(id_sha256))
            .await
            .map(drop)
    }

    /// Adds an API token by the digest of its text.
    pub async fn add_api_token(
        &self,
        name: &str,
        token_sha256: &str,
        role: Role,
        who: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.engine.begin().await?;
        let row =
            Query::new("INSERT INTO api_tokens (name, token_sha256, role, created_at) VALUES (?, ?, ?, ?)");
        tx.execute(row.bind(name).bind(token_sha256).bind(role.as_str()).bind(now_ms())).await?;
        tx.note(who, "token.add", name, role.as_str()).await?;
        tx.commit().await
    }

    /// The API token with this digest, unless it was revoked; notes its use, at most once a minute.
    pub async fn api_token(&self, token_sha256: &str) -> Result<Option<ApiToken>, StoreError> {
        let query = Query::new(
            "SELECT id, name, role, created_at, last_used_at, revoked_at FROM api_tokens WHERE token_sha256 = ? AND revoked_at IS NULL",
        );
        let Some(row) = self.engine.first(query.bind(token_sha256)).await? else { return Ok(None) };
        let token = api_token(&row)?;
        let now = now_ms();
        if token.last_used_at.is_none_or(|at| now - at > 60_000) {
            let used =
                Query::new("UPDATE api_tokens SET last_used_at = ? WHERE id = ?").bind(now).bind(token.id);
            self.engine.execute(used).await?;
        }
        Ok(Some(token))
    }

    /// Every API token, newest first.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let query = Query::new(
            "SELECT id, name, role, created_at, last_used_at, revoked_at FROM api_tokens ORDER BY id DESC",
        );
        self.engine.all(query).await?.iter().map(api_token).collect()
    }

    /// Ends an API token. False when there is none of this number.
    pub async fn revoke_api_token(&self, id: i64, who: &str) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin().await?;
        let query = Query::new("UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
        let known = tx.execute(query.bind(now_ms()).bind(id)).await?.rows > 0;
        tx.note(who, "token.revoke", &id.to_string(), "").await?;
        tx.commit().await?;
        Ok(known)
    }

    /// Adds a registration key by the digest of its text.
    pub async fn add_registration_key(
        &self,
        key_sha256: &str,
        uses: Option<u32>,
        expires_at: Option<i64>,
        who: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.engine.begin().await?;
        let row = Query::new(
            "INSERT INTO registration_keys (key_sha256, uses_left, created_at, created_by, expires_at) VALUES (?, ?, ?, ?, ?)",
        );
        tx.execute(row.bind(key_sha256).bind(uses).bind(now_ms()).bind(who).bind(expires_at)).await?;
        tx.note(
            who,
            "key.add",
            "",
            &uses.map_or_else(|| "any number of buckets".to_owned(), |n| format!("{n} buckets")),
        )
        .await?;
        tx.commit().await
    }

    /// Whether a registration key with this digest lets a bucket register now. Adding the bucket spends a use.
    pub async fn registration_key_holds(&self, key_sha256: &str) -> Result<bool, StoreError> {
        let query = Query::new(
            "SELECT id FROM registration_keys WHERE key_sha256 = ? AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > ?) AND (uses_left IS NULL OR uses_left > 0)",
        );
        Ok(self.engine.first(query.bind(key_sha256).bind(now_ms())).await?.is_some())
    }

    /// Every registration key, newest first.
    pub async fn registration_keys(&self) -> Result<Vec<RegistrationKey>, StoreError> {
        let query = Query::new(
            "SELECT id, uses_left, created_at, created_by, expires_at, revoked_at FROM registration_keys ORDER BY id DESC",
        );
        let key = |row: &Row| {
            Ok(RegistrationKey {
                id: row.int(0)?,
                uses_left: row.opt_int(1)?,
                created_at: row.int(2)?,
                created_by: row.text(3)?,
                expires_at: row.opt_int(4)?,
                revoked_at: row.opt_int(5)?,
            })
        };
        self.engine.all(query).await?.iter().map(key).collect()
    }

    /// Ends a registration key. False when there is none of this number.
    pub async fn revoke_registration_key(&self, id: i64, who: &str) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin().await?;
        let query =
            Query::new("UPDATE registration_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
        let known = tx.execute(query.bind(now_ms()).bind(id)).await?.rows > 0;
        tx.note(who, "key.revoke", &id.to_string(), "").await?;
        tx.commit().await?;
        Ok(known)
    }

    /// Writes one line of the audit trail.
    pub async fn note_audit(
        &self,
        who: &str,
        action: &str,
        subject: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        retry(|| async {
            let mut tx = self.engine.begin().await?;
            tx.note(who, action, subject, detail).await?;
            tx.commit().await
        })
        .await
    }

    /// The last lines of the audit trail, newest first.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let query = Query::new("SELECT at, who, action, subject, detail FROM audit ORDER BY id DESC LIMIT ?")
            .bind(limit);
        let entry = |row: &Row| {
            Ok(AuditEntry {
                at: row.int(0)?,
                who: row.text(1)?,
                action: row.text(2)?,
                subject: row.text(3)?,
                detail: row.text(4)?,
            })
        };
        self.engine.all(query).await?.iter().map(entry).collect()
    }
}

fn api_token(row: &Row) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        id: row.int(0)?,
        name: row.text(1)?,
        role: role(row, 2)?,
        created_at: row.int(3)?,
        last_used_at: row.opt_int(4)?,
        revoked_at: row.opt_int(5)?,
    })
}
