//! Interpreters that read the terminal line by line: `python3`, `mysql`, `psql`, `redis-cli`, `php -a`, `node`. What every
//! visitor's first lines are is known by heart; the rest is asked, with all that was said before.

mod python;

use super::{
    Said,
    asking::{Asked, family},
};
use crate::{
    oracle::{Ask, Exchange, Grounding, Question},
    shell::{
        Output,
        io::{Input, Out},
        session::Session,
    },
};

use python::{python, python_unknown};

/// The most lines that one sitting answers; then the interpreter runs out of memory.
const MOST_LINES: usize = 500;
/// The most that is remembered of a sitting for the next question.
const REMEMBERED: usize = 10;
/// The longest statement, in bytes.
const LONGEST: usize = 8 * 1024;

/// How an interpreter shows itself.
struct Manner {
    banner: &'static str,
    prompt: &'static str,
    /// While a statement is not complete.
    more: &'static str,
    /// What it says when the input ends.
    farewell: &'static str,
}

fn manner(name: &str) -> Option<Manner> {
    Some(match name {
        "python3" | "python3.11" | "python" => Manner {
            banner: "Python 3.11.2 (main, Nov 30 2024, 21:22:50) [GCC 12.2.0] on linux\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n",
            prompt: ">>> ",
            more: "... ",
            farewell: "\n",
        },
        "mysql" | "mariadb" => Manner {
            banner: "Welcome to the MariaDB monitor.  Commands end with ; or \\g.\nYour MariaDB connection id is 31\nServer version: 10.11.6-MariaDB-0+deb12u1 Debian 12\n\nCopyright (c) 2000, 2018, Oracle, MariaDB Corporation Ab and others.\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n",
            prompt: "MariaDB [(none)]> ",
            more: "    -> ",
            farewell: "Bye\n",
        },
        "psql" => Manner {
            banner: "psql (15.8 (Debian 15.8-0+deb12u1))\nType \"help\" for help.\n\n",
            prompt: "postgres=# ",
            more: "postgres-# ",
            farewell: "\\q\n",
        },
        "redis-cli" => Manner { banner: "", prompt: "127.0.0.1:6379> ", more: "", farewell: "\n" },
        "php" => Manner { banner: "Interactive shell\n\n", prompt: "php > ", more: "php { ", farewell: "\n" },
        "node" | "nodejs" => Manner {
            banner: "Welcome to Node.js v18.19.0.\nType \".help\" for more information.\n",
            prompt: "> ",
            more: "... ",
            farewell: "\n",
        },
        _ => return None,
    })
}

/// Whether this call reads statements from the terminal.
fn is_interactive(name: &str, args: &[String]) -> bool {
    let only_options = |valued: &[&str]| {
        let mut skip = false;
        args.iter().all(|arg| {
            let fine = std::mem::take(&mut skip) || arg.starts_with('-');
            skip = valued.contains(&arg.as_str());
            fine
        })
    };
    let none_of =
        |options: &[&str]| !args.iter().any(|arg| options.iter().any(|option| arg.starts_with(option)));
    match name {
        "php" => args.iter().any(|arg| arg == "-a" || arg == "--interactive"),
        "mysql" | "mariadb" => none_of(&["-e", "--execute", "-V", "--version", "--help"]),
        "psql" => none_of(&["-c", "--command", "-f", "-l", "-V", "--version", "--help"]),
        "redis-cli" => only_options(&["-h", "-p", "-a", "-n", "-u"]),
        _ => args.iter().all(|arg| matches!(arg.as_str(), "-i" | "-q" | "-u" | "-B" | "-E" | "-s")),
    }
}

/// The arguments that mean the same as a script from standard input, for interpreters that read one from there.
pub(super) fn piped(name: &str, args: &[String], script: &[u8]) -> Option<Vec<String>> {
    let option = match name {
        "python3" | "python3.11" | "python" => "-c",
        name if name.starts_with("perl") => "-e",
        _ => return None,
    };
    // What is behind a lone `-` is for the script.
    let (options, rest) = match args.iter().position(|arg| arg == "-") {
        Some(at) => (args.get(..at)?, args.get(at + 1..)?),
        None => (args, &[][..]),
    };
    let reads = options
        .iter()
        .all(|arg| matches!(arg.as_str(), "-u" | "-B" | "-E" | "-I" | "-s" | "-S" | "-w" | "-T"));
    let text = String::from_utf8_lossy(script.get(..script.len().min(LONGEST))?).into_owned();
    reads.then(|| {
        let words = options.iter().cloned();
        words.chain([option.to_owned(), text.trim_end().to_owned()]).chain(rest.iter().cloned()).collect()
    })
}

/// Runs the interpreter on the terminal until the visitor leaves it. `None` when this call does not read a terminal.
pub(super) async fn sit(session: &Session, asked: &Asked<'_>) -> Option<Said> {
    let manner = manner(asked.name)?;
    if asked.stdin.is_some() || session.launch.tty.is_none() || !is_interactive(asked.name, asked.args) {
        return None;
    }
    let (output, input) = session.channels.lock().clone()?;
    let mut sitting = Sitting {
        session,
        name: asked.name,
        manner,
        output,
        input,
        said: Vec::new(),
        unread: Vec::new(),
        database: None,
    };
    Some(sitting.run().await)
}

