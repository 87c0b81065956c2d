//! Debian's side: an sshd in namespaces of its own over a throw-away layer, one for each visit. Its answers are kept,
//! because they do not change while the root does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use acceptance::{bucket::PASSWORD, clients::Ssh, root};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use super::{
    allowed::Allowed,
    play::{self, Outcome},
    units::Unit,
};

/// The name of the host on both sides.
pub const HOST: &str = "web01";
/// `openssl passwd -6` of the harness's password: the root has no other.
const HASH: &str =
    "$6$fidelity$NZVJ6tqFdo3HiYhImkdfG9yWC0mFynY4gMT1KCT0sEkRy2dqZPLHXfMyJO70SecX8T.VJoYrV6nKlJaQjiZLw.";
/// Longest that one visit may take in all.
const LONGEST: Duration = Duration::from_secs(90);
/// What runs inside.
const ENTER: &str = include_str!("enter.sh");
/// Bounds on all processes of the root together, where the system lets us set them.
const GROUPS: [(&str, &str, &str); 2] =
    [("pids", "pids.max", "300"), ("memory", "memory.limit_in_bytes", "2147483648")];

/// The real machine.
pub struct Truth {
    root: PathBuf,
    folder: PathBuf,
    stamp: String,
    kept: Mutex<BTreeMap<String, Vec<Outcome>>>,
    keep: Mutex<fs::File>,
    visits: AtomicU32,
}

impl Truth {
    /// Reads what is kept; prepares what every visit needs.
    pub fn open(debian: &Path) -> Self {
        assert!(debian.join("usr/sbin/sshd").is_file(), "{} is no Debian root with sshd", debian.display());
        let folder = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root().join("target"), Into::into)
            .join("fidelity");
        fs::create_dir_all(&folder).expect("target/fidelity");
        let folder = folder.canonicalize().expect("target/fidelity");
        fs::write(folder.join("enter.sh"), ENTER).expect("enter.sh");
        for (controller, limit, value) in GROUPS {
            let group = Path::new("/sys/fs/cgroup").join(controller).join("rustbucket-fidelity");
            let set = fs::create_dir_all(&group).and_then(|()| fs::write(group.join(limit), value));
            if let Err(error) = set {
                eprintln!(
                    "no bound of its own on {controller} ({error}): only the limits of each process hold"
                );
            }
        }
        let status = fs::read(debian.join("var/lib/dpkg/status")).expect("dpkg's status");
        let mut stamp = Sha256::new();
        stamp.update(&status);
        stamp.update(ENTER);
        let stamp = hex::encode(stamp.finalize());
        let path = folder.join("truth.jsonl");
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let kept = kept.lines().filter_map(|line| serde_json::from_str::<(String, Vec<Outcome>)>(line).ok());
        let kept = kept.collect();
        let keep = fs::OpenOptions::new().create(true).append(true).open(&path).expect("truth.jsonl");
        Self {
            root: debian.canonicalize().expect("the root"),
            folder,
            stamp,
            kept: Mutex::new(kept),
            keep: Mutex::new(keep),
            visits: AtomicU32::new(0),
        }
    }

    /// Where everything that is measured is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The allow-list against what is installed here.
    pub fn allowed(&self) -> Allowed {
        let mut installed = BTreeSet::new();
        for folder in ["usr/bin", "usr/sbin", "usr/games", "usr/local/bin", "usr/local/sbin"] {
            let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
            installed.extend(entries.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        }
        let list = std::process::Command::new("chroot")
            .arg(&self.root)
            .args(["/bin/busybox", "--list"])
            .output()
            .expect("busybox in the root");
        let applets = String::from_utf8_lossy(&list.stdout).lines().map(str::to_owned).collect();
        Allowed::new(installed, applets)
    }

    fn key(&self, unit: &Unit) -> String {
        let mut key = Sha256::new();
        key.update(&self.stamp);
        key.update(format!("{:?}\0", unit.mode));
        key.update(unit.lines.join("\n"));
        hex::encode(key.finalize())
    }

    /// Whether the answers to this visit are kept.
    pub fn knows(&self, unit: &Unit) -> bool {
        self.kept.lock().unwrap().contains_key(&self.key(unit))
    }

    /// The answers to one visit; `None` when the machine gave none in time.
    pub async fn play(&self, unit: &Unit) -> Option<Vec<Outcome>> {
        let key = self.key(unit);
        if let Some(kept) = self.kept.lock().unwrap().get(&key) {
            return (!kept.is_empty()).then(|| kept.clone());
        }
        let outcomes = tokio::time::timeout(LONGEST, self.visit(unit)).await.ok().flatten();
        // That there is no answer is kept too, as an empty list.
        let outcomes = outcomes.unwrap_or_default();
        let line = serde_json::to_string(&(&key, &outcomes)).expect("JSON") + "\n";
        self.keep.lock().unwrap().write_all(line.as_bytes()).expect("truth.jsonl");
        let answer = (!outcomes.is_empty()).then(|| outcomes.clone());
        self.kept.lock().unwrap().insert(key, outcomes);
        answer
    }

    async fn visit(&self, unit: &Unit) -> Option<Vec<Outcome>> {
        let number = self.visits.fetch_add(1, Ordering::Relaxed) % 16;
        let work = self.folder.join(format!("work-{number}"));
        fs::create_dir_all(&work).expect("a mount point");
        let shadow = fs::read_to_string(self.root.join("etc/shadow")).expect("shadow");
        let with_password: String = shadow
            .lines()
            .map(|line| match line.strip_prefix("root:").and_then(|rest| rest.split_once(':')) {
                Some((_, rest)) => format!("root:{HASH}:{rest}\n"),
                None => format!("{line}\n"),
            })
            .collect();
        fs::write(self.folder.join(format!("work-{number}.password")), with_password).expect("a password");
        let (here, there) = UnixStream::pair().expect("a socket pair");
        here.set_nonblocking(true).expect("a socket");
        let there: OwnedFd = there.into();
        let output = there.try_clone().expect("a socket");
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child=KILL", "sh"])
            .arg(self.folder.join("enter.sh"))
            .arg(&self.root)
            .arg(HOST)
            .arg(&work)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::from(there))
            .stdout(Stdio::from(output))
            .stderr(fs::File::create(self.folder.join(format!("work-{number}.log"))).expect("a log"))
            .kill_on_drop(true);
        let mut child = command.spawn().expect("unshare");
        drop(command);
        let stream = tokio::net::UnixStream::from_std(here).expect("a socket");
        let ssh = Ssh::log_in_over(stream, "root", PASSWORD).await.ok().flatten();
        let outcomes = match ssh {
            Some(ssh) => play::on(ssh, unit).await,
            None => {
                let log = fs::read_to_string(self.folder.join(format!("work-{number}.log")));
                panic!("Debian's sshd lets nobody in:\n{}", log.unwrap_or_default());
            }
        };
        // It may have ended by itself.
        let _ = child.kill().await;
        outcomes
    }
}
