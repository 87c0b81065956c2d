//! The programs that dash has built in and that do not work as bash's do. Its translator calls them by names that nobody
//! types.

use std::sync::Arc;

use bashkit::{
    Builtin, BuiltinContext, BuiltinRegistry, ExecResult, ExecutionPlan, StreamData, SubCommand, async_trait,
};

use super::{quoting, registry::session_of};
use crate::shell::bytes;

/// Makes them known.
pub(super) fn register(registry: &BuiltinRegistry) {
    registry.insert("\u{2}none", Arc::new(Foreign));
    registry.insert("\u{2}echo", Arc::new(Echo));
    registry.insert("\u{2}test", Arc::new(Test("test")));
    registry.insert("\u{2}[", Arc::new(Test("[")));
    registry.insert(PIPED, Arc::new(Piped));
}

/// The program that runs what is piped into `sh`.
pub(in crate::shell) const PIPED: &str = "\u{2}sh";

fn command(name: &str, args: Vec<String>, stdin: Option<StreamData>) -> ExecutionPlan {
    let command = SubCommand { name: name.to_owned(), args, stdin, assignments: Vec::new() };
    ExecutionPlan::Batch { commands: vec![command] }
}

/// dash complains: only the shell itself knows which script it is in.
fn complaint(line: &str, said: &str, status: i32) -> ExecutionPlan {
    let said = said.replace('\'', "'\\''");
    let script = format!("printf '%s: %s: %s\\n' \"$0\" {line} '{said}' >&2; (exit {status})");
    command("eval", vec![script], None)
}

/// The translator gives the number of the line before the arguments.
fn numbered(args: &[String]) -> (&str, &[String]) {
    args.split_first().map_or(("1", &[]), |(line, rest)| (line.as_str(), rest))
}

/// A command of bash that dash does not know: its name follows the line.
struct Foreign;

#[async_trait]
impl Builtin for Foreign {
    async fn execute(&self, _: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        Ok(ExecResult::err("", 127))
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        let (line, rest) = numbered(context.args);
        let name = rest.first().map_or("", String::as_str);
        if let Some(session) = session_of(context) {
            session.note_unknown(name);
        }
        Ok(Some(complaint(line, &format!("{name}: not found"), 127)))
    }
}

/// `echo` knows one option and always reads backslashes (bltin/printf.c).
struct Echo;

#[async_trait]
impl Builtin for Echo {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let (args, newline) = match context.args.split_first() {
            Some((first, rest)) if first == "-n" => (rest, false),
            _ => (context.args, true),
        };
        let (mut said, whole) = unescaped(&args.join(" "));
        if whole && newline {
            said.push(b'\n');
        }
        Ok(ExecResult { stdout: bytes::to_text(&said).into_owned().into(), ..ExecResult::default() })
    }
}

/// What a text with backslashes stands for; `false` when `\c` has ended it.
fn unescaped(text: &str) -> (Vec<u8>, bool) {
    let text = bytes::to_bytes(text.as_bytes()).into_owned();
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some(&sign) = rest.peek() else {
            out.push(b'\\');
            break;
        };
        let single = match sign {
            b'\\' => b'\\',
            b'c' => return (out, false),
            b'0'..=b'7' => {
                let digits = if sign == b'0' { 4 } else { 3 };
                let mut value = 0_u32;
                for _ in 0..digits {
                    let Some(digit) = rest.next_if(|digit| (b'0'..=b'7').contains(digit)) else { break };
                    value = value * 8 + u32::from(digit - b'0');
                }
                out.push((value & 0xff) as u8);
                continue;
            }
            _ => match quoting::control_of(sign) {
                Some(single) => single,
                None => {
                    out.push(b'\\');
                    continue;
                }
            },
        };
        out.push(single);
        rest.next();
    }
    (out, true)
}

/// `test` and `[`: there is no `==`, and numbers are numbers (bltin/test.c). The rest is the library's.
struct Test(&'static str);

impl Test {
    fn refusal(&self, args: &[String]) -> Option<String> {
        const NUMERIC: [&str; 6] = ["-eq", "-ne", "-gt", "-ge", "-lt", "-le"];
        let args = match args.split_last() {
            Some((last, rest)) if self.0 == "[" => {
                if last != "]" {
                    return Some("[: missing ]".to_owned());
                }
                rest
            }
            None if self.0 == "[" => return Some("[: missing ]".to_owned()),
            _ => args,
        };
        for (at, arg) in args.iter().enumerate().skip(1) {
            let Some(before) = args.get(at - 1) else { continue };
            if arg == "==" && args.len() > at + 1 {
                return Some(format!("{}: {before}: unexpected operator", self.0));
            }
            if NUMERIC.contains(&arg.as_str())
                && let Some(after) = args.get(at + 1)
                && let Some(word) =
                    [before, after].into_iter().find(|word| word.trim().parse::<i64>().is_err())
            {
                return Some(format!("{}: Illegal number: {word}", self.0));
            }
        }
        None
    }
}

#[async_trait]
impl Builtin for Test {
    async fn execute(&self, _: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        Ok(ExecResult::err("", 2))
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        let (line, args) = numbered(context.args);
        Ok(Some(match self.refusal(args) {
            Some(said) => complaint(line, &said, 2),
            None => command(self.0, args.to_vec(), None),
        }))
    }
}

/// `sh` without a script: what is piped in is one. Its name stands before its arguments.
struct Piped;

#[async_trait]
impl Builtin for Piped {
    async fn execute(&self, _: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        Ok(ExecResult::ok(""))
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        let Some(session) = session_of(context) else { return Ok(None) };
        session.check_depth()?;
        let Some(text) = context.stdin.map(|stdin| stdin.text_lossy().into_owned()) else { return Ok(None) };
        let text = session.translated(&text).unwrap_or(text);
        let args = ["-o", "posix", "-c", text.as_str()].map(str::to_owned);
        Ok(Some(command("sh", args.into_iter().chain(context.args.iter().cloned()).collect(), None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echo_reads_backslashes() {
        for (text, said) in [
            ("a\\tb\\n", "a\tb\n"),
            ("\\e[0m \\x41 \\q", "\\e[0m \\x41 \\q"),
            ("\\0101\\101", "AA"),
            ("end\\", "end\\"),
        ] {
            assert_eq!(unescaped(text), (said.as_bytes().to_vec(), true), "{text}");
        }
        assert_eq!(unescaped("a\\cb"), (b"a".to_vec(), false));
    }

    #[test]
    fn tests_are_strict() {
        let args = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (line, said) in [
            ("a == a ]", Some("[: a: unexpected operator")),
            ("a -eq 1 ]", Some("[: Illegal number: a")),
            ("1 -eq 1", Some("[: missing ]")),
            ("a = a ]", None),
            ("-f /x ]", None),
        ] {
            assert_eq!(Test("[").refusal(&args(line)).as_deref(), said, "{line}");
        }
    }
}
