//! Why there is no answer. Neither a prompt nor a key is ever part of it.

use std::time::Duration;

use crate::money::Usd;

/// One variant for each way a question can end without an answer.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// The provider has no key, or there is no provider.
    #[error("{provider} has no key")]
    NoKey {
        /// Which provider.
        provider: String,
    },
    /// A conversation without a message cannot be asked.
    #[error("the conversation has no message")]
    Empty,
    /// No answer in time.
    #[error("{provider} gave no answer within {after:?}")]
    Timeout {
        /// Which provider.
        provider: String,
        /// How long we waited.
        after: Duration,
    },
    /// A status of 300 to 499 other than 429: the key, the model's name or the request is not accepted.
    #[error("{provider} refused with status {status} ({code})")]
    Refused {
        /// Which provider.
        provider: String,
        /// HTTP status.
        status: u16,
        /// The provider's error code, letters, digits and `_ . -` only; `no code` when it gave none.
        code: String,
    },
    /// Status 429.
    #[error("{provider} limits the rate of questions")]
    RateLimited {
        /// Which provider.
        provider: String,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// A status of 500 or more (529: overloaded).
    #[error("{provider} failed with status {status}")]
    Failed {
        /// Which provider.
        provider: String,
        /// HTTP status.
        status: u16,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// No connection: name, route, handshake. Nothing was asked.
    #[error("{provider} cannot be reached")]
    Unreachable {
        /// Which provider.
        provider: String,
        /// What the connection said, without its URL.
        #[source]
        source: reqwest::Error,
    },
    /// The connection ended before the whole answer was there.
    #[error("{provider} ended the connection before its answer was complete")]
    Interrupted {
        /// Which provider.
        provider: String,
        /// What the connection said, without its URL.
        #[source]
        source: reqwest::Error,
    },
    /// An error in the middle of an answer that came in pieces: what came before may have been charged.
    #[error("{provider} broke off its answer with status {status}")]
    BrokenOff {
        /// Which provider.
        provider: String,
        /// The HTTP status that goes with what it said.
        status: u16,
    },
    /// An answer that is not what the interface promises.
    #[error("{provider} answered with {what}")]
    Malformed {
        /// Which provider.
        provider: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The model does not want to answer, or a filter removed the answer.
    #[error("the model of {provider} declined to answer")]
    Declined {
        /// Which provider.
        provider: String,
        /// What the refusal cost.
        cost: Usd,
    },
    /// Asking could cost more than is left.
    #[error("the budget per {purse} of {limit} has too little left")]
    Budget {
        /// Which budget: `day`, `source`, `session`.
        purse: String,
        /// Its size.
        limit: Usd,
    },
    /// Asking could take more tokens than are left.
    #[error("the budget per {purse} of {limit} tokens has too little left")]
    TokenBudget {
        /// Which budget: `day`, `network`, `source`, `session`.
        purse: String,
        /// Its size.
        limit: u64,
    },
    /// The provider failed lately and is left alone for a while.
    #[error("{provider} is left alone for {retry_after:?} after failures")]
    BreakerOpen {
        /// Which provider.
        provider: String,
        /// Until it is tried again.
        retry_after: Duration,
    },
    /// As many questions as allowed are already under way.
    #[error("{provider} already has {limit} questions under way")]
    Busy {
        /// Which provider.
        provider: String,
        /// How many may be under way.
        limit: usize,
    },
    /// Every provider was tried.
    #[error("no provider answered: {}", list(.attempts))]
    AllFailed {
        /// One error for each, in the order of trying.
        attempts: Vec<ChatError>,
    },
}

fn list(attempts: &[ChatError]) -> String {
    attempts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What a failed call may have cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bill {
    /// Certainly nothing.
    Nothing,
    /// Exactly this.
    Exactly(Usd),
    /// Perhaps all that was reserved: the provider may have worked and charged.
    Unknown,
}

impl ChatError {
    /// What the call may have cost.
    pub(crate) fn bill(&self) -> Bill {
        match self {
            Self::NoKey { .. }
            | Self::Empty
            | Self::Refused { .. }
            | Self::RateLimited { .. }
            | Self::Unreachable { .. }
            | Self::Budget { .. }
            | Self::TokenBudget { .. }
            | Self::BreakerOpen { .. }
            | Self::Busy { .. }
            | Self::Failed { status: 503 | 529, .. } => Bill::Nothing,
            Self::Declined { cost, .. } => Bill::Exactly(*cost),
            Self::Timeout { .. }
            | Self::Failed { .. }
            | Self::Interrupted { .. }
            | Self::BrokenOff { .. }
            | Self::Malformed { .. }
            | Self::AllFailed { .. } => Bill::Unknown,
        }
    }

    /// A short word for events and metrics, for example `timeout`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoKey { .. } => "no_key",
            Self::Empty => "empty",
            Self::Timeout { .. } => "timeout",
            Self::Refused { .. } => "refused",
            Self::RateLimited { .. } => "rate_limited",
            Self::Failed { .. } => "failed",
            Self::Unreachable { .. } => "unreachable",
            Self::Interrupted { .. } => "interrupted",
            Self::BrokenOff { .. } => "broken_off",
            Self::Malformed { .. } => "malformed",
            Self::Declined { .. } => "declined",
            Self::Budget { .. } | Self::TokenBudget { .. } => "budget",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::Busy { .. } => "busy",
            Self::AllFailed { attempts } => attempts.last().map_or("all_failed", Self::kind),
        }
    }
}
