//! `nano` 7.2.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Screen, fitted, keyboard::Key, read, text::Text, write};
use crate::shell::commands::Said;

/// The two rows at the foot.
const HELP: [&str; 2] = [
    "^G Help      ^O Write Out ^W Where Is  ^K Cut       ^T Execute   ^C Location",
    "^X Exit      ^R Read File ^\\ Replace   ^U Paste     ^J Justify   ^/ Go To Line",
];

pub(in crate::shell) fn nano<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let Some(mut screen) = Screen::of(call) else {
            return Said::err("Standard input is not a terminal\n", 1);
        };
        let name = call.args.iter().find(|arg| !arg.starts_with(['-', '+'])).cloned().unwrap_or_default();
        screen.draw("\x1b[?2004h\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\x1b[?25l");
        let (text, told) = match read(call, &name) {
            Ok(text) => {
                let count = text.lines().count();
                let lines = if count == 1 { "line" } else { "lines" };
                (text, format!("[ Read {count} {lines} ]"))
            }
            Err("No such file or directory") if !name.is_empty() => {
                (String::new(), "[ New File ]".to_owned())
            }
            Err(_) if name.is_empty() => (String::new(), String::new()),
            Err(fault) => (String::new(), format!("[ Error reading {name}: {fault} ]")),
        };
        let mut editor = Nano { call, name, text: Text::new(&text), told, cut: Vec::new() };
        while editor.step(&mut screen).await.is_some() {}
        let rows = screen.size().1;
        screen.draw(&format!("\x1b[{rows};1H\x1b[K\x1b[?2004l\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t\x1b[?25h"));
        Said::default()
    }
    .boxed()
}

struct Nano<'a> {
    call: &'a Call<'a>,
    name: String,
    text: Text,
    told: String,
    cut: Vec<String>,
}

