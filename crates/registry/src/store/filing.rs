//! Filing: all rows that come from one object, in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::objects::Object;
use super::query::MAX_BINDS;
use super::{Query, Store, StoreError, Tx, Value, retry};
use crate::log_parser::ParsedEvent;
use crate::time::{now_ms, sql_time};

/// Bytes of lines in one `INSERT`; well below the smallest packet limit in use.
const INSERT_BYTES: usize = 2 * 1024 * 1024;
/// Rows in one `INSERT`.
const INSERT_ROWS: usize = 500;

/// A line that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its number in the object, from 1.
    pub line_number: u64,
    /// Why.
    pub reason: String,
    /// The line, cut and with invalid UTF-8 replaced.
    pub line: String,
}

/// A line that is an event.
#[derive(Clone, Debug)]
pub struct ParsedLine<'l> {
    /// Its number in the object, from 1.
    pub number: u64,
    /// The line.
    pub text: &'l str,
    /// What it says.
    pub event: ParsedEvent,
}

/// What filing an object did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filed {
    /// Events that are new.
    pub events: u64,
    /// Events that were there already.
    pub known: u64,
    /// Lines that are no events.
    pub rejects: u64,
}

/// What the events of one object change in one session.
#[derive(Clone, Debug, Default)]
struct Visit {
    protocol: String,
    src_ip: String,
    src_port: u16,
    dst_port: u16,
    started_at: i64,
    last_at: i64,
    ended_at: Option<i64>,
    duration_ms: Option<u64>,
    events: u64,
    logins_ok: u64,
    logins_failed: u64,
    commands: u64,
    uploads: u64,
    downloads: u64,
    username: Option<String>,
    client: Option<String>,
    label: Option<String>,
}

impl Visit {
    fn add(&mut self, event: &ParsedEvent) {
        let at = event.at / 1000;
        if self.events == 0 {
            self.protocol.clone_from(&event.protocol);
            self.src_ip.clone_from(&event.src_ip);
            (self.src_port, self.dst_port) = (event.src_port, event.dst_port);
            (self.started_at, self.last_at) = (at, at);
        }
        self.events += 1;
        self.started_at = self.started_at.min(at);
        self.last_at = self.last_at.max(at);
        match event.eventid.as_str() {
            "cowrie.session.closed" => {
                self.ended_at = Some(at);
                self.duration_ms = event.duration_ms;
            }
            "cowrie.login.success" => {
                self.logins_ok += 1;
                self.username = event.username.as_deref().map(clip);
            }
            "cowrie.login.failed" => self.logins_failed += 1,
            "cowrie.command.input" => self.commands += 1,
            "cowrie.session.file_upload" => self.uploads += 1,
            "cowrie.session.file_download" => self.downloads += 1,
            _ => {}
        }
        if event.label.is_some() {
            self.label.clone_from(&event.label);
        }
        if self.client.is_none() {
            self.client.clone_from(&event.client);
        }
    }
}

/// A name in a list needs no more than this.
fn clip(text: &str) -> String {
    text.chars().take(255).collect()
}

