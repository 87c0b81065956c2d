//! `openssl enc` with AES: what it writes, OpenSSL reads anywhere, and the other way round.

use aes::{
    Aes128, Aes192, Aes256, Block,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};
use rand::RngExt as _;

use super::{Call, Lines, Said, digests, encoding, has, input, output, queue, value};
use crate::shell::commands::{sources, working};

/// Rounds of PBKDF2 that are asked for at most are bounded: they cost the visitor nothing.
const MOST_ROUNDS: u32 = 1_000_000;
/// What `-pbkdf2` does without `-iter`.
const ROUNDS: u32 = 10_000;

/// How blocks are put together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Ecb,
    Cbc,
    Ctr,
    Cfb,
    Ofb,
}

/// One of the ciphers that are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cipher {
    bits: usize,
    mode: Mode,
}

impl Cipher {
    /// `aes-256-cbc`, `aes128`, …
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let rest = name.strip_prefix("aes")?;
        let (bits, mode) = match rest.strip_prefix('-') {
            Some(rest) => rest.split_once('-')?,
            None => (rest, "cbc"),
        };
        let bits = match bits {
            "128" => 128,
            "192" => 192,
            "256" => 256,
            _ => return None,
        };
        let mode = match mode {
            "ecb" => Mode::Ecb,
            "cbc" => Mode::Cbc,
            "ctr" => Mode::Ctr,
            "cfb" => Mode::Cfb,
            "ofb" => Mode::Ofb,
            _ => return None,
        };
        Some(Self { bits, mode })
    }

    fn label(self) -> String {
        format!("AES-{}-{:?}", self.bits, self.mode).to_ascii_uppercase()
    }

    fn iv_length(self) -> usize {
        if self.mode == Mode::Ecb { 0 } else { 16 }
    }
}

/// AES with a key of any size.
enum Aes {
    Short(Box<Aes128>),
    Middle(Box<Aes192>),
    Long(Box<Aes256>),
}

impl Aes {
    fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Short(Box::new(Aes128::new_from_slice(key).ok()?)),
            24 => Self::Middle(Box::new(Aes192::new_from_slice(key).ok()?)),
            _ => Self::Long(Box::new(Aes256::new_from_slice(key).ok()?)),
        })
    }

    fn turn(&self, block: [u8; 16], back: bool) -> [u8; 16] {
        let mut block = Block::from(block);
        match (self, back) {
            (Self::Short(aes), false) => aes.encrypt_block(&mut block),
            (Self::Short(aes), true) => aes.decrypt_block(&mut block),
            (Self::Middle(aes), false) => aes.encrypt_block(&mut block),
            (Self::Middle(aes), true) => aes.decrypt_block(&mut block),
            (Self::Long(aes), false) => aes.encrypt_block(&mut block),
            (Self::Long(aes), true) => aes.decrypt_block(&mut block),
        }
        block.into()
    }
}

fn block(bytes: &[u8]) -> [u8; 16] {
    let mut made = [0; 16];
    made.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    made
}

fn mixed(a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
    let mut made = a;
    made.iter_mut().zip(b).for_each(|(to, from)| *to ^= from);
    made
}

/// Why a text cannot be opened.
#[derive(Debug, PartialEq)]
enum Broken {
    Length,
    Padding,
}

