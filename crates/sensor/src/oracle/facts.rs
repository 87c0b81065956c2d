//! What a model said once is a fact from then on: found by what was asked and the state it depends on, kept over a restart,
//! bounded, and forgotten by last use.

mod journal;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use journal::Journal;
pub use journal::JournalError;

/// What a fact is found by: a digest of the question, of what it depends on, and, if it is one visitor's, of who that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of these parts; each is counted with its length, so that no two lists of parts are the same.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        Self(digest.finalize().into())
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is found by.
    pub key: Key,
    /// The word of [`decoy::Ask::kind`]: `program`, `file`, `directory`, `page`, `interpreter`, `verb` or `line`.
    pub kind: String,
    /// What it is about: a path, a command line, an address.
    pub subject: String,
    /// Facts of one family have to agree: the program's name. Empty for facts that other questions must not see: those
    /// of one visitor, and those whose question holds free text.
    pub family: String,
    /// Who wrote it.
    pub model: String,
    /// What was written; `None` when no answer was good enough, so that nobody pays for the same refusal twice.
    pub text: Option<String>,
}

impl Fact {
    fn weight(&self) -> usize {
        const OWN: usize = 200;
        let text = self.text.as_ref().map_or(0, String::len);
        OWN + self.kind.len() + self.subject.len() + self.family.len() + self.model.len() + text
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The most facts.
    pub facts: usize,
    /// The most bytes of all facts.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { facts: 20_000, bytes: 32 << 20 }
    }
}

/// All facts of a bucket.
pub struct Facts {
    shelf: Mutex<Shelf>,
    journal: Option<Journal>,
    bounds: Bounds,
    /// Questions under way, so that the same one is asked once.
    turns: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct Shelf {
    facts: HashMap<Key, Kept>,
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
}

struct Kept {
    fact: Arc<Fact>,
    used: u64,
}

impl Shelf {
    fn find(&mut self, key: &Key) -> Option<Arc<Fact>> {
        self.uses += 1;
        let kept = self.facts.get_mut(key)?;
        self.by_use.remove(&kept.used);
        kept.used = self.uses;
        self.by_use.insert(self.uses, *key);
        Some(Arc::clone(&kept.fact))
    }

    /// Puts a fact on the shelf; gives those that had to go.
    fn keep(&mut self, fact: Arc<Fact>, bounds: Bounds) -> Vec<Arc<Fact>> {
        let mut gone = Vec::new();
        if let Some(before) = self.facts.remove(&fact.key) {
            self.by_use.remove(&before.used);
            self.bytes -= before.fact.weight();
        }
        while self.facts.len() >= bounds.facts || self.bytes + fact.weight() > bounds.bytes {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some(kept) = self.facts.remove(&oldest) {
                self.bytes -= kept.fact.weight();
                gone.push(kept.fact);
            }
        }
        self.uses += 1;
        self.bytes += fact.weight();
        self.by_use.insert(self.uses, fact.key);
        self.facts.insert(fact.key, Kept { fact, used: self.uses });
        gone
    }

    /// All facts, the one unused longest first.
    fn in_order(&self) -> Vec<Arc<Fact>> {
        self.by_use
            .values()
            .filter_map(|key| self.facts.get(key))
            .map(|kept| Arc::clone(&kept.fact))
            .collect()
    }
}

/// Ends the turn of a question; forgets it when nobody else waits.
pub struct Turn<'a> {
    facts: &'a Facts,
    key: Key,
    guard: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut turns = self.facts.turns.lock();
        if turns.get(&self.key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(&self.key);
        }
    }
}

impl Facts {
    /// Facts that live as long as the program.
    pub fn in_memory(bounds: Bounds) -> Self {
        Self { shelf: Mutex::default(), journal: None, bounds, turns: Mutex::default() }
    }

    /// Facts that lie in `folder`. A damaged file is named in the diagnostics and set aside; what can be read of it is kept.
    ///
    /// # Errors
    /// The folder or the file cannot be made, read or written.
    pub fn open(folder: &Path, bounds: Bounds) -> Result<Self, JournalError> {
        let (journal, known) = Journal::open(folder)?;
        let facts = Self { journal: Some(journal), ..Self::in_memory(bounds) };
        {
            let mut shelf = facts.shelf.lock();
            for fact in known {
                shelf.keep(Arc::new(fact), bounds);
            }
        }
        facts.tidy();
        Ok(facts)
    }

    /// The fact of this key; it counts as used.
    pub fn find(&self, key: &Key) -> Option<Arc<Fact>> {
        self.shelf.lock().find(key)
    }

    /// Waits until nobody else asks the same.
    pub async fn turn(&self, key: Key) -> Turn<'_> {
        let turn = Arc::clone(self.turns.lock().entry(key).or_default());
        let guard = turn.lock_owned().await;
        Turn { facts: self, key, guard: Some(guard) }
    }

    /// Keeps a fact; gives those that were forgotten for it.
    pub fn keep(&self, fact: Fact) -> Vec<Arc<Fact>> {
        let fact = Arc::new(fact);
        if fact.weight() > self.bounds.bytes {
            return Vec::new();
        }
        let gone = self.shelf.lock().keep(Arc::clone(&fact), self.bounds);
        if let Some(journal) = &self.journal {
            journal.append(&fact);
        }
        self.tidy();
        gone
    }

    /// Writes the journal anew when most of it is forgotten.
    fn tidy(&self) {
        let Some(journal) = &self.journal else { return };
        let live = self.shelf.lock().bytes as u64;
        if journal.is_wasteful(live) {
            let facts = self.shelf.lock().in_order();
            journal.rewrite(&facts);
        }
    }

    /// Facts that every visitor may know of, of one family, the latest used first.
    pub fn of_family(&self, family: &str, most: usize) -> Vec<Arc<Fact>> {
        if family.is_empty() {
            return Vec::new();
        }
        let shelf = self.shelf.lock();
        // Facts of long ago matter little, and a full shelf is long.
        const LOOKED_AT: usize = 2000;
        let latest = shelf.by_use.values().rev().take(LOOKED_AT).filter_map(|key| shelf.facts.get(key));
        latest
            .filter(|kept| kept.fact.family == family && kept.fact.text.is_some())
            .take(most)
            .map(|kept| Arc::clone(&kept.fact))
            .collect()
    }

    /// Every fact of a kind.
    pub fn of_kind(&self, kind: &str) -> Vec<Arc<Fact>> {
        let mut facts = self.shelf.lock().in_order();
        facts.retain(|fact| fact.kind == kind);
        facts
    }

    /// How many facts there are, and their bytes.
    pub fn totals(&self) -> (usize, usize) {
        let shelf = self.shelf.lock();
        (shelf.facts.len(), shelf.bytes)
    }

    /// Puts the order of use on disk. To be called at the end and now and then.
    pub fn save_order(&self) {
        if let Some(journal) = &self.journal {
            let facts = self.shelf.lock().in_order();
            journal.rewrite(&facts);
        }
    }
}

#[cfg(test)]
mod tests;
