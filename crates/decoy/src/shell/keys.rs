//! Lets programs of the library read what the visitor sends: `sed s/a/b/` alone on a line, `while read x`.
//!
//! The library fixes a command's standard input before it starts. A command that nothing is piped or redirected into and
//! that would read is given a redirection from a file that only this shell has; opening it waits for the visitor.

use std::{path::Path, sync::LazyLock};

use bashkit::parser::{Command, CompoundCommand, Parser, RedirectKind, SimpleCommand, Word, WordPart};

use super::{guard, operands};

/// How much of what is sent a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// One line: `read`.
    Line,
    /// Everything up to the end.
    All,
}

/// Nobody guesses this folder: it is drawn once a process.
static FOLDER: LazyLock<String> = LazyLock::new(|| format!("/dev/.{:016x}", rand::random::<u64>()));

/// What opening this path gives, if it is one of ours.
pub(super) fn asked_for(path: &Path) -> Option<Wants> {
    match path.to_str()?.strip_prefix(FOLDER.as_str())? {
        "/line" => Some(Wants::Line),
        "/all" => Some(Wants::All),
        _ => None,
    }
}

/// The text with a redirection before each command that would wait for the visitor; `None` when there is none.
pub(super) fn let_read(text: &str, on_terminal: bool) -> Option<String> {
    if !operands::names_a_reader(text) {
        return None;
    }
    let script = Parser::with_max_depth(text, 64).parse().ok()?;
    let mut found = Vec::new();
    for command in &script.commands {
        walk(command, on_terminal, &mut found);
    }
    found.sort_by_key(|(at, _)| *at);
    found.dedup_by_key(|(at, _)| *at);
    let mut out = String::with_capacity(text.len() + 48 * found.len());
    let mut from = 0;
    for (at, wants) in found {
        out.push_str(text.get(from..at)?);
        let name = if wants == Wants::Line { "line" } else { "all" };
        out.push_str(&format!("<{}/{name} ", FOLDER.as_str()));
        from = at;
    }
    if from == 0 && out.is_empty() {
        return None;
    }
    out.push_str(text.get(from..)?);
    (out.len() <= guard::LONGEST_SCRIPT).then_some(out)
}

fn reads_elsewhere(redirects: &[bashkit::parser::Redirect]) -> bool {
    redirects.iter().any(|redirect| {
        redirect.fd.unwrap_or(0) == 0
            && matches!(
                redirect.kind,
                RedirectKind::Input
                    | RedirectKind::HereDoc
                    | RedirectKind::HereDocStrip
                    | RedirectKind::HereString
                    | RedirectKind::DupInput
                    | RedirectKind::ReadWrite
            )
    })
}

/// Commands whose standard input is the shell's own. Functions are left out: they may be called anywhere.
fn walk(command: &Command, on_terminal: bool, found: &mut Vec<(usize, Wants)>) {
    let mut all = |commands: &[Command]| {
        for command in commands {
            walk(command, on_terminal, found);
        }
    };
    match command {
        Command::Simple(simple) => found.extend(of_simple(simple, on_terminal)),
        Command::Pipeline(pipeline) => all(pipeline.commands.get(..1).unwrap_or_default()),
        Command::List(list) => {
            // What goes to the background reads nothing.
            let mut previous = &*list.first;
            for (operator, next) in &list.rest {
                if !matches!(operator, bashkit::parser::ListOperator::Background) {
                    all(std::slice::from_ref(previous));
                }
                previous = next;
            }
            all(std::slice::from_ref(previous));
        }
        Command::Compound(_, redirects) if reads_elsewhere(redirects) => {}
        Command::Compound(compound, _) => match compound {
            CompoundCommand::If(command) => {
                all(&command.condition);
                all(&command.then_branch);
                for (condition, branch) in &command.elif_branches {
                    all(condition);
                    all(branch);
                }
                all(command.else_branch.as_deref().unwrap_or_default());
            }
            CompoundCommand::For(command) => all(&command.body),
            CompoundCommand::ArithmeticFor(command) => all(&command.body),
            CompoundCommand::While(command) => {
                all(&command.condition);
                all(&command.body);
            }
            CompoundCommand::Until(command) => {
                all(&command.condition);
                all(&command.body);
            }
            CompoundCommand::Case(command) => {
                for case in &command.cases {
                    all(&case.commands);
                }
            }
            CompoundCommand::Subshell(commands) | CompoundCommand::BraceGroup(commands) => all(commands),
            CompoundCommand::Time(command) => {
                if let Some(command) = command.command.as_deref() {
                    all(std::slice::from_ref(command));
                }
            }
            CompoundCommand::Select(_)
            | CompoundCommand::Arithmetic(_)
            | CompoundCommand::Conditional(_)
            | CompoundCommand::Coproc(_) => {}
        },
        Command::Function(_) => {}
    }
}

fn of_simple(command: &SimpleCommand, on_terminal: bool) -> Option<(usize, Wants)> {
    if reads_elsewhere(&command.redirects) {
        return None;
    }
    let words: Vec<Option<String>> =
        std::iter::once(&command.name).chain(&command.args).map(literal).collect();
    let wants = operands::wants(&words, on_terminal)?;
    Some((command.span.start.offset, wants))
}

/// The text of a word that has no expansion in it.
fn literal(word: &Word) -> Option<String> {
    word.parts
        .iter()
        .map(|part| if let WordPart::Literal(text) = part { Some(text.as_str()) } else { None })
        .collect()
}
