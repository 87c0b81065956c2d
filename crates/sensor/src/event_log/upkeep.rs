//! The log's own thread: syncs about once a second, watches that the files stay in place, and sweeps.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::fault::EventLogError;
use super::{Shared, retention, timestamp};

/// How long an event may be in the page cache alone.
const SYNC_PERIOD: Duration = Duration::from_secs(1);
/// How many syncs lie between two sweeps.
const SWEEP_EVERY: u32 = 60;

/// The running thread; dropping it ends the thread and closes the log.
pub struct Upkeep {
    shared: Arc<Shared>,
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Upkeep {
    /// Starts the thread.
    pub fn start(shared: &Arc<Shared>) -> Result<Self, EventLogError> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (on_thread, stopped) = (Arc::clone(shared), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("event-log".to_owned())
            .spawn(move || run(&on_thread, &stopped))
            .map_err(|source| EventLogError::StartSync { source })?;
        Ok(Self { shared: Arc::clone(shared), stop, thread: Mutex::new(Some(thread)) })
    }

    /// Ends the thread and waits for it.
    pub fn stop(&self) {
        *self.stop.0.lock() = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that syncs the event log had panicked");
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.stop();
        self.shared.writer.lock().close();
        if let Err(error) = self.shared.sync() {
            tracing::error!(%error, "the event log could not be synced at its end");
        }
    }
}

fn run(shared: &Shared, (stopped, wake): &(Mutex<bool>, Condvar)) {
    let (mut failing, mut round) = (false, 0u32);
    loop {
        let mut stopped = stopped.lock();
        if !*stopped {
            wake.wait_for(&mut stopped, SYNC_PERIOD);
        }
        if *stopped {
            return;
        }
        drop(stopped);
        shared.look_after();
        match shared.sync() {
            Ok(()) => failing = false,
            Err(error) => {
                shared.counters.sync_errors.fetch_add(1, Ordering::Relaxed);
                if !failing {
                    tracing::error!(%error, "events cannot be made durable; check the disk");
                }
                failing = true;
            }
        }
        round += 1;
        if shared.counters.rolled.swap(false, Ordering::Relaxed) || round.is_multiple_of(SWEEP_EVERY) {
            shared.sweep();
        }
    }
}

impl Shared {
    /// Reports gaps that wait for a working disk, and rescues the current file when its name was taken away.
    pub fn look_after(&self) {
        let mut writer = self.writer.lock();
        let micros = (self.clock)();
        writer.settle(micros);
        if let Some(lost) = writer.displaced() {
            match writer.rescue(&lost) {
                Ok(()) => tracing::warn!(
                    file = %lost.path.display(),
                    "the log file in use was moved or deleted; its events were written to a new one"
                ),
                Err(error) => {
                    tracing::error!(%error, file = %lost.path.display(), "the log file in use was deleted and cannot be restored");
                    writer.current = None;
                }
            }
        }
    }

    /// Makes files, folder and ledger durable.
    pub fn sync(&self) -> Result<(), EventLogError> {
        let segments = self.segments.lock().clone();
        for segment in segments {
            segment.sync().map_err(|source| EventLogError::Sync { path: segment.path.clone(), source })?;
        }
        let mut writer = self.writer.lock();
        let ledger = writer.ledger.file();
        let folder_dirty = std::mem::take(&mut writer.folder_dirty);
        drop(writer);
        let fault = |source| EventLogError::Sync { path: self.log_directory.clone(), source };
        if folder_dirty {
            File::open(&self.log_directory).and_then(|folder| folder.sync_all()).map_err(fault)?;
        }
        ledger.sync_data().map_err(fault)
    }

    /// Deletes what retention allows, and reports files that somebody else deleted.
    pub fn sweep(&self) {
        let today = timestamp::day_of((self.clock)());
        let acknowledged = self.acknowledged.load(Ordering::Acquire);
        let mut verdict = {
            let mut segments = self.segments.lock();
            let verdict = retention::judge(self.rules, &segments, today, acknowledged);
            segments.retain(|segment| !verdict.victims.iter().any(|victim| Arc::ptr_eq(victim, segment)));
            verdict
        };
        let candidates: Vec<_> = {
            let segments = self.segments.lock();
            segments.split_last().map(|(_newest, older)| older.to_vec()).unwrap_or_default()
        };
        for segment in candidates.into_iter().filter(|segment| !segment.is_in_place()) {
            if segment.last_seq() > acknowledged {
                verdict.gaps.push(retention::gap_of(
                    &segment,
                    acknowledged,
                    "a log file was moved or deleted",
                ));
            }
            self.segments.lock().retain(|kept| !Arc::ptr_eq(kept, &segment));
        }
        // The report is on disk before the events go, so that no crash can make the loss a silent one.
        if !verdict.gaps.is_empty() {
            let mut writer = self.writer.lock();
            for gap in verdict.gaps {
                writer.add_gap(gap);
            }
        }
        for victim in verdict.victims {
            match std::fs::remove_file(&victim.path) {
                Ok(()) => tracing::info!(file = %victim.path.display(), "log file deleted by retention"),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::error!(%error, file = %victim.path.display(), "log file cannot be deleted");
                }
            }
        }
    }
}
