//! `base64` over bytes as they are (GNU coreutils 9.1, busybox 1.35).

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    Call, Options, Said,
    complaint::{self, Known},
    quoting::curled,
};
use crate::machine::Access;

pub(super) fn base64(call: &Call<'_>) -> Said {
    let known = Known { letters: "di", long: &["decode", "ignore-garbage", "wrap"] };
    if let Some(said) = complaint::of(call, &known, "w") {
        return said;
    }
    let options = Options::of(call.args, "w");
    if let Some(extra) = options.operands.get(1) {
        return complaint::missing(call, &format!("extra operand {}", curled(extra)));
    }
    let bytes = match options.operands.first().map(String::as_str) {
        None | Some("-") => call.stdin.unwrap_or_default().to_vec(),
        Some(name) => {
            let (path, who) = (call.path(name), call.session.who());
            let read = call
                .files()
                .stat(&path)
                .and_then(|_| call.files().may(who.uid, who.gid, &path, Access::Read));
            match read.and_then(|()| call.files().read(&path)) {
                Ok(bytes) => bytes.to_vec(),
                Err(error) => return Said::err(format!("base64: {name}: {}\n", error.errno_text()), 1),
            }
        }
    };
    if options.has('d') || options.has_long("decode") {
        return decoded(&bytes, options.has('i') || options.has_long("ignore-garbage"));
    }
    let wrap = options.value('w').or_else(|| options.long.iter().find_map(|long| long.strip_prefix("wrap=")));
    let width = match wrap.map(str::parse::<usize>) {
        None => 76,
        Some(Ok(width)) => width,
        Some(Err(_)) => {
            return Said::err(
                format!("base64: invalid wrap size: {}\n", curled(wrap.unwrap_or_default())),
                1,
            );
        }
    };
    let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
    if width == 0 {
        return Said::out(text);
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / width + 1);
    for line in text.as_bytes().chunks(width) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    Said::out(out)
}

/// Everything up to what is no base64, and the complaint about that.
fn decoded(bytes: &[u8], lenient: bool) -> Said {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let mut signs = Vec::with_capacity(bytes.len());
    let mut sound = true;
    for byte in bytes.iter().filter(|byte| **byte != b'\n') {
        if is_sign(byte) {
            signs.push(*byte);
        } else if !lenient {
            sound = false;
            break;
        }
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&STANDARD, config);
    let mut out = Vec::new();
    // Encoded pieces may follow each other, each with its own padding.
    for piece in signs.chunks(4) {
        let padded = piece.iter().filter(|byte| **byte == b'=').count();
        match engine.decode(piece) {
            Ok(decoded) if piece.len() == 4 => out.extend(decoded),
            Ok(decoded) if piece.len() > 1 && padded == 0 => {
                out.extend(decoded);
                sound = false;
            }
            _ => {
                sound = false;
                break;
            }
        }
    }
    if sound { Said::out(out) } else { Said { out, err: b"base64: invalid input\n".to_vec(), status: 1 } }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn bytes_come_back() {
        assert_eq!(decoded(b"AP/+\nQUI=\n", false).out, [0, 255, 254, b'A', b'B']);
        let bad = decoded(b"QUJD!QUJD", false);
        assert_eq!((bad.out.as_slice(), bad.status), (b"ABC".as_slice(), 1));
        assert_eq!(decoded(b"QUI=QUI=", false).out, b"ABAB");
        assert_eq!(decoded(b"Q", false).status, 1);
    }
}
