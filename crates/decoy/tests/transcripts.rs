//! Replays transcripts of the real daemons against the dialogues: what is said must be the same, byte for byte, but
//! for the masked words (`transcripts/README.md`).
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test that cannot go on should fail

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use decoy::{
    Contact, Dialogue, Ftp, Http, Limits, Machine, NoOracle, Smtp, Stage, Telnet, Turn,
    ftp::{DataConnections, DataFault, Received},
    machine::{Clock, Identity, LoginPolicy, files::Owner},
};
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// What goes over data connections: uploads prepared by the test, and what the dialogue sent.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<(Bytes, Vec<u8>)>>);

#[async_trait]
impl DataConnections for Wire {
    async fn listen(&mut self) -> Option<u16> {
        Some(40_321)
    }
    async fn send(&mut self, bytes: Bytes) -> Result<(), DataFault> {
        self.0.lock().1.extend_from_slice(&bytes);
        Ok(())
    }
    async fn receive(
        &mut self,
        _limit: usize,
        _parcel: decoy::memory::Parcel,
    ) -> Result<Received, DataFault> {
        Ok(Received { bytes: std::mem::take(&mut self.0.lock().0), truncated: false, starved: false })
    }
    fn close(&mut self) {}
}

/// The machine that `record.py` prepares.
fn contact() -> Contact {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let name = Some("web01.lindqvist.example".to_owned());
    let identity = Identity::draw(b"transcripts", now, name, Some(vec!["deploy".to_owned()]));
    let always = vec![("deploy".to_owned(), "Summer2024".to_owned())];
    let policy = LoginPolicy { always, fewest_tries: 99, most_tries: 99, secret: 1 };
    let machine = Machine::new(identity, policy, Clock::fixed(now), Default::default());
    let peer = "127.0.0.1:40000".parse().unwrap();
    let visitor = machine.visit("127.0.0.1".parse().unwrap());
    prepare(&visitor);
    Contact {
        visitor,
        oracle: Arc::new(NoOracle),
        local: "127.0.0.1:8123".parse().unwrap(),
        peer,
        limits: Limits::default(),
    }
}

fn prepare(visitor: &decoy::Visitor) {
    let files = visitor.files();
    let when = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_678_785_993));
    let user = Owner { uid: 1000, gid: 1000 };
    let home = "/home/deploy";
    files.remove_all(home).unwrap();
    files.make_dir_all(home, &user, 0o755).unwrap();
    files.make_dir(&format!("{home}/backup"), &user, 0o755).unwrap();
    files.write(&format!("{home}/notes.txt"), b"first\nsecond\n\n", &user, 0o644).unwrap();
    files.write(&format!("{home}/backup/site.tar"), &[0; 2048], &user, 0o644).unwrap();
    let web = "/var/www/html";
    for entry in files.list(web).unwrap() {
        if entry.name != "index.nginx-debian.html" {
            files.remove_all(&format!("{web}/{}", entry.name)).unwrap();
        }
    }
    let logo: Vec<u8> = (0..=255).cycle().take(1024).collect();
    for (name, bytes) in [
        ("style.css", &b"body { margin: 0 }\n"[..]),
        ("img/logo.png", &logo),
        ("docs/index.html", b"<h1>docs</h1>\n"),
        ("a b.txt", b"spaced\n"),
    ] {
        let path = format!("{web}/{name}");
        files.make_dir_all(path.rsplit_once('/').unwrap().0, &Owner::ROOT, 0o755).unwrap();
        files.write(&path, bytes, &Owner::ROOT, 0o644).unwrap();
    }
    for path in ["/home/deploy", "/var/www/html"] {
        age(files, path, when);
    }
}

fn age(files: &decoy::machine::Files, path: &str, when: Option<SystemTime>) {
    if files.is_dir(path) {
        for entry in files.list(path).unwrap() {
            age(files, &format!("{path}/{}", entry.name), when);
        }
    }
    files.set_times(path, when, when).unwrap();
}

/// One line of a transcript.
enum Step {
    Send(Vec<u8>),
    Upload(Vec<u8>),
    Said(Vec<u8>),
    Data(Vec<u8>),
    Closed,
    /// A new connection.
    Again,
}

