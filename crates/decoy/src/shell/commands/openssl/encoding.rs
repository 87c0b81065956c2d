//! `openssl enc`, `base64` and `rand`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::RngExt as _;

use super::{Call, Said, has, input, output, queue, recorded};

/// The most random bytes of one call.
const MOST: usize = 1024 * 1024;
/// Letters of one line of base64 (PEM).
const LINE: usize = 64;

/// Whether this is one of the ciphers that `openssl enc -list` names.
pub(super) fn is_cipher(name: &str) -> bool {
    let list = recorded(&["enc".to_owned(), "-list".to_owned()]).unwrap_or_default();
    let wanted = format!("-{}", name.to_ascii_lowercase());
    String::from_utf8_lossy(&list.out).split_whitespace().any(|word| word == wanted)
        || matches!(name, "base64" | "a" | "none")
}

/// Base64 is computed, and so is AES (`ciphers.rs`). Other ciphers are not in this program: what they would make looks like
/// it, and nothing can be opened again.
pub(super) fn enc(call: &Call<'_>, command: &str, args: &[String]) -> Said {
    let bytes = match input(call, args) {
        Ok(bytes) => bytes,
        Err(said) => return said,
    };
    let base64 = command == "base64" || has(args, "-base64") || has(args, "-a");
    let cipher = !matches!(command, "enc" | "base64")
        || args.iter().any(|arg| {
            arg.strip_prefix('-').is_some_and(|name| {
                !matches!(name, "base64" | "a" | "none") && name.len() > 2 && is_cipher(name)
            })
        });
    if cipher {
        let text = if has(args, "-pbkdf2") || has(args, "-iter") {
            String::new()
        } else {
            "*** WARNING : deprecated key derivation used.\nUsing -iter or -pbkdf2 would be better.\n"
                .to_owned()
        };
        if !has(args, "-d") {
            let mut made = b"Salted__".to_vec();
            let mut random = vec![0; 8 + (bytes.len() / 16 + 1) * 16];
            rand::rng().fill(&mut random[..]);
            made.extend(random);
            let made = if base64 { encoded(&made, has(args, "-A")) } else { made };
            let mut said = output(call, args, made, 0o644);
            said.err.extend(text.bytes());
            return said;
        }
        let salted = bytes.starts_with(b"Salted__") || base64 && bytes.starts_with(b"U2FsdGVkX1");
        let why = if salted {
            format!(
                "bad decrypt\n{}",
                queue(&[
                    "error:1C800064:Provider routines:ossl_cipher_unpadblock:bad decrypt:../providers/implementations/ciphers/ciphercommon_block.c:124:"
                ])
            )
        } else {
            "bad magic number\n".to_owned()
        };
        return Said::err(text + &why, 1);
    }
    let made = if !base64 {
        bytes
    } else if has(args, "-d") {
        decoded(&bytes, has(args, "-A"))
    } else {
        encoded(&bytes, has(args, "-A"))
    };
    output(call, args, made, 0o644)
}

pub(super) fn encoded(bytes: &[u8], one_line: bool) -> Vec<u8> {
    let text = STANDARD.encode(bytes);
    if one_line {
        return text.into_bytes();
    }
    text.as_bytes().chunks(LINE).flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}

/// What is no base64 ends it in silence; with `-A` all of it has to be one line.
pub(super) fn decoded(bytes: &[u8], one_line: bool) -> Vec<u8> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if one_line && lines.iter().filter(|line| !line.is_empty()).count() > 1 {
        return Vec::new();
    }
    // A line that is longer than a line of PEM, and longer than the buffer, is not taken.
    if !one_line && lines.iter().any(|line| line.len() > 1024) {
        return Vec::new();
    }
    let mut made = Vec::new();
    let text: Vec<u8> = lines.concat().into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
    for four in text.chunks(4) {
        let Ok(bytes) = STANDARD.decode(four) else { break };
        made.extend(bytes);
        if four.contains(&b'=') {
            break;
        }
    }
    made
}

pub(super) fn rand(call: &Call<'_>, args: &[String]) -> Said {
    let mut rest = args.iter();
    let mut counts = Vec::new();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-out" | "-rand" | "-writerand" | "-engine" | "-provider" => {
                rest.next();
            }
            option if option.starts_with('-') && counts.is_empty() => {}
            word => counts.push(word.to_owned()),
        }
    }
    let complaint = |text: String| Said::err(format!("{text}rand: Use -help for summary.\n"), 1);
    let count = match &counts[..] {
        [] => 0,
        [one] => match one.parse::<i64>() {
            Ok(count) if count > 0 => usize::try_from(count).unwrap_or(0).min(MOST),
            Ok(_) => return complaint(String::new()),
            Err(_) => return complaint(format!("rand: Can't parse \"{one}\" as a number\n")),
        },
        _ => return complaint("Extra arguments given.\n".to_owned()),
    };
    let mut bytes = vec![0; count];
    rand::rng().fill(&mut bytes[..]);
    let made = if has(args, "-hex") {
        (hex::encode(&bytes) + "\n").into_bytes()
    } else if has(args, "-base64") {
        encoded(&bytes, false)
    } else {
        bytes
    };
    output(call, args, made, 0o600)
}
