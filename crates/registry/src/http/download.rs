//! Handing out what visitors left behind: always as a file to be saved, never as something a browser would show.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;

use super::{console::Front, failure::Failure};
use crate::log_parser::is_sha256;

/// The largest file that is handed out; a bucket gives none that is larger.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A captured file from the archive.
pub(super) async fn artifact(front: &Front, sha256: &str) -> Result<Bytes, Failure> {
    let missing = Failure::NotFound("captured file of this name");
    // The name becomes a key of the archive: nothing but a digest may.
    if !is_sha256(sha256) || front.store.stored_artifact(sha256).await?.is_none() {
        return Err(missing);
    }
    let _turn = front.downloads.acquire().await.map_err(|_closed| Failure::TooMany(1))?;
    Ok(front.archive.get(&front.archive.artifact_key(sha256), LARGEST).await?)
}

/// A file to be saved under a name of ours: it holds letters, digits, `.` and `-` alone, whatever was asked for.
pub(super) fn attachment(name: &str, bytes: Bytes) -> Response {
    let name: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).take(100).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    (headers, bytes).into_response()
}
