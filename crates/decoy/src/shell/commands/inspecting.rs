//! Small programs that look at one thing: `namei`, `getcap`, `lsmod`, `mcookie`, `hwclock`, `udevadm`, `tcpdump`, `screen`,
//! `tmux`, `strace`, `tc`.

use chrono::{DateTime, Utc};

use super::{Call, Said, usage};
use crate::machine::Kind;

/// util-linux 2.38.1.
pub(super) fn namei(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("namei", call.args) {
        return said;
    }
    let options = call.options("");
    let has = |letter, long| options.has(letter) || options.has_long(long);
    let long = has('l', "long");
    let (modes, owners) = (long || has('m', "modes"), long || has('o', "owners"));
    if options.operands.is_empty() {
        return Said::err(
            "namei: pathname argument is missing\nTry 'namei --help' for more information.\n",
            1,
        );
    }
    let mut said = Said::default();
    for operand in &options.operands {
        let mut text = format!("f: {operand}\n");
        let vertical = long || has('v', "vertical");
        let mut walk = Walk { call, nosymlinks: has('n', "nosymlinks"), names: Vec::new(), failed: false };
        let start = if operand.starts_with('/') { "/".to_owned() } else { call.cwd.to_owned() };
        if operand.starts_with('/') {
            walk.node("/", "/", 0);
        }
        walk.along(&start, operand, 0);
        let width = |part: usize| {
            walk.names.iter().filter_map(|(cells, ..)| cells.get(part)).map(String::len).max().unwrap_or(0)
        };
        let (users, groups) = (width(1), width(2));
        for (cells, depth, name) in &walk.names {
            let [mode, user, group] = cells;
            let mode = match mode.chars().next() {
                Some(kind) if !modes => kind.to_string(),
                Some(_) => mode.clone(),
                None => " ".repeat(if modes { 10 } else { 1 }),
            };
            let owner = if owners { format!(" {user:<users$} {group:<groups$}") } else { String::new() };
            let indent = "  ".repeat(*depth);
            text += &if vertical {
                format!("{mode}{owner} {indent}{name}\n")
            } else {
                format!(" {indent}{mode}{owner} {name}\n")
            };
        }
        said.status = i32::from(walk.failed || said.status != 0);
        said.out.extend(text.bytes());
    }
    said
}

struct Walk<'a, 'b> {
    call: &'a Call<'b>,
    nosymlinks: bool,
    /// Mode, user and group of each name, how deep it lies behind links, and what is shown of it.
    names: Vec<([String; 3], usize, String)>,
    failed: bool,
}

impl Walk<'_, '_> {
    fn node(&mut self, path: &str, name: &str, depth: usize) -> bool {
        let Ok(node) = self.call.files().lstat(path) else {
            self.failed = true;
            self.names.push((Default::default(), depth, format!("{name} - No such file or directory")));
            return false;
        };
        let kind = match node.kind {
            Kind::Dir => 'd',
            Kind::Symlink => 'l',
            Kind::File => '-',
            _ => 'c',
        };
        let letters: String = (0..9)
            .map(|bit| {
                let letter = ['r', 'w', 'x'].get(bit % 3).copied().unwrap_or('-');
                if node.mode & (0o400 >> bit) != 0 { letter } else { '-' }
            })
            .collect();
        let mut mode: Vec<char> = std::iter::once(kind).chain(letters.chars()).collect();
        for (at, bit, low, high) in [(3, 0o4000, 'S', 's'), (6, 0o2000, 'S', 's'), (9, 0o1000, 'T', 't')] {
            if node.mode & bit != 0
                && let Some(place) = mode.get_mut(at)
            {
                *place = if *place == 'x' { high } else { low };
            }
        }
        let user = self.call.session.name_of(node.uid).unwrap_or_else(|| node.uid.to_string());
        let groups = self.call.identity().groups();
        let group = groups
            .into_iter()
            .find(|group| group.1 == node.gid)
            .map_or_else(|| node.gid.to_string(), |group| group.0);
        let mut shown = name.to_owned();
        if node.kind == Kind::Symlink
            && let Ok(target) = self.call.files().read_link(path)
        {
            shown += &format!(" -> {target}");
        }
        self.names.push(([mode.into_iter().collect(), user, group], depth, shown));
        true
    }

    fn along(&mut self, from: &str, path: &str, depth: usize) {
        let mut at = from.to_owned();
        for part in path.split('/').filter(|part| !part.is_empty()).take(256) {
            let next = if at == "/" { format!("/{part}") } else { format!("{at}/{part}") };
            if !self.node(&next, part, depth) {
                return;
            }
            let link = self.call.files().read_link(&next).ok().filter(|_| !self.nosymlinks && depth < 8);
            if let Some(target) = link {
                let folder = if target.starts_with('/') { "/".to_owned() } else { at.clone() };
                if target.starts_with('/') {
                    self.node("/", "/", depth + 1);
                }
                self.along(&folder, &target, depth + 1);
            }
            at = self.call.files().real_path(&next).unwrap_or(next);
        }
    }
}

