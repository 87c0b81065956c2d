//! How things look on a page: visitors' text made harmless and visible, times with their age, sizes.

use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter, Write as _},
};

use askama::filters::HtmlSafe;

use crate::time::readable;

/// Visitors' text. Escaped; what a browser would hide or obey is shown as a mark; cut after a number of characters.
///
/// Marks: control characters by their ASCII name (`ESC`), line breaks as `↵` and a break, what steers the direction or the
/// width of text, and everything that has no glyph, by its number (`U+202E`), bytes that are no UTF-8 as `\xNN`.
pub struct Visible<'a> {
    text: Cow<'a, [u8]>,
    limit: usize,
    lines: bool,
}

/// How much of a field is shown in a table.
pub const CELL: usize = 120;
/// How much of a field is shown where it is the subject.
pub const WHOLE: usize = 16_384;

impl<'a> Visible<'a> {
    /// In one line.
    pub fn line(text: &'a str, limit: usize) -> Self {
        Self { text: Cow::Borrowed(text.as_bytes()), limit, lines: false }
    }

    /// With its line breaks.
    pub fn block(text: &'a str, limit: usize) -> Self {
        Self { text: Cow::Borrowed(text.as_bytes()), limit, lines: true }
    }

    /// Bytes that may be no UTF-8.
    pub fn bytes(bytes: Vec<u8>, limit: usize) -> Visible<'static> {
        Visible { text: Cow::Owned(bytes), limit, lines: true }
    }

    /// As above, but owning its text.
    pub fn owned(text: String, limit: usize) -> Visible<'static> {
        Visible { text: Cow::Owned(text.into_bytes()), limit, lines: true }
    }
}

impl HtmlSafe for Visible<'_> {}

impl Display for Visible<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut left = self.limit;
        let mut dropped = 0_usize;
        for chunk in self.text.utf8_chunks() {
            for c in chunk.valid().chars() {
                if left == 0 {
                    dropped += 1;
                } else {
                    left -= 1;
                    character(f, c, self.lines)?;
                }
            }
            for byte in chunk.invalid() {
                if left == 0 {
                    dropped += 1;
                } else {
                    left -= 1;
                    write!(f, "<span class=\"mark\">\\x{byte:02x}</span>")?;
                }
            }
        }
        if dropped > 0 {
            write!(f, "<span class=\"cut\" title=\"cut here\">… {dropped} more</span>")?;
        }
        Ok(())
    }
}

fn character(f: &mut Formatter<'_>, c: char, lines: bool) -> fmt::Result {
    match c {
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '&' => f.write_str("&amp;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        '\n' if lines => f.write_str("<span class=\"mark\">↵</span>\n"),
        '\t' if lines => f.write_char('\t'),
        '\u{0}'..='\u{1f}' => {
            let name = usize::try_from(u32::from(c)).ok().and_then(|n| NAMES.get(n)).unwrap_or(&"?");
            write!(f, "<span class=\"mark\">{name}</span>")
        }
        '\u{7f}' => f.write_str("<span class=\"mark\">DEL</span>"),
        _ if hidden(c) => write!(f, "<span class=\"mark\">U+{:04X}</span>", u32::from(c)),
        _ => f.write_char(c),
    }
}

/// The names of the control characters (ANSI X3.4). Their pictures, U+2400 and on, are missing in most fonts.
const NAMES: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI",
    "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS",
    "US",
];

/// Characters that are not seen, or that change how others are seen.
fn hidden(c: char) -> bool {
    matches!(u32::from(c),
        0x80..=0x9f            // C1 controls
        | 0xad                 // soft hyphen
        | 0x300..=0x36f        // combining marks: stacked, they paint over other lines
        | 0x483..=0x489
        | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
        | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0x20d0..=0x20ff
        | 0x2800 | 0x3164
        | 0xe000..=0xf8ff      // private use
        | 0xfdd0..=0xfdef
        | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f
        | 0xfeff | 0xffa0 | 0xfff0..=0xfffc | 0xfffe | 0xffff
        | 0x13430..=0x1345f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe0000..=0x10ffff)
}

/// A time with its age.
pub struct Moment {
    at: i64,
    now: i64,
}

impl Moment {
    /// `at` and `now` in milliseconds.
    pub fn new(at: i64, now: i64) -> Self {
        Self { at, now }
    }
}

