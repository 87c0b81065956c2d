//! Names that mean something to bash and nothing to dash.

/// Commands that bash has built in and dash has not.
const FOREIGN: &[&str] = &[
    "bind",
    "builtin",
    "caller",
    "compgen",
    "complete",
    "compopt",
    "declare",
    "dirs",
    "disown",
    "enable",
    "help",
    "history",
    "let",
    "logout",
    "mapfile",
    "popd",
    "pushd",
    "readarray",
    "shopt",
    "source",
    "suspend",
    "typeset",
];

/// Words that begin a construct of bash.
const CONSTRUCTS: &[&str] = &["[[", "coproc", "function", "select", "time"];

/// Variables that bash gives a meaning to.
const VARIABLES: &[&str] = &[
    "BASH",
    "BASHOPTS",
    "BASHPID",
    "BASH_ARGC",
    "BASH_ARGV",
    "BASH_COMMAND",
    "BASH_LINENO",
    "BASH_SOURCE",
    "BASH_SUBSHELL",
    "BASH_VERSINFO",
    "BASH_VERSION",
    "COMP_WORDBREAKS",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "HOSTNAME",
    "HOSTTYPE",
    "LINENO",
    "MACHTYPE",
    "OSTYPE",
    "PIPESTATUS",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SRANDOM",
    "UID",
];

/// Whether this command is bash's alone.
pub(super) fn is_foreign(name: &str) -> bool {
    FOREIGN.binary_search(&name).is_ok()
}

/// Whether bash reads a construct behind this word.
pub(super) fn is_construct(name: &str) -> bool {
    CONSTRUCTS.contains(&name)
}

/// A variable's name, so that bash gives it no meaning of its own.
pub(super) fn variable(name: &str) -> String {
    if VARIABLES.binary_search(&name).is_ok() { format!("{name}_") } else { name.to_owned() }
}

/// Whether a text is a name as variables have.
pub(super) fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched() {
        assert!(FOREIGN.is_sorted() && VARIABLES.is_sorted());
        assert_eq!(variable("UID"), "UID_");
        assert_eq!(variable("PPID"), "PPID");
    }
}
