//! Money and tokens that may be spent: per day, per network, per source, per session.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;

use crate::Usd;

/// Tells the number of the current day.
type Calendar = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// US dollars.
    Usd,
    /// Tokens, those of questions and of answers together; one token is one billionth in the amounts of a purse.
    Tokens,
}

/// Told the day and what is spent and reserved together, whenever that changes.
type Watcher = Box<dyn Fn(u64, Usd) + Send + Sync>;

/// A sum of money, or of tokens: what is spent and what is reserved together never exceed it.
pub struct Purse {
    name: String,
    limit: Usd,
    unit: Unit,
    watcher: OnceLock<Watcher>,
    /// `None`: the purse is never refilled.
    calendar: Option<Calendar>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    day: u64,
    spent: Usd,
    reserved: Usd,
}

impl Purse {
    /// A purse that is filled once, for example for one session.
    pub fn once(name: impl Into<String>, limit: Usd) -> Self {
        Self::made(name, limit, Unit::Usd, None)
    }

    fn made(name: impl Into<String>, limit: Usd, unit: Unit, calendar: Option<Calendar>) -> Self {
        let state = State { day: calendar.as_ref().map_or(0, |calendar| calendar()), ..State::default() };
        Self { name: name.into(), limit, unit, watcher: OnceLock::new(), calendar, state: Mutex::new(state) }
    }

    /// A purse of tokens that is filled once.
    pub fn tokens_once(name: impl Into<String>, limit: u64) -> Self {
        Self::made(name, Usd::from_nanos(limit), Unit::Tokens, None)
    }

    /// A purse of tokens that is refilled at midnight, UTC.
    pub fn tokens_daily(name: impl Into<String>, limit: u64) -> Self {
        Self::made(name, Usd::from_nanos(limit), Unit::Tokens, Some(Arc::new(today)))
    }

    /// A purse that is refilled at midnight, UTC.
    pub fn daily(name: impl Into<String>, limit: Usd) -> Self {
        Self::daily_by(name, limit, Arc::new(today))
    }

    /// As [`Purse::daily`], by another calendar.
    pub fn daily_by(
        name: impl Into<String>,
        limit: Usd,
        calendar: Arc<dyn Fn() -> u64 + Send + Sync>,
    ) -> Self {
        Self::made(name, limit, Unit::Usd, Some(calendar))
    }

    /// What it is for: `day`, `source`, `session`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds when full.
    pub fn limit(&self) -> Usd {
        self.limit
    }

    /// What is counted.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Calls `watcher` with the day and with what is spent and reserved together whenever that changes, and before the
    /// money is spent; what it writes down is never less than what is owed. Only the first watcher counts.
    pub fn watch(&self, watcher: impl Fn(u64, Usd) + Send + Sync + 'static) {
        // A second one would be a mistake of the program, and losing it loses no money.
        let _first_wins = self.watcher.set(Box::new(watcher));
    }

    fn tell(&self, state: &State) {
        if let Some(watcher) = self.watcher.get() {
            watcher(state.day, state.spent.plus(state.reserved));
        }
    }

    /// The day and what was spent on it, to be kept over a restart.
    pub fn spent(&self) -> (u64, Usd) {
        let mut state = self.state.lock();
        self.turn(&mut state);
        (state.day, state.spent)
    }

    /// Continues after a restart: what was spent on `day` counts if it is still that day.
    pub fn restore(&self, day: u64, spent: Usd) {
        let mut state = self.state.lock();
        self.turn(&mut state);
        if state.day == day {
            state.spent = state.spent.max(spent);
        }
    }

    /// Puts `amount` aside, if there is that much left.
    pub(super) fn reserve(&self, amount: Usd) -> bool {
        let mut state = self.state.lock();
        self.turn(&mut state);
        let committed = state.spent.plus(state.reserved).plus(amount);
        if committed > self.limit {
            return false;
        }
        state.reserved = state.reserved.plus(amount);
        self.tell(&state);
        true
    }

    /// Spends `cost` of what was put aside and gives back the rest.
    pub(super) fn settle(&self, reserved: Usd, cost: Usd) {
        let mut state = self.state.lock();
        self.turn(&mut state);
        state.reserved = state.reserved.minus(reserved);
        state.spent = state.spent.plus(cost);
        self.tell(&state);
    }