/// libcap 2.66: what Debian gives `ping`.
const CAPABLE: &[(&str, &str)] = &[
    ("/usr/bin/ping", "cap_net_raw=ep"),
    (
        "/usr/lib/x86_64-linux-gnu/gstreamer1.0/gstreamer-1.0/gst-ptp-helper",
        "cap_net_bind_service,cap_net_admin,cap_sys_nice=ep",
    ),
];

pub(super) fn getcap(call: &Call<'_>) -> Said {
    let options = call.options("");
    if options.operands.is_empty() || options.unknown("hlnrv").is_some() || options.has('h') {
        return Said::err(
            "usage: getcap [-h] [-l] [-n] [-r] [-v] <filename> [<filename> ...]\n\n\tdisplays the capabilities on the queried file(s).\n",
            1,
        );
    }
    let mut said = Said::default();
    for operand in &options.operands {
        let path = call.path(operand);
        if !call.files().exists(&path) {
            said.err.extend(format!("{operand} (No such file or directory)\n").bytes());
            said.status = 1;
            continue;
        }
        let real = call.files().real_path(&path).unwrap_or(path);
        for (file, capabilities) in CAPABLE.iter().filter(|(file, _)| call.files().exists(file)) {
            let below = options.has('r')
                && (real == "/" || file.strip_prefix(&real).is_some_and(|rest| rest.starts_with('/')));
            if *file == real {
                said.out.extend(format!("{operand} {capabilities}\n").bytes());
            } else if below {
                said.out.extend(format!("{file} {capabilities}\n").bytes());
            }
        }
    }
    said
}

