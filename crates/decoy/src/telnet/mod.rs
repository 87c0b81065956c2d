//! Telnet as telnetd of GNU inetutils 2.4 with Debian's login(1), then the terminal.
//!
//! Order and bytes follow transcripts of that daemon (`tests/transcripts/telnet`). Two things differ on purpose: a
//! client that answers no options gets its login prompt after some seconds, or when it types twice (the real one waits for
//! ever), and what is typed ahead of a password prompt is not thrown away. Most attackers' scripts need both.

mod login;
mod options;

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    dialogue::{Contact, Dialogue, Stage},
    terminal::Terminal,
};
pub use options::Options;
use options::{
    AUTHENTICATION, BINARY, DO, ECHO, ENCRYPT, LFLOW, LINEMODE, LOGOUT, NAWS, NEW_ENVIRON, OLD_ENVIRON, SGA,
    STATUS, TIMING_MARK, TSPEED, TTYPE, WILL, XDISPLOC,
};

/// How long a client may leave options unanswered. telnetd waits for ever; visitors who know nothing of options are
/// let on after all, but not before scanners have stopped waiting (nmap: 7.5 seconds at most).
const PATIENCE: Duration = Duration::from_secs(8);
/// login.defs(5), `LOGIN_TIMEOUT`.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// login.defs(5), `LOGIN_RETRIES`.
const MOST_FAILURES: u32 = 5;
/// The longest name or password (the kernel's `MAX_CANON` less its end).
const LONGEST_ANSWER: usize = 4095;
/// The most control keys that wait for the first prompt.
const MOST_EARLY: usize = 256;
const TTY: &str = "pts/0";

/// One Telnet connection.
pub struct Telnet {
    contact: Contact,
    /// Said before the login prompt, in place of the kernel's name.
    banner: Option<String>,
    options: Box<Options>,
    phase: Phase,
    line: Vec<u8>,
    /// The same with every key that was pressed for it.
    raw: Vec<u8>,
    full: bool,
    window: Option<(u16, u16)>,
    failures: u32,
    /// Keys that came before there was somebody to read them.
    early: Vec<u8>,
    /// There was something among them.
    typed_early: bool,
    /// Typed with the name's line end or behind it.
    ahead: Vec<u8>,
}

enum Phase {
    /// Waiting for answers to the first options.
    Kinds,
    /// Waiting for what the client tells about itself.
    Details,
    /// Waiting for the answer to NAWS.
    Window,
    /// At `login: `.
    Name,
    /// At `Password: `, for this name.
    Password(Vec<u8>),
    /// Logged in.
    Shell(Box<Terminal>),
    Over,
}

/// Options whose details are asked for, in telnetd's order.
const DETAILS: [u8; 5] = [TSPEED, XDISPLOC, NEW_ENVIRON, OLD_ENVIRON, TTYPE];

impl Telnet {
    /// A connection to the machine's Telnet port.
    pub fn new(contact: Contact) -> Self {
        Self {
            contact,
            banner: None,
            options: Box::new(Options::new()),
            phase: Phase::Kinds,
            line: Vec::new(),
            raw: Vec::new(),
            full: false,
            window: None,
            failures: 0,
            early: Vec::new(),
            typed_early: false,
            ahead: Vec::new(),
        }
    }

    /// Opens with this text instead of the kernel's name; a line end is added.
    #[must_use]
    pub fn with_banner(mut self, text: &str) -> Self {
        self.banner = Some(format!("{}\r\n", text.trim_end_matches(['\r', '\n'])));
        self
    }

