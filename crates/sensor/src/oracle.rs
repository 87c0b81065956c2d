//! Not know: ask. A question of the decoy is looked up among the facts, kept from the model when it is not meant for the
//! server, put to the model with what the answer has to agree with, and the answer is checked before it becomes a fact.

pub mod facts;
pub mod guard;
pub mod prompt;
pub mod telemetry;
pub mod templates;
mod told;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use chat::{ChatError, ChatService, Purse, spending_from};
use decoy::{Answer, Ask, Machine, Oracle, Question, machine::source_key};
use parking_lot::Mutex;
use wire::EventKind;

use crate::session::Session;
use facts::{Fact, Facts, Key};
use guard::{incoming, outgoing};
use prompt::{Known, Prompter};
use telemetry::Telemetry;
use templates::Templates;
use told::Told;

/// How many facts of a family a question is shown.
const KNOWN: usize = 6;
/// The most of one such fact, in characters.
const KNOWN_TEXT: usize = 700;
/// The most questions of one session that may reach a model.
const SESSION_MOST: u32 = 300;
/// Files that one session may have read for it in one breath, and how soon there is room for another one.
const FILES_AT_ONCE: u32 = 6;
const FILE_EVERY: Duration = Duration::from_secs(2);

/// Purses for a visit: those of its session, its source and its network.
pub type PursesOf = Box<dyn Fn(std::net::IpAddr) -> Vec<Arc<Purse>> + Send + Sync>;

/// What all sessions of a bucket ask.
pub struct Mind {
    chat: Arc<dyn ChatService>,
    machine: Arc<Machine>,
    facts: Facts,
    prompter: Prompter,
    /// Sentences of our prompts, which no visitor may see.
    sentences: Vec<String>,
    purses: PursesOf,
    telemetry: Telemetry,
    told: Told,
}

impl Mind {
    /// A mind for this machine. What is known of listed files is put into the machine.
    pub fn new(
        chat: Arc<dyn ChatService>,
        machine: &Arc<Machine>,
        facts: Facts,
        templates: Templates,
        (prompt_tokens, answer_tokens): (usize, u32),
        purses: PursesOf,
    ) -> Arc<Self> {
        for fact in facts.of_kind("file") {
            // The image may no longer list the file.
            let _kept = machine.learn(&fact.subject, fact.text.as_deref().unwrap_or_default().as_bytes());
        }
        let sentences = templates.sentences();
        let prompter = Prompter::new(templates, machine, prompt_tokens, answer_tokens);
        let machine = Arc::clone(machine);
        Arc::new(Self {
            chat,
            machine,
            facts,
            prompter,
            sentences,
            purses,
            telemetry: Telemetry::default(),
            told: Told::default(),
        })
    }

    /// The oracle of one session.
    pub fn of_session(self: &Arc<Self>, session: &Session) -> Arc<dyn Oracle> {
        let purses = (self.purses)(session.peer().ip());
        Arc::new(SessionOracle {
            mind: Arc::clone(self),
            source: source_key(session.peer().ip()).to_string(),
            session: session.clone(),
            purses,
            asked: AtomicU32::new(0),
            files: Mutex::new((FILES_AT_ONCE, Instant::now())),
        })
    }

    /// Numbers for `/metrics`.
    pub fn metrics(&self) -> String {
        self.telemetry.text(self.facts.totals())
    }

    /// Puts on disk in which order facts were used.
    pub fn save(&self) {
        self.facts.save_order();
    }
}

/// Who an answer holds for, and what it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    key: Key,
    /// For every visitor of the bucket.
    shared: bool,
    /// Shown to other questions of this family; empty for none.
    family: String,
    subject: String,
}

