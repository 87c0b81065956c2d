//! Patterns of names, as programs take them from their arguments.

/// fnmatch(3) with stars and question marks.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.as_bytes(), pattern.as_bytes());
    let (mut at, mut here, mut star) = (0, 0, None);
    while at < name.len() {
        match pattern.get(here) {
            Some(b'*') => {
                star = Some((here, at));
                here += 1;
            }
            Some(sign) if *sign == b'?' || Some(sign) == name.get(at) => {
                here += 1;
                at += 1;
            }
            _ => match star {
                Some((begin, from)) => {
                    star = Some((begin, from + 1));
                    here = begin + 1;
                    at = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(here..).is_some_and(|rest| rest.iter().all(|sign| *sign == b'*'))
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn patterns_are_those_of_the_shell() {
        assert!(is_like("nginx-light", "ng*") && is_like("bash", "bash") && is_like("bash", "b?s*"));
        assert!(!is_like("bash", "bas") && !is_like("bash", "x*") && is_like("", "*"));
    }
}
