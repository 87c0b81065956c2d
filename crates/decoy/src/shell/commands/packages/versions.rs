//! Versions of packages, compared as dpkg does (deb-version(7)).

use std::cmp::Ordering;

use super::super::Said;

/// `dpkg --compare-versions A OP B`.
pub(super) fn compared(operands: &[String]) -> Said {
    let [one, relation, other] = operands else {
        return Said::err(
            "dpkg: error: --compare-versions takes three arguments: <version> <relation> <version>\n\nType dpkg --help for help about installing and deinstalling packages [*];\n",
            2,
        );
    };
    // An empty version stands before every other, or behind it with `-nl`.
    let order = match (one.is_empty(), other.is_empty()) {
        (false, false) => compare(one, other),
        (true, true) => Ordering::Equal,
        (empty, _) => {
            let first = if relation.ends_with("-nl") { Ordering::Greater } else { Ordering::Less };
            if empty { first } else { first.reverse() }
        }
    };
    let holds = match relation.trim_end_matches("-nl") {
        "lt" | "<<" => order.is_lt(),
        "le" | "<" | "<=" => order.is_le(),
        "eq" | "=" => order.is_eq(),
        "ne" => order.is_ne(),
        "ge" | ">" | ">=" => order.is_ge(),
        "gt" | ">>" => order.is_gt(),
        _ => {
            return Said::err(
                "dpkg: error: --compare-versions bad relation\n\nType dpkg --help for help about installing and deinstalling packages [*];\n",
                2,
            );
        }
    };
    Said::nothing(i32::from(!holds))
}

fn compare(one: &str, other: &str) -> Ordering {
    let cut = |text: &str| {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch.trim().parse::<u64>().unwrap_or(0), upstream.to_owned(), revision.to_owned())
    };
    let (a, b) = (cut(one), cut(other));
    a.0.cmp(&b.0).then_with(|| part(&a.1, &b.1)).then_with(|| part(&a.2, &b.2))
}

/// Letters before other signs, a tilde before everything, even the end; numbers by their value.
fn part(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one.as_bytes(), other.as_bytes());
    let rank = |byte: Option<&u8>| match byte {
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let is_sign = |text: &[u8]| text.first().is_some_and(|byte| !byte.is_ascii_digit());
    while !a.is_empty() || !b.is_empty() {
        while is_sign(a) || is_sign(b) {
            let order = rank(a.first()).cmp(&rank(b.first()));
            if order != Ordering::Equal {
                return order;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let number = |text: &[u8]| {
            let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
            let digits = text.get(..end).unwrap_or_default();
            let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
            (digits.get(zeros..).unwrap_or_default().to_vec(), end)
        };
        let ((left, left_end), (right, right_end)) = (number(a), number(b));
        let order = left.len().cmp(&right.len()).then_with(|| left.cmp(&right));
        if order != Ordering::Equal {
            return order;
        }
        a = a.get(left_end..).unwrap_or_default();
        b = b.get(right_end..).unwrap_or_default();
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_dpkg_does() {
        for (one, other, order) in [
            ("1.0", "2.0", Ordering::Less),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1:0.9", "2.0", Ordering::Greater),
            ("1.10", "1.9", Ordering::Greater),
            ("1.0-1", "1.0-1+b1", Ordering::Less),
            ("1.0a", "1.0+", Ordering::Less),
            ("1.00", "1.0", Ordering::Equal),
        ] {
            assert_eq!(compare(one, other), order, "{one} {other}");
        }
    }
}
