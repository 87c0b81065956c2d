//! What bash 5.2 has built in: its own commands and the words of its grammar (`compgen -b`, `compgen -k`).

/// In the order of bytes.
const COMMANDS: &[&str] = &[
    ".",
    ":",
    "[",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "cd",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "declare",
    "dirs",
    "disown",
    "echo",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fc",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
];

const KEYWORDS: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if",
    "in", "select", "then", "time", "until", "while", "{", "}",
];

/// Whether bash itself is this command.
pub(super) fn is_one(name: &str) -> bool {
    COMMANDS.binary_search(&name).is_ok()
}

/// All words that bash knows without looking for a program.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().chain(KEYWORDS).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        assert!(COMMANDS.is_sorted());
        assert!(COMMANDS.iter().all(|name| is_one(name)));
        assert!(!is_one("bash") && !is_one("while"));
    }
}