fn steps(text: &str) -> Vec<Step> {
    let mut held = Vec::new();
    let mut steps = Vec::new();
    for line in text.lines() {
        if line == "@ again" {
            steps.push(Step::Again);
        }
        let Some((mark, rest)) = line.split_once(':') else { continue };
        let bytes = unescape(rest.strip_prefix(' ').unwrap_or(rest));
        match mark {
            "c" => held.extend(bytes),
            "C" => steps.push(Step::Send([std::mem::take(&mut held), bytes].concat())),
            "U" => steps.push(Step::Upload(bytes)),
            "S" => steps.push(Step::Said(bytes)),
            "D" => steps.push(Step::Data(bytes)),
            "X" => steps.push(Step::Closed),
            _ => {}
        }
    }
    steps
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut letters = text.bytes();
    while let Some(letter) = letters.next() {
        if letter != b'\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'x') => {
                let digits = [letters.next().unwrap(), letters.next().unwrap()];
                out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            other => out.push(other.unwrap()),
        }
    }
    out
}

/// Whether `got` is `want`, masked words matching what they stand for.
fn is_like(want: &[u8], got: &[u8]) -> bool {
    let Some(open) = want.iter().position(|&byte| byte == b'<') else { return want == got };
    let (front, rest) = want.split_at(open);
    let Some(got) = got.strip_prefix(front) else { return false };
    let close = rest.iter().position(|&byte| byte == b'>');
    let fits: fn(u8) -> bool = match close.map(|close| &rest[1..close]) {
        Some(b"date") => |byte| byte.is_ascii_alphanumeric() || b" :,./-".contains(&byte),
        Some(b"port") => |byte| byte.is_ascii_digit() || byte == b',',
        Some(b"queue-id") => |byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte),
        Some(b"host") => {
            return got.strip_prefix(b"web01.lindqvist.example").is_some_and(|got| is_like(&rest[6..], got));
        }
        Some(b"name") => return got.strip_prefix(b"web01").is_some_and(|got| is_like(&rest[6..], got)),
        Some(b"kernel") => |byte| byte != b'\r',
        Some(b"tty" | b"peer") => |byte| byte.is_ascii_alphanumeric() || b"/.:".contains(&byte),
        Some(b"size") => |byte| byte.is_ascii_digit() || byte == b' ',
        _ => return got.first() == Some(&b'<') && is_like(&rest[1..], &got[1..]),
    };
    let rest = &rest[close.unwrap() + 1..];
    let longest = got.iter().take_while(|&&byte| fits(byte)).count();
    (1..=longest).rev().any(|length| is_like(rest, &got[length..]))
}

fn take_said(stage: &Stage, hung_up: &mut bool) -> Vec<u8> {
    let mut said = Vec::new();
    while let Some(turn) = stage.next_turn() {
        match turn {
            Turn::Say(bytes) | Turn::SayError(bytes) => said.extend_from_slice(&bytes),
            Turn::HangUp(_) => *hung_up = true,
            _ => {}
        }
    }
    said
}

/// Talks to a dialogue as the sensor does: bytes that come while it is busy are typed ahead.
struct Typist {
    stage: Stage,
    busy: Arc<AtomicBool>,
    bytes: mpsc::UnboundedSender<Vec<u8>>,
}

impl Typist {
    fn start(mut dialogue: Box<dyn Dialogue>) -> Self {
        let (stage, busy) = (Stage::new(), Arc::new(AtomicBool::new(true)));
        let (bytes, mut arrived) = mpsc::unbounded_channel::<Vec<u8>>();
        let typist = Self { stage: stage.clone(), busy: Arc::clone(&busy), bytes };
        tokio::spawn(async move {
            dialogue.open(&stage).await;
            loop {
                let typed = stage.take_typed();
                if !typed.is_empty() {
                    dialogue.hear(&typed, &stage).await;
                    continue;
                }
                busy.store(false, Ordering::SeqCst);
                let Some(bytes) = arrived.recv().await else { return };
                dialogue.hear(&bytes, &stage).await;
            }
        });
        typist
    }

    async fn send(&mut self, bytes: &[u8]) {
        if self.busy.swap(true, Ordering::SeqCst) {
            self.stage.type_ahead(bytes);
        } else {
            self.bytes.send(bytes.to_vec()).unwrap();
        }
        self.settle().await;
    }

