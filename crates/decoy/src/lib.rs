//! What a visitor sees: the machine and the dialogues. No socket, no disk, no clock of its own.
//!
//! Invariants, each held by a house rule in `acceptance/tests/house_rules.rs`: this crate names no socket, no host
//! file, no environment variable, no host process and no system clock; the only door to the outside is [`Oracle`].

pub mod busy;
pub mod dialogue;
pub mod ftp;
pub mod http;
mod lines;
pub mod machine;
pub mod memory;
pub mod oracle;
pub mod pam;
pub mod plain;
pub mod shell;
pub mod smtp;
pub mod telnet;
pub mod terminal;
#[cfg(test)]
mod testing;

pub use ftp::Ftp;
pub use http::Http;
pub use plain::Plain;
pub use smtp::Smtp;
pub use telnet::Telnet;
pub use terminal::{Terminal, TerminalMode};

pub use dialogue::{Contact, Dialogue, Limits, Stage, Turn};
pub use machine::{Account, Clock, Login, Machine, Visitor};
pub use oracle::{Answer, Ask, Excerpt, Exchange, Grounding, NoOracle, Oracle, Question};
