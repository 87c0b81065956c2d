//! `vi`: vim.tiny 9.0, as far as one edits a file with it.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Screen, keyboard::Key, pager::ask, read, text::Text, write};
use crate::shell::commands::Said;

pub(in crate::shell) fn vi<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let Some(mut screen) = Screen::of(call) else {
            return Said::err("Vim: Warning: Output is not to a terminal\n", 1);
        };
        let name = call.args.iter().find(|arg| !arg.starts_with(['-', '+'])).cloned().unwrap_or_default();
        let (text, told) = match read(call, &name) {
            _ if name.is_empty() => (String::new(), String::new()),
            Ok(text) => {
                let told = format!("\"{name}\" {}L, {}B", text.lines().count(), text.len());
                (text, told)
            }
            Err("No such file or directory") => (String::new(), format!("\"{name}\" [New]")),
            Err("Is a directory") => (String::new(), format!("\"{name}\" is a directory")),
            Err("Permission denied") => (String::new(), format!("\"{name}\" [Permission Denied]")),
            Err(_) => (String::new(), String::new()),
        };
        screen.draw("\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\x1b[H\x1b[2J");
        let mut vi =
            Vi { call, name, text: Text::new(&text), told, inserts: false, cut: None, wanted: String::new() };
        while vi.step(&mut screen).await.is_some() {}
        let rows = screen.size().1;
        screen.draw(&format!("\x1b[{rows};1H\x1b[K\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t\x1b[?25h"));
        Said::default()
    }
    .boxed()
}

struct Vi<'a> {
    call: &'a Call<'a>,
    name: String,
    text: Text,
    told: String,
    inserts: bool,
    cut: Option<Vec<String>>,
    wanted: String,
}

