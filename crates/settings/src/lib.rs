//! Settings files read whole: every fault named with its line, every key overridable from the environment.
//!
//! Both programs read their settings through this crate, so a fault reads the same in both. A reader asks for each key
//! by name; what nobody asked for is an unknown key. Faults are collected, never returned one by one.

mod section;
mod tree;

use std::fmt;

pub use section::{Found, Section};
pub use tree::{Origin, Tree};

/// One thing wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where the value stands; `None` for something that is missing.
    pub origin: Option<Origin>,
    /// Dotted path of the key, empty for the file as a whole.
    pub key: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(Origin::Line(line)) => write!(f, "line {line}: ")?,
            Some(Origin::Environment(name)) => write!(f, "environment {name}: ")?,
            None => {}
        }
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

/// Everything wrong with the settings, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The file, as the operator named it.
    pub file: String,
    /// Never empty in an error.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        write!(f, "{}: {count} fault{}", self.file, if count == 1 { "" } else { "s" })?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
