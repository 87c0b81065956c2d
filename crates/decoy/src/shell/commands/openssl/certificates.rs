//! `openssl x509`: what stands in a certificate (X.509, DER).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Call, Said, cannot_load, digests::digest, has, input, output, queue, value};

/// A field of DER: its tag, all of it, and what is in it.
#[derive(Clone, Copy)]
struct Field<'a> {
    tag: u8,
    whole: &'a [u8],
    inner: &'a [u8],
}

/// The fields that follow one another in these bytes.
fn fields(mut bytes: &[u8]) -> Vec<Field<'_>> {
    let mut all = Vec::new();
    while let (Some(tag), Some(first)) = (bytes.first(), bytes.get(1)) {
        let (head, length) = match *first {
            short @ 0..=127 => (2, usize::from(short)),
            long => {
                let count = usize::from(long & 127);
                let Some(digits) = bytes.get(2..2 + count).filter(|_| count <= 4) else { break };
                (2 + count, digits.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
            }
        };
        let (Some(whole), Some(inner)) = (bytes.get(..head + length), bytes.get(head..head + length)) else {
            break;
        };
        all.push(Field { tag: *tag, whole, inner });
        bytes = bytes.get(head + length..).unwrap_or_default();
        if all.len() > 200 {
            break;
        }
    }
    all
}

/// What a certificate says.
struct Certificate<'a> {
    der: &'a [u8],
    serial: &'a [u8],
    issuer: String,
    subject: String,
    from: String,
    to: String,
    public_key: &'a [u8],
}

impl<'a> Certificate<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let outer = *fields(der).first()?;
        let body = *fields(outer.inner).first()?;
        let mut parts = fields(body.inner);
        if parts.first()?.tag == 0xa0 {
            parts.remove(0);
        }
        let [serial, _, issuer, dates, subject, key, ..] = parts[..] else { return None };
        let dates = fields(dates.inner);
        Some(Self {
            der: outer.whole,
            serial: serial.inner,
            issuer: name(issuer.inner),
            subject: name(subject.inner),
            from: date(dates.first()?)?,
            to: date(dates.get(1)?)?,
            public_key: key.whole,
        })
    }
}

/// A name as OpenSSL prints it in one line.
fn name(bytes: &[u8]) -> String {
    let mut parts = Vec::new();
    for set in fields(bytes) {
        for pair in fields(set.inner) {
            let pair = fields(pair.inner);
            let [kind, text] = pair[..] else { continue };
            let short = match kind.inner {
                [0x55, 4, 3] => "CN",
                [0x55, 4, 6] => "C",
                [0x55, 4, 7] => "L",
                [0x55, 4, 8] => "ST",
                [0x55, 4, 10] => "O",
                [0x55, 4, 11] => "OU",
                _ => "emailAddress",
            };
            parts.push(format!("{short} = {}", String::from_utf8_lossy(text.inner)));
        }
    }
    parts.join(", ")
}

/// UTCTime or GeneralizedTime as asctime(3) has it.
fn date(field: &Field<'_>) -> Option<String> {
    let text = std::str::from_utf8(field.inner).ok()?;
    let text = if field.tag == 0x17 {
        format!("{}{text}", if text.get(..2)?.parse::<u32>().ok()? < 50 { "20" } else { "19" })
    } else {
        text.to_owned()
    };
    let at = chrono::NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some(at.format("%b %e %H:%M:%S %Y GMT").to_string())
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text: String = STANDARD
        .encode(der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned() + "\n")
        .collect();
    format!("-----BEGIN {label}-----\n{text}-----END {label}-----\n")
}

pub(super) fn x509(call: &Call<'_>, args: &[String]) -> Said {
    let shown = value(args, "-in").unwrap_or("<stdin>");
    if value(args, "-in").is_some_and(|file| !call.files().exists(&call.path(file))) {
        return cannot_load(shown, "certificate", true);
    }
    let bytes = match input(call, args) {
        Ok(bytes) => bytes,
        Err(said) => return said,
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let armoured =
        text.split("-----BEGIN CERTIFICATE-----").nth(1).and_then(|rest| rest.split("-----END").next());
    let der = armoured
        .and_then(|text| STANDARD.decode(text.split_whitespace().collect::<String>()).ok())
        .unwrap_or(bytes);
    let Some(certificate) = Certificate::of(&der) else {
        return Said::err(
            format!("Could not read certificate from {shown}\n")
                + &queue(&[
                    "error:1608010C:STORE routines:ossl_store_handle_load_result:unsupported:../crypto/store/store_result.c:149:",
                ])
                + "Unable to load certificate\n",
            1,
        );
    };
    let hex = |bytes: &[u8], between: &str| {
        bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(between)
    };
    let kind = ["-md5", "-sha1", "-sha256", "-sha384", "-sha512"].into_iter().find(|kind| has(args, kind));
    let mut out = String::new();
    for arg in args {
        match arg.as_str() {
            "-subject" => out.push_str(&format!("subject={}\n", certificate.subject)),
            "-issuer" => out.push_str(&format!("issuer={}\n", certificate.issuer)),
            "-startdate" => out.push_str(&format!("notBefore={}\n", certificate.from)),
            "-enddate" => out.push_str(&format!("notAfter={}\n", certificate.to)),
            "-dates" => {
                out.push_str(&format!("notBefore={}\nnotAfter={}\n", certificate.from, certificate.to))
            }
            "-serial" => {
                let digits =
                    certificate.serial.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<_>>();
                out.push_str(&format!("serial={}\n", hex(&digits, "")));
            }
            "-fingerprint" => {
                let kind = kind.unwrap_or("-sha1").trim_start_matches('-');
                let label = if kind == "sha1" { "SHA1".to_owned() } else { kind.to_owned() };
                out.push_str(&format!("{label} Fingerprint={}\n", hex(&digest(kind, certificate.der), ":")));
            }
            "-pubkey" => out.push_str(&pem("PUBLIC KEY", certificate.public_key)),
            _ => {}
        }
    }
    if !has(args, "-noout") {
        out.push_str(&pem("CERTIFICATE", certificate.der));
    }
    output(call, args, out.into(), 0o644)
}