/// The text enciphered or deciphered.
fn crypt(
    cipher: Cipher,
    key: &[u8],
    iv: &[u8],
    text: &[u8],
    back: bool,
    padded: bool,
) -> Result<Vec<u8>, Broken> {
    let Some(aes) = Aes::new(key) else { return Err(Broken::Length) };
    let mut chain = block(iv);
    let mut out = Vec::with_capacity(text.len() + 16);
    if !matches!(cipher.mode, Mode::Ecb | Mode::Cbc) {
        for piece in text.chunks(16) {
            let stream = aes.turn(chain, false);
            let made = mixed(block(piece), stream);
            let taken = made.get(..piece.len()).unwrap_or_default();
            chain = match cipher.mode {
                Mode::Ctr => u128::from_be_bytes(chain).wrapping_add(1).to_be_bytes(),
                Mode::Ofb => stream,
                _ if back => block(piece),
                _ => block(taken),
            };
            out.extend_from_slice(taken);
        }
        return Ok(out);
    }
    let chained = cipher.mode == Mode::Cbc;
    if back {
        if text.len() % 16 != 0 || text.is_empty() && padded {
            return Err(Broken::Length);
        }
        for piece in text.chunks(16) {
            let plain = aes.turn(block(piece), true);
            out.extend(if chained { mixed(plain, chain) } else { plain });
            chain = block(piece);
        }
        if padded {
            let count = usize::from(out.last().copied().unwrap_or_default());
            let rest =
                out.len().checked_sub(count).filter(|_| (1..=16).contains(&count)).ok_or(Broken::Padding)?;
            if out.get(rest..).unwrap_or_default().iter().any(|byte| usize::from(*byte) != count) {
                return Err(Broken::Padding);
            }
            out.truncate(rest);
        }
        return Ok(out);
    }
    let mut text = text.to_vec();
    if padded {
        let count = 16 - text.len() % 16;
        text.extend(std::iter::repeat_n(count as u8, count));
    } else if text.len() % 16 != 0 {
        return Err(Broken::Length);
    }
    for piece in text.chunks(16) {
        let plain = if chained { mixed(block(piece), chain) } else { block(piece) };
        chain = aes.turn(plain, false);
        out.extend(chain);
    }
    Ok(out)
}

/// Key and vector of a password: PBKDF2 (RFC 8018), or what OpenSSL did before (EVP_BytesToKey).
fn derived(digest: &str, password: &[u8], salt: &[u8], rounds: Option<u32>, length: usize) -> Vec<u8> {
    let mut made = Vec::new();
    let Some(rounds) = rounds else {
        let mut last = Vec::new();
        while made.len() < length {
            last = digests::digest(digest, &[&last[..], password, salt].concat());
            made.extend_from_slice(&last);
        }
        made.truncate(length);
        return made;
    };
    let mac = digests::Mac::new(digest, password);
    let mut number = 1_u32;
    while made.len() < length {
        let mut turn = mac.of(&[salt, &number.to_be_bytes()[..]].concat());
        let mut sum = turn.clone();
        for _ in 1..rounds {
            turn = mac.of(&turn);
            sum.iter_mut().zip(&turn).for_each(|(to, from)| *to ^= from);
        }
        made.extend(sum);
        number += 1;
    }
    made.truncate(length);
    made
}

/// Hexadecimal digits as OpenSSL takes them: too few are filled up.
fn hexed(text: &str, length: usize, err: &mut String) -> Option<Vec<u8>> {
    let digits: String = text.chars().take(length * 2).collect();
    if text.len() > length * 2 {
        err.push_str("hex string is too long, ignoring excess\n");
    } else if text.len() < length * 2 {
        err.push_str("hex string is too short, padding with zero bytes to length\n");
    }
    if !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        err.push_str("non-hex digit\n");
        return None;
    }
    let digits = format!("{digits:0<width$}", width = length * 2);
    hex::decode(digits).ok()
}

/// The password of `-pass`.
fn of_source(call: &Call<'_>, source: &str) -> Result<String, String> {
    let first_line =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned();
    let bad = |text: String| Err(format!("{text}Error getting password\n"));
    match source.split_once(':') {
        Some(("pass", password)) => Ok(password.to_owned()),
        Some(("env", name)) => match call.var(name) {
            Some(password) => Ok(password),
            None => bad(format!("No environment variable {name}\n")),
        },
        Some(("file", file)) => match sources::read(call, file) {
            Ok(bytes) => Ok(first_line(&bytes)),
            Err(_) => bad(format!("Can't open file {file}\n")),
        },
        _ if source == "stdin" => Ok(first_line(call.stdin.unwrap_or_default())),
        Some((kind, _)) => bad(format!("Invalid password argument, starting with \"{kind}:\"\n")),
        None => bad("Invalid password argument, missing ':' within the first 41 chars\n".to_owned()),
    }
}

