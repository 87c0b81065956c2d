//! The short way: a line that is one plain command of ours needs no interpreter.

use std::sync::Arc;

use super::{
    Shell,
    commands::{self, Call, Run, Said},
    engine,
    io::{Input, Out, Output},
    lasting, operands,
    session::Inner,
};
use crate::shell::Finished;

/// The words of a line that has no grammar: letters, digits and signs that mean nothing to a shell.
fn words(line: &str) -> Option<Vec<String>> {
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, ' ' | '/' | '.' | '-' | '_' | ',' | ':' | '+' | '@' | '%' | '=' | '\t' | '\r')
    };
    let line = line.trim_end_matches('\n');
    if line.len() > 512 || !line.chars().all(plain) {
        return None;
    }
    let words: Vec<String> =
        line.split([' ', '\t', '\r']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    // `a=b` alone is an assignment.
    if words.first().is_none_or(|first| first.contains('=')) { None } else { Some(words) }
}

/// Words that the grammar keeps for itself.
fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "if" | "then"
            | "else"
            | "elif"
            | "fi"
            | "do"
            | "done"
            | "case"
            | "esac"
            | "while"
            | "until"
            | "for"
            | "in"
            | "select"
            | "function"
            | "time"
            | "coproc"
            | "{"
            | "}"
            | "!"
    )
}

impl Shell {
    /// Answers a line without the interpreter, if that can be done; `None` leaves it to the interpreter.
    pub(super) async fn run_simple(
        &mut self,
        line: &str,
        output: &Output,
        input: &Input,
    ) -> Option<Finished> {
        if self.session.launch.tty.is_none()
            && let Some(said) = super::options::of_the_shell(line)
        {
            output(Out::Stderr, said.as_bytes());
            return Some(Finished { status: 2, ..Finished::default() });
        }
        let words = words(line)?;
        let (first, args) = words.split_first()?;
        if args == ["--help"]
            && self.session.dash_line().is_none()
            && let Some(said) = commands::of_builtin(first)
        {
            return Some(say(&said, Out::Stdout, output));
        }
        if let Some(finished) = self.inner_shells(first, args, output) {
            return Some(finished);
        }
        if first == "trap"
            && matches!(args.first().map(String::as_str), None | Some("-p"))
            && let Some(listed) = lasting::exit_trap(&self.session)
        {
            return Some(say(&Said { out: listed.into(), ..Said::default() }, Out::Stdout, output));
        }
        // Functions and aliases live in the interpreter.
        if self.engine.as_ref().is_some_and(|engine| engine.has_definitions()) || is_keyword(first) {
            return None;
        }
        let name = match first.rsplit_once('/') {
            None => first.as_str(),
            Some(("/bin" | "/usr/bin" | "/sbin" | "/usr/sbin", name)) => name,
            Some(_) => return None,
        };
        if first.contains('/') && matches!(name, "enable" | "fc" | "history") {
            return None;
        }
        if self.session.has_jobs() && first == "kill" {
            return None;
        }
        let Some(run) = commands::find(name) else { return self.run_unknown(first, output) };
        let is_there = if first.contains('/') {
            commands::is_installed(&self.session, name)
        } else {
            commands::is_reachable(&self.session, name, None)
        };
        if !is_there {
            return None;
        }
        // What the visitor sends is read for a program that takes all of it at once.
        let given: Vec<Option<String>> = words.iter().cloned().map(Some).collect();
        let on_terminal = self.session.launch.tty.is_some();
        // These want no archive that is typed.
        let refuses = on_terminal
            && matches!(
                name,
                "tar" | "gzip" | "gunzip" | "zcat" | "bzip2" | "bunzip2" | "bzcat" | "xz" | "unxz" | "xzcat"
            );
        let takes_all = matches!(run, Run::Now(_)) || name == "tail";
        if takes_all && !refuses && operands::wants(&given, on_terminal).is_some() {
            return None;
        }
        let session = Arc::clone(&self.session);
        let to_terminal = session.launch.tty.is_some();
        let cwd = self.cwd.clone();
        let call = Call {
            session: &session,
            name,
            args,
            cwd: &cwd,
            vars: None,
            stdin: None,
            to_terminal,
            applet: false,
        };
        if matches!(run, Run::Now(_) | Run::Waits(_)) {
            session.begin_reading(name, args);
        }
        let said = match run {
            _ if let Some(said) = commands::help(&call) => said,
            Run::Now(run) => {
                commands::learn(&call).await;
                run(&call)
            }
            Run::Waits(run) => {
                *session.channels.lock() = Some((Arc::clone(output), input.clone()));
                let said = run(&call).await;
                *session.channels.lock() = None;
                said
            }
            Run::Either(run, _) if run(&call).is_some() => return None,
            Run::Either(_, run) => {
                *session.channels.lock() = Some((Arc::clone(output), input.clone()));
                let said = run(&call).await;
                *session.channels.lock() = None;
                said
            }
            Run::Passes(run) => run(&call).err()?,
        };
        session.end_reading();
        let leads = if name == "cat" { Out::Stdout } else { Out::Stderr };
        Some(say(&commands::as_called(said, name, first), leads, output))
    }

