//! `less` and `more`: a text page by page.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Screen, fitted, keyboard::Key, read};
use crate::shell::commands::Said;

/// What both are given: a text, what it is called, and what could not be read.
struct Given {
    lines: Vec<String>,
    name: String,
    err: Vec<u8>,
}

fn given(call: &Call<'_>) -> Result<Given, Said> {
    let operands: Vec<&String> =
        call.args.iter().filter(|arg| !arg.starts_with(['-', '+']) || arg.as_str() == "-").collect();
    let (mut text, mut err) = (String::new(), Vec::new());
    for operand in &operands {
        if operand.as_str() == "-" {
            text.push_str(&String::from_utf8_lossy(call.stdin.unwrap_or_default()));
            continue;
        }
        match read(call, operand) {
            Ok(part) => text.push_str(&part),
            Err("Is a directory") if call.name == "more" => {
                text.push_str(&format!("\n*** {operand}: directory ***\n\n"));
            }
            Err("Is a directory") => err.extend(format!("{operand} is a directory\n").bytes()),
            Err(fault) if call.name == "more" => {
                err.extend(format!("more: cannot open {operand}: {fault}\n").bytes());
            }
            Err(fault) => err.extend(format!("{operand}: {fault}\n").bytes()),
        }
    }
    match (operands.is_empty(), call.stdin) {
        (true, Some(bytes)) => text = String::from_utf8_lossy(bytes).into_owned(),
        (true, None) if call.name == "more" => {
            return Err(Said::err("more: bad usage\nTry 'more --help' for more information.\n", 1));
        }
        (true, None) => return Err(Said::err("Missing filename (\"less --help\" for help)\n", 1)),
        (false, _) if text.is_empty() && !err.is_empty() => {
            return Err(Said { err, status: 1, out: Vec::new() });
        }
        (false, _) => {}
    }
    let name = operands.first().map(|name| (*name).clone()).unwrap_or_default();
    Ok(Given { lines: text.lines().map(str::to_owned).collect(), name, err })
}

/// What is said where there is no terminal: everything.
fn all_of(given: Given) -> Said {
    let out = given.lines.iter().flat_map(|line| line.bytes().chain([b'\n'])).collect();
    Said { out, err: given.err, status: 0 }
}

pub(in crate::shell) fn less<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let given = match given(call) {
            Ok(given) => given,
            Err(said) => return said,
        };
        let Some(mut screen) = Screen::of(call) else { return all_of(given) };
        screen.draw("\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\r");
        let (mut top, mut wanted, mut first) = (0_usize, String::new(), true);
        let mut said = None;
        loop {
            let (columns, rows) = screen.size();
            let page = rows - 1;
            let last = given.lines.len().saturating_sub(page);
            top = top.min(last);
            let mut drawn = String::from("\x1b[H\x1b[J");
            for line in given.lines.iter().skip(top).take(page) {
                drawn += &fitted(line, columns);
                drawn.push('\n');
            }
            for _ in given.lines.len().saturating_sub(top)..page {
                drawn += "\x1b[1m~\x1b[0m\n";
            }
            let at_end = top >= last;
            drawn += &match said.take() {
                Some(text) => format!("\x1b[7m{text}\x1b[27m\x1b[K"),
                None if first && !given.name.is_empty() => {
                    let end = if at_end { " (END)" } else { "" };
                    format!("\x1b[7m{}{end}\x1b[27m\x1b[K", fitted(&given.name, columns - 8))
                }
                None if at_end => "\x1b[7m(END)\x1b[27m\x1b[K".to_owned(),
                None => ":\x1b[K".to_owned(),
            };
            screen.draw(&drawn);
            first = false;
            let Some(key) = screen.keys.next().await else { break };
            match key {
                Key::Char('q' | 'Q') => break,
                Key::Char(' ' | 'f') | Key::Ctrl('f' | 'v') | Key::PageDown => top += page,
                Key::Char('b') | Key::Ctrl('b') | Key::PageUp => top = top.saturating_sub(page),
                Key::Char('d') | Key::Ctrl('d') => top += page / 2,
                Key::Char('u') | Key::Ctrl('u') => top = top.saturating_sub(page / 2),
                Key::Char('j' | 'e') | Key::Ctrl('n' | 'e') | Key::Enter | Key::Down => top += 1,
                Key::Char('k' | 'y') | Key::Ctrl('p' | 'y') | Key::Up => top = top.saturating_sub(1),
                Key::Char('g' | '<') | Key::Home => top = 0,
                Key::Char('G' | '>') | Key::End => top = last,
                Key::Char(sign @ ('/' | 'n')) => {
                    if sign == '/' {
                        wanted = ask(&mut screen, "\r\x1b[K/").await.unwrap_or_default();
                    }
                    let found = given.lines.iter().skip(top + 1).position(|line| line.contains(&wanted));
                    match found.filter(|_| !wanted.is_empty()) {
                        Some(at) => top += at + 1,
                        None => said = Some("Pattern not found  (press RETURN)".to_owned()),
                    }
                }
                Key::Char(':') => {
                    if ask(&mut screen, "\r\x1b[K:").await.is_some_and(|typed| typed.starts_with('q')) {
                        break;
                    }
                }
                _ => screen.draw("\x07"),
            }
        }
        screen.draw("\r\x1b[K\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t");
        Said { err: given.err, ..Said::default() }
    }
    .boxed()
}

/// One line typed at the foot of the screen; `None` when it was given up.
pub(super) async fn ask(screen: &mut Screen, prompt: &str) -> Option<String> {
    let mut typed = String::new();
    screen.draw(prompt);
    loop {
        match screen.keys.next().await? {
            Key::Enter => return Some(typed),
            Key::Escape | Key::Ctrl('c' | 'g') => return None,
            Key::Backspace => {
                typed.pop()?;
                screen.draw("\x08 \x08");
            }
            Key::Char(c) if typed.len() < 512 => {
                typed.push(c);
                screen.draw(&c.to_string());
            }
            _ => screen.draw("\x07"),
        }
    }
}

pub(in crate::shell) fn more<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let given = match given(call) {
            Ok(given) => given,
            Err(said) => return said,
        };
        let Some(mut screen) = Screen::of(call) else { return all_of(given) };
        let total: usize = given.lines.iter().map(|line| line.len() + 1).sum();
        let (mut at, mut bytes) = (0, 0);
        let mut wanted = screen.size().1 - 1;
        loop {
            for line in given.lines.iter().skip(at).take(wanted) {
                screen.draw(&format!("{line}\n"));
                at += 1;
                bytes += line.len() + 1;
            }
            if at >= given.lines.len() {
                break;
            }
            screen.draw(&format!("\x1b[7m--More--({}%)\x1b[27m", 100 * bytes / total.max(1)));
            let key = screen.keys.next().await;
            screen.draw("\r\x1b[K");
            wanted = match key {
                Some(Key::Char(' ') | Key::PageDown) => screen.size().1 - 1,
                Some(Key::Enter | Key::Down | Key::Char('j')) => 1,
                Some(Key::Char('d') | Key::Ctrl('d')) => 11,
                None | Some(Key::Char('q' | 'Q') | Key::Ctrl('c')) => break,
                Some(_) => {
                    screen.draw("\x07");
                    0
                }
            };
        }
        Said { err: given.err, ..Said::default() }
    }
    .boxed()
}
