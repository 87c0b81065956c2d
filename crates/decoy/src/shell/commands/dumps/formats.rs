//! The little language of `hexdump -e`: how often, how many bytes, and in which shape.

/// One piece of a format string.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Text as it is.
    Text(String),
    /// The next bytes.
    Field(Field),
}

/// A conversion.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    /// The letter; those of `%_x` in upper case of the private range below.
    pub(super) kind: Kind,
    /// How many bytes it takes.
    pub(super) bytes: usize,
    pub(super) width: usize,
    pub(super) precision: Option<usize>,
    pub(super) zero: bool,
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) alternate: bool,
}

/// What a conversion shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A number: d i o u x X.
    Number(char),
    /// A floating number: e f g.
    Float(char),
    /// `%c`, `%s`
    Char,
    Text,
    /// `%_c`, `%_p`, `%_u`
    Escaped,
    Printable,
    Named,
    /// `%_a` with its base, and `%_A`, which stands only at the end of everything.
    Address(char),
    LastAddress(char),
}

/// One unit: pieces, so many times.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) times: Option<usize>,
    pub(super) pieces: Vec<Piece>,
}

impl Unit {
    /// Bytes that one turn takes.
    pub(super) fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| if let Piece::Field(field) = piece { field.bytes } else { 0 }).sum()
    }
}

/// Reads one format; what is wrong with it otherwise.
pub(super) fn parse(text: &str) -> Result<Vec<Unit>, String> {
    let mut units = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let bad = || format!("bad format {{{text}}}");
        let digits = |rest: &str| rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (mut times, mut bytes) = (None, None);
        let end = digits(rest);
        if end > 0 {
            times = Some(
                rest.get(..end).and_then(|text| text.parse::<usize>().ok()).ok_or_else(bad)?.clamp(1, 4096),
            );
            rest = rest.get(end..).unwrap_or_default().trim_start();
        }
        if let Some(after) = rest.strip_prefix('/') {
            let after = after.trim_start();
            let end = digits(after);
            bytes = Some(after.get(..end).and_then(|text| text.parse::<usize>().ok()).ok_or_else(bad)?);
            rest = after.get(end..).unwrap_or_default().trim_start();
        }
        let inside = rest.strip_prefix('"').ok_or_else(bad)?;
        let mut end = None;
        let mut escaped = false;
        for (at, sign) in inside.char_indices() {
            match sign {
                '"' if !escaped => {
                    end = Some(at);
                    break;
                }
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        let end = end.ok_or_else(bad)?;
        let pieces = pieces(inside.get(..end).unwrap_or_default(), bytes)?;
        units.push(Unit { times, pieces });
        rest = inside.get(end + 1..).unwrap_or_default().trim_start();
    }
    Ok(units)
}

fn pieces(text: &str, bytes: Option<usize>) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut plain) = (Vec::new(), String::new());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => plain.push(match signs.next() {
                Some('0') => '\0',
                Some('a') => '\u{7}',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => '\\',
            }),
            '%' if signs.peek() == Some(&'%') => {
                signs.next();
                plain.push('%');
            }
            '%' => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Field(field(&mut signs, bytes)?));
            }
            other => plain.push(other),
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

fn field(
    signs: &mut std::iter::Peekable<std::str::Chars<'_>>,
    bytes: Option<usize>,
) -> Result<Field, String> {
    let mut field = Field {
        kind: Kind::Char,
        bytes: 0,
        width: 0,
        precision: None,
        zero: false,
        left: false,
        plus: false,
        alternate: false,
    };
    while let Some(sign) = signs.next_if(|sign| "-+ 0#".contains(*sign)) {
        match sign {
            '-' => field.left = true,
            '+' => field.plus = true,
            '0' => field.zero = true,
            '#' => field.alternate = true,
            _ => {}
        }
    }
    let number = |signs: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        let mut value = None;
        while let Some(digit) = signs.peek().and_then(|sign| sign.to_digit(10)) {
            signs.next();
            value = Some((value.unwrap_or(0) * 10 + digit as usize).min(1024));
        }
        value
    };
    field.width = number(signs).unwrap_or_default();
    if signs.next_if_eq(&'.').is_some() {
        field.precision = Some(number(signs).unwrap_or_default());
    }
    let letter = signs.next().unwrap_or_default();
    let bad = || Err(format!("bad conversion character %{letter}"));
    let (kind, default, allowed): (Kind, usize, &[usize]) = match letter {
        'd' | 'i' | 'o' | 'u' | 'x' | 'X' => (Kind::Number(letter), 4, &[1, 2, 4, 8]),
        'e' | 'E' | 'f' | 'g' | 'G' => (Kind::Float(letter), 8, &[4, 8]),
        'c' => (Kind::Char, 1, &[1]),
        's' => (Kind::Text, field.precision.unwrap_or(1), &[]),
        '_' => match (signs.next(), signs.peek().copied()) {
            (Some(sign @ ('a' | 'A')), Some(base @ ('d' | 'o' | 'x'))) => {
                signs.next();
                let kind = if sign == 'a' { Kind::Address(base) } else { Kind::LastAddress(base) };
                return Ok(Field { kind, ..field });
            }
            (Some('c'), _) => (Kind::Escaped, 1, &[1]),
            (Some('p'), _) => (Kind::Printable, 1, &[1]),
            (Some('u'), _) => (Kind::Named, 1, &[1]),
            (other, _) => return Err(format!("bad conversion character %_{}", other.unwrap_or_default())),
        },
        _ => return bad(),
    };
    field.kind = kind;
    field.bytes = bytes.unwrap_or(default);
    if !allowed.is_empty() && !allowed.contains(&field.bytes) {
        return Err(format!("bad byte count for conversion character {letter}"));
    }
    Ok(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read() {
        let units = parse(r#""%07.7_ax " 8/2 "%04x " "\n""#).unwrap();
        assert_eq!(units.len(), 3);
        assert_eq!((units[1].times, units[1].bytes()), (Some(8), 2));
        assert_eq!(units[2].pieces, [Piece::Text("\n".into())]);
        assert!(parse("8/2").is_err() && parse("\"%q\"").is_err() && parse("3/3 \"%d\"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_format_is_too_strange(text: String) {
            let _read = parse(&text);
            let _read = parse(&format!("\"%{text}\""));
        }
    }
}
