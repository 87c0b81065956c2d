//! The same question is asked once.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{Hash, Hasher},
    sync::Arc,
    time::Instant,
};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{ChatError, ChatService, Conversation, Message, Reply};

/// Keeps answers, bounded by their number and by the bytes of questions and answers; the one unused longest goes first.
/// Questions that come while the same one is under way wait for its answer.
pub struct Cached<S> {
    inner: S,
    most: usize,
    most_bytes: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    answers: HashMap<Arc<Key>, Kept>,
    by_use: BTreeMap<u64, Arc<Key>>,
    uses: u64,
    bytes: usize,
    under_way: HashMap<Arc<Key>, Arc<tokio::sync::Mutex<()>>>,
}

struct Kept {
    reply: Reply,
    used: u64,
    bytes: usize,
}

/// The whole conversation, so that two different ones are never mistaken for each other.
#[derive(PartialEq, Eq)]
struct Key {
    system: Vec<String>,
    messages: Vec<Message>,
    max_tokens: u32,
    temperature: Option<u32>,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.system, &self.messages, self.max_tokens, self.temperature).hash(state);
    }
}

impl Shelf {
    fn find(&mut self, key: &Arc<Key>) -> Option<Reply> {
        let kept = self.answers.get_mut(key)?;
        self.uses += 1;
        self.by_use.remove(&kept.used);
        kept.used = self.uses;
        self.by_use.insert(self.uses, key.clone());
        Some(kept.reply.clone())
    }

    fn keep(&mut self, key: &Arc<Key>, reply: &Reply, bytes: usize, most: usize, most_bytes: usize) {
        if bytes > most_bytes || most == 0 {
            return;
        }
        while self.answers.len() >= most || self.bytes + bytes > most_bytes {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some(kept) = self.answers.remove(&oldest) {
                self.bytes -= kept.bytes;
            }
        }
        self.uses += 1;
        let kept = Kept { reply: reply.clone(), used: self.uses, bytes };
        self.by_use.insert(self.uses, key.clone());
        self.bytes += bytes;
        if let Some(before) = self.answers.insert(key.clone(), kept) {
            self.by_use.remove(&before.used);
            self.bytes -= before.bytes;
        }
    }
}

impl<S: ChatService> Cached<S> {
    /// At most `most` answers of `most_bytes` in all, questions included.
    pub fn new(inner: S, most: usize, most_bytes: usize) -> Self {
        Self { inner, most, most_bytes, shelf: Mutex::default() }
    }

    fn find(&self, key: &Arc<Key>, asked: Instant) -> Option<Reply> {
        let reply = self.shelf.lock().find(key)?;
        Some(Reply { cost_usd: 0.0, cached: true, elapsed: asked.elapsed(), ..reply })
    }
}

/// Forgets the lock of a question that is no longer under way.
struct UnderWay<'a> {
    shelf: &'a Mutex<Shelf>,
    key: Arc<Key>,
    turn: Option<Arc<tokio::sync::Mutex<()>>>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut shelf = self.shelf.lock();
        self.turn = None;
        if shelf.under_way.get(&self.key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            shelf.under_way.remove(&self.key);
        }
    }
}

#[async_trait]
impl<S: ChatService> ChatService for Cached<S> {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let asked = Instant::now();
        let key = Arc::new(Key {
            system: conversation.system.clone(),
            messages: conversation.messages.clone(),
            max_tokens: conversation.max_tokens,
            temperature: conversation.temperature.map(f32::to_bits),
        });
        if let Some(reply) = self.find(&key, asked) {
            return Ok(reply);
        }
        let turn = self.shelf.lock().under_way.entry(key.clone()).or_default().clone();
        let under_way = UnderWay { shelf: &self.shelf, key: key.clone(), turn: Some(turn.clone()) };
        let result = {
            let _turn = turn.lock().await;
            match self.find(&key, asked) {
                Some(reply) => Ok(reply),
                None => {
                    let result = self.inner.send_message(conversation).await;
                    if let Ok(reply) = &result {
                        let bytes = conversation.bytes() + reply.text.len();
                        self.shelf.lock().keep(&key, reply, bytes, self.most, self.most_bytes);
                    }
                    result
                }
            }
        };
        drop(turn);
        drop(under_way);
        result
    }

    fn name(&self) -> &str {
        self.inner.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Canned, Role};

    fn ask(text: &str) -> Conversation {
        let message = Message { role: Role::User, content: text.to_owned() };
        Conversation { system: Vec::new(), messages: vec![message], max_tokens: 10, temperature: None }
    }

    #[tokio::test]
    async fn the_same_question_is_asked_once_and_the_shelf_stays_small() {
        let cached = Cached::new(Canned::answering(|_| Ok("answer".to_owned())), 2, 1000);
        assert!(!cached.send_message(&ask("a")).await.unwrap().cached);
        assert!(cached.send_message(&ask("a")).await.unwrap().cached);
        let warmer = Conversation { temperature: Some(0.5), ..ask("a") };
        assert!(!cached.send_message(&warmer).await.unwrap().cached, "another conversation");
        assert!(cached.send_message(&ask("a")).await.unwrap().cached);
        assert!(!cached.send_message(&ask("b")).await.unwrap().cached);
        assert!(cached.send_message(&ask("a")).await.unwrap().cached, "used lately, so kept");
        assert!(!cached.send_message(&warmer).await.unwrap().cached, "unused longest, so gone");
        assert!(!cached.send_message(&ask(&"x".repeat(2000))).await.unwrap().cached);
        assert!(!cached.send_message(&ask(&"x".repeat(2000))).await.unwrap().cached, "too large to keep");
        let shelf = cached.shelf.lock();
        assert_eq!((shelf.answers.len(), shelf.by_use.len(), shelf.under_way.len()), (2, 2, 0));
        assert_eq!(shelf.bytes, shelf.answers.values().map(|kept| kept.bytes).sum::<usize>());
    }

    #[tokio::test]
    async fn failures_are_not_kept() {
        let cached = Cached::new(Canned::scripted([Err(ChatError::Empty), Ok("x".to_owned())]), 2, 1000);
        assert!(cached.send_message(&ask("a")).await.is_err());
        assert!(!cached.send_message(&ask("a")).await.unwrap().cached);
        assert_eq!(cached.shelf.lock().under_way.len(), 0);
    }

    #[tokio::test]
    async fn questions_at_the_same_time_wait_for_one_answer() {
        struct Slow(Canned);
        #[async_trait]
        impl ChatService for Slow {
            async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
                tokio::time::sleep(std::time::Duration::from_millis(30)).await;
                self.0.send_message(conversation).await
            }
            fn name(&self) -> &str {
                "slow"
            }
        }
        let cached = Cached::new(Slow(Canned::answering(|_| Ok("x".to_owned()))), 10, 1000);
        let question = ask("a");
        let (a, b, c) = tokio::join!(
            cached.send_message(&question),
            cached.send_message(&question),
            cached.send_message(&question)
        );
        assert_eq!([a, b, c].iter().filter(|r| r.as_ref().unwrap().cached).count(), 2);
        assert_eq!(cached.inner.0.asked().len(), 1);
        assert_eq!(cached.shelf.lock().under_way.len(), 0);
    }
}
