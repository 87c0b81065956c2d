//! Reading visits: the list with filters, one visit's events in order.

use super::{Query, Row, Store, StoreError};

/// A place in a list that is ordered by time and row number, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageKey {
    /// Time of the last row of the page before, milliseconds.
    pub at: i64,
    /// Its row number.
    pub id: i64,
}

/// Which visits to list; an empty filter lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Name of the bucket.
    pub bucket: Option<String>,
    /// `ssh` and so on.
    pub protocol: Option<String>,
    /// Exactly this address.
    pub src_ip: Option<String>,
    /// Text in a message of the visit (so in a command, a login, a file name).
    pub text: Option<String>,
    /// Began at this time or later, milliseconds.
    pub from: Option<i64>,
    /// Began before this time, milliseconds.
    pub to: Option<i64>,
    /// Only with an accepted login.
    pub with_login: bool,
    /// Only with a command.
    pub with_commands: bool,
    /// Only visitors taken for this: `human`, `script` or `agent`.
    pub label: Option<String>,
    /// Only what comes after this place.
    pub after: Option<PageKey>,
}

/// One visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Row number.
    pub id: i64,
    /// Name of the bucket.
    pub bucket: String,
    /// 12 hex digits, unique within the bucket.
    pub session: String,
    /// `ssh` and so on.
    pub protocol: String,
    /// The visitor.
    pub src_ip: String,
    /// The visitor's port.
    pub src_port: u16,
    /// The bucket's port.
    pub dst_port: u16,
    /// First event, milliseconds.
    pub started_at: i64,
    /// Last event, milliseconds.
    pub last_at: i64,
    /// When the connection ended; none while no such event came.
    pub ended_at: Option<i64>,
    /// How long the connection was, as the bucket measured it.
    pub duration_ms: Option<u64>,
    /// Events.
    pub events: u64,
    /// Accepted logins.
    pub logins_ok: u64,
    /// Refused logins.
    pub logins_failed: u64,
    /// Typed lines.
    pub commands: u64,
    /// Files brought.
    pub uploads: u64,
    /// Files the visitor wanted fetched.
    pub downloads: u64,
    /// The name of the last accepted login.
    pub username: Option<String>,
    /// What the client calls itself.
    pub client: Option<String>,
    /// Who the visitor was taken for: `human`, `script` or `agent`.
    pub label: Option<String>,
}

impl SessionRow {
    /// The place after this row.
    pub fn key(&self) -> PageKey {
        PageKey { at: self.started_at, id: self.id }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Position in the bucket's log.
    pub seq: u64,
    /// Milliseconds.
    pub at: i64,
    /// What happened.
    pub eventid: String,
    /// A sentence.
    pub message: String,
    /// Of a login.
    pub username: Option<String>,
    /// Of a login.
    pub password: Option<String>,
    /// Of a command.
    pub input: Option<String>,
    /// Of a file.
    pub shasum: Option<String>,
    /// Number of the row in `logs`.
    pub log_id: i64,
    /// The whole line, none when retention removed it.
    pub line: Option<String>,
}

const COLUMNS: &str = "SELECT s.id, b.name, s.session, s.protocol, s.src_ip, s.src_port, s.dst_port, s.started_at, \
     s.last_at, s.ended_at, s.duration_ms, s.events, s.logins_ok, s.logins_failed, s.commands, s.uploads, s.downloads, \
     s.username, s.client, t.label FROM sessions s JOIN buckets b ON b.id = s.bucket_id \
     LEFT JOIN session_labels t ON t.bucket_id = s.bucket_id AND t.session = s.session";

fn session(row: &Row) -> Result<SessionRow, StoreError> {
    let port = |index| row.int(index).map(|n| u16::try_from(n).unwrap_or(0));
    Ok(SessionRow {
        id: row.int(0)?,
        bucket: row.text(1)?,
        session: row.text(2)?,
        protocol: row.text(3)?,
        src_ip: row.text(4)?,
        src_port: port(5)?,
        dst_port: port(6)?,
        started_at: row.int(7)?,
        last_at: row.int(8)?,
        ended_at: row.opt_int(9)?,
        duration_ms: row.opt_int(10)?.and_then(|n| u64::try_from(n).ok()),
        events: row.count(11)?,
        logins_ok: row.count(12)?,
        logins_failed: row.count(13)?,
        commands: row.count(14)?,
        uploads: row.count(15)?,
        downloads: row.count(16)?,
        username: row.opt_text(17)?,
        client: row.opt_text(18)?,
        label: row.opt_text(19)?,
    })
}

pub(super) fn event(row: &Row) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        seq: row.count(0)?,
        at: row.int(1)?,
        eventid: row.text(2)?,
        message: row.text(3)?,
        username: row.opt_text(4)?,
        password: row.opt_text(5)?,
        input: row.opt_text(6)?,
        shasum: row.opt_text(7)?,
        log_id: row.int(8)?,
        line: row.opt_text(9)?,
    })
}

