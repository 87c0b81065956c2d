//! Section 1: SSH before the login.

use std::time::Duration;

use super::{Findings, ask, first_byte};
use crate::clients::Ssh;

/// Banners that tools know as those of honeypots.
const KNOWN: &[&str] = &[
    "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r",
    "SSH-2.0-OpenSSH_6.0p1",
    "SSH-2.0-OpenSSH_5.",
    "SSH-2.0-OpenSSH_6.6.1p1",
    "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.10",
    "SSH-2.0-OpenSSH_7.",
    "SSH-2.0-OpenSSH_8.2p1",
    "SSH-2.0-sshesame",
    "SSH-2.0-Go",
    "SSH-1.99",
    "SSH-2.0-Twisted",
    "SSHTroll",
    "deb7",
];
/// HASSH of Debian 12's sshd (deb12u10).
const DEBIAN: &str = "425d29fe50d8e4f5e37efb6e24bcf660";

/// Every row of the section.
pub async fn look(port: u16, findings: &mut Findings) {
    let banner = ask(port, &[]).await;
    let line = banner.split('\n').next().unwrap_or_default().to_owned();
    for id in ["SSH-01", "SSH-02", "SSH-04"] {
        findings.fires_on(id, &line, KNOWN);
    }
    findings.fires_if("SSH-03", banner.contains("aes256"), "KEXINIT before the client's version");
    let said = async |pieces: &'static [&'static [u8]]| {
        ask(port, pieces).await.strip_prefix(&format!("{line}\n")).unwrap_or_default().to_owned()
    };
    let answer = said(&[b"SSH-1337-OpenSSH_9.0\r\n"]).await;
    findings.fires_on("SSH-05", &answer, &["Protocol major versions differ.", "bad version"]);
    let answer = said(&[b"\r\r\r\r\r\r\r\r"]).await;
    findings.fires_on("SSH-06", &answer, &["bad packet length"]);
    for (id, pieces) in [
        ("SSH-07", &[b"SSH-2.0-OpenSSH\n\n\n\n\n\n\n\n\n\n" as &[u8]] as &[&[u8]]),
        ("SSH-08", &[b"SSH-2.0-OpenSSH_9.2p1\r\nSSH-2.0-OpenSSH_9.2p1\r\n"]),
    ] {
        findings.fires_on(id, &said(pieces).await.to_lowercase(), &["corrupt", "mismatch"]);
    }
    let offer = said(&[b"SSH-2.0-OpenSSH_9.2p1\r\n"]).await;
    for id in ["SSH-09", "SSH-10", "SSH-11"] {
        let hassh = hassh(&offer);
        findings.fires_if(id, hassh.as_deref() != Some(DEBIAN), format!("its HASSH is {hassh:?}"));
    }
    let mut answers = Vec::new();
    for junk in [
        b"SSH-9999-Invalid\r\n" as &[u8],
        b"\0\0\0\0",
        b"SSH-2.0-Test\r\nSSH-2.0-Test\r\nSSH-2.0-Test\r\n",
        b"SSH-1.99-Ancient\r\n",
        b"QUIT\r\n",
    ] {
        answers.push(ask(port, &[junk]).await.split_off(line.len()));
    }
    let same = answers.iter().all(|answer| *answer == answers[0]);
    findings.fires_if("SSH-12", same, format!("all junk is answered {:?}", answers[0]));
    for junk in [b"SSH-3.0-HACKNET\r\n" as &[u8], b"HELP\r\n", b"LOGIN root toor\r\n", b"{\"a\":1}\r\n"] {
        let answer = ask(port, &[junk]).await.split_off(line.len());
        let words = ["cowrie", "kippo", "honeypot", "command not found", "invalid command", "SSH-2.0"];
        findings.fires_on("SSH-13", &answer, &words);
    }
    let ancient = ask(port, &[b"SSH-1.99-Ancient\r\n"]).await;
    findings.fires_on("SSH-14", &ancient, &["SSH-1.99"]);
    let text = said(&[b"SSH-2.0-x\r\n", b"\0\0\0\x04\x0ahelp"]).await;
    let tail = text.rsplit("none,zlib@openssh.com").next().unwrap_or_default().len();
    findings.fires_if("SSH-15", tail > 64, "a text in answer to half a packet");
    let again = ask(port, &[]).await;
    findings.fires_if("SSH-16", !again.starts_with(&line), "no banner at the second visit");
    let wait = first_byte(port).await;
    findings.fires_if("SSH-17", wait > Duration::from_secs(5), format!("{wait:?} until the first byte"));
    let garbage =
        [("xkwqpzmt", "Hf7#nK2$pLmQ"), ("root", ""), ("root", "123456"), ("root", "root"), ("phil", "phil")];
    for (user, password) in garbage {
        let let_in = Ssh::log_in(port, user, password).await.ok().flatten().is_some();
        findings.fires_if("SSH-19", let_in, format!("{user}:{password} at the first try"));
    }
}

/// MD5 over the server's lists, from the KEXINIT that is somewhere in the answer.
fn hassh(answer: &str) -> Option<String> {
    let lists = |first: &str| {
        let begin = answer.find(first)?;
        let end = answer[begin..].find(['\0', '\u{fffd}'])?;
        Some(answer[begin..begin + end].to_owned())
    };
    let (kex, cipher) = (lists("sntrup761")?, lists("chacha20")?);
    let (mac, compression) = (lists("umac-64-etm")?, lists("none,zlib")?);
    Some(hex::encode(md5::Md5::digest(format!("{kex};{cipher};{mac};{compression}"))))
}

use md5::Digest as _;
