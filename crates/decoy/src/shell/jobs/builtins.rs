//! `jobs`, `fg`, `bg`, `kill`, `wait`, `disown` and `suspend` of an interactive bash 5.2.

use std::{sync::Arc, time::Duration};

use bashkit::{Builtin, BuiltinContext, ExecResult, ExecutionPlan, SubCommand, async_trait};

use super::{Job, State};
use crate::shell::{
    commands::{process_exists, session_of},
    io::Out,
    listings,
    session::Session,
};

/// Which of them.
#[derive(Clone, Copy)]
enum Kind {
    Jobs,
    Foreground,
    Background,
    Kill,
    Wait,
    Disown,
    Suspend,
}

/// The programs, by name.
pub(in crate::shell) fn programs() -> impl Iterator<Item = (&'static str, Box<dyn Builtin>)> {
    [
        ("jobs", Kind::Jobs),
        ("fg", Kind::Foreground),
        ("bg", Kind::Background),
        ("kill", Kind::Kill),
        ("wait", Kind::Wait),
        ("disown", Kind::Disown),
        ("suspend", Kind::Suspend),
    ]
    .into_iter()
    .map(|(name, kind)| (name, Box::new(Control(name, kind)) as Box<dyn Builtin>))
}

struct Control(&'static str, Kind);

#[async_trait]
impl Builtin for Control {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        let session = Arc::clone(&session);
        session.jobs.lock().tick(session.contact.visitor.now());
        if !session.launch.is_interactive()
            && matches!(self.1, Kind::Foreground | Kind::Background | Kind::Suspend)
        {
            let what = if matches!(self.1, Kind::Suspend) { "cannot suspend: " } else { "" };
            return Ok(fault(&session, &format!("{}: {what}no job control", self.0), 1));
        }
        Ok(match self.1 {
            Kind::Jobs => jobs(&session, context.args),
            Kind::Foreground => self.no_job(&session, context.args),
            Kind::Background => self.background(&session, context.args),
            Kind::Kill => kill(&session, context.args),
            Kind::Wait => wait(&session, context.args).await,
            Kind::Disown => self.disown(&session, context.args),
            Kind::Suspend => {
                let what =
                    if session.launch.login { "cannot suspend a login shell" } else { "cannot suspend" };
                fault(&session, &format!("suspend: {what}"), 1)
            }
        })
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        let is_for_us =
            |session: &Arc<Session>| matches!(self.1, Kind::Foreground) && session.launch.is_interactive();
        let Some(session) = session_of(context).filter(is_for_us) else { return Ok(None) };
        let mut jobs = session.jobs.lock();
        let now = session.contact.visitor.now();
        jobs.tick(now);
        let word = context.args.first().map_or("%+", String::as_str);
        let named = if word.starts_with('%') { word.to_owned() } else { format!("%{word}") };
        let Some(job) = jobs.named(&named).filter(|job| !matches!(job.state, State::Ended(_))) else {
            return Ok(None);
        };
        jobs.foreground = Some(job.number);
        let run = |name: &str, args: Vec<String>| SubCommand {
            name: name.to_owned(),
            args,
            stdin: None,
            assignments: Vec::new(),
        };
        // It is told before anything is waited for.
        if let Some((output, _)) = session.channels.lock().as_ref() {
            output(Out::Stdout, format!("{}\n", job.text).as_bytes());
        }
        let work = match job.state {
            // It begins again: what it had done is not kept.
            State::Stopped => run("eval", vec![job.text]),
            State::Running(end) => {
                let left = end.and_then(|end| end.duration_since(now).ok()).unwrap_or(FOR_EVER);
                run("sleep", vec![format!("{:.3}", left.as_secs_f64())])
            }
            State::Ended(_) => return Ok(None),
        };
        Ok(Some(ExecutionPlan::Batch { commands: vec![work] }))
    }
}

/// How long something is waited for that never ends.
const FOR_EVER: Duration = Duration::from_secs(86_400);

fn fault(session: &Session, said: &str, status: i32) -> ExecResult {
    ExecResult::err(format!("{}{said}\n", session.error_prefix()), status)
}

impl Control {
    fn no_job(&self, session: &Session, args: &[String]) -> ExecResult {
        let word = args.first().map_or("current", String::as_str);
        fault(session, &format!("{}: {word}: no such job", self.0), 1)
    }

