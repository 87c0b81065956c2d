//! Daemons that are asked about their settings.

mod nginx;
mod sshd;

pub(super) use nginx::nginx;
pub(super) use sshd::sshd;

use super::{Call, finding};

/// The most files that settings may be spread over.
const MOST_FILES: usize = 200;

/// The files that a pattern in settings names.
fn matching(call: &Call<'_>, pattern: &str) -> Vec<String> {
    let Some((folder, last)) = pattern.rsplit_once('/') else { return Vec::new() };
    let Some(shape) = finding::glob(last) else { return Vec::new() };
    let names = call.files().list(folder).unwrap_or_default();
    let fits = names.into_iter().filter(|entry| shape.is_match(&entry.name) && !entry.name.starts_with('.'));
    fits.map(|entry| format!("{folder}/{}", entry.name)).collect()
}
