//! The line at work: what its text tells of where it writes, who reads it, and whether it is remembered.

use std::{sync::atomic::Ordering, time::Duration};

use super::{super::scripts, Session};

/// The most lines that `history` knows.
const MOST_HISTORY: usize = 500;
/// The most bytes of them all.
const MOST_HISTORY_BYTES: usize = 64 * 1024;

/// How much of the line at work is remembered.
const LONGEST_LINE: usize = 4096;

impl Session {
    /// A line is about to run.
    pub(in crate::shell) fn begin_line(&self, line: &str, cwd: &str) {
        cwd.clone_into(&mut self.cwd.lock());
        *self.line.lock() = line.trim_end_matches('\n').chars().take(LONGEST_LINE).collect();
        // A program that was interrupted did not come to tell that it is gone.
        self.end_reading();
        self.errors_shown.store(!scripts::hides_errors(line), Ordering::Relaxed);
        self.polled.lock().1 = Duration::ZERO;
        self.dash.lock().clear();
        self.dash_text.lock().clear();
        self.dash_traces.store(false, Ordering::Relaxed);
        *self.runner.lock() = None;
        *self.denied.lock() = None;
        *self.given_to_shell.lock() = None;
        self.last_words.lock().clear();
        self.piped.store(line.contains(['|', '>', '$', '`', '(']), Ordering::Relaxed);
        self.feeds.store(feeds(line), Ordering::Relaxed);
        let traps = line.trim_start().starts_with("trap ") && !line.contains(['(', '|', '`']);
        self.typed_trap.store(traps, Ordering::Relaxed);
        let to_errors = ["2>", "&>", ">&"].iter().any(|sign| line.contains(sign));
        self.err_redirected.store(to_errors, Ordering::Relaxed);
        let to_output = line.replace("2>&1", "").replace("2>", "").contains('>');
        self.out_redirected.store(to_output, Ordering::Relaxed);
        let last = line.rsplit('|').next().unwrap_or_default();
        let pages = matches!(last.split_whitespace().next(), Some("less" | "more" | "pager"));
        self.pages.store(pages && !last.contains(['>', ';', '&']), Ordering::Relaxed);
        let without_others = line.replace("&&", "").replace(">&", "").replace("&>", "");
        self.background.store(without_others.contains('&'), Ordering::Relaxed);
        if let Some((_, lines)) = self.inner.lock().last_mut() {
            *lines = lines.saturating_add(1);
        }
        if self.launch.is_interactive()
            && !line.trim().is_empty()
            && !line.starts_with(' ')
            && self.remembers(line)
        {
            let mut history = self.history.lock();
            let bytes: usize = history.iter().map(String::len).sum();
            if history.len() < MOST_HISTORY && bytes < MOST_HISTORY_BYTES {
                history.push(line.trim_end_matches('\n').chars().take(2048).collect());
            }
        }
    }

    /// Whether the running line sends output, or errors, somewhere itself.
    pub(in crate::shell) fn redirected(&self) -> (bool, bool) {
        (self.out_redirected.load(Ordering::Relaxed), self.err_redirected.load(Ordering::Relaxed))
    }

    /// Whether the running line is a `trap` of the shell itself.
    pub(in crate::shell) fn is_typed_trap(&self) -> bool {
        self.typed_trap.load(Ordering::Relaxed)
    }

    /// Whether a line that is typed gets into the history: `set +o history` ends that, from the next line on.
    fn remembers(&self, line: &str) -> bool {
        let before = self.forgets.load(Ordering::Relaxed);
        if line.contains("set +o history") {
            self.forgets.store(true, Ordering::Relaxed);
        } else if line.contains("set -o history") {
            self.forgets.store(false, Ordering::Relaxed);
        }
        let nothing = line.split([' ', ';', '&']).any(|word| matches!(word, "HISTSIZE=0" | "HISTSIZE=\"0\""));
        if nothing {
            self.history.lock().clear();
            self.forgets.store(true, Ordering::Relaxed);
        }
        !before && !nothing
    }

    /// Whether what programs say may go somewhere else than to the terminal.
    pub(in crate::shell) fn is_piped(&self) -> bool {
        self.piped.load(Ordering::Relaxed)
    }

    /// Whether something of the running line may be read by something else of it.
    pub(in crate::shell) fn feeds(&self) -> bool {
        self.feeds.load(Ordering::Relaxed)
    }

    /// Whether the pager of the running line has the terminal.
    pub(in crate::shell) fn is_paged(&self) -> bool {
        self.pages.load(Ordering::Relaxed)
    }

    /// The running line runs this text too.
    pub(in crate::shell) fn note_script(&self, text: &str) {
        self.feeds.fetch_or(feeds(text), Ordering::Relaxed);
        if scripts::hides_errors(text) {
            self.errors_shown.store(false, Ordering::Relaxed);
        }
    }

    /// Whether no error of the running line can go anywhere but to the visitor.
    pub(in crate::shell) fn shows_errors(&self) -> bool {
        self.errors_shown.load(Ordering::Relaxed)
    }

    /// Whether something of the running line is in the background.
    pub(in crate::shell) fn has_background(&self) -> bool {
        self.background.load(Ordering::Relaxed)
    }

    /// Whether what runs now is in the background.
    pub(in crate::shell) fn set_background(&self, background: bool) {
        self.background.store(background, Ordering::Relaxed);
    }
}

/// Whether text has a pipe or a substitution in it.
fn feeds(text: &str) -> bool {
    text.replace("||", "").contains(['|', '`'])
        || ["$(", "<(", "eval", " sh"].iter().any(|sign| text.contains(sign))
}
