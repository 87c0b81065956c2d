//! The guard: local, deterministic, without a further call. [`incoming`] keeps instructions to the model away from it;
//! [`outgoing`] lets through only what this server would say.

pub mod incoming;
pub mod outgoing;

/// The text with what hides words taken out: lower case, invisible characters gone, anything but letters and digits one
/// blank.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            // Soft hyphen, zero-width characters, direction marks, word joiner, byte order mark.
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}' => {}
            '’' | '\'' => {}
            c if c.is_alphanumeric() => out.push(narrow(c)),
            _ if out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    out.trim().to_owned()
}

/// Letters of other scripts that look like Latin ones, and full-width letters.
fn narrow(c: char) -> char {
    match c {
        'а' => 'a',
        'е' | 'ё' => 'e',
        'о' => 'o',
        'р' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'і' => 'i',
        'ｊ'..='ｚ' | 'ａ'..='ｉ' => char::from_u32(u32::from(c) - 0xff41 + u32::from('a')).unwrap_or(c),
        c => c,
    }
}