impl HtmlSafe for Moment {}

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = readable(self.at);
        let machine = text.replacen(' ', "T", 1);
        let (text, age) = (text.trim_end_matches('Z'), age(self.at, self.now));
        write!(
            f,
            "<time datetime=\"{machine}\" title=\"{text} UTC\">{text}</time> <span class=\"age\">{age}</span>"
        )
    }
}

/// A number, however many references a template puts before it.
pub trait Figure<N> {
    /// The number.
    fn value(&self) -> N;
}

impl Figure<u64> for u64 {
    fn value(&self) -> u64 {
        *self
    }
}

impl Figure<i64> for i64 {
    fn value(&self) -> i64 {
        *self
    }
}

impl<N, F: Figure<N>> Figure<N> for &F {
    fn value(&self) -> N {
        (**self).value()
    }
}

/// How long ago, or in how long.
pub fn age(at: i64, now: i64) -> String {
    let distance = now.abs_diff(at) / 1000;
    let text = match distance {
        0..=4 => return "now".to_owned(),
        5..=119 => format!("{distance} s"),
        120..=7199 => format!("{} min", distance / 60),
        7200..=172_799 => format!("{} h", distance / 3600),
        _ => format!("{} days", distance / 86_400),
    };
    if at > now { format!("in {text}") } else { format!("{text} ago") }
}

/// A span of time.
pub fn span(ms: impl Figure<u64>) -> String {
    let ms = ms.value();
    match ms {
        0..=999 => format!("{ms} ms"),
        1000..=59_999 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..=3_599_999 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// A number with its thousands set apart.
pub fn number(n: impl Figure<u64>) -> String {
    let digits = n.value().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and what it counts.
pub fn counted(n: impl Figure<u64>, one: &str, many: &str) -> String {
    let n = n.value();
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A size in bytes.
pub fn size(bytes: impl Figure<u64>) -> String {
    let bytes = bytes.value();
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut whole = bytes as f64;
    let mut unit = 0;
    while whole >= 1024.0 && unit + 1 < units.len() {
        whole /= 1024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or("B");
    if unit == 0 { format!("{bytes} B") } else { format!("{whole:.1} {name}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_text_is_visible_and_harmless() {
        for (text, shown) in [
            ("<script>", "&lt;script&gt;"),
            ("\"'&", "&quot;&#39;&amp;"),
            ("a\u{1b}[2J", "a<span class=\"mark\">ESC</span>[2J"),
            (
                "\0\r\n",
                "<span class=\"mark\">NUL</span><span class=\"mark\">CR</span><span class=\"mark\">LF</span>",
            ),
            ("\u{202e}gpj", "<span class=\"mark\">U+202E</span>gpj"),
            ("\u{9b}\u{e0041}", "<span class=\"mark\">U+009B</span><span class=\"mark\">U+E0041</span>"),
            ("żółw 東京", "żółw 東京"),
        ] {
            assert_eq!(Visible::line(text, 100).to_string(), shown, "{text:?}");
        }
        let cut = Visible::line("abcdef", 2).to_string();
        assert!(cut.starts_with("ab<span") && cut.contains("4 more"), "{cut}");
        let raw = Visible::bytes(b"a\xffb".to_vec(), 9).to_string();
        assert_eq!(raw, "a<span class=\"mark\">\\xff</span>b");
    }

    proptest! {
        #[test]
        fn no_bytes_become_markup_or_control(bytes in proptest::collection::vec(any::<u8>(), 0..400), limit in 0usize..500) {
            let shown = Visible::bytes(bytes, limit).to_string();
            let plain = shown
                .replace("<span class=\"mark\">", "")
                .replace("<span class=\"cut\" title=\"cut here\">", "")
                .replace("</span>", "");
            prop_assert!(!plain.contains(['<', '>', '"', '\'']), "{plain}");
            prop_assert!(!plain.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || hidden(c)));
        }
    }

    #[test]
    fn ages_and_sizes() {
        assert_eq!(age(0, 4_000), "now");
        assert_eq!(age(0, 90_000), "90 s ago");
        assert_eq!(age(7_200_000, 0), "in 2 h");
        assert_eq!(age(0, 3 * 86_400_000), "3 days ago");
        assert_eq!(span(83_000_u64), "1 min 23 s");
        assert_eq!(size(1536_u64), "1.5 KiB");
        assert_eq!((number(0_u64).as_str(), number(1_234_567_u64).as_str()), ("0", "1,234,567"));
        let moment = Moment::new(0, 60_000).to_string();
        assert!(
            moment.contains("datetime=\"1970-01-01T00:00:00Z\"") && moment.contains("60 s ago"),
            "{moment}"
        );
    }
}
