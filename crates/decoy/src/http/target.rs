//! From a request target to a path on the machine, as nginx's ngx_http_parse_complex_uri does it.

/// A cleaned target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Decoded, without `.`, `..`, doubled slashes and fragment; begins with `/`.
    pub path: String,
    /// What follows the `?`, as sent.
    pub query: Option<String>,
}

/// Cleans a path as sent; `None` where nginx answers 400.
pub(super) fn clean(raw: &[u8]) -> Option<Target> {
    let raw = raw.split(|&byte| byte == b'#').next().unwrap_or_default();
    let (path, query) = match memchr::memchr(b'?', raw) {
        Some(at) => (raw.get(..at).unwrap_or_default(), raw.get(at + 1..)),
        None => (raw, None),
    };
    let decoded = decode(path)?;
    let mut clean: Vec<u8> = Vec::with_capacity(decoded.len() + 1);
    clean.push(b'/');
    let mut parts = decoded.split(|&byte| byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            b"" | b"." => {}
            b".." => {
                // `clean` is "/" or "/a/…/": the last folder goes.
                if clean.len() == 1 {
                    return None;
                }
                clean.pop();
                let parent = memchr::memrchr(b'/', &clean).map_or(1, |at| at + 1);
                clean.truncate(parent);
            }
            _ => {
                clean.extend_from_slice(part);
                if !last {
                    clean.push(b'/');
                }
            }
        }
    }
    let path = String::from_utf8(clean)
        .unwrap_or_else(|fault| String::from_utf8_lossy(fault.as_bytes()).into_owned());
    Some(Target { path, query: query.map(|query| String::from_utf8_lossy(query).into_owned()) })
}

fn decode(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
        let value = digit(bytes.next())? * 16 + digit(bytes.next())?;
        if value == 0 {
            return None;
        }
        out.push(u8::try_from(value).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn targets_are_cleaned_as_by_nginx() {
        for (raw, want) in [
            ("/", Some("/")),
            ("", Some("/")),
            ("/a/b", Some("/a/b")),
            ("/a/b/", Some("/a/b/")),
            ("//a///b", Some("/a/b")),
            ("/a/./b/../c", Some("/a/c")),
            ("/a/..", Some("/")),
            ("/a/b/..", Some("/a/")),
            ("/..", None),
            ("/a/../..", None),
            ("/%2e%2e/x", None),
            ("/a%2fb", Some("/a/b")),
            ("/a%20b", Some("/a b")),
            ("/%zz", None),
            ("/%2", None),
            ("/%00", None),
            ("/a#b?c", Some("/a")),
        ] {
            assert_eq!(clean(raw.as_bytes()).map(|target| target.path).as_deref(), want, "{raw}");
        }
        assert_eq!(clean(b"/a?b=c&d=%zz").unwrap().query.as_deref(), Some("b=c&d=%zz"));
    }

    proptest! {
        #[test]
        fn no_target_leaves_the_web_root(raw in proptest::collection::vec(
            prop_oneof![Just(b'/'), Just(b'.'), Just(b'%'), Just(b'2'), Just(b'e'), any::<u8>()], 0..40)) {
            if let Some(target) = clean(&raw) {
                prop_assert!(target.path.starts_with('/'));
                prop_assert!(!target.path.split('/').any(|part| part == ".." || part == "."));
                prop_assert!(!target.path.contains("//"));
            }
        }
    }
}
