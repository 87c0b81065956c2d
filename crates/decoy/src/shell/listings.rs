//! What programs list about the shell: the environment in bash's own order, the signals in its columns.

/// Variables that the library keeps in the environment and bash does not.
const HIDDEN: &[&str] = &["UID", "EUID", "PPID", "_TTY_0", "_TTY_1", "_TTY_2"];

/// The names of signals, as `kill -l` counts them; 32 and 33 are the C library's own.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// What a program of the library should have said; `None` when it is right as it is.
pub(super) fn corrected(name: &str, said: &str, interactive: bool) -> Option<String> {
    match name {
        "set" | "shopt" if interactive => of_interactive(said),
        "env" | "printenv" if said.contains("_TTY_") || said.contains("EUID=") || said.contains("PATH=") => {
            Some(environment(said, name == "env"))
        }
        "export" if said.contains(" EUID=") => {
            let hidden = |line: &&str| {
                line.split_once("=").is_none_or(|(front, _)| {
                    front.rsplit(' ').next().is_none_or(|name| !HIDDEN.contains(&name))
                })
            };
            Some(said.split_inclusive('\n').filter(hidden).collect())
        }
        "declare" | "typeset" if said.contains("-irx") => Some(said.replace("declare -irx ", "declare -ir ")),
        // Names of ours that nobody may see.
        "compgen" if said.contains('\u{2}') => {
            let hidden = |line: &&str| !line.contains(['\u{2}', '/']);
            Some(said.split_inclusive('\n').filter(hidden).collect())
        }
        // A NUL stands for itself in what is handed on.
        "printf" if said.contains('\u{10ff00}') => Some(said.replace('\u{10ff00}', "\0")),
        "kill" | "trap" if said.starts_with(" 1) SIGHUP\n") => Some(signals()),
        _ => None,
    }
}

/// Options as a shell that somebody types into has them; the library lists those of a script.
fn of_interactive(said: &str) -> Option<String> {
    const ON: [&str; 8] =
        ["emacs", "histexpand", "history", "monitor", "expand_aliases", "extglob", "login_shell", "progcomp"];
    const OFF: [&str; 1] = ["hostcomplete"];
    if !said.contains("\toff\n") && !said.contains("set +o ") {
        return None;
    }
    let rows = said.split_inclusive('\n').map(|row| {
        let name = row.trim_start_matches("set +o ").trim_start_matches("set -o ");
        let name = name.split([' ', '\t', '\n']).next().unwrap_or_default();
        if ON.contains(&name) {
            row.replace("\toff", "\ton").replace("set +o ", "set -o ")
        } else if OFF.contains(&name) {
            row.replace("\ton", "\toff")
        } else {
            row.to_owned()
        }
    });
    Some(rows.collect())
}

/// bash hands on its variables in the order of its hash table: FNV-1 of the name, in 1024 buckets.
fn environment(said: &str, with_program: bool) -> String {
    let mut variables: Vec<&str> = Vec::new();
    for line in said.split_inclusive('\n') {
        let name = line.split('=').next().unwrap_or_default();
        if !HIDDEN.contains(&name) && name != "_" {
            variables.push(line);
        }
    }
    variables.sort_by_key(|line| bucket(line.split('=').next().unwrap_or_default()));
    let program = if with_program { "_=/usr/bin/env\n" } else { "_=/usr/bin/printenv\n" };
    variables.into_iter().chain([program]).collect()
}

fn bucket(name: &str) -> u32 {
    name.bytes().fold(2_166_136_261_u32, |hash, byte| hash.wrapping_mul(16_777_619) ^ u32::from(byte)) & 1023
}

/// The name of a signal, without `SIG`.
pub(super) fn signal_name(number: u32) -> Option<String> {
    match number {
        0 => Some("EXIT".to_owned()),
        34 => Some("RTMIN".to_owned()),
        35..=49 => Some(format!("RTMIN+{}", number - 34)),
        50..=63 => Some(format!("RTMAX-{}", 64 - number)),
        64 => Some("RTMAX".to_owned()),
        number => SIGNALS.get(usize::try_from(number).ok()?.checked_sub(1)?).map(|name| (*name).to_owned()),
    }
}

/// The number of a signal that is named by number or name.
pub(super) fn signal_number(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (number <= 64 && !matches!(number, 32 | 33)).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    (0..=64_u8).find(|number| signal_name((*number).into()).is_some_and(|known| known == name))
}

/// All signals, as `kill -l` lists them.
pub(super) fn signals() -> String {
    let first = SIGNALS.iter().zip(1..).map(|(name, number)| (number, format!("SIG{name}")));
    let realtime = (34..=64).map(|number: i32| {
        let name = match number {
            34 => "SIGRTMIN".to_owned(),
            35..=49 => format!("SIGRTMIN+{}", number - 34),
            64 => "SIGRTMAX".to_owned(),
            _ => format!("SIGRTMAX-{}", 64 - number),
        };
        (number, name)
    });
    let mut listed = String::new();
    for (count, (number, name)) in first.chain(realtime).enumerate() {
        listed.push_str(&format!("{number:>2}) {name}"));
        listed.push(if count % 5 == 4 { '\n' } else { '\t' });
    }
    listed.push('\n');
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_come_in_the_order_of_the_table() {
        let said = "EUID=0\nHOME=/root\nLANG=C\nPATH=/bin\nSHELL=/bin/bash\nUSER=root\n_TTY_0=1\n";
        assert_eq!(
            corrected("env", said, false).unwrap(),
            "SHELL=/bin/bash\nHOME=/root\nLANG=C\nUSER=root\nPATH=/bin\n_=/usr/bin/env\n"
        );
    }

    #[test]
    fn signals_stand_in_five_columns() {
        let listed = signals();
        assert!(
            listed.starts_with(" 1) SIGHUP\t 2) SIGINT\t 3) SIGQUIT\t 4) SIGILL\t 5) SIGTRAP\n 6) SIGABRT\t")
        );
        assert!(listed.contains("31) SIGSYS\t34) SIGRTMIN\t35) SIGRTMIN+1\t"));
        assert!(listed.ends_with("63) SIGRTMAX-1\t64) SIGRTMAX\t\n"));
    }
}
