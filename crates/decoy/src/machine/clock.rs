//! The machine's only source of time, handed in from outside.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

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

    /// Lets time pass, as `sleep` does.
    pub async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Measures our own effort; nothing of it is shown to a visitor.
    pub fn stopwatch(&self) -> Instant {
        Instant::now()
    }

    /// The time.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }
}
