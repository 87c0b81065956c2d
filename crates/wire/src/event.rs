//! One event: what happened, stamped with who, where and when. `EVENTS.md` documents each id.
//!
//! Field names are Cowrie's wherever it has one (cowrie `core/eventids.py`), so that existing parsers work unchanged.

mod captured;
mod message;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use captured::{Captured, FIELD_LIMIT};

/// Version of the event schema; raised when a field changes meaning.
pub const SCHEMA: u32 = 1;
/// `session` of events that belong to no visitor.
pub const NO_SESSION: &str = "000000000000";

/// The protocol of a session, as it stands in every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 4253.
    Ssh,
    /// RFC 854.
    Telnet,
    /// RFC 959.
    Ftp,
    /// RFC 5321.
    Smtp,
    /// RFC 9112.
    Http,
    /// A static banner, then one answer a line.
    Plain,
    /// The program itself: no visitor.
    Rustbucket,
}

impl Protocol {
    /// The lower-case name used in settings, events and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Telnet => "telnet",
            Self::Ftp => "ftp",
            Self::Smtp => "smtp",
            Self::Http => "http",
            Self::Plain => "plain",
            Self::Rustbucket => "rustbucket",
        }
    }
}

/// What stands on every line, whatever happened. Only `Session::note` of the sensor makes one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// UTC, `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
    pub timestamp: String,
    /// Name of the bucket.
    pub sensor: Arc<str>,
    /// The bucket's own UUID, kept for life.
    pub uuid: Arc<str>,
    /// 12 lower-case hex digits; [`NO_SESSION`] for the program's own events.
    pub session: Arc<str>,
    /// The visitor.
    pub src_ip: Arc<str>,
    /// The visitor's port.
    pub src_port: u16,
    /// Our address as the visitor reached it.
    pub dst_ip: Arc<str>,
    /// Our port.
    pub dst_port: u16,
    /// Which daemon the visitor met.
    pub protocol: Protocol,
    /// Position in this bucket's log: starts at 1, no gap, survives restarts.
    pub seq: u64,
    /// One start of the program.
    pub boot_id: Arc<str>,
    /// Unique to this event.
    pub event_uuid: String,
    /// [`SCHEMA`].
    pub schema: u32,
}

/// One line of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// A sentence for people.
    pub message: String,
    /// Who, where, when.
    #[serde(flatten)]
    pub stamp: Stamp,
}

/// Skips a flag that is not set.
fn is_false(flag: &bool) -> bool {
    !*flag
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $id:literal { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        /// What happened. The id of each variant is its `eventid`.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(tag = "eventid")]
        #[allow(missing_docs)] // the fields are documented in EVENTS.md, which a house rule holds to this list
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $id)] $variant { $($(#[$field_meta])* $field: $type),* },)*
        }

        impl EventKind {
            /// Every `eventid` there is, in the order of this file.
            pub const IDS: &[&str] = &[$($id),*];

            /// The `eventid` of this event.
            pub fn id(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $id,)* }
            }
        }
    };
}

