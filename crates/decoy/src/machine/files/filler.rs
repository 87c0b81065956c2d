//! Text for files of which only the listing is known: as long as listed, and of the kind that their name promises.

/// `size` bytes of text for the file at `path` whose first line is `first` (empty when nobody knows): `known` first, cut or
/// filled. The same for the same file.
pub(super) fn content(path: &str, first: &str, size: usize, known: &[u8]) -> Vec<u8> {
    let mut text = known.to_vec();
    if let Some(at) = text.iter().position(|byte| *byte == 0) {
        text.truncate(at);
    }
    if text.len() > size {
        cut(&mut text, size);
    }
    fill(&mut text, path, first, size);
    text
}

/// Cut at the end of a line, so that the last line is whole; what is missing then is filled.
fn cut(text: &mut Vec<u8>, size: usize) {
    text.truncate(size);
    match memchr::memrchr(b'\n', text) {
        Some(end) => text.truncate(end + 1),
        None => text.truncate(size.saturating_sub(1)),
    }
}

/// Whether the name promises text.
pub(super) fn is_text(path: &str) -> bool {
    const ENDS: [&str; 34] = [
        "bash",
        "c",
        "cfg",
        "cnf",
        "conf",
        "config",
        "css",
        "csv",
        "h",
        "htm",
        "html",
        "ini",
        "js",
        "json",
        "list",
        "log",
        "md",
        "php",
        "pl",
        "pm",
        "properties",
        "py",
        "rb",
        "rules",
        "service",
        "sh",
        "socket",
        "sql",
        "target",
        "timer",
        "toml",
        "txt",
        "xml",
        "yaml",
    ];
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() => ENDS.binary_search(&end).is_ok() || end == "yml",
        _ => {
            let named = [
                "copyright",
                "changelog",
                "README",
                "NEWS",
                "AUTHORS",
                "TODO",
                "LICENSE",
                "Makefile",
                "control",
            ];
            path.starts_with("/etc/")
                || path.starts_with("/opt/")
                || named.iter().any(|known| name.starts_with(known))
        }
    }
}

fn seed(text: &str) -> u64 {
    // FNV-1a
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Lines by kind; `{n}` is a number, `{w}` a word.
fn lines_of(path: &str, head: &str) -> (&'static [&'static str], &'static str) {
    const SHELL: &[&str] = &[
        "if [ -z \"${w}\" ]; then\n    {w}={n}\nfi\n",
        "# {w} {w}\n",
        "{w}() {\n    [ -n \"$1\" ] || return {n}\n    {w}=\"$1\"\n}\n",
        "case \"${w}\" in\n    {w}) {w}=yes ;;\n    *) {w}=no ;;\nesac\n",
        "{w}=\"${{w}:-{w}}\"\n\n",
    ];
    const PERL: &[&str] = &[
        "sub {w} {\n    my ($self, ${w}) = @_;\n    return unless defined ${w};\n}\n\n",
        "my ${w} = {n};\n",
        "# {w} the {w} of {w}\n",
        "if (${w} && !$opt{{w}}) {\n    push @{w}, ${w};\n}\n",
        "my %{w} = ({w} => {n}, {w} => {n});\n",
    ];
    const PYTHON: &[&str] = &[
        "def {w}({w}, {w}=None):\n    if {w} is None:\n        return {n}\n    return {w}.{w}({w})\n\n\n",
        "{w} = {n}\n",
        "# {w} {w}\n",
        "class {w}(object):\n    {w} = {n}\n\n",
    ];
    const PLAIN: &[&str] = &["# {w} {w}\n", "#{w} = {n}\n", "#{w} = {w}\n", "#\n"];
    if head.contains("perl") || path.ends_with(".pl") || path.ends_with(".pm") {
        (PERL, "# end\n")
    } else if head.contains("python") || path.ends_with(".py") {
        (PYTHON, "# end\n")
    } else if head.contains("sh") || path.ends_with(".sh") {
        (SHELL, "exit 0\n")
    } else {
        (PLAIN, "#\n")
    }
}

fn fill(text: &mut Vec<u8>, path: &str, first: &str, size: usize) {
    const WORDS: [&str; 24] = [
        "option", "file", "name", "prefix", "verbose", "force", "target", "source", "mode", "status",
        "config", "value", "output", "input", "temp", "count", "suffix", "default", "package", "version",
        "state", "user", "group", "path",
    ];
    let (kinds, end) = lines_of(path, first);
    let mut state = seed(path) | 1;
    let mut draw = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % most.max(1)
    };
    while text.len() < size {
        let mut piece = kinds.get(draw(kinds.len())).copied().unwrap_or("\n").to_owned();
        while piece.contains("{w}") {
            piece = piece.replacen("{w}", WORDS.get(draw(WORDS.len())).copied().unwrap_or("x"), 1);
        }
        while piece.contains("{n}") {
            piece = piece.replacen("{n}", &draw(100).to_string(), 1);
        }
        if text.len() + piece.len() + end.len() > size {
            break;
        }
        text.extend_from_slice(piece.as_bytes());
    }
    if text.len() + end.len() <= size {
        text.extend_from_slice(end.as_bytes());
    }
    // What is too short for a line becomes part of a last comment.
    let rest = size.saturating_sub(text.len());
    match rest {
        0 => {}
        1 => text.push(b'\n'),
        _ => {
            text.push(b'#');
            text.resize(size - 1, b'-');
            text.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn content_has_the_listed_size(
            size in 0_usize..5000, known in proptest::collection::vec(any::<u8>(), 0..6000), kind in 0_usize..4,
        ) {
            let path = ["/usr/bin/x", "/etc/x.conf", "/usr/share/x.pl", "/usr/lib/x.py"][kind];
            let first = ["#!/bin/sh", "", "", "#!/usr/bin/python3"][kind];
            prop_assert_eq!(content(path, first, size, &known).len(), size);
        }
    }

    #[test]
    fn known_text_comes_first_and_the_end_is_a_line() {
        let text = content("/etc/app/app.conf", "", 400, b"[main]\nport = 80\n");
        assert!(text.starts_with(b"[main]\nport = 80\n") && text.ends_with(b"\n"));
        assert_eq!(content("/etc/x", "", 300, b""), content("/etc/x", "", 300, b""));
    }

    #[test]
    fn names_promise_text_or_not() {
        for (path, text) in [
            ("/usr/share/doc/bash/copyright", true),
            ("/usr/share/doc/bash/changelog.Debian.gz", false),
            ("/etc/app/app.conf", true),
            ("/usr/lib/x86_64-linux-gnu/libc.so.6", false),
            ("/usr/bin/thing", false),
            ("/opt/app/settings", true),
            ("/usr/share/x/y.png", false),
        ] {
            assert_eq!(is_text(path), text, "{path}");
        }
    }
}