    /// Until the dialogue is free again, or waits for keys in the middle of a program.
    async fn settle(&self) {
        for _ in 0..300 {
            if !self.busy.load(Ordering::SeqCst) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// The first difference of each connection.
async fn replay(path: &Path, make: fn(Contact, Wire) -> Box<dyn Dialogue>) -> Vec<String> {
    let mut differences = Vec::new();
    let (wire, contact) = (Wire::default(), contact());
    let text = fs::read_to_string(path).unwrap();
    // Whether the daemon that was recorded had seen this user before: the first greeting of the file tells.
    let greeting = text.split("ABSOLUTELY NO WARRANTY").nth(1).unwrap_or_default();
    let mut log = vec![0; 292 * 1001];
    if greeting.lines().take(3).any(|line| line.contains("Last login:")) {
        log[292 * 1000..][..4].copy_from_slice(&1_789_000_000u32.to_le_bytes());
        log[292 * 1000 + 4..][..5].copy_from_slice(b"pts/0");
        log[292 * 1000 + 36..][..9].copy_from_slice(b"localhost");
    }
    contact.visitor.files().write("/var/log/lastlog", &log, &Owner::ROOT, 0o664).unwrap();
    let mut steps = steps(&text).into_iter().chain([Step::Again]).peekable();
    while steps.peek().is_some() {
        let dialogue = make(contact.clone(), wire.clone());
        differences.extend(replay_visit(&mut steps, &wire, dialogue).await);
    }
    differences
}

/// Plays one connection, up to the next; after a difference nothing more of it is compared.
async fn replay_visit(
    steps: &mut impl Iterator<Item = Step>,
    wire: &Wire,
    dialogue: Box<dyn Dialogue>,
) -> Option<String> {
    let mut visitor = Typist::start(dialogue);
    let stage = visitor.stage.clone();
    let (mut hung_up, mut difference) = (false, None);
    visitor.settle().await;
    let mut said = take_said(&stage, &mut hung_up);
    let (mut wanted, mut data, mut closed, mut last) = (Vec::new(), Vec::new(), false, Vec::new());
    loop {
        let step = steps.next()?;
        let (bytes, ends) = match step {
            Step::Said(bytes) => {
                wanted.extend(bytes);
                continue;
            }
            Step::Data(bytes) => {
                data.extend(bytes);
                continue;
            }
            Step::Closed => {
                closed = true;
                continue;
            }
            Step::Upload(bytes) => {
                wire.0.lock().0 = bytes.into();
                continue;
            }
            Step::Send(bytes) => (bytes, false),
            Step::Again => (Vec::new(), true),
        };
        let came = std::mem::take(&mut wire.0.lock().1);
        let show = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\n", "\\n\n    ");
        let line = show(&last);
        let pairs = [("after", &wanted, &said), ("data of", &data, &came)];
        for (what, wanted, got) in pairs {
            if difference.is_none() && !is_like(wanted, got) {
                let (wanted, got) = (show(wanted), show(got));
                difference = Some(format!("{what} {line}\n  wanted\n    {wanted}\n  got\n    {got}"));
            }
        }
        if difference.is_none() && closed != hung_up {
            difference = Some(format!("after {line}: closed {hung_up}, the real one {closed}"));
        }
        if ends {
            return difference;
        }
        wanted.clear();
        data.clear();
        last = bytes;
        if difference.is_none() {
            visitor.send(&last).await;
            said = take_said(&stage, &mut hung_up);
        }
    }
}

async fn replay_all(protocol: &str, make: fn(Contact, Wire) -> Box<dyn Dialogue>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(protocol);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut differences = Vec::new();
    for path in &paths {
        for difference in replay(path, make).await {
            differences.push(format!("{}\n{difference}", path.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(
        differences.is_empty(),
        "{} visits of {} transcripts differ:\n{}",
        differences.len(),
        paths.len(),
        differences.join("\n\n")
    );
}

#[tokio::test]
async fn ftp_answers_as_vsftpd() {
    replay_all("ftp", |contact, wire| Box::new(Ftp::new(contact, Box::new(wire)))).await;
}

#[tokio::test]
async fn smtp_answers_as_postfix() {
    replay_all("smtp", |contact, _| Box::new(Smtp::new(contact))).await;
}

#[tokio::test]
async fn http_answers_as_nginx() {
    replay_all("http", |contact, _| Box::new(Http::new(contact))).await;
}

#[tokio::test]
async fn telnet_answers_as_inetutils() {
    replay_all("telnet", |contact, _| Box::new(Telnet::new(contact))).await;
}

#[test]
fn masks_match_what_they_stand_for_and_nothing_else() {
    assert!(is_like(b"a <port>.", b"a 1,2."));
    assert!(!is_like(b"a <port>.", b"a x."));
    assert!(is_like(b"<html> <date>!", b"<html> Tue, 1!"));
    assert!(!is_like(b"<html>", b"<xml>"));
    assert!(!is_like(b"abc", b"abd"));
}
