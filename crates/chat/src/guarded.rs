//! Guards around a provider: each is a [`ChatService`](crate::ChatService) itself, and does one thing.
//!
//! Around one provider, from the inside: [`Budgeted`] (money is reserved per attempt, so that a failed attempt that may
//! have been billed is counted), [`Retried`], [`Timed`], [`Breaker`], [`Limited`]. Around them all: [`Failover`], then [`Cached`],
//! which costs nothing and so stands before every budget.

mod breaker;
mod budget;
mod cache;
mod concurrency;
mod failover;
mod purses;
mod retry;
mod timeout;

use crate::{Conversation, Usd};

pub use breaker::Breaker;
pub use budget::{Budgeted, spending_from};
pub use cache::Cached;
pub use concurrency::Limited;
pub use failover::Failover;
pub use purses::{Purse, Purses, Unit};
pub use retry::Retried;
pub use timeout::Timed;

/// Somebody who can say beforehand what an answer costs at most.
pub trait Priced {
    /// The upper bound in US dollars; `None` when the price is unknown.
    fn cost_at_most(&self, conversation: &Conversation) -> Option<Usd>;

    /// The upper bound in tokens, those of the answer included.
    fn tokens_at_most(&self, conversation: &Conversation) -> u64 {
        conversation.tokens_at_most() + u64::from(conversation.max_tokens)
    }
}