    /// Goes on with the negotiation as far as the client's answers allow; with `force`, to its end.
    fn advance(&mut self, force: bool, stage: &Stage) {
        let mut out = Vec::new();
        if let Phase::Kinds = self.phase {
            let first = [AUTHENTICATION, ENCRYPT].iter().any(|&option| self.options.is_open(false, option));
            let open = first || DETAILS.iter().any(|&option| self.options.is_open(true, option));
            if open && !force {
                return;
            }
            for option in DETAILS {
                if self.options.is_on(true, option) {
                    self.options.ask_details(option, &mut out);
                }
            }
            self.phase = Phase::Details;
        }
        if let Phase::Details = self.phase {
            let missing =
                |option: &u8| self.options.is_on(true, *option) && !self.options.has_details(*option);
            if force || !DETAILS.iter().any(missing) {
                self.options.ask(WILL, SGA, &mut out);
                self.options.ask(DO, ECHO, &mut out);
                self.options.ask(DO, LINEMODE, &mut out);
                self.options.ask(DO, NAWS, &mut out);
                self.options.ask(WILL, STATUS, &mut out);
                self.options.ask(DO, LFLOW, &mut out);
                self.phase = Phase::Window;
            }
        }
        stage.say(std::mem::take(&mut out));
        if let Phase::Window = self.phase
            && (force || !self.options.is_open(true, NAWS))
        {
            self.options.ask(WILL, ECHO, &mut out);
            self.options.ask(DO, TIMING_MARK, &mut out);
            self.options.ask(DO, BINARY, &mut out);
            let identity = self.contact.visitor.identity();
            let (release, host) = (&identity.kernel_release, identity.full_name());
            match &self.banner {
                Some(banner) => out.extend_from_slice(&Options::encode(banner.as_bytes())),
                None => {
                    out.extend_from_slice(format!("\r\nLinux {release} ({host}) ({TTY})\r\n\r\n").as_bytes());
                }
            }
            stage.say(out);
            self.ask_name(stage);
        }
    }

    /// Whether options are still spoken of.
    fn is_settling(&self) -> bool {
        matches!(self.phase, Phase::Kinds | Phase::Details | Phase::Window)
    }

    /// Waits for the client no longer, and reads what it has typed.
    async fn go_on(&mut self, stage: &Stage) {
        self.advance(true, stage);
        let early = std::mem::take(&mut self.early);
        self.press_all(early, stage).await;
    }
}

#[async_trait]
impl Dialogue for Telnet {
    async fn open(&mut self, stage: &Stage) {
        let mut out = Vec::new();
        self.options.ask(WILL, AUTHENTICATION, &mut out);
        self.options.ask(WILL, ENCRYPT, &mut out);
        for option in [TTYPE, TSPEED, XDISPLOC, NEW_ENVIRON, OLD_ENVIRON] {
            self.options.ask(DO, option, &mut out);
        }
        stage.say(out);
    }

    async fn hear(&mut self, bytes: &[u8], stage: &Stage) {
        if let Phase::Shell(terminal) = &mut self.phase {
            return terminal.hear(bytes, stage).await;
        }
        let keys = self.options.decode(bytes, stage);
        if let Some(window) = self.options.take_window() {
            self.window = Some(window);
        }
        if self.options.is_on(false, LOGOUT) {
            return self.hang_up(stage);
        }
        // A client that types, and types again, before its options are settled knows nothing of options. telnetd would
        // answer neither; scanners type once and listen.
        let typed = is_typed(&keys);
        if typed && std::mem::replace(&mut self.typed_early, true) {
            self.go_on(stage).await;
        } else {
            self.advance(false, stage);
            // The client's own answers may have settled them.
            if !self.is_settling() {
                let early = std::mem::take(&mut self.early);
                self.press_all(early, stage).await;
            }
        }
        self.press_all(keys, stage).await;
    }

    async fn end(&mut self, stage: &Stage) {
        match &mut self.phase {
            Phase::Shell(terminal) => terminal.end(stage).await,
            _ => {
                // Typed in vain, but typed.
                if is_typed(&self.early) {
                    self.go_on(stage).await;
                }
                self.hang_up(stage);
            }
        }
    }

    async fn timed_out(&mut self, stage: &Stage) {
        let settling = self.is_settling();
        match &mut self.phase {
            Phase::Shell(terminal) => terminal.timed_out(stage).await,
            _ if settling => self.go_on(stage).await,
            _ => {
                stage.say("\r\nLogin timed out after 60 seconds.\r\n");
                self.hang_up(stage);
            }
        }
    }

    fn idle_limit(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Kinds | Phase::Details | Phase::Window => Some(PATIENCE),
            Phase::Name | Phase::Password(_) | Phase::Over => Some(LOGIN_TIMEOUT),
            Phase::Shell(terminal) => terminal.idle_limit(),
        }
    }
}

/// Whether there is a letter or a line end among the keys.
fn is_typed(keys: &[u8]) -> bool {
    keys.iter().any(|&key| key >= 0x20 || key == b'\r' || key == b'\n')
}

#[cfg(test)]
mod tests;
