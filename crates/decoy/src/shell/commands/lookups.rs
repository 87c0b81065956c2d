//! Small programs that look something up: `getent`, `logname`, `sysctl`, the module tools, `stty`, `tput`.

use super::{Call, Said, complaint, names, users};

/// glibc 2.36.
pub(super) fn getent(call: &Call<'_>) -> Said {
    let options = call.options("is");
    let Some((database, keys)) = options.operands.split_first() else {
        return Said {
            out: "Try `getent --help' or `getent --usage' for more information.\n".into(),
            err: "getent: wrong number of arguments\n".into(),
            status: 1,
        };
    };
    let path = match database.as_str() {
        "ethers" if !keys.is_empty() => "/etc/ethers".to_owned(),
        "passwd" | "group" | "shadow" | "gshadow" | "services" | "protocols" | "networks" | "rpc" => {
            format!("/etc/{database}")
        }
        "hosts" | "ahosts" | "ahostsv4" | "ahostsv6" => "/etc/hosts".to_owned(),
        "initgroups" if !keys.is_empty() => return memberships(call, keys),
        "ethers" | "initgroups" | "netgroup" if keys.is_empty() => {
            return Said::err(format!("Enumeration not supported on {database}\n"), 3);
        }
        "netgroup" | "aliases" => return Said::nothing(if keys.is_empty() { 3 } else { 2 }),
        _ => {
            return Said {
                out: "Try `getent --help' or `getent --usage' for more information.\n".into(),
                err: format!("Unknown database: {database}\n").into(),
                status: 1,
            };
        }
    };
    let text = String::from_utf8_lossy(&call.files().read(&path).unwrap_or_default()).into_owned();
    let rows = text.lines().filter(|row| !row.trim().is_empty() && !row.starts_with('#'));
    let hosts = path == "/etc/hosts";
    if database.starts_with("ahosts") && !keys.is_empty() {
        let rows: Vec<&str> = rows.collect();
        return addresses(database, keys, &rows);
    }
    let shown = |row: &str| {
        // What has no colons is shown in columns, without the comment (nss/getent.c).
        if matches!(database.as_str(), "services" | "protocols" | "networks" | "rpc") {
            let row = row.split('#').next().unwrap_or_default();
            let mut words = row.split_whitespace();
            let (name, number) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let rest: Vec<&str> = words.collect();
            let rest = rest.join(" ");
            let line = match database.as_str() {
                "networks" => format!("{name:<21} {number}{}{rest}", if rest.is_empty() { "" } else { " " }),
                "rpc" => format!("{name:<15} {number}{}{rest}", if rest.is_empty() { "" } else { "  " }),
                _ => format!("{name:<21} {number}{}{rest}", if rest.is_empty() { "" } else { " " }),
            };
            return line + "\n";
        }
        if !hosts {
            return format!("{row}\n");
        }
        let mut words = row.split_whitespace();
        let address = words.next().unwrap_or_default();
        format!("{address:<15} {}\n", words.collect::<Vec<_>>().join(" "))
    };
    if keys.is_empty() {
        return Said::out(rows.map(shown).collect::<String>());
    }
    let mut said = Said::default();
    for key in keys {
        let found = rows.clone().find(|row| {
            if hosts {
                return row.split_whitespace().any(|word| word == key);
            }
            let mut fields = row.split([':', '\t', ' ']).filter(|field| !field.is_empty());
            let numbered = matches!(database.as_str(), "services" | "protocols" | "rpc")
                && row
                    .split_whitespace()
                    .nth(1)
                    .is_some_and(|number| number == key || number.split('/').next() == Some(key));
            numbered
                || fields.next() == Some(key)
                || matches!(database.as_str(), "passwd" | "group") && row.split(':').nth(2) == Some(key)
        });
        match found {
            Some(row) => said.out.extend(shown(row).bytes()),
            None => said.status = 2,
        }
    }
    said
}

/// `getent initgroups`: the groups beside the first one, by number.
fn memberships(call: &Call<'_>, keys: &[String]) -> Said {
    let groups = users::groups(call);
    let mut text = String::new();
    for key in keys {
        text += &format!("{key:<21}");
        for (_, gid, _) in groups.iter().filter(|(_, _, members)| members.contains(key)) {
            text += &format!(" {gid}");
        }
        text.push('\n');
    }
    Said::out(text)
}

