//! One program as a process: watched, stopped politely or killed, never left behind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take to start or stop before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running program.
pub struct Process {
    child: Child,
    diagnostics: PathBuf,
}

impl Process {
    /// Starts it in `home`, with what it prints added to `home/diagnostics.log`.
    pub fn start(command: &mut Command, home: &Path) -> Self {
        let diagnostics = home.join("diagnostics.log");
        let output =
            fs::OpenOptions::new().create(true).append(true).open(&diagnostics).expect("a diagnostics file");
        let errors = output.try_clone().expect("the same file");
        let command = command.current_dir(home).stdin(Stdio::null()).stdout(output).stderr(errors);
        // Cargo's, for build scripts; nobody who starts the program has it.
        command.env_remove("LD_LIBRARY_PATH");
        shield(command);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self { child, diagnostics }
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn diagnostics(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.diagnostics).unwrap_or_default()).into_owned()
    }

    /// Waits until `ready` gives something; fails the test when the program dies or the time is up.
    pub async fn wait_for<T>(&mut self, what: &str, mut ready: impl AsyncFnMut() -> Option<T>) -> T {
        let since = Instant::now();
        loop {
            if let Some(value) = ready().await {
                return value;
            }
            self.assert_alive();
            assert!(
                since.elapsed() < PATIENCE,
                "waited too long for {what}; it said:\n{}",
                self.diagnostics()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Fails the test when the program has ended.
    pub fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().expect("its status") {
            panic!("the program ended ({status}); it said:\n{}", self.diagnostics());
        }
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(mut self) -> ExitStatus {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")).expect("a pid");
        kill_process(pid, Signal::TERM).expect("SIGTERM");
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status;
            }
            assert!(since.elapsed() < PATIENCE, "it does not stop; it said:\n{}", self.diagnostics());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGKILL: no last words.
    pub fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("its end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Environment variables with keys of models and object stores.
pub const KEYS: [&str; 6] = [
    "OPENAI_API_KEY",
    "CHATGPT_API_KEY",
    "ANTHROPIC_API_KEY",
    "CLAUDE_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
];

/// Keys and settings of the person who runs the tests must not reach a program under test; what the test itself sets stays.
fn shield(command: &mut Command) {
    let set: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
    let settings = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("RUSTBUCKET_"));
    for name in KEYS.iter().map(Into::into).chain(settings).filter(|name| !set.contains(name)) {
        command.env_remove(name);
    }
}

/// Runs a command to its end; gives status, standard output and standard error.
pub fn complete(command: &mut Command) -> (ExitStatus, String, String) {
    shield(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status, text(&output.stdout), text(&output.stderr))
}