struct Sitting<'a> {
    session: &'a Session,
    name: &'a str,
    manner: Manner,
    output: Output,
    input: Input,
    /// Statements so far with the beginning of their answers.
    said: Vec<Exchange>,
    /// Bytes read behind the end of a line.
    unread: Vec<u8>,
    /// The database that `use` or `\c` chose.
    database: Option<String>,
}

impl Sitting<'_> {
    fn show(&self, text: &str) {
        (self.output)(Out::Stdout, text.as_bytes());
    }

    async fn run(&mut self) -> Said {
        self.show(self.manner.banner);
        for _ in 0..MOST_LINES {
            let prompt = self.prompt();
            self.show(&prompt);
            let Some(mut statement) = self.line().await else {
                self.show(self.manner.farewell);
                return Said::nothing(0);
            };
            while !self.is_whole(&statement) {
                self.show(self.manner.more);
                let Some(more) = self.line().await else { break };
                let blank = more.trim().is_empty();
                statement.push('\n');
                statement.push_str(&more);
                if statement.len() > LONGEST || blank && self.is_python() {
                    break;
                }
            }
            let statement = statement.trim().to_owned();
            if statement.is_empty() {
                continue;
            }
            if let Some(words) = self.leaves(&statement) {
                self.show(words);
                return Said::nothing(0);
            }
            let answer = match self.known(&statement) {
                Some(answer) => answer,
                None => self.ask(&statement).await,
            };
            self.show(&answer);
            if self.said.len() >= MOST_LINES {
                break;
            }
            self.said.push(Exchange { said: statement, answered: answer.chars().take(400).collect() });
        }
        Said::err("Killed\n", 137)
    }

    fn is_python(&self) -> bool {
        self.name.starts_with("python")
    }

    fn prompt(&self) -> String {
        match (&self.database, self.name) {
            (Some(database), "psql") => format!("{database}=# "),
            (Some(database), "mysql" | "mariadb") => format!("MariaDB [{database}]> "),
            _ => self.manner.prompt.to_owned(),
        }
    }

    /// One line from the terminal, without its end.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                let rest = self.unread.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.unread, rest);
                line.truncate(end);
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            if self.unread.len() > LONGEST {
                return Some(String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned());
            }
            self.unread.extend(self.input.read().await?);
        }
    }

    /// Whether nothing is missing at the statement's end.
    fn is_whole(&self, statement: &str) -> bool {
        let text = statement.trim();
        match self.name {
            "mysql" | "mariadb" | "psql" => {
                text.is_empty()
                    || text.ends_with([';'])
                    || text.ends_with("\\G")
                    || text.ends_with("\\g")
                    || text.starts_with('\\')
                    || matches!(text, "exit" | "quit" | "help" | "?")
                    || text.to_ascii_lowercase().starts_with("use ")
            }
            "redis-cli" => true,
            _ => {
                let open: i32 = text
                    .chars()
                    .map(|c| match c {
                        '(' | '[' | '{' => 1,
                        ')' | ']' | '}' => -1,
                        _ => 0,
                    })
                    .sum();
                open <= 0
                    && !(self.is_python() && text.lines().next().is_some_and(|line| line.ends_with(':')))
            }
        }
    }

    /// Words that end the interpreter, and what it says then.
    fn leaves(&self, statement: &str) -> Option<&'static str> {
        let text = statement.trim_end_matches(';').trim();
        let called = text.strip_suffix(')').and_then(|text| text.split_once('(')).map(|(name, _)| name);
        match self.name {
            "mysql" | "mariadb" => matches!(text, "exit" | "quit" | "\\q").then_some("Bye\n"),
            "psql" => matches!(text, "exit" | "quit" | "\\q").then_some(""),
            "redis-cli" => matches!(text.to_ascii_lowercase().as_str(), "exit" | "quit").then_some(""),
            "php" => matches!(text, "exit" | "quit" | "die")
                .then_some("")
                .or_else(|| matches!(called, Some("exit" | "die")).then_some("")),
            "node" | "nodejs" => (text == ".exit" || called == Some("process.exit")).then_some(""),
            _ => matches!(called, Some("exit" | "quit" | "sys.exit")).then_some(""),
        }
    }

    /// What is known by heart.
    fn known(&mut self, statement: &str) -> Option<String> {
        match self.name {
            "mysql" | "mariadb" => {
                let text = statement.trim_end_matches(';').trim();
                let database = text
                    .get(..4)
                    .filter(|verb| verb.eq_ignore_ascii_case("use "))
                    .and_then(|_| text.get(4..))?;
                if !matches!(database.trim(), "mysql" | "information_schema" | "performance_schema" | "sys") {
                    return None;
                }
                self.database = Some(database.trim().to_owned());
                Some("Database changed\n".to_owned())
            }
            "redis-cli" => statement.eq_ignore_ascii_case("ping").then(|| "PONG\n".to_owned()),
            "node" | "nodejs" | "php" | "psql" => None,
            _ => python(statement, &self.said),
        }
    }

    async fn ask(&mut self, statement: &str) -> String {
        let mut own: Vec<String> = self.session.contact.visitor.doings().of(family(self.name));
        own.extend(self.said.iter().map(|exchange| exchange.said.clone()));
        let recent = self.said.iter().rev().take(REMEMBERED).rev().cloned().collect();
        let ground = Grounding { own, recent, ..Grounding::default() };
        let what = Ask::Reply { program: self.name.to_owned(), line: statement.to_owned() };
        let otherwise = self.otherwise(statement);
        let answer =
            self.session.contact.oracle.ask(Question { what, ground, otherwise: otherwise.into() }).await;
        let first = statement.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        const CHANGES: [&str; 11] = [
            "alter", "create", "del", "delete", "drop", "flushall", "flushdb", "grant", "insert", "set",
            "update",
        ];
        if CHANGES.contains(&first.as_str()) {
            self.session.contact.visitor.doings().note(family(self.name), statement);
        }
        let text = String::from_utf8_lossy(&answer.text).into_owned();
        if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
    }

    /// What the interpreter says when nobody knows.
    fn otherwise(&self, statement: &str) -> String {
        let first = statement.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        match self.name {
            "mysql" | "mariadb" => match first.trim_end_matches(';') {
                "select" | "show" => "Empty set (0.000 sec)\n\n".to_owned(),
                "create" | "drop" | "insert" | "update" | "delete" | "grant" | "alter" | "set" | "flush" => {
                    "Query OK, 0 rows affected (0.003 sec)\n\n".to_owned()
                }
                _ => format!(
                    "ERROR 1064 (42000): You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near '{}' at line 1\n",
                    statement.trim_end_matches(';').chars().take(60).collect::<String>()
                ),
            },
            "psql" => match first.trim_end_matches(';') {
                "select" | "show" => "(0 rows)\n\n".to_owned(),
                "create" | "drop" | "alter" => format!(
                    "{}\n",
                    statement.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_uppercase()
                ),
                "insert" => "INSERT 0 1\n".to_owned(),
                "update" | "delete" => format!("{} 0\n", first.to_uppercase()),
                word if word.starts_with('\\') => "Did not find any relations.\n".to_owned(),
                word => {
                    format!("ERROR:  syntax error at or near \"{word}\"\nLINE 1: {statement}\n        ^\n")
                }
            },
            "redis-cli" => match first.as_str() {
                "get" | "hget" | "lpop" | "rpop" => "(nil)\n".to_owned(),
                "keys" | "lrange" | "smembers" | "hgetall" => "(empty array)\n".to_owned(),
                "set" | "select" | "flushall" | "flushdb" | "config" | "save" | "auth" | "slaveof"
                | "replicaof" => "OK\n".to_owned(),
                "del" | "exists" | "expire" | "dbsize" => "(integer) 0\n".to_owned(),
                word => format!("(error) ERR unknown command '{word}', with args beginning with: \n"),
            },
            "node" | "nodejs" => "undefined\n".to_owned(),
            "php" => String::new(),
            _ => python_unknown(statement, &self.said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{python::MODULES, *};

    #[test]
    fn what_everybody_tries_first_is_known() {
        for (line, answer) in [
            ("1+1", Some("2\n")),
            ("2 * 21", Some("42\n")),
            ("-3+1", Some("-2\n")),
            ("print('x')", Some("x\n")),
            ("'x'", Some("'x'\n")),
            ("import os, sys", Some("")),
            ("from socket import socket", Some("")),
            ("x = 'a'", Some("")),
            ("exit", Some("Use exit() or Ctrl-D (i.e. EOF) to exit\n")),
            ("os.listdir('/')", None),
            ("1 ** 2", None),
            ("1 + + 2", None),
        ] {
            assert_eq!(python(line, &[]).as_deref(), answer, "{line}");
        }
        assert!(python("import requests", &[]).unwrap().ends_with("No module named 'requests'\n"));
        assert!(python_unknown("foo(1)", &[]).contains("name 'foo' is not defined"));
        let said = Exchange { said: "import os".into(), answered: String::new() };
        assert_eq!(python_unknown("os.getcwd()", &[said]), "");
        assert!(MODULES.is_sorted());
    }

    #[test]
    fn only_calls_without_work_read_the_terminal() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (name, args, sits) in [
            ("python3", "", true),
            ("python3", "-c x", false),
            ("python3", "x.py", false),
            ("php", "-a", true),
            ("php", "-r x", false),
            ("mysql", "-u root -p", true),
            ("mysql", "-e select", false),
            ("redis-cli", "-h 127.0.0.1", true),
            ("redis-cli", "info", false),
        ] {
            assert_eq!(is_interactive(name, &words(args)), sits, "{name} {args}");
        }
    }
}
