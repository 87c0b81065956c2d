//! How sftp says that something went well, or did not.

use decoy::machine::FileError;
use russh_sftp::{
    protocol::{Status, StatusCode},
    server::StatusReply,
};

/// A status that is not well.
pub struct Fault(pub StatusCode);

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        Self(match error {
            // errno_to_portable of sftp-server.c
            FileError::NotFound | FileError::NotADirectory | FileError::TooManyLinks => {
                StatusCode::NoSuchFile
            }
            FileError::Denied | FileError::NotPermitted => StatusCode::PermissionDenied,
            _ => StatusCode::Failure,
        })
    }
}

impl From<Fault> for StatusReply {
    fn from(fault: Fault) -> Self {
        fault.0.into()
    }
}

/// The answer that all is well.
pub fn well(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: "Success".to_owned(),
        language_tag: String::new(),
    }
}
