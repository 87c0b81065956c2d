//! What a shell on a terminal keeps from line to line and the library forgets: its positional parameters, the options
//! that `set` has turned on, and what it does when it leaves.

use std::sync::Arc;

use bashkit::{Builtin, BuiltinContext, BuiltinRegistry, ExecResult, async_trait};

use super::{commands::session_of, session::Session};

/// A name that nobody types: it looks at the shell behind a line, and changes nothing.
const LOOK: &str = "\u{2}look";
/// Its name where a trace shows it.
const TRACED: &str = "\\002look";

/// Options that are kept, by their letters and the library's variables. `-e`, `-v` and `-n` are left out: they would change
/// how the looking itself goes.
const KEPT: [(char, &str); 5] =
    [('a', "SHOPT_a"), ('f', "SHOPT_f"), ('u', "SHOPT_u"), ('C', "SHOPT_C"), ('x', "SHOPT_x")];

/// The most bytes of positional parameters that are kept.
const MOST: usize = 16 * 1024;

/// What is kept.
#[derive(Clone, Default)]
pub(super) struct Lasting {
    /// `$1` and so on.
    pub(super) positional: Vec<String>,
    /// Letters of options that are on.
    options: String,
    /// What `trap … EXIT` has left to do.
    pub(super) at_exit: Option<String>,
}

impl Lasting {
    fn is_empty(&self) -> bool {
        self.positional.is_empty() && self.options.is_empty()
    }
}

/// A line with a look at the shell behind it, if there is something to keep or the line may make something.
pub(super) fn with_look(session: &Session, text: &str, status: i32) -> Option<String> {
    let lasting = session.lasting.lock();
    let makes = ["set ", "shift"].iter().any(|word| text.contains(word));
    if !session.launch.is_interactive() || lasting.is_empty() && !makes {
        return None;
    }
    let options = match lasting.options.as_str() {
        "" => String::new(),
        letters => format!("set -{letters}; {LOOK} - {status}; "),
    };
    Some(format!("{options}{text}\n{LOOK} \"$?\" \"$@\""))
}

/// Whether a line of a trace shows the look.
pub(super) fn is_looking(line: &str) -> bool {
    line.starts_with('+') && line.contains(TRACED)
}

/// `trap` as it is typed: what shall be done at the end of the shell is not for the end of the line. `None`: nothing is left
/// for the library.
pub(super) fn keep_exit_trap(session: &Session, args: &[String]) -> Vec<String> {
    let is_exit = |name: &&String| matches!(name.to_ascii_uppercase().as_str(), "EXIT" | "0" | "SIGEXIT");
    let words = args.strip_prefix(&["--".to_owned()]).unwrap_or(args);
    let Some((action, names)) = words.split_first() else { return args.to_vec() };
    if action.starts_with('-') && action.len() > 1 || !names.iter().any(|name| is_exit(&name)) {
        return args.to_vec();
    }
    session.lasting.lock().at_exit = (action != "-").then(|| action.clone());
    let others: Vec<String> = names.iter().filter(|name| !is_exit(name)).cloned().collect();
    // Without any signal, something that does nothing.
    let others = if others.is_empty() { vec!["URG".to_owned()] } else { others };
    ["--".to_owned(), action.clone()].into_iter().chain(others).collect()
}

/// What `trap` lists of it.
pub(super) fn exit_trap(session: &Session) -> Option<String> {
    let action = session.lasting.lock().at_exit.clone()?;
    Some(format!("trap -- '{}' EXIT\n", action.replace('\'', "'\\''")))
}

pub(super) fn register(registry: &BuiltinRegistry) {
    registry.insert(LOOK, Arc::new(Look));
}

struct Look;

#[async_trait]
impl Builtin for Look {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let status = |at: usize| context.args.get(at).and_then(|status| status.parse().ok()).unwrap_or(0);
        // In front of a line it only gives `$?` its value.
        if context.args.first().is_some_and(|arg| arg == "-") {
            return Ok(ExecResult { exit_code: status(1), ..ExecResult::default() });
        }
        if let Some(session) = session_of(&context) {
            let mut lasting = session.lasting.lock();
            let positional = context.args.get(1..).unwrap_or_default();
            if positional.iter().map(String::len).sum::<usize>() <= MOST {
                lasting.positional = positional.to_vec();
            }
            let is_on = |name: &str| context.variables.get(name).is_some_and(|value| value == "1");
            lasting.options =
                KEPT.iter().filter(|(_, name)| is_on(name)).map(|(letter, _)| *letter).collect();
        }
        Ok(ExecResult { exit_code: status(0), ..ExecResult::default() })
    }
}
