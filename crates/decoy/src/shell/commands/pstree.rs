//! `pstree` of psmisc 23.6.

use super::{Call, Said, running, usage};
use crate::machine::processes::Process;

/// The deepest branch that is drawn.
const DEEPEST: usize = 60;

#[derive(Clone, Copy, Default)]
struct Manner {
    numbers: bool,
    arguments: bool,
    apart: bool,
    users: bool,
    sorted: bool,
    fancy: bool,
}

struct Node {
    pid: u32,
    label: String,
    children: Vec<Node>,
}

pub(super) fn pstree(call: &Call<'_>) -> Said {
    let options = call.options("HNC");
    if let Some(letter) = options.unknown("aAcglnpstTuUVhZS") {
        let help = usage::of("pstree", &["--help".to_owned()], false).unwrap_or_default();
        let what = format!("pstree: invalid option -- '{letter}'\n");
        return Said::err([what.into_bytes(), help.out, help.err].concat(), 1);
    }
    let manner = Manner {
        numbers: options.has('p') || options.has_long("show-pids"),
        arguments: options.has('a') || options.has_long("arguments"),
        apart: options.has('c') || options.has('p') || options.has('a') || options.has_long("compact-not"),
        users: options.has('u') || options.has_long("uid-changes"),
        sorted: options.has('n') || options.has_long("numeric-sort"),
        fancy: call.to_terminal && !options.has('A') || options.has('U'),
    };
    // Threads of the kernel hang from another than init.
    let list: Vec<Process> = running::all(call).into_iter().filter(|process| !process.is_kernel()).collect();
    let mut root = 1;
    if let Some(operand) = options.operands.first() {
        match operand.parse::<u32>() {
            Ok(pid) if list.iter().any(|process| process.pid == pid) => root = pid,
            Ok(_) => return Said::nothing(1),
            Err(_) => {
                let Some(user) = call.identity().user(operand) else {
                    return Said::err(format!("No such user name: {operand}\n"), 1);
                };
                return of_user(call, &list, user.uid, manner);
            }
        }
    }
    Said::out(node(call, &list, root, None, manner, 0).map_or_else(String::new, |tree| drawn(&tree, manner)))
}

fn of_user(call: &Call<'_>, list: &[Process], uid: u32, manner: Manner) -> Said {
    let is_top = |process: &&Process| {
        let parent = list.iter().find(|one| one.pid == process.parent);
        process.uid == uid && parent.is_none_or(|parent| parent.uid != uid)
    };
    let trees = list.iter().filter(is_top).filter_map(|one| node(call, list, one.pid, Some(uid), manner, 0));
    let trees: Vec<String> = trees.map(|tree| drawn(&tree, manner)).collect();
    if trees.is_empty() { Said::out("No processes found.\n") } else { Said::out(trees.join("\n")) }
}

fn node(
    call: &Call<'_>,
    list: &[Process],
    pid: u32,
    above: Option<u32>,
    manner: Manner,
    depth: usize,
) -> Option<Node> {
    let process = list.iter().find(|process| process.pid == pid)?;
    let mut label = process.name();
    let mut notes = Vec::new();
    if manner.numbers && !manner.arguments {
        notes.push(pid.to_string());
    }
    if manner.users && above.is_some_and(|uid| uid != process.uid) {
        notes.push(running::user_name(call, process));
    }
    if manner.arguments {
        if manner.numbers {
            label += &format!(",{pid}");
        }
        let rest = process.command.split_once(' ').map_or("", |(_, rest)| rest);
        if !rest.is_empty() {
            label += &format!(" {rest}");
        }
    } else if !notes.is_empty() {
        label += &format!("({})", notes.join(","));
    }
    let mut children: Vec<Node> = Vec::new();
    if depth < DEEPEST {
        for child in list.iter().filter(|one| one.parent == pid && one.pid != pid) {
            children.extend(node(call, list, child.pid, Some(process.uid), manner, depth + 1));
        }
    }
    // Daemons that work in several threads show them.
    for number in 1..=threads(process) {
        let name = process.name();
        let label =
            if manner.numbers { format!("{{{name}}}({})", pid + number) } else { format!("{{{name}}}") };
        children.push(Node { pid: pid + number, label, children: Vec::new() });
    }
    if manner.sorted {
        children.sort_by_key(|child| child.pid);
    } else {
        children.sort_by(|one, other| one.label.cmp(&other.label).then(one.pid.cmp(&other.pid)));
    }
    Some(Node { pid, label, children })
}

fn threads(process: &Process) -> u32 {
    match process.name().as_str() {
        "rsyslogd" => 3,
        "systemd-timesyn" => 1,
        _ => 0,
    }
}

/// Equal branches are drawn once, with how many there are.
fn compact(children: &[Node], manner: Manner) -> Vec<(String, &Node)> {
    if manner.apart {
        return children.iter().map(|child| (String::new(), child)).collect();
    }
    fn same(one: &Node, other: &Node) -> bool {
        one.label == other.label
            && one.children.len() == other.children.len()
            && one.children.iter().zip(&other.children).all(|(one, other)| same(one, other))
    }
    let mut counted: Vec<(u32, &Node)> = Vec::new();
    for child in children {
        match counted.iter_mut().find(|(_, known)| same(known, child)) {
            Some((count, _)) => *count += 1,
            None => counted.push((1, child)),
        }
    }
    let mark = |count: u32| if count > 1 { format!("{count}*[") } else { String::new() };
    counted.into_iter().map(|(count, child)| (mark(count), child)).collect()
}

fn drawn(root: &Node, manner: Manner) -> String {
    let mut text = String::new();
    if manner.arguments {
        lines(root, "", true, true, manner, &mut text);
    } else {
        branch(root, String::new(), "", manner, &mut text);
    }
    text
}

/// `-a`: a process a line.
fn lines(node: &Node, trunk: &str, last: bool, top: bool, manner: Manner, text: &mut String) {
    let (tee, corner, line) = if manner.fancy { ("├─", "└─", "│ ") } else { ("|-", "`-", "| ") };
    if top {
        *text += &format!("{}\n", node.label);
    } else {
        *text += &format!("{trunk}{}{}\n", if last { corner } else { tee }, node.label);
    }
    let trunk = if top { "  ".to_owned() } else { format!("{trunk}{} ", if last { "  " } else { line }) };
    for (number, child) in node.children.iter().enumerate() {
        lines(child, &trunk, number + 1 == node.children.len(), false, manner, text);
    }
}

/// A process, and to the right of it what it has started.
fn branch(node: &Node, trunk: String, mark: &str, manner: Manner, text: &mut String) {
    let label = format!("{mark}{}", node.label);
    let close = if mark.is_empty() { "" } else { "]" };
    *text += &label;
    let children = compact(&node.children, manner);
    if children.is_empty() {
        *text += &format!("{close}\n");
        return;
    }
    let (single, first, tee, corner, line) = if manner.fancy {
        ("───", "─┬─", " ├─", " └─", " │ ")
    } else {
        ("---", "-+-", " |-", " `-", " | ")
    };
    let room = " ".repeat(label.chars().count());
    let count = children.len();
    for (number, (mark, child)) in children.iter().enumerate() {
        let last = number + 1 == count;
        if number == 0 {
            *text += if count == 1 { single } else { first };
        } else {
            *text += &format!("{trunk}{room}{}", if last { corner } else { tee });
        }
        let below = format!("{trunk}{room}{}", if last { "   " } else { line });
        let mut inner = String::new();
        branch(child, below, mark, manner, &mut inner);
        *text += &inner;
    }
}
