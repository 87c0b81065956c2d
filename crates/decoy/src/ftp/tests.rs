//! FTP beyond the transcripts: events, artifacts, limits, and input that nobody means.

use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;
use crate::{
    machine::files::Owner,
    memory::Parcel,
    testing::{Done, contact, crowded, inputs, starvations, visit},
};

/// Data connections without a network.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<WireState>>);

#[derive(Default)]
struct WireState {
    upload: Option<Bytes>,
    sent: Vec<u8>,
    broken: bool,
}

#[async_trait]
impl DataConnections for Wire {
    async fn listen(&mut self) -> Option<u16> {
        Some(50_000)
    }
    async fn accept(&mut self) -> Result<(), DataFault> {
        if self.0.lock().broken { Err(DataFault::NotConnected) } else { Ok(()) }
    }
    async fn send(&mut self, bytes: Bytes) -> Result<(), DataFault> {
        self.0.lock().sent.extend_from_slice(&bytes);
        Ok(())
    }
    async fn receive(&mut self, limit: usize, mut parcel: Parcel) -> Result<Received, DataFault> {
        let bytes = self.0.lock().upload.take().ok_or(DataFault::Broken)?;
        let starved = !parcel.add(&bytes[..bytes.len().min(limit)]);
        Ok(Received { truncated: bytes.len() > limit, bytes: parcel.into_bytes(), starved })
    }
    fn close(&mut self) {}
}

const LOGIN: &[u8] = b"USER deploy\r\nPASS Summer2024\r\n";

async fn talk(contact: &Contact, wire: &Wire, pieces: &[&[u8]]) -> Done {
    visit(&mut Ftp::new(contact.clone(), Box::new(wire.clone())), pieces).await
}

#[tokio::test]
async fn an_upload_is_kept_noted_and_on_the_machine() {
    let (contact, wire) = (contact(), Wire::default());
    wire.0.lock().upload = Some(Bytes::from_static(b"\x7fELF bot"));
    let done =
        talk(&contact, &wire, &[LOGIN, b"TYPE I\r\nPASV\r\nSTOR /tmp/bot\r\nSITE CHMOD 755 /tmp/bot\r\n"])
            .await;
    let (shasum, bytes) = done.kept.first().expect("no artifact");
    assert_eq!(bytes, b"\x7fELF bot");
    let upload = done.noted.iter().find_map(|kind| match kind {
        EventKind::FileUpload { filename, shasum, outfile, destfile, size, truncated: false, .. } => {
            Some((filename.as_str(), shasum, outfile.as_str(), destfile.as_str(), *size))
        }
        _ => None,
    });
    assert_eq!(upload, Some(("/tmp/bot", shasum, format!("artifacts/{shasum}").as_str(), "/tmp/bot", 8)));
    assert!(done.noted.iter().any(|kind| matches!(kind,
        EventKind::FtpData { command, direction, size: 8, mode, failed: false, .. }
            if command == "STOR" && direction == "upload" && mode == "PASV")));
    let files = contact.visitor.files();
    assert_eq!(&files.read("/tmp/bot").unwrap()[..], b"\x7fELF bot");
    let node = files.stat("/tmp/bot").unwrap();
    assert_eq!((node.uid, node.mode & 0o777), (1000, 0o755));
}

#[tokio::test]
async fn an_upload_over_the_limit_is_cut_and_said_to_be() {
    let (mut contact, wire) = (contact(), Wire::default());
    contact.limits.upload_bytes = 100;
    wire.0.lock().upload = Some(Bytes::from(vec![b'x'; 1000]));
    let done = talk(&contact, &wire, &[LOGIN, b"PASV\r\nSTOR big\r\n"]).await;
    assert_eq!(done.kept[0].1.len(), 100);
    assert!(
        done.noted
            .iter()
            .any(|kind| matches!(kind, EventKind::FileUpload { truncated: true, size: 100, .. }))
    );
    assert!(done.noted.iter().any(|kind| matches!(kind, EventKind::LimitHit { .. })));
}

#[tokio::test]
async fn logins_are_events_and_their_lines_are_not() {
    let done = talk(&contact(), &Wire::default(), &[
        b"USER lonely\r\nUSER root\r\nPASS guess\r\nNOOP\r\nUSER deploy\r\nPASS Summer2024\r\nPWD\r\nUSER left\r\n",
        b"QUI",
    ]).await;
    assert_eq!(inputs(&done.noted), ["USER lonely", "NOOP", "PWD", "USER left", "QUI"]);
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
    assert_eq!(logins, [(false, "root", "guess"), (true, "deploy", "Summer2024")]);
    let least = FAILED_LOGIN_PAUSE + crate::pam::UNIX / 2;
    assert!((least..=least + crate::pam::UNIX).contains(&done.pauses), "{:?}", done.pauses);
}

