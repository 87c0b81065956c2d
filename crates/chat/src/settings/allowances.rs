//! What sessions, sources and networks may spend.

use std::sync::Arc;

use super::ChatSettings;
use crate::{Purse, Purses, Usd};

/// How many sources have a purse of their own; the rest share one.
const PURSES_MOST: usize = 50_000;

impl ChatSettings {
    /// The purses of sessions, sources and networks. For [`spending_from`](crate::spending_from).
    pub fn allowances(&self) -> Allowances {
        let chat = &self.chat;
        let purses = |name: &str, usd: Option<Usd>, tokens: Option<u64>| {
            let usd = usd.map(|limit| Purses::new(name, limit, PURSES_MOST));
            let tokens = tokens.map(|limit| Purses::tokens(name, limit, PURSES_MOST));
            usd.into_iter().chain(tokens).collect::<Vec<_>>()
        };
        Allowances {
            session: (chat.budget_per_session, chat.tokens_per_session),
            sources: purses("source", chat.budget_per_source_per_day, chat.tokens_per_source_per_day),
            networks: purses("network", chat.budget_per_network_per_day, chat.tokens_per_network_per_day),
        }
    }
}

/// What sessions, sources and networks may spend.
pub struct Allowances {
    session: (Option<Usd>, Option<u64>),
    sources: Vec<Purses>,
    networks: Vec<Purses>,
}

impl Allowances {
    /// The purses of a new session from this source in this network. Everybody of a source shares its purse for the day.
    pub fn of(&self, source: &str, network: &str) -> Vec<Arc<Purse>> {
        let usd = self.session.0.map(|limit| Arc::new(Purse::once("session", limit)));
        let tokens = self.session.1.map(|limit| Arc::new(Purse::tokens_once("session", limit)));
        let sources = self.sources.iter().map(|purses| purses.of(source));
        let networks = self.networks.iter().map(|purses| purses.of(network));
        usd.into_iter().chain(tokens).chain(sources).chain(networks).collect()
    }
}
