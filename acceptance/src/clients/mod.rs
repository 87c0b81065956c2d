//! Visitors: an SSH client, and one for everything that speaks in lines.

pub mod lines;
pub mod ssh;

pub use lines::Lines;
pub use ssh::{LEAVING, Ssh};

/// Whether what a terminal shows ends in a prompt: the shell's own, or the one for a line that goes on.
pub fn at_prompt(shown: &[u8]) -> bool {
    let line = shown.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    // A prompt may be wrapped in colours and window titles.
    [b"# ".as_slice(), b"$ ", b"> "].iter().any(|end| line.ends_with(end))
}