#[tokio::test]
async fn restart_reads_and_writes_from_the_middle() {
    let (contact, wire) = (contact(), Wire::default());
    let owner = Owner { uid: 1000, gid: 1000 };
    contact.visitor.files().write("/tmp/f", b"0123456789", &owner, 0o644).unwrap();
    wire.0.lock().upload = Some(Bytes::from_static(b"AB"));
    let done = talk(
        &contact,
        &wire,
        &[LOGIN, b"TYPE I\r\nREST 4\r\nPASV\r\nSTOR /tmp/f\r\nREST 8\r\nPASV\r\nRETR /tmp/f\r\n"],
    )
    .await;
    assert!(done.text().contains("226 Transfer complete."));
    assert_eq!(&contact.visitor.files().read("/tmp/f").unwrap()[..], b"0123AB6789");
    assert_eq!(wire.0.lock().sent, b"89");
    let huge =
        talk(&contact, &wire, &[LOGIN, b"TYPE I\r\nREST 999999999999\r\nPASV\r\nRETR /tmp/f\r\n"]).await;
    assert!(huge.text().contains("(10 bytes)"));
}

#[tokio::test]
async fn a_transfer_nobody_connects_for_fails_as_it_does() {
    let (contact, wire) = (contact(), Wire::default());
    wire.0.lock().broken = true;
    let done =
        talk(&contact, &wire, &[LOGIN, b"PASV\r\nLIST\r\nPORT 198,51,100,7,200,1\r\nLIST\r\nLIST\r\n"]).await;
    let said = done.text();
    assert!(
        said.ends_with(
            "425 Failed to establish connection.\r\n200 PORT command successful. Consider using PASV.\r\n\
         425 Failed to establish connection.\r\n425 Use PORT or PASV first.\r\n"
        ),
        "{said}"
    );
}

#[tokio::test]
async fn a_line_that_never_ends_ends_the_connection() {
    let mut ftp = Ftp::new(contact(), Box::new(Wire::default()));
    let stage = Stage::new();
    ftp.open(&stage).await;
    for _ in 0..300 {
        ftp.hear(&[b'A'; 1000], &stage).await;
    }
    let done = Done::take(&stage);
    assert!(done.text().ends_with("500 Input line too long.\r\n"));
    assert_eq!(done.hung_up, Some(0));
    assert_eq!(done.noted.iter().filter(|kind| matches!(kind, EventKind::LimitHit { .. })).count(), 1);
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let verbs = prop::sample::select(vec![
        "USER deploy",
        "PASS Summer2024",
        "CWD",
        "LIST -la",
        "PASV",
        "PORT 1,2,3,4,5,6",
        "EPRT |1|",
        "REST",
        "RETR",
        "STOR x",
        "MKD",
        "RNFR x",
        "RNTO",
        "SITE CHMOD",
        "MDTM 20230101000000",
        "STAT",
        "TYPE",
        "SIZE",
        "EPSV",
    ]);
    prop_oneof![
        (verbs, proptest::collection::vec(any::<u8>(), 0..12)).prop_map(|(verb, tail)| [
            verb.as_bytes(),
            b" ",
            &tail
        ]
        .concat()),
        proptest::collection::vec(any::<u8>(), 0..30),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_in_any_pieces_give_the_same_answers(lines in proptest::collection::vec(any_line(), 0..12), piece in 1usize..40) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut input = LOGIN.to_vec();
        lines.iter().for_each(|line| input.extend_from_slice(&[line, &b"\r\n"[..]].concat()));
        let pieces: Vec<&[u8]> = input.chunks(piece).collect();
        let whole = runtime.block_on(talk(&contact(), &Wire::default(), &[&input]));
        let cut = runtime.block_on(talk(&contact(), &Wire::default(), &pieces));
        prop_assert_eq!(whole.text(), cut.text());
        prop_assert_eq!(inputs(&whole.noted), inputs(&cut.noted));
    }
}

#[tokio::test]
async fn files_under_way_share_one_memory() {
    let (contact, wire) = (crowded(), Wire::default());
    wire.0.lock().upload = Some(Bytes::from(vec![b'x'; 20_000]));
    let done = talk(&contact, &wire, &[LOGIN, b"PASV\r\nSTOR big\r\nNOOP\r\n"]).await;
    assert!(
        done.text().contains("426 Failure writing to local file.\r\n200 NOOP ok.\r\n"),
        "{}",
        done.text()
    );
    assert_eq!(starvations(&done.noted), 1);
    assert_eq!(contact.visitor.uploads().taken(), 0);
}
