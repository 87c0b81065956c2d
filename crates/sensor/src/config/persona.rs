//! `[persona]`: who the machine is, and what is on it beyond its image.

use std::{path::Path, sync::Arc};

use decoy::machine::Image;
use settings::{Found, Section};

/// `[persona]`: what is not given is drawn from the bucket's identity.
#[derive(Debug)]
pub struct Persona {
    /// The files of the machine.
    pub image: Arc<Image>,
    /// Host name of the machine.
    pub hostname: Option<String>,
    /// People who have an account.
    pub users: Option<Vec<String>>,
    /// Programs beyond those of the image; what they say is the model's.
    pub programs: Vec<String>,
    /// Directories that exist; what is in them is the model's.
    pub directories: Vec<String>,
    /// Verbs after FTP's `SITE` that a script takes, in capitals; what it says is the model's.
    pub site_verbs: Vec<String>,
    /// Names whose mail a program takes; what it answers is the model's.
    pub piped_mail: Vec<String>,
}

impl Persona {
    /// Reads the section; what is wrong is reported to the tree of the file.
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let image =
            section.found_text("image").and_then(|found| match crate::image::load(Path::new(&found.value)) {
                Ok(image) => Some(image),
                Err(error) => {
                    let cause = std::error::Error::source(&error)
                        .map(|cause| format!(": {cause}"))
                        .unwrap_or_default();
                    section.fault("image", found.origin, format!("{error}{cause}"));
                    None
                }
            });
        let image = image.unwrap_or_else(|| Arc::clone(Image::debian_12()));
        let hostname = section.parsed(
            "hostname",
            "a host name of letters, digits and `-`, with a domain or without",
            |text| is_host_name(text).then(|| text.to_owned()),
        );
        let users = named(
            &mut section,
            "users",
            is_user_name,
            "a user name has up to 32 lower-case letters, digits, `_` and `-`",
        );
        let mut list =
            |key, fits: fn(&str) -> bool, wanted| named(&mut section, key, fits, wanted).unwrap_or_default();
        Self {
            image,
            hostname,
            users,
            programs: list(
                "programs",
                is_name,
                "a program is named by letters, digits, `.`, `_`, `+` and `-`",
            ),
            directories: list(
                "directories",
                is_folder,
                "a directory is an absolute path of plain names, such as /srv/backups",
            ),
            site_verbs: list(
                "site_verbs",
                is_verb,
                "a verb has up to 16 capital letters and is none of the daemon's own (HELP, UMASK, CHMOD)",
            ),
            piped_mail: list(
                "piped_mail",
                |text| is_user_name(text) && !matches!(text, "root" | "postmaster"),
                "the name of an address has up to 32 lower-case letters, digits, `_` and `-`, and is not root or postmaster",
            ),
        }
    }
}

/// A list of names, those that fit; `None` when there is no list.
fn named(
    section: &mut Section<'_>,
    key: &'static str,
    fits: impl Fn(&str) -> bool,
    wanted: &str,
) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for Found { value, origin } in section.texts(key)? {
        if fits(&value) {
            names.push(value);
        } else {
            section.fault(key, origin, wanted);
        }
    }
    Some(names)
}

fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
}

fn is_folder(text: &str) -> bool {
    text.len() <= 200 && text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_name))
}

fn is_verb(text: &str) -> bool {
    (1..=16).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase())
        && !matches!(text, "HELP" | "UMASK" | "CHMOD")
}

/// hostname(7): labels of up to 63 letters, digits and inner hyphens, 253 characters in all.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// useradd(8): `[a-z_][a-z0-9_-]*`, at most 32 characters.
pub(super) fn is_user_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}
