//! Keys that are shown: fingerprints, the public half, another form.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ssh_key::{PrivateKey, PublicKey};

use super::{Asked, Stop, Talk, art, file, label, print_of, private};
use crate::shell::commands::{Call, sources};

/// The most keys of one file.
const MOST: usize = 1000;

/// The key in a line of `authorized_keys` or `known_hosts`, and what stands before it.
pub(super) fn in_line(line: &str) -> Option<(PublicKey, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut at = 0;
    // Hosts, a marker, or options may stand before it.
    for _ in 0..4 {
        let rest = line.get(at..)?;
        if let Ok(key) = PublicKey::from_openssh(rest) {
            return Some((key, line.get(..at)?.trim()));
        }
        at += rest.find([' ', '\t'])? + 1;
    }
    None
}

pub(super) async fn fingerprint(call: &Call<'_>, asked: &Asked, talk: &mut Talk) -> Result<(), Stop> {
    let name = file(call, asked, "Enter file in which the key is", talk).await?;
    let bytes = sources::read(call, &name)
        .map_err(|error| Stop::fatal(format!("ssh-keygen: {name}: {}", error.errno_text())))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut keys: Vec<(PublicKey, String)> = Vec::new();
    if text.starts_with("-----BEGIN") {
        let beside = sources::read(call, &format!("{name}.pub")).unwrap_or_default();
        let beside = String::from_utf8_lossy(&beside).into_owned();
        let key = beside.lines().find_map(in_line).map(|(key, _)| key).or_else(|| {
            let key = PrivateKey::from_openssh(&bytes).ok().or_else(|| super::made::from_pem(&bytes))?;
            Some(key.public_key().clone())
        });
        keys.extend(key.map(|key| (key, String::new())));
    } else {
        keys.extend(
            text.lines().filter_map(in_line).take(MOST).map(|(key, before)| (key, before.to_owned())),
        );
    }
    if keys.is_empty() {
        return Err(Stop::fatal(format!("{name} is not a public key file.")));
    }
    for (key, before) in keys {
        let (kind, bits) = label(key.key_data());
        let comment = match (key.comment().to_string(), before.as_str()) {
            (comment, "") if comment.is_empty() => "no comment".to_owned(),
            (comment, before) if comment.is_empty() => before.to_owned(),
            (comment, _) => comment,
        };
        let print = print_of(&key, asked.hash.as_deref())?;
        talk.say(&format!("{bits} {print} {comment} ({kind})\n"));
        if asked.verbose {
            talk.say(&art(&key));
        }
    }
    Ok(())
}

/// `-y`: the public half of a private key.
pub(super) async fn public(call: &Call<'_>, asked: &Asked, talk: &mut Talk) -> Result<(), Stop> {
    let name = file(call, asked, "Enter file in which the key is", talk).await?;
    let key = private(call, asked, &name, talk).await?;
    talk.say(&(key.public_key().to_openssh().unwrap_or_default() + "\n"));
    Ok(())
}

/// `-e`: as RFC 4716 writes it.
pub(super) async fn export(call: &Call<'_>, asked: &Asked, talk: &mut Talk) -> Result<(), Stop> {
    let name = file(call, asked, "Enter file in which the key is", talk).await?;
    let bytes =
        sources::read(call, &name).map_err(|error| Stop::fatal(format!("{name}: {}", error.errno_text())))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let key = match text.lines().find_map(in_line) {
        Some((key, _)) => key,
        None => private(call, asked, &name, talk).await?.public_key().clone(),
    };
    let (kind, bits) = label(key.key_data());
    match asked.format.as_deref() {
        None | Some("RFC4716" | "rfc4716") => {}
        Some("PEM" | "pem") => {
            return Err(Stop::fatal(format!("do_convert_to_pem: unsupported key type {kind}")));
        }
        Some("PKCS8" | "pkcs8") => {
            return Err(Stop::fatal(format!("do_convert_to_pkcs8: unsupported key type {kind}")));
        }
        Some(other) => return Err(Stop::fatal(format!("Unsupported conversion format \"{other}\""))),
    }
    let host = format!("{}@{}", call.session.user_name(), call.identity().hostname);
    talk.say(&format!(
        "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"{bits}-bit {kind}, converted by {host} from OpenSSH\"\n"
    ));
    let body = STANDARD.encode(key.to_bytes().unwrap_or_default());
    for line in body.as_bytes().chunks(70) {
        talk.say(&format!("{}\n", String::from_utf8_lossy(line)));
    }
    talk.say("---- END SSH2 PUBLIC KEY ----\n");
    Ok(())
}
