//! ^I: completes the word before the cursor, or lists what it may become, as readline does.

use super::Terminal;
use crate::shell::Completion;

/// More than this many are shown only when the visitor says yes (`completion-query-items`).
const ASKED_FOR: usize = 100;

impl Terminal {
    pub(super) fn complete(&mut self, out: &mut Vec<u8>) {
        let Some(shell) = self.shell.as_ref() else { return };
        let cursor = self.editor.cursor();
        let front =
            String::from_utf8_lossy(self.editor.line().get(..cursor).unwrap_or_default()).into_owned();
        let done = shell.complete(&front);
        let Some(first) = done.candidates.first() else {
            self.editor.tabbed = false;
            return out.push(0x07);
        };
        let common = done.candidates.iter().skip(1).fold(first.clone(), |common, next| {
            common.chars().zip(next.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        });
        let mut text = quoted(&common, done.quote);
        if done.candidates.len() == 1 {
            self.editor.tabbed = false;
            if !common.ends_with('/') {
                text.extend(done.quote);
                text.push(' ');
            }
        } else {
            if front.get(done.start..).is_some_and(|typed| typed.len() >= text.len()) {
                if std::mem::replace(&mut self.editor.tabbed, true) {
                    self.list(&done, out);
                } else {
                    out.push(0x07);
                }
                return;
            }
            self.editor.tabbed = false;
            out.push(0x07);
        }
        let limit = self.contact.limits.line_bytes;
        if self.editor.line().len() + text.len() <= limit {
            self.editor.replace(done.start, cursor, text.as_bytes(), out);
        }
    }

    fn list(&mut self, done: &Completion, out: &mut Vec<u8>) {
        if done.candidates.len() > ASKED_FOR {
            out.extend_from_slice(
                format!("\r\nDisplay all {} possibilities? (y or n)", done.candidates.len()).as_bytes(),
            );
            self.asked = Some(columns(&done.candidates, self.window.size().0));
            return;
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(columns(&done.candidates, self.window.size().0).as_bytes());
        self.editor.show_again(out);
    }

    /// The answer to "Display all … possibilities?".
    pub(super) fn answer(&mut self, key: u8, listed: String, out: &mut Vec<u8>) {
        match key {
            b'y' | b'Y' | b' ' => {
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(listed.as_bytes());
            }
            b'n' | b'N' | 0x7f | 0x03 | 0x07 => out.extend_from_slice(b"\r\n"),
            _ => {
                out.push(0x07);
                self.asked = Some(listed);
                return;
            }
        }
        self.editor.show_again(out);
    }
}

/// What is typed for this name.
fn quoted(name: &str, quote: Option<char>) -> String {
    if quote.is_some() {
        return name.to_owned();
    }
    let mut text = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        let plain = c.is_alphanumeric()
            || matches!(c, '/' | '.' | '_' | '-' | '+' | ':' | ',' | '@' | '%' | '[' | ']')
            || at == 0 && matches!(c, '~' | '$');
        if !plain {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// The names in columns, from above to below.
fn columns(names: &[String], width: u16) -> String {
    let shown: Vec<&str> = names
        .iter()
        .map(|name| {
            let trimmed = name.trim_end_matches('/');
            let base = trimmed.rfind('/').map_or(0, |at| at + 1);
            name.get(base..).unwrap_or(name)
        })
        .collect();
    let widest = shown.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
    let width = if width < 2 { 80 } else { usize::from(width) };
    let mut across = (width / widest).max(1);
    if across != 1 && across * widest == width {
        across -= 1;
    }
    let rows = shown.len().div_ceil(across);
    let mut out = String::new();
    for row in 0..rows {
        for (column, name) in shown.iter().skip(row).step_by(rows).take(across).enumerate() {
            out.push_str(name);
            if column + 1 < across {
                out.extend(std::iter::repeat_n(' ', widest - name.chars().count()));
            }
        }
        out.push_str("\r\n");
    }
    out
}
