//! The machine's only source of time, handed in from outside.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// Gives the time; cheap to clone.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    waits: bool,
}

impl Clock {
    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), waits: true }
    }

    /// A clock that stands still. For tests.
    pub fn fixed(at: SystemTime) -> Self {
        Self::new(move || at)
    }

    /// A clock that stands still and lets nobody wait. For tests that play hours of visits.
    pub fn hurried(at: SystemTime) -> Self {
        Self { waits: false, ..Self::fixed(at) }
    }

    /// Lets time pass, as `sleep` does.
    pub async fn pass(&self, time: Duration) {
        if self.waits {
            tokio::time::sleep(time).await;
        } else {
            tokio::task::yield_now().await;
        }
    }

    /// Measures our own effort; nothing of it is shown to a visitor.
    pub fn stopwatch(&self) -> Instant {
        Instant::now()
    }

    /// The time.
    pub fn now(&self) -> SystemTime {
        (self.now)()
    }
}
