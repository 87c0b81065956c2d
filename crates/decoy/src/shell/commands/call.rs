//! One call of a program: what it is given, and what it says.

use std::{collections::HashMap, time::SystemTime};

use futures::future::BoxFuture;

use super::environment;
use crate::{
    machine::{Files, Identity},
    shell::{operands, session::Session},
};

/// One call of a program.
pub(in crate::shell) struct Call<'a> {
    pub(in crate::shell) session: &'a Session,
    /// The word the program was called by, without a path.
    pub(in crate::shell) name: &'a str,
    pub(in crate::shell) args: &'a [String],
    pub(in crate::shell) cwd: &'a str,
    pub(in crate::shell) vars: Option<&'a HashMap<String, String>>,
    /// What is piped in; `None` when input is the terminal or nothing.
    pub(in crate::shell) stdin: Option<&'a [u8]>,
    /// Output goes to the terminal.
    pub(in crate::shell) to_terminal: bool,
    /// Called as `busybox NAME`: the same work, other words.
    pub(in crate::shell) applet: bool,
}

impl Call<'_> {
    pub(in crate::shell::commands) fn files(&self) -> &Files {
        self.session.files()
    }

    pub(in crate::shell::commands) fn identity(&self) -> &Identity {
        self.session.identity()
    }

    pub(in crate::shell::commands) fn now(&self) -> SystemTime {
        self.session.contact.visitor.now()
    }

    /// The absolute path of an operand.
    pub(in crate::shell::commands) fn path(&self, operand: &str) -> String {
        // An empty name is nowhere (ENOENT), whatever is to be done with it.
        if operand.is_empty() {
            return "/\u{1}/\u{1}".to_owned();
        }
        let full = self.files().resolve(self.cwd, operand);
        if operand.ends_with('/') && full.len() > 1 { full + "/" } else { full }
    }

    /// A variable of the shell.
    pub(in crate::shell::commands) fn var(&self, name: &str) -> Option<String> {
        match self.vars {
            Some(vars) => vars.get(name).cloned(),
            None => environment::of(self.session)
                .into_iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
        }
    }

    pub(in crate::shell::commands) fn is_root(&self) -> bool {
        self.session.who().uid == 0
    }

    /// The arguments cut into single-letter options, long options and operands; `valued` letters take a value.
    pub(in crate::shell::commands) fn options(&self, valued: &str) -> Options {
        Options::of(self.args, valued)
    }
}

/// Arguments as getopt(3) of glibc cuts them.
#[derive(Debug, Default)]
pub(in crate::shell::commands) struct Options {
    pub(in crate::shell::commands) letters: Vec<char>,
    pub(in crate::shell::commands) values: Vec<(char, String)>,
    pub(in crate::shell::commands) long: Vec<String>,
    pub(in crate::shell::commands) operands: Vec<String>,
}

impl Options {
    pub(in crate::shell::commands) fn of(args: &[String], valued: &str) -> Self {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                options.operands.extend(args.cloned());
                break;
            }
            if let Some(long) = arg.strip_prefix("--") {
                options.long.push(long.to_owned());
            } else if let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                let mut letters = letters.chars();
                while let Some(letter) = letters.next() {
                    if valued.contains(letter) {
                        let rest: String = letters.by_ref().collect();
                        let value =
                            if rest.is_empty() { args.next().cloned().unwrap_or_default() } else { rest };
                        options.values.push((letter, value));
                    } else {
                        options.letters.push(letter);
                    }
                }
            } else {
                options.operands.push(arg.clone());
            }
        }
        options
    }

    pub(in crate::shell::commands) fn has(&self, letter: char) -> bool {
        self.letters.contains(&letter)
    }

    pub(in crate::shell::commands) fn has_long(&self, name: &str) -> bool {
        self.long.iter().any(|long| long == name)
    }

    pub(in crate::shell::commands) fn value(&self, letter: char) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == letter).map(|(_, value)| value.as_str())
    }

    /// The first letter that is none of these.
    pub(in crate::shell::commands) fn unknown(&self, known: &str) -> Option<char> {
        self.letters.iter().copied().find(|letter| !known.contains(*letter))
    }
}

/// What a program said.
#[derive(Debug, Default)]
pub(in crate::shell) struct Said {
    pub(in crate::shell) out: Vec<u8>,
    pub(in crate::shell) err: Vec<u8>,
    pub(in crate::shell) status: i32,
}

impl Said {
    pub(in crate::shell::commands) fn out(text: impl Into<Vec<u8>>) -> Self {
        Self { out: text.into(), ..Self::default() }
    }

    pub(in crate::shell) fn err(text: impl Into<Vec<u8>>, status: i32) -> Self {
        Self { err: text.into(), status, ..Self::default() }
    }

    pub(in crate::shell::commands) fn nothing(status: i32) -> Self {
        Self { status, ..Self::default() }
    }
}

/// How a program works.
#[derive(Clone, Copy)]
pub(in crate::shell) enum Run {
    /// Answers at once.
    Now(fn(&Call<'_>) -> Said),
    /// Waits for the visitor or for the oracle.
    Waits(for<'a> fn(&'a Call<'a>) -> BoxFuture<'a, Said>),
    /// Runs another program: its words, or what it says itself.
    Passes(fn(&Call<'_>) -> Result<Vec<String>, Said>),
    /// Runs another program if the first says which; waits otherwise.
    Either(fn(&Call<'_>) -> Option<Vec<String>>, for<'a> fn(&'a Call<'a>) -> BoxFuture<'a, Said>),
}

/// The most files of one command that a model is asked for.
const MOST_LEARNT: usize = 16;

/// Learns what is in the files that a filter is about to read.
pub(in crate::shell) async fn learn(call: &Call<'_>) {
    for operand in operands::files(call.name, call.args).into_iter().take(MOST_LEARNT) {
        call.session.contact.know(&call.path(operand)).await;
    }
}
