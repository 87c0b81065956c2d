//! What a shell and its programs share: who is at work, where output goes, how deep they are nested.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use super::{
    Launch,
    io::{Input, Output},
};
use crate::{
    dialogue::Contact,
    machine::{Files, Identity, Owner},
};

/// Shared by the shell, its programs and its view of the files.
pub(super) struct Session {
    pub(super) contact: Contact,
    pub(super) launch: Launch,
    uid: AtomicU32,
    gid: AtomicU32,
    umask: AtomicU32,
    columns: AtomicU32,
    rows: AtomicU32,
    /// Where output of the running line goes and input comes from.
    pub(super) channels: Mutex<Option<(Output, Input)>>,
    /// Command words of the running line that named nothing.
    pub(super) not_found: Mutex<Vec<String>>,
    /// Stops the library at its next command.
    pub(super) cancel: Mutex<Arc<AtomicBool>>,
    /// Where the stack was when the running line began; 0 between lines.
    stack_base: AtomicUsize,
}

/// The most stack that one line may use. Threads have 64 MiB; what is left is for the deepest single step.
pub(super) const MOST_STACK: usize = 24 * 1024 * 1024;

impl Session {
    pub(super) fn new(contact: &Contact, launch: Launch) -> Self {
        Self {
            uid: launch.account.uid.into(),
            gid: launch.account.gid.into(),
            umask: 0o022.into(),
            columns: u32::from(launch.window.0).into(),
            rows: u32::from(launch.window.1).into(),
            channels: Mutex::new(None),
            not_found: Mutex::default(),
            cancel: Mutex::default(),
            stack_base: AtomicUsize::new(0),
            contact: contact.clone(),
            launch,
        }
    }

    pub(super) fn files(&self) -> &Files {
        self.contact.visitor.files()
    }

    pub(super) fn identity(&self) -> &Identity {
        self.contact.visitor.identity()
    }

    /// Who is at work (changes with `su`).
    pub(super) fn who(&self) -> Owner {
        Owner { uid: self.uid.load(Ordering::Relaxed), gid: self.gid.load(Ordering::Relaxed) }
    }

    pub(super) fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }

    pub(super) fn set_window(&self, columns: u16, rows: u16) {
        self.columns.store(columns.into(), Ordering::Relaxed);
        self.rows.store(rows.into(), Ordering::Relaxed);
    }

    /// Remembers where the stack is now.
    pub(super) fn begin(&self) {
        self.stack_base.store(here(), Ordering::Relaxed);
    }

    /// Refuses to go deeper when the running line has used up its stack.
    pub(super) fn check_depth(&self) -> bashkit::Result<()> {
        if self.is_too_deep() {
            self.cancel.lock().store(true, Ordering::Relaxed);
            return Err(bashkit::Error::Cancelled);
        }
        Ok(())
    }

    pub(super) fn is_too_deep(&self) -> bool {
        let base = self.stack_base.load(Ordering::Relaxed);
        base != 0 && base.abs_diff(here()) > MOST_STACK
    }
}

/// Roughly where the stack pointer is.
#[inline(never)]
fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&mark)) as usize
}
