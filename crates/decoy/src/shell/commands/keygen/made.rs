//! Keys that are made or changed.

use std::time::Duration;

use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use ssh_key::{
    Algorithm, EcdsaCurve, LineEnding, PrivateKey,
    private::{KeypairData, RsaKeypair},
};

use super::{Asked, Stop, Talk, art, file, print_of, private};
use crate::shell::commands::{Call, sources, working};

/// Larger keys take minutes; nobody waits for them here.
const LARGEST: usize = 4096;
/// How long the visitor waits for a larger one: longer than they do.
const FOR_EVER: Duration = Duration::from_secs(1800);

/// A new key of this kind.
fn new(kind: &str, bits: usize) -> Option<PrivateKey> {
    let mut rng = rand::rng();
    let algorithm = match (kind, bits) {
        ("ed25519", _) => Algorithm::Ed25519,
        ("ecdsa", 384) => Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        ("ecdsa", 521) => Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        ("ecdsa", _) => Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        _ => {
            let pair = working::at_length(|| RsaKeypair::random(&mut rand::rng(), bits)).ok()?;
            return PrivateKey::new(KeypairData::from(pair), "").ok();
        }
    };
    PrivateKey::random(&mut rng, algorithm).ok()
}

fn kind_and_bits(asked: &Asked) -> Result<(&'static str, usize), Stop> {
    let kind = match asked.kind.as_deref().unwrap_or("rsa").to_ascii_lowercase().as_str() {
        "rsa" | "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" => "rsa",
        "ed25519" | "ssh-ed25519" => "ed25519",
        "ecdsa" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => "ecdsa",
        other => return Err(Stop::fatal(format!("unknown key type {other}"))),
    };
    let bits = match &asked.bits {
        None => None,
        Some(text) => match text.parse::<i64>() {
            Ok(bits) if bits >= 10 && bits <= 32_768 => usize::try_from(bits).ok(),
            Ok(bits) => {
                let why = if bits < 10 { "too small" } else { "too large" };
                return Err(Stop::fatal(format!("Bits has bad value {text} ({why})")));
            }
            Err(_) => return Err(Stop::fatal(format!("Bits has bad value {text} (invalid)"))),
        },
    };
    match (kind, bits) {
        ("rsa", Some(bits)) if bits < 1024 => {
            Err(Stop::fatal("Invalid RSA key length: minimum is 1024 bits"))
        }
        ("rsa", Some(bits)) if bits > 16_384 => {
            Err(Stop::fatal("Invalid RSA key length: maximum is 16384 bits"))
        }
        ("ecdsa", Some(bits)) if !matches!(bits, 256 | 384 | 521) => {
            Err(Stop::fatal("Invalid ECDSA key length: valid lengths are 256, 384 or 521 bits"))
        }
        ("rsa", bits) => Ok(("rsa", bits.unwrap_or(3072))),
        (kind, bits) => Ok((kind, bits.unwrap_or(256))),
    }
}

pub(super) async fn make(call: &Call<'_>, asked: &Asked, talk: &mut Talk) -> Result<(), Stop> {
    let (kind, bits) = kind_and_bits(asked)?;
    if !asked.quiet {
        talk.say(&format!("Generating public/private {kind} key pair.\n"));
    }
    if kind == "rsa" && bits > LARGEST {
        talk.flush();
        call.session.contact.visitor.clock().pass(FOR_EVER).await;
        return Err(Stop(String::new(), 1));
    }
    let Some(mut key) = new(kind, bits) else { return Err(Stop::fatal("key generation failed")) };
    let name = file(call, asked, "Enter file in which to save the key", talk).await?;
    if asked.file.is_none() {
        make_folder(call, &name, talk);
    }
    if call.files().lstat(&call.path(&name)).is_ok() {
        talk.say(&format!("{name} already exists.\n"));
        let answer = talk.ask("Overwrite (y/n)? ", false).await.unwrap_or_default();
        if !answer.starts_with(['y', 'Y']) {
            return Err(Stop(String::new(), 1));
        }
    }
    let passphrase = new_passphrase(asked, talk, "Enter passphrase (empty for no passphrase): ").await?;
    let comment = asked
        .comment
        .clone()
        .unwrap_or_else(|| format!("{}@{}", call.session.user_name(), call.identity().hostname));
    key.set_comment(comment);
    save(call, &key, &name, &passphrase, asked.format.as_deref())?;
    let public = key.public_key();
    let text = public.to_openssh().unwrap_or_default() + "\n";
    if let Err(error) = sources::write_as(call, &format!("{name}.pub"), text.as_bytes(), 0o644) {
        return Err(Stop(format!("Unable to save public key to {name}.pub: {}\n", error.errno_text()), 1));
    }
    if !asked.quiet {
        talk.say(&format!(
            "Your identification has been saved in {name}\nYour public key has been saved in {name}.pub\nThe key fingerprint is:\n{} {}\nThe key's randomart image is:\n{}",
            print_of(public, None)?,
            public.comment(),
            art(public)
        ));
    }
    Ok(())
}

/// The folder of a user's keys, if that is where the file shall be.
fn make_folder(call: &Call<'_>, name: &str, talk: &mut Talk) {
    let folder = format!("{}/.ssh", call.var("HOME").unwrap_or_default());
    if name.starts_with(&folder)
        && !call.files().is_dir(&call.path(&folder))
        && call.files().make_dir(&call.path(&folder), &call.session.who(), 0o700).is_ok()
    {
        talk.say(&format!("Created directory '{folder}'.\n"));
    }
}

