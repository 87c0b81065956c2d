//! `xxd` (2022-01-14, from vim) in both directions.

use super::{
    super::{Call, Said, sources},
    MOST, size, visible,
};

const USAGE: &str = r#"Usage:
       xxd [options] [infile [outfile]]
    or
       xxd -r [-s [-]offset] [-c cols] [-ps] [infile [outfile]]
Options:
    -a          toggle autoskip: A single '*' replaces nul-lines. Default off.
    -b          binary digit dump (incompatible with -ps,-i,-r). Default hex.
    -C          capitalize variable names in C include file style (-i).
    -c cols     format <cols> octets per line. Default 16 (-i: 12, -ps: 30).
    -E          show characters in EBCDIC. Default ASCII.
    -e          little-endian dump (incompatible with -ps,-i,-r).
    -g bytes    number of octets per group in normal output. Default 2 (-e: 4).
    -h          print this summary.
    -i          output in C include file style.
    -l len      stop after <len> octets.
    -n name     set the variable name used in C include output (-i).
    -o off      add <off> to the displayed file position.
    -ps         output in postscript plain hexdump style.
    -r          reverse operation: convert (or patch) hexdump into binary.
    -r -s off   revert with <off> added to file positions found in hexdump.
    -d          show offset in decimal instead of hex.
    -s [+][-]seek  start at <seek> bytes abs. (or +: rel.) infile offset.
    -u          use upper case hex letters.
    -v          show version: "xxd 2022-01-14 by Juergen Weigert et al.".
"#;

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Normal,
    Binary,
    Little,
    Plain,
    Include,
}

struct Wanted<'a> {
    style: Style,
    columns: Option<usize>,
    group: Option<usize>,
    length: Option<usize>,
    seek: Option<(bool, usize)>,
    shift: usize,
    name: Option<&'a str>,
    upper: bool,
    capital: bool,
    autoskip: bool,
    decimal: bool,
    reverse: bool,
    operands: Vec<&'a str>,
}

fn read(args: &[String]) -> Result<Wanted<'_>, Said> {
    let mut wanted = Wanted {
        style: Style::Normal,
        columns: None,
        group: None,
        length: None,
        seek: None,
        shift: 0,
        name: None,
        upper: false,
        capital: false,
        autoskip: false,
        decimal: false,
        reverse: false,
        operands: Vec::new(),
    };
    let refusal = || Said::err(USAGE, 1);
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        let Some(rest) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            wanted.operands.push(arg);
            continue;
        };
        if !wanted.operands.is_empty() {
            return Err(refusal());
        }
        let rest = rest.strip_prefix('-').filter(|rest| !rest.is_empty()).unwrap_or(rest);
        let letter = rest.chars().next().unwrap_or_default();
        let mut value = || {
            let attached = rest.trim_start_matches(char::is_alphabetic);
            if !attached.is_empty() && attached.len() < rest.len() && !matches!(letter, 'n') {
                return Ok(attached);
            }
            args.next().ok_or_else(refusal)
        };
        let number = |text: &str| size(text.trim_start_matches('+')).ok_or_else(refusal);
        match letter {
            'a' => wanted.autoskip = !wanted.autoskip,
            'b' => wanted.style = Style::Binary,
            'C' => wanted.capital = true,
            'c' => wanted.columns = Some(number(value()?)?),
            'd' => wanted.decimal = true,
            'E' => {}
            'e' => wanted.style = Style::Little,
            'g' => wanted.group = Some(number(value()?)?),
            'i' => wanted.style = Style::Include,
            'l' => wanted.length = Some(number(value()?)?),
            'n' => wanted.name = Some(value()?),
            'o' => wanted.shift = number(value()?)?,
            'p' => wanted.style = Style::Plain,
            'r' => wanted.reverse = true,
            's' => {
                let text = value()?;
                let text = text.trim_start_matches('+');
                wanted.seek = Some((text.starts_with('-'), number(text.trim_start_matches('-'))?));
            }
            'u' => wanted.upper = true,
            'v' => return Err(Said::err("xxd 2022-01-14 by Juergen Weigert et al.\n", 0)),
            'h' => return Err(Said::err(USAGE, 0)),
            _ => return Err(refusal()),
        }
    }
    if wanted.operands.len() > 2 { Err(refusal()) } else { Ok(wanted) }
}