    fn background(&self, session: &Session, args: &[String]) -> ExecResult {
        let mut jobs = session.jobs.lock();
        let word = args.first().map_or("%+", String::as_str);
        let named = if word.starts_with('%') { word.to_owned() } else { format!("%{word}") };
        let Some(job) = jobs.named(&named).filter(|job| !matches!(job.state, State::Ended(_))) else {
            drop(jobs);
            return self.no_job(session, args);
        };
        if job.state != State::Stopped {
            return fault(session, &format!("bg: job {} already in background", job.number), 0);
        }
        let mark = jobs.mark(job.number);
        let now = session.contact.visitor.now();
        // A program that only sleeps is the one whose end is known.
        let seconds = job.text.strip_prefix("sleep ").and_then(|text| text.trim().parse::<f64>().ok());
        let end = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        if let Some(known) = jobs.by_number(job.number) {
            known.state = State::Running(end.and_then(|end| now.checked_add(end)));
        }
        jobs.last = Some(job.pid);
        ExecResult::ok(format!("[{}]{mark} {} &\n", job.number, job.text))
    }

    fn disown(&self, session: &Session, args: &[String]) -> ExecResult {
        let mut jobs = session.jobs.lock();
        let words: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
        if args.iter().any(|arg| arg == "-h") {
            return ExecResult::ok("");
        }
        if words.is_empty() && args.iter().any(|arg| matches!(arg.as_str(), "-a" | "-r")) {
            jobs.list.clear();
            jobs.recent.clear();
            return ExecResult::ok("");
        }
        let words =
            if words.is_empty() { vec!["%+"] } else { words.iter().map(|word| word.as_str()).collect() };
        for word in words {
            match jobs.named(word) {
                Some(job) => jobs.remove(job.number),
                None => {
                    drop(jobs);
                    let word = if word == "%+" { "current" } else { word };
                    return fault(session, &format!("disown: {word}: no such job"), 1);
                }
            }
        }
        ExecResult::ok("")
    }
}

fn jobs(session: &Session, args: &[String]) -> ExecResult {
    let mut jobs = session.jobs.lock();
    let letters: String = args.iter().filter_map(|arg| arg.strip_prefix('-')).collect();
    if let Some(letter) = letters.chars().find(|letter| !"lnprsx".contains(*letter)) {
        drop(jobs);
        let text = format!(
            "jobs: -{letter}: invalid option\njobs: usage: jobs [-lnprs] [jobspec ...] or jobs -x command [args]"
        );
        return fault(session, &text, 2);
    }
    let words: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let mut chosen: Vec<Job> = Vec::new();
    for word in &words {
        let named = if word.starts_with('%') { (*word).clone() } else { format!("%{word}") };
        match jobs.named(&named) {
            Some(job) => chosen.push(job),
            None => {
                drop(jobs);
                return fault(session, &format!("jobs: {word}: no such job"), 1);
            }
        }
    }
    if words.is_empty() {
        chosen = jobs.all().to_vec();
    }
    // A script is told of no end: its `jobs` has forgotten what is over.
    let tells_ends = session.launch.is_interactive();
    let wanted = |job: &Job| {
        (tells_ends || !matches!(job.state, State::Ended(_)))
            && (!letters.contains('r') || matches!(job.state, State::Running(_)))
            && (!letters.contains('s') || job.state == State::Stopped)
    };
    let rows = chosen.iter().filter(|job| wanted(job)).map(|job| {
        if letters.contains('p') { format!("{}\n", job.pid) } else { jobs.row(job, letters.contains('l')) }
    });
    let text: String = rows.collect();
    // Whatever is listed as over is told.
    for job in chosen.iter().filter(|job| matches!(job.state, State::Ended(_))) {
        jobs.remove(job.number);
    }
    ExecResult::ok(text)
}

async fn wait(session: &Session, args: &[String]) -> ExecResult {
    let words: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let now = session.contact.visitor.now();
    let left = |job: &Job| match job.state {
        State::Running(Some(end)) => end.duration_since(now).unwrap_or_default(),
        State::Running(None) => FOR_EVER,
        State::Stopped | State::Ended(_) => Duration::ZERO,
    };
    let (mut time, mut status, mut waited) = (Duration::ZERO, 0, Vec::new());
    {
        let jobs = session.jobs.lock();
        if words.is_empty() {
            waited = jobs.all().to_vec();
        }
        // `-n`: only the next one to end.
        if args.iter().any(|arg| arg == "-n") {
            waited.sort_by_key(left);
            waited.truncate(1);
            status = waited.first().map_or(127, |job| job.status);
        }
        for word in words {
            if let Some(job) = jobs.named(word) {
                status = if let State::Ended(status) = job.state { status } else { job.status };
                waited.push(job);
            } else if let Some((_, ended)) = jobs.ended.iter().find(|(pid, _)| word.parse() == Ok(*pid)) {
                status = *ended;
            } else {
                drop(jobs);
                let why = if word.starts_with('%') {
                    format!("wait: {word}: no such job")
                } else if word.chars().all(|c| c.is_ascii_digit()) {
                    format!("wait: pid {word} is not a child of this shell")
                } else {
                    format!("wait: `{word}': not a pid or valid job spec")
                };
                return fault(session, &why, if why.contains("not a pid") { 1 } else { 127 });
            }
        }
    }
    for job in &waited {
        time = time.max(left(job));
    }
    if !time.is_zero() {
        session.contact.visitor.clock().pass(time).await;
    }
    let mut jobs = session.jobs.lock();
    for job in waited.iter().filter(|job| matches!(job.state, State::Running(_))) {
        // What was waited for is told at once.
        if let Some(known) = jobs.by_number(job.number) {
            known.state = State::Ended(known.status);
            known.since = 0;
        }
    }
    if session.launch.is_interactive() {
        return ExecResult { exit_code: status, ..ExecResult::default() };
    }
    // A script is told of nothing else than an unnatural end.
    let said = jobs.late(session.contact.visitor.now());
    if let Some((output, _)) = session.channels.lock().as_ref() {
        for (out, bytes) in said {
            output(out, &bytes);
        }
    }
    let told = waited.iter().filter_map(super::Jobs::obituary);
    let errors: String = told.map(|text| format!("{}{text}\n", session.error_prefix())).collect();
    for job in &waited {
        jobs.remove(job.number);
    }
    ExecResult { stderr: errors.into(), exit_code: status, ..ExecResult::default() }
}

