//! Runs what a typed line puts into the background, and stops what ^Z is typed at.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bashkit::parser::Parser;
use parking_lot::Mutex;

use super::{Part, State, Words, first_pipeline, is_nested, parts};
use crate::{
    machine::processes::newest_pid,
    shell::{
        Finished, Shell,
        io::{Input, Out, Output},
    },
};

/// How long at most what is said later is waited for, behind the last command of a line without a terminal.
const LONGEST_HEARD: Duration = Duration::from_secs(600);
/// How much of a job's output is kept.
const MOST_SAID: usize = 64 * 1024;

impl Shell {
    /// The parts of a line, if the shell keeps its jobs itself and one of them is for the background.
    pub(in crate::shell) fn job_parts(&self, line: &str) -> Option<Vec<Part>> {
        if self.session.launch.is_interactive() {
            if !self.session.has_jobs() {
                return None;
            }
            self.session.jobs.lock().begin(line);
            return parts(line);
        }
        // The library has no better way with what cannot be cut: it keeps those jobs.
        let parts = parts(line).filter(|parts| parts.iter().all(|part| !is_nested(&part.text)))?;
        let is_simple =
            !line.trim_end().contains('\n') && !["trap", "coproc"].iter().any(|word| line.contains(word));
        if !is_simple || self.session.dash_line().is_some() || !self.session.keep_jobs(self.engine.is_some())
        {
            return None;
        }
        Parser::with_max_depth(line, 64).parse().ok()?;
        self.session.jobs.lock().begin(line);
        Some(parts)
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
            // Whoever starts a job is at the next command before the job has said anything.
            if !part.background {
                self.tell_late(self.session.contact.visitor.now(), output);
            }
        }
        if !self.session.launch.is_interactive() {
            self.hear_out(output).await;
        }
        Finished { not_found, ..finished }
    }

    /// Without a terminal nothing is told but what jobs say themselves.
    fn tell_late(&self, now: SystemTime, output: &Output) {
        if !self.session.launch.is_interactive() {
            let said = self.session.jobs.lock().late(now);
            for (out, bytes) in said {
                output(out, &bytes);
            }
        }
    }

    /// sshd holds the channel open for as long as a job may still write into it.
    async fn hear_out(&self, output: &Output) {
        let visitor = &self.session.contact.visitor;
        let begun = visitor.now();
        loop {
            let now = visitor.now();
            self.tell_late(now, output);
            let Some(next) = self.session.jobs.lock().next_word() else { break };
            if next.duration_since(begun).is_ok_and(|time| time > LONGEST_HEARD) {
                break;
            }
            visitor.clock().pass(next.duration_since(now).unwrap_or_default()).await;
            self.tell_late(next, output);
        }
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
        if self.session.launch.is_interactive() {
            output(Out::Stderr, format!("[{number}] {pid}\n").as_bytes());
        }
        let said = Arc::new(Mutex::new((Words::new(), Words::new(), 0)));
        let (kept, session) = (Arc::clone(&said), Arc::clone(&self.session));
        let sink: Output = Arc::new(move |out, bytes| {
            let mut kept = kept.lock();
            let bytes = bytes.get(..bytes.len().min(MOST_SAID.saturating_sub(kept.2))).unwrap_or_default();
            kept.2 += bytes.len();
            let at_once = session.slept.lock().is_zero();
            if at_once { &mut kept.0 } else { &mut kept.1 }.push((out, bytes.to_vec()));
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
        let (early, said, _) = std::mem::take(&mut *said.lock());
        self.session.jobs.lock().conclude(number, now, waited, finished.status, (early, said));
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
        self.session.jobs.lock().late(now).into_iter().flat_map(|(_, bytes)| bytes).collect()
    }
}