pub(in crate::shell::commands) fn xxd(call: &Call<'_>) -> Said {
    let wanted = match read(call.args) {
        Ok(wanted) => wanted,
        Err(said) => return said,
    };
    let source = wanted.operands.first().copied().unwrap_or("-");
    let bytes = match sources::read(call, source) {
        Ok(bytes) => bytes,
        Err(error) => return Said::err(format!("xxd: {source}: {}\n", error.errno_text()), 2),
    };
    let out = if wanted.reverse {
        let columns = wanted.columns.unwrap_or(16);
        bytes_of(&bytes, columns, wanted.style == Style::Plain, wanted.seek.map_or(0, |(_, seek)| seek))
    } else {
        let from = match wanted.seek {
            None => 0,
            Some((true, back)) => match bytes.len().checked_sub(back) {
                Some(from) => from,
                None => return Said::err("xxd: Sorry, cannot seek.\n", 4),
            },
            Some((false, from)) => from.min(bytes.len()),
        };
        let to = wanted.length.map_or(bytes.len(), |length| from.saturating_add(length).min(bytes.len()));
        let shown = bytes.get(from..to.min(from + MOST)).unwrap_or_default();
        dump(shown, from + wanted.shift, &wanted, source).into_bytes()
    };
    match wanted.operands.get(1) {
        Some(target) if *target != "-" => match sources::write(call, target, &out) {
            Ok(()) => Said::default(),
            Err(error) => Said::err(format!("xxd: {target}: {}\n", error.errno_text()), 3),
        },
        _ => Said::out(out),
    }
}

fn dump(bytes: &[u8], from: usize, wanted: &Wanted<'_>, source: &str) -> String {
    let byte_text = |byte: u8| if wanted.upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
    match wanted.style {
        Style::Plain => {
            let columns = wanted.columns.unwrap_or(30);
            let columns = if columns == 0 { usize::MAX } else { columns };
            let mut out = String::new();
            for line in bytes.chunks(columns.min(bytes.len().max(1))) {
                out.extend(line.iter().map(|byte| byte_text(*byte)));
                out.push('\n');
            }
            out
        }
        Style::Include => include(bytes, wanted, source),
        style => {
            let default = if style == Style::Binary { 6 } else { 16 };
            let columns = wanted.columns.filter(|columns| *columns > 0).unwrap_or(default).min(256);
            let group = wanted.group.unwrap_or(match style {
                Style::Binary => 1,
                Style::Little => 4,
                _ => 2,
            });
            let group = if group == 0 { columns } else { group };
            let mut out = String::new();
            let (mut skipping, mut nulls) = (false, 0_usize);
            let lines = bytes.len().div_ceil(columns);
            for (number, line) in bytes.chunks(columns).enumerate() {
                let is_null = line.iter().all(|byte| *byte == 0);
                nulls = if is_null { nulls + 1 } else { 0 };
                if wanted.autoskip && nulls > 1 && number + 1 < lines {
                    if !skipping {
                        out.push_str("*\n");
                    }
                    skipping = true;
                    continue;
                }
                skipping = false;
                let at = from + number * columns;
                let place = if wanted.decimal { format!("{at:08}:") } else { format!("{at:08x}:") };
                out += &row(line, &place, columns, group, style, &byte_text);
            }
            out
        }
    }
}

fn row(
    line: &[u8],
    place: &str,
    columns: usize,
    group: usize,
    style: Style,
    byte_text: &dyn Fn(u8) -> String,
) -> String {
    let width = if style == Style::Binary { 8 } else { 2 };
    let mut digits = String::new();
    for first in (0..columns).step_by(group) {
        digits.push(' ');
        let in_group = group.min(columns - first);
        for offset in 0..in_group {
            let at = if style == Style::Little { first + group - 1 - offset } else { first + offset };
            match line.get(at) {
                Some(byte) if style == Style::Binary => digits += &format!("{byte:08b}"),
                Some(byte) => digits += &byte_text(*byte),
                None => digits.extend(std::iter::repeat_n(' ', width)),
            }
        }
    }
    let text: String = line.iter().map(|byte| visible(*byte)).collect();
    format!("{place}{digits}  {text}\n")
}

fn include(bytes: &[u8], wanted: &Wanted<'_>, source: &str) -> String {
    let columns = wanted.columns.filter(|columns| *columns > 0).unwrap_or(12);
    let prefix = if wanted.upper { "0X" } else { "0x" };
    let text =
        |byte: &u8| if wanted.upper { format!("{prefix}{byte:02X}") } else { format!("{prefix}{byte:02x}") };
    let lines: Vec<String> = bytes
        .chunks(columns)
        .map(|line| format!("  {}", line.iter().map(text).collect::<Vec<_>>().join(", ")))
        .collect();
    let body = if lines.is_empty() { String::new() } else { lines.join(",\n") + "\n" };
    let name = wanted.name.or((source != "-").then_some(source));
    let Some(name) = name else { return body };
    let mut name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name = format!("__{name}");
    }
    let (name, length) = if wanted.capital { (name.to_uppercase(), "_LEN") } else { (name, "_len") };
    format!("unsigned char {name}[] = {{\n{body}}};\nunsigned int {name}{length} = {};\n", bytes.len())
}

