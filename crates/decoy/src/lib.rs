//! What a visitor sees: the machine and the dialogues. No socket, no disk, no clock of its own.
//!
//! Invariants, each held by a house rule in `acceptance/tests/house_rules.rs`: this crate names no socket, no host
//! file, no environment variable, no host process and no system clock; the only door to the outside is [`Oracle`].

pub mod busy;
pub mod dialogue;
pub mod machine;
pub mod oracle;
pub mod shell;

pub use dialogue::{Contact, Dialogue, Limits, Stage, Turn};
pub use machine::{Account, Clock, Login, Machine, Visitor};
pub use oracle::{Answer, Ask, NoOracle, Oracle, Question};
