//! A bucket as an SSH client meets it: programs, files, and visitors who try to stay for ever.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, LazyLock, mpsc},
    time::Duration,
};

use russh::{
    ChannelMsg, Disconnect, Preferred,
    client::{self, Handle, Msg},
    kex,
    keys::PublicKeyOrCertificate,
};
use russh_sftp::{
    client::{RawSftpSession, SftpSession},
    protocol::{FileAttributes, OpenFlags},
};
use sensor::{
    birth::Birth,
    bucket::{self, Ports},
    config::Config,
};
use tokio_util::sync::CancellationToken;
use wire::UpdateBucketAnswer;

/// Generous: tests wait for what must happen, never for time to pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// One bucket for all tests: its host keys take a while to make.
static BUCKET: LazyLock<Bucket> = LazyLock::new(Bucket::start);

struct Bucket {
    ssh: SocketAddr,
    management: SocketAddr,
    token: String,
}

impl Bucket {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ssh");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        let (state, logs) = (folder.join("state"), folder.join("logs"));
        let text = format!(
            r#"
[general]
log_directory = "{}"
state_directory = "{}"
listen_address = "127.0.0.1"
[ports]
ssh = {{ port = 0 }}
telnet = {{ enabled = false }}
ftp = {{ enabled = false }}
smtp = {{ enabled = false }}
http = {{ enabled = false }}
[logins]
always = ["root:open"]
[chat]
providers = []
[management]
listen_address = "127.0.0.1"
port = 0
[limits]
per_second = 1000
"#,
            logs.display(),
            state.display(),
        );
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            // The shell recurses as deep as the program's own threads allow.
            let runtime =
                tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(64 << 20).build();
            runtime.unwrap().block_on(async move {
                let config = Config::read("Config.toml", &text, []).unwrap();
                let birth = Birth::open(&state, &folder).unwrap();
                let ports = Ports::bind(&config).unwrap();
                let ssh = ports.traps().find(|(name, _)| *name == "ssh").unwrap().1.unwrap();
                let management = ports.management().unwrap();
                tell.send(Self { ssh, management, token: birth.token.reveal().to_owned() }).unwrap();
                bucket::serve(config, birth, ports, CancellationToken::new()).await.unwrap();
            });
        });
        told.recv().unwrap()
    }

    /// Open connections, as the registry is told.
    async fn connections(&self) -> usize {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let client =
            reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
        let request =
            client.get(format!("https://{}/update_bucket", self.management)).bearer_auth(&self.token);
        let answer: UpdateBucketAnswer = request.send().await.unwrap().json().await.unwrap();
        answer.updates[0].connections.parse().unwrap()
    }

    async fn until_empty(&self) {
        tokio::time::timeout(PATIENCE, async {
            while self.connections().await > 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
        .expect("every connection's place is given back");
    }
}

struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;
    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

async fn log_in(config: client::Config) -> Handle<Trusting> {
    let mut client = client::connect(Arc::new(config), BUCKET.ssh, Trusting).await.unwrap();
    assert!(client.authenticate_password("root", "open").await.unwrap().success());
    client
}

async fn leave(client: Handle<Trusting>) {
    client.disconnect(Disconnect::ByApplication, "", "").await.unwrap();
}

/// What a program says until its channel closes, and its exit status.
async fn listen(channel: &mut russh::Channel<Msg>) -> (String, Option<u32>) {
    let (mut said, mut status) = (Vec::new(), None);
    let listening = async {
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => said.extend_from_slice(&data),
                ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, listening).await.expect("the program ends");
    (String::from_utf8(said).unwrap(), status)
}

#[tokio::test]
async fn data_where_no_program_runs_does_not_hold_the_connection() {
    let client = log_in(client::Config::default()).await;
    let channel = client.channel_open_session().await.unwrap();
    for _ in 0..100 {
        channel.data(&b"x"[..]).await.unwrap();
        channel.set_env(false, "LANG", "C").await.unwrap();
    }
    leave(client).await;
    BUCKET.until_empty().await;
}

#[tokio::test]
async fn a_closed_window_does_not_hold_the_connection() {
    let client = log_in(client::Config { window_size: 0, ..client::Config::default() }).await;
    let exec = client.channel_open_session().await.unwrap();
    exec.exec(true, "ls /nowhere; cat /etc/passwd").await.unwrap();
    let sftp = client.channel_open_session().await.unwrap();
    sftp.request_subsystem(true, "sftp").await.unwrap();
    // SSH_FXP_INIT, version 3.
    sftp.data(&[0, 0, 0, 5, 1, 0, 0, 0, 3][..]).await.unwrap();
    leave(client).await;
    BUCKET.until_empty().await;
}

#[tokio::test]
async fn a_program_reads_what_was_sent_early_and_late() {
    let client = log_in(client::Config::default()).await;
    let mut channel = client.channel_open_session().await.unwrap();
    channel.data(&b"early\n"[..]).await.unwrap();
    channel.exec(true, "cat").await.unwrap();
    channel.data(&b"late\n"[..]).await.unwrap();
    channel.eof().await.unwrap();
    assert_eq!(listen(&mut channel).await, ("early\nlate\n".to_owned(), Some(0)));
    leave(client).await;
}

#[tokio::test]
async fn a_shell_has_one_terminal() {
    let client = log_in(client::Config::default()).await;
    let mut channel = client.channel_open_session().await.unwrap();
    for granted in [true, false] {
        channel.request_pty(true, "xterm", 80, 24, 0, 0, &[]).await.unwrap();
        let answer = channel.wait().await;
        assert_eq!(matches!(answer, Some(ChannelMsg::Success)), granted, "{answer:?}");
    }
    channel.request_shell(true).await.unwrap();
    channel.data(&b"echo $((6*7))-$TERM\rexit 3\r"[..]).await.unwrap();
    let (said, status) = listen(&mut channel).await;
    assert!(said.contains("42-xterm\r\n"), "{said:?}");
    assert_eq!(status, Some(3));
    leave(client).await;
}

async fn sftp_channel(client: &Handle<Trusting>) -> russh::Channel<Msg> {
    let channel = client.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    channel
}

#[tokio::test]
async fn files_come_and_go_over_sftp() {
    let client = log_in(client::Config::default()).await;
    let sftp = SftpSession::new(sftp_channel(&client).await.into_stream()).await.unwrap();
    let bytes: Vec<u8> = (0..300_000u32).map(|number| (number % 251) as u8).collect();
    let mut file = sftp.create("/tmp/brought").await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut file, &bytes).await.unwrap();
    tokio::io::AsyncWriteExt::shutdown(&mut file).await.unwrap();
    assert_eq!(sftp.read("/tmp/brought").await.unwrap(), bytes);
    let mut exec = client.channel_open_session().await.unwrap();
    exec.exec(true, "wc -c < /tmp/brought").await.unwrap();
    assert_eq!(listen(&mut exec).await.0.trim(), "300000");
    leave(client).await;
}

