//! Leaves a provider alone that fails again and again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{ChatError, ChatService, Conversation, Reply};

/// Failures in a row that open the breaker.
const FAILURES: u32 = 3;
/// How long it stays open the first time; doubled each time the trial fails.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause of our own.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The longest pause a provider can ask us for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Closed: calls pass. Open: calls fail at once. When the pause is over one call is let through as a trial.
pub struct Breaker<S> {
    inner: S,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    pause: Duration,
    open_until: Option<Instant>,
    trial: bool,
    /// The kind of failure that the diagnostics were told last; `None` when all was well.
    told: Option<String>,
}

/// What a result says about the provider.
enum Health {
    Well,
    /// Our own doing: says nothing.
    Unknown,
    Ill,
    /// It will go on failing: the key or the model's name is wrong.
    Hopeless,
    /// It asked to be left alone.
    Asked(Duration),
}

fn health(result: &Result<Reply, ChatError>) -> Health {
    let Err(error) = result else { return Health::Well };
    match error {
        ChatError::Declined { .. } => Health::Well,
        ChatError::RateLimited { retry_after, .. } => Health::Asked(retry_after.unwrap_or(FIRST_PAUSE)),
        ChatError::Failed { retry_after: Some(wait), .. } => Health::Asked(*wait),
        ChatError::Refused { status: 400 | 413 | 422, .. } => Health::Unknown,
        ChatError::Refused { .. } => Health::Hopeless,
        ChatError::Timeout { .. }
        | ChatError::Failed { .. }
        | ChatError::Unreachable { .. }
        | ChatError::Interrupted { .. }
        | ChatError::BrokenOff { .. }
        | ChatError::Malformed { .. } => Health::Ill,
        ChatError::NoKey { .. }
        | ChatError::Empty
        | ChatError::Budget { .. }
        | ChatError::TokenBudget { .. }
        | ChatError::BreakerOpen { .. }
        | ChatError::Busy { .. }
        | ChatError::AllFailed { .. } => Health::Unknown,
    }
}

/// What the operator can do.
fn remedy(error: &ChatError) -> &'static str {
    match error {
        ChatError::Refused { status: 401 | 403, .. } => "check the key",
        ChatError::Refused { status: 404, .. } => "check the model's name and base_url",
        ChatError::Refused { status: 400 | 413 | 422, .. } => "check the model's name and the templates",
        ChatError::Refused { .. } => "check base_url",
        ChatError::RateLimited { .. } => "wait, or ask the provider for a higher limit",
        ChatError::Unreachable { .. } => "check base_url, the network, the proxy and chat.ca_file",
        ChatError::Timeout { .. } => "raise chat.timeout or choose a faster model",
        ChatError::Malformed { .. } => "check that base_url is a server of this interface",
        _ => "none; it is tried again by itself",
    }
}

impl<S: ChatService> Breaker<S> {
    /// Opens after three failures in a row.
    pub fn new(inner: S) -> Self {
        Self::by(inner, Arc::new(Instant::now))
    }

    /// As [`Breaker::new`], by another clock.
    pub fn by(inner: S, clock: Arc<dyn Fn() -> Instant + Send + Sync>) -> Self {
        Self { inner, clock, state: Mutex::default() }
    }

    /// Whether a call may pass, and whether it is the trial.
    fn admit(&self) -> Result<bool, ChatError> {
        let now = (self.clock)();
        let mut state = self.state.lock();
        let Some(until) = state.open_until else { return Ok(false) };
        if now < until || state.trial {
            let retry_after = until.saturating_duration_since(now);
            return Err(ChatError::BreakerOpen { provider: self.name().to_owned(), retry_after });
        }
        state.trial = true;
        Ok(true)
    }

    /// Says in the diagnostics what changed: each kind of failure once, and the first answer after one.
    fn tell(&self, result: &Result<Reply, ChatError>) {
        let failure = match result {
            Ok(_) => None,
            // Our own doing, or said elsewhere.
            Err(
                ChatError::Budget { .. }
                | ChatError::TokenBudget { .. }
                | ChatError::BreakerOpen { .. }
                | ChatError::Busy { .. }
                | ChatError::Empty
                | ChatError::NoKey { .. }
                | ChatError::Declined { .. },
            ) => return,
            Err(ChatError::Refused { status, code, .. }) => Some(format!("refused {status} {code}")),
            Err(ChatError::Failed { status, .. } | ChatError::BrokenOff { status, .. }) => {
                Some(format!("failed {status}"))
            }
            Err(error) => Some(error.kind().to_owned()),
        };
        let mut state = self.state.lock();
        if state.told == failure {
            return;
        }
        state.told.clone_from(&failure);
        drop(state);
        match result {
            Ok(_) => tracing::info!(provider = self.inner.name(), "answers"),
            Err(error) => {
                tracing::warn!(provider = self.inner.name(), %error, remedy = remedy(error), "gives no answer; visitors get local ones");
            }
        }
    }

