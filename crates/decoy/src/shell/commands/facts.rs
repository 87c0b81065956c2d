//! Programs that tell one small fact: `runlevel`, `mountpoint`, `losetup`, `swapoff`, `pwdx`, `domainname` and their like.

use super::{Call, Said, aging::Given, usage};

fn refusal(call: &Call<'_>, what: &str) -> Said {
    Said::err(format!("{0}: {what}\nTry '{0} --help' for more information.\n", call.name), 1)
}

/// sysvinit's name for the state that systemd reaches at boot.
pub(super) fn runlevel(_: &Call<'_>) -> Said {
    Said::out("N 5\n")
}

/// shadow's nologin.
pub(super) fn nologin(_: &Call<'_>) -> Said {
    Said { status: 1, ..Said::out("This account is currently not available.\n") }
}

/// `domainname`, `nisdomainname`, `ypdomainname` and `dnsdomainname` (hostname 3.23).
pub(super) fn domainname(call: &Call<'_>) -> Said {
    if call.name == "dnsdomainname" {
        let domain = &call.identity().domain;
        return if domain.is_empty() { Said::nothing(0) } else { Said::out(format!("{domain}\n")) };
    }
    match call.name {
        "domainname" => Said::out("(none)\n"),
        name => Said::err(format!("{name}: Local domain name not set\n"), 1),
    }
}

/// util-linux 2.38.
pub(super) fn mountpoint(call: &Call<'_>) -> Said {
    let long = [("quiet", 'q'), ("nofollow", 'n'), ("fs-devno", 'd'), ("devno", 'x')];
    let given = match Given::of(call.args, "qdxn", "", &long) {
        Ok(given) => given,
        Err(what) => return refusal(call, &what),
    };
    let [operand] = &given.operands[..] else { return refusal(call, "bad usage") };
    let path = call.files().resolve(call.cwd, operand);
    let Ok(node) = call.files().stat(&path) else {
        let text = format!("mountpoint: {operand}: No such file or directory\n");
        return if given.has('q') { Said::nothing(1) } else { Said::err(text, 1) };
    };
    let path = call.files().real_path(&path).unwrap_or(path);
    let mounts = call.files().read("/proc/mounts").unwrap_or_default();
    let mounts = String::from_utf8_lossy(&mounts).into_owned();
    let place = mounts.lines().position(|row| row.split(' ').nth(1) == Some(path.as_str()));
    let is = place.is_some() && node.is_dir();
    if given.has('d') && is {
        return Said::out(if path == "/" {
            "254:1\n".to_owned()
        } else {
            format!("0:{}\n", 20 + place.unwrap_or(0))
        });
    }
    if given.has('q') {
        return Said::nothing(if is { 0 } else { 32 });
    }
    let text = format!("{operand} is {}a mountpoint\n", if is { "" } else { "not " });
    Said { status: if is { 0 } else { 32 }, ..Said::out(text) }
}

/// util-linux 2.38: no loop device is in use.
pub(super) fn losetup(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("losetup", call.args) {
        return said;
    }
    let given: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let has = |letter: char, long: &str| {
        call.args
            .iter()
            .any(|arg| arg == long || arg.starts_with('-') && !arg.starts_with("--") && arg.contains(letter))
    };
    match given.first() {
        None if has('f', "--find") => Said::out("/dev/loop0\n"),
        None => Said::nothing(0),
        Some(device) if device.starts_with("/dev/loop") => {
            Said::err(format!("losetup: {device}: No such device or address\n"), 1)
        }
        Some(file) if !call.files().exists(&call.path(file)) => Said::err(
            format!("losetup: {file}: failed to set up loop device: No such file or directory\n"),
            1,
        ),
        Some(_) => Said::nothing(0),
    }
}

/// util-linux 2.38: what is no swap cannot be switched off.
pub(super) fn swapoff(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("swapoff", call.args) {
        return said;
    }
    if !call.is_root() {
        return Said::err("swapoff: Not superuser.\n", 1);
    }
    let operands: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    if operands.is_empty() {
        return if call.args.is_empty() { refusal(call, "bad usage") } else { Said::nothing(0) };
    }
    let swaps = call.files().read("/proc/swaps").unwrap_or_default();
    let swaps = String::from_utf8_lossy(&swaps).into_owned();
    let mut said = Said::default();
    for operand in operands {
        let path = call.path(operand);
        if swaps.lines().any(|row| row.split_whitespace().next() == Some(path.as_str())) {
            continue;
        }
        let why = if call.files().exists(&path) { "Invalid argument" } else { "No such file or directory" };
        said.err.extend(format!("swapoff: {operand}: swapoff failed: {why}\n").bytes());
        said.status = 4;
    }
    said
}

/// procps 4.0.2: where processes are at work.
pub(super) fn pwdx(call: &Call<'_>) -> Said {
    if call.args.is_empty() {
        return usage::of("pwdx", &[], false).unwrap_or_default();
    }
    let mut said = Said::default();
    for arg in call.args.iter().take(1000) {
        let digits = arg.strip_prefix("/proc/").unwrap_or(arg);
        let Some(pid) = digits.parse::<u32>().ok().filter(|pid| *pid > 0) else {
            said.err.extend(format!("pwdx: invalid process id: {arg}\n").bytes());
            said.status = 1;
            return said;
        };
        match call.files().read_link(&format!("/proc/{pid}/cwd")) {
            Ok(place) => said.out.extend(format!("{arg}: {place}\n").bytes()),
            Err(_) => {
                said.err.extend(format!("{arg}: No such process\n").bytes());
                said.status = 1;
            }
        }
    }
    said
}

/// util-linux 2.38: without a terminal there is nothing that could be allowed.
pub(super) fn mesg(call: &Call<'_>) -> Said {
    if call.session.launch.tty.is_none() {
        return Said::nothing(2);
    }
    match call.args.first().map(String::as_str) {
        None => Said { status: 1, ..Said::out("is n\n") },
        Some("y" | "n") => Said::nothing(0),
        Some(other) => Said::err(format!("mesg: invalid argument: {other}\n"), 2),
    }
}

/// `update-rc.d` of init-system-helpers: what has no script in `/etc/init.d` cannot be set up.
pub(super) fn update_rc(call: &Call<'_>) -> Said {
    let misused = || {
        let said = usage::exactly("update-rc.d", "").unwrap_or_default();
        let text = [said.out, said.err].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines = text.lines().skip_while(|line| !line.starts_with("usage:"));
        Said::err(lines.map(|line| format!("{line}\n")).collect::<String>(), 1)
    };
    let words: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let (Some(name), Some(verb)) = (words.first(), words.get(1)) else {
        return usage::exactly("update-rc.d", "").unwrap_or_default();
    };
    if !matches!(
        verb.as_str(),
        "defaults" | "defaults-disabled" | "remove" | "enable" | "disable" | "start" | "stop"
    ) {
        return misused();
    }
    let forced = call.args.iter().any(|arg| arg == "-f");
    if *verb != "remove" && !call.files().exists(&format!("/etc/init.d/{name}")) && !forced {
        return Said::err(format!("update-rc.d: error: unable to read /etc/init.d/{name}\n"), 1);
    }
    Said::nothing(0)
}
