//! What a visitor did that later answers depend on: the state of programs that nobody emulates.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// The most that is remembered of one visitor; the oldest goes first.
const MOST: usize = 64;
/// The longest line that is remembered, in characters.
const LONGEST: usize = 400;

/// Commands that changed something, by family (`docker`, `git`, a web application), oldest first.
#[derive(Default)]
pub struct Doings(Mutex<VecDeque<(String, String)>>);

impl Doings {
    /// Remembers a command.
    pub fn note(&self, family: &str, line: &str) {
        let mut doings = self.0.lock();
        if doings.len() >= MOST {
            doings.pop_front();
        }
        let short = |text: &str| text.chars().take(LONGEST).collect();
        doings.push_back((short(family), short(line)));
    }

    /// What was done in this family.
    pub fn of(&self, family: &str) -> Vec<String> {
        self.0.lock().iter().filter(|(known, _)| known == family).map(|(_, line)| line.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_by_family() {
        let doings = Doings::default();
        (0..100).for_each(|n| doings.note(if n % 2 == 0 { "git" } else { "docker" }, &format!("{n}")));
        let git = doings.of("git");
        assert_eq!((git.len(), git.first().map(String::as_str)), (32, Some("36")));
        doings.note("git", &"x".repeat(10_000));
        assert_eq!(doings.of("git").last().map(String::len), Some(LONGEST));
    }
}
