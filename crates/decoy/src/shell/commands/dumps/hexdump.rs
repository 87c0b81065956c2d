//! `hexdump` and `hd` (util-linux 2.38).

use super::{
    super::{Call, Options, Said, sources},
    MOST,
    formats::{self, Field, Kind, Piece, Unit},
    signed, size, types, unsigned, visible,
};

pub(in crate::shell::commands) fn hexdump(call: &Call<'_>) -> Said {
    let name = call.name;
    let options = Options::of(call.args, "efLns");
    if let Some(letter) = options.unknown("bcCdovxXVhL") {
        return Said::err(
            format!("{name}: invalid option -- '{letter}'\nTry '{name} --help' for more information.\n"),
            1,
        );
    }
    let mut texts: Vec<String> = Vec::new();
    for letter in &options.letters {
        if let Some(builtin) = builtin(*letter) {
            texts.extend(builtin.into_iter().map(str::to_owned));
        }
    }
    for (letter, value) in &options.values {
        match letter {
            'e' => texts.push(value.clone()),
            'f' => match sources::file(call, value) {
                Ok(bytes) => texts.extend(
                    String::from_utf8_lossy(&bytes)
                        .lines()
                        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
                        .map(str::to_owned),
                ),
                Err(error) => return Said::err(format!("{name}: {value}: {}\n", error.errno_text()), 1),
            },
            _ => {}
        }
    }
    if texts.is_empty() {
        texts.extend(builtin(if name == "hd" { 'C' } else { ' ' }).into_iter().flatten().map(str::to_owned));
    }
    let mut programs = Vec::new();
    for text in &texts {
        match formats::parse(text) {
            Ok(units) => programs.push(units),
            Err(what) => return Said::err(format!("{name}: {what}\n"), 1),
        }
    }
    let number = |letter| options.value(letter).map(size);
    if number('n') == Some(None) || number('s') == Some(None) {
        let bad = options.value('n').or_else(|| options.value('s')).unwrap_or_default();
        return Said::err(format!("{name}: failed to parse length: '{bad}'\n"), 1);
    }
    let mut said = Said::default();
    let (mut bytes, mut opened) = (Vec::new(), false);
    let stdin = ["-".to_owned()];
    let operands = if options.operands.is_empty() { &stdin[..] } else { &options.operands[..] };
    for operand in operands {
        match sources::read(call, operand) {
            Ok(content) => {
                opened = true;
                let room = (MOST * 4).saturating_sub(bytes.len()).min(content.len());
                bytes.extend_from_slice(content.get(..room).unwrap_or_default());
            }
            Err(error) => {
                said.err.extend(format!("{name}: {operand}: {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    if !opened {
        said.err.extend(format!("{name}: all input file arguments failed\n").bytes());
        return said;
    }
    let skip = number('s').flatten().unwrap_or_default().min(bytes.len());
    let length = number('n').flatten().unwrap_or(usize::MAX).min(MOST);
    let shown: Vec<u8> = bytes.into_iter().skip(skip).take(length).collect();
    said.out = dump(&mut programs, &shown, skip, options.has('v')).into_bytes();
    said
}

/// The formats behind the letters; `' '` is what stands without any.
fn builtin(letter: char) -> Option<Vec<&'static str>> {
    let last = r#""%07.7_Ax\n""#;
    let formats = match letter {
        'C' => vec![
            r#""%08.8_Ax\n""#,
            r#""%08.8_ax  " 8/1 "%02x " "  " 8/1 "%02x " "#,
            r#""  |" 16/1 "%_p" "|\n""#,
        ],
        'b' => vec![last, r#""%07.7_ax " 16/1 "%03o " "\n""#],
        'c' => vec![last, r#""%07.7_ax " 16/1 "%3_c " "\n""#],
        'd' => vec![last, r#""%07.7_ax " 8/2 "  %05u " "\n""#],
        'o' => vec![last, r#""%07.7_ax " 8/2 " %06o " "\n""#],
        'x' => vec![last, r#""%07.7_ax " 8/2 "   %04x " "\n""#],
        'X' => vec![last, r#""%07.7_ax " 16/1 "%02X " "\n""#],
        ' ' => vec![last, r#""%07.7_ax " 8/2 "%04x " "\n""#],
        _ => return None,
    };
    Some(formats)
}

fn dump(programs: &mut [Vec<Unit>], bytes: &[u8], from: usize, verbose: bool) -> String {
    let taken =
        |units: &[Unit]| -> usize { units.iter().map(|unit| unit.bytes() * unit.times.unwrap_or(1)).sum() };
    let block = programs.iter().map(|units| taken(units)).max().unwrap_or_default();
    // A unit without a count at the end of a shorter format is repeated until the block is full.
    for units in programs.iter_mut() {
        let missing = block - taken(units);
        if let Some(last) = units.last_mut().filter(|unit| unit.times.is_none() && unit.bytes() > 0) {
            last.times = Some(1 + missing / last.bytes());
        }
    }
    let mut out = String::new();
    let ends = |piece: &Piece| matches!(piece, Piece::Field(Field { kind: Kind::LastAddress(_), .. }));
    let is_last = |units: &Vec<Unit>| units.iter().flat_map(|unit| &unit.pieces).any(ends);
    let (mut before, mut skipping) = (None::<&[u8]>, false);
    for (number, chunk) in bytes.chunks(block.max(1)).enumerate() {
        if block == 0 {
            break;
        }
        if !verbose && before == Some(chunk) && chunk.len() == block {
            if !skipping {
                out.push_str("*\n");
            }
            skipping = true;
            continue;
        }
        skipping = false;
        before = Some(chunk);
        for units in programs.iter().filter(|units| !is_last(units)) {
            row(&mut out, units, chunk, from + number * block);
        }
        if out.len() > 16 * MOST {
            return out;
        }
    }
    if !bytes.is_empty() {
        for units in programs.iter().filter(|units| is_last(units)) {
            row(&mut out, units, &[], from + bytes.len());
        }
    }
    out
}

/// One format over one block.
fn row(out: &mut String, units: &[Unit], block: &[u8], address: usize) {
    let mut at = 0;
    for unit in units {
        let times = unit.times.unwrap_or(1);
        for turn in 0..times {
            // Blanks at the end of a repeated unit stand only between its turns.
            let last_turn = turn + 1 == times && times > 1;
            for (index, piece) in unit.pieces.iter().enumerate() {
                match piece {
                    Piece::Text(text) => {
                        let cut = last_turn && index + 1 == unit.pieces.len();
                        out.push_str(if cut { text.trim_end_matches([' ', '\t']) } else { text });
                    }
                    Piece::Field(field) => {
                        let end = at + field.bytes;
                        let text = if field.bytes > 0 && at >= block.len() {
                            String::new()
                        } else {
                            let mut part = block.get(at..end.min(block.len())).unwrap_or_default().to_vec();
                            part.resize(field.bytes, 0);
                            shown(field, &part, address + at)
                        };
                        at = end;
                        let blanks = field.width.saturating_sub(text.chars().count());
                        let blanks = " ".repeat(blanks);
                        *out += &if field.left { text + &blanks } else { blanks + &text };
                    }
                }
            }
        }
    }
}

fn shown(field: &Field, bytes: &[u8], address: usize) -> String {
    let padded = |digits: String, negative: bool| {
        let wanted = match field.precision {
            Some(precision) => precision,
            None if field.zero && !field.left => field.width.saturating_sub(usize::from(negative)),
            None => 0,
        };
        let sign = if negative {
            "-"
        } else if field.plus {
            "+"
        } else {
            ""
        };
        format!("{sign}{digits:0>wanted$}")
    };
    let based = |value: u64, letter: char| {
        let (prefix, digits) = match letter {
            'o' => ("0", format!("{value:o}")),
            'x' => ("0x", format!("{value:x}")),
            'X' => ("0X", format!("{value:X}")),
            _ => ("", value.to_string()),
        };
        let text = padded(digits, false);
        if field.alternate { format!("{prefix}{text}") } else { text }
    };
    match field.kind {
        Kind::Number('d' | 'i') => {
            let value = signed(bytes);
            padded(value.unsigned_abs().to_string(), value < 0)
        }
        Kind::Number(letter) => based(unsigned(bytes), letter),
        Kind::Float(letter) => {
            let value = match <[u8; 4]>::try_from(bytes) {
                Ok(four) => f64::from(f32::from_le_bytes(four)),
                Err(_) => f64::from_bits(unsigned(bytes)),
            };
            let digits = field.precision.unwrap_or(6).min(40);
            if matches!(letter, 'f' | 'g' | 'G') {
                format!("{value:.digits$}")
            } else {
                format!("{value:.digits$e}")
            }
        }
        Kind::Char => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Kind::Text => String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned(),
        Kind::Escaped => bytes.iter().map(|byte| types::escape(*byte)).collect(),
        Kind::Printable => bytes.iter().map(|byte| visible(*byte)).collect(),
        Kind::Named => bytes.iter().map(|byte| named(*byte)).collect(),
        Kind::Address(base) | Kind::LastAddress(base) => based(address as u64, base),
    }
}

fn named(byte: u8) -> String {
    match byte {
        b' ' => " ".to_owned(),
        byte if byte < 128 => types::name(byte),
        byte => format!("{byte:x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(texts: &[&str], bytes: &[u8]) -> String {
        let mut programs: Vec<_> = texts.iter().map(|text| formats::parse(text).unwrap()).collect();
        dump(&mut programs, bytes, 0, false)
    }

    #[test]
    fn formats_give_what_the_real_one_gives() {
        let canonical = builtin('C').unwrap();
        assert_eq!(
            said(&canonical, b"\x7fEL"),
            "00000000  7f 45 4c                                          |.EL|\n00000003\n"
        );
        let plain = builtin(' ').unwrap();
        assert_eq!(said(&plain, &[1, 2, 3]), "0000000 0201 0003                              \n0000003\n");
        assert_eq!(said(&plain, &[0; 48]), "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n0000030\n");
        assert_eq!(said(&[r#"2/1 " %4d" "\n""#], &[0xff, 1, 2, 3]), "   -1    1\n    2    3\n");
        assert_eq!(said(&[r#"4/1 " %3_u" "\n""#], &[0, b'p', 127, 0x80]), " nul   p del  80\n");
        assert_eq!(said(&[r#"1/1 "%02x" "#], &[1, 2]), "0102");
    }
}
