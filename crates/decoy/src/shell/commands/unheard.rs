//! What installed programs that nobody emulates say when no model answers: their complaint, their version, their usage.
//! Silence only where the real program is silent.

use super::{Said, packages, usage};
use crate::shell::session::Session;

/// Programs that do their work without a word.
const SILENT: &[&str] = &[
    "ldconfig",
    "logger",
    "mandb",
    "newaliases",
    "postalias",
    "postmap",
    "renice",
    "reset",
    "setterm",
    "systemd-tmpfiles",
    "tabs",
    "update-ca-certificates",
    "users",
    "wall",
];

/// Programs that start without arguments and wait for input, or print only when there is something to print.
const QUIET_ALONE: &[&str] =
    &["col", "colcrt", "column", "fold", "iconv", "more", "less", "pr", "tsort", "ul", "watch"];

/// What a program that came from the archive says of itself.
fn of_package(name: &str, args: &[String]) -> Option<Said> {
    let version = packages::version_of_program(name)?;
    let asks = args.iter().any(|arg| matches!(arg.as_str(), "--version" | "-V" | "-version"));
    let mut letters = name.chars();
    let shown: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    Some(match name {
        _ if !asks => Said::nothing(0),
        "nmap" => Said::out(format!(
            "{shown} version {version} ( https://nmap.org )\nPlatform: x86_64-pc-linux-gnu\n"
        )),
        _ => Said::out(format!("{name} {version}\n")),
    })
}

/// Programs whose operands are files that they read.
const TAKES_FILES: &[&str] = &[
    "ar", "bzcmp", "bzdiff", "bzgrep", "bzless", "bzmore", "cmp", "col", "colcrt", "colrm", "column", "comm",
    "csplit", "diff", "diff3", "expand", "fmt", "fold", "gold", "gprof", "iconv", "join", "look", "lz4",
    "lz4cat", "msgfmt", "nl", "nm", "objdump", "paste", "pod2man", "pod2text", "pr", "ptx", "ranlib",
    "readelf", "sdiff", "size", "split", "strings", "strip", "tac", "tsort", "ul", "unexpand", "unzstd",
    "xzcmp", "xzdiff", "xzgrep", "xzless", "xzmore", "zcmp", "zdiff", "zegrep", "zfgrep", "zforce", "zgrep",
    "zless", "zmore", "zstd", "zstdcat",
];

/// What the program says.
pub(super) fn said(session: &Session, name: &str, args: &[String]) -> Said {
    let has = |wanted: &[&str]| args.iter().any(|arg| wanted.contains(&arg.as_str()));
    if let Some(said) = unreachable(session, name, args) {
        return said;
    }
    if let Some(said) = of_package(name, args) {
        return said;
    }
    if has(&["--version", "-V"]) || name == "openssl" && args.first().is_some_and(|arg| arg == "version") {
        return Said::out(version(name));
    }
    if SILENT.contains(&name) || QUIET_ALONE.contains(&name) && args.is_empty() {
        return Said::nothing(0);
    }
    if let Some(said) = interpreted(session, name, args) {
        return said;
    }
    if has(&["--help"]) {
        return Said::out(format!("Usage: {name} [OPTION]... [FILE]...\n"));
    }
    if let Some(option) = args.iter().find(|arg| arg.starts_with('-') && arg.len() > 1)
        && usage::exactly(name, "--help").is_some_and(|help| help.out.len() + help.err.len() > 80)
        && !usage::names_option(name, option)
    {
        let text = match option.strip_prefix("--") {
            Some(_) => format!("{name}: unrecognized option '{option}'\n"),
            None => format!("{name}: invalid option -- '{}'\n", option.chars().nth(1).unwrap_or('?')),
        };
        return Said::err(format!("{text}Try '{name} --help' for more information.\n"), 1);
    }
    let operands = args.iter().filter(|arg| !arg.starts_with('-'));
    if let Some(file) = operands.into_iter().find(|_| TAKES_FILES.contains(&name)) {
        let path = session.files().resolve(&session.cwd.lock(), file);
        if !session.files().exists(&path) {
            return Said::err(format!("{name}: {file}: No such file or directory\n"), 1);
        }
    }
    // What it does is not known here; that it failed would be wrong.
    Said::nothing(0)
}

