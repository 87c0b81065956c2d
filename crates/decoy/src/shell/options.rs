//! A command that begins like an option: sshd gives it to `bash -c`, which takes it for one.

/// Letters that bash takes (shell.c and `set`).
const LETTERS: &str = "abefhkmnptuvxBCEHPTilrsDc";
const USAGE: &str = "Usage:\tbash [GNU long option] [option] ...\n\tbash [GNU long option] [option] script-file ...\nGNU long options:\n\t--debug\n\t--debugger\n\t--dump-po-strings\n\t--dump-strings\n\t--help\n\t--init-file\n\t--login\n\t--noediting\n\t--noprofile\n\t--norc\n\t--posix\n\t--pretty-print\n\t--rcfile\n\t--restricted\n\t--verbose\n\t--version\nShell options:\n\t-ilrsD or -c command or -O shopt_option\t\t(invocation only)\n\t-abefhkmnptuvxBCEHPT or -o option\n";

/// bash's complaint about a command line that is an option to it; `None` when it is none.
pub(super) fn of_the_shell(line: &str) -> Option<String> {
    let sign = line.chars().next().filter(|sign| matches!(sign, '-' | '+'))?;
    let letters = line.get(1..)?;
    if sign == '-' && matches!(letters, "" | "-") {
        return Some("bash: -c: option requires an argument\n".to_owned());
    }
    for letter in letters.chars() {
        if matches!(letter, 'o' | 'O') {
            return None;
        }
        if !LETTERS.contains(letter) {
            return Some(format!("bash: {sign}{letter}: invalid option\n{USAGE}"));
        }
    }
    Some("bash: -c: option requires an argument\n".to_owned())
}

#[cfg(test)]
mod tests {
    use super::of_the_shell;

    #[test]
    fn options_are_no_commands() {
        assert!(of_the_shell("--version").unwrap().starts_with("bash: --: invalid option\nUsage:"));
        assert_eq!(of_the_shell("-v").unwrap(), "bash: -c: option requires an argument\n");
        assert!(of_the_shell("+!!W").unwrap().starts_with("bash: +!: invalid option\n"));
        assert_eq!(of_the_shell("ls -l"), None);
    }
}
