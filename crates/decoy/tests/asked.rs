//! Where the oracle is asked beyond programs, files and pages: directories nobody looked into, FTP verbs and mail for scripts; and
//! how an answer comes to a terminal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may fail loudly

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use decoy::{
    Answer, Ask, Clock, Contact, Dialogue, Ftp, Limits, Machine, NoOracle, Oracle, Question, Smtp, Stage,
    ftp::{DataConnections, DataFault, Received},
    machine::{Identity, LoginPolicy},
    memory::Parcel,
    shell::{Input, Launch, Output, Shell},
};
use parking_lot::Mutex;

const LISTING: &str =
    "-rw-r--r-- 1 root root 400 Sep 20 03:00 dump.sql\ndrwxr-xr-x 2 root root 4096 Sep  1 03:00 old\n";

/// Speaks for the directory, the file in it, the verb and the program; remembers what it was asked.
#[derive(Default)]
struct Model(Mutex<Vec<Ask>>);

#[async_trait]
impl Oracle for Model {
    async fn ask(&self, question: Question) -> Answer {
        self.0.lock().push(question.what.clone());
        let text = match question.what {
            Ask::Directory { path } if path == "/srv/backups" => LISTING.to_owned(),
            Ask::File { path, .. } if path == "/srv/backups/dump.sql" => "-- MariaDB dump\n".to_owned(),
            Ask::Verb { script, given, .. } if script == "SITE DEPLOY" => {
                format!("fetching\ndeployed {given}\n")
            }
            Ask::Verb { script, .. } if script == "/usr/local/bin/tickets" => {
                "Your ticket is #4711.\n".to_owned()
            }
            Ask::Program { words, .. } if words[0] == "docker" => {
                (0..60).map(|n| format!("row {n}\n")).collect()
            }
            _ => return Answer { text: question.otherwise, invented: false },
        };
        Answer { text: text.into(), invented: true }
    }
}

fn contact(oracle: Arc<dyn Oracle>) -> Contact {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let mut identity =
        Identity::draw(b"asked", now, Some("web01.example".into()), Some(vec!["deploy".into()]));
    identity.directories = vec!["/srv/backups".into()];
    identity.programs = vec!["docker".into()];
    identity.site_verbs = vec!["DEPLOY".into()];
    identity.piped_mail = vec!["tickets".into()];
    let always = ["deploy", "root"].map(|user| (user.to_owned(), "Summer2024".to_owned())).to_vec();
    let policy = LoginPolicy { always, fewest_tries: 9, most_tries: 9, secret: 1 };
    let machine = Machine::new(identity, policy, Clock::fixed(now), Default::default());
    let peer: SocketAddr = "198.51.100.7:40000".parse().unwrap();
    let local = "203.0.113.5:21".parse().unwrap();
    Contact { visitor: machine.visit(peer.ip()), oracle, local, peer, limits: Limits::default() }
}

/// What each line shows, in the pieces it came in.
async fn pieces(contact: &Contact, tty: Option<&str>, lines: &[&str]) -> Vec<Vec<String>> {
    let account = contact.visitor.identity().account("root").unwrap().clone();
    let (tty, notes) = (tty.map(str::to_owned), Arc::new(|_| {}));
    let mut shell =
        Shell::new(contact, Launch { account, login: true, tty, env: vec![], window: (80, 24), notes });
    let mut shown = Vec::new();
    for line in lines {
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&text);
        let output: Output =
            Arc::new(move |_, bytes: &[u8]| sink.lock().push(String::from_utf8_lossy(bytes).into_owned()));
        let input = Input::default();
        input.end();
        shell.run(line, &output, &input).await;
        shown.push(std::mem::take(&mut *text.lock()));
    }
    shown
}

async fn run(contact: &Contact, lines: &[&str]) -> Vec<String> {
    pieces(contact, None, lines).await.iter().map(|pieces| pieces.concat()).collect()
}

#[tokio::test]
async fn an_answer_comes_to_a_terminal_line_by_line() {
    let contact = contact(Arc::new(Model::default()));
    let lines =
        ["docker stats --no-stream", "docker stats --no-stream | tail -1", "x=$(docker stats); echo ${#x}"];
    let shown = pieces(&contact, Some("pts/0"), &lines).await;
    assert!(shown[0].len() >= 20, "as a program at work prints it: {:?}", shown[0]);
    assert_eq!(shown[0].concat().lines().count(), 60);
    assert_eq!(shown[1].concat(), "row 59\n");
    assert_eq!(shown[2].concat(), "409\n");
    let whole = pieces(&contact, None, &lines[..1]).await;
    assert!(whole[0].len() < 5, "without a terminal nobody watches: {:?}", whole[0]);
}

