//! `od` (GNU coreutils 9.1).

use super::{
    super::{Call, Options, Said, complaint, quoting::curled, sources},
    MOST, signed, size, types, unsigned, visible,
};

/// One way to show a block.
#[derive(Clone, Copy)]
struct Spec {
    kind: char,
    size: usize,
    /// The text stands behind it.
    with_text: bool,
}

impl Spec {
    fn width(&self) -> usize {
        match (self.kind, self.size) {
            ('a' | 'c', _) => 3,
            ('o', 1) => 3,
            ('o', 2) => 6,
            ('o', 4) => 11,
            ('o', _) => 22,
            ('d', 1) => 4,
            ('d', 2) => 6,
            ('d', 4) => 11,
            ('d', _) => 20,
            ('u', 1) => 3,
            ('u', 2) => 5,
            ('u', 4) => 10,
            ('u', _) => 20,
            ('f', 4) => 15,
            ('f', _) => 24,
            (_, size) => 2 * size,
        }
    }

    fn shown(&self, bytes: &[u8], big: bool) -> String {
        let mut bytes = bytes.to_vec();
        bytes.resize(self.size, 0);
        if big {
            bytes.reverse();
        }
        let byte = bytes.first().copied().unwrap_or_default();
        let value = unsigned(&bytes);
        let width = self.width();
        match self.kind {
            'a' => match byte & 127 {
                10 => "nl".to_owned(),
                byte => types::name(byte),
            },
            'c' => types::escape(byte),
            'd' => signed(&bytes).to_string(),
            'u' => value.to_string(),
            'x' => format!("{value:0width$x}"),
            'o' => format!("{value:0width$o}"),
            _ => {
                let number = match <[u8; 4]>::try_from(bytes.as_slice()) {
                    Ok(four) => f64::from(f32::from_le_bytes(four)),
                    Err(_) => f64::from_bits(value),
                };
                number.to_string()
            }
        }
    }
}

/// The types behind the old letters.
fn traditional(letter: char) -> Option<Spec> {
    let (kind, size) = match letter {
        'a' => ('a', 1),
        'b' => ('o', 1),
        'c' => ('c', 1),
        'd' => ('u', 2),
        'f' => ('f', 4),
        'h' | 'x' => ('x', 2),
        'i' => ('d', 4),
        'l' => ('d', 8),
        'o' => ('o', 2),
        's' => ('d', 2),
        _ => return None,
    };
    Some(Spec { kind, size, with_text: false })
}

/// `-t x1z` and its like.
fn specs(text: &str) -> Result<Vec<Spec>, String> {
    let mut specs = Vec::new();
    let mut signs = text.chars().peekable();
    while let Some(kind) = signs.next() {
        let size = match kind {
            'a' | 'c' => 1,
            'd' | 'o' | 'u' | 'x' | 'f' => {
                let mut digits = String::new();
                while let Some(digit) = signs.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                let default = if kind == 'f' { 8 } else { 4 };
                if digits.is_empty() {
                    match (kind, signs.peek()) {
                        ('f', Some('F')) | ('d' | 'o' | 'u' | 'x', Some('I')) => 4,
                        ('f', Some('D' | 'L')) | (_, Some('L')) => 8,
                        (_, Some('C')) => 1,
                        (_, Some('S')) => 2,
                        _ => default + 100,
                    }
                } else {
                    let size = digits.parse::<usize>().unwrap_or(usize::MAX);
                    let allowed: &[usize] = if kind == 'f' { &[4, 8] } else { &[1, 2, 4, 8] };
                    if !allowed.contains(&size) {
                        let what = if kind == 'f' { "floating point" } else { "integral" };
                        return Err(format!(
                            "invalid type string {};\nthis system doesn't provide a {digits}-byte {what} type",
                            curled(text)
                        ));
                    }
                    size + 100
                }
            }
            other => {
                return Err(format!("invalid character '{other}' in type string {}", curled(text)));
            }
        };
        // A letter gave the size: it is taken too.
        let size = if size < 100 && !matches!(kind, 'a' | 'c') {
            signs.next();
            size
        } else {
            size % 100
        };
        let with_text = signs.next_if_eq(&'z').is_some();
        specs.push(Spec { kind, size, with_text });
    }
    Ok(specs)
}

