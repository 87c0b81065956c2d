//! The real daemons of Debian 12, each on a loopback port, in namespaces of their own (`record.py --hold`).

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{binaries, bucket::Ports, root};

/// Whom they let in, beside nobody.
pub const USER: &str = "deploy";
/// With this.
pub const PASSWORD: &str = "Summer2024";
/// What starts them, and plays probes against them.
pub const PLAYER: &str = "crates/decoy/tests/transcripts/record.py";
/// How long they may take to start.
const STARTING: Duration = Duration::from_secs(60);
/// The programs, where Debian has them.
const PROGRAMS: [&str; 6] = [
    "/usr/sbin/sshd",
    "/usr/sbin/telnetd",
    "/usr/sbin/vsftpd",
    "/usr/sbin/nginx",
    "/usr/lib/postfix/sbin/master",
    "/usr/sbin/saslpasswd2",
];

/// The five daemons while they run; they end with the value.
pub struct RealDaemons {
    player: Child,
    _folder: TempDir,
    /// Where they listen; the other two ports are 0.
    pub ports: Ports,
}

impl RealDaemons {
    /// Starts them; none where they are not installed, or without root.
    pub async fn start() -> Option<Self> {
        let missing = PROGRAMS.iter().find(|program| !std::path::Path::new(program).is_file());
        if let Some(program) = missing {
            println!("{program} is not installed: the real daemons are not asked");
            return None;
        }
        if !rustix::process::geteuid().is_root() {
            println!("only root makes namespaces: the real daemons are not asked");
            return None;
        }
        binaries::client("python3")?;
        let folder = tempfile::Builder::new().prefix("rustbucket-real-").tempdir().expect("a folder");
        let file = folder.path().join("ports.json");
        let mut player = Command::new("python3");
        player.arg(root().join(PLAYER)).arg("--hold").arg(&file).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut player = player.spawn().expect("python3");
        let since = Instant::now();
        while !file.exists() {
            let ended = player.try_wait().expect("its status");
            assert!(ended.is_none(), "the real daemons do not start: {ended:?}");
            assert!(since.elapsed() < STARTING, "the real daemons take too long");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let named: Value = serde_json::from_str(&fs::read_to_string(&file).expect("ports")).expect("JSON");
        let port = |name: &str| u16::try_from(named[name].as_u64().expect("a port")).expect("a port");
        let ports = Ports {
            ssh: port("ssh"),
            telnet: port("telnet"),
            ftp: port("ftp"),
            smtp: port("smtp"),
            http: port("http"),
            plain: 0,
            management: 0,
        };
        Some(Self { player, _folder: folder, ports })
    }
}

impl Drop for RealDaemons {
    fn drop(&mut self) {
        // Its end of input tells it to stop them.
        drop(self.player.stdin.take());
        if let Err(error) = self.player.wait() {
            println!("the real daemons were not waited for: {error}");
        }
    }
}