async fn new_passphrase(asked: &Asked, talk: &mut Talk, question: &str) -> Result<String, Stop> {
    if let Some(new) = &asked.new {
        return Ok(new.clone());
    }
    for _ in 0..8 {
        let first = talk.ask(question, true).await.unwrap_or_default();
        let second = talk.ask("Enter same passphrase again: ", true).await.unwrap_or_default();
        if first == second {
            return Ok(first);
        }
        talk.say("Passphrases do not match.  Try again.\n");
    }
    Err(Stop(String::new(), 1))
}

/// Writes the private key.
fn save(
    call: &Call<'_>,
    key: &PrivateKey,
    name: &str,
    passphrase: &str,
    format: Option<&str>,
) -> Result<(), Stop> {
    let pem = match (format, key.key_data()) {
        (Some("PEM" | "pem" | "PKCS8" | "pkcs8"), KeypairData::Rsa(pair)) if passphrase.is_empty() => {
            rsa::RsaPrivateKey::try_from(pair)
                .ok()
                .and_then(|key| key.to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).ok())
                .map(|text| text.to_string())
        }
        _ => None,
    };
    let text = match pem {
        Some(text) => text,
        None if passphrase.is_empty() => {
            key.to_openssh(LineEnding::LF).map(|text| text.to_string()).unwrap_or_default()
        }
        None => working::at_length(|| key.encrypt(&mut rand::rng(), passphrase))
            .and_then(|key| key.to_openssh(LineEnding::LF).map(|text| text.to_string()))
            .unwrap_or_default(),
    };
    let saved = sources::write_as(call, name, text.as_bytes(), 0o600);
    let saved = saved.and_then(|()| call.files().set_mode(&call.path(name), 0o600));
    saved.map_err(|error| Stop(format!("Saving key \"{name}\" failed: {}\n", error.errno_text()), 1))
}

/// An RSA key in the older form.
pub(super) fn from_pem(bytes: &[u8]) -> Option<PrivateKey> {
    let key = rsa::RsaPrivateKey::from_pkcs1_pem(std::str::from_utf8(bytes).ok()?).ok()?;
    PrivateKey::new(KeypairData::from(RsaKeypair::try_from(key).ok()?), "").ok()
}

/// `-A`: keys of the host that are missing.
pub(super) fn host_keys(call: &Call<'_>, talk: &mut Talk) -> Result<(), Stop> {
    let mut first = true;
    for (kind, bits, label) in [("rsa", 3072, "RSA"), ("ecdsa", 256, "ECDSA"), ("ed25519", 256, "ED25519")] {
        let name = format!("/etc/ssh/ssh_host_{kind}_key");
        if call.files().lstat(&name).is_ok() {
            continue;
        }
        talk.say(if first { "ssh-keygen: generating new host keys: " } else { "" });
        first = false;
        talk.say(&format!("{label} "));
        let Some(mut key) = new(kind, bits) else { continue };
        key.set_comment(format!("{}@{}", call.session.user_name(), call.identity().hostname));
        save(call, &key, &name, "", None)?;
        let text = key.public_key().to_openssh().unwrap_or_default() + "\n";
        sources::write_as(call, &format!("{name}.pub"), text.as_bytes(), 0o644).map_err(|error| {
            Stop(format!("Unable to save public key to {name}.pub: {}\n", error.errno_text()), 1)
        })?;
    }
    if !first {
        talk.say("\n");
    }
    Ok(())
}

/// `-p`: another passphrase.
pub(super) async fn passphrase(call: &Call<'_>, asked: &Asked, talk: &mut Talk) -> Result<(), Stop> {
    let name = file(call, asked, "Enter file in which the key is", talk).await?;
    let key = private(call, asked, &name, talk).await?;
    talk.say(&format!("Key has comment '{}'\n", key.comment()));
    let new = new_passphrase(asked, talk, "Enter new passphrase (empty for no passphrase): ").await?;
    save(call, &key, &name, &new, asked.format.as_deref())?;
    talk.say("Your identification has been saved with the new passphrase.\n");
    Ok(())
}

/// `-c`: another comment.
pub(super) async fn comment(call: &Call<'_>, asked: &Asked, talk: &mut Talk) -> Result<(), Stop> {
    let name = file(call, asked, "Enter file in which the key is", talk).await?;
    let mut key = private(call, asked, &name, talk).await?;
    let old = key.comment().to_string();
    talk.say(&if old.is_empty() {
        "No existing comment\n".to_owned()
    } else {
        format!("Old comment: {old}\n")
    });
    let new = match &asked.comment {
        Some(comment) => comment.clone(),
        None => talk.ask("New comment: ", false).await.unwrap_or_default(),
    };
    key.set_comment(new.as_str());
    save(call, &key, &name, asked.old.as_deref().unwrap_or_default(), None)?;
    let text = key.public_key().to_openssh().unwrap_or_default() + "\n";
    let _ = sources::write_as(call, &format!("{name}.pub"), text.as_bytes(), 0o644);
    talk.say(&if new.is_empty() {
        "Comment removed\n".to_owned()
    } else {
        format!("Comment '{new}' applied\n")
    });
    Ok(())
}
