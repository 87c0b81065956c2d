//! What `ss` is asked for: its options, short and long.

use crate::shell::commands::{Call, Said, usage};

#[derive(Default)]
pub(super) struct Asked {
    pub(super) letters: String,
    /// Kinds of sockets: t, u, w, x, 0, n (netlink), s (others that nobody has).
    pub(super) kinds: String,
    pub(super) words: Vec<String>,
}

impl Asked {
    pub(super) fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }
}

/// Long options and the letters that mean the same.
const LONG: &[(&str, char)] = &[
    ("all", 'a'),
    ("bpf", 'b'),
    ("cgroup", 'c'),
    ("contexts", 'z'),
    ("context", 'Z'),
    ("dccp", 'd'),
    ("events", 'E'),
    ("extended", 'e'),
    ("help", 'h'),
    ("info", 'i'),
    ("ipv4", '4'),
    ("ipv6", '6'),
    ("kill", 'K'),
    ("listening", 'l'),
    ("memory", 'm'),
    ("mptcp", 'M'),
    ("no-header", 'H'),
    ("numeric", 'n'),
    ("oneline", 'O'),
    ("options", 'o'),
    ("packet", '0'),
    ("processes", 'p'),
    ("raw", 'w'),
    ("resolve", 'r'),
    ("sctp", 'S'),
    ("summary", 's'),
    ("tcp", 't'),
    ("threads", 'T'),
    ("udp", 'u'),
    ("unix", 'x'),
    ("version", 'V'),
];

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Said> {
    let help = || usage::of("ss", &["--help".to_owned()], false).unwrap_or_default().out;
    let mut asked = Asked::default();
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if matches!(name, "family" | "query" | "socket" | "net" | "diag" | "filter") {
                let value = value.map(str::to_owned).or_else(|| args.next().cloned()).unwrap_or_default();
                valued(&mut asked, if name == "family" { 'f' } else { 'A' }, &value);
                continue;
            }
            let known: Vec<char> =
                LONG.iter().filter(|(known, _)| known.starts_with(name)).map(|(_, letter)| *letter).collect();
            match (LONG.iter().find(|(known, _)| *known == name), known.as_slice()) {
                (Some((_, letter)), _) | (None, [letter]) => asked.letters.push(*letter),
                _ if matches!(name, "tos" | "tipcinfo" | "inet-sockopt" | "vsock" | "tipc" | "xdp") => {}
                _ => {
                    let what = format!("ss: unrecognized option '{arg}'\n");
                    return Err(Said { err: what.into(), out: help(), status: 255 });
                }
            }
            continue;
        }
        let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            asked.words.push(arg.clone());
            continue;
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            match letter {
                'f' | 'A' | 'N' | 'D' | 'F' => {
                    let rest: String = letters.by_ref().collect();
                    let value = if rest.is_empty() { args.next().cloned().unwrap_or_default() } else { rest };
                    valued(&mut asked, letter, &value);
                }
                letter if "hVnralo emptTsEbZz46dtMSuwx0KHOi".contains(letter) && letter != ' ' => {
                    asked.letters.push(letter);
                }
                letter => {
                    let what = format!("ss: invalid option -- '{letter}'\n");
                    return Err(Said { err: what.into(), out: help(), status: 255 });
                }
            }
        }
    }
    for kind in "tuwx0dMS".chars().filter(|kind| asked.letters.contains(*kind)) {
        asked.kinds.push(kind);
    }
    Ok(asked)
}

fn valued(asked: &mut Asked, letter: char, value: &str) {
    match (letter, value) {
        ('f', "inet") => asked.letters.push('4'),
        ('f', "inet6") => asked.letters.push('6'),
        ('f', "unix") => asked.kinds.push('x'),
        ('f', "link") => asked.kinds.push('0'),
        ('f', "netlink") => asked.kinds.push('n'),
        ('A', list) => {
            for word in list.split(',') {
                asked.kinds.push_str(match word {
                    "all" => "tuwx",
                    "inet" => "tuw",
                    "tcp" => "t",
                    "udp" => "u",
                    "raw" => "w",
                    "unix" | "unix_stream" | "unix_dgram" | "unix_seqpacket" => "x",
                    "netlink" => "n",
                    _ => "s",
                });
            }
        }
        _ => {}
    }
}