    fn learn(&self, health: Health) {
        let now = (self.clock)();
        let mut state = self.state.lock();
        let was_open = state.open_until.is_some();
        let pause = match health {
            Health::Unknown => return,
            Health::Well => {
                let told = state.told.take();
                *state = State { told, ..State::default() };
                return;
            }
            Health::Asked(wait) => wait.clamp(Duration::from_secs(1), LONGEST_ASKED),
            Health::Hopeless => LONGEST_PAUSE,
            Health::Ill => {
                state.failures = state.failures.saturating_add(1);
                if state.failures < FAILURES {
                    return;
                }
                if state.pause.is_zero() { FIRST_PAUSE } else { (state.pause * 2).min(LONGEST_PAUSE) }
            }
        };
        state.failures = FAILURES;
        state.pause = pause.min(LONGEST_PAUSE);
        // Calls that were under way when the breaker opened must not shorten the pause.
        state.open_until = Some(state.open_until.map_or(now + pause, |until| until.max(now + pause)));
        if !was_open {
            tracing::warn!(provider = self.inner.name(), ?pause, "left alone after failures");
        }
    }
}

/// Ends a trial however it ends, also when the call is dropped.
struct Trial<'a>(Option<&'a Mutex<State>>);

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.0 {
            state.lock().trial = false;
        }
    }
}

#[async_trait]
impl<S: ChatService> ChatService for Breaker<S> {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let trial = Trial(self.admit()?.then_some(&self.state));
        let result = self.inner.send_message(conversation).await;
        self.learn(health(&result));
        self.tell(&result);
        drop(trial);
        result
    }

    fn name(&self) -> &str {
        self.inner.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Canned, Message, Role};

    fn hello() -> Conversation {
        let message = Message { role: Role::User, content: "hello".to_owned() };
        Conversation { system: Vec::new(), messages: vec![message], max_tokens: 10, temperature: None }
    }

    fn ill() -> Result<String, ChatError> {
        Err(ChatError::Failed { provider: "p".to_owned(), status: 500, retry_after: None })
    }

    fn with_clock(canned: Canned) -> (Breaker<Canned>, Arc<Mutex<Instant>>) {
        let now = Arc::new(Mutex::new(Instant::now()));
        let read = now.clone();
        (Breaker::by(canned, Arc::new(move || *read.lock())), now)
    }

    #[tokio::test]
    async fn three_failures_open_it_and_one_trial_closes_it() {
        let (breaker, now) = with_clock(Canned::scripted([ill(), ill(), ill(), ill(), Ok("ok".to_owned())]));
        for _ in 0..3 {
            assert!(matches!(breaker.send_message(&hello()).await, Err(ChatError::Failed { .. })));
        }
        assert!(matches!(breaker.send_message(&hello()).await, Err(ChatError::BreakerOpen { .. })));
        assert_eq!(breaker.inner.asked().len(), 3, "an open breaker asks nobody");
        *now.lock() += FIRST_PAUSE;
        assert!(matches!(breaker.send_message(&hello()).await, Err(ChatError::Failed { .. })), "the trial");
        *now.lock() += FIRST_PAUSE;
        let still = breaker.send_message(&hello()).await;
        assert!(matches!(still, Err(ChatError::BreakerOpen { .. })), "the pause doubled");
        *now.lock() += FIRST_PAUSE;
        assert_eq!(breaker.send_message(&hello()).await.unwrap().text, "ok");
        assert!(breaker.state.lock().open_until.is_none());
    }

    #[tokio::test]
    async fn a_provider_that_asks_to_wait_is_left_alone_so_long() {
        let wait = Some(Duration::from_secs(42));
        let limited = Err(ChatError::RateLimited { provider: "p".to_owned(), retry_after: wait });
        let (breaker, now) = with_clock(Canned::scripted([limited, Ok("ok".to_owned())]));
        assert!(breaker.send_message(&hello()).await.is_err());
        *now.lock() += Duration::from_secs(41);
        assert!(matches!(breaker.send_message(&hello()).await, Err(ChatError::BreakerOpen { .. })));
        *now.lock() += Duration::from_secs(1);
        assert!(breaker.send_message(&hello()).await.is_ok());
    }

    #[tokio::test]
    async fn a_wrong_key_opens_it_at_once_but_a_bad_question_never() {
        let refused =
            |status| Err(ChatError::Refused { provider: "p".to_owned(), status, code: "no code".to_owned() });
        let (breaker, _) =
            with_clock(Canned::scripted([refused(400), refused(400), refused(400), refused(401)]));
        for _ in 0..4 {
            assert!(matches!(breaker.send_message(&hello()).await, Err(ChatError::Refused { .. })));
        }
        assert!(matches!(breaker.send_message(&hello()).await, Err(ChatError::BreakerOpen { .. })));
    }

    #[tokio::test]
    async fn a_trial_that_is_dropped_lets_the_next_one_try() {
        let (breaker, now) = with_clock(Canned::scripted([ill(), ill(), ill(), Ok("ok".to_owned())]));
        for _ in 0..3 {
            assert!(breaker.send_message(&hello()).await.is_err());
        }
        *now.lock() += FIRST_PAUSE;
        assert!(breaker.admit().unwrap());
        drop(Trial(Some(&breaker.state)));
        assert!(breaker.send_message(&hello()).await.is_ok());
    }
}