impl Vi<'_> {
    fn draw(&mut self, screen: &Screen) {
        let (columns, rows) = screen.size();
        let (lines, row, column) = self.text.view(rows - 1, columns);
        let mut drawn = String::from("\x1b[?25l\x1b[H");
        for number in 0..rows - 1 {
            drawn += lines.get(number).map_or("~", String::as_str);
            drawn += "\x1b[K\n";
        }
        let foot = if self.inserts { "-- INSERT --".to_owned() } else { std::mem::take(&mut self.told) };
        drawn += &format!(
            "{foot}\x1b[K\x1b[{rows};{}H{},{}",
            columns.saturating_sub(17),
            self.text.row + 1,
            self.text.column + 1
        );
        screen.draw(&format!("{drawn}\x1b[{};{}H\x1b[?25h", row + 1, column + 1));
    }

    async fn step(&mut self, screen: &mut Screen) -> Option<()> {
        self.draw(screen);
        let key = screen.keys.next().await?;
        if self.inserts {
            self.insert(key);
            return Some(());
        }
        self.command(key, screen).await
    }

    fn insert(&mut self, key: Key) {
        let (row, column) = (self.text.row, self.text.column);
        match key {
            Key::Char(c) => self.text.insert(c),
            Key::Enter => self.text.split(),
            Key::Backspace => self.text.backspace(),
            Key::Delete => drop(self.text.delete()),
            Key::Escape | Key::Ctrl('c') => {
                self.inserts = false;
                self.text.go(row, column.saturating_sub(1));
            }
            key => self.travel(key, 24),
        }
    }

    /// Keys that move the cursor and no more.
    fn travel(&mut self, key: Key, page: usize) {
        let (row, column) = (self.text.row, self.text.column);
        match key {
            Key::Left | Key::Char('h') | Key::Backspace => self.text.go(row, column.saturating_sub(1)),
            Key::Right | Key::Char('l' | ' ') => self.text.go(row, column + 1),
            Key::Up | Key::Char('k') => self.text.go(row.saturating_sub(1), column),
            Key::Down | Key::Char('j') => self.text.go(row + 1, column),
            Key::Enter | Key::Char('+') => self.text.go(row + 1, 0),
            Key::Home | Key::Char('0') => self.text.go(row, 0),
            Key::Char('^') => {
                let blank = self.text.line().chars().take_while(|c| c.is_whitespace()).count();
                self.text.go(row, blank);
            }
            Key::End | Key::Char('$') => self.text.go(row, self.text.length().saturating_sub(1)),
            Key::Char(sign @ ('w' | 'b')) => {
                let (row, column) = self.text.word(sign == 'w');
                self.text.go(row, column);
            }
            Key::Char('G') => self.text.go(usize::MAX, 0),
            Key::PageDown | Key::Ctrl('f') => self.text.go(row + page, column),
            Key::PageUp | Key::Ctrl('b') => self.text.go(row.saturating_sub(page), column),
            _ => {}
        }
    }

    async fn command(&mut self, key: Key, screen: &mut Screen) -> Option<()> {
        let (row, column) = (self.text.row, self.text.column);
        if matches!(
            key,
            Key::Char('i' | 'a' | 'I' | 'A' | 'o' | 'O' | 'x' | 'd' | 'D' | 'C' | 'p' | 'P' | 'J' | 'r')
        ) {
            self.text.checkpoint();
        }
        match key {
            Key::Char('i') => self.inserts = true,
            Key::Char('a') => {
                self.text.go(row, column + 1);
                self.inserts = true;
            }
            Key::Char('I') => {
                self.text.go(row, 0);
                self.inserts = true;
            }
            Key::Char('A') => {
                self.text.go(row, usize::MAX);
                self.inserts = true;
            }
            Key::Char(sign @ ('o' | 'O')) => {
                self.text.insert_line(row + usize::from(sign == 'o'), String::new());
                self.inserts = true;
            }
            Key::Char('x') | Key::Delete => drop(self.text.delete()),
            Key::Char(sign @ ('D' | 'C')) => {
                self.cut = Some(vec![self.text.cut_rest()]);
                self.inserts = sign == 'C';
            }
            Key::Char(sign @ ('d' | 'y')) => match screen.keys.next().await? {
                Key::Char(second) if second == sign => {
                    let line = if sign == 'd' { self.text.cut_line() } else { self.text.line().to_owned() };
                    self.cut = Some(vec![line]);
                }
                Key::Char('w') if sign == 'd' => {
                    let (next, end) = self.text.word(true);
                    let count =
                        if next == row { end.saturating_sub(column) } else { self.text.length() - column };
                    for _ in 0..count.max(1) {
                        self.text.delete();
                    }
                }
                Key::Char('$') if sign == 'd' => drop(self.text.cut_rest()),
                Key::Char('G') if sign == 'd' => {
                    for _ in row..self.text.count() {
                        self.text.cut_line();
                    }
                }
                _ => {}
            },
            Key::Char(sign @ ('p' | 'P')) => {
                for line in self.cut.clone().unwrap_or_default() {
                    self.text.insert_line(row + usize::from(sign == 'p'), line);
                }
            }
            Key::Char('J') => drop(self.text.join()),
            Key::Char('r') => {
                if let Key::Char(c) = screen.keys.next().await? {
                    self.text.delete();
                    self.text.insert(c);
                    self.text.go(row, column);
                }
            }
            Key::Char('u') => {
                let undone = self.text.undo();
                self.told = if undone {
                    "1 change; before #1".to_owned()
                } else {
                    "Already at oldest change".to_owned()
                };
            }
            Key::Char('g') => {
                if screen.keys.next().await? == Key::Char('g') {
                    self.text.go(0, 0);
                }
            }
            Key::Char('Z') => match screen.keys.next().await? {
                Key::Char('Z') => return if self.text.changed && !self.save("") { Some(()) } else { None },
                Key::Char('Q') => return None,
                _ => {}
            },
            Key::Char(sign @ ('/' | 'n')) => {
                if sign == '/' {
                    let rows = screen.size().1;
                    self.wanted = ask(screen, &format!("\x1b[{rows};1H\x1b[K/")).await.unwrap_or_default();
                }
                if !self.text.find(&self.wanted.clone()) {
                    self.told = format!("E486: Pattern not found: {}", self.wanted);
                }
            }
            Key::Char(':') => {
                let rows = screen.size().1;
                let typed = ask(screen, &format!("\x1b[{rows};1H\x1b[K:")).await.unwrap_or_default();
                return self.colon(typed.trim());
            }
            key => self.travel(key, screen.size().1.saturating_sub(2)),
        }
        Some(())
    }

    fn save(&mut self, name: &str) -> bool {
        let name = if name.is_empty() { self.name.clone() } else { name.to_owned() };
        if name.is_empty() {
            self.told = "E32: No file name".to_owned();
            return false;
        }
        let text = self.text.whole();
        match write(self.call, &name, &text) {
            Ok(()) => {
                self.told = format!("\"{name}\" {}L, {}B written", text.lines().count(), text.len());
                self.text.changed = false;
                if self.name.is_empty() {
                    self.name = name;
                }
                true
            }
            Err(_) => {
                self.told = format!("\"{name}\" E212: Can't open file for writing");
                false
            }
        }
    }

    fn colon(&mut self, typed: &str) -> Option<()> {
        let (word, rest) = typed.split_once(' ').unwrap_or((typed, ""));
        match word {
            "" | "set" | "syntax" => {}
            "q" | "quit" | "qa" if self.text.changed => {
                self.told = "E37: No write since last change (add ! to override)".to_owned();
            }
            "q" | "quit" | "q!" | "qa" | "qa!" | "quit!" => return None,
            "w" | "w!" | "write" => drop(self.save(rest.trim())),
            "wq" | "wq!" => return if self.save(rest.trim()) { None } else { Some(()) },
            "x" | "x!" | "xit" => return if self.text.changed && !self.save("") { Some(()) } else { None },
            "$" => self.text.go(usize::MAX, 0),
            number if number.chars().all(|c| c.is_ascii_digit()) => {
                self.text.go(number.parse::<usize>().unwrap_or(1).saturating_sub(1), 0);
            }
            other => self.told = format!("E492: Not an editor command: {other}"),
        }
        Some(())
    }
}