/// `text` anywhere, for `LIKE … ESCAPE '!'`.
pub(super) fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl Store {
    /// The visits that pass the filter, newest first.
    pub async fn sessions(&self, filter: &SessionFilter, limit: u32) -> Result<Vec<SessionRow>, StoreError> {
        let mut query = Query::new(COLUMNS).push(" WHERE 1 = 1");
        if let Some(name) = &filter.bucket {
            query = query.push(" AND b.name = ?").bind(name.as_str());
        }
        if let Some(protocol) = &filter.protocol {
            query = query.push(" AND s.protocol = ?").bind(protocol.as_str());
        }
        if let Some(address) = &filter.src_ip {
            query = query.push(" AND s.src_ip = ?").bind(address.as_str());
        }
        if let Some(from) = filter.from {
            query = query.push(" AND s.started_at >= ?").bind(from);
        }
        if let Some(to) = filter.to {
            query = query.push(" AND s.started_at < ?").bind(to);
        }
        if filter.with_login {
            query = query.push(" AND s.logins_ok > 0");
        }
        if let Some(label) = &filter.label {
            query = query.push(" AND t.label = ?").bind(label.as_str());
        }
        if filter.with_commands {
            query = query.push(" AND s.commands > 0");
        }
        if let Some(key) = filter.after {
            query = query
                .push(" AND (s.started_at < ? OR (s.started_at = ? AND s.id < ?))")
                .bind(key.at)
                .bind(key.at)
                .bind(key.id);
        }
        if let Some(text) = &filter.text {
            query = query
                .push(
                    " AND EXISTS (SELECT 1 FROM events e WHERE e.bucket_id = s.bucket_id AND e.session = s.session \
                     AND e.message LIKE ? ESCAPE '!')",
                )
                .bind(anywhere(text));
        }
        let query = query.push(" ORDER BY s.started_at DESC, s.id DESC LIMIT ?").bind(limit);
        self.engine.all(query).await?.iter().map(session).collect()
    }

    /// One visit.
    pub async fn session(&self, bucket: &str, name: &str) -> Result<Option<SessionRow>, StoreError> {
        let query = Query::new(COLUMNS).push(" WHERE b.name = ? AND s.session = ?").bind(bucket).bind(name);
        self.engine.first(query).await?.as_ref().map(session).transpose()
    }

    /// The events of one visit in order, from `after_seq` on.
    pub async fn session_events(
        &self,
        bucket: &str,
        name: &str,
        after_seq: u64,
        limit: u32,
    ) -> Result<Vec<EventRow>, StoreError> {
        let query = Query::new(
            "SELECT e.seq, e.at, e.eventid, e.message, e.username, e.password, e.input, e.shasum, e.log_id, l.log \
             FROM events e JOIN buckets b ON b.id = e.bucket_id LEFT JOIN logs l ON l.id = e.log_id \
             WHERE b.name = ? AND e.session = ? AND e.seq > ? ORDER BY e.seq LIMIT ?",
        );
        let rows = self.engine.all(query.bind(bucket).bind(name).bind(after_seq).bind(limit)).await?;
        rows.iter().map(event).collect()
    }
}
