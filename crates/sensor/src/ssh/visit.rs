//! One SSH visit: what the client asks of the connection, recorded and answered as sshd does.

mod programs;

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use decoy::{Account, Contact, Login, memory::Pool, pam, shell::Window};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, Pty,
    client::GexParams,
    kex::dh::groups::DhGroup,
    keys::{HashAlg, PublicKey},
    server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session as Connection},
};
use tokio::{sync::OwnedSemaphorePermit, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{EventKind, event::Captured};

use super::{METHODS, Startup, forwarding::record_forwarded, moduli, waiting_room::WaitingRoom, within};
use crate::{artifacts::Artifacts, handler::Bounds, session::Session};

/// sshd_config(5): MaxSessions.
const MAX_SESSIONS: usize = 10;
/// The most environment variables and bytes of them that are kept.
const MAX_VARIABLES: usize = 32;
/// How much of one text from the client goes into an event.
const TEXT_LIMIT: usize = 4096;

/// The longest name of a terminal; the longest of terminfo's own have about thirty bytes.
const TERM_LIMIT: usize = 64;

/// The handler of one connection.
pub struct Visit {
    contact: Contact,
    session: Session,
    bounds: Bounds,
    artifacts: Arc<Artifacts>,
    account: Option<Account>,
    startup: Startup,
    channels: HashMap<ChannelId, Opened>,
    terminals: usize,
    tasks: TaskTracker,
    gone: CancellationToken,
    /// Memory of all sftp channels.
    pool: Pool,
}

/// A channel: waiting for what to do, or with something running on it.
#[derive(Default)]
struct Opened {
    waiting: Option<WaitingRoom>,
    running: Option<JoinHandle<()>>,
    window: Option<(u16, u16)>,
    /// The window of the program that runs.
    shown: Option<Window>,
    env: Vec<(String, String)>,
    /// Cancelled when the channel is closed.
    gone: CancellationToken,
}

impl Visit {
    /// A visit that has not logged in; what runs on its channels is among `tasks` and ends soon after `gone`.
    pub fn new(
        contact: Contact,
        session: Session,
        bounds: Bounds,
        artifacts: Arc<Artifacts>,
        startup: Startup,
        tasks: TaskTracker,
        gone: CancellationToken,
    ) -> Self {
        let pool = contact.visitor.uploads().share(contact.limits.upload_bytes.saturating_mul(2));
        Self {
            contact,
            session,
            bounds,
            artifacts,
            account: None,
            startup,
            channels: HashMap::new(),
            terminals: 0,
            tasks,
            gone,
            pool,
        }
    }

    /// Whether a forwarding leads to the machine itself, and nothing listens there.
    fn is_closed_port(&self, host: &str, port: u32) -> bool {
        let identity = self.contact.visitor.identity();
        let here = host
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback() || ip == self.contact.local.ip().to_canonical());
        let named = host == "localhost" || host == identity.hostname || host == identity.full_name();
        (here || named) && ![21, 22, 23, 25, 80].contains(&port)
    }

    /// Makes room for channels that we have closed: the library tells us only of those that the client closes first.
    fn forget_ended(&mut self) {
        self.channels.retain(|_, opened| opened.running.as_ref().is_none_or(|task| !task.is_finished()));
    }

    async fn try_password(&mut self, user: &str, password: &[u8]) -> Auth {
        let word = String::from_utf8_lossy(password);
        let login = self.contact.visitor.log_in(user, &word);
        self.session.note(EventKind::login(matches!(login, Login::Accepted(_)), user.as_bytes(), password));
        match login {
            Login::Accepted(account) => {
                self.account = Some(account);
                self.startup.finish();
                Auth::Accept
            }
            Login::Refused => {
                tokio::time::sleep(pam::delay(pam::UNIX)).await;
                // Both methods stay: without this the library takes back the one that failed.
                Auth::Reject { proceed_with_methods: Some(METHODS.into()), partial_success: false }
            }
        }
    }

    fn note_key(&self, user: &str, key: &PublicKey) {
        let text = key.to_openssh().unwrap_or_else(|error| format!("unreadable key: {error}"));
        self.session.note(EventKind::ClientFingerprint {
            username: text_of(user),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
            key: text_of(&text),
            key_type: key.algorithm().to_string(),
        });
    }
}

/// A text of the client, cut.
fn text_of(text: &str) -> String {
    Captured::new(text.as_bytes(), TEXT_LIMIT).text
}