/// Interpreters: what a program of one word prints, and a script that is not there.
fn interpreted(session: &Session, name: &str, args: &[String]) -> Option<Said> {
    let python = matches!(name, "python3" | "python3.11" | "python" | "python2");
    let perl = name.starts_with("perl");
    if !python && !perl {
        return None;
    }
    // perl's letters may stand together: `-ne`.
    let is_code = |arg: &String| match arg.strip_prefix('-') {
        Some("c") => python,
        Some(letters) => {
            !python && letters.ends_with(['e', 'E']) && letters.chars().all(|c| c.is_ascii_alphanumeric())
        }
        None => false,
    };
    let code = args.iter().position(is_code);
    if let Some(code) = code.map(|at| args.get(at + 1)) {
        let Some(code) = code else {
            let text =
                if python { "Argument expected for the -c option\n" } else { "No code specified for -e.\n" };
            return Some(Said::err(text, 2));
        };
        return Some(Said::out(printed(code, python).unwrap_or_default()));
    }
    let script = args.iter().find(|arg| !arg.starts_with('-'))?;
    let path = session.files().resolve(&session.cwd.lock(), script);
    if session.files().exists(&path) {
        return Some(Said::nothing(0));
    }
    Some(Said::err(
        if python {
            format!("{name}: can't open file '{path}': [Errno 2] No such file or directory\n")
        } else {
            format!("Can't open perl script \"{script}\": No such file or directory\n")
        },
        2,
    ))
}

/// What a program says that only prints texts and numbers.
fn printed(code: &str, python: bool) -> Option<String> {
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let said: Option<Vec<String>> = lines.take(64).map(|line| statement(line, python)).collect();
    said.filter(|said| !said.is_empty()).map(|said| said.concat())
}

/// The same of one statement.
fn statement(code: &str, python: bool) -> Option<String> {
    let code = code.trim().trim_end_matches(';').trim_end();
    let inner = code.strip_prefix("print")?.trim();
    let inner = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(inner).trim();
    let quote = inner.chars().next()?;
    let end = if python { "\n" } else { "" };
    if inner.parse::<i64>().is_ok() {
        return Some(format!("{inner}{end}"));
    }
    let text = inner.strip_prefix(quote)?.strip_suffix(quote)?;
    if !matches!(quote, '"' | '\'') || text.contains([quote, '$', '@', '%', '{']) {
        return None;
    }
    let raw = !python && quote == '\'';
    let text = if raw { text.to_owned() } else { text.replace("\\n", "\n").replace("\\t", "\t") };
    Some(text + end)
}

