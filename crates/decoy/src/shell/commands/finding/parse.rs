//! The words of `find`: options, places to begin, and the expression (findutils 4.9).

use super::expression::{Action, Expr, Follow, Owners, Plan, Target};
use crate::{
    machine::FileError,
    shell::commands::{Call, quoting::curled, users},
};

/// Why there is nothing to search.
pub(super) enum Refusal {
    /// The words are wrong.
    Wrong(String),
    /// `-D help`
    Help(&'static str),
    /// `--help` or `--version`
    About(&'static str),
}

impl From<&str> for Refusal {
    fn from(text: &str) -> Self {
        Self::Wrong(text.to_owned())
    }
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self::Wrong(text)
    }
}

pub(super) type Parsed<T> = Result<T, Refusal>;

/// Reads all words. What is only warned of is added to `warned`.
pub(super) fn plan(call: &Call<'_>, warned: &mut String) -> Parsed<Plan> {
    let mut args = call.args;
    let mut plan = Plan::new(owners(call), call.now());
    while let Some((first, rest)) = args.split_first() {
        match first.as_str() {
            "-P" => plan.follow = Follow::Never,
            "-H" => plan.follow = Follow::Starts,
            "-L" => plan.follow = Follow::Always,
            "-D" => {
                let Some((kinds, rest)) = rest.split_first() else {
                    return Err("find: Missing argument after the -D option.\n".into());
                };
                const KINDS: [&str; 8] = ["exec", "opt", "rates", "search", "stat", "time", "tree", "all"];
                for kind in kinds.split(',').filter(|kind| !KINDS.contains(kind) && *kind != "help") {
                    warned.push_str(&format!("find: Ignoring unrecognised debug flag {}\n", curled(kind)));
                }
                if kinds.split(',').any(|kind| kind == "help") {
                    return Err(Refusal::Help(DEBUG));
                }
                args = rest;
                continue;
            }
            level if level.starts_with("-O") => {
                let level = level.get(2..).unwrap_or_default();
                if level.is_empty() {
                    return Err(
                        "find: The -O option must be immediately followed by a decimal integer\n".into()
                    );
                }
                if !level.chars().all(|c| c.is_ascii_digit()) {
                    return Err("find: Please specify a decimal number immediately after -O\n".into());
                }
            }
            "--" => {
                args = rest;
                break;
            }
            _ => break,
        }
        args = rest;
    }
    let end = args.iter().position(|arg| begins(arg, true)).unwrap_or(args.len());
    let (starts, words) = args.split_at(end);
    plan.starts = starts.to_vec();
    let mut reader =
        Reader { call, words, at: 0, plan, warned, dialect: "findutils-default", daystart: false };
    let expr = reader.whole()?;
    let mut plan = reader.plan;
    plan.expr = match (plan.acts, expr) {
        (true, Some(expr)) => expr,
        (false, Some(expr)) => Expr::All(vec![expr, Expr::Do(Action::Print(Target::Out, b'\n'))]),
        (_, None) => Expr::Do(Action::Print(Target::Out, b'\n')),
    };
    if let Some(list) = plan.from.clone() {
        if let Some(extra) = plan.starts.first() {
            return Err(format!(
                "find: extra operand {}\nfind: file operands cannot be combined with -files0-from\n",
                curled(extra)
            )
            .into());
        }
        plan.starts = listed(call, &list)?;
    } else if plan.starts.is_empty() {
        plan.starts.push(".".to_owned());
    }
    Ok(plan)
}

/// The names in a file of `-files0-from`.
fn listed(call: &Call<'_>, list: &str) -> Parsed<Vec<String>> {
    let bytes = if list == "-" {
        call.stdin.unwrap_or_default().to_vec()
    } else {
        call.files()
            .read(&call.path(list))
            .map_err(|error| {
                format!("find: cannot open {} for reading: {}\n", curled(list), error.errno_text())
            })?
            .to_vec()
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(text.split('\0').filter(|name| !name.is_empty()).take(10_000).map(str::to_owned).collect())
}

/// Who there is.
fn owners(call: &Call<'_>) -> Owners {
    Owners {
        users: users::all(call).into_iter().map(|user| (user.uid, user.name)).collect(),
        groups: users::groups(call).into_iter().map(|(name, gid, _)| (gid, name)).collect(),
    }
}

/// Whether a word belongs to the expression; at the front some signs are names still.
fn begins(word: &str, front: bool) -> bool {
    match word {
        "-" => false,
        "(" | "!" => true,
        ")" | "," => !front,
        word => word.starts_with('-'),
    }
}

/// What is read, and how far.
pub(super) struct Reader<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) words: &'a [String],
    pub(super) at: usize,
    pub(super) plan: Plan,
    pub(super) warned: &'a mut String,
    pub(super) dialect: &'static str,
    pub(super) daystart: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).map(String::as_str)
    }

    pub(super) fn next(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    fn whole(&mut self) -> Parsed<Option<Expr>> {
        if self.words.is_empty() {
            return Ok(None);
        }
        let expr = self.list()?;
        if self.peek().is_some() {
            return Err("find: you have too many ')'\n".into());
        }
        Ok(Some(expr))
    }

    fn list(&mut self) -> Parsed<Expr> {
        let mut all = vec![self.any()?];
        while self.peek() == Some(",") {
            self.at += 1;
            self.expects(",")?;
            all.push(self.any()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::List(all) })
    }

    fn any(&mut self) -> Parsed<Expr> {
        let mut all = vec![self.every()?];
        while let Some(word @ ("-o" | "-or")) = self.peek() {
            self.at += 1;
            self.expects(word)?;
            all.push(self.every()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::Any(all) })
    }

    fn every(&mut self) -> Parsed<Expr> {
        let mut all = vec![self.one()?];
        loop {
            match self.peek() {
                None | Some(")" | "," | "-o" | "-or") => break,
                Some(word @ ("-a" | "-and")) => {
                    self.at += 1;
                    self.expects(word)?;
                }
                Some(_) => {}
            }
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::All(all) })
    }

    /// Something has to follow an operator.
    fn expects(&self, word: &str) -> Parsed<()> {
        match self.peek() {
            None | Some(")") => Err(format!("find: expected an expression after '{word}'\n").into()),
            Some(_) => Ok(()),
        }
    }

    fn one(&mut self) -> Parsed<Expr> {
        let Some(word) = self.next() else {
            return Err("find: invalid expression\n".into());
        };
        match word {
            "!" | "-not" => {
                self.expects(word)?;
                Ok(Expr::Not(Box::new(self.one()?)))
            }
            "(" => match self.peek() {
                Some(")") => Err("find: invalid expression; empty parentheses are not allowed.\n".into()),
                None => Err("find: invalid expression; expected to find a ')' but didn't see one. Perhaps you need an extra predicate after '('\n".into()),
                Some(_) => {
                    let inner = self.list()?;
                    if self.next() != Some(")") {
                        return Err("find: invalid expression; I was expecting to find a ')' somewhere but did not see one.\n".into());
                    }
                    Ok(inner)
                }
            },
            ")" => Err("find: you have too many ')'\n".into()),
            "-o" | "-or" | "-a" | "-and" | "," => Err(format!(
                "find: invalid expression; you have used a binary operator '{word}' with nothing before it.\n"
            ).into()),
            word if !begins(word, false) => {
                let mut said = format!("find: paths must precede expression: `{word}'\n");
                // A pattern that the shell has replaced by names.
                let before = self.at.checked_sub(3).and_then(|at| self.words.get(at)).map(String::as_str);
                let exists = self.call.files().lstat(&self.call.path(word)).is_ok();
                if let Some(test @ ("-name" | "-iname" | "-path" | "-ipath" | "-wholename" | "-iwholename" | "-lname" | "-ilname")) = before
                    && exists
                {
                    said += &format!("find: possible unquoted pattern after predicate `{test}'?\n");
                }
                Err(said.into())
            }
            word => self.primary(word),
        }
    }

    pub(super) fn value(&mut self, test: &str) -> Parsed<&'a str> {
        self.next().ok_or_else(|| format!("find: missing argument to `{test}'\n").into())
    }
}

/// What is said about a file that cannot be looked at.
pub(super) fn failed(name: &str, error: FileError) -> String {
    format!("find: {}: {}\n", curled(name), error.errno_text())
}

/// What `-D help` prints.
const DEBUG: &str = "Valid arguments for -D:
exec       Show diagnostic information relating to -exec, -execdir, -ok and -okdir
opt        Show diagnostic information relating to optimisation
rates      Indicate how often each predicate succeeded
search     Navigate the directory tree verbosely
stat       Trace calls to stat(2) and lstat(2)
time       Show diagnostic information relating to time-of-day and timestamp comparisons
tree       Display the expression tree
all        Set all of the debug flags (but help)
help       Explain the various -D options
";
