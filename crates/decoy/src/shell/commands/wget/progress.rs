//! What `wget` tells while it works: sizes, and a bar or dots.

use super::super::{Call, Said};
use crate::shell::io::Out;

/// Says something at once, so that a progress is seen while it goes on.
pub(super) fn tell(call: &Call<'_>, said: &mut Said, text: &str) {
    let channels = if call.to_terminal { call.session.channels.lock().clone() } else { None };
    match channels {
        Some((output, _)) => output(Out::Stderr, text.as_bytes()),
        None => said.err.extend_from_slice(text.as_bytes()),
    }
}

/// `1234 (1.2K)`: the second part from 1024 on.
pub(super) fn sized(bytes: usize) -> String {
    match bytes {
        0..1024 => bytes.to_string(),
        _ => format!("{bytes} ({})", short(bytes)),
    }
}

pub(super) fn short(bytes: usize) -> String {
    let kib = bytes as f64 / 1024.0;
    match kib {
        kib if kib < 10.0 => format!("{kib:.1}K"),
        kib if kib < 1024.0 => format!("{kib:.0}K"),
        kib if kib < 10_240.0 => format!("{:.1}M", kib / 1024.0),
        kib => format!("{:.0}M", kib / 1024.0),
    }
}

/// A bar at a terminal, dots elsewhere.
pub(super) fn progress(call: &Call<'_>, name: &str, size: usize) -> String {
    if !call.to_terminal {
        let mut text = String::new();
        let rows = size.div_ceil(50 * 1024).max(1);
        for row in 0..rows {
            let left = size.saturating_sub(row * 50 * 1024);
            let dots = left.div_ceil(1024).min(50);
            let done = ((row + 1) * 50 * 1024).min(size) * 100 / size.max(1);
            let mut line = String::new();
            for dot in 0..50 {
                if dot % 10 == 0 {
                    line.push(' ');
                }
                line.push(if dot < dots { '.' } else { ' ' });
            }
            let end = if row + 1 == rows { "=0.02s\n" } else { "0s\n" };
            text += &format!("{:>6}K{line} {done:>3}% {:>4}{end}", row * 50, short(2_300_000 + size));
        }
        return text;
    }
    let columns = call.session.window().0.clamp(60, 300) as usize;
    let bar = columns.saturating_sub(61).max(1);
    let shown: String =
        if name.chars().count() > 19 { name.chars().take(19).collect() } else { name.to_owned() };
    format!(
        "\r{shown:<20}100%[{}>] {:>7}  --.-KB/s    in 0.02s   \n",
        "=".repeat(bar.saturating_sub(1)),
        if size < 1024 { size.to_string() } else { format!("{:.2}K", size as f64 / 1024.0) }
    )
}
