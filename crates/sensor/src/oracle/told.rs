//! Who was told what the machine says without a model: they are told so again for a while, although a model could be
//! asked by now. A machine that changes its mind between two equal questions is none.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::facts::Key;

/// How long it holds.
const HOLDS: Duration = Duration::from_secs(3600);
/// The most that are remembered; the oldest goes first.
const MOST: usize = 8192;

/// Visitors with the questions that nobody could be asked for them.
#[derive(Default)]
pub(super) struct Told(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    until: HashMap<(String, Key), Instant>,
    order: VecDeque<(String, Key)>,
}

impl Told {
    /// Remembers that `source` heard the machine's own answer to this question.
    pub(super) fn note(&self, source: &str, key: Key, now: Instant) {
        let mut entries = self.0.lock();
        let entry = (source.to_owned(), key);
        if entries.until.insert(entry.clone(), now + HOLDS).is_none() {
            entries.order.push_back(entry);
        }
        while entries.order.len() > MOST {
            if let Some(oldest) = entries.order.pop_front() {
                entries.until.remove(&oldest);
            }
        }
    }

    /// Whether `source` heard it, not long ago.
    pub(super) fn knows(&self, source: &str, key: Key, now: Instant) -> bool {
        let entries = self.0.lock();
        !entries.until.is_empty()
            && entries.until.get(&(source.to_owned(), key)).is_some_and(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_for_a_while_for_one_visitor_and_is_bounded() {
        let (told, now) = (Told::default(), Instant::now());
        let key = |number: usize| Key::of([number.to_string().as_str()]);
        told.note("a", key(1), now);
        assert!(
            told.knows("a", key(1), now) && !told.knows("b", key(1), now) && !told.knows("a", key(2), now)
        );
        assert!(!told.knows("a", key(1), now + HOLDS));
        (2..MOST + 10).for_each(|number| told.note("a", key(number), now));
        let entries = told.0.lock();
        assert!(entries.until.len() == MOST && entries.order.len() == MOST);
    }
}
