//! Reads the buckets' event logs as they grow, and shows each event as one line.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::failure::Failure;

/// What every event log file's name begins with; the date follows.
const FILE_PREFIX: &str = "rustbucket.log.";
/// The most characters of a message on one line.
const MESSAGE_LENGTH: usize = 400;
/// The most bytes that are read of one file at a time.
const CHUNK: u64 = 4 * 1024 * 1024;

/// One bucket's log folder and how far each file was read.
pub struct Follower {
    folder: PathBuf,
    read: BTreeMap<PathBuf, u64>,
}

impl Follower {
    /// Skips what is there already.
    pub fn from_now(folder: &Path) -> Self {
        let mut follower = Self { folder: folder.to_owned(), read: BTreeMap::new() };
        for path in follower.files() {
            let length = fs::metadata(&path).map(|file| file.len()).unwrap_or_default();
            follower.read.insert(path, length);
        }
        follower
    }

    /// The events that were added since the last call, oldest first. A half-written line waits for its rest.
    pub fn next(&mut self) -> Result<Vec<Value>, Failure> {
        let mut events = Vec::new();
        for path in self.files() {
            let from = self.read.entry(path.clone()).or_default();
            let mut bytes = Vec::new();
            let mut read = || -> std::io::Result<()> {
                let mut file = fs::File::open(&path)?;
                file.seek(SeekFrom::Start(*from))?;
                file.take(CHUNK).read_to_end(&mut bytes)?;
                Ok(())
            };
            read().map_err(Failure::file("read", &path))?;
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            *from += whole as u64;
            let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
            events.extend(lines.filter_map(|line| serde_json::from_slice(line).ok()));
        }
        Ok(events)
    }

    /// The log files, oldest first; none while the folder does not exist.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let is_log = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FILE_PREFIX))
        };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_log).collect();
        files.sort_unstable();
        files
    }
}

/// One event on one line: time, bucket, protocol, source, message.
pub fn line(bucket: &str, event: &Value, colour: bool) -> String {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or("-");
    let time = visible(text("timestamp").split_once('T').map_or("-", |(_, time)| time), false);
    let time = time.get(..12).unwrap_or(&time);
    let (protocol, source) = (visible(text("protocol"), false), visible(text("src_ip"), false));
    let message: String = visible(text("message"), false).chars().take(MESSAGE_LENGTH).collect();
    if !colour {
        return format!("{time}  {bucket}  {protocol:<10}  {source:<15}  {message}");
    }
    let paint = colour_of(text("eventid"));
    format!(
        "\x1b[2m{time}  {bucket}\x1b[0m  \x1b[36m{protocol:<10}\x1b[0m  \x1b[2m{source:<15}\x1b[0m  \x1b[{paint}m{message}\x1b[0m"
    )
}

/// The terminal colour of an event (ECMA-48, 8.3.117).
fn colour_of(eventid: &str) -> &'static str {
    match eventid {
        "cowrie.login.success" => "1;31",
        "cowrie.login.failed" => "33",
        "cowrie.command.input" => "1;32",
        "cowrie.session.file_upload" | "cowrie.session.file_download" => "1;35",
        "rustbucket.http.request" | "rustbucket.smtp.message" | "rustbucket.ftp.data" => "34",
        "rustbucket.limit.hit" | "rustbucket.log.gap" => "1;33",
        "rustbucket.start" | "rustbucket.stop" => "1",
        _ => "0",
    }
}

/// Makes every character that could act on a terminal, or hide, visible: `\u{1b}` for escape.
pub fn visible(text: &str, keep_lines: bool) -> String {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) && !(keep_lines && c == '\n') {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn nothing_of_a_visitor_acts_on_the_terminal() {
        let event = serde_json::json!({"eventid": "cowrie.command.input", "message": "CMD: \u{1b}[2Jrm\n\u{202e}x", "timestamp": "2026-01-02T03:04:05.678901Z"});
        let line = line("bucket-1", &event, false);
        assert!(
            line.contains("CMD: \\u{1b}[2Jrm\\n\\u{202e}x") && line.starts_with("03:04:05.678  "),
            "{line}"
        );
    }

    #[test]
    fn only_whole_new_lines_are_read() {
        let folder = std::env::temp_dir().join(format!("rustbucket-follow-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("rustbucket.log.2026-01-02");
        fs::write(&path, "{\"seq\":1}\n").unwrap();
        let mut follower = Follower::from_now(&folder);
        assert!(follower.next().unwrap().is_empty());
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"seq\":2}\n{\"seq\"").unwrap();
        assert_eq!(follower.next().unwrap()[0]["seq"], 2);
        file.write_all(b":3}\n").unwrap();
        fs::write(folder.join("rustbucket.log.2026-01-03"), "{\"seq\":4}\n").unwrap();
        let seqs: Vec<_> = follower.next().unwrap().iter().map(|event| event["seq"].clone()).collect();
        assert_eq!(seqs, [3, 4]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