/// Programs that talk to a daemon or a network which is not there.
fn unreachable(session: &Session, name: &str, args: &[String]) -> Option<Said> {
    let operand = || args.iter().rev().find(|arg| !arg.starts_with('-')).map_or("", String::as_str);
    let root = session.who().uid == 0;
    let is_version = args.iter().any(|arg| matches!(arg.as_str(), "--version" | "-V" | "-v" | "version"));
    if is_version && !matches!(name, "kubectl" | "docker") {
        return None;
    }
    Some(match name {
        "docker" | "docker-compose" if args.first().is_some_and(|arg| arg == "--version" || arg == "-v") => {
            Said::out("Docker version 20.10.24+dfsg1, build 297e128\n")
        }
        "docker" | "docker-compose" if args.is_empty() => Said::out(
            "\nUsage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n\nRun 'docker COMMAND --help' for more information on a command.\n",
        ),
        "docker" if root => return Some(docker(args)),
        "docker-compose" if root => Said::err(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
            1,
        ),
        "docker" | "docker-compose" => Said::err(
            "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied\n",
            1,
        ),
        "kubectl" if args.first().is_some_and(|verb| verb == "get") => {
            Said::err("No resources found in default namespace.\n", 0)
        }
        "kubectl" => Said::err("error: You must be logged in to the server (Unauthorized)\n", 1),
        "mysql" | "mysqldump" | "mariadb" => Said::err(
            "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)\n",
            1,
        ),
        "psql" => Said::err(
            "psql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?\n",
            2,
        ),
        "redis-cli" => Said::err("Could not connect to Redis at 127.0.0.1:6379: Connection refused\n", 1),
        "traceroute" if args.is_empty() => {
            let help = super::usage::exactly("traceroute", "--help")?;
            Said { err: [help.out, help.err].concat(), ..Said::default() }
        }
        "tmux"
            if matches!(
                args.first().map(String::as_str),
                Some("ls" | "list-sessions" | "kill-server" | "kill-session")
            ) =>
        {
            let socket = format!("/tmp/tmux-{}/default", session.who().uid);
            Said::err(format!("error connecting to {socket} (No such file or directory)\n"), 1)
        }
        "tmux"
            if matches!(args.first().map(String::as_str), Some("a" | "at" | "attach" | "attach-session")) =>
        {
            Said::err("no sessions\n", 1)
        }
        "cpio" if args.is_empty() => Said::err(
            "cpio: You must specify one of -oipt options.\nTry 'cpio --help' or 'cpio --usage' for more information.\n",
            2,
        ),
        "traceroute" | "ping4" | "ping6" => {
            Said::err(format!("{}: Temporary failure in name resolution\n", operand()), 2)
        }
        "ssh" | "scp" | "sftp" | "rsync" if args.is_empty() => return None,
        "ssh" | "sftp" | "scp" => {
            let host = operand().rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
            Said::err(
                format!("ssh: Could not resolve hostname {host}: Temporary failure in name resolution\n"),
                255,
            )
        }
        "nc" | "netcat" | "nc.openbsd" if args.is_empty() => Said::err(
            "usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]\n",
            1,
        ),
        "nc" | "netcat" | "nc.openbsd" | "telnet" => Said::nothing(1),
        "git" if args.is_empty() => Said::out(
            "usage: git [-v | --version] [-h | --help] [-C <path>] [-c <name>=<value>]\n           [--exec-path[=<path>]] [--html-path] [--man-path] [--info-path]\n           [-p | --paginate | -P | --no-pager] [--no-replace-objects] [--bare]\n           [--git-dir=<path>] [--work-tree=<path>] [--namespace=<name>]\n           [--super-prefix=<path>] [--config-env=<name>=<envvar>]\n           <command> [<args>]\n",
        ),
        "git" if args.first().is_some_and(|verb| verb == "clone") => {
            let url = operand();
            let host = url.split("//").nth(1).unwrap_or(url).split(['/', ':']).next().unwrap_or_default();
            let folder = url.rsplit('/').next().unwrap_or_default().trim_end_matches(".git");
            Said::err(
                format!(
                    "Cloning into '{folder}'...\nfatal: unable to access '{url}': Could not resolve host: {host}\n"
                ),
                128,
            )
        }
        "git" => Said::nothing(0),
        "journalctl" => Said::out("-- No entries --\n"),
        "lsof" | "strace" if args.is_empty() => return None,
        "mail" | "mailq" => Said::out("Mail queue is empty\n"),
        "whatis" | "apropos" if !operand().is_empty() => {
            Said::err(format!("{}: nothing appropriate.\n", operand()), 16)
        }
        "man" => Said::err(format!("No manual entry for {}\n", operand()), 16),
        "nft" | "tcpdump" if !root => Said::err("Operation not permitted (you must be root)\n", 1),
        _ => return None,
    })
}