impl Store {
    /// Files an object: every new event, the sessions they belong to, the rejects, the gaps the bucket told of; and marks
    /// the object read. All of it or nothing, and the same rows however often it is done.
    pub async fn file_object(
        &self,
        object: &Object,
        events: &[ParsedLine<'_>],
        rejects: &[Reject],
    ) -> Result<Filed, StoreError> {
        let mut tries = 0;
        loop {
            match retry(|| self.file_object_once(object, events, rejects)).await {
                // Another registry filed the same events in the same moment: they are known by now.
                Err(error) if error.is_duplicate() && tries < 5 => tries += 1,
                result => return result,
            }
        }
    }

    async fn file_object_once(
        &self,
        object: &Object,
        events: &[ParsedLine<'_>],
        rejects: &[Reject],
    ) -> Result<Filed, StoreError> {
        let now = now_ms();
        let mut tx = self.engine.begin().await?;
        let parsed = Query::new(
            "UPDATE objects SET state = 'parsed', parsed_at = ?, last_error = NULL, claim_until = 0 WHERE id = ? AND claim_fence = ?",
        );
        if tx.execute(parsed.bind(now).bind(object.id).bind(object.fence)).await?.rows == 0 {
            return Err(StoreError::TakenOver { what: "the object" });
        }
        tx.execute(Query::new("DELETE FROM rejects WHERE object_id = ?").bind(object.id)).await?;

        let (new, mut refused) = tx.sort_out(object, events).await?;
        tx.insert_events(object, &new).await?;
        let mut visits: BTreeMap<&str, Visit> = BTreeMap::new();
        for event in new.iter().map(|line| &line.event) {
            if event.has_session() {
                visits.entry(&event.session).or_default().add(event);
            }
            if let Some((from, to, bytes, reason)) = &event.gap {
                let number = |n: u64| n.min(i64::MAX as u64);
                tx.add_gap(object.bucket_id, number(*from), number(*to), "bucket", &clip(reason), *bytes)
                    .await?;
            }
        }
        tx.merge_sessions(object.bucket_id, &visits).await?;
        let known = (events.len() - new.len() - refused.len()) as u64;
        refused.extend(rejects.iter().cloned());
        tx.insert_rejects(object, &refused, now).await?;
        tx.commit().await?;
        Ok(Filed { events: new.len() as u64, known, rejects: refused.len() as u64 })
    }
}

type Line<'e> = &'e ParsedLine<'e>;

impl Tx {
    /// Which events are new; those that were filed before drop out, and those that claim a number which another event has are refused.
    async fn sort_out<'e>(
        &mut self,
        object: &Object,
        events: &'e [ParsedLine<'e>],
    ) -> Result<(Vec<Line<'e>>, Vec<Reject>), StoreError> {
        let numbers = events.iter().map(|line| line.event.seq);
        let (Some(first), Some(last)) = (numbers.clone().min(), numbers.max()) else {
            return Ok((Vec::new(), Vec::new()));
        };
        let query =
            Query::new("SELECT seq, event_uuid FROM events WHERE bucket_id = ? AND seq BETWEEN ? AND ?");
        let mut known: HashMap<u64, String> = HashMap::new();
        for row in self.all(query.bind(object.bucket_id).bind(first).bind(last)).await? {
            known.insert(row.count(0)?, row.text(1)?);
        }
        let mut seen: HashSet<u64> = HashSet::new();
        let (mut new, mut refused) = (Vec::new(), Vec::new());
        for line in events {
            let event = &line.event;
            match known.get(&event.seq) {
                Some(uuid) if *uuid == event.event_uuid => {}
                None if seen.insert(event.seq) => new.push(line),
                _ => refused.push(Reject {
                    line_number: line.number,
                    reason: format!("sequence number {} belongs to another event", event.seq),
                    line: line.text.chars().take(4096).collect(),
                }),
            }
        }
        Ok((new, refused))
    }