#[tokio::test]
async fn sftp_holes_are_refused() {
    let client = log_in(client::Config::default()).await;
    let sftp = RawSftpSession::new(sftp_channel(&client).await.into_stream());
    sftp.init().await.unwrap();
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let handle = sftp.open("/tmp/hole", flags, FileAttributes::empty()).await.unwrap().handle;
    assert!(sftp.write(&handle, (16 << 20) - 1, vec![1]).await.is_err());
    sftp.write(&handle, 0, vec![1; 10]).await.unwrap();
    sftp.close(&handle).await.unwrap();
    assert_eq!(sftp.stat("/tmp/hole").await.unwrap().attrs.size, Some(10));
    leave(client).await;
}

#[tokio::test]
async fn an_sftp_length_that_no_packet_has_ends_the_channel() {
    let client = log_in(client::Config::default()).await;
    let mut channel = sftp_channel(&client).await;
    channel.data(&[0xff; 64][..]).await.unwrap();
    assert_eq!(listen(&mut channel).await.0, "");
    leave(client).await;
}

#[tokio::test]
async fn costly_key_exchanges_take_turns() {
    let visits = [kex::DH_G14_SHA256, kex::DH_GEX_SHA256, kex::DH_G14_SHA256].map(|name| {
        tokio::spawn(async move {
            let preferred = Preferred { kex: vec![name].into(), ..Preferred::default() };
            let client = log_in(client::Config { preferred, ..client::Config::default() }).await;
            let mut channel = client.channel_open_session().await.unwrap();
            channel.exec(true, "echo here").await.unwrap();
            assert_eq!(listen(&mut channel).await, ("here\n".to_owned(), Some(0)));
            leave(client).await;
        })
    });
    for visit in visits {
        visit.await.unwrap();
    }
}

/// What sshd answered before the keys (`transcripts/ssh.txt`, recorded by the decoy's `record.py`).
#[tokio::test]
async fn what_breaks_the_rules_before_the_keys_is_answered_as_by_sshd() {
    let text =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/ssh.txt")).unwrap();
    let text: String = text.into_iter().map(char::from).collect();
    let mut probes = 0;
    for probe in text.split("@ probe ").skip(1) {
        let (name, lines) = probe.split_once('\n').unwrap();
        let marked = |mark| lines.lines().filter_map(move |line: &str| line.strip_prefix(mark));
        let pieces: Vec<Vec<u8>> = marked("C: ").map(unescape).collect();
        let closes = marked("S: ").any(|line| line == "closed");
        let told = ["Invalid SSH", "Protocol major", "DISCONNECT 2 "];
        let words = marked("S: ").find_map(|line| {
            let begin = told.iter().find(|begin| line.starts_with(**begin))?;
            let line = if begin.starts_with("DIS") { &line[begin.len()..line.len() - 9] } else { line };
            Some(line.split("\\r").next().unwrap().to_owned())
        });
        // What is still unread when a connection is closed takes the last words with it; and our library takes the
        // number two for a public value.
        let odd = pieces.iter().any(|piece| piece.len() > 8192) || name == "init group14 two";
        if odd || !closes {
            continue;
        }
        probes += 1;
        let mut stream = tokio::net::TcpStream::connect(BUCKET.ssh).await.unwrap();
        let mut heard = Vec::new();
        for piece in pieces {
            // The other end may have closed already.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &piece).await;
        }
        let reading = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut heard);
        // A reset is an end, too.
        let _ =
            tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("{name}: not closed"));
        let heard = String::from_utf8_lossy(&heard);
        if let Some(words) = words {
            assert!(heard.contains(&words), "{name}: no {words:?} in {heard:?}");
        }
    }
    assert!(probes > 80, "{probes} probes");
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut letters = text.bytes();
    while let Some(letter) = letters.next() {
        out.push(match (letter, letter == b'\\') {
            (letter, false) => letter,
            _ => match letters.next().unwrap() {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'x' => {
                    let digits = [letters.next().unwrap(), letters.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            },
        });
    }
    out
}