events! {
    /// A visitor connected.
    SessionConnect = "cowrie.session.connect" {}
    /// The connection ended.
    SessionClosed = "cowrie.session.closed" {
        duration: f64,
        duration_ms: u64,
    }
    /// A visitor asked the machine to fetch something; nothing was fetched.
    FileDownload = "cowrie.session.file_download" {
        url: String,
        outfile: String,
        shasum: String,
        destfile: String,
        #[serde(default)]
        duplicate: bool,
    }
    /// A visitor brought a file; it is kept as an artifact named by `shasum`.
    FileUpload = "cowrie.session.file_upload" {
        filename: String,
        outfile: String,
        shasum: String,
        destfile: String,
        size: u64,
        #[serde(default)]
        duplicate: bool,
        #[serde(default, skip_serializing_if = "is_false")]
        truncated: bool,
    }
    /// A login was accepted.
    LoginSuccess = "cowrie.login.success" {
        username: String,
        password: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username_b64: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password_b64: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        truncated: bool,
    }
    /// A login was refused.
    LoginFailed = "cowrie.login.failed" {
        username: String,
        password: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username_b64: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password_b64: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        truncated: bool,
    }
    /// One line the visitor typed, exactly once.
    CommandInput = "cowrie.command.input" {
        input: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_b64: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        truncated: bool,
    }
    /// A command the machine does not have.
    CommandFailed = "cowrie.command.failed" {
        input: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_b64: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        truncated: bool,
    }
    /// The identification string of an SSH client.
    ClientVersion = "cowrie.client.version" {
        version: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version_b64: Option<String>,
    }
    /// What an SSH client offered.
    ClientKex = "cowrie.client.kex" {
        hassh: String,
        #[serde(rename = "hasshAlgorithms")]
        hassh_algorithms: String,
        #[serde(rename = "kexAlgs")]
        kex_algs: Vec<String>,
        #[serde(rename = "keyAlgs")]
        key_algs: Vec<String>,
        #[serde(rename = "encCS")]
        enc_cs: Vec<String>,
        #[serde(rename = "macCS")]
        mac_cs: Vec<String>,
        #[serde(rename = "compCS")]
        comp_cs: Vec<String>,
        #[serde(rename = "langCS")]
        lang_cs: Vec<String>,
    }
    /// The visitor's terminal.
    ClientSize = "cowrie.client.size" {
        width: u32,
        height: u32,
    }
    /// An environment variable the client sent.
    ClientVar = "cowrie.client.var" {
        name: String,
        value: String,
    }
    /// A public key that was offered.
    ClientFingerprint = "cowrie.client.fingerprint" {
        username: String,
        fingerprint: String,
        key: String,
        #[serde(rename = "type")]
        key_type: String,
    }
    /// A terminal recording begins.
    LogOpen = "cowrie.log.open" {
        ttylog: String,
    }
    /// A terminal recording is complete.
    LogClosed = "cowrie.log.closed" {
        ttylog: String,
        size: u64,
        shasum: String,
        duplicate: bool,
        duration: f64,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        recording: String,
    }
    /// A visitor wanted to be passed on to another host; nobody was called.
    DirectTcpipRequest = "cowrie.direct-tcpip.request" {
        orig_ip: String,
        orig_port: u32,
        #[serde(rename = "dst_host")]
        target_host: String,
        #[serde(rename = "dst_host_port")]
        target_port: u32,
    }
    /// What the visitor sent to that other host.
    DirectTcpipData = "cowrie.direct-tcpip.data" {
        #[serde(rename = "dst_host")]
        target_host: String,
        #[serde(rename = "dst_host_port")]
        target_port: u32,
        data: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data_b64: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        truncated: bool,
    }
    /// Another request of an SSH client: a subsystem, a forwarding to be listened for.
    SshRequest = "rustbucket.ssh.request" {
        request: String,
        value: String,
        granted: bool,
    }
    /// Telnet option bytes from the client.
    TelnetOption = "cowrie.telnet.option" {
        command: String,
        option: u8,
        data: String,
    }
    /// One HTTP request.
    HttpRequest = "rustbucket.http.request" {
        method: String,
        target: String,
        version: String,
        headers: Vec<(String, String)>,
        status: u16,
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_b64: Option<String>,
        body_size: u64,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        shasum: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raw_b64: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        truncated: bool,
    }
    /// One mail taken.
    SmtpMessage = "rustbucket.smtp.message" {
        helo: String,
        mail_from: String,
        rcpt_to: Vec<String>,
        subject: String,
        size: u64,
        shasum: String,
        outfile: String,
        queue_id: String,
        #[serde(default, skip_serializing_if = "is_false")]
        truncated: bool,
    }
    /// One FTP data connection.
    FtpData = "rustbucket.ftp.data" {
        command: String,
        path: String,
        direction: String,
        size: u64,
        mode: String,
        #[serde(default, skip_serializing_if = "is_false")]
        failed: bool,
    }
    /// A language model was needed.
    ChatAnswer = "rustbucket.chat.answer" {
        model: String,
        kind: String,
        tokens_in: u64,
        tokens_out: u64,
        cost_usd: f64,
        ms: u64,
        cached: bool,
        fallback: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    }
    /// A limit was reached; the visitor saw what a busy server does.
    LimitHit = "rustbucket.limit.hit" {
        limit: String,
        value: u64,
    }
    /// Who a visitor was taken for when the session ended.
    SessionLabel = "rustbucket.session.label" {
        label: String,
        confidence: f64,
        reasons: Vec<String>,
    }
    /// Events that are gone.
    LogGap = "rustbucket.log.gap" {
        from_seq: u64,
        to_seq: u64,
        bytes: u64,
        reason: String,
    }
    /// The bucket serves.
    Start = "rustbucket.start" {
        version: String,
        listeners: Vec<String>,
    }
    /// The bucket ends on purpose.
    Stop = "rustbucket.stop" {
        reason: String,
    }
}

impl EventKind {
    /// One typed line.
    pub fn command_input(line: &[u8]) -> Self {
        let Captured { text, b64, truncated } = Captured::new(line, FIELD_LIMIT);
        Self::CommandInput { input: text, input_b64: b64, truncated }
    }

    /// A command the machine does not have.
    pub fn command_failed(line: &[u8]) -> Self {
        let Captured { text, b64, truncated } = Captured::new(line, FIELD_LIMIT);
        Self::CommandFailed { input: text, input_b64: b64, truncated }
    }

    /// A login attempt.
    pub fn login(accepted: bool, username: &[u8], password: &[u8]) -> Self {
        let user = Captured::new(username, 4096);
        let pass = Captured::new(password, 4096);
        let truncated = user.truncated || pass.truncated;
        let (username, username_b64, password, password_b64) = (user.text, user.b64, pass.text, pass.b64);
        if accepted {
            Self::LoginSuccess { username, password, username_b64, password_b64, truncated }
        } else {
            Self::LoginFailed { username, password, username_b64, password_b64, truncated }
        }
    }
}
