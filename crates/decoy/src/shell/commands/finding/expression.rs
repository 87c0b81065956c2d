//! What `find` is asked for: tests, actions, and how they are put together.

use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

use regex::Regex;

use super::printed::Piece;
use crate::machine::{Access, Attributes};

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Want {
    Exactly,
    More,
    Less,
    /// Of bits: all of them.
    AtLeast,
    /// Of bits: any of them.
    Some,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Number<T> {
    pub(super) want: Want,
    pub(super) value: T,
}

impl Number<u64> {
    pub(super) fn fits(self, value: u64) -> bool {
        match self.want {
            Want::More => value > self.value,
            Want::Less => value < self.value,
            _ => value == self.value,
        }
    }
}

/// Which time of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    Accessed,
    Born,
    Changed,
    Modified,
}

impl Field {
    pub(super) fn of(self, node: &Attributes) -> SystemTime {
        match self {
            Self::Accessed => node.atime,
            Self::Born => node.ctime.min(node.mtime),
            Self::Changed => node.ctime,
            Self::Modified => node.mtime,
        }
    }
}

/// Seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(pub(super) f64);

impl Moment {
    pub(super) fn of(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64())
    }
}

/// In what ages are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unit {
    Minutes,
    Days,
}

/// Where an action writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Out,
    Err,
    /// One of the plan's files.
    File(usize),
}

pub(super) enum Action {
    /// The path and this byte.
    Print(Target, u8),
    Format(Target, Vec<Piece>),
    List(Target),
    Delete,
    Run {
        /// Which of the plan's commands.
        id: usize,
        inside: bool,
        asks: bool,
        many: bool,
    },
}

pub(super) enum Expr {
    All(Vec<Self>),
    Any(Vec<Self>),
    List(Vec<Self>),
    Not(Box<Self>),
    Is(bool),
    Name(Regex),
    Path(Regex),
    Link(Regex),
    /// Letters of kinds; `true`: of what stands at the other end of a link.
    Kind(String, bool),
    Size(Number<u64>, u64),
    Empty,
    May(Access),
    Age(Field, Unit, Number<f64>, Moment),
    Used(Number<f64>),
    Newer(Field, SystemTime),
    Inode(Number<u64>),
    Links(Number<u64>),
    Uid(Number<u64>),
    Gid(Number<u64>),
    NoUser,
    NoGroup,
    Mode(Want, u32),
    FileSystem(String),
    Prune,
    Quit,
    Do(Action),
}

/// Which links are followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Follow {
    Never,
    Starts,
    Always,
}

/// The names behind numbers.
pub(super) struct Owners {
    pub(super) users: HashMap<u32, String>,
    pub(super) groups: HashMap<u32, String>,
}

/// All that was asked for.
pub(super) struct Plan {
    pub(super) expr: Expr,
    pub(super) starts: Vec<String>,
    pub(super) follow: Follow,
    pub(super) deepest: usize,
    pub(super) first: usize,
    pub(super) inside_first: bool,
    pub(super) stays: bool,
    pub(super) acts: bool,
    pub(super) runs: bool,
    pub(super) from: Option<String>,
    /// Files that actions write to, and what they have written.
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) commands: Vec<Vec<String>>,
    pub(super) owners: Owners,
    pub(super) now: SystemTime,
}

impl Plan {
    pub(super) fn new(owners: Owners, now: SystemTime) -> Self {
        Self {
            expr: Expr::Is(true),
            starts: Vec::new(),
            follow: Follow::Never,
            deepest: usize::MAX,
            first: 0,
            inside_first: false,
            stays: false,
            acts: false,
            runs: false,
            from: None,
            files: Vec::new(),
            commands: Vec::new(),
            owners,
            now,
        }
    }
}
