//! `lsof` (4.95).

use super::{Row, Socket, files_of, port_name, sockets};
use crate::{
    machine::processes::Process,
    shell::commands::{Call, Said, running, usage, users},
};

/// The most rows of one list.
const MOST: usize = 20_000;

/// What `-i` asks for.
#[derive(Default)]
struct Internet {
    udp: bool,
    /// Only IPv6, or only IPv4.
    six: Option<bool>,
    host: Option<String>,
    ports: Vec<(u16, u16)>,
}

impl Internet {
    fn of(call: &Call<'_>, text: &str) -> Result<Self, String> {
        let mut net = Self::default();
        let mut rest = text;
        if let Some(after) = rest.strip_prefix(['4', '6']) {
            net.six = Some(rest.starts_with('6'));
            rest = after;
        }
        let lower = rest.to_ascii_lowercase();
        if lower.starts_with("tcp") || lower.starts_with("udp") {
            net.udp = lower.starts_with("udp");
            rest = rest.get(3..).unwrap_or_default();
        }
        let (host, ports) = rest.split_once(':').map_or((rest, None), |(host, ports)| (host, Some(ports)));
        match host.strip_prefix('@') {
            Some(host) => net.host = Some(host.to_owned()),
            None if !host.is_empty() => return Err(format!("unacceptable Internet address in: -i {text}")),
            None => {}
        }
        for word in ports.into_iter().flat_map(|ports| ports.split(',')) {
            let number = |word: &str| {
                word.parse::<u16>()
                    .ok()
                    .or_else(|| (1..=1024).find(|port| port_name(call, *port, false) == word))
            };
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            match (number(first), number(last)) {
                (Some(first), Some(last)) => net.ports.push((first, last)),
                _ => return Err(format!("unknown service {word} in: -i {text}")),
            }
        }
        Ok(net)
    }

    fn fits(&self, socket: &Socket) -> bool {
        let is_port = |port: u16| self.ports.iter().any(|(first, last)| (*first..=*last).contains(&port));
        !self.udp
            && self.six.is_none_or(|six| six == socket.v6)
            && self
                .host
                .as_ref()
                .is_none_or(|host| socket.peer.is_some_and(|peer| peer.ip().to_string() == *host))
            && (self.ports.is_empty()
                || is_port(socket.port)
                || socket.peer.is_some_and(|peer| is_port(peer.port())))
    }
}

/// What `lsof` was asked.
#[derive(Default)]
struct Asked {
    internet: Option<Vec<Internet>>,
    pids: Vec<u32>,
    users: Vec<u32>,
    commands: Vec<String>,
    names: Vec<String>,
    state: Option<String>,
    terse: bool,
    all: bool,
    numeric_hosts: bool,
    numeric_ports: bool,
}

fn asked(call: &Call<'_>) -> Result<Asked, Said> {
    let mut asked = Asked::default();
    let mut args = call.args.iter().peekable();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty()) else {
            asked.names.push(arg.clone());
            continue;
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let mut value = |optional: bool| {
                let rest: String = letters.by_ref().collect();
                if !rest.is_empty() {
                    return rest;
                }
                match args.peek() {
                    Some(next) if !optional || !next.starts_with(['-', '+', '/']) => {
                        args.next().cloned().unwrap_or_default()
                    }
                    _ => String::new(),
                }
            };
            match letter {
                'n' => asked.numeric_hosts = true,
                'P' => asked.numeric_ports = true,
                't' => asked.terse = true,
                'a' => asked.all = true,
                'i' => {
                    let text = value(true);
                    let net = Internet::of(call, &text).map_err(|why| wrong(&why))?;
                    asked.internet.get_or_insert_default().push(net);
                }
                'p' => asked.pids.extend(value(false).split(',').filter_map(|pid| pid.parse::<u32>().ok())),
                'u' => {
                    for name in value(false).split(',') {
                        let known =
                            users::named(call, name).map(|user| user.uid).or_else(|| name.parse().ok());
                        let Some(uid) = known else {
                            return Err(wrong(&format!("can't get UID for {name}")));
                        };
                        asked.users.push(uid);
                    }
                }
                'c' => asked.commands.push(value(false)),
                's' => {
                    let text = value(true);
                    asked.state = text.split_once(':').map(|(_, state)| state.to_ascii_uppercase());
                }
                'd' | 'D' | 'F' | 'f' | 'g' | 'k' | 'S' | 'T' | 'x' | 'L' | 'r' | 'e' | 'E' | 'm' => {
                    let text = value(!matches!(letter, 'd' | 'D'));
                    if letter == 'D' {
                        asked.names.push(text);
                    }
                }
                'v' | 'h' | '?' => {
                    return Err(usage::exactly("lsof", &format!("-{letter}")).unwrap_or_default());
                }
                'Z' => return Err(wrong("-Z limited to SELinux")),
                'b' | 'C' | 'H' | 'K' | 'l' | 'M' | 'N' | 'O' | 'o' | 'Q' | 'R' | 'U' | 'V' | 'w' | 'X' => {}
                other => return Err(wrong(&format!("illegal option character: {other}"))),
            }
        }
    }
    Ok(asked)
}

const HINT: &str = "lsof 4.95.0
 latest revision: https://github.com/lsof-org/lsof
 latest FAQ: https://github.com/lsof-org/lsof/blob/master/00FAQ
 latest (non-formatted) man page: https://github.com/lsof-org/lsof/blob/master/Lsof.8
 usage: [-?abhKlnNoOPRtUvVX] [+|-c c] [+|-d s] [+D D] [+|-E] [+|-e s] [+|-f[gG]]
 [-F [f]] [-g [s]] [-i [i]] [+|-L [l]] [+m [m]] [+|-M] [-o [o]] [-p s]
 [+|-r [t]] [-s [p:s]] [-S [t]] [-T [t]] [-u s] [+|-w] [-x [fl]] [--] [names]
