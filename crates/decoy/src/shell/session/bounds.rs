//! How long and how deep a line may work.

use std::{sync::atomic::Ordering, time::Duration};

use super::Session;

/// The longest that a line may work in all: it holds a thread meanwhile.
const LONGEST_WORK: Duration = Duration::from_secs(10);

/// The most stack that one line may use. Threads have 64 MiB; what is left is for the deepest single step.
pub(in crate::shell) const MOST_STACK: usize = 24 * 1024 * 1024;

impl Session {
    /// Remembers where the stack is now, and when that was.
    pub(in crate::shell) fn begin(&self) {
        self.polled.lock().0 = Some(self.contact.visitor.clock().stopwatch());
        self.stack_base.store(here(), Ordering::Relaxed);
    }

    /// Refuses to go deeper when the running line has used up its stack.
    pub(in crate::shell) fn check_depth(&self) -> bashkit::Result<()> {
        if self.is_too_deep() {
            self.cancel.lock().store(true, Ordering::Relaxed);
            return Err(bashkit::Error::Cancelled);
        }
        Ok(())
    }

    /// A poll is over: what it took counts.
    pub(in crate::shell) fn rest(&self) {
        let mut polled = self.polled.lock();
        if let Some(since) = polled.0.take() {
            polled.1 += since.elapsed();
        }
    }

    /// Whether the running line has worked for too long; what it waited for does not count.
    pub(in crate::shell) fn is_too_long(&self) -> bool {
        let (since, before) = *self.polled.lock();
        before + since.map_or(Duration::ZERO, |since| since.elapsed()) > LONGEST_WORK
    }

    pub(in crate::shell) fn is_too_deep(&self) -> bool {
        let base = self.stack_base.load(Ordering::Relaxed);
        base != 0 && base.abs_diff(here()) > MOST_STACK
    }
}

/// Roughly where the stack pointer is.
#[inline(never)]
fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&mark)) as usize
}
