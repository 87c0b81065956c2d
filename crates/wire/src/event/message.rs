//! What an event says to people, in one sentence.

use super::EventKind;

impl EventKind {
    /// The sentence for people that goes into `message`.
    pub fn message(&self) -> String {
        match self {
            Self::SessionConnect {} => "New connection".to_owned(),
            Self::SessionClosed { duration, .. } => format!("Connection lost after {duration:.1} seconds"),
            Self::FileDownload { url, .. } => {
                format!("Attempt to download file(s) from URL ({url}) recorded, not fetched")
            }
            Self::FileUpload { filename, shasum, .. } => {
                format!("Uploaded file \"{filename}\" to artifacts/{shasum}")
            }
            Self::LoginSuccess { username, password, .. } => {
                format!("login attempt [{username}/{password}] succeeded")
            }
            Self::LoginFailed { username, password, .. } => {
                format!("login attempt [{username}/{password}] failed")
            }
            Self::CommandInput { input, .. } => format!("CMD: {input}"),
            Self::CommandFailed { input, .. } => format!("Command not found: {input}"),
            Self::ClientVersion { version, .. } => format!("Remote SSH version: {version}"),
            Self::ClientKex { hassh, .. } => format!("SSH client hassh fingerprint: {hassh}"),
            Self::ClientSize { width, height } => format!("Terminal Size: {width} {height}"),
            Self::ClientVar { name, value } => format!("request_env: {name}={value}"),
            Self::ClientFingerprint { username, fingerprint, .. } => {
                format!("public key attempt for user {username} with fingerprint {fingerprint}")
            }
            Self::LogOpen { ttylog } => format!("Opening TTY Log: {ttylog}"),
            Self::LogClosed { ttylog, duration, .. } => {
                format!("Closing TTY Log: {ttylog} after {duration:.1} seconds")
            }
            Self::DirectTcpipRequest { orig_ip, orig_port, target_host, target_port } => {
                format!(
                    "direct-tcp connection request to {target_host}:{target_port} from {orig_ip}:{orig_port}"
                )
            }
            Self::DirectTcpipData { target_host, target_port, .. } => {
                format!("direct-tcp forward to {target_host}:{target_port} with data")
            }
            Self::SshRequest { request, value, .. } => format!("SSH request {request}: {value}"),
            Self::TelnetOption { command, option, .. } => format!("telnet option {command} {option}"),
            Self::HttpRequest { method, target, status, .. } => {
                format!("HTTP {method} {target} answered {status}")
            }
            Self::SmtpMessage { mail_from, rcpt_to, size, .. } => {
                format!("mail from <{mail_from}> to {} recipient(s), {size} bytes", rcpt_to.len())
            }
            Self::FtpData { command, path, direction, size, .. } => {
                format!("FTP {command} {path} {direction} {size} bytes")
            }
            Self::ChatAnswer { kind, model, fallback, .. } => {
                let how = if *fallback { "answered without a model" } else { "answered by" };
                format!("{kind} {how} {model}")
            }
            Self::LimitHit { limit, value } => format!("limit {limit} reached at {value}"),
            Self::SessionLabel { label, reasons, .. } => {
                format!("taken for: {label} ({})", reasons.join("; "))
            }
            Self::LogGap { from_seq, to_seq, bytes, .. } => {
                format!("events {from_seq} to {to_seq} are gone ({bytes} bytes)")
            }
            Self::Start { version, .. } => format!("rustbucket {version} started"),
            Self::Stop { reason } => format!("rustbucket stopped: {reason}"),
        }
    }
}