Use the ``-h'' option to get more help information.
";

fn wrong(why: &str) -> Said {
    Said::err(format!("lsof: {why}\n{HINT}"), 1)
}

pub(in crate::shell::commands) fn lsof(call: &Call<'_>) -> Said {
    let asked = match asked(call) {
        Ok(asked) => asked,
        Err(said) => return said,
    };
    let list = running::all(call);
    let chosen = |process: &Process| {
        let tests = [
            (!asked.pids.is_empty()).then(|| asked.pids.contains(&process.pid)),
            (!asked.users.is_empty()).then(|| asked.users.contains(&process.uid)),
            (!asked.commands.is_empty())
                .then(|| asked.commands.iter().any(|name| process.name().starts_with(name.as_str()))),
        ];
        let mut given = tests.into_iter().flatten().peekable();
        if given.peek().is_none() {
            return None;
        }
        Some(if asked.all { given.all(|fits| fits) } else { given.any(|fits| fits) })
    };
    let mut said = Said::default();
    let mut paths = Vec::new();
    for name in &asked.names {
        let path = call.path(name);
        match call.files().stat(&path) {
            Ok(_) => paths.push(call.files().real_path(&path).unwrap_or(path)),
            Err(error) => {
                said.err.extend(format!("lsof: status error on {name}: {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    let by_name = !asked.names.is_empty();
    if said.status != 0 && paths.is_empty() {
        return said;
    }
    let is_root = call.is_root();
    let sockets = sockets(call, &list);
    let mut rows: Vec<Row> = Vec::new();
    for process in &list {
        let who = chosen(process);
        let whole = who == Some(true) && (!asked.all || asked.internet.is_none() && !by_name)
            || who.is_none() && asked.internet.is_none() && !by_name;
        let files = if whole || by_name { files_of(call, process) } else { Vec::new() };
        rows.extend(files.into_iter().filter(|row| whole || paths.contains(&row.name)));
        for socket in sockets.iter().filter(|socket| socket.pid == process.pid) {
            let state = if socket.peer.is_some() { "ESTABLISHED" } else { "LISTEN" };
            let asked_for = asked.internet.as_ref().is_some_and(|nets| {
                nets.iter().any(|net| net.fits(socket))
                    && asked.state.as_ref().is_none_or(|wanted| wanted.split(',').any(|one| one == state))
                    && (!asked.all || who != Some(false))
            });
            if !is_root && process.uid != call.session.who().uid || !(asked_for || whole) {
                continue;
            }
            let port = |port: u16| port_name(call, port, asked.numeric_ports);
            let name = match socket.peer {
                None => format!("*:{} (LISTEN)", port(socket.port)),
                Some(peer) => {
                    let here = if asked.numeric_hosts {
                        call.identity().address.to_string()
                    } else {
                        call.identity().hostname.clone()
                    };
                    format!("{here}:{}->{}:{} (ESTABLISHED)", port(socket.port), peer.ip(), peer.port())
                }
            };
            rows.push(Row {
                pid: socket.pid,
                command: socket.program.chars().take(9).collect(),
                user: call.session.name_of(process.uid).unwrap_or_else(|| process.uid.to_string()),
                file: socket.descriptor.to_string(),
                mode: "u",
                kind: if socket.v6 { "IPv6" } else { "IPv4" },
                device: socket.inode.clone(),
                size: "0t0".to_owned(),
                node: "TCP".to_owned(),
                name,
            });
        }
        if rows.len() > MOST {
            break;
        }
    }
    if rows.is_empty() {
        said.status = 1;
        return said;
    }
    if asked.terse {
        let mut pids: Vec<u32> = rows.iter().map(|row| row.pid).collect();
        pids.dedup();
        said.out = pids.iter().map(|pid| format!("{pid}\n")).collect::<String>().into();
        return said;
    }
    said.out = table(&rows).into();
    said
}

fn table(rows: &[Row]) -> String {
    let width = |head: &str, cell: &dyn Fn(&Row) -> String| {
        rows.iter().map(|row| cell(row).chars().count()).chain([head.len()]).max().unwrap_or(0)
    };
    let command = width("COMMAND", &|row| row.command.clone());
    let pid = width("PID", &|row| row.pid.to_string());
    let user = width("USER", &|row| row.user.chars().take(8).collect());
    let kind = width("TYPE", &|row| row.kind.to_owned());
    let device = width("DEVICE", &|row| row.device.clone());
    let size = width("SIZE/OFF", &|row| row.size.clone());
    let node = width("NODE", &|row| row.node.clone());
    let mut text = format!(
        "{:<command$} {:>pid$} {:>user$}   FD   {:>kind$} {:>device$} {:>size$} {:>node$} NAME\n",
        "COMMAND", "PID", "USER", "TYPE", "DEVICE", "SIZE/OFF", "NODE"
    );
    for row in rows {
        let who: String = row.user.chars().take(8).collect();
        text += &format!(
            "{:<command$} {:>pid$} {who:>user$} {:>4}{:<2} {:>kind$} {:>device$} {:>size$} {:>node$} {}\n",
            row.command, row.pid, row.file, row.mode, row.kind, row.device, row.size, row.node, row.name
        );
    }
    text
}
