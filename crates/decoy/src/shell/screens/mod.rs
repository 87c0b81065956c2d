//! Programs that fill the screen: `less`, `more`, `top`, `vi`, `nano`.

mod keyboard;
mod nano;
mod pager;
mod text;
mod top;
mod vi;

pub(super) use nano::nano;
pub(super) use pager::{less, more};
pub(super) use top::top;
pub(super) use vi::vi;

use super::{
    commands::Call,
    io::{Input, Out, Output},
};
use crate::machine::Access;
use keyboard::Keyboard;

/// The largest file that is shown or edited.
const LARGEST: usize = 1024 * 1024;

/// A program's terminal: it draws, and gets each key as it comes.
struct Screen {
    output: Output,
    keys: Keyboard,
    input: Input,
    window: super::Window,
}

impl Screen {
    /// The terminal of this call; `None` when there is none, or output goes elsewhere.
    fn of(call: &Call<'_>) -> Option<Self> {
        let (output, input) =
            call.session.channels.lock().clone().filter(|_| {
                call.to_terminal || call.session.launch.tty.is_some() && call.session.is_paged()
            })?;
        input.set_raw(true);
        let window = call.session.window.clone();
        Some(Self { output, keys: Keyboard::new(input.clone()), input, window })
    }

    /// Columns and rows; never too few to draw on.
    fn size(&self) -> (usize, usize) {
        let (columns, rows) = self.window.size();
        let or = |size: u16, usual: usize| if size == 0 { usual } else { usize::from(size) };
        (or(columns, 80).clamp(10, 500), or(rows, 24).clamp(4, 200))
    }

    fn draw(&self, text: &str) {
        (self.output)(Out::Stdout, text.as_bytes());
    }
}

impl Drop for Screen {
    /// However the program ends, the terminal is the shell's again.
    fn drop(&mut self) {
        self.input.set_raw(false);
    }
}

/// The text of a file, or why there is none.
fn read(call: &Call<'_>, operand: &str) -> Result<String, &'static str> {
    let files = call.session.files();
    let path = files.resolve(call.cwd, operand);
    let who = call.session.who();
    if files.is_dir(&path) {
        return Err("Is a directory");
    }
    files.stat(&path).map_err(|error| error.errno_text())?;
    files.may(who.uid, who.gid, &path, Access::Read).map_err(|error| error.errno_text())?;
    let bytes = files.read(&path).map_err(|error| error.errno_text())?;
    Ok(String::from_utf8_lossy(bytes.get(..bytes.len().min(LARGEST)).unwrap_or_default()).into_owned())
}

/// Writes a file as whoever is at work.
fn write(call: &Call<'_>, operand: &str, text: &str) -> Result<(), &'static str> {
    let files = call.session.files();
    let path = files.resolve(call.cwd, operand);
    let who = call.session.who();
    let parent =
        path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
    let guarded = if files.exists(&path) { path.as_str() } else { parent };
    files.may(who.uid, who.gid, guarded, Access::Write).map_err(|error| error.errno_text())?;
    let mode = 0o666 & !call.session.umask();
    files.write(&path, text.as_bytes(), &who, mode).map_err(|error| error.errno_text())
}

/// The front of a text that fits into so many columns; what a terminal would obey is shown as a sign.
fn fitted(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let shown = match c {
            '\t' => " ".repeat(8 - used % 8),
            c if c < ' ' => format!("^{}", char::from(c as u8 ^ 0x40)),
            '\u{7f}' => "^?".to_owned(),
            c if c.is_control() => "?".to_owned(),
            c => c.to_string(),
        };
        used += shown.chars().count();
        if used > columns {
            break;
        }
        out.push_str(&shown);
    }
    out
}

#[cfg(test)]
mod tests;
