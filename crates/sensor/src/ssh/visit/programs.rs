//! What runs on a channel: a shell or a command, the old scp, sftp.

use std::sync::Arc;

use decoy::{
    Account, Dialogue,
    machine::files::Owner,
    terminal::{Terminal, TerminalMode},
};
use russh::{ChannelId, server::Handle};
use tokio_util::sync::CancellationToken;
use wire::EventKind;

use super::Visit;
use crate::{
    handler::handle_client,
    ssh::{
        channel::ChannelLine, farewell::Farewell, framed::Framed, scp, sftp::Sftp, upload::Keeper, within,
    },
};

impl Visit {
    /// Who puts away what this visitor uploads.
    fn keeper(&self, account: &Account) -> Keeper {
        Keeper {
            contact: self.contact.clone(),
            session: self.session.clone(),
            artifacts: Arc::clone(&self.artifacts),
            owner: Owner { uid: account.uid, gid: account.gid },
            _waits: self.tasks.token(),
        }
    }

    /// Starts the old scp on a channel.
    fn copy(&mut self, id: ChannelId, order: scp::Order) -> bool {
        let Some(account) = self.account.clone() else { return false };
        let keeper = self.keeper(&account);
        let Some(opened) = self.channels.get_mut(&id) else { return false };
        let Some(waiting) = opened.waiting.take() else { return false };
        let (contact, pool, gone) = (self.contact.clone(), self.pool.clone(), opened.gone.clone());
        let program = async move {
            let Some(called) = waiting.call().await else { return };
            let line = ChannelLine::new(called, gone);
            scp::run(line, order, &contact, &account, keeper, &pool).await;
        };
        opened.running = Some(self.tasks.spawn(within(program, opened.gone.clone())));
        true
    }

    /// Starts a program on a channel; gives `false` when there is none to start it on.
    pub(super) fn start(&mut self, id: ChannelId, command: Option<Vec<u8>>) -> bool {
        if let Some(order) = command.as_deref().and_then(scp::Order::read) {
            self.session.note(EventKind::command_input(command.as_deref().unwrap_or_default()));
            return self.copy(id, order);
        }
        let (Some(account), Some(opened)) = (self.account.clone(), self.channels.get_mut(&id)) else {
            return false;
        };
        let Some(waiting) = opened.waiting.take() else {
            return false;
        };
        let (mut env, window) = (std::mem::take(&mut opened.env), opened.window);
        let (peer, local) = (self.contact.peer, self.contact.local);
        let (host, here) = (peer.ip().to_canonical(), local.ip().to_canonical());
        env.push(("SSH_CLIENT".to_owned(), format!("{host} {} {}", peer.port(), local.port())));
        env.push(("SSH_CONNECTION".to_owned(), format!("{host} {} {here} {}", peer.port(), local.port())));
        let terminal = window.map(|window| {
            let tty = format!("pts/{}", self.terminals);
            self.terminals += 1;
            env.push(("SSH_TTY".to_owned(), format!("/dev/{tty}")));
            (tty, window)
        });
        let mode = match (command, terminal) {
            (Some(command), terminal) => TerminalMode::Exec { command, terminal, env },
            (None, Some((tty, window))) => TerminalMode::Interactive { tty, window, env },
            // A shell without a terminal reads its commands from the channel, as `ssh -T` asks for.
            (None, None) => TerminalMode::Piped { env },
        };
        let mut terminal = Terminal::new(self.contact.clone(), account, mode);
        opened.shown = Some(terminal.window());
        let (session, bounds, artifacts) = (self.session.clone(), self.bounds, Arc::clone(&self.artifacts));
        let gone = opened.gone.clone();
        let program = async move {
            let Some(called) = waiting.call().await else { return };
            let mut line = ChannelLine::new(called, gone);
            let dialogue: &mut dyn Dialogue = &mut terminal;
            handle_client(&mut line, dialogue, &session, bounds, &artifacts).await;
        };
        opened.running = Some(self.tasks.spawn(within(program, opened.gone.clone())));
        true
    }

    /// Starts sftp on a channel.
    pub(super) fn serve_files(&mut self, id: ChannelId, handle: Handle) {
        let Some(account) = self.account.clone() else { return };
        let keeper = self.keeper(&account);
        let Some(opened) = self.channels.get_mut(&id) else { return };
        let Some(waiting) = opened.waiting.take() else { return };
        let ended = CancellationToken::new();
        let sftp = Sftp::new(keeper, account, self.pool.clone(), ended.clone().drop_guard());
        let (session, bounds, gone) = (self.session.clone(), self.bounds, opened.gone.clone());
        let program = async move {
            let Some(called) = waiting.call().await else { return };
            let stream = called.channel.into_stream();
            let stream = Framed::new(stream, called.early, called.ended, session, bounds, gone);
            let stream = Farewell::new(stream, async move {
                // sftp-server always ends well; whoever is gone already does not hear it.
                let said = (handle.eof(id).await, handle.exit_status_request(id, 0).await);
                tracing::trace!(?said, "sftp said goodbye");
            });
            // Only starts it.
            russh_sftp::server::run(stream, sftp).await;
            ended.cancelled().await;
        };
        opened.running = Some(self.tasks.spawn(program));
    }
}