/// A question is the machine's when nothing that the visitor did decides the answer and they wrote no free text: then the
/// first answer holds for everybody. Otherwise it is theirs.
fn place(question: &Question, source: &str) -> Place {
    let what = &question.what;
    let written = what.written();
    let plain = written.len() <= 200 && written.chars().all(|c| (' '..='~').contains(&c));
    let shared = question.ground.own.is_empty()
        && match what {
            Ask::Program { stdin, .. } => stdin.is_empty() && plain,
            Ask::File { .. } | Ask::Directory { .. } => true,
            Ask::Verb { given, .. } => !given.contains('\n') && plain,
            Ask::Page { method, .. } => method == "GET" && plain,
            Ask::Reply { .. } | Ask::Line { .. } => plain,
        };
    // What other questions are shown must not be a way to speak to them.
    let bare = |text: &str| {
        text.len() <= 80
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/' | ':' | '='))
            && text.split(' ').count() <= 6
    };
    let family = match what {
        Ask::Program { words, .. } if shared && bare(&written) => words.first().cloned().unwrap_or_default(),
        Ask::Reply { program, .. } if shared && bare(&written) => program.clone(),
        _ => String::new(),
    };
    let mut parts: Vec<&str> = vec![what.kind()];
    match what {
        Ask::Program { words, cwd, user, stdin } => {
            parts.extend([cwd.as_str(), user.as_str(), stdin.as_str()]);
            parts.extend(words.iter().map(String::as_str));
        }
        Ask::File { path, size: _, head: _ } | Ask::Directory { path } => parts.push(path),
        Ask::Verb { daemon, script, given } => {
            parts.extend([daemon.as_str(), script.as_str(), given.as_str()]);
        }
        Ask::Page { method, target } => parts.extend([method.as_str(), target.as_str()]),
        Ask::Reply { program, line } => parts.extend([program.as_str(), line.as_str()]),
        Ask::Line { banner, line } => parts.extend([banner.as_str(), line.as_str()]),
    }
    parts.push(if shared { "machine" } else { source });
    parts.extend(question.ground.own.iter().map(String::as_str));
    Place { key: Key::of(parts), shared, family, subject: written.chars().take(300).collect() }
}

struct SessionOracle {
    mind: Arc<Mind>,
    session: Session,
    source: String,
    purses: Vec<Arc<Purse>>,
    asked: AtomicU32,
    /// Files that may be asked for now, and since when.
    files: Mutex<(u32, Instant)>,
}

/// What all calls for one question cost.
#[derive(Default)]
struct Bill {
    model: String,
    tokens_in: u64,
    tokens_out: u64,
    usd: f64,
    cached: bool,
}

impl SessionOracle {
    fn note(&self, kind: &'static str, bill: &Bill, ms: u64, reason: &str) {
        let fallback = !reason.is_empty();
        if fallback {
            self.mind.telemetry.fallback(kind, reason.split(':').next().unwrap_or(reason));
        }
        self.session.note(EventKind::ChatAnswer {
            model: bill.model.clone(),
            kind: kind.to_owned(),
            tokens_in: bill.tokens_in,
            tokens_out: bill.tokens_out,
            cost_usd: bill.usd,
            ms,
            cached: bill.cached,
            fallback,
            reason: reason.to_owned(),
        });
    }

