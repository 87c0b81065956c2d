//! A bucket as a process: its settings, its ports, its log.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;
use tempfile::TempDir;
use toml::{Table, toml};

use crate::{binaries, ports, process::Process};

/// What `root` gets in with at the first try.
pub const PASSWORD: &str = "open-sesame-42";

/// The ports of one bucket.
#[derive(Clone, Debug)]
pub struct Ports {
    /// SSH.
    pub ssh: u16,
    /// Telnet.
    pub telnet: u16,
    /// FTP.
    pub ftp: u16,
    /// SMTP.
    pub smtp: u16,
    /// HTTP.
    pub http: u16,
    /// A plain port named `extra`.
    pub plain: u16,
    /// HTTPS for the registry.
    pub management: u16,
}

/// A bucket in a folder of its own. It runs between [`start`](Bucket::start) and [`stop`](Bucket::stop) or
/// [`kill`](Bucket::kill); the folder goes with the value.
pub struct Bucket {
    home: TempDir,
    /// Where it listens.
    pub ports: Ports,
    /// Its settings; written at each start.
    pub settings: Table,
    /// What runs before the program, for example `taskset -c 0`.
    pub prefix: Vec<String>,
    process: Option<Process>,
}

impl Bucket {
    /// Settings for a test: loopback, free ports, one known password, wide limits, no model.
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("rustbucket-bucket-").tempdir().expect("a folder");
        let free = ports::free(7);
        let ports = Ports {
            ssh: free[0],
            telnet: free[1],
            ftp: free[2],
            smtp: free[3],
            http: free[4],
            plain: free[5],
            management: free[6],
        };
        let mut settings = toml! {
            [general]
            log_level = "info"
            listen_address = "127.0.0.1"
            log_directory = "./logs"
            state_directory = "./state"

            [ports]

            [chat]
            providers = ["canned"]

            [logins]
            fewest_tries = 2
            most_tries = 5

            [limits]
            connections = 20000
            per_source = 20000
            per_second = 100000
            events_per_hour = 1000000000
            artifacts_per_hour = "64GiB"

            [management]
            listen_address = "127.0.0.1"
        };
        for (name, port) in [
            ("ssh", ports.ssh),
            ("telnet", ports.telnet),
            ("ftp", ports.ftp),
            ("smtp", ports.smtp),
            ("http", ports.http),
        ] {
            set(&mut settings, &["ports", name, "port"], i64::from(port));
        }
        set(&mut settings, &["ports", "extra", "port"], i64::from(ports.plain));
        set(&mut settings, &["ports", "extra", "protocol"], "plain");
        set(&mut settings, &["ports", "extra", "banner"], "extra service ready");
        set(&mut settings, &["management", "port"], i64::from(ports.management));
        set(
            &mut settings,
            &["logins", "always"],
            toml::Value::Array(vec![format!("root:{PASSWORD}").into()]),
        );
        Self { home, ports, settings, prefix: Vec::new(), process: None }
    }

    /// A bucket with exactly these settings.
    pub fn with_settings(settings: Table) -> Self {
        let mut bucket = Self::new();
        bucket.settings = settings;
        bucket
    }

    /// Changes one setting by its path.
    pub fn set(&mut self, path: &[&str], value: impl Into<toml::Value>) {
        set(&mut self.settings, path, value);
    }

    /// Registers at this registry with this key.
    pub fn register_at(&mut self, url: &str, key: &str) {
        self.set(&["registration", "rustbucket_registry_url"], url);
        self.set(&["registration", "registration_key"], key);
        self.set(&["registration", "ip_address"], "127.0.0.1");
    }

    /// Its folder.
    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// Its settings file.
    pub fn config(&self) -> PathBuf {
        self.home().join("Config.toml")
    }

    /// Writes the settings file.
    pub fn write_settings(&self) {
        fs::write(self.config(), self.settings.to_string()).expect("settings");
    }

    /// Starts it and waits until its log says that it serves.
    pub async fn start(&mut self) {
        self.write_settings();
        let starts = self.starts();
        let program = binaries::bucket();
        let mut command = match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(["run", "--config"]).arg(self.config());
        let mut process = Process::start(&mut command, self.home.path());
        process.wait_for("the bucket", async || (self.starts() > starts).then_some(())).await;
        self.process = Some(process);
    }

    /// The running process.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the bucket runs")
    }

    /// SIGTERM; must end well.
    pub fn stop(&mut self) {
        let process = self.process.take().expect("the bucket runs");
        let said = process.diagnostics();
        let status = process.stop();
        assert!(status.success(), "the bucket ended with {status}; it said:\n{said}");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.take().expect("the bucket runs").kill();
    }

    /// Fails the test if the bucket has died or has panicked anywhere.
    pub fn assert_sound(&mut self) {
        self.process().assert_alive();
        let said = self.process().diagnostics();
        assert!(!said.contains("panicked at"), "the bucket panicked:\n{said}");
    }

    /// Every whole line of its event log, oldest first.
    pub fn lines(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home().join("logs")).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("rustbucket.log."));
        files.sort_unstable();
        let mut lines = Vec::new();
        for file in files {
            let text = String::from_utf8(fs::read(file).expect("a log file")).expect("UTF-8");
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            lines.extend(whole.lines().map(str::to_owned));
        }
        lines
    }

    /// Its events, oldest first.
    pub fn events(&self) -> Vec<Value> {
        let parse =
            |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        self.lines().iter().map(parse).collect()
    }

    /// Its name, from its log.
    pub fn name(&self) -> String {
        let events = self.events();
        events.last().expect("an event")["sensor"].as_str().expect("a name").to_owned()
    }

    fn starts(&self) -> usize {
        self.lines().iter().filter(|line| line.contains(r#""eventid":"rustbucket.start""#)).count()
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets one value by its path, making the tables on the way.
pub fn set(settings: &mut Table, path: &[&str], value: impl Into<toml::Value>) {
    let (last, sections) = path.split_last().expect("a path");
    let mut table = settings;
    for section in sections {
        let entry = table.entry(*section).or_insert_with(|| Table::new().into());
        table = entry.as_table_mut().expect("a table");
    }
    table.insert((*last).to_owned(), value.into());
}