pub(super) async fn enc(call: &Call<'_>, cipher: Cipher, args: &[String]) -> Said {
    match work(call, cipher, args).await {
        Ok(said) | Err(said) => said,
    }
}

async fn work(call: &Call<'_>, cipher: Cipher, args: &[String]) -> Result<Said, Said> {
    let back = has(args, "-d");
    let mut err = String::new();
    let fail = |text: &str| Said::err(text.to_owned(), 1);
    let key_length = cipher.bits / 8;
    let mut password = match (value(args, "-k"), value(args, "-kfile")) {
        (Some(password), _) => Some(password.to_owned()),
        (None, Some(file)) => {
            let bytes =
                sources::read(call, file).map_err(|error| super::cannot_open(file, error.errno_text()))?;
            Some(String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned())
        }
        (None, None) => None,
    };
    if let Some(source) = value(args, "-pass") {
        password = Some(of_source(call, source).map_err(|text| fail(&text))?);
    }
    if password.is_none() && value(args, "-K").is_none() {
        password = Some(asked(call, cipher, back).await?);
    }
    let mut text = input(call, args)?;
    let base64 = has(args, "-base64") || has(args, "-a");
    if base64 && back {
        text = encoding::decoded(&text, has(args, "-A"));
    }
    let (mut key, mut iv, mut salt, mut head) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    if let Some(password) = &password {
        let rounds = match value(args, "-iter") {
            Some(number) => Some(number.parse::<u32>().unwrap_or(ROUNDS).clamp(1, MOST_ROUNDS)),
            None if has(args, "-pbkdf2") => Some(ROUNDS),
            None => None,
        };
        let salted = !has(args, "-nosalt");
        match value(args, "-S") {
            Some(digits) if salted => {
                salt = hexed(digits, 8, &mut err)
                    .ok_or_else(|| fail(&(err.clone() + "invalid hex salt value\n")))?;
            }
            _ if salted && back => {
                if text.len() < 16 {
                    return Err(fail("error reading input file\n"));
                }
                if !text.starts_with(b"Salted__") {
                    return Err(fail("bad magic number\n"));
                }
                salt = text.get(8..16).unwrap_or_default().to_vec();
                text.drain(..16);
            }
            _ if salted => {
                salt = vec![0; 8];
                rand::rng().fill(&mut salt[..]);
                head = [b"Salted__", &salt[..]].concat();
            }
            _ => {}
        }
        if rounds.is_none() {
            err.push_str(
                "*** WARNING : deprecated key derivation used.\nUsing -iter or -pbkdf2 would be better.\n",
            );
        }
        let digest = value(args, "-md").unwrap_or("sha256").to_ascii_lowercase();
        let length = key_length + cipher.iv_length();
        let made = working::at_length(|| derived(&digest, password.as_bytes(), &salt, rounds, length));
        key = made.get(..key_length).unwrap_or_default().to_vec();
        iv = made.get(key_length..).unwrap_or_default().to_vec();
    }
    if let Some(digits) = value(args, "-iv") {
        iv = hexed(digits, cipher.iv_length(), &mut err)
            .ok_or_else(|| fail(&(err.clone() + "invalid hex iv value\n")))?;
    } else if password.is_none() && cipher.iv_length() > 0 {
        return Err(fail("iv undefined\n"));
    }
    if let Some(digits) = value(args, "-K") {
        key = hexed(digits, key_length, &mut err)
            .ok_or_else(|| fail(&(err.clone() + "invalid hex key value\n")))?;
    }
    let mut shown = String::new();
    if has(args, "-p") || has(args, "-P") {
        let upper = |bytes: &[u8]| hex::encode_upper(bytes);
        if !salt.is_empty() {
            shown += &format!("salt={}\n", upper(&salt));
        }
        shown += &format!("key={}\n", upper(&key));
        if cipher.iv_length() > 0 {
            shown += &format!("iv ={}\n", upper(&iv));
        }
        if has(args, "-P") {
            return Ok(Said { out: shown.into(), err: err.into(), status: 0 });
        }
    }
    let made = match crypt(cipher, &key, &iv, &text, back, !has(args, "-nopad")) {
        Ok(made) => made,
        Err(why) => {
            err += if back { "bad decrypt\n" } else { "bad encrypt\n" };
            err += &queue(&[match why {
                Broken::Length => {
                    "error:1C80006B:Provider routines:ossl_cipher_generic_block_final:wrong final block length:../providers/implementations/ciphers/ciphercommon.c:440:"
                }
                Broken::Padding => {
                    "error:1C800064:Provider routines:ossl_cipher_unpadblock:bad decrypt:../providers/implementations/ciphers/ciphercommon_block.c:124:"
                }
            }]);
            return Err(fail(&err));
        }
    };
    let mut made = [head, made].concat();
    if base64 && !back {
        made = encoding::encoded(&made, has(args, "-A"));
    }
    let mut said = output(call, args, made, 0o644);
    said.err = [err.into_bytes(), said.err].concat();
    if !shown.is_empty() {
        said.out = [shown.into_bytes(), said.out].concat();
    }
    Ok(said)
}

