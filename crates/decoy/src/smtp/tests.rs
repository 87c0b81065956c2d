//! SMTP beyond the transcripts: events, mailboxes, limits, and input that nobody means.

use proptest::prelude::*;

use super::*;
use crate::{
    memory::Holding,
    testing::{Done, contact, crowded, inputs, starvations, visit},
};

async fn talk(contact: &Contact, pieces: &[&[u8]]) -> Done {
    visit(&mut Smtp::new(contact.clone()), pieces).await
}

fn messages(done: &Done) -> Vec<(&str, Vec<&str>, &str, u64, bool)> {
    done.noted
        .iter()
        .filter_map(|kind| match kind {
            EventKind::SmtpMessage { mail_from, rcpt_to, subject, size, truncated, .. } => Some((
                mail_from.as_str(),
                rcpt_to.iter().map(String::as_str).collect(),
                subject.as_str(),
                *size,
                *truncated,
            )),
            _ => None,
        })
        .collect()
}

const MAIL: &[u8] =
    b"EHLO bot.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<deploy>\r\nRCPT TO:<postmaster>\r\nDATA\r\n";

#[tokio::test]
async fn a_mail_is_kept_noted_and_in_the_mailboxes() {
    let contact = contact();
    let done =
        talk(&contact, &[MAIL, b"Subject: hi\r\n there\r\n\r\nFrom me\r\n..dot\r\n.\r\nQUIT\r\n"]).await;
    let text = b"Subject: hi\r\n there\r\n\r\nFrom me\r\n.dot\r\n";
    assert_eq!(done.kept.iter().map(|(_, bytes)| bytes.as_slice()).collect::<Vec<_>>(), [text]);
    assert_eq!(
        messages(&done),
        [("a@b.example", vec!["deploy", "postmaster"], "hi there", text.len() as u64, false)]
    );
    assert!(!inputs(&done.noted).iter().any(|line| line.contains("From me")), "mail text is no command");
    for user in ["deploy", "root"] {
        let mail = contact.visitor.files().read(&format!("/var/mail/{user}")).unwrap();
        let mail = String::from_utf8(mail.to_vec()).unwrap();
        assert!(
            mail.starts_with(
                "From a@b.example  Mon Sep 21 14:13:20 2026\nReturn-Path: <a@b.example>\nX-Original-To: "
            ),
            "{mail}"
        );
        assert!(mail.contains("\nReceived: from bot.example (unknown [198.51.100.7])\n\tby web01.lindqvist.example (Postfix) with ESMTP id "));
        assert!(mail.ends_with("\nSubject: hi\n there\n\n>From me\n.dot\n\n"), "{mail}");
    }
    let node = contact.visitor.files().stat("/var/mail/deploy").unwrap();
    assert_eq!((node.uid, node.gid, node.mode & 0o777), (1000, 8, 0o600));
}

