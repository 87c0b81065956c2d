//! Sections 4 and 5: FTP and SMTP.

use std::collections::BTreeSet;

use super::{Findings, Login, ask};

const FTP_BANNERS: &[&str] = &[
    "DiskStation",
    "Welcome to the ftp service",
    "220 Service ready",
    "Welcome to my FTP Server",
    "BearTrap",
    "freeFTPd",
    "qeeqbox",
    "220 FTP Server Ready",
    "Welcome to FTP server",
    "Microsoft",
    "opencanary",
];
const SMTP_BANNERS: &[&str] = &[
    "mail.example.com",
    "schizo-open-relay",
    "Microsoft",
    "honeypot",
    "qeeqbox",
    "localhost",
    "example.com",
];

/// The answer to the last line.
fn last(answer: &str) -> String {
    answer.trim_end().rsplit("\r\n").next().unwrap_or_default().to_owned()
}

/// Every row of section 4.
pub async fn look_at_ftp(port: u16, login: Login<'_>, findings: &mut Findings) {
    findings.fires_on("FTP-01", &ask(port, &[]).await, FTP_BANNERS);
    let empty = ask(port, &[b"USER root\r\n", b"PASS \r\n"]).await;
    findings.fires_on("FTP-02", &empty, &["500 Syntax error: PASS requires an argument"]);
    for (user, password) in [
        ("xkwqpzmt", "Hf7#nK2$pLmQ"),
        ("anonymous", ""),
        ("ftp", "ftp"),
        ("admin", "admin"),
        ("root", "root"),
    ] {
        let (name, word) = (format!("USER {user}\r\n"), format!("PASS {password}\r\n"));
        let answer = ask(port, &[name.as_bytes(), word.as_bytes()]).await;
        findings.fires_if("FTP-03", answer.contains("230"), format!("{user}:{password} is let in"));
    }
    let mut before = Vec::new();
    for line in [b"SYST\r\n" as &[u8], b"FEAT\r\n", b"STAT\r\n", b"HELP\r\n", b"SITE HELP\r\n"] {
        before.push(last(&ask(port, &[line]).await));
    }
    let unknown =
        before.iter().filter(|answer| answer.starts_with("500") || answer.starts_with("502")).count();
    let same = before.iter().all(|answer| *answer == before[0]);
    findings.fires_if("FTP-04", unknown >= 3 || same, format!("{before:?}"));
    let (name, word) = (format!("USER {}\r\n", login.user), format!("PASS {}\r\n", login.password));
    let inside = async |line: &str| ask(port, &[name.as_bytes(), word.as_bytes(), line.as_bytes()]).await;
    let features = inside("FEAT\r\n").await;
    findings.fires_if("FTP-05", features.matches("\r\n ").count() < 3, features.clone());
    findings.fires_if("FTP-05", !inside("SYST\r\n").await.contains("UNIX"), "SYST without UNIX");
    findings.fires_if("FTP-05", !inside("PWD\r\n").await.contains("257"), "PWD without 257");
    let mut junk = BTreeSet::new();
    for line in [b"INVALID\r\n" as &[u8], b"USER \0\r\n", b"PASV\r\n", b"CWD /../../../etc\r\n"] {
        junk.insert(last(&ask(port, &[line]).await));
    }
    findings.fires_if("FTP-06", junk.len() < 2, format!("{junk:?}"));
    // A daemon on the same machine answers at once; this row is about distance, which loopback has not.
    findings.look("FTP-07", None);
}

/// Every row of section 5.
pub async fn look_at_smtp(port: u16, findings: &mut Findings) {
    findings.fires_on("SMTP-01", &ask(port, &[]).await, SMTP_BANNERS);
    let help = ask(port, &[b"HELP\r\n"]).await;
    findings.fires_on("SMTP-02", &help, &["502 Error: command \"HELP\" not implemented"]);
    let hello: &[u8] = b"EHLO client.invalid\r\n";
    let extensions = ask(port, &[hello]).await;
    let common = ["PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS"];
    let missing: Vec<_> = common.iter().filter(|name| !extensions.contains(**name)).collect();
    findings.fires_if("SMTP-03", !missing.is_empty(), format!("no {missing:?}"));
    let verified = async |name: &str| last(&ask(port, &[hello, format!("VRFY {name}\r\n").as_bytes()]).await);
    let (root, nobody) = (verified("root").await, verified("xkwqpzmt").await);
    findings.fires_if("SMTP-04", root[..3] == nobody[..3], format!("{root} and {nobody}"));
    let mail: &[u8] = b"MAIL FROM:<a@client.invalid>\r\n";
    let relay = last(&ask(port, &[hello, mail, b"RCPT TO:<spameri@tiscali.it>\r\n"]).await);
    findings.fires_if("SMTP-05", relay.starts_with('2'), relay.clone());
    let garbage = last(&ask(port, &[hello, b"AUTH PLAIN AHhrd3Fwem10AEhmNyNuSzIkcExtUQ==\r\n"]).await);
    findings.fires_if("SMTP-06", garbage.starts_with('2'), garbage.clone());
    let long = format!("MAIL FROM:<{}>\r\n", "a".repeat(1000));
    let mut junk = BTreeSet::new();
    for line in [
        b"INVALID\r\n" as &[u8],
        b"HELO \0\r\n",
        long.as_bytes(),
        b"RCPT TO:<${jndi:ldap://x}>\r\n",
        b"\xff\xff\xff\xff\r\n",
    ] {
        junk.insert(last(&ask(port, &[line]).await));
    }
    findings.fires_if("SMTP-07", junk.len() < 3, format!("{junk:?}"));
    findings.look("SMTP-08", None);
}
