//! The machine's only source of time, handed in from outside.

use std::{sync::Arc, time::SystemTime};

/// Gives the time; cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// A clock that stands still. For tests.
    pub fn fixed(at: SystemTime) -> Self {
        Self::new(move || at)
    }

    /// The time.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }
}
