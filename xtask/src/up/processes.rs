//! The processes that `up` starts: watched, and ended by their own ids only.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{process::Command, sync::mpsc, time::timeout};

use crate::failure::Failure;

/// How long a process may take to end by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much of a dead process' diagnostics is shown.
const LAST_WORDS: usize = 2000;

/// Everything that runs, in the order it was started.
pub struct Processes {
    running: BTreeMap<usize, Running>,
    started: usize,
    ended: mpsc::UnboundedReceiver<(usize, Option<ExitStatus>)>,
    tell: mpsc::UnboundedSender<(usize, Option<ExitStatus>)>,
}

struct Running {
    name: String,
    pid: Pid,
    diagnostics: PathBuf,
}

impl Processes {
    /// None yet.
    pub fn new() -> Self {
        let (tell, ended) = mpsc::unbounded_channel();
        Self { running: BTreeMap::new(), started: 0, ended, tell }
    }

    /// Starts a process in `folder`, with what it prints appended to `diagnostics`; gives its id.
    pub fn start(
        &mut self,
        name: &str,
        command: &mut Command,
        folder: &Path,
        diagnostics: PathBuf,
    ) -> Result<u32, Failure> {
        let launch = |source| Failure::Launch { program: name.to_owned(), source };
        let output = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&diagnostics)
            .map_err(Failure::file("open", &diagnostics))?;
        let errors = output.try_clone().map_err(Failure::file("open", &diagnostics))?;
        let mut child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // A group of its own: Ctrl-C in the terminal reaches us alone, and we end the rest in order.
            .process_group(0)
            .spawn()
            .map_err(launch)?;
        let id = child.id().unwrap_or_default();
        let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
            return Err(launch(std::io::Error::other("it has no process id")));
        };
        let (number, tell) = (self.started, self.tell.clone());
        self.started += 1;
        self.running.insert(number, Running { name: name.to_owned(), pid, diagnostics });
        tokio::spawn(async move {
            let status = child.wait().await.ok();
            // Nobody listens any more only when `up` itself has ended.
            let _ = tell.send((number, status));
        });
        Ok(id)
    }

    /// Waits until one dies, and says which and why.
    pub async fn one_dies(&mut self) -> Failure {
        self.next_death().await.1
    }

    /// As [`Self::one_dies`], with the name it was started under.
    pub async fn next_death(&mut self) -> (String, Failure) {
        loop {
            match self.ended.recv().await {
                Some((number, status)) => {
                    if let Some(dead) = self.running.remove(&number) {
                        let failure = dead.failure(status);
                        return (dead.name, failure);
                    }
                }
                None => std::future::pending::<()>().await, // never: we hold a sender
            }
        }
    }

    /// Ends everything: the last started first, SIGTERM, then SIGKILL for what stays.
    pub async fn stop(&mut self) {
        for running in self.running.values().rev() {
            // It may have ended by itself a moment ago; then there is nothing to do.
            let _ = kill_process(running.pid, Signal::TERM);
        }
        if timeout(PATIENCE, self.all_ended()).await.is_err() {
            for running in self.running.values() {
                eprintln!("{} does not end: killing it", running.name);
                let _ = kill_process(running.pid, Signal::KILL); // as above
            }
            self.all_ended().await;
        }
    }

    async fn all_ended(&mut self) {
        while !self.running.is_empty() {
            if let Some((number, _)) = self.ended.recv().await {
                self.running.remove(&number);
            }
        }
    }
}

impl Running {
    fn failure(&self, status: Option<ExitStatus>) -> Failure {
        let words = fs::read(&self.diagnostics).unwrap_or_default();
        let last = words.get(words.len().saturating_sub(LAST_WORDS)..).unwrap_or_default();
        let last = super::follow::visible(&String::from_utf8_lossy(last), true);
        Failure::Died {
            name: self.name.clone(),
            status: status.map_or_else(|| "status unknown".to_owned(), |status| status.to_string()),
            said: format!("; the end of {}:\n{}", self.diagnostics.display(), last.trim_end()),
        }
    }
}

/// Runs a short command to its end and gives what it printed on standard output.
pub async fn output(command: &mut Command) -> Result<String, Failure> {
    let program = {
        let command = command.as_std();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    };
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| Failure::Launch { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::Program { program, status: output.status, said: format!(": {}", said.trim()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dead_process_is_named_and_the_others_are_ended() {
        let folder = std::env::temp_dir();
        let log = folder.join(format!("rustbucket-processes-{}.log", std::process::id()));
        let mut processes = Processes::new();
        processes.start("sleeper", Command::new("sleep").arg("1000"), &folder, log.clone()).unwrap();
        let mut dying = Command::new("sh");
        dying.args(["-c", "echo last words; exit 3"]);
        processes.start("dying", &mut dying, &folder, log.clone()).unwrap();
        let message = processes.one_dies().await.to_string();
        assert!(
            message.contains("dying") && message.contains('3') && message.contains("last words"),
            "{message}"
        );
        processes.stop().await;
        assert!(processes.running.is_empty());
        fs::remove_file(log).unwrap();
    }
}
