//! Job control of a shell that somebody types into: what was put into the background, what ^Z has stopped.
//!
//! The library runs jobs within one line only, and waits for them at its end. Here a job is run at once, with its waiting
//! counted instead of waited for; it is then shown as running for as long as it would have waited.

mod builtins;
mod running;
mod split;

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use super::io::Out;

pub(super) use builtins::programs;
use split::is_nested;
pub(super) use split::{Part, first_pipeline, parts};

/// The most jobs of one shell.
const MOST: usize = 64;
/// How many ended jobs are remembered for `wait`.
const REMEMBERED: usize = 32;
/// A process takes a moment to start and to end.
const MOMENT: Duration = Duration::from_millis(20);

/// What has become of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// At work; with the time when it is done, if that is known.
    Running(Option<SystemTime>),
    /// Stopped by ^Z.
    Stopped,
    /// Over, with its status.
    Ended(i32),
}

/// One job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) number: usize,
    pub(super) pid: u32,
    /// As it was typed.
    pub(super) text: String,
    pub(super) state: State,
    /// Its status once it is done.
    status: i32,
    /// The prompt before which it began or was ended: what became of it is told before a later one.
    since: u64,
    /// What it said before it waited for anything, and nobody has seen yet.
    early: Words,
    /// What it said after that.
    said: Words,
}

/// What was said, with the channel that each piece came by.
pub(super) type Words = Vec<(Out, Vec<u8>)>;

impl Job {
    fn shown_state(&self) -> String {
        match self.state {
            State::Running(_) => "Running".to_owned(),
            State::Stopped => "Stopped".to_owned(),
            State::Ended(0) => "Done".to_owned(),
            State::Ended(129) => "Hangup".to_owned(),
            State::Ended(130) => "Interrupt".to_owned(),
            State::Ended(131) => "Quit".to_owned(),
            State::Ended(137) => "Killed".to_owned(),
            State::Ended(143) => "Terminated".to_owned(),
            State::Ended(status) => format!("Exit {status}"),
        }
    }
}

/// All jobs of a shell.
#[derive(Default)]
pub(super) struct Jobs {
    list: Vec<Job>,
    /// Numbers in the order in which they were last put aside.
    recent: Vec<usize>,
    prompt: u64,
    /// The job that `fg` has brought back.
    pub(super) foreground: Option<usize>,
    /// The process of the last one in the background.
    pub(super) last: Option<u32>,
    /// Ended jobs: process and status.
    ended: VecDeque<(u32, i32)>,
    /// `exit` has warned of stopped jobs.
    warned: bool,
}

impl Jobs {
    /// A line was entered.
    fn begin(&mut self, line: &str) {
        self.prompt += 1;
        if !matches!(line.split_whitespace().next(), Some("exit" | "logout")) {
            self.warned = false;
        }
    }