    /// Whether this session may ask once more.
    fn admits(&self, what: &Ask) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= SESSION_MOST {
            return false;
        }
        if !matches!(what, Ask::File { .. }) {
            return true;
        }
        let mut files = self.files.lock();
        let due = u32::try_from(files.1.elapsed().as_millis() / FILE_EVERY.as_millis()).unwrap_or(u32::MAX);
        if due > 0 {
            *files = (files.0.saturating_add(due).min(FILES_AT_ONCE), Instant::now());
        }
        let room = files.0 > 0;
        files.0 = files.0.saturating_sub(1);
        room
    }

    /// The fact of this place, if there is one.
    fn remembered(&self, kind: &'static str, place: &Place, since: Instant) -> Option<Option<String>> {
        let fact = self.mind.facts.find(&place.key)?;
        self.mind.telemetry.cached(kind);
        let bill = Bill { model: fact.model.clone(), cached: true, ..Bill::default() };
        self.note(kind, &bill, ms(since), if fact.text.is_none() { "refused_before" } else { "" });
        Some(fact.text.clone())
    }

    /// Asks the model, twice at most; gives what passed the guard.
    async fn consult(
        &self,
        question: &Question,
        place: &Place,
        bill: &mut Bill,
    ) -> Result<Option<String>, ChatError> {
        let (mind, kind) = (&self.mind, question.what.kind());
        let now = mind.machine.now();
        let known = mind.facts.of_family(&place.family, KNOWN).into_iter().map(|fact| Known {
            subject: fact.subject.clone(),
            text: fact.text.as_deref().unwrap_or_default().chars().take(KNOWN_TEXT).collect(),
        });
        let mut conversation = mind.prompter.conversation(question, &known.collect::<Vec<_>>(), now);
        let guard = outgoing::Outgoing { identity: &mind.machine.identity, now, sentences: &mind.sentences };
        for attempt in 0..2 {
            let asked = Instant::now();
            let replied = spending_from(self.purses.clone(), mind.chat.send_message(&conversation)).await;
            let reply = match replied {
                Ok(reply) => reply,
                // Nothing at all is a bad answer like any other: the same question gets no other one tomorrow.
                Err(error) if error.is_silence() => {
                    mind.telemetry.guard("out", "empty");
                    conversation = mind.prompter.again(&conversation, "", "empty");
                    continue;
                }
                // A second try that fails is as good as a second bad answer, but says nothing about the question.
                Err(error) => return Err(error),
            };
            bill.model.clone_from(&reply.model);
            bill.tokens_in += reply.tokens_in;
            bill.tokens_out += reply.tokens_out;
            bill.usd += reply.cost_usd;
            bill.cached = reply.cached;
            let tokens = (reply.tokens_in, reply.tokens_out);
            mind.telemetry.call(&reply.model, kind, tokens, reply.cost_usd, asked.elapsed());
            match outgoing::check(&reply.text, &question.what, &guard) {
                Ok(text) => return Ok(Some(text)),
                Err(reason) => {
                    mind.telemetry.guard("out", reason);
                    tracing::debug!(kind, reason, attempt, "the guard refused an answer");
                    conversation = mind.prompter.again(&conversation, &reply.text, reason);
                }
            }
        }
        Ok(None)
    }
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Oracle for SessionOracle {
    async fn ask(&self, question: Question) -> Answer {
        let since = Instant::now();
        let kind = question.what.kind();
        let otherwise = Answer { text: question.otherwise.clone(), invented: false };
        let answer = |text: Option<String>| match text {
            Some(text) => Answer { text: Bytes::from(text), invented: true },
            None => otherwise.clone(),
        };
        // Paths of the machine's own are not written by visitors.
        if !matches!(question.what, Ask::File { .. } | Ask::Directory { .. })
            && let Some(reason) = incoming::reason(&question.what.written())
        {
            self.mind.telemetry.guard("in", reason);
            let bill = Bill { model: self.mind.chat.name().to_owned(), ..Bill::default() };
            self.note(kind, &bill, ms(since), &format!("guard: {reason}"));
            return otherwise;
        }
        let place = place(&question, &self.source);
        if let Some(text) = self.remembered(kind, &place, since) {
            return answer(text);
        }
        let mut bill = Bill { model: self.mind.chat.name().to_owned(), ..Bill::default() };
        if self.mind.told.knows(&self.source, place.key, since) {
            self.note(kind, &bill, ms(since), "told_before");
            return otherwise;
        }
        let _turn = self.mind.facts.turn(place.key).await;
        if let Some(text) = self.remembered(kind, &place, since) {
            return answer(text);
        }
        if !self.admits(&question.what) {
            self.mind.told.note(&self.source, place.key, since);
            self.note(kind, &bill, ms(since), "session_limit");
            return otherwise;
        }
        match self.consult(&question, &place, &mut bill).await {
            Ok(text) => {
                let fact = Fact {
                    key: place.key,
                    kind: kind.to_owned(),
                    subject: place.subject,
                    family: if text.is_some() { place.family } else { String::new() },
                    model: bill.model.clone(),
                    text: text.clone(),
                };
                for gone in self.mind.facts.keep(fact) {
                    if gone.kind == "file" {
                        self.mind.machine.unlearn(&gone.subject);
                    }
                }
                self.note(kind, &bill, ms(since), if text.is_none() { "refused_or_out_of_role" } else { "" });
                answer(text)
            }
            Err(error) => {
                // Without any provider there is nothing to tell for every question; the start has warned once.
                if !matches!(error, ChatError::NoKey { .. }) {
                    self.mind.told.note(&self.source, place.key, since);
                    self.note(kind, &bill, ms(since), &format!("{}: {error}", error.kind()));
                }
                otherwise
            }
        }
    }
}

#[cfg(test)]
mod tests;
