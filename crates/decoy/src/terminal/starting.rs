//! A shell begins behind a terminal: what it knows of the connection it came by.

use std::sync::Arc;

use wire::EventKind;

use super::{Terminal, TerminalMode};
use crate::{
    dialogue::Stage,
    shell::{Launch, Shell},
};

impl Terminal {
    pub(super) fn start_shell(&mut self, stage: &Stage) {
        let (login, tty, env) = match &self.mode {
            TerminalMode::Interactive { tty, env, .. } => (true, Some(tty.clone()), env.clone()),
            TerminalMode::Exec { env, terminal, .. } => {
                (false, terminal.as_ref().map(|(tty, _)| tty.clone()), env.clone())
            }
            // sshd starts a login shell whether or not there is a terminal.
            TerminalMode::Piped { env } => (true, None, env.clone()),
        };
        let env = if self.telnet.is_some() { env } else { self.ssh_variables(tty.as_deref(), env) };
        let notes = {
            let stage = stage.clone();
            Arc::new(move |kind: EventKind| stage.note(kind))
        };
        let launch =
            Launch { account: self.account.clone(), login, tty, env, window: self.window.size(), notes };
        self.shell = Some(Shell::in_window(&self.contact, launch, self.window.clone()));
    }

    /// What sshd and the modules behind its login (pam_systemd, pam_motd) add to the environment.
    fn ssh_variables(&self, tty: Option<&str>, client: Vec<(String, String)>) -> Vec<(String, String)> {
        let (peer, local, uid) = (self.contact.peer, self.contact.local, self.account.uid);
        // systemd-logind counts sessions from boot; the port makes two sessions of one visitor differ.
        let session = 40 + u32::from(peer.port()) % 400;
        let mut env = vec![
            ("SSH_CLIENT", format!("{} {} {}", peer.ip(), peer.port(), local.port())),
            ("SSH_CONNECTION", format!("{} {} {} {}", peer.ip(), peer.port(), local.ip(), local.port())),
            ("XDG_SESSION_ID", session.to_string()),
            ("XDG_SESSION_TYPE", "tty".to_owned()),
            ("XDG_SESSION_CLASS", "user".to_owned()),
            ("XDG_RUNTIME_DIR", format!("/run/user/{uid}")),
            ("DBUS_SESSION_BUS_ADDRESS", format!("unix:path=/run/user/{uid}/bus")),
            ("MOTD_SHOWN", "pam".to_owned()),
        ];
        env.extend(tty.map(|tty| ("SSH_TTY", format!("/dev/{tty}"))));
        env.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(client).collect()
    }
}

pub(super) fn find<'a>(env: &'a [(String, String)], name: &str) -> &'a str {
    env.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}
