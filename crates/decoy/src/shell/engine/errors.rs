//! What a line writes to standard error: in the words of the real programs, and all of it.

use std::{collections::HashMap, sync::atomic::Ordering};

use parking_lot::Mutex;

use crate::shell::{dash, phrases, session::Session, wording};

/// Errors as the visitor sees them; `top` is what the shell's own begin with.
pub(super) fn worded(session: &Session, top: &str, text: &str) -> String {
    let script = session.dash_text.lock().clone();
    let denied = session.denied.lock().clone();
    let kept_out = denied.as_deref().map(|to| wording::kept_out(text, to));
    let text = kept_out.as_deref().unwrap_or(text);
    let text = wording::reword(text, top, session.dash_line(), &|name| session.is_dash(name), &script);
    if !script.is_empty() && dash::is_fatal(&text) {
        session.dash_failed.store(true, Ordering::Relaxed);
    }
    let text = phrases::of_programs(text, &session.arguments.lock(), &session.cwd.lock());
    let traces = session.dash_traces.load(Ordering::Relaxed);
    if traces { dash::trace(text).into_owned() } else { text.into_owned() }
}

/// The most that is remembered of what a line has told so far.
const MOST: usize = 64 * 1024;

/// What has been told while a line runs. The library streams errors as they come, but keeps those of a compound command to
/// itself when the compound command behind its pipe has said something.
#[derive(Default)]
pub(super) struct Told(Mutex<String>);

impl Told {
    pub(super) fn add(&self, text: &str) {
        let mut told = self.0.lock();
        if told.len() <= MOST {
            told.push_str(text);
        }
    }

    /// What is among all errors and was not told.
    pub(super) fn rest_of(&self, all: &str) -> String {
        let told = self.0.lock();
        if all.len() <= told.len() || told.len() > MOST || all.len() > MOST {
            return String::new();
        }
        let mut known: HashMap<&str, usize> = HashMap::new();
        for line in told.lines() {
            *known.entry(line).or_default() += 1;
        }
        let is_new = |line: &&str| match known.get_mut(line.trim_end_matches('\n')) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        all.split_inclusive('\n').filter(is_new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_told_is_found() {
        let told = Told::default();
        told.add("a\nb\n");
        assert_eq!(told.rest_of("a\nb\n"), "");
        assert_eq!(told.rest_of("a\nc\nb\na\n"), "c\na\n");
    }
}
