//! Names and escapes of characters, as `hexdump` and `od` show them.

/// The names of the control characters; `od` calls the tenth `nl`, `hexdump` `lf`.
const NAMES: [&str; 33] = [
    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "lf", "vt", "ff", "cr", "so", "si",
    "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc", "fs", "gs", "rs",
    "us", "sp",
];

/// The name of a character below 128.
pub(super) fn name(byte: u8) -> String {
    match byte {
        127 => "del".to_owned(),
        byte => match NAMES.get(usize::from(byte)) {
            Some(name) => (*name).to_owned(),
            None => char::from(byte).to_string(),
        },
    }
}

/// A character, its escape, or its octal digits.
pub(super) fn escape(byte: u8) -> String {
    match byte {
        0 => "\\0".to_owned(),
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        9 => "\\t".to_owned(),
        10 => "\\n".to_owned(),
        11 => "\\v".to_owned(),
        12 => "\\f".to_owned(),
        13 => "\\r".to_owned(),
        0x20..0x7f => char::from(byte).to_string(),
        other => format!("{other:03o}"),
    }
}
