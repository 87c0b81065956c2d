//! Runs published shell test suites against the decoy's shell: what a case sends, and whether its answer is the expected one.
//!
//! The suites are no part of the project: they are looked for in `RUSTBUCKET_CORPORA` or beside the repository.
#![allow(clippy::unwrap_used)] // a measurement that cannot be set up shall fail loudly
#![allow(dead_code)] // each program that includes this uses its own part

use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use decoy::{
    Contact, Limits, Machine, NoOracle,
    machine::{Clock, Identity, LoginPolicy, Owner},
    shell::{Input, Launch, Out, Output, Shell},
};
use serde_json::Value;

/// A case that runs longer than this has failed.
const LONGEST_CASE: Duration = Duration::from_secs(20);

/// The suites, by the names of their figures.
pub const SUITES: [(&str, &str); 3] = [
    ("oils_pass", "oils_bash_spec_open.jsonl"),
    ("cowrie_tests_pass", "cowrie_tests_open.jsonl"),
    ("busybox_pass", "busybox_tests_open.jsonl"),
];

/// One case that did not answer as expected.
#[derive(Debug)]
pub struct Failure {
    /// File or class and the case's own name.
    pub name: String,
    /// What was sent.
    pub sent: String,
    /// What was expected.
    pub wanted: String,
    /// What came.
    pub came: String,
}

/// How a suite went.
#[derive(Debug, Default)]
pub struct Share {
    /// Cases with the expected answer.
    pub passed: usize,
    /// Cases that were run.
    pub of: usize,
    /// The others.
    pub failures: Vec<Failure>,
}

impl Share {
    /// Percentage of the cases that passed.
    pub fn percent(&self) -> f64 {
        if self.of == 0 { 0.0 } else { 100.0 * self.passed as f64 / self.of as f64 }
    }

    fn count(&mut self, failure: Option<Failure>) {
        self.of += 1;
        match failure {
            None => self.passed += 1,
            Some(failure) => self.failures.push(failure),
        }
    }
}

/// Cowrie's own tests whose expectation is Cowrie's and not Debian's, by a part of their name, with the reason.
pub const NOT_AS_BASH: &[(&str, &str)] = &[
    ("status_reaches_assignment", "the line that sets the status is not in the corpus"),
    ("test_awk_command_003", "`print $1 $2` puts no space between"),
    ("test_clear_command", "clear(1) sends what clears the screen"),
    ("test_hostname_command", "the prompt of a running bash keeps the old name"),
    ("test_passwd_command", "the prompts of another system"),
    ("test_shutdown_command", "Cowrie's own words"),
    ("test_chattr_command", "usage of another e2fsprogs"),
    ("test_nop_commands", "umask(1) prints the mask"),
    ("ShellFileCommandsTests::test_cp_error_output", "coreutils quote with ' on both sides"),
    ("ShellFileCommandsTests::test_mkdir_error_output", "coreutils quote with \u{2018} and \u{2019}"),
    ("test_rmdir_output", "the folder is made by a line that is not in the corpus"),
    ("test_cat_command_004", "a key that is not in the corpus (^C)"),
    ("test_chmod_command_002", "coreutils name the last operand"),
    ("test_command_substitution_in_middle_multiple", "unquoted line ends are spaces"),
    ("test_bad_fd_reference", "a bad descriptor stops the command"),
    ("test_fd_at_limit_is_bad", "a bad descriptor stops the command"),
    ("test_busybox_applet_redirect_to_file", "the file is made by a line that is not in the corpus"),
    ("test_busybox_applet_append_accumulates", "the line that shows the file is not in the corpus"),
    ("test_ftpget", "Debian has no ftpget"),
    ("test_grep_stdin_ctrl_d", "a key that is not in the corpus (^D)"),
    ("test_ls_command_001", "coreutils name the operand as it was given"),
    ("test_ls_command_002", "another root folder"),
    ("test_nc.py", "Cowrie's own network rules and another netcat"),
    ("test_queued_exit_ends_session", "Cowrie drops the command that runs"),
    ("test_script_execution", "scripts are made outside of the corpus"),
    ("test_substitution_inherits_parent_cwd", "the line that changes the folder is not in the corpus"),
    ("test_su_to_phil", "a user of Cowrie's machine"),
    ("test_nonroot_su", "the line that becomes another user is not in the corpus"),
    ("test_tftp", "a tftp that Debian does not have"),
    ("TFTPRateLimit", "a tftp that Debian does not have"),
    ("test_tee_command_002", "a key that is not in the corpus (^C)"),
];

