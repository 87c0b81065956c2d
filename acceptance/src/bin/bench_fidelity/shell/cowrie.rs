//! Cowrie, as its authors publish it, on the same lines: how far the best known honeypot comes.

use std::{fs, path::Path, process::Command};

use acceptance::{clients::Ssh, ports, process::Process};
use tempfile::TempDir;

use super::{
    play::{self, Outcome},
    truth::HOST,
    units::Unit,
};

/// What `root` gets in with; Cowrie takes any password here.
const PASSWORD: &str = "open-sesame-42";
/// Cowrie refuses to run as root: `nobody` of Debian.
const NOBODY: &str = "65534";

/// Insert mode on and off (ECMA-48, 7.2.10).
const EDITING: [&str; 2] = ["\x1b[4h", "\x1b[4l"];

/// A running Cowrie in a folder of its own.
pub struct Cowrie {
    /// Where it speaks SSH.
    pub port: u16,
    process: Process,
    _home: TempDir,
}

impl Cowrie {
    /// Starts it from the Python environment `venv`.
    pub async fn start(venv: &Path) -> Self {
        let home = tempfile::Builder::new().prefix("rustbucket-cowrie-").tempdir().expect("a folder");
        let port = ports::free(1)[0];
        for folder in ["etc", "var/log/cowrie", "var/lib/cowrie/downloads", "var/lib/cowrie/tty", "var/run"] {
            fs::create_dir_all(home.path().join(folder)).expect("a folder");
        }
        let settings = format!(
            "[honeypot]\nhostname = {HOST}\nlog_path = var/log/cowrie\nstate_path = var/lib/cowrie\nttylog = false\n\n[ssh]\nenabled = true\nlisten_endpoints = tcp:{port}:interface=127.0.0.1\n\n[telnet]\nenabled = false\n\n[output_jsonlog]\nenabled = false\n\n[output_textlog]\nenabled = false\n"
        );
        fs::write(home.path().join("etc/cowrie.cfg"), settings).expect("settings");
        fs::write(home.path().join("etc/userdb.txt"), "root:x:*\n").expect("users");
        let program = venv.canonicalize().expect("the environment").join("bin/twistd");
        let mut command = if rustix::process::geteuid().is_root() {
            let owned = Command::new("chown").arg("-R").arg(NOBODY).arg(home.path()).status().expect("chown");
            assert!(owned.success(), "chown failed");
            let mut command = Command::new("setpriv");
            command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(["-n", "--umask=0022", "--pidfile=", "cowrie"]);
        command.env("HOME", home.path()).env("PYTHONDONTWRITEBYTECODE", "1");
        let mut process = Process::start(&mut command, home.path());
        process.wait_for("Cowrie", async || ports::is_listening(port).then_some(())).await;
        Self { port, process, _home: home }
    }

    /// Ends it.
    pub fn stop(self) {
        self.process.kill();
    }
}

/// Plays one visit: each has a file system of its own there, too.
pub async fn play(port: u16, unit: &Unit) -> Option<Vec<Outcome>> {
    let ssh = Ssh::log_in(port, "root", PASSWORD).await.ok()??;
    let mut outcomes = play::on(ssh, unit).await?;
    for outcome in &mut outcomes {
        // It switches its line editor on and off as bash does, with other signs; they are no part of an answer.
        outcome.out =
            EDITING.iter().fold(std::mem::take(&mut outcome.out), |out, sign| out.replace(sign, ""));
    }
    Some(outcomes)
}
