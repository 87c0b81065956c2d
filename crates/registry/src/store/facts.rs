//! The facts of an analysis, computed by the database.

use serde::Serialize;

use super::{Query, Row, Store, StoreError};

/// Something and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// What; a visitor's text in many lists, so never to be trusted.
    pub what: String,
    /// How often.
    pub count: u64,
}

/// What happened on one bucket, as numbers and short lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Events.
    pub events: u64,
    /// First event, milliseconds.
    pub from: Option<i64>,
    /// Last event, milliseconds.
    pub to: Option<i64>,
    /// Visits with an event here.
    pub sessions: u64,
    /// Different source addresses.
    pub sources: u64,
    /// Accepted logins.
    pub logins_ok: u64,
    /// Refused logins.
    pub logins_failed: u64,
    /// Typed lines.
    pub commands: u64,
    /// Events of each kind, most frequent first.
    pub by_event: Vec<Tally>,
    /// Visits of each protocol.
    pub by_protocol: Vec<Tally>,
    /// Source addresses with most events.
    pub top_sources: Vec<Tally>,
    /// `name / password` tried most.
    pub top_credentials: Vec<Tally>,
    /// `name / password` that were accepted.
    pub accepted_credentials: Vec<Tally>,
    /// Lines typed most.
    pub top_commands: Vec<Tally>,
    /// Files brought: message and SHA-256.
    pub uploads: Vec<Tally>,
    /// What visitors wanted fetched.
    pub downloads: Vec<Tally>,
    /// HTTP requests made most.
    pub top_requests: Vec<Tally>,
    /// Mails taken.
    pub mails: Vec<Tally>,
    /// Attempts to be passed on to another host.
    pub forwards: Vec<Tally>,
    /// Clients by their own name.
    pub clients: Vec<Tally>,
}

/// Entries of one list.
const TOP: u32 = 20;

const OF: &str = " FROM events e JOIN objects o ON o.id = e.object_id WHERE o.analysis_id = ?";

impl Store {
    /// Computes the facts of the events of an open analysis.
    pub async fn facts(&self, analysis_id: i64) -> Result<Facts, StoreError> {
        let totals = Query::new(
            "SELECT COUNT(*), MIN(e.at), MAX(e.at), COUNT(DISTINCT CASE WHEN e.session <> '000000000000' THEN e.session END), \
             COUNT(DISTINCT CASE WHEN e.session <> '000000000000' THEN e.src_ip END), \
             COUNT(CASE WHEN e.eventid = 'cowrie.login.success' THEN 1 END), \
             COUNT(CASE WHEN e.eventid = 'cowrie.login.failed' THEN 1 END), \
             COUNT(CASE WHEN e.eventid = 'cowrie.command.input' THEN 1 END)",
        );
        let Some(row) = self.engine.first(totals.push(OF).bind(analysis_id)).await? else {
            return Ok(Facts::default());
        };
        let login = "SELECT CONCAT(SUBSTR(e.username, 1, 100), ' / ', SUBSTR(e.password, 1, 100)), COUNT(*)";
        let message = "SELECT SUBSTR(e.message, 1, 300), COUNT(*)";
        Ok(Facts {
            events: row.count(0)?,
            from: row.opt_int(1)?,
            to: row.opt_int(2)?,
            sessions: row.count(3)?,
            sources: row.count(4)?,
            logins_ok: row.count(5)?,
            logins_failed: row.count(6)?,
            commands: row.count(7)?,
            by_event: self.tally(analysis_id, "SELECT e.eventid, COUNT(*)", "").await?,
            by_protocol: self
                .tally(
                    analysis_id,
                    "SELECT e.protocol, COUNT(DISTINCT e.session)",
                    " AND e.session <> '000000000000'",
                )
                .await?,
            top_sources: self
                .tally(analysis_id, "SELECT e.src_ip, COUNT(*)", " AND e.session <> '000000000000'")
                .await?,
            top_credentials: self
                .tally(
                    analysis_id,
                    login,
                    " AND e.eventid IN ('cowrie.login.failed', 'cowrie.login.success')",
                )
                .await?,
            accepted_credentials: self
                .tally(analysis_id, login, " AND e.eventid = 'cowrie.login.success'")
                .await?,
            top_commands: self
                .tally(
                    analysis_id,
                    "SELECT SUBSTR(e.input, 1, 300), COUNT(*)",
                    " AND e.eventid = 'cowrie.command.input'",
                )
                .await?,
            uploads: self
                .tally(analysis_id, message, " AND e.eventid = 'cowrie.session.file_upload'")
                .await?,
            downloads: self
                .tally(analysis_id, message, " AND e.eventid = 'cowrie.session.file_download'")
                .await?,
            top_requests: self
                .tally(analysis_id, message, " AND e.eventid = 'rustbucket.http.request'")
                .await?,
            mails: self.tally(analysis_id, message, " AND e.eventid = 'rustbucket.smtp.message'").await?,
            forwards: self
                .tally(analysis_id, message, " AND e.eventid = 'cowrie.direct-tcpip.request'")
                .await?,
            clients: self.tally(analysis_id, message, " AND e.eventid = 'cowrie.client.version'").await?,
        })
    }

    async fn tally(
        &self,
        analysis_id: i64,
        select: &'static str,
        only: &'static str,
    ) -> Result<Vec<Tally>, StoreError> {
        let query = Query::new(select)
            .push(OF)
            .bind(analysis_id)
            .push(only)
            .push(" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?")
            .bind(TOP);
        let tally = |row: &Row| Ok(Tally { what: row.text(0)?, count: row.count(1)? });
        self.engine.all(query).await?.iter().map(tally).collect()
    }

    /// A sample of whole visits of an open analysis: the sessions with most typed lines, each with its first messages.
    pub async fn sample_sessions(
        &self,
        analysis_id: i64,
        sessions: u32,
        messages: u32,
    ) -> Result<Vec<Vec<String>>, StoreError> {
        let busiest = Query::new("SELECT e.session, COUNT(*)")
            .push(OF)
            .bind(analysis_id)
            .push(" AND e.eventid IN ('cowrie.command.input', 'rustbucket.http.request', 'rustbucket.smtp.message', 'rustbucket.ftp.data')")
            .push(" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?")
            .bind(sessions);
        let mut samples = Vec::new();
        for row in self.engine.all(busiest).await? {
            let query =
                Query::new("SELECT CONCAT(e.protocol, ' ', e.src_ip, ' ', SUBSTR(e.message, 1, 300))")
                    .push(OF)
                    .bind(analysis_id)
                    .push(" AND e.session = ? ORDER BY e.seq LIMIT ?")
                    .bind(row.text(0)?)
                    .bind(messages);
            let lines = self.engine.all(query).await?;
            samples.push(lines.iter().map(|line| line.text(0)).collect::<Result<_, _>>()?);
        }
        Ok(samples)
    }
}
