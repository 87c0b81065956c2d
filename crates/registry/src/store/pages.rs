//! Reading for pages and the API what no job needs: events across sessions.

use super::sessions::{anywhere, event};
use super::{EventRow, Query, Store, StoreError};

/// Which events to list; an empty filter lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Name of the bucket.
    pub bucket: Option<String>,
    /// Name of the session.
    pub session: Option<String>,
    /// Exactly this kind.
    pub eventid: Option<String>,
    /// Exactly this address.
    pub src_ip: Option<String>,
    /// Text in the message.
    pub text: Option<String>,
    /// At this time or later, milliseconds.
    pub from: Option<i64>,
    /// Before this time, milliseconds.
    pub to: Option<i64>,
    /// Only rows after this row number.
    pub after: Option<i64>,
}

impl Store {
    /// The events that pass the filter, in the order of filing, each with its row number and the name of its bucket.
    pub async fn events(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<(i64, String, EventRow)>, StoreError> {
        let mut query = Query::new(
            "SELECT e.seq, e.at, e.eventid, e.message, e.username, e.password, e.input, e.shasum, e.log_id, l.log, \
             e.id, b.name FROM events e JOIN buckets b ON b.id = e.bucket_id LEFT JOIN logs l ON l.id = e.log_id \
             WHERE e.id > ?",
        )
        .bind(filter.after.unwrap_or(0));
        if let Some(name) = &filter.bucket {
            query = query.push(" AND b.name = ?").bind(name.as_str());
        }
        if let Some(session) = &filter.session {
            query = query.push(" AND e.session = ?").bind(session.as_str());
        }
        if let Some(eventid) = &filter.eventid {
            query = query.push(" AND e.eventid = ?").bind(eventid.as_str());
        }
        if let Some(address) = &filter.src_ip {
            query = query.push(" AND e.src_ip = ?").bind(address.as_str());
        }
        if let Some(from) = filter.from {
            query = query.push(" AND e.at >= ?").bind(from);
        }
        if let Some(to) = filter.to {
            query = query.push(" AND e.at < ?").bind(to);
        }
        if let Some(text) = &filter.text {
            query = query.push(" AND e.message LIKE ? ESCAPE '!'").bind(anywhere(text));
        }
        let query = query.push(" ORDER BY e.id LIMIT ?").bind(limit);
        let rows = self.engine.all(query).await?;
        rows.iter().map(|row| Ok((row.int(10)?, row.text(11)?, event(row)?))).collect()
    }

    /// The buckets that have a session of this name: nearly always one, at most two are returned.
    pub async fn buckets_of_session(&self, session: &str) -> Result<Vec<String>, StoreError> {
        let query = Query::new(
            "SELECT b.name FROM sessions s JOIN buckets b ON b.id = s.bucket_id WHERE s.session = ? LIMIT 2",
        );
        let rows = self.engine.all(query.bind(session)).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }
}
