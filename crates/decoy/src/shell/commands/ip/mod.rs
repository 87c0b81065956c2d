//! `ip` of iproute2 6.1.

mod addresses;
mod devices;
mod json;
mod neighbours;
mod routes;
mod way;

use super::{Call, Said, usage};
use json::Json;

/// Options before the object.
#[derive(Default)]
struct Manner {
    json: bool,
    pretty: bool,
    brief: bool,
    one_line: bool,
    statistics: u8,
    details: bool,
    numeric: bool,
    human: bool,
    /// 4 or 6.
    family: Option<u8>,
}

const OBJECTS: &[&str] = &[
    "address",
    "addrlabel",
    "maddress",
    "route",
    "rule",
    "neighbor",
    "neighbour",
    "ntable",
    "ntbl",
    "link",
    "l2tp",
    "fou",
    "ila",
    "macsec",
    "tunnel",
    "tunl",
    "tuntap",
    "tap",
    "token",
    "tcpmetrics",
    "tcp_metrics",
    "monitor",
    "xfrm",
    "mroute",
    "mrule",
    "netns",
    "netconf",
    "vrf",
    "sr",
    "nexthop",
    "mptcp",
    "ioam",
    "stats",
    "help",
];

/// Long forms of options; the shortest beginning that means each.
const OPTIONS: &[(&str, usize, &str)] = &[
    ("-loops", 2, "loops"),
    ("-family", 2, "family"),
    ("-4", 2, "4"),
    ("-6", 2, "6"),
    ("-0", 2, "0"),
    ("-M", 2, "0"),
    ("-B", 2, "0"),
    ("-human-readable", 2, "human"),
    ("-iec", 3, "human"),
    ("-stats", 2, "statistics"),
    ("-statistics", 2, "statistics"),
    ("-details", 2, "details"),
    ("-resolve", 2, "nothing"),
    ("-oneline", 2, "oneline"),
    ("-timestamp", 2, "nothing"),
    ("-tshort", 3, "nothing"),
    ("-Version", 2, "version"),
    ("-force", 3, "nothing"),
    ("-batch", 2, "batch"),
    ("-brief", 3, "brief"),
    ("-json", 2, "json"),
    ("-pretty", 2, "pretty"),
    ("-rcvbuf", 3, "loops"),
    ("-help", 3, "help"),
    ("-netns", 2, "netns"),
    ("-Numeric", 2, "numeric"),
    ("-all", 2, "nothing"),
    ("-color", 2, "nothing"),
    ("-echo", 5, "nothing"),
];

fn help() -> Said {
    let said = usage::of("ip", &["--help".to_owned()], false).unwrap_or_default();
    Said::err([said.out, said.err].concat(), 255)
}

pub(super) fn ip(call: &Call<'_>) -> Said {
    let mut manner = Manner::default();
    let mut args = call.args.iter().map(String::as_str);
    let object = loop {
        let Some(arg) = args.next() else { return help() };
        if !arg.starts_with('-') {
            break arg;
        }
        let option = arg.strip_prefix('-').filter(|rest| rest.starts_with('-')).unwrap_or(arg);
        let option = if option.starts_with("-c=") || option.starts_with("-color=") { "-c" } else { option };
        let known =
            OPTIONS.iter().find(|(long, least, _)| option.len() >= *least && long.starts_with(option));
        match known.map(|(_, _, meaning)| *meaning) {
            Some("4") => manner.family = Some(4),
            Some("6") => manner.family = Some(6),
            Some("family") => match args.next() {
                Some("inet") => manner.family = Some(4),
                Some("inet6") => manner.family = Some(6),
                Some("link" | "bridge" | "mpls" | "any") => {}
                Some("help") => return help(),
                Some(other) => {
                    let text = format!("Error: argument \"{other}\" is wrong: invalid protocol family\n\n");
                    return Said::err(text, 255);
                }
                None => return Said::err("Command line is not complete. Try option \"help\"\n", 255),
            },
            Some("loops") => drop(args.next()),
            Some("netns") => {
                let name = args.next().unwrap_or_default();
                let text = format!("Cannot open network namespace \"{name}\": No such file or directory\n");
                return Said::err(text, 255);
            }
            Some("batch") => {
                let name = args.next().unwrap_or_default();
                let text = format!("Cannot open file \"{name}\" for reading: No such file or directory\n");
                return Said::err(text, 1);
            }
            Some("statistics") => manner.statistics += 1,
            Some("details") => manner.details = true,
            Some("human") => manner.human = true,
            Some("oneline") => manner.one_line = true,
            Some("brief") => manner.brief = true,
            Some("json") => manner.json = true,
            Some("pretty") => manner.pretty = true,
            Some("numeric") => manner.numeric = true,
            Some("version") => return Said::out("ip utility, iproute2-6.1.0, libbpf 1.1.2\n"),
            Some("help") => return Said { status: 0, ..help() },
            Some(_) => {}
            None => return Said::err(format!("Option \"{arg}\" is unknown, try \"ip -help\".\n"), 255),
        }
    };
    let Some(known) = OBJECTS.iter().find(|known| known.starts_with(object)) else {
        return Said::err(format!("Object \"{object}\" is unknown, try \"ip help\".\n"), 1);
    };
    let words: Vec<&str> = args.collect();
    match *known {
        "help" => help(),
        "address" => addresses::address(call, &manner, &words),
        "link" => devices::link(call, &manner, &words),
        "route" => routes::route(call, &manner, &words),
        "rule" => routes::rule(call, &manner, &words),
        "neighbor" | "neighbour" => neighbours::neighbour(call, &manner, &words),
        "maddress" => addresses::groups(call, &manner),
        "addrlabel" => Said::out(
            "prefix ::1/128 label 0 \nprefix ::/96 label 3 \nprefix ::ffff:0.0.0.0/96 label 4 \nprefix 2001::/32 label 6 \nprefix 2001:10::/28 label 7 \nprefix 3ffe::/16 label 12 \nprefix 2002::/16 label 2 \nprefix fec0::/10 label 11 \nprefix fc00::/7 label 5 \nprefix ::/0 label 1 \n",
        ),
        "token" => Said::out(format!("token :: dev {}\n", call.identity().interface)),
        "vrf" => Said::out("Name              Table\n-----------------------\nNo VRF has been configured\n"),
        // There are none of these: nothing is listed, and nothing can be made without the modules for them.
        _ => Said::nothing(0),
    }
}

/// Whether a word is this command or begins it, as iproute2 takes them.
fn is(word: &str, command: &str) -> bool {
    !word.is_empty() && command.starts_with(word)
}

fn unknown(word: &str, object: &str) -> Said {
    Said::err(format!("Command \"{word}\" is unknown, try \"ip {object} help\".\n"), 255)
}

/// What changes something needs to be root.
fn permitted(call: &Call<'_>) -> Option<Said> {
    (!call.is_root()).then(|| Said::err("RTNETLINK answers: Operation not permitted\n", 2))
}

/// What each object says to `help`, each after a byte 1E and its name.
const HELP: &str = include_str!("help.txt");

fn help_of(object: &str) -> Said {
    let found = HELP.split('\u{1e}').find_map(|part| part.strip_prefix(object)?.strip_prefix('\n'));
    Said::err(found.unwrap_or_default(), 255)
}

fn incomplete() -> Said {
    Said::err("Command line is not complete. Try option \"help\"\n", 255)
}

fn shown(manner: &Manner, list: Vec<Json>) -> Said {
    Said::out(Json::List(list).write(manner.pretty))
}
