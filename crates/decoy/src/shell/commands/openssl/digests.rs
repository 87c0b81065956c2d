//! `openssl dgst` and the digests by name.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

use super::{Call, Said, has, queue, value};

/// Digests that are computed: the name of the option, the name that is printed, the size of a block.
const KNOWN: [(&str, &str, usize); 8] = [
    ("md5", "MD5", 64),
    ("sha1", "SHA1", 64),
    ("sha224", "SHA2-224", 64),
    ("sha256", "SHA2-256", 64),
    ("sha384", "SHA2-384", 128),
    ("sha512", "SHA2-512", 128),
    ("sha512-224", "SHA2-512/224", 128),
    ("sha512-256", "SHA2-512/256", 128),
];

pub(super) fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|(known, ..)| *known == name.to_ascii_lowercase())
}

pub(super) fn digest(name: &str, bytes: &[u8]) -> Vec<u8> {
    match name {
        "md5" => Md5::digest(bytes).to_vec(),
        "sha1" => Sha1::digest(bytes).to_vec(),
        "sha224" => Sha224::digest(bytes).to_vec(),
        "sha384" => Sha384::digest(bytes).to_vec(),
        "sha512" => Sha512::digest(bytes).to_vec(),
        "sha512-224" => Sha512_224::digest(bytes).to_vec(),
        "sha512-256" => Sha512_256::digest(bytes).to_vec(),
        _ => Sha256::digest(bytes).to_vec(),
    }
}

/// A code for texts under one key (RFC 2104).
pub(super) struct Mac {
    name: String,
    inner: Vec<u8>,
    outer: Vec<u8>,
}

impl Mac {
    pub(super) fn new(name: &str, key: &[u8]) -> Self {
        let block = KNOWN.iter().find(|(known, ..)| *known == name).map_or(64, |(.., block)| *block);
        let mut key = if key.len() > block { digest(name, key) } else { key.to_vec() };
        key.resize(block, 0);
        let with = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
        Self { name: name.to_owned(), inner: with(0x36), outer: with(0x5c) }
    }

    pub(super) fn of(&self, bytes: &[u8]) -> Vec<u8> {
        let inner = digest(&self.name, &[&self.inner[..], bytes].concat());
        digest(&self.name, &[&self.outer[..], &inner].concat())
    }
}

pub(super) fn dgst(call: &Call<'_>, name: Option<&str>, args: &[String]) -> Said {
    let mut files: Vec<&String> = Vec::new();
    let mut chosen = name.map(str::to_ascii_lowercase);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.strip_prefix('-').filter(|_| files.is_empty()) {
            Some(
                "hmac" | "out" | "sign" | "verify" | "prverify" | "signature" | "keyform" | "mac" | "macopt"
                | "sigopt" | "engine" | "provider" | "rand" | "passin" | "xoflen",
            ) => {
                rest.next();
            }
            Some(option) if is_known(option) => chosen = Some(option.to_ascii_lowercase()),
            Some(_) => {}
            None => files.push(arg),
        }
    }
    let name = chosen.unwrap_or_else(|| "sha256".to_owned());
    let Some((_, shown, _)) = KNOWN.iter().find(|(known, ..)| *known == name) else {
        return Said::nothing(1);
    };
    let key = value(args, "-hmac");
    let mut said = Said::default();
    let mut one = |label: &str, bytes: &[u8]| {
        let sum = key.map_or_else(|| digest(&name, bytes), |key| Mac::new(&name, key.as_bytes()).of(bytes));
        if has(args, "-binary") {
            return said.out.extend(sum);
        }
        let pairs: Vec<String> = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        let hex = pairs.join(if has(args, "-c") { ":" } else { "" });
        let line = match has(args, "-r") {
            true => format!("{hex} *{label}\n", label = label.trim_matches(['(', ')'])),
            false => format!("{shown}{label}= {hex}\n"),
        };
        said.out.extend(line.bytes());
    };
    if files.is_empty() {
        one("(stdin)", call.stdin.unwrap_or_default());
        return finished(call, args, said);
    }
    let mut failed = String::new();
    for file in files {
        match call.files().read(&call.path(file)) {
            Ok(bytes) => one(&format!("({file})"), &bytes),
            Err(error) => {
                let why = error.errno_text();
                failed.push_str(&format!("{file}: {why}\n"));
                let number = match why {
                    "Is a directory" => 21,
                    "Permission denied" => 13,
                    _ => 2,
                };
                failed.push_str(&if number == 21 {
                    queue(&[
                        "error:80000015:system library:file_read:Is a directory:../crypto/bio/bss_file.c:154:calling fread()",
                        "error:10080002:BIO routines:file_read:system lib:../crypto/bio/bss_file.c:156:",
                    ])
                } else {
                    queue(&[
                        &format!("error:{:08X}:system library:file_ctrl:{why}:../crypto/bio/bss_file.c:308:calling fopen({file}, r)", 0x8000_0000_u32 + number),
                        "error:10080002:BIO routines:file_ctrl:system lib:../crypto/bio/bss_file.c:311:",
                    ])
                });
            }
        }
    }
    if !failed.is_empty() {
        said.err.extend(failed.bytes());
        said.status = 1;
    }
    finished(call, args, said)
}

fn finished(call: &Call<'_>, args: &[String], mut said: Said) -> Said {
    if value(args, "-out").is_some() {
        let written = super::output(call, args, std::mem::take(&mut said.out), 0o644);
        said.err.extend(written.err);
        said.status = said.status.max(written.status);
    }
    said
}
