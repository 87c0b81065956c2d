//! Which processes have which files and ports: `lsof` (4.95), `fuser` (psmisc 23.6).

mod fuser;
mod lsof;

pub(super) use fuser::fuser;
pub(super) use lsof::lsof;

use super::{Call, libraries, running, stat, users};
use crate::machine::{
    Kind,
    processes::Process,
    sockets::{Holder, listening, own_inode},
};

/// A row of `lsof`.
struct Row {
    pid: u32,
    command: String,
    user: String,
    file: String,
    mode: &'static str,
    kind: &'static str,
    device: String,
    size: String,
    node: String,
    name: String,
}

/// The programs on disk behind processes that show no path of theirs.
fn executable(process: &Process) -> String {
    let known = process.executable().map(str::to_owned);
    known.unwrap_or_else(|| match process.name().as_str() {
        "nginx" => "/usr/sbin/nginx".to_owned(),
        "sshd" => "/usr/sbin/sshd".to_owned(),
        "bash" | "-bash" => "/usr/bin/bash".to_owned(),
        other => format!("/usr/bin/{other}"),
    })
}

fn cwd(call: &Call<'_>, process: &Process) -> String {
    if running::is_own(call, process) { call.cwd.to_owned() } else { "/".to_owned() }
}

/// Everything that these processes have open, sockets apart.
fn files_of(call: &Call<'_>, process: &Process) -> Vec<Row> {
    let user = call.session.name_of(process.uid).unwrap_or_else(|| process.uid.to_string());
    let row = |file: &str, kind: &'static str, name: String| Row {
        pid: process.pid,
        command: process.name().chars().take(9).collect(),
        user: user.clone(),
        file: file.to_owned(),
        mode: "",
        kind,
        device: String::new(),
        size: String::new(),
        node: String::new(),
        name,
    };
    let who = call.session.who();
    if who.uid != 0 && who.uid != process.uid {
        let denied =
            |what: &str, how: &str| format!("/proc/{}/{what} ({how}: Permission denied)", process.pid);
        return vec![
            row("cwd", "unknown", denied("cwd", "readlink")),
            row("rtd", "unknown", denied("root", "readlink")),
            row("txt", "unknown", denied("exe", "readlink")),
            row("NOFD", "", denied("fd", "opendir")),
        ];
    }
    let (major, minor) = stat::disk(call);
    let on_disk = |file: &str, path: &str| {
        let node = call.files().stat(path).ok();
        let kind = match node.map(|node| node.kind) {
            Some(Kind::Dir) => "DIR",
            Some(Kind::CharDevice) => "CHR",
            _ => "REG",
        };
        let rdev = node.map_or((0, 0), |node| node.rdev);
        let is_device = kind == "CHR";
        Row {
            device: if is_device { format!("{},{}", rdev.0, rdev.1) } else { format!("{major},{minor}") },
            size: if is_device { "0t0".to_owned() } else { node.map_or(0, |node| node.size).to_string() },
            node: node.map_or(0, |node| node.inode).to_string(),
            ..row(file, kind, path.to_owned())
        }
    };
    let mut rows = vec![on_disk("cwd", &cwd(call, process)), on_disk("rtd", "/")];
    if process.is_kernel() {
        rows.push(row("txt", "unknown", format!("/proc/{}/exe", process.pid)));
        return rows;
    }
    let path = executable(process);
    let real = call.files().real_path(&path).unwrap_or(path);
    rows.push(on_disk("txt", &real));
    for name in libraries::needed(&real).unwrap_or_default().iter().rev().take(40) {
        let path = format!("/usr/lib/x86_64-linux-gnu/{name}");
        let real = call.files().real_path(&path).unwrap_or(path);
        rows.push(on_disk("mem", &real));
    }
    let terminal = if process.tty == "?" { None } else { Some(format!("/dev/{}", process.tty)) };
    for number in 0..3 {
        let name = terminal.clone().unwrap_or_else(|| "/dev/null".to_owned());
        rows.push(Row {
            mode: if number == 0 && terminal.is_none() { "r" } else { "u" },
            ..on_disk(&number.to_string(), &name)
        });
    }
    rows
}

/// One socket.
struct Socket {
    pid: u32,
    program: String,
    port: u16,
    v6: bool,
    descriptor: u32,
    inode: String,
    peer: Option<std::net::SocketAddr>,
}

/// All sockets: who listens, and the visitor's own connection.
fn sockets(call: &Call<'_>, list: &[Process]) -> Vec<Socket> {
    let visitor = &call.session.contact.visitor;
    let mut all: Vec<Socket> = listening(call.identity(), list, |port| !visitor.serves(port))
        .into_iter()
        .flat_map(|socket| {
            let of = move |holder: Holder| Socket {
                pid: holder.pid,
                program: holder.name,
                port: socket.port,
                v6: socket.address.is_ipv6(),
                descriptor: holder.descriptor,
                inode: socket.inode.to_string(),
                peer: None,
            };
            socket.holders.into_iter().map(of)
        })
        .collect();
    let own = crate::machine::processes::shell_pid(call.identity(), call.session.started)
        .saturating_sub(crate::machine::processes::DOOR);
    all.push(Socket {
        pid: own,
        program: "sshd".to_owned(),
        port: if call.session.contact.local.port() % 100 == 23 { 23 } else { 22 },
        v6: false,
        descriptor: 4,
        inode: own_inode(call.identity()).to_string(),
        peer: Some(call.session.contact.peer),
    });
    all.sort_by_key(|socket| (socket.pid, socket.descriptor));
    all
}

fn port_name(call: &Call<'_>, port: u16, numeric: bool) -> String {
    let known = users::lines(call, "/etc/services").into_iter().find_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        (words.next()? == format!("{port}/tcp")).then_some(name)
    });
    known.filter(|_| !numeric).unwrap_or_else(|| port.to_string())
}
