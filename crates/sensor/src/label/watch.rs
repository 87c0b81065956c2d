//! Watches one visit: counts and gaps, bounded, from its events and from the keys as they arrive.

use std::time::Duration;

use wire::EventKind;

use super::{
    Bait, Label, Scales, Verdict,
    habits::{is_a_slip, of_a_model, of_a_recipe, of_prose},
    pace::Gaps,
};

/// Nobody types faster than this, in seconds between keys.
const FINGERS: f64 = 0.03;
/// Longer than this between two keys is a pause to think.
const THINKING: f64 = 2.0;
/// Between an answer and the next line a person or a model needs at least this long to read it.
const READING: f64 = 0.8;
/// A gap shorter than this is no gap: lines came in one piece.
const AT_ONCE: f64 = 0.15;

/// What is known of one visit so far.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    bait: Option<Bait>,
    /// Pieces that were one key, and pieces that were a line or more.
    keys: u32,
    pieces: u32,
    /// Between two keys.
    key_gaps: Gaps,
    last_key: Option<Duration>,
    /// Backspace, arrows, ^U, ^W, ^C.
    corrections: u32,
    /// Tab.
    completions: u32,
    /// Between two lines.
    line_gaps: Gaps,
    last_line: Option<Duration>,
    lines: u32,
    recipes: u32,
    styled: u32,
    prose: u32,
    slips: u32,
    terminal: bool,
    library: Option<&'static str>,
    logins: u32,
    requests: u32,
    took_bait: bool,
}

/// SSH libraries that programs use, as their identification names them.
const LIBRARIES: &[&str] = &[
    "libssh",
    "paramiko",
    "SSH-2.0-Go",
    "asyncssh",
    "AsyncSSH",
    "JSCH",
    "russh",
    "ssh2js",
    "PUTTY",
    "Nmap",
    "zgrab",
    "ZGrab",
    "HELLOWORLD",
    "Renci",
    "phpseclib",
];

impl Watch {
    /// A visit that begins; `bait` is what it will be offered.
    pub fn new(bait: Option<Bait>) -> Self {
        Self { bait, ..Self::default() }
    }

    /// What the visitor is offered.
    pub fn bait(&self) -> Option<&Bait> {
        self.bait.as_ref()
    }

    /// Bytes arrived on a terminal in one piece, `at` after the visit began.
    pub fn keys(&mut self, at: Duration, bytes: &[u8]) {
        // Telnet commands are the client's, not the visitor's.
        if bytes.is_empty() || bytes.first() == Some(&0xff) {
            return;
        }
        let gap = self.last_key.replace(at).map(|last| at.saturating_sub(last).as_secs_f64());
        let arrow = bytes.starts_with(b"\x1b[") && bytes.len() <= 6;
        match bytes {
            [0x08 | 0x7f | 0x15 | 0x17 | 0x03] => self.corrections += 1,
            [b'\t'] => self.completions += 1,
            _ if arrow => self.corrections += 1,
            _ => {}
        }
        // A letter beyond ASCII is one key of several bytes; Enter on its own ends what was typed or pasted.
        let key = arrow || bytes.len() <= 2 || (bytes.len() <= 4 && bytes.iter().all(|byte| *byte >= 0x80));
        if !key {
            self.pieces += 1;
            return;
        }
        if !matches!(bytes, b"\r" | b"\n" | b"\r\n" | b"\r\0") {
            self.keys += 1;
        }
        if let Some(gap) = gap.filter(|gap| *gap < THINKING) {
            self.key_gaps.add(gap);
        }
    }

    /// An event of the visit, `at` after it began.
    pub fn event(&mut self, at: Duration, kind: &EventKind) {
        match kind {
            EventKind::CommandInput { input, .. } => self.line(at, input),
            EventKind::CommandFailed { input, .. } => self.slips += u32::from(is_a_slip(input)),
            EventKind::LogOpen { .. } => self.terminal = true,
            EventKind::ClientVersion { version, .. } => {
                self.library = LIBRARIES.iter().find(|name| version.contains(**name)).copied();
            }
            EventKind::LoginFailed { .. } | EventKind::LoginSuccess { .. } => self.logins += 1,
            EventKind::HttpRequest { .. } | EventKind::SmtpMessage { .. } => self.requests += 1,
            _ => {}
        }
    }