/// `getent ahosts`: every address once for each kind of socket (getaddrinfo(3)).
fn addresses(database: &str, keys: &[String], rows: &[&str]) -> Said {
    let mut said = Said::default();
    for key in keys {
        let fits = |address: &str| match (database, address.parse::<std::net::IpAddr>()) {
            ("ahostsv4", Ok(address)) => address.is_ipv4(),
            ("ahostsv6", Ok(address)) => address.is_ipv6(),
            (_, address) => address.is_ok(),
        };
        let mut found: Vec<&str> = if key.parse::<std::net::IpAddr>().is_ok() {
            vec![key.as_str()]
        } else {
            let named = rows.iter().filter(|row| row.split_whitespace().skip(1).any(|word| word == key));
            named.filter_map(|row| row.split_whitespace().next()).collect()
        };
        found.retain(|address| fits(address));
        found.sort_by_key(|address| !address.contains(':'));
        if found.is_empty() {
            said.status = 2;
        }
        for (number, address) in found.iter().enumerate() {
            let name = if number == 0 { key.as_str() } else { "" };
            said.out.extend(
                format!("{address:<15} STREAM {name}\n{address:<15} DGRAM  \n{address:<15} RAW    \n")
                    .bytes(),
            );
        }
    }
    said
}

pub(super) fn logname(call: &Call<'_>) -> Said {
    Said::out(format!("{}\n", call.session.launch.account.name))
}

/// procps 4.0.2: settings are files below `/proc/sys`, and what is written there stays.
pub(super) fn sysctl(call: &Call<'_>) -> Said {
    let options = call.options("r");
    let pattern = options.value('r').map(str::to_owned).or_else(|| {
        let at = call.args.iter().position(|arg| arg == "--pattern")?;
        call.args.get(at + 1).cloned()
    });
    let mut said = Said::default();
    if options.has('p') || options.has('f') || options.long.iter().any(|word| word.starts_with("load")) {
        let given = options.long.iter().find_map(|word| word.strip_prefix("load="));
        let file = given.or(options.operands.first().map(String::as_str)).unwrap_or("/etc/sysctl.conf");
        let Ok(text) = call.files().read(&call.path(file)) else {
            return Said::err(format!("sysctl: cannot open \"{file}\": No such file or directory\n"), 1);
        };
        for line in
            String::from_utf8_lossy(&text).lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']))
        {
            if line.contains('=') {
                one_setting(call, &options, line, &mut said);
            }
        }
        return said;
    }
    if options.has_long("system") {
        return Said::nothing(0);
    }
    if options.has('a') || options.has('A') || options.has('X') || options.has_long("all") {
        let mut rows = Vec::new();
        list(call, "/proc/sys", &mut rows, 0);
        let wanted = rows.iter().filter(|row| {
            pattern.as_ref().is_none_or(|pattern| {
                row.split(" = ").next().is_some_and(|name| name.contains(pattern.as_str()))
            })
        });
        let shown = wanted.map(|row| match (options.has('N'), row.split_once(" = ")) {
            (true, Some((name, _))) => format!("{name}\n"),
            (_, Some((_, value))) if options.has('n') => value.to_owned(),
            _ => row.clone(),
        });
        return Said::out(shown.collect::<String>());
    }
    if options.operands.is_empty() {
        if call.args.is_empty() {
            let text = super::usage::of("sysctl", &["--help".to_owned()], false).unwrap_or_default();
            return Said::err(text.out, 1);
        }
        return Said::err("sysctl: no variables specified\nTry `sysctl --help' for more information.\n", 1);
    }
    for operand in options.operands.iter().filter(|operand| pattern.as_ref() != Some(*operand)) {
        one_setting(call, &options, operand, &mut said);
    }
    said
}

/// Shows or writes one setting.
fn one_setting(call: &Call<'_>, options: &super::Options, operand: &str, said: &mut Said) {
    let (name, value) = match operand.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (operand, None),
    };
    if options.has('w') && value.is_none() {
        said.err.extend(format!("sysctl: \"{operand}\" must be of the form name=value\n").bytes());
        said.status = 1;
        return;
    }
    let ignores = name.starts_with('-') || options.has('e') || options.has_long("ignore");
    let path = format!("/proc/sys/{}", name.trim_start_matches('-').replace('.', "/"));
    let Ok(now) = call.files().read(&path) else {
        if !ignores {
            said.err.extend(format!("sysctl: cannot stat {path}: No such file or directory\n").bytes());
            said.status = 1;
        }
        return;
    };
    let name = name.trim_start_matches('-').replace('/', ".");
    if let Some(value) = value {
        if !call.is_root() {
            said.err.extend(format!("sysctl: permission denied on key \"{name}\"\n").bytes());
            said.status = 1;
            return;
        }
        // What the kernel works out itself does not take it.
        let _ = call.files().write(&path, format!("{value}\n").as_bytes(), &call.session.who(), 0o644);
    }
    let now = String::from_utf8_lossy(&now).trim_end().to_owned();
    let shown = value.unwrap_or(&now);
    if options.has('q') && value.is_some() {
        return;
    }
    let row = if options.has('N') {
        format!("{name}\n")
    } else if options.has('b') {
        shown.to_owned()
    } else if options.has('n') {
        format!("{shown}\n")
    } else {
        format!("{name} = {shown}\n")
    };
    said.out.extend(row.bytes());
}

