//! `history`: the lines of this session, and the file that they go to.

use super::{Call, Said};

const USAGE: &str =
    "history: usage: history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]\n";

/// bash 5.2.
pub(super) fn history(call: &Call<'_>) -> Said {
    let shell = call.session.error_prefix();
    let file = |named: Option<&String>| match named {
        Some(name) => Some(call.path(name)),
        None => call.var("HISTFILE").filter(|path| !path.is_empty()),
    };
    let written = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let args: Vec<&String> = call.args.iter().filter(|arg| *arg != "--").collect();
    let first = args.first().map_or("", |arg| arg.as_str());
    if let Some(letters) = first.strip_prefix('-').filter(|letters| !letters.is_empty()) {
        if let Some(letter) = letters.chars().find(|letter| !"acdnprsw".contains(*letter)) {
            let text = format!("{shell}history: -{letter}: invalid option\n{USAGE}");
            return Said::err(text, 2);
        }
        let has = |letter: char| letters.contains(letter);
        let mut rest = args.get(1..).unwrap_or_default();
        if has('c') {
            call.session.history.lock().clear();
        }
        let deletes = has('d') || rest.first().is_some_and(|arg| *arg == "-d");
        if deletes && !has('d') {
            rest = rest.get(1..).unwrap_or_default();
        }
        if deletes {
            let Some(offset) = rest.first() else {
                return Said::err(format!("{shell}history: -d: option requires an argument\n{USAGE}"), 2);
            };
            let mut lines = call.session.history.lock();
            let at = match offset.parse::<i64>() {
                Ok(number) if number > 0 => usize::try_from(number - 1).ok(),
                Ok(number) if number < 0 => {
                    usize::try_from(number.unsigned_abs()).ok().and_then(|back| lines.len().checked_sub(back))
                }
                _ => None,
            };
            return match at.filter(|at| *at < lines.len()) {
                Some(at) => {
                    lines.remove(at);
                    Said::nothing(0)
                }
                None => Said::err(format!("{shell}history: {offset}: history position out of range\n"), 1),
            };
        }
        if has('s') {
            let mut lines = call.session.history.lock();
            lines.pop();
            lines.push(rest.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" "));
            return Said::nothing(0);
        }
        if has('p') {
            return Said::out(rest.iter().map(|word| format!("{word}\n")).collect::<String>());
        }
        let mode = 0o600;
        if has('w') || has('a') {
            let Some(path) = file(rest.first().copied()) else { return Said::nothing(0) };
            let text = written(&call.session.history.lock());
            let done = if has('w') {
                call.files().write(&path, text.as_bytes(), &call.session.who(), mode)
            } else {
                call.files().append(&path, text.as_bytes(), &call.session.who(), mode)
            };
            return match done {
                Ok(()) => Said::nothing(0),
                Err(error) => {
                    let named = rest.first().map_or(path.as_str(), |name| name.as_str());
                    Said::err(format!("{shell}history: {named}: cannot create: {}\n", error.errno_text()), 1)
                }
            };
        }
        if has('r') || has('n') {
            let Some(path) = file(rest.first().copied()) else { return Said::nothing(0) };
            let Ok(text) = call.files().read(&path) else { return Said::nothing(1) };
            let mut lines = call.session.history.lock();
            let room = MOST.saturating_sub(lines.len());
            lines.extend(
                String::from_utf8_lossy(&text)
                    .lines()
                    .take(room)
                    .map(|line| line.chars().take(2048).collect()),
            );
        }
        return Said::nothing(0);
    }
    let most = match args.first() {
        None => usize::MAX,
        Some(count) => match count.parse() {
            Ok(count) => count,
            Err(_) => return Said::err(format!("{shell}history: {count}: numeric argument required\n"), 1),
        },
    };
    if call.var("HISTSIZE").is_some_and(|size| size == "0") {
        return Said::nothing(0);
    }
    let lines = call.session.history.lock();
    let skip = lines.len().saturating_sub(most);
    let rows =
        lines.iter().enumerate().skip(skip).map(|(number, line)| format!("{:>5}  {line}\n", number + 1));
    Said::out(rows.collect::<String>())
}

/// `fc -l`: the latest lines but this one. Editing them would want an editor: nothing is run.
pub(super) fn fc(call: &Call<'_>) -> Said {
    let options = call.options("e");
    let lines = call.session.history.lock();
    let before = lines.len().saturating_sub(1);
    if !options.has('l') {
        return Said::nothing(i32::from(before == 0));
    }
    let number = |text: Option<&String>| text.and_then(|text| text.parse::<i64>().ok());
    let place = |number: i64| {
        let at = if number < 0 { before as i64 + number } else { number - 1 };
        usize::try_from(at).unwrap_or(0).min(before)
    };
    // `-5` looks like options.
    let back = options.letters.iter().find(|letter| letter.is_ascii_digit());
    let back = back.and_then(|digit| digit.to_digit(10)).map(|digit| -i64::from(digit));
    let from = number(options.operands.first()).or(back).map_or(before.saturating_sub(16), place);
    let to = number(options.operands.get(1)).map_or(before, |number| place(number) + 1);
    let rows = lines.iter().enumerate().take(to.min(before)).skip(from).map(|(at, line)| {
        if options.has('n') { format!("\t {line}\n") } else { format!("{}\t {line}\n", at + 1) }
    });
    Said::out(rows.collect::<String>())
}

/// The most lines that are read from a file.
const MOST: usize = 500;