/// The password from the terminal, when enciphering twice.
async fn asked(call: &Call<'_>, cipher: Cipher, back: bool) -> Result<String, Said> {
    let what = if back { "decryption" } else { "encryption" };
    let question = format!("enter {} {what} password:", cipher.label());
    let mut said = Said::default();
    let mut lines = Lines::of(call, "");
    let first = lines.answer(&question, &mut said).await;
    let second = match (&first, back) {
        (Some(_), false) => lines.answer(&format!("Verifying - {question}"), &mut said).await,
        _ => first.clone(),
    };
    match (first, second) {
        (Some(first), Some(second)) if first == second && !first.is_empty() => Ok(first),
        (Some(_), Some(_)) => {
            said.err.extend(b"Verify failure\nbad password read\n");
            said.status = 1;
            Err(said)
        }
        _ => {
            said.err.extend(b"\nbad password read\n");
            let line = "error:1400006B:UI routines:UI_process:processing error:../crypto/ui/ui_lib.c:573:while reading strings";
            said.err.extend(queue(&[line]).bytes());
            said.status = 1;
            Err(said)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_openssl() {
        // Recorded from OpenSSL 3.0 with `echo hello`.
        let key = hex::decode("00112233445566778899aabbccddeeff").unwrap();
        let iv: Vec<u8> = (0..16).collect();
        let made = |name: &str, key: &[u8], iv: &[u8]| {
            let cipher = Cipher::named(name).unwrap();
            let made = crypt(cipher, key, iv, b"hello\n", false, true).unwrap();
            assert_eq!(crypt(cipher, key, iv, &made, true, true).unwrap(), b"hello\n", "{name}");
            hex::encode(made)
        };
        assert_eq!(made("aes-128-ecb", &key, &[]), "2489226300f89cb7a76056b87fc937fa");
        assert_eq!(made("aes-128-cbc", &key, &iv), "c9cf37ab0f747011c620b65bd3053acc");
        let longer = [&key[..], &key[..8]].concat();
        assert_eq!(made("aes-192-ctr", &longer, &iv), "4abf01cdc415");
        assert_eq!(made("aes-256-cfb", &[0; 32], &[0; 16]), "b4f0ac14cd4a");
        assert_eq!(made("AES-256-OFB", &[0; 32], &[0; 16]), "b4f0ac14cd4a");
        assert!(Cipher::named("aes-256-gcm").is_none());
    }

    #[test]
    fn passwords_give_the_keys_of_openssl() {
        let salt = [1, 2, 3, 4, 5, 6, 7, 8];
        let made = derived("sha256", b"secret", &salt, Some(ROUNDS), 48);
        assert_eq!(
            hex::encode_upper(made),
            "655EC7E9609AD23D787EFD751F2DAD3FB5F58E5E8EF9CF1CFC23CB9C51A76151AF2E5E3689DC0D8752F500B39AB332C1"
        );
    }
}