pub(in crate::shell::commands) fn od(call: &Call<'_>) -> Said {
    let known = complaint::Known {
        letters: "abcdfhilosxv",
        long: &[
            "address-radix",
            "skip-bytes",
            "read-bytes",
            "endian",
            "strings",
            "format",
            "output-duplicates",
            "width",
            "traditional",
        ],
    };
    if let Some(said) = complaint::of(call, &known, "AjNtSw") {
        return said;
    }
    let mut options = Options::of(call.args, "AjNtS");
    let long = |name: &str| options.long.iter().find_map(|long| long.strip_prefix(name)?.strip_prefix('='));
    let value = |letter: char, name: &str| options.value(letter).or_else(|| long(name));
    let mut chosen = Vec::new();
    // The order of the types is that of the words.
    let mut args = call.args.iter().peekable();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else { continue };
        let format = letters.strip_prefix("-format=").map(str::to_owned);
        let format = format.or_else(|| {
            let rest = letters.strip_prefix('t')?;
            if rest.is_empty() { args.peek().map(|arg| (*arg).clone()) } else { Some(rest.to_owned()) }
        });
        if let Some(format) = format {
            match specs(&format) {
                Ok(more) => chosen.extend(more),
                Err(what) => return Said::err(format!("od: {what}\n"), 1),
            }
        } else if !letters.starts_with(['-', 'A', 'j', 'N', 'S', 'w']) {
            for letter in letters.chars() {
                if "AjNSw".contains(letter) {
                    break;
                }
                chosen.extend(traditional(letter));
            }
        }
    }
    if chosen.is_empty() {
        chosen.extend(traditional('o'));
    }
    let radix = value('A', "address-radix").unwrap_or("o").to_owned();
    if !matches!(radix.as_str(), "d" | "o" | "x" | "n") {
        return Said::err(
            format!("od: invalid output address radix '{radix}'; it must be one character from [doxn]\n"),
            1,
        );
    }
    let count = |letter: char, name: &str| match value(letter, name) {
        None => Ok(None),
        Some(text) => size(text)
            .map(Some)
            .ok_or_else(|| Said::err(format!("od: invalid -{letter} argument {}\n", curled(text)), 1)),
    };
    let (skip, length) = match (count('j', "skip-bytes"), count('N', "read-bytes")) {
        (Ok(skip), Ok(length)) => (skip.unwrap_or_default(), length.unwrap_or(MOST).min(MOST)),
        (Err(said), _) | (_, Err(said)) => return said,
    };
    let unit = chosen.iter().map(|spec| spec.size).max().unwrap_or(1);
    let width =
        call.args.iter().find_map(|arg| arg.strip_prefix("-w").or_else(|| arg.strip_prefix("--width=")));
    let width = match width {
        None => 16,
        Some("") => 32,
        Some(text) => match size(text).filter(|width| *width > 0 && width.is_multiple_of(unit)) {
            Some(width) => width.min(4096),
            None => unit,
        },
    };
    let big = long("endian") == Some("big");
    let verbose = options.has('v') || options.has_long("output-duplicates");
    let traditional = options.has_long("traditional");
    if traditional && options.operands.last().is_some_and(|last| last.starts_with('+')) {
        options.operands.pop();
    }
    let mut said = Said::default();
    let mut opened = false;
    let (mut bytes, stdin) = (Vec::new(), ["-".to_owned()]);
    let operands = if options.operands.is_empty() { &stdin[..] } else { &options.operands[..] };
    for operand in operands {
        match sources::read(call, operand) {
            Ok(content) => {
                opened = true;
                let room = skip.saturating_add(length).saturating_sub(bytes.len()).min(content.len());
                bytes.extend_from_slice(content.get(..room).unwrap_or_default());
            }
            Err(error) => {
                said.err.extend(format!("od: {operand}: {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    // Nothing at all could be opened.
    if !opened {
        return said;
    }
    if skip > bytes.len() {
        said.err.extend(b"od: cannot skip past end of combined input\n");
        said.status = 1;
        return said;
    }
    bytes.drain(..skip);
    bytes.truncate(length);
    if said.status == 0 || !bytes.is_empty() {
        let look = Look { specs: &chosen, width, radix: &radix, verbose, big };
        said.out = look.dump(&bytes, skip).into_bytes();
    } else if radix != "n" {
        said.out = b"0000000\n".to_vec();
    }
    said
}

struct Look<'a> {
    specs: &'a [Spec],
    width: usize,
    radix: &'a str,
    verbose: bool,
    big: bool,
}

impl Look<'_> {
    fn address(&self, at: usize) -> String {
        match self.radix {
            "d" => format!("{at:07}"),
            "x" => format!("{at:06x}"),
            "o" => format!("{at:07o}"),
            _ => String::new(),
        }
    }

    fn dump(&self, bytes: &[u8], from: usize) -> String {
        let fields = |spec: &Spec| self.width / spec.size.max(1);
        let widest =
            self.specs.iter().map(|spec| (spec.width() + 1) * fields(spec)).max().unwrap_or_default();
        let mut out = String::new();
        let (mut before, mut skipping) = (None::<&[u8]>, false);
        for (number, block) in bytes.chunks(self.width).enumerate() {
            if !self.verbose && before == Some(block) && block.len() == self.width {
                if !skipping {
                    out.push_str("*\n");
                }
                skipping = true;
                continue;
            }
            skipping = false;
            before = Some(block);
            for (index, spec) in self.specs.iter().enumerate() {
                let address = self.address(from + number * self.width);
                let lead = if index == 0 { address.clone() } else { " ".repeat(address.len()) };
                out += &lead;
                let all = fields(spec);
                let pad = widest - spec.width() * all;
                let mut left = pad;
                for (turn, part) in block.chunks(spec.size).enumerate() {
                    let next = pad * (all - turn - 1) / all;
                    let width = spec.width() + left - next;
                    left = next;
                    out += &format!("{:>width$}", spec.shown(part, self.big));
                }
                if spec.with_text {
                    let missing = all - block.len().div_ceil(spec.size);
                    let blanks = missing * spec.width() + left;
                    let text: String = block.iter().map(|byte| visible(*byte)).collect();
                    out += &format!("{:blanks$}  >{text}<", "");
                }
                out.push('\n');
            }
        }
        if self.radix != "n" {
            out += &self.address(from + bytes.len());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(format: &str, bytes: &[u8]) -> String {
        let specs = specs(format).unwrap();
        Look { specs: &specs, width: 16, radix: "o", verbose: false, big: false }.dump(bytes, 0)
    }

    #[test]
    fn types_stand_in_their_columns() {
        assert_eq!(said("x1", b"\x7fE"), "0000000 7f 45\n0000002\n");
        assert_eq!(said("c", b"a\n\xff"), "0000000   a  \\n 377\n0000003\n");
        assert_eq!(said("a", b"a\n\x80"), "0000000   a  nl nul\n0000003\n");
        assert_eq!(said("o2", b"HELLO"), "0000000 042510 046114 000117\n0000005\n");
        assert_eq!(said("x1z", b"hi"), format!("0000000 68 69{}  >hi<\n0000002\n", " ".repeat(42)));
        assert!(specs("q").is_err() && specs("x3").is_err());
        assert_eq!(said("x1", &[0; 64]), format!("0000000{}\n*\n0000100\n", " 00".repeat(16)));
    }
}
