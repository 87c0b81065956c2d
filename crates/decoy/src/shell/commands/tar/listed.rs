//! A member of an archive as `tar tv` shows it.

use chrono::{DateTime, Utc};

use super::{member::Member, order::Order};

/// A row of `tar tv`.
pub(super) fn listed(member: &Member, order: &Order) -> String {
    let kind = match member.kind {
        b'1' => 'h',
        b'2' => 'l',
        b'3' => 'c',
        b'4' => 'b',
        b'5' => 'd',
        b'6' => 'p',
        _ => '-',
    };
    let bits: String = (0..9)
        .rev()
        .map(|bit| {
            let set = member.mode >> bit & 1 == 1;
            let special = bit % 3 == 0 && member.mode >> (9 + bit / 3) & 1 == 1;
            match (special, set) {
                (true, true) => {
                    if bit == 0 {
                        't'
                    } else {
                        's'
                    }
                }
                (true, false) => {
                    if bit == 0 {
                        'T'
                    } else {
                        'S'
                    }
                }
                (false, true) => ['x', 'w', 'r'].get(bit % 3).copied().unwrap_or('-'),
                (false, false) => '-',
            }
        })
        .collect();
    let time = DateTime::<Utc>::from_timestamp(member.mtime as i64, 0).unwrap_or_default();
    let named = |name: &str, id: u32| {
        if order.numeric || name.is_empty() { id.to_string() } else { name.to_owned() }
    };
    let owner = format!("{}/{}", named(&member.user, member.uid), named(&member.group, member.gid));
    let size = match member.kind {
        b'3' | b'4' => format!("{},{}", member.device.0, member.device.1),
        _ => member.size.to_string(),
    };
    let width = 19_usize.saturating_sub(owner.len() + 1);
    let link = match member.kind {
        b'2' => format!(" -> {}", member.link),
        b'1' => format!(" link to {}", member.link),
        _ => String::new(),
    };
    format!(
        "{kind}{bits} {owner} {size:>width$} {} {}{link}\n",
        time.format(if order.full_time { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M" }),
        member.name
    )
}
