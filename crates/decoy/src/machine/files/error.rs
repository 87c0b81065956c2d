//! Why a call on files failed, as errno(3) has it.

/// Why it did not work. [`errno_text`](FileError::errno_text) gives the words of glibc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// ENOENT
    #[error("no such file or directory")]
    NotFound,
    /// EEXIST
    #[error("file exists")]
    Exists,
    /// ENOTDIR
    #[error("not a directory")]
    NotADirectory,
    /// EISDIR
    #[error("is a directory")]
    IsADirectory,
    /// ENOTEMPTY
    #[error("directory not empty")]
    NotEmpty,
    /// EACCES
    #[error("permission denied")]
    Denied,
    /// EPERM
    #[error("operation not permitted")]
    NotPermitted,
    /// EROFS
    #[error("read-only file system")]
    ReadOnly,
    /// ENOSPC
    #[error("no space left on device")]
    NoSpace,
    /// ELOOP
    #[error("too many levels of symbolic links")]
    TooManyLinks,
    /// ENAMETOOLONG
    #[error("file name too long")]
    NameTooLong,
    /// EBUSY
    #[error("device or resource busy")]
    Busy,
    /// ENXIO
    #[error("no such device or address")]
    NoDevice,
    /// EINVAL
    #[error("invalid argument")]
    Invalid,
    /// EIO
    #[error("input/output error")]
    Io,
}

impl FileError {
    /// What `strerror` of glibc 2.36 says.
    pub fn errno_text(&self) -> &'static str {
        match self {
            Self::NotFound => "No such file or directory",
            Self::Exists => "File exists",
            Self::NotADirectory => "Not a directory",
            Self::IsADirectory => "Is a directory",
            Self::NotEmpty => "Directory not empty",
            Self::Denied => "Permission denied",
            Self::NotPermitted => "Operation not permitted",
            Self::ReadOnly => "Read-only file system",
            Self::NoSpace => "No space left on device",
            Self::TooManyLinks => "Too many levels of symbolic links",
            Self::NameTooLong => "File name too long",
            Self::Busy => "Device or resource busy",
            Self::NoDevice => "No such device or address",
            Self::Invalid => "Invalid argument",
            Self::Io => "Input/output error",
        }
    }
}

/// What an operation gives.
pub type Result<T> = std::result::Result<T, FileError>;