#[tokio::test]
async fn a_login_is_an_event_and_opens_relaying() {
    let done = talk(&contact(), &[
        b"EHLO x\r\nAUTH LOGIN\r\nZGVwbG95\r\nd3Jvbmc=\r\nAUTH PLAIN AGRlcGxveQBTdW1tZXIyMDI0\r\nMAIL FROM:<s@p.am>\r\nRCPT TO:<v@ic.tim>\r\nDATA\r\n\r\nbuy\r\n.\r\n",
    ]).await;
    assert_eq!(
        inputs(&done.noted),
        ["EHLO x", "AUTH LOGIN", "AUTH PLAIN", "MAIL FROM:<s@p.am>", "RCPT TO:<v@ic.tim>", "DATA"]
    );
    let logins: Vec<_> = done
        .noted
        .iter()
        .filter_map(|kind| match kind {
            EventKind::LoginFailed { username, password, .. } => {
                Some((false, username.as_str(), password.as_str()))
            }
            EventKind::LoginSuccess { username, password, .. } => {
                Some((true, username.as_str(), password.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(logins, [(false, "deploy", "wrong"), (true, "deploy", "Summer2024")]);
    assert_eq!(messages(&done).len(), 1);
    assert!(done.text().contains("queued as"));
}

#[tokio::test]
async fn a_mail_that_breaks_off_is_remembered() {
    let done = talk(&contact(), &[MAIL, b"Subject: half\r\n\r\nan"]).await;
    assert_eq!(messages(&done), [("a@b.example", vec!["deploy", "postmaster"], "half", 19, true)]);
    assert!(!done.text().contains("queued"));
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_and_kept_in_part() {
    let mut contact = contact();
    contact.limits.upload_bytes = 5000;
    let done = talk(&contact, &[MAIL, &[b'x'; 30_000], &[b'\n'; 10], b"\r\n.\r\nNOOP\r\n"]).await;
    assert!(
        done.text().ends_with("552 5.3.4 Error: message file too big\r\n250 2.0.0 Ok\r\n"),
        "{}",
        done.text()
    );
    assert_eq!(done.kept[0].1.len(), 5000);
    assert!(done.noted.iter().any(|kind| matches!(kind, EventKind::LimitHit { .. })));
}

#[tokio::test]
async fn tls_begins_with_nothing_of_the_clear_text_left() {
    let done =
        talk(&contact(), &[b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@x>\r\n", b"EHLO y\r\nSTARTTLS\r\n"]).await;
    assert_eq!(done.tls, 1);
    let said = done.text();
    let (_, after) = said.split_once("Ready to start TLS\r\n").unwrap();
    assert!(!after.contains("STARTTLS") && !after.contains("2.1.0"), "{after}");
    assert!(after.ends_with("554 5.5.1 Error: TLS already active\r\n"));
}

#[tokio::test]
async fn a_browser_is_sent_away_and_every_line_of_it_noted() {
    let done = talk(&contact(), &[b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]).await;
    assert!(done.text().ends_with("221 2.7.0 Error: I can break rules, too. Goodbye.\r\n"));
    assert_eq!(inputs(&done.noted), ["GET / HTTP/1.1", "Host: x", ""]);
}

#[tokio::test]
async fn a_banner_may_be_given_and_names_the_host() {
    let mut smtp = Smtp::new(contact()).with_banner("220 mail.example.com ESMTP Postfix (Ubuntu)");
    let done = visit(&mut smtp, &[b"HELO x\r\n"]).await;
    assert_eq!(done.text(), "220 mail.example.com ESMTP Postfix (Ubuntu)\r\n250 mail.example.com\r\n");
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let verbs = prop::sample::select(vec![
        "EHLO",
        "MAIL FROM:<a@b>",
        "MAIL FROM:",
        "RCPT TO:<root>",
        "RCPT TO:<",
        "DATA",
        "BDAT 3",
        "BDAT 5 LAST",
        "VRFY",
        "AUTH PLAIN",
        "AUTH LOGIN",
        "RSET",
        ".",
        "STARTTLS",
        "ETRN",
        "X",
    ]);
    prop_oneof![
        3 => (verbs, "[ -~]{0,8}").prop_map(|(verb, tail)| format!("{verb} {tail}").trim_end().as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..30),
    ]
}

#[tokio::test]
async fn one_who_is_named_often_gets_one_copy() {
    let contact = contact();
    let recipients = "RCPT TO:<root>\r\n".repeat(400) + "RCPT TO:<deploy>\r\n";
    let mail =
        format!("HELO x\r\nMAIL FROM:<a@b.example>\r\n{recipients}DATA\r\n{}.\r\n", "\r\n".repeat(20_000));
    let done = talk(&contact, &[mail.as_bytes()]).await;
    assert!(done.text().contains("queued as"));
    for user in ["root", "deploy"] {
        let mailbox = contact.visitor.files().read(&format!("/var/mail/{user}")).unwrap();
        assert!(mailbox.starts_with(b"From a@b.example"));
        assert!((20_000..21_000).contains(&mailbox.len()), "{}", mailbox.len());
    }
}

#[tokio::test]
async fn lines_behind_starttls_are_noted_and_not_run() {
    let done = talk(&contact(), &[b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b.example>\r\nQU"]).await;
    assert_eq!(inputs(&done.noted), ["EHLO x", "STARTTLS", "MAIL FROM:<a@b.example>", "QU"]);
    assert!(done.text().ends_with("220 2.0.0 Ready to start TLS\r\n"), "{}", done.text());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_in_any_pieces_give_the_same_answers(lines in proptest::collection::vec(any_line(), 0..14), piece in 1usize..40) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let input: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect();
        // What came with STARTTLS in one write is thrown away, so there cutting does matter.
        prop_assume!(!input.to_ascii_uppercase().windows(8).any(|part| part == b"STARTTLS"));
        let pieces: Vec<&[u8]> = input.chunks(piece).collect();
        let whole = runtime.block_on(talk(&contact(), &[&input]));
        let cut = runtime.block_on(talk(&contact(), &pieces));
        let without_ids = |text: String| text.split("queued as").map(|part| part.chars().skip(11).collect::<String>()).collect::<Vec<_>>();
        prop_assert_eq!(without_ids(whole.text()), without_ids(cut.text()));
    }
}

#[tokio::test]
async fn mails_under_way_share_one_memory() {
    let contact = crowded();
    let text = [
        &b"Subject: long\r\n\r\n"[..],
        &b"0123456789012345678901234567890123456789\r\n".repeat(500),
        b".\r\n",
    ];
    let done = talk(&contact, &[MAIL, &text.concat(), b"NOOP\r\n"]).await;
    assert!(
        done.text().contains("451 4.3.0 Error: queue file write error\r\n250 2.0.0 Ok\r\n"),
        "{}",
        done.text()
    );
    assert_eq!(starvations(&done.noted), 1);
    assert!(
        messages(&done)[0].4 && done.kept[0].1.len() <= 16 * 1024,
        "what there was room for is kept, as cut"
    );
    assert_eq!(contact.visitor.uploads().taken(), 0);
    // While others hold it all, no mail is begun.
    let mut other = Holding::new(contact.visitor.uploads());
    assert!(other.reach(8 * 1024));
    let done = talk(&contact, &[b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n"]).await;
    assert!(done.text().ends_with("452 4.3.1 Insufficient system storage\r\n"), "{}", done.text());
    assert_eq!(starvations(&done.noted), 1);
}