    async fn insert_events(&mut self, object: &Object, lines: &[Line<'_>]) -> Result<(), StoreError> {
        let mut rest = lines;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |line: &&Line<'_>| {
                bytes += line.text.len() * 2 + 200;
                bytes <= INSERT_BYTES
            };
            let count = rest.iter().take(INSERT_ROWS).take_while(fits).count().max(1);
            let (batch, after) = rest.split_at(count);
            rest = after;
            let logs = Query::new("INSERT INTO logs (name, ip_address, log, log_size, created_at) VALUES ")
                .rows(batch.iter().map(|line| {
                    vec![
                        object.bucket.as_str().into(),
                        object.ip_address.as_str().into(),
                        line.text.into(),
                        whole_megabytes(line.text.len()).into(),
                        sql_time(line.event.at).into(),
                    ]
                }));
            let ids = self.execute(logs).await?;
            let rows = batch.iter().zip(0_i64..).map(|(line, index)| -> Vec<Value> {
                let event = &line.event;
                vec![
                    object.bucket_id.into(),
                    event.seq.into(),
                    object.id.into(),
                    (ids.first_id + index * ids.id_step).into(),
                    (line.text.len() as u64).into(),
                    event.event_uuid.as_str().into(),
                    event.eventid.as_str().into(),
                    event.session.as_str().into(),
                    event.protocol.as_str().into(),
                    event.src_ip.as_str().into(),
                    (event.at / 1000).into(),
                    event.message.as_str().into(),
                    event.username.clone().into(),
                    event.password.clone().into(),
                    event.input.clone().into(),
                    event.shasum.clone().into(),
                ]
            });
            let events = Query::new(
                "INSERT INTO events (bucket_id, seq, object_id, log_id, bytes, event_uuid, eventid, session, protocol, \
                 src_ip, at, message, username, password, input, shasum) VALUES ",
            );
            self.execute(events.rows(rows)).await?;
        }
        Ok(())
    }

    async fn merge_sessions(
        &mut self,
        bucket_id: i64,
        visits: &BTreeMap<&str, Visit>,
    ) -> Result<(), StoreError> {
        let names: Vec<&str> = visits.keys().copied().collect();
        let mut known: HashSet<String> = HashSet::new();
        for part in names.chunks(INSERT_ROWS) {
            let query = Query::new("SELECT session FROM sessions WHERE bucket_id = ? AND session IN ")
                .bind(bucket_id);
            for row in self.all(query.list(part.iter().map(|name| Value::from(*name)))).await? {
                known.insert(row.text(0)?);
            }
        }
        let mut new = Vec::new();
        for (name, v) in visits {
            if let Some(label) = &v.label {
                self.label_session(bucket_id, name, label).await?;
            }
            if known.contains(*name) {
                self.add_to_session(bucket_id, name, v).await?;
            } else {
                new.push(vec![
                    bucket_id.into(),
                    (*name).into(),
                    v.protocol.as_str().into(),
                    v.src_ip.as_str().into(),
                    v.src_port.into(),
                    v.dst_port.into(),
                    v.started_at.into(),
                    v.last_at.into(),
                    v.ended_at.into(),
                    v.duration_ms.into(),
                    v.events.into(),
                    v.logins_ok.into(),
                    v.logins_failed.into(),
                    v.commands.into(),
                    v.uploads.into(),
                    v.downloads.into(),
                    v.username.clone().into(),
                    v.client.clone().into(),
                ]);
            }
        }
        for part in new.chunks(INSERT_ROWS.min(MAX_BINDS / 18)) {
            let rows = Query::new(
                "INSERT INTO sessions (bucket_id, session, protocol, src_ip, src_port, dst_port, started_at, last_at, \
                 ended_at, duration_ms, events, logins_ok, logins_failed, commands, uploads, downloads, username, client) VALUES ",
            );
            self.execute(rows.rows(part.iter().cloned())).await?;
        }
        Ok(())
    }

    /// Each session has one label: the last that was told.
    async fn label_session(&mut self, bucket_id: i64, name: &str, label: &str) -> Result<(), StoreError> {
        let old = Query::new("DELETE FROM session_labels WHERE bucket_id = ? AND session = ?");
        self.execute(old.bind(bucket_id).bind(name)).await?;
        let new = Query::new("INSERT INTO session_labels (bucket_id, session, label) VALUES (?, ?, ?)");
        self.execute(new.bind(bucket_id).bind(name).bind(label)).await.map(drop)
    }

    async fn add_to_session(&mut self, bucket_id: i64, name: &str, v: &Visit) -> Result<(), StoreError> {
        let query = Query::new(
            "UPDATE sessions SET started_at = CASE WHEN started_at > ? THEN ? ELSE started_at END, \
             last_at = CASE WHEN last_at < ? THEN ? ELSE last_at END, ended_at = COALESCE(?, ended_at), \
             duration_ms = COALESCE(?, duration_ms), events = events + ?, logins_ok = logins_ok + ?, \
             logins_failed = logins_failed + ?, commands = commands + ?, uploads = uploads + ?, downloads = downloads + ?, \
             username = COALESCE(?, username), client = COALESCE(client, ?) WHERE bucket_id = ? AND session = ?",
        )
        .bind(v.started_at)
        .bind(v.started_at)
        .bind(v.last_at)
        .bind(v.last_at)
        .bind(v.ended_at)
        .bind(v.duration_ms)
        .bind(v.events)
        .bind(v.logins_ok)
        .bind(v.logins_failed)
        .bind(v.commands)
        .bind(v.uploads)
        .bind(v.downloads)
        .bind(v.username.clone())
        .bind(v.client.clone())
        .bind(bucket_id)
        .bind(name);
        self.execute(query).await.map(drop)
    }

    async fn insert_rejects(
        &mut self,
        object: &Object,
        rejects: &[Reject],
        now: i64,
    ) -> Result<(), StoreError> {
        for part in rejects.chunks(200) {
            let rows = part.iter().map(|reject| -> Vec<Value> {
                vec![
                    object.bucket_id.into(),
                    object.id.into(),
                    reject.line_number.into(),
                    reject.reason.as_str().into(),
                    reject.line.as_str().into(),
                    now.into(),
                ]
            });
            let query = Query::new(
                "INSERT INTO rejects (bucket_id, object_id, line_number, reason, line, found_at) VALUES ",
            );
            self.execute(query.rows(rows)).await?;
        }
        Ok(())
    }
}

/// The size of a line as the `logs` table has it: whole megabytes, rounded.
fn whole_megabytes(bytes: usize) -> i64 {
    i64::try_from((bytes + 512 * 1024) / (1024 * 1024)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::whole_megabytes;

    #[test]
    fn sizes_are_rounded_to_whole_megabytes() {
        assert_eq!((whole_megabytes(0), whole_megabytes(348), whole_megabytes(524_288)), (0, 0, 1));
        assert_eq!((whole_megabytes(1_572_863), whole_megabytes(1_572_864)), (1, 2));
    }
}
