//! No call that could cost more than is left.
//!
//! Before a call its upper bound is reserved in every purse concerned; after it the true cost is settled. A call that
//! is dropped on the way (a visitor hangs up, a timeout fires) may have been billed, so it keeps its reservation as spent.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Priced, Purse, purses::Unit};
use crate::{ChatError, ChatService, Conversation, Reply, Usd, error::Bill};

tokio::task_local! {
    static PURSES: Vec<Arc<Purse>>;
}

/// Runs `asking` so that what it spends is also taken from `purses`, for example those of a session and of its source.
///
/// The purses travel with the task and not with the conversation, because the decision falls in the innermost guard, and
/// the guards between know nothing of sessions. A task spawned inside `asking` spends from the provider's own purses only.
pub async fn spending_from<F: Future>(purses: Vec<Arc<Purse>>, asking: F) -> F::Output {
    PURSES.scope(purses, asking).await
}

/// Reserves before, settles after.
pub struct Budgeted<S> {
    inner: S,
    purses: Vec<Arc<Purse>>,
}

impl<S: ChatService + Priced> Budgeted<S> {
    /// Every call is paid from all of `purses`, and from those of [`spending_from`].
    pub fn new(inner: S, purses: Vec<Arc<Purse>>) -> Self {
        Self { inner, purses }
    }
}

/// Money put aside in several purses. Dropped unsettled, all of it counts as spent.
struct Reservation {
    purses: Vec<Arc<Purse>>,
    bound: Sum,
    cost: Sum,
}

/// An amount in both units.
#[derive(Clone, Copy, Default)]
struct Sum {
    usd: Usd,
    tokens: u64,
}

impl Sum {
    fn of(&self, unit: Unit) -> Usd {
        match unit {
            Unit::Usd => self.usd,
            Unit::Tokens => Usd::from_nanos(self.tokens),
        }
    }
}

impl Reservation {
    fn new(wanted: Vec<Arc<Purse>>, bound: Sum) -> Result<Self, ChatError> {
        // What was put aside so far is given back when a later purse has too little.
        let mut reservation = Self { purses: Vec::with_capacity(wanted.len()), bound, cost: Sum::default() };
        for purse in wanted {
            if !purse.reserve(bound.of(purse.unit())) {
                let name = purse.name().to_owned();
                return Err(match purse.unit() {
                    Unit::Usd => ChatError::Budget { purse: name, limit: purse.limit() },
                    Unit::Tokens => ChatError::TokenBudget { purse: name, limit: purse.limit().nanos() },
                });
            }
            reservation.purses.push(purse);
        }
        reservation.cost = bound;
        Ok(reservation)
    }

    fn settle(mut self, cost: Sum) {
        self.cost = cost;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        for purse in &self.purses {
            purse.settle(self.bound.of(purse.unit()), self.cost.of(purse.unit()));
        }
    }
}

#[async_trait]
impl<S: ChatService + Priced> ChatService for Budgeted<S> {
    async fn send_message(&self, conversation: &Conversation) -> Result<Reply, ChatError> {
        let mut purses = self.purses.clone();
        // Outside of `spending_from` there are no further purses.
        purses.extend(PURSES.try_with(Clone::clone).unwrap_or_default());
        if purses.is_empty() {
            return self.inner.send_message(conversation).await;
        }
        let Some(bound) = self.inner.cost_at_most(conversation) else {
            // `build` leaves such a provider out; a service put together by hand must not spend unseen money either.
            return Err(ChatError::Budget { purse: "unknown price".to_owned(), limit: Usd::ZERO });
        };
        let most = Sum { usd: bound, tokens: self.inner.tokens_at_most(conversation) };
        let reservation = Reservation::new(purses, most)?;
        let result = self.inner.send_message(conversation).await;
        let cost = match &result {
            Ok(reply) => Usd::from_dollars(reply.cost_usd).unwrap_or(bound),
            Err(error) => match error.bill() {
                Bill::Nothing => Usd::ZERO,
                Bill::Exactly(cost) => cost,
                Bill::Unknown => bound,
            },
        };
        if cost > bound {
            tracing::warn!(provider = self.name(), %cost, %bound, "an answer cost more than its bound");
        }
        let tokens = match &result {
            // A provider that does not say how many there were may have counted all of them.
            Ok(reply) if reply.tokens_in + reply.tokens_out > 0 => reply.tokens_in + reply.tokens_out,
            Err(error) if error.bill() == Bill::Nothing => 0,
            Ok(_) | Err(_) => most.tokens,
        };
        if tokens > most.tokens {
            tracing::warn!(
                provider = self.name(),
                tokens,
                bound = most.tokens,
                "an answer took more tokens than its bound"
            );
        }
        reservation.settle(Sum { usd: cost, tokens });
        result
    }

    fn name(&self) -> &str {
        self.inner.name()
    }
}

impl<S: Priced> Priced for Budgeted<S> {
    fn cost_at_most(&self, conversation: &Conversation) -> Option<Usd> {
        self.inner.cost_at_most(conversation)
    }

    fn tokens_at_most(&self, conversation: &Conversation) -> u64 {
        self.inner.tokens_at_most(conversation)
    }
}