impl Nano<'_> {
    fn draw(&mut self, screen: &Screen) {
        let (columns, rows) = screen.size();
        let title = if self.name.is_empty() { "New Buffer" } else { &self.name };
        let modified = if self.text.changed { "Modified" } else { "" };
        let bar = format!(
            "{:<26}{:^width$}{modified:>10}  ",
            "  GNU nano 7.2",
            fitted(title, columns),
            width = columns.saturating_sub(38)
        );
        let mut drawn = format!("\x1b[?25l\x1b[H\x1b[7m{:<columns$}\x1b[m", fitted(&bar, columns));
        let (lines, row, column) = self.text.view(rows.saturating_sub(4).max(1), columns);
        for number in 0..rows.saturating_sub(4) {
            drawn += &format!("\x1b[{};1H{}\x1b[K", number + 2, lines.get(number).map_or("", String::as_str));
        }
        let told = std::mem::take(&mut self.told);
        let at = (columns.saturating_sub(told.chars().count())) / 2 + 1;
        drawn += &format!("\x1b[{};1H\x1b[K", rows - 2);
        if !told.is_empty() {
            drawn += &format!("\x1b[{};{at}H\x1b[7m{told}\x1b[m", rows - 2);
        }
        for (number, help) in HELP.iter().enumerate() {
            drawn += &format!("\x1b[{};1H{}\x1b[K", rows - 1 + number, fitted(help, columns));
        }
        drawn += &format!("\x1b[{};{}H\x1b[?25h", row + 2, column + 1);
        screen.draw(&drawn);
    }

    /// A question in the row above the help; `None` when it was given up.
    async fn ask(&self, screen: &mut Screen, question: &str, given: &str) -> Option<String> {
        let (_, rows) = screen.size();
        let mut typed = given.to_owned();
        loop {
            screen.draw(&format!("\x1b[{};1H\x1b[7m{question}{typed}\x1b[K\x1b[m", rows - 2));
            match screen.keys.next().await? {
                Key::Enter => return Some(typed),
                Key::Ctrl('c' | 'g') | Key::Escape => return None,
                Key::Backspace => drop(typed.pop()),
                Key::Char(c) if typed.len() < 255 => typed.push(c),
                _ => {}
            }
        }
    }

    /// Asks for the name and writes; gives whether it is written.
    async fn save(&mut self, screen: &mut Screen) -> bool {
        let Some(name) =
            self.ask(screen, "File Name to Write: ", &self.name).await.filter(|name| !name.is_empty())
        else {
            self.told = "[ Cancelled ]".to_owned();
            return false;
        };
        match write(self.call, &name, &self.text.whole()) {
            Ok(()) => {
                let count = self.text.whole().lines().count();
                self.told = format!("[ Wrote {count} line{} ]", if count == 1 { "" } else { "s" });
                self.name = name;
                self.text.changed = false;
                true
            }
            Err(fault) => {
                self.told = format!("[ Error writing {name}: {fault} ]");
                false
            }
        }
    }

    async fn step(&mut self, screen: &mut Screen) -> Option<()> {
        self.draw(screen);
        let page = screen.size().1.saturating_sub(6).max(1);
        let (row, column) = (self.text.row, self.text.column);
        match screen.keys.next().await? {
            Key::Char(c) => self.text.insert(c),
            Key::Enter | Key::Ctrl('m') => self.text.split(),
            Key::Backspace | Key::Ctrl('h') => self.text.backspace(),
            Key::Delete | Key::Ctrl('d') => {
                if self.text.delete().is_none() {
                    self.text.join();
                }
            }
            Key::Up | Key::Ctrl('p') => self.text.go(row.saturating_sub(1), column),
            Key::Down | Key::Ctrl('n') => self.text.go(row + 1, column),
            Key::Left | Key::Ctrl('b') if column > 0 => self.text.go(row, column - 1),
            Key::Left | Key::Ctrl('b') if row > 0 => self.text.go(row - 1, usize::MAX),
            Key::Right | Key::Ctrl('f') if column < self.text.length() => self.text.go(row, column + 1),
            Key::Right | Key::Ctrl('f') if row + 1 < self.text.count() => self.text.go(row + 1, 0),
            Key::Home | Key::Ctrl('a') => self.text.go(row, 0),
            Key::End | Key::Ctrl('e') => self.text.go(row, usize::MAX),
            Key::PageDown | Key::Ctrl('v') => self.text.go(row + page, column),
            Key::PageUp | Key::Ctrl('y') => self.text.go(row.saturating_sub(page), column),
            Key::Ctrl('k') => {
                let line = self.text.cut_line();
                self.cut.push(line);
                self.cut.truncate(1000);
            }
            Key::Ctrl('u') => {
                for line in std::mem::take(&mut self.cut) {
                    self.text.insert_line(self.text.row, line);
                    self.text.go(self.text.row + 1, 0);
                }
            }
            Key::Ctrl('w') => {
                if let Some(wanted) = self.ask(screen, "Search: ", "").await
                    && !self.text.find(&wanted)
                {
                    self.told = format!("[ \"{wanted}\" not found ]");
                }
            }
            Key::Ctrl('c') => {
                self.told = format!(
                    "[ line {}/{}, col {}/{} ]",
                    row + 1,
                    self.text.count(),
                    column + 1,
                    self.text.length() + 1
                );
            }
            Key::Ctrl('o' | 's') => drop(self.save(screen).await),
            Key::Ctrl('x') if !self.text.changed => return None,
            Key::Ctrl('x') => {
                let rows = screen.size().1;
                screen.draw(&format!(
                    "\x1b[{};1H\x1b[7mSave modified buffer?\x1b[K\x1b[m\x1b[{};1H Y Yes\x1b[K\x1b[{rows};1H N No           ^C Cancel\x1b[K",
                    rows - 2,
                    rows - 1
                ));
                loop {
                    match screen.keys.next().await? {
                        Key::Char('y' | 'Y') => return if self.save(screen).await { None } else { Some(()) },
                        Key::Char('n' | 'N') => return None,
                        Key::Ctrl('c') => break,
                        _ => {}
                    }
                }
                self.told = "[ Cancelled ]".to_owned();
            }
            _ => {}
        }
        Some(())
    }
}
