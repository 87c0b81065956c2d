//! The size of the visitor's window, which may change at any time.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Columns and rows; every clone is the same window.
#[derive(Clone, Debug)]
pub struct Window(Arc<AtomicU32>);

impl Window {
    /// A window of this size.
    pub fn new(columns: u16, rows: u16) -> Self {
        Self(Arc::new(AtomicU32::new(pack(columns, rows))))
    }

    /// The window has another size now.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.0.store(pack(columns, rows), Ordering::Relaxed);
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let packed = self.0.load(Ordering::Relaxed);
        ((packed >> 16) as u16, packed as u16)
    }
}

fn pack(columns: u16, rows: u16) -> u32 {
    u32::from(columns) << 16 | u32::from(rows)
}