/// BusyBox' own cases that no Debian answers, by a part of their name, with the reason.
pub const NOT_AS_DEBIAN: &[(&str, &str)] = &[
    ("ar.tests", "a file that is not in the corpus (README)"),
    ("ash.tests", "the script that writes the output is not in the corpus"),
    ("busybox as unknown name", "a link that is not in the corpus"),
    ("cp.tests: cp -R", "the folder is made by lines that are not in the corpus"),
    ("cpio -p with absolute paths", "the folder is made by a line that is not in the corpus"),
    ("cryptpw.tests", "Debian has no cryptpw"),
    ("cut -DF", "an option of busybox and toybox alone"),
    ("find.tests: find -type f", "the folder is made by lines that are not in the corpus"),
    ("find -exec exitcode", "the folder is made by lines that are not in the corpus"),
    ("head -n <negative number>", "the file is made by lines that are not in the corpus"),
    ("hexdump -e", "the input is cut off in the corpus"),
    ("od -a (DESKTOP)", "the input is cut off in the corpus"),
    ("od -a (!DESKTOP)", "the input is cut off in the corpus, and GNU od has other names"),
    ("mount RO loop", "loop devices are not for a container, and the last lines are not those of util-linux"),
    ("rx.tests", "Debian has no rx"),
    ("sed NUL in command", "the script is not in the corpus"),
    ("tree.tests", "the folders are made by lines that are not in the corpus"),
    ("unlzma (bad archive 3)", "the archive is not in the corpus"),
    ("unzip.tests", "archives that are not in the corpus"),
    ("awk break", "gawk and mawk have other words"),
    ("awk continue", "gawk and mawk have other words"),
    ("awk handles invalid for loop", "gawk and mawk have other words"),
    ("awk handles colon not preceded", "gawk and mawk have other words"),
    ("awk errors on missing delete arg", "gawk and mawk have other words"),
    ("bc length", "GNU bc counts the noughts of a fraction"),
    ("grep -L exitcode", "grep 3.8 has the other status"),
    ("patch detects already applied hunk", "GNU patch has other words"),
    ("tar hardlinks and repeated files", "GNU tar has other words"),
    ("tar symlinks mode", "GNU tar has other words"),
    ("tar does not extract into symlinks", "GNU tar delays links and has other words"),
    ("tar Symlink attack", "GNU tar delays links and has other words"),
    ("time.tests: time -f", "bash's own time has no options"),
];

/// Runs one suite, by the name of its figure; `None` when its file is not there. `only`: cases whose name has this in it.
pub fn run(figure: &str, only: &str) -> Option<Share> {
    let (_, file) = SUITES.iter().find(|(known, _)| *known == figure)?;
    let cases = read(file)?;
    let check = match figure {
        "oils_pass" => oils,
        "cowrie_tests_pass" => cowrie,
        _ => busybox,
    };
    let only = only.to_owned();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_stack_size(64 << 20)
            .enable_all()
            .build()
            .unwrap();
        let mut share = Share::default();
        for case in cases {
            if !name(&case).contains(&only) {
                continue;
            }
            // On a worker's stack, as the sensor has it.
            if let Some(result) = runtime.block_on(runtime.spawn(check(case))).unwrap() {
                share.count(result.err());
            }
        }
        share
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(work).unwrap().join().ok()
}

