//! Users, keys, tokens and decisions about buckets, from the command line.

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::Duration;

use super::CommandError;
use crate::config::Config;
use crate::password::{self, API_TOKEN_PREFIX, REGISTRATION_KEY_PREFIX};
use crate::store::{Role, Status, Store};
use crate::time::{now_ms, readable};

/// Who did it, for the audit trail.
const WHO: &str = "the command line";

async fn open(config: &Config) -> Result<Store, CommandError> {
    let store = Store::open(&config.database).await?;
    store.migrate().await?;
    Ok(store)
}

/// Adds a user or gives a known one a new password. The password is made here and shown once, unless it comes from
/// standard input; a new user gets an API token of the same role with it.
pub async fn add_user(
    config: &Config,
    name: &str,
    role: Role,
    from_stdin: bool,
) -> Result<String, CommandError> {
    let right = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(right) {
        return Err(CommandError::Argument(
            "a user name has 1 to 64 letters, digits, dots, dashes, underscores, @".to_owned(),
        ));
    }
    let password = if from_stdin {
        let mut text = String::new();
        let mut input = std::io::stdin().take(password::LONGEST as u64 + 2);
        input.read_to_string(&mut text).map_err(CommandError::Terminal)?;
        text.trim_end_matches(['\n', '\r']).to_owned()
    } else {
        password::random_text().chars().take(20).collect()
    };
    let hash = password::hash(&password)?;
    let store = open(config).await?;
    let new = store.set_user(name, &hash, role, WHO).await?;
    let mut text =
        format!("{name} ({role}) {}", if new { "added" } else { "changed; their browsers are signed out" });
    if !from_stdin {
        text.push_str(&format!("\npassword: {password}"));
        if new {
            text.push_str(&format!("\ntoken: {}", add_token(&store, name, role).await?));
        }
    }
    Ok(text)
}

async fn add_token(store: &Store, name: &str, role: Role) -> Result<String, CommandError> {
    let token = format!("{API_TOKEN_PREFIX}{}", password::random_text());
    store.add_api_token(name, &password::digest(&token), role, WHO).await?;
    Ok(token)
}

/// Makes an API token; it is shown once.
pub async fn create_token(config: &Config, name: &str, role: Role) -> Result<String, CommandError> {
    add_token(&open(config).await?, name, role).await
}

/// Makes a registration key; it is shown once.
pub async fn create_key(
    config: &Config,
    uses: Option<u32>,
    ttl: Option<Duration>,
) -> Result<String, CommandError> {
    let key = format!("{REGISTRATION_KEY_PREFIX}{}", password::random_text());
    let expires_at =
        ttl.map(|ttl| now_ms().saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)));
    let store = open(config).await?;
    store.add_registration_key(&password::digest(&key), uses, expires_at, WHO).await?;
    Ok(key)
}

/// Every bucket, a line each.
pub async fn buckets(config: &Config) -> Result<String, CommandError> {
    let mut text = String::from(
        "NAME                 STATUS   ADDRESS                  EVENTS     LAST CONTACT          TROUBLE\n",
    );
    for bucket in open(config).await?.buckets().await? {
        let contact = bucket.last_contact_at.map_or_else(|| "never".to_owned(), readable);
        let trouble = bucket.last_error.unwrap_or_default();
        let address = format!("{}:{}", bucket.ip_address, bucket.management_port);
        // Writing to a string cannot fail. What a bucket sent is escaped: it must not move the cursor.
        let _ = writeln!(
            text,
            "{:20} {:8} {:24} {:<10} {contact:21} {}",
            bucket.name,
            bucket.status.as_str(),
            address,
            bucket.acked_seq,
            trouble.escape_debug()
        );
    }
    Ok(text.trim_end().to_owned())
}

/// Lets a bucket in or shuts it out.
pub async fn decide_bucket(config: &Config, name: &str, status: Status) -> Result<String, CommandError> {
    if open(config).await?.decide_bucket(name, status, WHO).await? {
        Ok(format!("{name} is {}", status.as_str()))
    } else {
        Err(CommandError::Argument(format!("there is no bucket {name:?}; `bucket list` shows them")))
    }
}

/// Has every object of a bucket (or of all) read again by the next run of `parse_logs`: after an update of this program
/// that reads more of a line, or when rows were lost. What is filed already stays as it is.
pub async fn reread(config: &Config, name: Option<&str>) -> Result<String, CommandError> {
    let store = open(config).await?;
    if let Some(name) = name
        && store.bucket(name).await?.is_none()
    {
        return Err(CommandError::Argument(format!("there is no bucket {name:?}; `bucket list` shows them")));
    }
    let objects = store.reread_objects(name).await?;
    Ok(format!("{objects} objects will be read again by the next run of parse_logs"))
}
