//! A registry as a process: its settings, its commands, its pages.

use std::{path::PathBuf, process::Command};

use tempfile::TempDir;
use toml::{Table, toml};

use crate::{
    binaries,
    bucket::set,
    ports,
    process::{Process, complete},
    tables::Tables,
};

/// A registry in a folder of its own, with SQLite and a folder as archive.
pub struct Registry {
    home: TempDir,
    /// Where it answers.
    pub url: String,
    /// Its settings; written at each start.
    pub settings: Table,
    process: Option<Process>,
}

impl Registry {
    /// Settings for a test: loopback, jobs that run only when nudged, the local analyst.
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("rustbucket-registry-").tempdir().expect("a folder");
        let url = format!("http://127.0.0.1:{}", ports::free(1)[0]);
        let mut settings = toml! {
            [schedule]
            update_buckets = "30d"
            extract_logs = "30d"
            parse_logs = "30d"
            analyze_logs = "30d"
            health_check = "30d"
            retention = "30d"

            [registration]
            require_key = true
            auto_approve = true
            allowed_networks = ["127.0.0.0/8"]

            [analysis]
            provider = "local"
        };
        let path = |name: &str| home.path().join(name).display().to_string();
        set(&mut settings, &["server", "listen"], url.trim_start_matches("http://"));
        set(&mut settings, &["server", "public_url"], url.as_str());
        set(&mut settings, &["database", "url"], format!("sqlite://{}", path("registry.db")));
        set(&mut settings, &["storage", "url"], format!("file://{}", path("archive")));
        set(&mut settings, &["secrets", "key_file"], path("secret.key"));
        Self { home, url, settings, process: None }
    }

    /// Changes one setting by its path.
    pub fn set(&mut self, path: &[&str], value: impl Into<toml::Value>) {
        set(&mut self.settings, path, value);
    }

    /// Its settings file.
    pub fn config(&self) -> PathBuf {
        self.home.path().join("Registry.toml")
    }

    /// Writes the settings file.
    pub fn write_settings(&self) {
        std::fs::write(self.config(), self.settings.to_string()).expect("settings");
    }

    /// Runs one of its commands; fails the test unless it ends well.
    pub fn command(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(binaries::registry());
        command.args(arguments).arg("--config").arg(self.config()).current_dir(self.home.path());
        let (status, printed, said) = complete(&mut command);
        assert!(status.success(), "{arguments:?} ended with {status}:\n{printed}{said}");
        printed
    }

    /// Makes tables and starts it; waits until it answers.
    pub async fn start(&mut self) {
        self.write_settings();
        self.command(&["migrate"]);
        let mut command = Command::new(binaries::registry());
        command.args(["serve", "--config"]).arg(self.config());
        let mut process = Process::start(&mut command, self.home.path());
        let health = format!("{}/healthz", self.url);
        let client = reqwest::Client::new();
        process
            .wait_for("the registry", async || {
                let answer = client.get(&health).send().await.ok()?;
                answer.status().is_success().then_some(())
            })
            .await;
        self.process = Some(process);
    }

    /// SIGTERM; must end well.
    pub fn stop(&mut self) {
        let status = self.process.take().expect("the registry runs").stop();
        assert!(status.success(), "the registry ended with {status}");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.take().expect("the registry runs").kill();
    }

    /// The running process.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the registry runs")
    }

    /// A key that lets buckets in.
    pub fn make_key(&self) -> String {
        secret_in(&self.command(&["key", "create"]), "key")
    }

    /// A user; gives password and API token.
    pub fn make_user(&self, name: &str, role: &str) -> (String, String) {
        let printed = self.command(&["user", "add", name, "--role", role]);
        (secret_in(&printed, "password"), secret_in(&printed, "token"))
    }

    /// Runs a job by hand, now.
    pub fn run_job(&self, name: &str) -> String {
        self.command(&["run-job", name])
    }

    /// Waits until a bucket is listed as active.
    pub async fn wait_until_active(&self, bucket: &str) {
        for _ in 0..300 {
            let list = self.command(&["bucket", "list"]);
            if list.lines().any(|line| line.contains(bucket) && line.contains("active")) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        panic!("{bucket} was not admitted:\n{}", self.command(&["bucket", "list"]));
    }

    /// Its tables.
    pub async fn tables(&self) -> Tables {
        Tables::open(&self.home.path().join("registry.db")).await
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

/// The secret that a command has printed: behind `NAME: ` on a line of its own, or alone.
fn secret_in(printed: &str, name: &str) -> String {
    let named = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let secret = named.unwrap_or(printed).trim();
    assert!(!secret.is_empty() && !secret.contains(char::is_whitespace), "no {name} in {printed:?}");
    secret.to_owned()
}
