//! The interpreter behind a shell: `bashkit` over the machine's files, with bounds.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bashkit::{Bash, ExecOptions, ExecutionLimits, SessionLimits};

use super::{
    Finished,
    disk::Disk,
    io::{Input, Out, Output},
    session::Session,
};

/// A line runs no longer than this.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// The interpreter of one shell.
pub(super) struct Engine {
    bash: Bash,
    session: Arc<Session>,
}

impl Engine {
    pub(super) fn new(session: &Arc<Session>, cwd: &str) -> Self {
        let account = &session.launch.account;
        let limits = ExecutionLimits::new()
            .timeout(LONGEST_RUN)
            .max_commands(20_000)
            .max_loop_iterations(10_000)
            .max_input_bytes(64 * 1024);
        let mut builder = Bash::builder()
            .fs(Arc::new(Disk(Arc::clone(session))))
            .rootfs(false)
            .follow_symlinks(false)
            .limits(limits)
            .session_limits(SessionLimits::unlimited())
            .username(&account.name)
            .hostname(&session.identity().hostname)
            .cwd(cwd);
        for (name, value) in environment(session) {
            builder = builder.env(name, value);
        }
        let bash = builder.build();
        *session.cancel.lock() = bash.cancellation_token();
        Self { bash, session: Arc::clone(session) }
    }

    pub(super) fn cwd(&self) -> String {
        self.bash.shell_state_view().cwd.to_string_lossy().into_owned()
    }

    pub(super) async fn run(&mut self, line: &str, output: &Output, input: &Input) -> Finished {
        self.session.cancel.lock().store(false, Ordering::Relaxed);
        self.session.begin();
        *self.session.channels.lock() = Some((Arc::clone(output), input.clone()));
        let sink = Arc::clone(output);
        let options = ExecOptions::new().arg0("-bash").streaming(Box::new(move |stdout, stderr| {
            if !stdout.is_empty() {
                sink(Out::Stdout, stdout.as_bytes());
            }
            if !stderr.is_empty() {
                sink(Out::Stderr, stderr.as_bytes());
            }
        }));
        let result = self.bash.exec_with_options(line, options).await;
        *self.session.channels.lock() = None;
        let not_found = std::mem::take(&mut *self.session.not_found.lock());
        match result {
            Ok(result) => {
                let exited = matches!(line.split_whitespace().next(), Some("exit" | "logout"));
                Finished { status: result.exit_code, exited, not_found }
            }
            Err(error) => {
                let text = error.syntax_report("-bash", line).unwrap_or_default();
                output(Out::Stderr, text.as_bytes());
                Finished { status: 2, exited: false, not_found }
            }
        }
    }
}

/// The environment of a login: sshd's and login's, then bash's own.
pub(super) fn environment(session: &Session) -> Vec<(String, String)> {
    let account = &session.launch.account;
    let path = if account.uid == 0 {
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    } else {
        "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
    };
    let mut env: Vec<(String, String)> = [
        ("SHELL", account.shell.as_str()),
        ("PWD", account.home.as_str()),
        ("LOGNAME", account.name.as_str()),
        ("HOME", account.home.as_str()),
        ("LANG", "en_US.UTF-8"),
        ("USER", account.name.as_str()),
        ("SHLVL", "1"),
        ("PATH", path),
        ("MAIL", &format!("/var/mail/{}", account.name)),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    if session.launch.tty.is_some() {
        env.push(("TERM".to_owned(), "xterm-256color".to_owned()));
    }
    for (name, value) in &session.launch.env {
        env.retain(|(known, _)| known != name);
        env.push((name.clone(), value.clone()));
    }
    env
}