/// kmod 30: `/proc/modules`.
pub(super) fn lsmod(call: &Call<'_>) -> Said {
    if !call.args.is_empty() {
        return Said::err("Usage: lsmod\n", 1);
    }
    let text = call.files().read("/proc/modules").unwrap_or_default();
    let mut list = "Module                  Size  Used by\n".to_owned();
    for line in String::from_utf8_lossy(&text).lines() {
        let mut words = line.split(' ');
        let (Some(name), Some(size), Some(count)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let users = words.next().filter(|users| *users != "-").unwrap_or_default().trim_end_matches(',');
        let users = if users.is_empty() { String::new() } else { format!(" {users}") };
        list += &format!("{name:<19} {size:>8}  {count}{users}\n");
    }
    Said::out(list)
}

pub(super) fn mcookie(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("mcookie", call.args) {
        return said;
    }
    Said::out(format!("{:032x}\n", rand::random::<u128>()))
}

/// util-linux 2.38.1: the clock of the board runs as the system's does.
pub(super) fn hwclock(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("hwclock", call.args) {
        return said;
    }
    if !call.is_root() {
        return Said::err(
            "hwclock: Cannot access the Hardware Clock via any known method.\nhwclock: Use the --verbose option to see the details of our search for an access method.\n",
            1,
        );
    }
    let shows = call
        .args
        .iter()
        .all(|arg| matches!(arg.as_str(), "-r" | "--show" | "--get" | "-u" | "--utc" | "--verbose" | "-v"));
    let now: DateTime<Utc> = call.now().into();
    Said::out(if shows { now.format("%Y-%m-%d %H:%M:%S%.6f+00:00\n").to_string() } else { String::new() })
}

/// systemd 252: `udevadm info` of the disk; of other devices what `/sys` says.
pub(super) fn udevadm(call: &Call<'_>) -> Said {
    let options = call.options("qnpaA");
    let Some((verb, rest)) = options.operands.split_first() else {
        return Said::err("udevadm: missing command or option\n", 1);
    };
    match verb.as_str() {
        "info" => {}
        "settle" | "trigger" | "control" | "test" | "hwdb" | "lock" => return Said::nothing(0),
        "monitor" => {
            return Said::out(
                "monitor will print the received events for:\nUDEV - the event which udev sends out after rule processing\nKERNEL - the kernel uevent\n\n",
            );
        }
        other => return Said::err(format!("Unknown command verb {other}.\n"), 1),
    }
    let long = options
        .long
        .iter()
        .find_map(|long| long.strip_prefix("name=").or_else(|| long.strip_prefix("path=")));
    let device =
        options.value('n').or_else(|| options.value('p')).or(long).or(rest.first().map(String::as_str));
    let Some(device) = device else {
        return Said::err("A device name or path is required\n", 1);
    };
    let name = device.rsplit('/').next().unwrap_or_default();
    let disk = crate::machine::disks::disk(call.identity());
    let part = disk.parts.iter().find(|part| part.name == name);
    if name != disk.name && part.is_none() {
        return Said::err(format!("Unknown device \"{device}\": No such device\n"), 1);
    }
    let place = if disk.is_virtio() {
        format!("/devices/pci0000:00/0000:00:04.0/virtio1/block/{}", disk.name)
    } else {
        format!("/devices/pci0000:00/0000:00:04.0/virtio1/host2/target2:0:0/2:0:0:0/block/{}", disk.name)
    };
    let place = part.map_or_else(|| place.clone(), |part| format!("{place}/{}", part.name));
    let (minor, kind) = part.map_or((0, "disk"), |part| (part.number, "partition"));
    let mut text =
        format!("P: {place}\nM: {name}\nU: block\nT: {kind}\nD: b {}:{minor}\nN: {name}\nL: 0\n", disk.major);
    let query = options
        .long
        .iter()
        .find_map(|long| long.strip_prefix("query="))
        .or_else(|| options.value('q'))
        .unwrap_or("all");
    let mut fields = vec![
        ("DEVPATH", place.clone()),
        ("DEVNAME", format!("/dev/{name}")),
        ("DEVTYPE", kind.to_owned()),
        ("MAJOR", disk.major.to_string()),
        ("MINOR", minor.to_string()),
        ("SUBSYSTEM", "block".to_owned()),
        ("ID_PATH", "pci-0000:00:04.0".to_owned()),
        ("ID_PART_TABLE_UUID", disk.id.clone()),
        ("ID_PART_TABLE_TYPE", "dos".to_owned()),
    ];
    if let Some(part) = part
        && part.number == 1
    {
        fields.push(("ID_FS_UUID", call.identity().disk_uuid.clone()));
        fields.push(("ID_FS_TYPE", "ext4".to_owned()));
        fields.push(("ID_FS_USAGE", "filesystem".to_owned()));
    }
    match query {
        "path" => return Said::out(format!("{place}\n")),
        "name" => return Said::out(format!("{name}\n")),
        "property" => {
            return Said::out(
                fields.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>(),
            );
        }
        _ => {}
    }
    text += &fields.iter().map(|(name, value)| format!("E: {name}={value}\n")).collect::<String>();
    Said::out(text + "\n")
}

/// tcpdump 4.99.3: nothing is ever caught, but it says where it would listen.
pub(super) fn tcpdump(call: &Call<'_>) -> Said {
    let options = call.options("BcCDEFGijmMrsTVwWyzZ");
    let interface = call.identity().interface;
    if call.args.iter().any(|arg| arg == "-D" || arg == "--list-interfaces") {
        return Said::out(format!(
            "1.{interface} [Up, Running, Connected]\n2.any (Pseudo-device that captures on all interfaces) [Up, Running]\n3.lo [Up, Running, Loopback]\n4.bluetooth-monitor (Bluetooth Linux Monitor) [Wireless]\n5.nflog (Linux netfilter log (NFLOG) interface) [none]\n6.nfqueue (Linux netfilter queue (NFQUEUE) interface) [none]\n"
        ));
    }
    let name = options.value('i').unwrap_or(interface);
    if let Some(file) = options.value('r') {
        return Said::err(format!("tcpdump: {file}: No such file or directory\n"), 1);
    }
    if !call.is_root() {
        return Said::err(
            format!(
                "tcpdump: {name}: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)\n"
            ),
            1,
        );
    }
    if name != interface && !matches!(name, "any" | "lo") {
        return Said::err(format!("tcpdump: {name}: No such device exists\n(No such device exists)\n"), 1);
    }
    let link = if name == "any" { "LINUX_SLL2 (Linux cooked v2)" } else { "EN10MB (Ethernet)" };
    let first = if name == "any" { "tcpdump: data link type LINUX_SLL2\n" } else { "" };
    Said::err(
        format!(
            "{first}tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\nlistening on {name}, link-type {link}, snapshot length 262144 bytes\n0 packets captured\n0 packets received by filter\n0 packets dropped by kernel\n"
        ),
        0,
    )
}

/// GNU screen 4.09: nobody has one open.
pub(super) fn screen(call: &Call<'_>) -> Said {
    let user = call.session.user_name();
    let has = |wanted: &[&str]| call.args.iter().any(|arg| wanted.contains(&arg.as_str()));
    if has(&["-v", "--version"]) {
        return Said::out("Screen version 4.09.00 (GNU) 30-Jan-22\n");
    }
    if has(&["-ls", "-list"]) {
        return Said { status: 1, ..Said::out(format!("No Sockets found in /run/screen/S-{user}.\n\n")) };
    }
    if has(&["-r", "-R", "-RR", "-x", "-rd", "-dr"]) && !has(&["-R", "-RR"]) {
        let named = call.args.iter().find(|arg| !arg.starts_with('-'));
        let what = named.map_or_else(
            || "There is no screen to be resumed.\n".to_owned(),
            |name| format!("There is no screen to be resumed matching {name}.\n"),
        );
        return Said { status: 1, ..Said::out(what) };
    }
    if has(&["-wipe"]) {
        return Said { status: 1, ..Said::out(format!("No Sockets found in /run/screen/S-{user}.\n\n")) };
    }
    if has(&["-X"]) {
        return Said { status: 1, ..Said::out("No screen session found.\n") };
    }
    if call.session.launch.tty.is_none() && !has(&["-d", "-dm", "-dmS"]) {
        return Said { status: 1, ..Said::out("Must be connected to a terminal.\n") };
    }
    Said::nothing(0)
}

/// tmux 3.3a: nobody has started a server.
pub(super) fn tmux(call: &Call<'_>) -> Said {
    let uid = call.session.who().uid;
    let mut words =
        call.args.iter().map(String::as_str).skip_while(|arg| arg.starts_with('-') && *arg != "-V");
    match words.next().unwrap_or("new-session") {
        "-V" => Said::out("tmux 3.3a\n"),
        "ls" | "list-sessions" | "a" | "at" | "attach" | "attach-session" | "kill-server"
        | "kill-session" | "has" | "has-session" | "list-windows" | "lsw" | "list-panes" | "lsp"
        | "list-clients" | "lsc" | "send-keys" | "send" | "detach" | "info" | "show-options"
        | "capture-pane" | "capturep" | "display-message" => {
            let text = format!("error connecting to /tmp/tmux-{uid}/default (No such file or directory)\n");
            Said::err(text, 1)
        }
        "new-session" | "new" | "start-server" | "start" => {
            let apart = call.args.iter().any(|arg| arg == "-d");
            if apart || call.session.launch.tty.is_some() {
                Said::nothing(0)
            } else {
                Said::err("open terminal failed: not a terminal\n", 1)
            }
        }
        other => Said::err(format!("unknown command: {other}\n"), 1),
    }
}

/// strace 6.1 where nobody may trace (`kernel.yama.ptrace_scope` is 3).
pub(super) fn strace(call: &Call<'_>) -> Said {
    let options = call.options("abeEIoOpPsSuUX");
    if let Some(pid) = options.value('p') {
        return Said::err(
            format!("strace: attach: ptrace(PTRACE_SEIZE, {pid}): Operation not permitted\n"),
            1,
        );
    }
    let Some(command) = options.operands.first() else {
        return Said::err(
            "strace: must have PROG [ARGS] or -p PID\nTry 'strace -h' for more information.\n",
            1,
        );
    };
    if !super::is_installed(call.session, command.rsplit('/').next().unwrap_or_default())
        && !call.files().exists(&call.path(command))
    {
        return Said::err(format!("strace: Cannot find executable '{command}'\n"), 1);
    }
    Said::err(
        "strace: test_ptrace_get_syscall_info: PTRACE_TRACEME: Operation not permitted\nstrace: ptrace(PTRACE_TRACEME, ...): Operation not permitted\n+++ exited with 1 +++\n",
        1,
    )
}

/// iproute2 6.1: the queues of the interfaces.
pub(super) fn tc(call: &Call<'_>) -> Said {
    let words: Vec<&str> = call.args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-')).collect();
    let interface = call.identity().interface;
    let device = words.iter().position(|word| *word == "dev").and_then(|at| words.get(at + 1)).copied();
    match words.split_first() {
        Some((object, rest)) if "qdisc".starts_with(object) => {
            let verb = rest.first().copied().unwrap_or("show");
            if !"show".starts_with(verb) && !"list".starts_with(verb) && verb != "ls" {
                let denied = "RTNETLINK answers: Operation not permitted\n";
                return if call.is_root() { Said::nothing(0) } else { Said::err(denied, 2) };
            }
            if let Some(name) = device.filter(|name| *name != interface && *name != "lo") {
                return Said::err(format!("Cannot find device \"{name}\"\n"), 1);
            }
            let mut text = String::new();
            if device.is_none_or(|name| name == "lo") {
                text += "qdisc noqueue 0: dev lo root refcnt 2 \n";
            }
            if device.is_none_or(|name| name == interface) {
                text += &format!(
                    "qdisc fq_codel 0: dev {interface} root refcnt 2 limit 10240p flows 1024 quantum 1514 target 5ms interval 100ms memory_limit 32Mb ecn drop_batch 64 \n"
                );
            }
            Said::out(text)
        }
        Some((object, _))
            if ["class", "filter", "action", "chain"].iter().any(|known| known.starts_with(object)) =>
        {
            Said::nothing(0)
        }
        Some((object, _)) => Said::err(format!("Object \"{object}\" is unknown, try \"tc help\".\n"), 1),
        None => usage::of("tc", &[], false).unwrap_or_default(),
    }
}
