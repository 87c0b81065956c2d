//! Whether the registry is alive, and whether it can work.

use axum::extract::State;

use super::{console::Front, failure::Failure};

/// It answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Its database answers too.
pub(super) async fn ready(State(front): State<Front>) -> Result<&'static str, Failure> {
    front.store.ping().await?;
    Ok("ready\n")
}