type Verdict = std::pin::Pin<Box<dyn Future<Output = Option<Result<(), Failure>>> + Send>>;

fn read(name: &str) -> Option<Vec<Value>> {
    let folder = std::env::var_os("RUSTBUCKET_CORPORA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"));
    let text = std::fs::read_to_string(folder.join(name)).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn text(case: &Value, key: &str) -> String {
    case.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn name(case: &Value) -> String {
    match case.get("id") {
        Some(_) => text(case, "id"),
        None => format!("{}: {}{}", text(case, "file"), text(case, "case"), text(case, "name")),
    }
}

/// Statements for the interpreter, in a folder of their own; standard output and status count.
fn oils(case: Value) -> Verdict {
    Box::pin(async move {
        if case.get("needs_helper").and_then(Value::as_bool) == Some(true) {
            return None;
        }
        let code = text(&case, "code");
        let mut visit = Visit::new(false);
        let (out, err, status) = visit.run(&code, b"").await;
        let wanted_status = case.get("status").and_then(Value::as_i64).unwrap_or_default();
        let wanted = case.get("stdout").and_then(Value::as_str);
        let right = i64::from(status) == wanted_status && wanted.is_none_or(|wanted| wanted == out);
        Some(if right {
            Ok(())
        } else {
            Err(Failure {
                name: name(&case),
                sent: code,
                wanted: format!("{}[{wanted_status}]", wanted.unwrap_or("(anything)\n")),
                came: format!("{out}[{status}]\n{err}"),
            })
        })
    })
}

/// Lines typed at a terminal; what the last one shows counts.
fn cowrie(case: Value) -> Verdict {
    Box::pin(async move {
        let name = name(&case);
        let foreign =
            case.get("cowrie_internal").is_some() || NOT_AS_BASH.iter().any(|(test, _)| name.contains(test));
        if foreign {
            return None;
        }
        let mut visit = Visit::new(true);
        let lines: Vec<String> = case
            .get("commands")
            .and_then(|lines| lines.as_array())
            .into_iter()
            .flatten()
            .filter_map(|line| line.as_str().map(str::to_owned))
            .collect();
        // What comes after a line is typed ahead: a program that waits reads it, and the shell what is left.
        let mut shown = String::new();
        let mut waiting: std::collections::VecDeque<String> = lines.iter().cloned().collect();
        while let Some(line) = waiting.pop_front() {
            let ahead: String = waiting.iter().map(|line| format!("{line}\n")).collect();
            let (out, err, _) = visit.run(&line, ahead.as_bytes()).await;
            let left = visit.unread.iter().filter(|&&byte| byte == b'\n').count();
            if left < waiting.len() {
                waiting.drain(..waiting.len() - left);
            }
            shown = out + &err;
        }
        let wanted = text(&case, "expected");
        if wanted.ends_with("# ") {
            shown += &visit.shell.prompt();
        }
        let right = match text(&case, "match").as_str() {
            "contains" => shown.contains(wanted.trim_end()),
            "not_contains" => !shown.contains(wanted.trim_end()),
            "equals" => shown == wanted,
            _ => true,
        };
        Some(if right { Ok(()) } else { Err(Failure { name, sent: lines.join("\n"), wanted, came: shown }) })
    })
}

/// A command with a file `input` and standard input; standard output counts.
fn busybox(case: Value) -> Verdict {
    Box::pin(async move {
        let case_name = name(&case);
        if NOT_AS_DEBIAN.iter().any(|(test, _)| case_name.contains(test)) {
            return None;
        }
        let mut visit = Visit::new(false);
        // The file is always there, if only empty.
        visit.write("input", &bytes_of(&text(&case, "input_file")));
        let command = text(&case, "command");
        let (mut out, err, _) = visit.run(&command, &bytes_of(&text(&case, "stdin"))).await;
        // What a case says goes into a file of this name: a case may write there itself.
        if let Some(written) = visit.read("actual") {
            out = written;
        }
        let wanted = text(&case, "expected");
        let same = out == wanted || out == String::from_utf8_lossy(&bytes_of(&wanted));
        Some(if same {
            Ok(())
        } else {
            Err(Failure { name: name(&case), sent: command, wanted, came: format!("{out}[stderr]\n{err}") })
        })
    })
}

/// A text of the corpus as bytes: what was no UTF-8 stands there as Latin-1, which its control characters tell.
fn bytes_of(text: &str) -> Vec<u8> {
    let is_odd = |c: char| c.is_ascii_control() && !matches!(c, '\n' | '\t');
    let is_latin = text.chars().all(|c| u32::from(c) < 256) && text.chars().any(is_odd) && !text.is_ascii();
    if is_latin { text.chars().map(|c| c as u8).collect() } else { text.as_bytes().to_vec() }
}

/// One visitor whom nobody has seen before.
struct Visit {
    contact: Contact,
    shell: Shell,
    terminal: bool,
    /// What the last line left of what was typed.
    unread: Vec<u8>,
}

const FOLDER: &str = "/tmp/spec";

impl Visit {
    fn new(terminal: bool) -> Self {
        static MACHINE: OnceLock<Arc<Machine>> = OnceLock::new();
        static VISITORS: AtomicU32 = AtomicU32::new(0);
        let machine = MACHINE.get_or_init(|| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
            let identity =
                Identity::draw(b"suites", now, Some("unitTest".into()), Some(vec!["admin".into()]));
            let policy = LoginPolicy { always: vec![], fewest_tries: 3, most_tries: 3, secret: 1 };
            Machine::new(identity, policy, Clock::fixed(now), Default::default())
        });
        let source = Ipv4Addr::from(0x0A00_0000 + VISITORS.fetch_add(1, Ordering::Relaxed));
        let contact = Contact {
            visitor: machine.visit(source.into()),
            oracle: Arc::new(NoOracle),
            local: "203.0.113.5:22".parse().unwrap(),
            peer: (source, 40_000).into(),
            limits: Limits::default(),
        };
        let mut account = contact.visitor.identity().account("root").unwrap().clone();
        if !terminal {
            // A folder of its own to work in, as the suites have it.
            contact.visitor.files().make_dir(FOLDER, &Owner::ROOT, 0o755).unwrap();
            account.home = FOLDER.to_owned();
        }
        let launch = Launch {
            account,
            login: terminal,
            tty: terminal.then(|| "pts/0".to_owned()),
            env: vec![],
            window: (80, 24),
            notes: Arc::new(|_| {}),
        };
        Self { shell: Shell::new(&contact, launch), contact, terminal, unread: Vec::new() }
    }

    fn write(&mut self, name: &str, bytes: &[u8]) {
        self.contact.visitor.files().write(&format!("{FOLDER}/{name}"), bytes, &Owner::ROOT, 0o644).unwrap();
    }

    fn read(&self, name: &str) -> Option<String> {
        let bytes = self.contact.visitor.files().read(&format!("{FOLDER}/{name}")).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Standard output, standard error (on a terminal all is the first), status.
    async fn run(&mut self, line: &str, typed: &[u8]) -> (String, String, i32) {
        let said = Arc::new(Mutex::new((Vec::new(), Vec::new())));
        let (sink, terminal) = (Arc::clone(&said), self.terminal);
        let output: Output = Arc::new(move |out, bytes: &[u8]| {
            let mut said = sink.lock().unwrap();
            match out {
                Out::Stderr if !terminal => said.1.extend_from_slice(bytes),
                _ => said.0.extend_from_slice(bytes),
            }
        });
        let input = Input::default();
        input.push(typed, 1 << 20);
        input.end();
        let run = self.shell.run(line, &output, &input);
        let status = match tokio::time::timeout(LONGEST_CASE, run).await {
            Ok(finished) => finished.status,
            Err(_) => -1,
        };
        self.unread = input.take();
        let (out, err) = std::mem::take(&mut *said.lock().unwrap());
        (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned(), status)
    }
}