#[tokio::test]
async fn every_way_into_a_directory_shows_the_same() {
    for line in [
        "ls /srv/backups",
        "cd /srv; ls backups",
        "cd /srv/backups && ls",
        "echo /srv/backups/* | sed 's/[^ ]*[/]//g' | tr ' ' '\\n'",
        "for f in $(ls /srv/backups); do echo $f; done",
        "find /srv -mindepth 2 | sort | sed 's/.*[/]//'",
    ] {
        let model = Arc::new(Model::default());
        let contact = contact(model.clone());
        assert_eq!(run(&contact, &[line]).await, ["dump.sql\nold\n"], "{line}");
        let wanted = Ask::Directory { path: "/srv/backups".into() };
        assert_eq!(model.0.lock().as_slice(), [wanted], "{line}");
    }
    let model = Arc::new(Model::default());
    let contact = contact(model.clone());
    let shown = run(
        &contact,
        &[
            "ls -la /",
            "cat /etc/hostname",
            "stat -c %s /srv/backups/dump.sql",
            "head -1 /srv/backups/dump.sql",
        ],
    )
    .await;
    assert_eq!(shown[2..], ["400\n", "-- MariaDB dump\n"]);
    assert_eq!(model.0.lock().len(), 2, "the directory when it was come near, the file when it was read");
}

#[tokio::test]
async fn without_a_model_the_directory_is_empty_and_stays_so() {
    let mut contact = contact(Arc::new(NoOracle));
    assert_eq!(run(&contact, &["ls /srv/backups", "ls -d /srv/backups"]).await, ["", "/srv/backups\n"]);
    contact.oracle = Arc::new(Model::default());
    assert_eq!(run(&contact, &["ls /srv/backups"]).await, [""], "what was seen once holds");
}

/// No data connections.
struct NoWire;

#[async_trait]
impl DataConnections for NoWire {
    async fn listen(&mut self) -> Option<u16> {
        None
    }
    async fn send(&mut self, _: Bytes) -> Result<(), DataFault> {
        Err(DataFault::NotConnected)
    }
    async fn receive(&mut self, _: usize, _: Parcel) -> Result<Received, DataFault> {
        Err(DataFault::NotConnected)
    }
    fn close(&mut self) {}
}

async fn talk(dialogue: &mut dyn Dialogue, text: &str) -> String {
    let stage = Stage::new();
    dialogue.open(&stage).await;
    dialogue.hear(text.as_bytes(), &stage).await;
    String::from_utf8(stage.drain().0).unwrap()
}

#[tokio::test]
async fn ftp_lists_asks_sizes_and_hands_verbs_over() {
    let login = "USER deploy\r\nPASS Summer2024\r\n";
    let commands = "CWD /srv/backups\r\nSIZE dump.sql\r\nSITE DEPLOY main\r\nSITE EXEC id\r\nSITE HELP\r\n";
    let with = contact(Arc::new(Model::default()));
    let said = talk(&mut Ftp::new(with, Box::new(NoWire)), &format!("{login}{commands}")).await;
    let replies = "250 Directory successfully changed.\r\n213 400\r\n200-fetching\r\n200 deployed main\r\n\
                   500 Unknown SITE command.\r\n214 CHMOD UMASK HELP\r\n";
    assert!(said.ends_with(replies), "{said}");
    let without = contact(Arc::new(NoOracle));
    let said = talk(&mut Ftp::new(without, Box::new(NoWire)), &format!("{login}SITE DEPLOY main\r\n")).await;
    assert!(said.ends_with("\r\n200 SITE DEPLOY command ok.\r\n"), "{said}");
}

#[tokio::test]
async fn mail_for_a_program_is_answered_into_the_senders_mailbox() {
    let model = Arc::new(Model::default());
    let contact = contact(model.clone());
    let mail = |from: &str| {
        format!(
            "EHLO x\r\nMAIL FROM:<{from}>\r\nRCPT TO:<tickets@web01.example>\r\nDATA\r\nSubject: Help\r\n\r\nIt is broken.\r\n.\r\n"
        )
    };
    let said = talk(&mut Smtp::new(contact.clone()), &mail("someone@elsewhere.example")).await;
    assert!(said.contains("\r\n250 2.0.0 Ok: queued as "), "{said}");
    assert!(model.0.lock().is_empty(), "nobody here could see the answer");
    talk(&mut Smtp::new(contact.clone()), &mail("deploy@web01.example")).await;
    let mailbox = contact.visitor.files().read("/var/mail/deploy").unwrap();
    let mailbox = String::from_utf8(mailbox.to_vec()).unwrap();
    assert!(mailbox.starts_with("From tickets@"), "{mailbox}");
    assert!(
        mailbox.contains("\nSubject: Re: Help\n") && mailbox.ends_with("\n\nYour ticket is #4711.\n\n"),
        "{mailbox}"
    );
    let asked = model.0.lock().clone();
    let [Ask::Verb { daemon, script, given }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((daemon.as_str(), script.as_str()), ("postfix", "/usr/local/bin/tickets"));
    assert!(given.contains("Subject: Help\n\nIt is broken.\n"), "{given}");
    let aliases = run(&contact, &["grep tickets /etc/aliases", "ls /usr/local/bin/tickets"]).await;
    assert_eq!(aliases, ["tickets: \"|/usr/local/bin/tickets\"\n", "/usr/local/bin/tickets\n"]);
    let said =
        talk(&mut Smtp::new(contact), "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<tocket@web01.example>\r\n").await;
    assert!(said.contains("550 5.1.1"), "{said}");
}
