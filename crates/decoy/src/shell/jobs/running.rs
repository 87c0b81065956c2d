//! Runs what a typed line puts into the background, and stops what ^Z is typed at.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use super::{Part, State, first_pipeline, parts};
use crate::{
    machine::processes::newest_pid,
    shell::{
        Finished, Shell,
        io::{Input, Out, Output},
    },
};

/// How much of a job's output is kept.
const MOST_SAID: usize = 64 * 1024;

impl Shell {
    /// The parts of a line, if the shell controls jobs and one of them is for the background.
    pub(in crate::shell) fn job_parts(&self, line: &str) -> Option<Vec<Part>> {
        if !self.session.has_jobs() {
            return None;
        }
        self.session.jobs.lock().begin(line);
        parts(line)
    }

    /// Runs one part after the other.
    pub(in crate::shell) async fn run_parts(
        &mut self,
        parts: Vec<Part>,
        output: &Output,
        input: &Input,
    ) -> Finished {
        let mut finished = Finished::default();
        let mut not_found = Vec::new();
        for part in parts {
            finished = if part.background {
                self.begin_job(&part.text, output).await
            } else {
                self.session.set_background(false);
                self.run_one(&part.text, output, input).await
            };
            self.status = finished.status;
            not_found.append(&mut finished.not_found);
            if finished.exited {
                break;
            }
        }
        Finished { not_found, ..finished }
    }

    /// A job is worked through at once; its waiting is counted.
    async fn begin_job(&mut self, text: &str, output: &Output) -> Finished {
        let pid = self.next_pid();
        let shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let number = self.session.jobs.lock().add(pid, &shown, State::Running(None));
        let Some(number) = number else {
            let name = self.session.shell_name();
            let text = format!("{name}: fork: retry: Resource temporarily unavailable\n");
            output(Out::Stderr, text.as_bytes());
            return Finished { status: 254, ..Finished::default() };
        };
        output(Out::Stderr, format!("[{number}] {pid}\n").as_bytes());
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&said);
        let sink: Output = Arc::new(move |_, bytes| {
            let mut kept = kept.lock();
            let room = MOST_SAID.saturating_sub(kept.len()).min(bytes.len());
            kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
        });
        let nothing = Input::default();
        nothing.end();
        self.session.set_background(true);
        *self.session.slept.lock() = Duration::ZERO;
        let cwd = self.cwd.clone();
        // A list runs in a shell of its own; a single command is one already.
        let alone = parts(&format!("{text} &")).is_some_and(|parts| parts.len() == 1)
            && !text.contains([';', '\n', '=', '(', '{'])
            && !text.trim_start().starts_with("cd ")
            && !text.trim_start().starts_with("exit");
        let line = if alone { text.to_owned() } else { format!("( {text}\n)") };
        let finished = self.run_one(&line, &sink, &nothing).await;
        self.cwd = cwd;
        self.session.set_background(false);
        let waited = std::mem::take(&mut *self.session.slept.lock());
        let now = self.session.contact.visitor.now();
        let said = std::mem::take(&mut *said.lock());
        self.session.jobs.lock().conclude(number, now, waited, finished.status, &said);
        Finished { not_found: finished.not_found, ..Finished::default() }
    }

    /// A process number that nothing has yet.
    fn next_pid(&self) -> u32 {
        let newest = newest_pid(self.session.identity(), self.session.contact.visitor.now()) + 20;
        self.session.jobs.lock().newest().map_or(newest, |last| newest.max(last + 2))
    }

    /// ^Z: what was running is dropped here and begins again when it is brought back. Gives what the visitor sees.
    pub(crate) fn stop(&mut self, line: &str) -> Option<String> {
        if !self.session.has_jobs() {
            return None;
        }
        let pid = self.next_pid();
        let text = first_pipeline(line).split_whitespace().collect::<Vec<_>>().join(" ");
        self.status = 148;
        self.session.jobs.lock().stop(pid, &text)
    }

    /// ^C: what was in the foreground is over; gives what it says about that.
    pub(crate) fn interrupted(&mut self) -> String {
        self.status = 130;
        self.session.jobs.lock().finish_foreground();
        std::mem::take(&mut *self.session.last_words.lock())
    }

    /// What is told before a prompt: jobs that have ended since.
    pub fn news(&self) -> Vec<u8> {
        if self.session.jobs.lock().is_empty() {
            return Vec::new();
        }
        let now = self.session.contact.visitor.now();
        self.session.jobs.lock().news(now)
    }

    /// An empty line was entered: that is a prompt more.
    pub(crate) fn empty_line(&self) {
        self.session.jobs.lock().begin("");
    }

    /// What jobs in the background have said by now.
    pub fn late(&self) -> Vec<u8> {
        if self.session.jobs.lock().is_empty() {
            return Vec::new();
        }
        let now = self.session.contact.visitor.now();
        self.session.jobs.lock().late(now)
    }
}
