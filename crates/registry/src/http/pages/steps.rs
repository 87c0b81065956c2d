//! One event of a session, as a person reads it.

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::{
    http::{
        recording,
        show::{Visible, WHOLE, size},
    },
    log_parser::is_sha256,
    store::EventRow,
};

/// How a step is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A line at a prompt.
    Typed,
    /// One line with facts.
    Plain,
    /// Something that was accepted.
    Good,
    /// Something that was refused.
    Bad,
    /// A file, a mail, a request.
    Brought,
    /// Of our own making: a model's answer, a limit.
    Ours,
}

impl Look {
    /// The class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Brought => "brought",
            Self::Ours => "ours",
        }
    }
}

/// One event.
pub(super) struct Step {
    pub seq: u64,
    /// Since the session began.
    pub offset: String,
    pub eventid: String,
    pub look: Look,
    pub title: &'static str,
    /// The subject: what was typed, asked for, brought.
    pub text: Option<Visible<'static>>,
    pub facts: Vec<(&'static str, Visible<'static>)>,
    /// Long text under a heading, folded.
    pub folded: Vec<(&'static str, Visible<'static>)>,
    pub truncated: bool,
    /// SHA-256 of a captured file.
    pub artifact: Option<String>,
    /// It ends a terminal recording.
    pub recorded: bool,
}

/// A field of the event, with the bytes beside it when the text lost something.
fn field(line: &Map<String, Value>, name: &str) -> Option<Visible<'static>> {
    let bytes = line
        .get(&format!("{name}_b64"))
        .and_then(Value::as_str)
        .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    if let Some(bytes) = bytes {
        return Some(Visible::bytes(bytes, WHOLE));
    }
    let text = match line.get(name)? {
        Value::Null => return None,
        Value::String(text) if text.is_empty() => return None,
        Value::Bool(false) => return None,
        Value::Bool(true) => "yes".to_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(Visible::owned(text, WHOLE))
}

fn bytes_of(line: &Map<String, Value>, name: &str) -> Option<Visible<'static>> {
    line.get(name).and_then(Value::as_u64).map(|n| Visible::owned(size(n), WHOLE))
}

/// The event that ends a terminal recording.
const CLOSED: &str = "cowrie.log.closed";
/// How much of a terminal is shown, in characters.
const TERMINAL: usize = 128 * 1024;

/// The digest of a file that a visitor brought.
fn kept_file(line: &Map<String, Value>) -> Option<String> {
    let sum = line.get("shasum").and_then(Value::as_str).filter(|sum| is_sha256(sum))?;
    Some(sum.to_owned())
}

/// Fields that every event has, or that only this program needs.
const STAMP: &[&str] = &[
    "eventid",
    "message",
    "timestamp",
    "sensor",
    "uuid",
    "session",
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "protocol",
    "seq",
    "boot_id",
    "event_uuid",
    "schema",
    "truncated",
];

impl Step {
    /// Reads an event; `start` is when its session began, milliseconds.
    pub fn new(event: &EventRow, start: i64) -> Self {
        let line = event.line.as_deref().and_then(|line| serde_json::from_str::<Value>(line).ok());
        let line = match line {
            Some(Value::Object(line)) => line,
            _ => without_line(event),
        };
        let since = event.at.saturating_sub(start).max(0);
        let mut step = Self {
            seq: event.seq,
            offset: format!("+{}:{:02}.{:03}", since / 60_000, since / 1000 % 60, since % 1000),
            eventid: event.eventid.clone(),
            look: Look::Plain,
            title: "Event",
            text: None,
            facts: Vec::new(),
            folded: Vec::new(),
            truncated: line.get("truncated").and_then(Value::as_bool).unwrap_or(false),
            artifact: kept_file(&line),
            recorded: event.eventid == CLOSED,
        };
        step.read(&line);
        step
    }

    fn is(&mut self, look: Look, title: &'static str) -> &mut Self {
        self.look = look;
        self.title = title;
        self
    }

    fn says(&mut self, text: Option<Visible<'static>>) -> &mut Self {
        self.text = text;
        self
    }

