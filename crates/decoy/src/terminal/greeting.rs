//! What a visitor reads between a login and the first prompt: MOTD, last login, mail.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};

use crate::{
    dialogue::Contact,
    machine::{Account, files::Owner},
};

/// One record of `/var/log/lastlog` (lastlog(8), `struct lastlog` of glibc on amd64): time, line, host.
const RECORD: usize = 4 + 32 + 256;
/// A user whose record lies further back is not remembered: the file would cost the visitor's layer too much.
const LAST_RECORD: usize = 64 * 1024;

/// Who let the visitor in; the two differ in how they write the last login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeter {
    /// login(1), with pam_lastlog.
    Login,
    /// sshd(8).
    Sshd,
}

/// The text, with bare LF; remembers this login.
pub(crate) fn greeting(contact: &Contact, account: &Account, tty: &str, greeter: Greeter) -> String {
    let (identity, files) = (contact.visitor.identity(), contact.visitor.files());
    let mut text = String::new();
    if files.exists(&format!("{}/.hushlogin", account.home)) {
        return text;
    }
    text.push_str(&format!(
        "Linux {} {} {} {}\n",
        identity.hostname, identity.kernel_release, identity.kernel_version, identity.arch
    ));
    if let Ok(motd) = files.read("/etc/motd") {
        text.push_str(&String::from_utf8_lossy(&motd));
    }
    if let Some(last) = last_login(contact, account) {
        let format =
            if greeter == Greeter::Login { "%a %b %e %H:%M:%S UTC %Y" } else { "%a %b %e %H:%M:%S %Y" };
        let time = DateTime::<Utc>::from(last.time).format(format);
        text.push_str(&match (greeter, last.host.is_empty()) {
            (Greeter::Login, true) => format!("Last login: {time} on {}\n", last.line),
            (Greeter::Login, false) => format!("Last login: {time} from {} on {}\n", last.host, last.line),
            (Greeter::Sshd, true) => format!("Last login: {time}\n"),
            (Greeter::Sshd, false) => format!("Last login: {time} from {}\n", last.host),
        });
    }
    let mail = files.stat(&format!("/var/mail/{}", account.name)).ok().filter(|mail| mail.size > 0);
    if let Some(mail) = mail.filter(|_| greeter == Greeter::Login) {
        // pam_mail(8): new is what came in a later second than the last look.
        let seconds =
            |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let new = seconds(mail.atime) < seconds(mail.mtime);
        text.push_str(if new { "You have new mail.\n" } else { "You have mail.\n" });
    }
    remember(contact, account, tty, contact.peer.ip().to_canonical());
    text
}

struct LastLogin {
    time: SystemTime,
    line: String,
    host: String,
}

fn last_login(contact: &Contact, account: &Account) -> Option<LastLogin> {
    let log = contact.visitor.files().read("/var/log/lastlog").ok()?;
    let at = (account.uid as usize).checked_mul(RECORD)?;
    let record = log.get(at..at + RECORD)?;
    let (time, rest) = record.split_at_checked(4)?;
    let (line, host) = rest.split_at_checked(32)?;
    let seconds = u32::from_le_bytes(time.try_into().ok()?);
    let text = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes.split(|&byte| byte == 0).next().unwrap_or_default()).into_owned()
    };
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(seconds));
    (seconds > 0).then(|| LastLogin { time, line: text(line), host: text(host) })
}

fn remember(contact: &Contact, account: &Account, tty: &str, host: IpAddr) {
    let files = contact.visitor.files();
    let mut log = files.read("/var/log/lastlog").map(|log| log.to_vec()).unwrap_or_default();
    let at = (account.uid as usize).saturating_mul(RECORD);
    if at > LAST_RECORD.max(log.len()) {
        return;
    }
    let now = contact.visitor.now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let mut record = u32::try_from(now).unwrap_or(0).to_le_bytes().to_vec();
    record.extend(tty.bytes().take(31));
    record.resize(4 + 32, 0);
    record.extend(host.to_string().bytes().take(255));
    record.resize(RECORD, 0);
    if log.len() < at + RECORD {
        log.resize(at + RECORD, 0);
    }
    log.splice(at..at + RECORD, record);
    if let Err(fault) = files.write("/var/log/lastlog", &log, &Owner { uid: 0, gid: 43 }, 0o664) {
        // A full layer: the visitor will miss a line at its next login.
        tracing::debug!(%fault, "last login not remembered");
    }
}