fn list(call: &Call<'_>, folder: &str, rows: &mut Vec<String>, depth: usize) {
    let Ok(entries) = call.files().list(folder) else { return };
    for entry in entries {
        let path = format!("{folder}/{}", entry.name);
        if depth < 8 && call.files().is_dir(&path) {
            list(call, &path, rows, depth + 1);
        } else if let Ok(text) = call.files().read(&path) {
            let name = path.trim_start_matches("/proc/sys/").replace('/', ".");
            rows.push(format!("{name} = {}\n", String::from_utf8_lossy(&text).trim_end()));
        }
    }
}

/// kmod 30: there are no modules but those of the kernel.
pub(super) fn modules(call: &Call<'_>) -> Said {
    let options = call.options("CdSb");
    let release = &call.identity().kernel_release;
    let Some(name) = options.operands.first() else {
        let text = match call.name {
            "insmod" => "insmod: ERROR: missing filename.\n",
            "rmmod" => "rmmod: ERROR: missing module name.\n",
            "modinfo" => "modinfo: ERROR: missing module or filename.\n",
            _ => "modprobe: ERROR: missing parameters. See -h.\n",
        };
        return Said::err(text, 1);
    };
    let loaded = call.files().read("/proc/modules").unwrap_or_default();
    let loaded = String::from_utf8_lossy(&loaded).lines().any(|row| row.split(' ').next() == Some(name));
    let text = match call.name {
        "insmod" if call.files().exists(&call.path(name)) => {
            format!("insmod: ERROR: could not insert module {name}: Invalid module format\n")
        }
        "insmod" => format!("insmod: ERROR: could not load module {name}: No such file or directory\n"),
        "rmmod" if loaded => format!("rmmod: ERROR: Module {name} is in use\n"),
        "rmmod" => format!("rmmod: ERROR: Module {name} is not currently loaded\n"),
        "modinfo" => format!("modinfo: ERROR: Module {name} not found.\n"),
        _ if loaded => return Said::nothing(0),
        _ if options.has('r') => format!("modprobe: FATAL: Module {name} not found.\n"),
        _ => format!("modprobe: FATAL: Module {name} not found in directory /lib/modules/{release}\n"),
    };
    Said::err(text, 1)
}

/// coreutils 9.1.
pub(super) fn stty(call: &Call<'_>) -> Said {
    if call.session.launch.tty.is_none() || call.stdin.is_some() {
        return Said::err("stty: 'standard input': Inappropriate ioctl for device\n", 1);
    }
    let (columns, rows) = call.session.window();
    match call.args.first().map(String::as_str) {
        Some("size") => Said::out(format!("{rows} {columns}\n")),
        Some("speed") => Said::out("38400\n"),
        Some("-g") => Said::out(
            "4500:5:bf:8a3b:3:1c:7f:15:4:0:1:0:11:13:1a:ff:12:f:17:16:ff:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0\n",
        ),
        Some("-a" | "--all") => Said::out(format!(
            "speed 38400 baud; rows {rows}; columns {columns}; line = 0;\nintr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>;\neol2 = <undef>; swtch = <undef>; start = ^Q; stop = ^S; susp = ^Z; rprnt = ^R;\nwerase = ^W; lnext = ^V; discard = ^O; min = 1; time = 0;\n-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts\n-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff\n-iuclc -ixany -imaxbel iutf8\nopost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0\nisig icanon iexten echo echoe echok -echonl -noflsh -xcase -tostop -echoprt\nechoctl echoke -flusho -extproc\n"
        )),
        None => Said::out("speed 38400 baud; line = 0;\n"),
        Some(word) if is_setting(word) => Said::nothing(0),
        Some(word) => Said::err(
            format!(
                "stty: invalid argument \u{2018}{word}\u{2019}\nTry 'stty --help' for more information.\n"
            ),
            1,
        ),
    }
}

