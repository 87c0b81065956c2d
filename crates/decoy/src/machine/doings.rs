//! What a visitor did that later answers depend on: the state of programs that nobody emulates.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

use super::image::varint::{Reader, put, put_bytes};

/// The most that is remembered of one visitor; the oldest goes first.
const MOST: usize = 64;
/// The longest line that is remembered, in characters.
const LONGEST: usize = 400;

/// Commands that changed something, by family (`docker`, `git`, a web application), oldest first.
#[derive(Default)]
pub struct Doings {
    lines: Mutex<VecDeque<(String, String)>>,
    noted: AtomicU64,
}

impl Doings {
    /// Remembers a command.
    pub fn note(&self, family: &str, line: &str) {
        self.noted.fetch_add(1, Ordering::Release);
        add(&mut self.lines.lock(), family, line);
    }

    /// Remembers these lines in place of all that are known of their family.
    pub(super) fn replace(&self, family: &str, new: &[String]) {
        self.noted.fetch_add(1, Ordering::Release);
        let mut lines = self.lines.lock();
        lines.retain(|(known, _)| known != family);
        new.iter().for_each(|line| add(&mut lines, family, line));
    }

    /// What was done in this family.
    pub fn of(&self, family: &str) -> Vec<String> {
        let lines = self.lines.lock();
        lines.iter().filter(|(known, _)| known == family).map(|(_, line)| line.clone()).collect()
    }

    /// How often something was noted: differs whenever there is more to save.
    pub(super) fn noted(&self) -> u64 {
        self.noted.load(Ordering::Acquire)
    }

    /// Adds all of it to `file`, for [`recall`](Doings::recall).
    pub(super) fn save(&self, file: &mut Vec<u8>) {
        let lines = self.lines.lock();
        put(file, lines.len() as u64);
        for text in lines.iter().flat_map(|(family, line)| [family, line]) {
            put_bytes(file, text.as_bytes());
        }
    }

    /// Takes over what was saved; what an older program saved has nothing of it.
    pub(super) fn recall(&self, saved: &mut Reader<'_>) -> Option<()> {
        for _ in 0..saved.count()?.min(MOST) {
            let (family, line) = (saved.text()?, saved.text()?);
            let mut lines = self.lines.lock();
            if lines.len() < MOST {
                lines.push_back((family.to_owned(), line.to_owned()));
            }
        }
        Some(())
    }
}

/// Adds a line. Where there are too many, the oldest of the largest family goes: nobody talks another's doings away.
fn add(lines: &mut VecDeque<(String, String)>, family: &str, line: &str) {
    if lines.len() >= MOST {
        let mut counts: Vec<(usize, &str)> = Vec::new();
        for (known, _) in lines.iter() {
            match counts.iter_mut().find(|(_, name)| name == known) {
                Some((count, _)) => *count += 1,
                None => counts.push((1, known)),
            }
        }
        let largest = counts.iter().max_by_key(|(count, _)| *count).map(|(_, name)| (*name).to_owned());
        let oldest = lines.iter().position(|(known, _)| Some(known) == largest.as_ref());
        lines.remove(oldest.unwrap_or_default());
    }
    let short = |text: &str| text.chars().take(LONGEST).collect();
    lines.push_back((short(family), short(line)));
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
        doings.note("boot", "once");
        (0..100).for_each(|n| doings.note("git", &format!("more {n}")));
        assert_eq!(doings.of("boot"), ["once"], "who is loud forgets their own");
        assert_eq!(doings.of("docker").len(), 31);
        doings.replace("boot", &["again".to_owned()]);
        assert_eq!(doings.of("boot"), ["again"]);
        doings.note("git", &"x".repeat(10_000));
        assert_eq!(doings.of("git").last().map(String::len), Some(LONGEST));
    }
}
