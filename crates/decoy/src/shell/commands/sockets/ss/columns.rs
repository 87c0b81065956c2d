//! Rows of `ss` in columns as wide as they have to be, or as the screen is.

use super::Asked;
use crate::shell::commands::Call;

/// Columns from the left: their headings, what parts each from the one before, and whether it stands to the right.
const COLUMNS: [(&str, &str, bool); 9] = [
    ("Netid", "", false),
    ("State", " ", false),
    ("Recv-Q", " ", false),
    ("Send-Q", " ", false),
    ("Local Address:", " ", true),
    ("Port", "", false),
    ("Peer Address:", " ", true),
    ("Port", "", false),
    ("Process", "", false),
];

pub(super) type Row = [String; 9];

/// Rows under their headings, as wide as they have to be; on a terminal they fill it.
pub(super) fn table(call: &Call<'_>, asked: &Asked, rows: &[Row], one_kind: bool, no_state: bool) -> String {
    let hidden = |at: usize| at == 0 && one_kind || at == 1 && no_state;
    let headings = !asked.has('H');
    let mut widths = [0_usize; 9];
    let mut first = true;
    for (at, (heading, before, _)) in COLUMNS.iter().enumerate().filter(|(at, _)| !hidden(*at)) {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        let most = cells.chain(headings.then_some(heading.len())).max().unwrap_or(0);
        if let Some(width) = widths.get_mut(at) {
            *width = most + if first || most == 0 { 0 } else { before.len() };
        }
        first = false;
    }
    if call.to_terminal {
        spread(&mut widths, call.session.window().0.max(20) as usize);
    }
    let line = |cells: Vec<&str>| {
        let mut text = String::new();
        let mut first = true;
        for (at, cell) in cells.into_iter().enumerate().filter(|(at, _)| !hidden(*at)) {
            let (_, before, right) = COLUMNS.get(at).copied().unwrap_or_default();
            let before = if first { "" } else { before };
            first = false;
            let room = widths.get(at).copied().unwrap_or_default().saturating_sub(before.len());
            text.push_str(before);
            text += &if right { format!("{cell:>room$}") } else { format!("{cell:<room$}") };
        }
        text + "\n"
    };
    let mut text = String::new();
    if headings {
        text += &line(COLUMNS.iter().map(|(heading, ..)| *heading).collect());
    }
    for row in rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}

/// Gives what is left of each line of the screen to its columns (`render_calc_width` of misc/ss.c).
fn spread(widths: &mut [usize; 9], screen: usize) {
    let (mut length, mut from) = (0, 0);
    let mut at = 0;
    while at < widths.len() {
        let width = widths.get(at).copied().unwrap_or(0);
        if width == 0 {
            at += 1;
            continue;
        }
        length += width;
        let last = widths.iter().skip(at + 1).all(|width| *width == 0);
        if !last && length < screen {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        if length > screen && at > from {
            length -= width;
            end = at;
        }
        let shown = widths.iter().take(end).skip(from).filter(|width| **width > 0).count();
        let pad = screen.saturating_sub(length);
        if let Some(share) = pad.checked_div(shown) {
            let mut rest = pad % shown;
            // What cannot be shared evenly goes to the last ones.
            for width in widths.iter_mut().take(end).skip(from).rev().filter(|width| **width > 0) {
                *width += share + usize::from(rest > 0);
                rest = rest.saturating_sub(1);
            }
        }
        (length, from, at) = (0, end, end);
    }
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn columns_fill_the_screen_as_in_ss() {
        // `ss -tln` on 80 columns: State, Recv-Q, Send-Q, address, port, address, port, Process.
        let mut widths = [0, 6, 7, 7, 15, 4, 14, 4, 7];
        spread(&mut widths, 80);
        assert_eq!(widths, [0, 8, 9, 9, 17, 6, 16, 6, 9], "{widths:?}");
        // `ss -tlnp`: what the processes are goes over the edge.
        let mut widths = [0, 6, 7, 7, 15, 4, 14, 4, 75];
        spread(&mut widths, 80);
        assert_eq!(widths, [0, 9, 10, 10, 18, 7, 18, 8, 80], "{widths:?}");
    }
}
