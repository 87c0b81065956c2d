//! Why a request gets no answer; the guard of its route shows it as a page or as JSON.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::store::StoreError;

/// Why a request gets no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(&'static str),
    /// A parameter or a field is wrong.
    #[error("{0}")]
    Wrong(String),
    /// Nobody is signed in.
    #[error("sign in, or send `Authorization: Bearer` with an API token")]
    NotSignedIn,
    /// Somebody is, but may not.
    #[error("this needs the role {0}")]
    NotAllowed(&'static str),
    /// A form that was not filled in on our own page.
    #[error("the form is out of date or came from another site; open the page again and repeat")]
    Forged,
    /// Too many attempts.
    #[error("too many attempts; wait {0} seconds")]
    TooMany(u64),
    /// More than is read.
    #[error("the request is too large")]
    TooLarge,
    /// The path exists, the method does not.
    #[error("this method is not allowed here")]
    Method,
    /// The database.
    #[error("the database did not answer; the log of the registry says why")]
    Store(#[from] StoreError),
    /// The archive.
    #[error("the archive did not answer; the log of the registry says why")]
    Archive(#[from] crate::log_archive::ArchiveError),
    /// A page could not be written.
    #[error("the page could not be written")]
    Template(#[from] askama::Error),
    /// A password could not be hashed.
    #[error("{0}")]
    Password(#[from] crate::password::PasswordError),
}

impl Failure {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Wrong(_) | Self::Password(_) => StatusCode::BAD_REQUEST,
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::NotAllowed(_) | Self::Forged => StatusCode::FORBIDDEN,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Store(_) | Self::Archive(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The word in the `error` field of the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Wrong(_) | Self::Password(_) => "invalid",
            Self::NotSignedIn => "unauthorized",
            Self::NotAllowed(_) => "forbidden",
            Self::Forged => "forged",
            Self::TooMany(_) => "too_many",
            Self::TooLarge => "too_large",
            Self::Method => "method_not_allowed",
            Self::Store(_) => "database",
            Self::Archive(_) => "archive",
            Self::Template(_) => "internal",
        }
    }
}

/// A failure on its way to the guard.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub word: &'static str,
    pub message: String,
    pub wait: Option<u64>,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if self.status().is_server_error() {
            let error: &dyn std::error::Error = &self;
            tracing::error!(error, cause = error.source(), "a request failed");
        }
        let wait = if let Self::TooMany(seconds) = self { Some(seconds) } else { None };
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Refusal { word: self.word(), message: self.to_string(), wait });
        response
    }
}
