//! On whose behalf a call is made, and what it wants to do.

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl Owner {
    /// The super user.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
}

/// What somebody wants to do with a node (access(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read the file or list the directory.
    Read,
    /// Change the file, or make and remove names in the directory.
    Write,
    /// Run the file or walk through the directory.
    Execute,
}
