//! Content for files of which only the listing is known: as long as listed, and of the kind that their name promises.

use bytes::Bytes;

use super::{program, tree::Listed};

/// The content of a listed file: `known` first, cut or filled up to the listed size. The same for the same file.
pub(super) fn content(listed: &Listed, known: &[u8]) -> Bytes {
    let size = listed.size as usize;
    let mut text = known.to_vec();
    if let Some(at) = text.iter().position(|byte| *byte == 0).filter(|_| !known.is_empty()) {
        text.truncate(at);
    }
    if text.is_empty() {
        if is_binary(&listed.path) {
            let seed = seed(&listed.path);
            return program::elf(seed as u32, size).into();
        }
        if !listed.head.is_empty() {
            text.extend_from_slice(listed.head.as_bytes());
            text.push(b'\n');
        }
    }
    if text.len() > size {
        cut(&mut text, size);
    }
    fill(&mut text, listed, size);
    text.into()
}

/// Cut at the end of a line, so that the last line is whole; what is missing then is filled.
fn cut(text: &mut Vec<u8>, size: usize) {
    text.truncate(size);
    match memchr::memrchr(b'\n', text) {
        Some(end) => text.truncate(end + 1),
        None => text.truncate(size.saturating_sub(1)),
    }
}

/// Whether the name promises something that is not text.
fn is_binary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    [".so", ".o", ".a", ".ko", ".bin", ".mo", ".pyc"].iter().any(|end| name.ends_with(end))
        || name.contains(".so.")
}

fn seed(text: &str) -> u64 {
    // FNV-1a
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Lines by kind; `{n}` is a number, `{w}` a word.
fn lines_of(listed: &Listed) -> (&'static [&'static str], &'static str) {
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
    let head = &listed.head;
    if head.contains("perl") || listed.path.ends_with(".pl") || listed.path.ends_with(".pm") {
        (PERL, "# end\n")
    } else if head.contains("python") || listed.path.ends_with(".py") {
        (PYTHON, "# end\n")
    } else if head.contains("sh") || listed.path.ends_with(".sh") {
        (SHELL, "exit 0\n")
    } else {
        (PLAIN, "#\n")
    }
}

fn fill(text: &mut Vec<u8>, listed: &Listed, size: usize) {
    const WORDS: [&str; 24] = [
        "option", "file", "name", "prefix", "verbose", "force", "target", "source", "mode", "status", "config", "value",
        "output", "input", "temp", "count", "suffix", "default", "package", "version", "state", "user", "group", "path",
    ];
    let (kinds, end) = lines_of(listed);
    let mut state = seed(&listed.path) | 1;
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

    fn listed(path: &str, size: u32, head: &str) -> Listed {
        Listed { path: path.to_owned(), size, head: head.to_owned() }
    }

    proptest! {
        #[test]
        fn content_has_the_listed_size(
            size in 1_u32..5000, known in proptest::collection::vec(any::<u8>(), 0..6000), kind in 0_usize..5,
        ) {
            let path = ["/usr/bin/x", "/etc/x.conf", "/usr/lib/libx.so.1", "/usr/share/x.pl", "/usr/lib/x.py"][kind];
            let listed = listed(path, size, ["", "#!/bin/sh", "", "", "#!/usr/bin/python3"][kind]);
            let content = content(&listed, &known);
            prop_assert_eq!(content.len(), size as usize);
        }
    }

    #[test]
    fn known_text_comes_first_and_the_end_is_a_line() {
        let listed = listed("/etc/app/app.conf", 400, "");
        let text = content(&listed, b"[main]\nport = 80\n");
        assert!(text.starts_with(b"[main]\nport = 80\n") && text.ends_with(b"\n"));
        assert_eq!(content(&listed, b""), content(&listed, b""));
    }
}
