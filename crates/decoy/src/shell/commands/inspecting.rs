//! Small programs that look at one thing: `getcap`, `lsmod`, `mcookie`, `hwclock`, `udevadm`, `tcpdump`, `strace`, `tc`.

use chrono::{DateTime, Utc};

use super::{Call, Said, usage};

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