fn kill(session: &Session, args: &[String]) -> ExecResult {
    const USAGE: &str =
        "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n";
    let mut words = args.iter().peekable();
    let mut signal = Some(15);
    match words.peek().map(|word| word.as_str()) {
        None => return ExecResult::err(USAGE, 2),
        Some("-l" | "-L") => {
            words.next();
            return list(session, words.map(String::as_str).collect());
        }
        Some(option @ ("-s" | "-n")) => {
            words.next();
            let Some(name) = words.next() else {
                return fault(session, &format!("kill: {option}: option requires an argument"), 2);
            };
            signal = listings::signal_number(name);
            if signal.is_none() {
                return fault(session, &format!("kill: {name}: invalid signal specification"), 1);
            }
        }
        Some("--") => drop(words.next()),
        Some(word) if word.starts_with('-') && word.len() > 1 => {
            let name = word.trim_start_matches('-').to_owned();
            words.next();
            signal = listings::signal_number(&name);
            if signal.is_none() {
                return fault(session, &format!("kill: {name}: invalid signal specification"), 1);
            }
        }
        Some(_) => {}
    }
    let signal = signal.unwrap_or(15);
    let mut errors = String::new();
    let (mut given, mut reached) = (0, 0);
    for word in words.filter(|word| *word != "--") {
        given += 1;
        let job = session.jobs.lock().named(word);
        let why = match (job, word.parse::<i64>()) {
            (Some(Job { state: State::Ended(_), pid, .. }), _) => format!("kill: ({pid}) - No such process"),
            (Some(job), _) => {
                let mut jobs = session.jobs.lock();
                // bash sends SIGCONT behind it, and tells once more that the job is stopped.
                if job.state == State::Stopped && matches!(signal, 1 | 15) && word.starts_with('%') {
                    errors += &format!("\n{}", jobs.row(&job, false));
                }
                jobs.signal(job.pid, signal);
                reached += 1;
                continue;
            }
            (None, _) if word.starts_with('%') => format!("kill: {word}: no such job"),
            (None, Ok(0)) => {
                reached += 1;
                continue;
            }
            (None, Ok(number)) if number < 0 => format!("kill: ({number}) - No such process"),
            (None, Ok(number)) if process_exists(session, number.unsigned_abs(), signal) => {
                reached += 1;
                continue;
            }
            (None, Ok(number)) => format!("kill: ({number}) - No such process"),
            (None, Err(_)) => format!("kill: {word}: arguments must be process or job IDs"),
        };
        errors += &format!("{}{why}\n", session.error_prefix());
    }
    if given == 0 {
        return ExecResult::err(USAGE, 2);
    }
    ExecResult { stderr: errors.into(), exit_code: i32::from(reached == 0), ..ExecResult::default() }
}

/// `kill -l`, alone or with numbers and names.
fn list(session: &Session, words: Vec<&str>) -> ExecResult {
    if words.is_empty() {
        return ExecResult::ok(listings::signals());
    }
    let (mut out, mut errors) = (String::new(), String::new());
    for word in words {
        let number = word.parse::<u32>().ok().map(|number| if number > 128 { number - 128 } else { number });
        match (number.and_then(listings::signal_name), listings::signal_number(word)) {
            (Some(name), _) => out += &format!("{name}\n"),
            (None, Some(known)) if number.is_none() => out += &format!("{known}\n"),
            _ => errors += &format!("{}kill: {word}: invalid signal specification\n", session.error_prefix()),
        }
    }
    let status = i32::from(!errors.is_empty());
    ExecResult { stderr: errors.into(), exit_code: status, ..ExecResult::ok(out) }
}