/// What a dump shows: pairs of digits; three signs in a row that are none are the end of a line.
fn bytes_of(text: &[u8], columns: usize, plain: bool, shift: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let (mut first, mut second) = (None::<u32>, Some(0_u32));
    let (mut place, mut pairs, mut in_garbage) = (0_usize, if plain { 0 } else { columns }, true);
    let mut signs = text.iter().copied();
    while let Some(sign) = signs.next() {
        if sign == b'\r' || plain && matches!(sign, b' ' | b'\n' | b'\t') {
            continue;
        }
        let third = second;
        second = first;
        first = char::from(sign).to_digit(16);
        if first.is_none() && in_garbage {
            continue;
        }
        in_garbage = false;
        if !plain && pairs >= columns {
            match first {
                None => pairs = 0,
                Some(digit) => place = (place << 4 | digit as usize) & 0xffff_ffff,
            }
            continue;
        }
        let at = place + shift;
        if let (Some(high), Some(low)) = (second, first) {
            if plain {
                out.push((high << 4 | low) as u8);
            } else if at < MOST * 4 {
                if out.len() <= at {
                    out.resize(at + 1, 0);
                }
                if let Some(byte) = out.get_mut(at) {
                    *byte = (high << 4 | low) as u8;
                }
            }
            place += 1;
            first = None;
            pairs += 1;
            if !plain && pairs >= columns {
                place = 0;
                let _rest = signs.by_ref().find(|sign| *sign == b'\n');
                in_garbage = true;
            }
        } else if first.is_none() && second.is_none() && third.is_none() {
            if sign != b'\n' {
                let _rest = signs.by_ref().find(|sign| *sign == b'\n');
            }
            place = 0;
            pairs = if plain { 0 } else { columns };
            in_garbage = true;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(args: &[&str], bytes: &[u8]) -> String {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        dump(bytes, 0, &read(&args).ok().unwrap(), "x")
    }

    #[test]
    fn dumps_are_those_of_the_real_one() {
        let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0";
        assert_eq!(
            wanted(&[], elf),
            "00000000: 7f45 4c46 0201 0100 0000 0000 0000 0000  .ELF............\n00000010: 0300 3e00                                ..>.\n"
        );
        assert_eq!(wanted(&["-p", "-c", "4"], &elf[..6]), "7f454c46\n0201\n");
        assert_eq!(
            wanted(&["-b"], &elf[..2]),
            "00000000: 01111111 01000101                                      .E\n"
        );
        assert_eq!(wanted(&["-e"], &elf[..8]), "00000000: 464c457f 00010102                    .ELF....\n");
        assert_eq!(
            wanted(&["-i"], b"hi"),
            "unsigned char x[] = {\n  0x68, 0x69\n};\nunsigned int x_len = 2;\n"
        );
    }

    #[test]
    fn dumps_are_read_back() {
        assert_eq!(bytes_of(b"30 !31 !!32\n", 16, true, 0), b"01");
        assert_eq!(bytes_of(b"33 3!4 3!!5\n36\n", 16, true, 0), b"3C6");
        let text = b"   00000000: 3031 3233 3435 3637 3839 3a3b 3c3d 3e3f  0123456789:;<=>?\n\t00000010: 40      @\n";
        assert_eq!(bytes_of(text, 16, false, 0), b"0123456789:;<=>?@");
    }

    proptest::proptest! {
        #[test]
        fn what_is_dumped_comes_back(bytes: Vec<u8>) {
            let text = dump(&bytes, 0, &read(&[]).ok().unwrap(), "x");
            proptest::prop_assert_eq!(bytes_of(text.as_bytes(), 16, false, 0), bytes.clone());
            let plain = dump(&bytes, 0, &read(&["-p".to_owned()]).ok().unwrap(), "x");
            proptest::prop_assert_eq!(bytes_of(plain.as_bytes(), 16, true, 0), bytes);
        }

        #[test]
        fn no_dump_is_too_strange(text: Vec<u8>, plain: bool) {
            bytes_of(&text, 16, plain, 0);
        }
    }
}