    /// A name that nothing answers to.
    fn run_unknown(&mut self, name: &str, output: &Output) -> Option<Finished> {
        let is_known = name.contains('/')
            || engine::is_kept(name)
            || matches!(
                name,
                "bash" | "sh" | "complete" | "compgen" | "compopt" | "bind" | "fc" | "help" | "suspend"
            )
            || name.starts_with(['-', '%', '.'])
            || self.engine.is_some()
            || commands::is_installed(&self.session, name)
            || self.session.files().exists(&format!("/usr/local/bin/{name}"));
        if is_known {
            return None;
        }
        output(Out::Stderr, self.session.unknown_command(name).as_bytes());
        Some(Finished { status: 127, exited: false, not_found: vec![name.to_owned()] })
    }

    /// `logout` without a terminal: a login shell leaves without a word, any other refuses.
    fn log_out(&self, first: &str, args: &[String], output: &Output) -> Option<Finished> {
        if first != "logout" || self.engine.as_ref().is_some_and(|engine| engine.has_definitions()) {
            return None;
        }
        if !self.session.launch.login {
            let text =
                format!("{}: line 1: logout: not login shell: use `exit'\n", self.session.shell_name());
            output(Out::Stderr, text.as_bytes());
            return Some(Finished { status: 1, ..Finished::default() });
        }
        let status = args.first().and_then(|status| status.parse::<i32>().ok()).unwrap_or(self.status) & 0xff;
        Some(Finished { status, exited: true, not_found: Vec::new() })
    }

    /// `sh` and `bash` on a terminal start a shell in the shell; `exit` leaves it.
    fn inner_shells(&mut self, first: &str, args: &[String], output: &Output) -> Option<Finished> {
        if !self.session.launch.is_interactive() {
            return self.log_out(first, args, output);
        }
        let kind = match first {
            "sh" | "/bin/sh" | "/usr/bin/sh" | "dash" | "/bin/dash" => Some(Inner::Dash),
            "bash" | "/bin/bash" | "/usr/bin/bash" => Some(Inner::Bash),
            _ => None,
        };
        let interactive = args.iter().all(|arg| matches!(arg.as_str(), "-i" | "-l" | "--login"));
        let mut inner = self.session.inner.lock();
        if let Some(kind) = kind.filter(|_| interactive) {
            if inner.len() < 64 {
                inner.push((kind, 0));
            }
            return Some(Finished::default());
        }
        if matches!(first, "exit" | "logout") {
            let status =
                args.first().and_then(|status| status.parse::<i32>().ok()).unwrap_or(self.status) & 0xff;
            if let Some((kind, _)) = inner.pop() {
                let left = inner.len();
                drop(inner);
                let word = self.session.leave(left).unwrap_or("exit\n");
                // `logout` is no word of dash, and needs none of its own in bash.
                if kind == Inner::Bash && (first == "exit" || word == "exit\n") {
                    output(Out::Stderr, word.as_bytes());
                }
                return Some(Finished { status, ..Finished::default() });
            }
            let leaves_user = self.session.who().uid != self.session.launch.account.uid;
            if leaves_user || !self.engine.as_ref().is_some_and(|engine| engine.has_definitions()) {
                let account = &self.session.launch.account;
                if self.session.who().uid != account.uid {
                    self.session.become_user(account.uid, account.gid);
                    output(Out::Stderr, b"exit\n");
                    return Some(Finished { status, ..Finished::default() });
                }
                if self.session.jobs.lock().warns() {
                    let word = if self.session.launch.login { "logout" } else { "exit" };
                    output(Out::Stderr, format!("{word}\nThere are stopped jobs.\n").as_bytes());
                    return Some(Finished { status: 1, ..Finished::default() });
                }
                // `logout` leaves without a word (logout.def of bash 5.2).
                if first == "exit" {
                    let word = if self.session.launch.login { b"logout\n".as_slice() } else { b"exit\n" };
                    output(Out::Stderr, word);
                }
                return Some(Finished { status, exited: true, not_found: Vec::new() });
            }
        }
        None
    }
}

/// Most programs complain before they list; `cat` does as it comes to it.
fn say(said: &Said, first: Out, output: &Output) -> Finished {
    let streams = [(Out::Stdout, &said.out), (Out::Stderr, &said.err)];
    for (out, bytes) in
        streams.iter().filter(|(out, _)| *out == first).chain(streams.iter().filter(|(out, _)| *out != first))
    {
        if !bytes.is_empty() {
            output(*out, bytes);
        }
    }
    Finished { status: said.status, exited: false, not_found: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn only_plain_lines_are_taken() {
        assert_eq!(words("uname -a"), Some(vec!["uname".to_owned(), "-a".to_owned()]));
        for line in
            ["a=b", "ls *", "echo $x", "a;b", "a|b", "a>b", "'a'", "", "~", "a\\b", "a#b", "{a,b}", "a?b"]
        {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
