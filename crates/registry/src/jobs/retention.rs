//! `retention`: forgets events and objects that are older than the settings say.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use super::{Job, Outcome, Works};
use crate::config::Schedule;
use crate::time::now_ms;

/// The job.
pub struct Retention;

/// What it removed.
#[derive(Debug, Default, Serialize)]
struct Report {
    events: u64,
    sessions: u64,
    objects: u64,
}

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

#[async_trait]
impl Job for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn period(&self, schedule: &Schedule) -> Duration {
        schedule.retention
    }

    async fn run(&self, works: &Works) -> Outcome {
        let mut report = Report::default();
        let settings = &works.config.retention;
        // Without a limit the sweep still removes browsers that are signed in no more.
        let before = settings.events_days.map_or(0, |days| now_ms() - i64::from(days) * DAY);
        match works.store.sweep_events(before).await {
            Ok(swept) => (report.events, report.sessions) = (swept.events, swept.sessions),
            Err(error) => return Outcome::failed(&error),
        }
        let Some(days) = settings.archive_days else { return Outcome::new(true, &report) };
        let before = now_ms() - i64::from(days) * DAY;
        loop {
            let old = match works.store.old_objects(before, 500).await {
                Ok(old) if old.is_empty() => return Outcome::new(true, &report),
                Ok(old) => old,
                Err(error) => return Outcome::failed(&error),
            };
            for (id, key) in old {
                if let Err(error) = works.archive.remove(&key).await {
                    return Outcome::failed(&error);
                }
                if let Err(error) = works.store.note_object_expired(id).await {
                    return Outcome::failed(&error);
                }
                report.objects += 1;
            }
        }
    }
}