/// A container engine that has nothing.
fn docker(args: &[String]) -> Said {
    let quiet = args.iter().any(|arg| arg == "-q" || arg == "-aq" || arg == "-qa");
    let operand = args.iter().skip(1).rev().find(|arg| !arg.starts_with('-'));
    match (args.first().map(String::as_str), operand) {
        (Some("ps" | "images" | "network" | "volume"), _) if quiet => Said::nothing(0),
        (Some("ps"), _) => {
            Said::out("CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n")
        }
        (Some("images"), _) => Said::out("REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n"),
        (Some("volume"), _) => Said::out("DRIVER    VOLUME NAME\n"),
        (Some("run" | "pull"), Some(image)) => Said::err(
            format!(
                "Unable to find image '{image}:latest' locally\ndocker: Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: Temporary failure in name resolution.\nSee 'docker run --help'.\n"
            ),
            125,
        ),
        (Some("rm" | "stop" | "start" | "exec" | "logs" | "inspect" | "kill"), Some(name)) => {
            Said::err(format!("Error response from daemon: No such container: {name}\n"), 1)
        }
        (Some(verb), _) => {
            Said::err(format!("docker: '{verb}' is not a docker command.\nSee 'docker --help'\n"), 1)
        }
        (None, _) => Said::nothing(0),
    }
}

/// Versions of Debian 12's packages.
fn version(name: &str) -> String {
    let (package, version) = match name {
        "git" => return "git version 2.39.5\n".to_owned(),
        "perl" | "perl5.36.0" => {
            return "\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi\n(with 56 registered patches, see perl -V for more detail)\n\nCopyright 1987-2022, Larry Wall\n".to_owned();
        }
        "python3" | "python3.11" => return "Python 3.11.2\n".to_owned(),
        "openssl" => return "OpenSSL 3.0.15 3 Sep 2024 (Library: OpenSSL 3.0.15 3 Sep 2024)\n".to_owned(),
        "rsync" => return "rsync  version 3.2.7  protocol version 31\n".to_owned(),
        "screen" => return "Screen version 4.09.00 (GNU) 30-Jan-22\n".to_owned(),
        "tmux" => return "tmux 3.3a\n".to_owned(),
        "ssh" => return "OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.15 3 Sep 2024\n".to_owned(),
        "vim" | "vi" | "vim.tiny" => {
            return "VIM - Vi IMproved 9.0 (2022 Jun 28, compiled May 04 2023 10:24:44)\n".to_owned();
        }
        "xz" | "unxz" | "xzcat" => return "xz (XZ Utils) 5.4.1\nliblzma 5.4.1\n".to_owned(),
        "b2sum" | "base32" | "basenc" | "chcon" | "csplit" | "dircolors" | "hostid" | "link" | "logname"
        | "mknod" | "nice" | "numfmt" | "pathchk" | "pinky" | "pr" | "ptx" | "runcon" | "sha224sum"
        | "sha384sum" | "shred" | "stdbuf" | "unlink" | "users" | "vdir" | "chroot" => {
            ("GNU coreutils", "9.1")
        }
        "pmap" | "pwdx" | "skill" | "snice" | "slabtop" | "tload" | "vmstat" | "watch" | "sysctl" => {
            ("procps-ng", "4.0.2")
        }
        "fuser" | "peekfd" | "prtstat" | "pstree" | "pslog" => return format!("{name} (PSmisc) 23.6\n"),
        _ => ("util-linux", "2.38.1"),
    };
    match package {
        "GNU coreutils" => format!(
            "{name} (GNU coreutils) {version}\nCopyright (C) 2022 Free Software Foundation, Inc.\nLicense GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>.\nThis is free software: you are free to change and redistribute it.\nThere is NO WARRANTY, to the extent permitted by law.\n"
        ),
        package => format!("{name} from {package} {version}\n"),
    }
}