/// Terminals are never larger than this in events and programs.
fn cells(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn answer(connection: &mut Connection, id: ChannelId, well: bool) -> Result<(), russh::Error> {
    if well { connection.channel_success(id) } else { connection.channel_failure(id) }
}

impl Handler for Visit {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.try_password(user, password.as_bytes()).await)
    }

    async fn costly_exchange(&mut self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes the queue; were it closed, everybody would have a turn.
        Arc::clone(&self.startup.turns).acquire_owned().await.ok()
    }

    async fn lookup_dh_gex_group(&mut self, wishes: &GexParams) -> Result<Option<DhGroup>, Self::Error> {
        let file = self.contact.visitor.files().read(moduli::FILE).unwrap_or_default();
        let (least, most) = (wishes.min_group_size(), wishes.max_group_size());
        Ok(moduli::choose(&file, least, wishes.preferred_group_size(), most))
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        self.note_key(user, offer.public_key);
        Ok(Auth::reject())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        self.forget_ended();
        if self.channels.len() >= MAX_SESSIONS {
            self.session
                .note(EventKind::LimitHit { limit: "ssh_channels".to_owned(), value: MAX_SESSIONS as u64 });
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        }
        let (id, gone) = (channel.id(), self.gone.child_token());
        let waiting = WaitingRoom::seat(channel, &self.tasks, gone.clone());
        self.channels.insert(id, Opened { waiting: Some(waiting), gone, ..Opened::default() });
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(
        &mut self,
        id: ChannelId,
        _connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        if let Some(opened) = self.channels.remove(&id) {
            opened.gone.cancel();
        }
        Ok(())
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        self.session.note(EventKind::ClientSize { width: columns, height: rows });
        // A channel has one terminal, and gets it before its program.
        let opened = self.channels.get_mut(&id);
        let opened = opened.filter(|opened| opened.window.is_none() && opened.waiting.is_some());
        let well = opened.is_some();
        if let Some(opened) = opened {
            opened.window = Some((cells(columns), cells(rows)));
            opened.env.push(("TERM".to_owned(), Captured::new(term.as_bytes(), TERM_LIMIT).text));
        }
        answer(connection, id, well)
    }

    async fn window_change_request(
        &mut self,
        id: ChannelId,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        _connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        self.session.note(EventKind::ClientSize { width: columns, height: rows });
        if let Some(opened) = self.channels.get_mut(&id) {
            match &opened.shown {
                Some(window) => window.resize(cells(columns), cells(rows)),
                None => opened.window = opened.window.map(|_| (cells(columns), cells(rows))),
            }
        }
        Ok(())
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        name: &str,
        value: &str,
        connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        self.session.note(EventKind::ClientVar { name: text_of(name), value: text_of(value) });
        // Debian's sshd_config: AcceptEnv LANG LC_*.
        let accepted = name == "LANG" || name.starts_with("LC_");
        let mut well = false;
        if let Some(opened) = self.channels.get_mut(&id)
            && accepted
            && opened.env.len() < MAX_VARIABLES
        {
            opened.env.push((text_of(name), text_of(value)));
            well = true;
        }
        answer(connection, id, well)
    }

    async fn shell_request(&mut self, id: ChannelId, connection: &mut Connection) -> Result<(), Self::Error> {
        // The answer goes out before the program's first byte.
        let well = self.channels.get(&id).is_some_and(|opened| opened.waiting.is_some());
        answer(connection, id, well)?;
        self.start(id, None);
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        let well = self.channels.get(&id).is_some_and(|opened| opened.waiting.is_some());
        answer(connection, id, well)?;
        self.start(id, Some(command.to_vec()));
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        let waiting = self.channels.get_mut(&id).filter(|opened| name == "sftp" && opened.waiting.is_some());
        let granted = waiting.is_some() && self.account.is_some();
        self.session.note(EventKind::SshRequest {
            request: "subsystem".to_owned(),
            value: text_of(name),
            granted,
        });
        answer(connection, id, granted)?;
        if granted {
            self.serve_files(id, connection.handle());
        }
        Ok(())
    }

    async fn tcpip_forward(
        &mut self,
        address: &str,
        port: &mut u32,
        _connection: &mut Connection,
    ) -> Result<bool, Self::Error> {
        self.session.note(EventKind::SshRequest {
            request: "tcpip-forward".to_owned(),
            value: format!("{}:{port}", text_of(address)),
            granted: true,
        });
        // sshd listens where it is asked to; nobody ever calls there.
        if *port == 0 {
            *port = rand::random_range(32_768..60_999);
        }
        Ok(true)
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        from: &str,
        from_port: u32,
        reply: ChannelOpenHandle,
        _connection: &mut Connection,
    ) -> Result<(), Self::Error> {
        let target = text_of(host);
        self.session.note(EventKind::DirectTcpipRequest {
            orig_ip: text_of(from),
            orig_port: from_port,
            target_host: target.clone(),
            target_port: port,
        });
        self.forget_ended();
        if self.channels.len() >= MAX_SESSIONS || self.is_closed_port(host, port) {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        }
        let id = channel.id();
        reply.accept().await;
        let gone = self.gone.child_token();
        let recording = record_forwarded(channel, self.session.clone(), target, port);
        let running = self.tasks.spawn(within(recording, gone.clone()));
        self.channels.insert(id, Opened { running: Some(running), gone, ..Opened::default() });
        Ok(())
    }
}