    fn with(&mut self, line: &Map<String, Value>, fields: &[(&'static str, &str)]) -> &mut Self {
        for (label, name) in fields {
            if let Some(value) = field(line, name) {
                self.facts.push((label, value));
            }
        }
        self
    }

    fn fold(&mut self, heading: &'static str, text: Option<Visible<'static>>) -> &mut Self {
        self.folded.extend(text.map(|text| (heading, text)));
        self
    }

    fn read(&mut self, line: &Map<String, Value>) {
        match self.eventid.clone().as_str() {
            "cowrie.session.connect" => {
                self.is(Look::Plain, "Connected").with(
                    line,
                    &[
                        ("from", "src_ip"),
                        ("port", "src_port"),
                        ("to port", "dst_port"),
                        ("speaks", "protocol"),
                    ],
                );
            }
            "cowrie.session.closed" => {
                self.is(Look::Plain, "Disconnected").with(line, &[("after seconds", "duration")]);
            }
            "cowrie.login.success" => {
                self.is(Look::Good, "Login accepted")
                    .with(line, &[("user", "username"), ("password", "password")]);
            }
            "cowrie.login.failed" => {
                self.is(Look::Bad, "Login refused")
                    .with(line, &[("user", "username"), ("password", "password")]);
            }
            "cowrie.command.input" => {
                self.is(Look::Typed, "Typed").says(field(line, "input"));
            }
            "cowrie.command.failed" => {
                self.is(Look::Bad, "No such command").says(field(line, "input"));
            }
            "cowrie.session.file_upload" => {
                let size = bytes_of(line, "size");
                self.is(Look::Brought, "File brought")
                    .says(field(line, "filename"))
                    .with(line, &[("to", "destfile"), ("SHA-256", "shasum")]);
                self.facts.extend(size.map(|size| ("size", size)));
            }
            "cowrie.session.file_download" => {
                self.is(Look::Brought, "Wanted a file fetched (nothing was)")
                    .says(field(line, "url"))
                    .with(line, &[("to", "destfile"), ("SHA-256", "shasum")]);
            }
            "cowrie.client.version" => {
                self.is(Look::Plain, "Client").says(field(line, "version"));
            }
            "cowrie.client.kex" => {
                self.is(Look::Plain, "Key exchange").with(line, &[("hassh", "hassh")]);
                self.fold("What the client offered", field(line, "hasshAlgorithms"));
            }
            "cowrie.client.size" => {
                self.is(Look::Plain, "Terminal").with(line, &[("columns", "width"), ("rows", "height")]);
            }
            "cowrie.client.var" => {
                self.is(Look::Plain, "Environment").with(line, &[("name", "name"), ("value", "value")]);
            }
            "cowrie.client.fingerprint" => {
                self.is(Look::Plain, "Public key offered")
                    .with(line, &[("user", "username"), ("type", "type"), ("fingerprint", "fingerprint")]);
                self.fold("Key", field(line, "key"));
            }
            "cowrie.direct-tcpip.request" => {
                self.is(Look::Brought, "Wanted to be passed on (was not)")
                    .with(line, &[("to host", "dst_host"), ("port", "dst_host_port"), ("as", "orig_ip")]);
            }
            "cowrie.direct-tcpip.data" => {
                self.is(Look::Brought, "Sent to the other host")
                    .with(line, &[("host", "dst_host"), ("port", "dst_host_port")]);
                self.fold("Data", field(line, "data"));
            }
            "rustbucket.ssh.request" => {
                let granted = line.get("granted").and_then(Value::as_bool).unwrap_or(false);
                let title = if granted { "SSH request granted" } else { "SSH request refused" };
                self.is(Look::Plain, title).with(line, &[("request", "request"), ("value", "value")]);
            }
            "cowrie.telnet.option" => {
                self.is(Look::Plain, "Telnet option")
                    .with(line, &[("command", "command"), ("option", "option"), ("data", "data")]);
            }
            "cowrie.log.open" => {
                self.is(Look::Plain, "Recording begins").with(line, &[("file", "ttylog")]);
            }
            CLOSED => {
                let size = bytes_of(line, "size");
                self.is(Look::Plain, "Recording ends")
                    .with(line, &[("file", "ttylog"), ("SHA-256", "shasum")]);
                self.facts.extend(size.map(|size| ("size", size)));
                // It is no captured file, though it may lie among them.
                self.artifact = None;
                let shown = line.get("recording").and_then(Value::as_str).map(recording::shown);
                self.show_terminal(shown.as_deref());
            }
            "rustbucket.http.request" => self.request(line),
            "rustbucket.smtp.message" => {
                let size = bytes_of(line, "size");
                self.is(Look::Brought, "Mail").says(field(line, "subject")).with(
                    line,
                    &[
                        ("from", "mail_from"),
                        ("to", "rcpt_to"),
                        ("said to be", "helo"),
                        ("SHA-256", "shasum"),
                    ],
                );
                self.facts.extend(size.map(|size| ("size", size)));
            }
            "rustbucket.ftp.data" => {
                let size = bytes_of(line, "size");
                self.is(Look::Brought, "File transfer").says(field(line, "path")).with(
                    line,
                    &[
                        ("command", "command"),
                        ("direction", "direction"),
                        ("mode", "mode"),
                        ("failed", "failed"),
                    ],
                );
                self.facts.extend(size.map(|size| ("size", size)));
            }
            "rustbucket.chat.answer" => {
                self.is(Look::Ours, "Language model").with(
                    line,
                    &[
                        ("kind", "kind"),
                        ("model", "model"),
                        ("tokens in", "tokens_in"),
                        ("tokens out", "tokens_out"),
                        ("US dollars", "cost_usd"),
                        ("ms", "ms"),
                        ("cached", "cached"),
                        ("without a model", "fallback"),
                        ("because", "reason"),
                    ],
                );
            }
            "rustbucket.session.label" => {
                self.is(Look::Ours, "Taken for")
                    .says(field(line, "label"))
                    .with(line, &[("confidence", "confidence"), ("because", "reasons")]);
            }
            "rustbucket.limit.hit" => {
                self.is(Look::Ours, "Limit reached").with(line, &[("limit", "limit"), ("value", "value")]);
            }
            _ => {
                let rest = line.iter().filter(|(name, _)| !STAMP.contains(&name.as_str()));
                let rest: Map<String, Value> =
                    rest.map(|(name, value)| (name.clone(), value.clone())).collect();
                self.is(Look::Plain, "Event").says(field(line, "message"));
                if !rest.is_empty() {
                    self.fold("Fields", Some(Visible::owned(Value::Object(rest).to_string(), WHOLE)));
                }
            }
        }
    }

    /// What the terminal showed, as text.
    pub fn show_terminal(&mut self, shown: Option<&str>) {
        let shown = shown.filter(|shown| !shown.trim().is_empty());
        self.fold("What the terminal showed", shown.map(|shown| Visible::owned(shown.to_owned(), TERMINAL)));
    }

    fn request(&mut self, line: &Map<String, Value>) {
        let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        let first = format!("{} {} {}", text("method"), text("target"), text("version"));
        self.is(Look::Brought, "Request").says(Some(Visible::owned(first, WHOLE)));
        self.with(line, &[("answered", "status"), ("SHA-256", "shasum")]);
        if line.get("body_size").and_then(Value::as_u64).is_some_and(|n| n > 0) {
            self.facts.extend(bytes_of(line, "body_size").map(|size| ("body", size)));
        }
        let headers: Vec<String> = line
            .get("headers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|pair| Some(format!("{}: {}", pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)))
            .collect();
        if !headers.is_empty() {
            self.fold("Headers", Some(Visible::owned(headers.join("\n"), WHOLE)));
        }
        self.fold("Body", field(line, "body"));
        self.fold("As it came", field(line, "raw"));
    }
}

/// What the typed columns still hold when retention removed the line.
fn without_line(event: &EventRow) -> Map<String, Value> {
    let mut line = Map::new();
    let fields = [
        ("message", Some(&event.message)),
        ("username", event.username.as_ref()),
        ("password", event.password.as_ref()),
        ("input", event.input.as_ref()),
        ("shasum", event.shasum.as_ref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            line.insert(name.to_owned(), Value::String(value.clone()));
        }
    }
    line
}

#[cfg(test)]
mod tests;