    /// Nothing spent, nothing reserved.
    fn untouched(&self) -> bool {
        let mut state = self.state.lock();
        self.turn(&mut state);
        state.spent == Usd::ZERO && state.reserved == Usd::ZERO
    }

    fn turn(&self, state: &mut State) {
        if let Some(calendar) = &self.calendar {
            let day = calendar();
            // A clock that goes back must not refill the purse.
            if day > state.day {
                state.day = day;
                state.spent = Usd::ZERO;
            }
        }
    }
}

impl std::fmt::Debug for Purse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = *self.state.lock();
        write!(
            f,
            "Purse({}: {} of {} spent, {} reserved)",
            self.name, state.spent, self.limit, state.reserved
        )
    }
}

fn today() -> u64 {
    const DAY: u64 = 24 * 3600;
    // Before 1970 every day is the first.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / DAY)
}

/// One daily purse for each source, bounded in number.
pub struct Purses {
    name: String,
    limit: Usd,
    unit: Unit,
    most: usize,
    purses: Mutex<HashMap<String, Arc<Purse>>>,
    overflow: Arc<Purse>,
}

impl Purses {
    /// At most `most` purses of `limit` each. When there are that many, those that spent nothing today make room; when
    /// all did, newcomers share one purse, so that many sources cannot spend more than many purses.
    pub fn new(name: impl Into<String>, limit: Usd, most: usize) -> Self {
        Self::made(name.into(), limit, Unit::Usd, most)
    }

    /// As [`Purses::new`], of tokens.
    pub fn tokens(name: impl Into<String>, limit: u64, most: usize) -> Self {
        Self::made(name.into(), Usd::from_nanos(limit), Unit::Tokens, most)
    }

    fn made(name: String, limit: Usd, unit: Unit, most: usize) -> Self {
        let overflow = Arc::new(Purse::made(name.clone(), limit, unit, Some(Arc::new(today))));
        Self { name, limit, unit, most, purses: Mutex::default(), overflow }
    }

    /// The purse of `key`, normally a source address.
    pub fn of(&self, key: &str) -> Arc<Purse> {
        let mut purses = self.purses.lock();
        if let Some(purse) = purses.get(key) {
            return purse.clone();
        }
        if purses.len() >= self.most {
            // A purse somebody still holds stays, or its next spending would be forgotten.
            purses.retain(|_, purse| Arc::strong_count(purse) > 1 || !purse.untouched());
        }
        if purses.len() >= self.most {
            return self.overflow.clone();
        }
        let purse = Purse::made(self.name.clone(), self.limit, self.unit, Some(Arc::new(today)));
        let purse = Arc::new(purse);
        purses.insert(key.to_owned(), purse.clone());
        purse
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn cents(n: u64) -> Usd {
        Usd::from_nanos(n * 10_000_000)
    }

    #[test]
    fn a_daily_purse_is_refilled_by_a_new_day_only() {
        let day = Arc::new(AtomicU64::new(10));
        let read = day.clone();
        let purse = Purse::daily_by("day", cents(10), Arc::new(move || read.load(Ordering::SeqCst)));
        assert!(purse.reserve(cents(6)));
        purse.settle(cents(6), cents(6));
        assert!(!purse.reserve(cents(5)));
        day.store(9, Ordering::SeqCst);
        assert!(!purse.reserve(cents(5)), "a clock set back refills nothing");
        day.store(11, Ordering::SeqCst);
        assert!(purse.reserve(cents(5)));
        assert!(!purse.reserve(cents(6)), "reservations count");
        purse.restore(11, cents(5));
        assert!(!purse.reserve(cents(1)), "what was spent before a restart counts");
    }

    #[test]
    fn many_sources_share_what_is_left_over() {
        let purses = Purses::new("source", cents(1), 2);
        let (a, b) = (purses.of("a"), purses.of("b"));
        assert!(a.reserve(cents(1)));
        assert!(b.reserve(cents(1)));
        let (c, d) = (purses.of("c"), purses.of("d"));
        assert!(c.reserve(cents(1)));
        assert!(!d.reserve(cents(1)), "c and d share");
        assert!(Arc::ptr_eq(&purses.of("a"), &a));
        b.settle(cents(1), Usd::ZERO);
        drop(b);
        let e = purses.of("e");
        assert!(e.reserve(cents(1)), "b spent nothing and made room");
    }
}