    fn line(&mut self, at: Duration, line: &str) {
        self.lines += 1;
        if let Some(last) = self.last_line.replace(at) {
            self.line_gaps.add(at.saturating_sub(last).as_secs_f64());
        }
        self.took_bait |= self.bait.as_ref().is_some_and(|bait| bait.is_taken_by(line));
        // What a line looks like is known from its first part.
        let line = line.get(..line.floor_char_boundary(4096)).unwrap_or(line);
        self.recipes += u32::from(of_a_recipe(line));
        self.styled += u32::from(of_a_model(line));
        self.prose += u32::from(of_prose(line));
    }

    /// Who it was; none when nothing was done that could tell.
    pub fn verdict(&self) -> Option<Verdict> {
        if self.lines == 0 && self.logins == 0 && self.requests == 0 && self.keys == 0 {
            return None;
        }
        let mut scales = Scales::default();
        if self.took_bait {
            scales.add(Label::Agent, 20, "ran the command that only a reader of hidden text knows");
        }
        if self.prose > 0 {
            scales.add(Label::Agent, 5, format!("{} lines of prose where commands belong", self.prose));
        }
        let by_hand = self.weigh_keys(&mut scales);
        self.weigh_lines(&mut scales, by_hand);
        Some(scales.weigh())
    }

    /// How keys came; whether fingers pressed them.
    fn weigh_keys(&self, scales: &mut Scales) -> bool {
        let share = f64::from(self.keys) / f64::from((self.keys + self.pieces).max(1));
        if self.keys < 6 || share < 0.5 {
            return false;
        }
        let (median, unevenness) = (self.key_gaps.median(), self.key_gaps.unevenness());
        if median < FINGERS {
            scales.add(
                Label::Script,
                4,
                format!("single keys, {:.0} ms apart: faster than fingers", median * 1000.0),
            );
            return false;
        }
        if unevenness < 0.15 && self.key_gaps.count() >= 12 {
            scales.add(Label::Script, 4, format!("single keys at an even pace of {:.0} ms", median * 1000.0));
            return false;
        }
        scales.add(
            Label::Human,
            6,
            format!("typed key by key, {:.0} ms apart and unevenly", median * 1000.0),
        );
        if self.corrections > 0 {
            scales.add(Label::Human, 3, format!("{} corrections", self.corrections));
        }
        if self.completions > 0 {
            scales.add(Label::Human, 2, format!("{} completions with Tab", self.completions));
        }
        true
    }

    fn weigh_lines(&self, scales: &mut Scales, by_hand: bool) {
        let share = |count: u32| f64::from(count) / f64::from(self.lines.max(1));
        let (median, unevenness) = (self.line_gaps.median(), self.line_gaps.unevenness());
        if self.slips > 0 && self.terminal {
            scales.add(
                Label::Human,
                1 + self.slips.min(2),
                format!("{} commands misspelt by a letter", self.slips),
            );
        }
        if !by_hand {
            let styled = self.styled >= 2 && share(self.styled) >= 0.3;
            if styled
                && median < READING
                && self.line_gaps.share_from(READING) >= 0.2
                && self.line_gaps.count() >= 5
            {
                scales.add(Label::Agent, 3, "several lines at once, then a pause as long as a model thinks");
            } else if self.line_gaps.count() >= 2 && median < READING {
                let weight = if median < AT_ONCE { 4 } else { 3 };
                let gap = format!("whole lines, {median:.2} s apart: nobody read the answers");
                scales.add(Label::Script, weight, gap);
            } else if self.line_gaps.count() >= 3 && unevenness < 0.12 {
                scales.add(Label::Script, 4, format!("whole lines at an even pace of {median:.1} s"));
            } else if self.line_gaps.count() >= 2 && self.line_gaps.share_from(READING) >= 0.6 {
                let gap = format!("whole lines, {median:.1} s apart, as long as a model thinks");
                scales.add(Label::Agent, 4, gap);
            } else if self.lines > 0 && self.lines <= 2 {
                scales.add(Label::Script, 2, format!("{} lines in all, sent whole", self.lines));
            }
            if styled {
                scales.add(Label::Agent, 2, format!("{} lines in a language model's style", self.styled));
            }
            if let Some(library) = self.library {
                scales.add(Label::Script, 1, format!("a client made with {library}"));
            }
        }
        if self.recipes > 0 && share(self.recipes) >= 0.3 {
            let weight = if share(self.recipes) >= 0.6 { 5 } else { 3 };
            scales.add(Label::Script, weight, format!("{} lines of known bots' recipes", self.recipes));
        }
        if self.lines == 0 {
            scales.add(Label::Script, 2, "came to try passwords or to ask, and typed nothing");
        }
    }
}
