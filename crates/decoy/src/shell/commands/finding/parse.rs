//! The words of `find`: options, places to begin, and the expression (findutils 4.9).

use std::time::SystemTime;

use chrono::{DateTime, Timelike as _, Utc};
use regex::Regex;

use super::{
    expression::{Action, Expr, Field, Follow, Moment, Number, Owners, Plan, Target, Unit, Want},
    patterns, printed,
};
use crate::{
    machine::{Access, FileError},
    shell::commands::{Call, dates, nodes, quoting::curled, users},
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

struct Reader<'a> {
    call: &'a Call<'a>,
    words: &'a [String],
    at: usize,
    plan: Plan,
    warned: &'a mut String,
    dialect: &'static str,
    daystart: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Option<&'a str> {
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

    fn value(&mut self, test: &str) -> Parsed<&'a str> {
        self.next().ok_or_else(|| format!("find: missing argument to `{test}'\n").into())
    }

    fn primary(&mut self, test: &'a str) -> Parsed<Expr> {
        let folds = test.starts_with("-i");
        Ok(match test {
            "-name" | "-iname" => Expr::Name(self.glob(test, folds)?),
            "-path" | "-wholename" | "-ipath" | "-iwholename" => Expr::Path(self.glob(test, folds)?),
            "-lname" | "-ilname" => Expr::Link(self.glob(test, folds)?),
            "-regex" | "-iregex" => {
                let text = self.value(test)?;
                let regex = patterns::expression(text, self.dialect, folds)
                    .map_err(|why| format!("find: failed to compile regular expression '{text}': {why}\n"))?;
                Expr::Path(regex)
            }
            "-regextype" => {
                let name = self.value(test)?;
                let Some(known) = patterns::DIALECTS.iter().find(|known| **known == name) else {
                    let all: Vec<String> = patterns::DIALECTS.iter().map(|name| curled(name)).collect();
                    return Err(format!(
                        "find: Unknown regular expression type {}; valid types are {}.\n",
                        curled(name),
                        all.join(", ")
                    )
                    .into());
                };
                self.dialect = known;
                Expr::Is(true)
            }
            "-type" | "-xtype" => Expr::Kind(self.kinds(test)?, test == "-xtype"),
            "-size" => self.size()?,
            "-empty" => Expr::Empty,
            "-true" => Expr::Is(true),
            "-false" => Expr::Is(false),
            "-readable" => Expr::May(Access::Read),
            "-writable" => Expr::May(Access::Write),
            "-executable" => Expr::May(Access::Execute),
            "-mtime" | "-atime" | "-ctime" | "-mmin" | "-amin" | "-cmin" => self.age(test)?,
            "-used" => {
                let text = self.value(test)?;
                let number =
                    decimal(text).ok_or_else(|| format!("find: Invalid argument {text} to -used\n"))?;
                Expr::Used(number)
            }
            "-newer" | "-anewer" | "-cnewer" => {
                let field = match test {
                    "-anewer" => Field::Accessed,
                    "-cnewer" => Field::Changed,
                    _ => Field::Modified,
                };
                let file = self.value(test)?;
                Expr::Newer(field, self.reference(file)?.mtime)
            }
            word if word.starts_with("-newer") && word.len() == 8 => self.newer(word)?,
            "-samefile" => {
                let file = self.value(test)?;
                Expr::Inode(Number { want: Want::Exactly, value: self.reference(file)?.inode })
            }
            "-inum" | "-links" | "-uid" | "-gid" => {
                // Without a value these name themselves (findutils 4.9).
                let text = self.next().unwrap_or(test);
                let number =
                    whole(text).ok_or_else(|| format!("find: invalid argument `{text}' to `{test}'\n"))?;
                match test {
                    "-inum" => Expr::Inode(number),
                    "-links" => Expr::Links(number),
                    "-uid" => Expr::Uid(number),
                    _ => Expr::Gid(number),
                }
            }
            "-user" | "-group" => self.owner(test)?,
            "-nouser" => Expr::NoUser,
            "-nogroup" => Expr::NoGroup,
            "-perm" => self.mode()?,
            "-fstype" => Expr::FileSystem(self.value(test)?.to_owned()),
            "-context" => {
                self.value(test)?;
                return Err("find: invalid predicate -context: SELinux is not enabled.\n".into());
            }
            "-maxdepth" | "-mindepth" => {
                let text = self.value(test)?;
                let depth = text.chars().all(|c| c.is_ascii_digit()).then(|| text.parse().ok()).flatten();
                let Some(depth) = depth else {
                    return Err(format!(
                        "find: Expected a positive decimal integer argument to {test}, but got {}\n",
                        curled(text)
                    )
                    .into());
                };
                self.late(test);
                *(if test == "-maxdepth" { &mut self.plan.deepest } else { &mut self.plan.first }) = depth;
                Expr::Is(true)
            }
            "-depth" | "-d" => {
                self.late(test);
                self.plan.inside_first = true;
                Expr::Is(true)
            }
            "-follow" => {
                self.plan.follow = Follow::Always;
                Expr::Is(true)
            }
            "-daystart" => {
                self.daystart = true;
                Expr::Is(true)
            }
            "-xdev" | "-mount" => {
                self.late(test);
                self.plan.stays = true;
                Expr::Is(true)
            }
            "-noleaf" | "-ignore_readdir_race" | "-noignore_readdir_race" | "-warn" | "-nowarn" => {
                Expr::Is(true)
            }
            "-files0-from" => {
                self.plan.from = Some(self.value(test)?.to_owned());
                Expr::Is(true)
            }
            "-prune" => Expr::Prune,
            "-quit" => {
                self.plan.acts = true;
                Expr::Quit
            }
            "-version" | "--version" | "-help" | "--help" => {
                return Err(Refusal::About(if test.ends_with("help") { "--help" } else { "--version" }));
            }
            _ => self.action(test)?,
        })
    }

    fn action(&mut self, test: &str) -> Parsed<Expr> {
        let action = match test {
            "-print" => Action::Print(Target::Out, b'\n'),
            "-print0" => Action::Print(Target::Out, 0),
            "-fprint" | "-fprint0" => {
                let end = if test == "-fprint" { b'\n' } else { 0 };
                let file = self.value(test)?;
                Action::Print(self.opened(file)?, end)
            }
            "-printf" => Action::Format(Target::Out, self.format(test)?),
            "-fprintf" => {
                let file = self.value(test)?;
                let format = self.format(test)?;
                Action::Format(self.opened(file)?, format)
            }
            "-ls" => Action::List(Target::Out),
            "-fls" => {
                let file = self.value(test)?;
                Action::List(self.opened(file)?)
            }
            "-delete" => {
                self.plan.inside_first = true;
                Action::Delete
            }
            "-exec" | "-execdir" | "-ok" | "-okdir" => self.command(test)?,
            _ => {
                let known = if test.starts_with("-newer") { "invalid" } else { "unknown" };
                return Err(format!("find: {known} predicate `{test}'\n").into());
            }
        };
        self.plan.acts = true;
        Ok(Expr::Do(action))
    }

    /// Only whoever sits at a terminal is warned.
    fn late(&mut self, option: &str) {
        let earlier = self.words.get(..self.at).unwrap_or_default().iter().find(|word| {
            word.starts_with('-')
                && !matches!(
                    word.as_str(),
                    "-maxdepth"
                        | "-mindepth"
                        | "-depth"
                        | "-xdev"
                        | "-mount"
                        | "-d"
                        | "-daystart"
                        | "-follow"
                        | "-regextype"
                        | "-warn"
                        | "-nowarn"
                        | "-noleaf"
                )
        });
        if let Some(earlier) =
            earlier.filter(|_| self.call.session.launch.tty.is_some() && self.call.stdin.is_none())
        {
            self.warned.push_str(&format!(
                "find: warning: you have specified the global option {option} after the argument {earlier}, but global options are not positional, i.e., {option} affects tests specified before it as well as those specified after it.  Please specify global options before other arguments.\n"
            ));
        }
    }

    fn glob(&mut self, test: &str, folds: bool) -> Parsed<Regex> {
        let text = self.value(test)?;
        patterns::glob(text, folds).ok_or_else(|| "find: memory exhausted\n".into())
    }

    fn kinds(&mut self, test: &str) -> Parsed<String> {
        let text = self.value(test)?;
        if text.is_empty() {
            return Err(format!("find: Arguments to {test} should contain at least one letter\n").into());
        }
        let (mut kinds, mut letters) = (String::new(), text.chars().peekable());
        while let Some(letter) = letters.next() {
            match letter {
                'b' | 'c' | 'd' | 'f' | 'l' | 'p' | 's' => {}
                'D' => return Err(format!("find: {test} D is not supported because Solaris doors are not supported on the platform find was compiled on.\n").into()),
                _ => return Err(format!("find: Unknown argument to {test}: {letter}\n").into()),
            }
            if kinds.contains(letter) {
                return Err(format!(
                    "find: Duplicate file type '{letter}' in the argument list to {test}.\n"
                )
                .into());
            }
            kinds.push(letter);
            match (letters.next(), letters.peek()) {
                (None, _) | (Some(','), Some(_)) => {}
                (Some(','), None) => return Err(format!("find: Last file type in list argument to {test} is missing, i.e., list is ending on: ','\n").into()),
                _ => return Err(format!("find: Must separate multiple arguments to {test} using: ','\n").into()),
            }
        }
        Ok(kinds)
    }

    fn size(&mut self) -> Parsed<Expr> {
        let text = self.value("-size")?;
        let (digits, unit) = match text.chars().last() {
            Some('b') => (text.strip_suffix('b'), 512),
            Some('c') => (text.strip_suffix('c'), 1),
            Some('w') => (text.strip_suffix('w'), 2),
            Some('k') => (text.strip_suffix('k'), 1 << 10),
            Some('M') => (text.strip_suffix('M'), 1 << 20),
            Some('G') => (text.strip_suffix('G'), 1 << 30),
            Some(digit) if digit.is_ascii_digit() => (Some(text), 512),
            Some(other) => return Err(format!("find: invalid -size type `{other}'\n").into()),
            None => return Err("find: invalid null argument to -size\n".into()),
        };
        let number =
            digits.and_then(whole).ok_or_else(|| format!("find: Invalid argument `{text}' to -size\n"))?;
        Ok(Expr::Size(number, unit))
    }

    fn age(&mut self, test: &str) -> Parsed<Expr> {
        let text = self.value(test)?;
        let number = decimal(text).ok_or_else(|| format!("find: invalid argument `{text}' to `{test}'\n"))?;
        let field = field(test.chars().nth(1).unwrap_or('m'));
        let unit = if test.ends_with("min") { Unit::Minutes } else { Unit::Days };
        let mut from = Moment::of(self.plan.now);
        if self.daystart {
            // The end of today, from which whole days are counted.
            let now: DateTime<Utc> = self.plan.now.into();
            from = Moment(from.0 - f64::from(now.num_seconds_from_midnight()) + 86_400.0);
        }
        Ok(Expr::Age(field, unit, number, from))
    }

    fn newer(&mut self, word: &str) -> Parsed<Expr> {
        let mut letters = word.chars().skip(6);
        let (Some(x @ ('a' | 'B' | 'c' | 'm')), Some(y @ ('a' | 'B' | 'c' | 'm' | 't'))) =
            (letters.next(), letters.next())
        else {
            return Err(format!("find: invalid predicate `{word}'\n").into());
        };
        let value = self.value(word)?;
        let than: SystemTime = if y == 't' {
            let when = dates::moment(self.call, value).ok_or_else(|| {
                format!("find: I cannot figure out how to interpret {} as a date or time\n", curled(value))
            })?;
            when.into()
        } else {
            let node = self.reference(value)?;
            field(y).of(&node)
        };
        Ok(Expr::Newer(field(x), than))
    }

    fn reference(&self, file: &str) -> Parsed<crate::machine::Attributes> {
        let path = self.call.path(file);
        let files = self.call.files();
        let found = if self.plan.follow == Follow::Never { files.lstat(&path) } else { files.stat(&path) };
        found.map_err(|error| failed(file, error).into())
    }

    fn owner(&mut self, test: &str) -> Parsed<Expr> {
        let name = self.value(test)?;
        let is_user = test == "-user";
        let known = if is_user { &self.plan.owners.users } else { &self.plan.owners.groups };
        let by_name = known.iter().find(|(_, known)| *known == name).map(|(id, _)| u64::from(*id));
        let id = by_name.or_else(|| name.parse().ok());
        let Some(value) = id else {
            let what = if is_user { "a known user" } else { "an existing group" };
            return Err(format!("find: {} is not the name of {what}\n", curled(name)).into());
        };
        let number = Number { want: Want::Exactly, value };
        Ok(if is_user { Expr::Uid(number) } else { Expr::Gid(number) })
    }

    fn mode(&mut self) -> Parsed<Expr> {
        let text = self.value("-perm")?;
        let (want, body) = match text.chars().next() {
            Some('-') => (Want::AtLeast, text.get(1..).unwrap_or_default()),
            Some('/') => (Want::Some, text.get(1..).unwrap_or_default()),
            _ => (Want::Exactly, text),
        };
        let symbols = body.starts_with(['+', '-', '='])
            && body.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let mode = if symbols { None } else { nodes::mode_from(body, 0, false, 0) };
        let Some(mode) = mode else { return Err(format!("find: invalid mode {}\n", curled(text)).into()) };
        if want == Want::Some && mode == 0 {
            self.warned.push_str(&format!("find: warning: you have specified a mode pattern {text} (which is equivalent to /000). The meaning of -perm /000 has now been changed to be consistent with -perm -000; that is, while it used to match no files, it now matches all files.\n"));
        }
        Ok(Expr::Mode(want, mode))
    }

    fn format(&mut self, test: &str) -> Parsed<Vec<printed::Piece>> {
        let text = self.value(test)?;
        Ok(printed::pieces(text, self.warned)?)
    }

    /// The file that an action writes to: empty from now on.
    fn opened(&mut self, file: &str) -> Parsed<Target> {
        match file {
            "/dev/stdout" => return Ok(Target::Out),
            "/dev/stderr" => return Ok(Target::Err),
            _ => {}
        }
        let path = self.call.path(file);
        if let Some(at) = self.plan.files.iter().position(|(known, _)| *known == path) {
            return Ok(Target::File(at));
        }
        let who = self.call.session.who();
        let files = self.call.files();
        let may = if files.lstat(&path).is_ok() {
            files.may(who.uid, who.gid, &path, Access::Write)
        } else {
            Ok(())
        };
        may.and_then(|()| files.write(&path, b"", &who, 0o644)).map_err(|error| failed(file, error))?;
        self.plan.files.push((path, Vec::new()));
        Ok(Target::File(self.plan.files.len() - 1))
    }

    fn command(&mut self, test: &str) -> Parsed<Action> {
        let begin = self.at;
        let asks = test.starts_with("-ok");
        let mut many = false;
        loop {
            match self.next() {
                None => return Err(format!("find: missing argument to `{test}'\n").into()),
                Some(";") => break,
                Some("+")
                    if !asks && self.words.get(self.at.wrapping_sub(2)).is_some_and(|word| word == "{}") =>
                {
                    many = true;
                    break;
                }
                Some(_) => {}
            }
        }
        let words = self.words.get(begin..self.at - 1).unwrap_or_default().to_vec();
        if words.is_empty() {
            return Err(format!("find: invalid argument `;' to `{test}'\n").into());
        }
        if many && words.iter().filter(|word| word.contains("{}")).count() > 1 {
            return Err(format!("find: Only one instance of {{}} is supported with {test} ... +\n").into());
        }
        self.plan.runs = true;
        let id = self.plan.commands.len();
        self.plan.commands.push(words);
        Ok(Action::Run { id, inside: test.ends_with("dir"), asks, many })
    }
}

fn field(letter: char) -> Field {
    match letter {
        'a' => Field::Accessed,
        'c' => Field::Changed,
        'B' => Field::Born,
        _ => Field::Modified,
    }
}

/// What is said about a file that cannot be looked at.
pub(super) fn failed(name: &str, error: FileError) -> String {
    format!("find: {}: {}\n", curled(name), error.errno_text())
}

fn sign(text: &str) -> (Want, &str) {
    match text.chars().next() {
        Some('+') => (Want::More, text.get(1..).unwrap_or_default()),
        Some('-') => (Want::Less, text.get(1..).unwrap_or_default()),
        _ => (Want::Exactly, text),
    }
}

/// `+5`, `-5`, `5`.
fn whole(text: &str) -> Option<Number<u64>> {
    let (want, digits) = sign(text);
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    Some(Number { want, value: is_number.then(|| digits.parse().ok()).flatten()? })
}

fn decimal(text: &str) -> Option<Number<f64>> {
    let (want, digits) = sign(text);
    let is_number =
        digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && !digits.contains(['e', 'E']);
    Some(Number { want, value: is_number.then(|| digits.parse().ok()).flatten()? })
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