fn is_setting(word: &str) -> bool {
    const KNOWN: &[&str] = &[
        "brkint", "cbreak", "cols", "columns", "cooked", "cr3", "crt", "echo", "echoe", "echok", "erase",
        "hup", "icanon", "icrnl", "ignbrk", "ignpar", "imaxbel", "intr", "isig", "ispeed", "ixoff", "ixon",
        "kill", "min", "nl", "onlcr", "opost", "ospeed", "raw", "rows", "sane", "susp", "time", "tostop",
    ];
    KNOWN.contains(&word.trim_start_matches('-'))
        || word.contains(':')
        || word.chars().all(|c| c.is_ascii_digit())
}

/// ncurses 6.4.
pub(super) fn tput(call: &Call<'_>) -> Said {
    let options = call.options("T");
    if !names::knows_terminal(call) && options.value('T').is_none() {
        return Said::err("tput: No value for $TERM and no -T specified\n", 2);
    }
    let (columns, rows) = call.session.window();
    let operand = |at: usize| options.operands.get(at).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    Said::out(match options.operands.first().map(String::as_str) {
        Some("cols") => format!("{columns}\n"),
        Some("lines") => format!("{rows}\n"),
        Some("colors") => "8\n".to_owned(),
        Some("longname") => "xterm terminal emulator (X Window System)".to_owned(),
        Some("clear") => "\x1b[H\x1b[2J\x1b[3J".to_owned(),
        Some("bold") => "\x1b[1m".to_owned(),
        Some("smul") => "\x1b[4m".to_owned(),
        Some("rmul") => "\x1b[24m".to_owned(),
        Some("rev" | "smso") => "\x1b[7m".to_owned(),
        Some("rmso") => "\x1b[27m".to_owned(),
        Some("sgr0") => "\x1b(B\x1b[m".to_owned(),
        Some("civis") => "\x1b[?25l".to_owned(),
        Some("cnorm") => "\x1b[?12l\x1b[?25h".to_owned(),
        Some("smcup") => "\x1b[?1049h\x1b[22;0;0t".to_owned(),
        Some("rmcup") => "\x1b[?1049l\x1b[23;0;0t".to_owned(),
        Some("setaf") => format!("\x1b[3{}m", operand(1) % 8),
        Some("setab") => format!("\x1b[4{}m", operand(1) % 8),
        Some("cup") => format!("\x1b[{};{}H", operand(1) + 1, operand(2) + 1),
        Some("el") => "\x1b[K".to_owned(),
        Some("init" | "reset") => "\x1b[!p\x1b[?3;4l\x1b[4l\x1b>".to_owned(),
        Some(word) => return Said::err(format!("tput: unknown terminfo capability '{word}'\n"), 4),
        None => {
            return Said::err("usage: tput [-V] [-S] [-T term] capname\n", 2);
        }
    })
}

/// `mknod PATH p` makes a pipe; devices are not allowed here.
pub(super) fn mknod(call: &Call<'_>) -> Said {
    let options = call.options("mZ");
    let operands: Vec<&str> = options.operands.iter().map(String::as_str).collect();
    match operands[..] {
        [] => complaint::missing(call, "missing operand"),
        [path] => complaint::missing(call, &format!("missing operand after \u{2018}{path}\u{2019}")),
        [path, "p"] => {
            match call.files().make_fifo(&call.path(path), &call.session.who(), 0o666 & !call.session.umask())
            {
                Ok(()) => Said::nothing(0),
                Err(error) => Said::err(format!("mknod: {path}: {}\n", error.errno_text()), 1),
            }
        }
        [_, kind] => Said::err(
            format!(
                "mknod: missing operand after \u{2018}{kind}\u{2019}\nSpecial files require major and minor device numbers.\nTry 'mknod --help' for more information.\n"
            ),
            1,
        ),
        [path, ..] => Said::err(format!("mknod: {path}: Operation not permitted\n"), 1),
    }
}

/// Who is in which group, with coreutils' words.
pub(super) fn groups(call: &Call<'_>) -> Said {
    let mut said = Said::default();
    let args = ["-Gn".to_owned()];
    if call.args.is_empty() {
        return names::id(&Call { args: &args, ..*call });
    }
    for name in call.args {
        if users::named(call, name).is_none() {
            said.err.extend(format!("groups: \u{2018}{name}\u{2019}: no such user\n").bytes());
            said.status = 1;
            continue;
        }
        let args = ["-Gn".to_owned(), name.clone()];
        let list = names::id(&Call { args: &args, ..*call });
        said.out.extend(format!("{name} : ").bytes());
        said.out.extend(list.out);
    }
    said
}