    /// A program in the foreground is over.
    pub(super) fn finish_foreground(&mut self) {
        if let Some(number) = self.foreground.take() {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: usize) {
        if let Some(at) = self.list.iter().position(|job| job.number == number) {
            let job = self.list.remove(at);
            if let State::Ended(status) = job.state {
                if self.ended.len() >= REMEMBERED {
                    self.ended.pop_front();
                }
                self.ended.push_back((job.pid, status));
            }
        }
        self.recent.retain(|known| *known != number);
    }

    /// A new job; `None` when there are too many.
    pub(super) fn add(&mut self, pid: u32, text: &str, state: State) -> Option<usize> {
        if self.list.len() >= MOST {
            return None;
        }
        let number = self.list.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        let since = self.prompt;
        let text = text.chars().take(1024).collect();
        self.list.push(Job {
            number,
            pid,
            text,
            state,
            status: 0,
            since,
            early: Vec::new(),
            said: Vec::new(),
        });
        self.recent.push(number);
        if state != State::Stopped {
            self.last = Some(pid);
        }
        Some(number)
    }

    /// A job in the background has been worked through: it is over after this time, with this status.
    pub(super) fn conclude(
        &mut self,
        number: usize,
        now: SystemTime,
        waited: Duration,
        status: i32,
        (early, said): (Words, Words),
    ) {
        if let Some(job) = self.by_number(number) {
            // What waits longer than anybody stays is at work for good.
            job.state = State::Running(now.checked_add(waited.max(MOMENT)));
            job.status = status;
            job.early.extend(early);
            job.said.extend(said);
        }
    }

    fn by_number(&mut self, number: usize) -> Option<&mut Job> {
        self.list.iter_mut().find(|job| job.number == number)
    }

    /// ^Z: the program in the foreground stops. Gives the line that tells of it.
    pub(super) fn stop(&mut self, pid: u32, text: &str) -> Option<String> {
        let number = match self.foreground.take() {
            Some(number) => number,
            None => self.add(pid, text, State::Stopped)?,
        };
        self.put_aside(number);
        let job = self.by_number(number)?;
        job.state = State::Stopped;
        Some(format!("[{}]+  {:<24}{}\n", job.number, "Stopped", job.text))
    }

    fn put_aside(&mut self, number: usize) {
        self.recent.retain(|known| *known != number);
        self.recent.push(number);
    }

    /// What has ended by now is over.
    pub(super) fn tick(&mut self, now: SystemTime) {
        for job in &mut self.list {
            if matches!(job.state, State::Running(Some(end)) if end <= now) {
                job.state = State::Ended(job.status);
            }
        }
    }

    /// Current and previous job: a stopped one comes before one at work, the latest first.
    fn marked(&self) -> [Option<usize>; 2] {
        let of = |stopped: bool| {
            self.recent.iter().rev().copied().filter(move |number| {
                self.list.iter().any(|job| job.number == *number && (job.state == State::Stopped) == stopped)
            })
        };
        let mut all = of(true).chain(of(false));
        [all.next(), all.next()]
    }

    fn mark(&self, number: usize) -> char {
        match self.marked() {
            [Some(current), _] if current == number => '+',
            [_, Some(previous)] if previous == number => '-',
            _ => ' ',
        }
    }

    /// A job as `jobs` lists it; `long` with its process.
    pub(super) fn row(&self, job: &Job, long: bool) -> String {
        let mark = self.mark(job.number);
        let end = if matches!(job.state, State::Running(_)) { " &" } else { "" };
        let (state, text) = (job.shown_state(), &job.text);
        if long {
            return format!("[{}]{mark} {} {state:<23} {text}{end}\n", job.number, job.pid);
        }
        format!("[{}]{mark}  {state:<24}{text}{end}\n", job.number)
    }

    /// What is told before the next prompt; told jobs are forgotten.
    pub(super) fn news(&mut self, now: SystemTime) -> Vec<u8> {
        self.tick(now);
        let prompt = self.prompt;
        let over = |job: &Job| matches!(job.state, State::Ended(_)) && job.since < prompt;
        let mut news = Vec::new();
        let told: Vec<Job> = self.list.iter().filter(|job| over(job)).cloned().collect();
        for job in &told {
            news.extend(job.early.iter().chain(&job.said).flat_map(|(_, bytes)| bytes));
            news.extend_from_slice(self.row(job, false).as_bytes());
        }
        for job in told {
            self.remove(job.number);
        }
        news
    }

    /// What jobs have said that waited for nothing: it is shown as it comes, behind the prompt.
    pub(super) fn late(&mut self, now: SystemTime) -> Words {
        let soon = now + 4 * MOMENT;
        let mut late = Words::new();
        for job in &mut self.list {
            late.append(&mut job.early);
            if matches!(job.state, State::Running(Some(end)) if end <= soon)
                || matches!(job.state, State::Ended(_))
            {
                late.append(&mut job.said);
            }
        }
        late
    }

    /// When the next job that has still something to say says it.
    fn next_word(&self) -> Option<SystemTime> {
        let ends = self.list.iter().filter(|job| !job.said.is_empty()).filter_map(|job| match job.state {
            State::Running(end) => end,
            State::Stopped | State::Ended(_) => None,
        });
        ends.min()
    }

    /// The job that a word such as `%1`, `%+`, `%sle` or a process number names.
    pub(super) fn named(&self, word: &str) -> Option<Job> {
        let [current, previous] = self.marked();
        let find = |number: Option<usize>| self.list.iter().find(|job| Some(job.number) == number).cloned();
        let Some(name) = word.strip_prefix('%') else {
            let pid = word.parse::<u32>().ok()?;
            return self.list.iter().find(|job| job.pid == pid).cloned();
        };
        match name {
            "" | "%" | "+" => find(current),
            "-" => find(previous.or(current)),
            name if name.chars().all(|c| c.is_ascii_digit()) => find(name.parse().ok()),
            name => match name.strip_prefix('?') {
                Some(part) => self.list.iter().rev().find(|job| job.text.contains(part)).cloned(),
                None => self.list.iter().rev().find(|job| job.text.starts_with(name)).cloned(),
            },
        }
    }

    /// A signal reaches a job. Says whether the job is one of these.
    pub(super) fn signal(&mut self, pid: u32, signal: u8) -> bool {
        let prompt = self.prompt;
        let Some(job) = self.list.iter_mut().find(|job| job.pid == pid) else { return false };
        match signal {
            0 | 17 | 28 => {}
            18 if job.state == State::Stopped => job.state = State::Running(None),
            18 => {}
            19 | 20 => job.state = State::Stopped,
            signal => {
                job.state = State::Ended(128 + i32::from(signal));
                job.since = prompt;
                job.said.clear();
            }
        }
        true
    }

    /// Whether `exit` has to warn first.
    pub(super) fn warns(&mut self) -> bool {
        let stopped = self.list.iter().any(|job| job.state == State::Stopped);
        stopped && !std::mem::replace(&mut self.warned, true)
    }

    /// The newest process of all jobs.
    fn newest(&self) -> Option<u32> {
        self.list.iter().map(|job| job.pid).chain(self.last).max()
    }

    /// What a script says of a job that a signal has ended: not of those that people send (`jobs.c`).
    fn obituary(job: &Job) -> Option<String> {
        let State::Ended(status) = job.state else { return None };
        (status > 128 && !matches!(status, 130 | 141 | 143))
            .then(|| format!("{:>5} {:<23} {}", job.pid, job.shown_state(), job.text))
    }

    /// All jobs, by their numbers.
    pub(super) fn all(&self) -> &[Job] {
        &self.list
    }

    /// Whether there is anything to tell or to look after.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_told_of_as_bash_tells() {
        let (mut jobs, start) = (Jobs::default(), SystemTime::UNIX_EPOCH);
        jobs.begin("sleep 1 &");
        let first = jobs.add(100, "sleep 1", State::Running(None)).unwrap();
        jobs.conclude(first, start, Duration::from_secs(1), 0, (Words::new(), Words::new()));
        assert!(jobs.news(start).is_empty());
        jobs.begin("sleep 9");
        assert_eq!(jobs.stop(101, "sleep 9").unwrap(), "[2]+  Stopped                 sleep 9\n");
        let rows: String = jobs.all().iter().map(|job| jobs.row(job, false)).collect();
        assert_eq!(rows, "[1]-  Running                 sleep 1 &\n[2]+  Stopped                 sleep 9\n");
        assert!(jobs.warns() && !jobs.warns());
        assert_eq!(jobs.named("%sle").unwrap().number, 2);
        assert_eq!(jobs.named("%-").unwrap().number, 1);
        assert!(jobs.named("%3").is_none());
        jobs.begin("");
        let news = jobs.news(start + Duration::from_secs(2));
        assert_eq!(String::from_utf8(news).unwrap(), "[1]-  Done                    sleep 1\n");
        assert!(jobs.signal(101, 9));
        assert!(jobs.news(start).is_empty());
        jobs.begin("");
        let news = jobs.news(start);
        assert_eq!(String::from_utf8(news).unwrap(), "[2]+  Killed                  sleep 9\n");
        assert!(jobs.is_empty());
    }
}
