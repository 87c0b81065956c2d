//! What typed lines tell of who wrote them: a bot's recipe, a model's style, a person's slip.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Pieces that bots' recipes are made of, from recorded visits of the last years.
const RECIPES: &[&str] = &[
    "/bin/busybox ",
    "chpasswd",
    "authorized_keys",
    "/dev/shm",
    "/proc/cpuinfo",
    "/var/tmp",
    "history -c",
    "HISTFILE",
    "chmod 777",
    "chmod +x",
    "ECCHI",
    "/bin/echo",
    "\\x6b\\x61\\x6d\\x69",
    "crontab",
    "pkill",
    "nohup",
    "tftp",
    "wget http",
    "wget -q",
    "curl -O",
    "curl -s",
    "uname -s -v -n -r -m",
    "lspci | grep",
    "/ip cloud print",
    "ifconfig eth",
    "rm -rf ",
    "passwd",
    "base64 -d",
    "for i in",
    "while read i",
    "cat /proc/mounts",
    "lscpu | grep",
    "free -m | grep",
    "enable",
    "shell",
    "system",
    "linuxshell",
];

/// Turns of phrase of language models at a shell.
const MODELS: &[&str] = &[
    "2>/dev/null",
    "2>&1",
    "|| echo",
    "&& echo",
    "; echo",
    "echo \"=",
    "echo '=",
    "echo \"-",
    "echo '-",
    "| head -",
    "| tail -",
    "--no-pager",
    "ls -la",
    "find / ",
    "-maxdepth",
    "-type f",
    "grep -r",
    "cat /etc/os-release",
    "ps aux",
    "systemctl",
    "sudo -l",
    "-perm -4000",
    "getent",
    "ss -t",
    "printenv",
    "# ",
];

/// How prose begins that was meant for another reader.
const PROSE: &[&str] = &[
    "```",
    "I will ",
    "I'll ",
    "I'm ",
    "I need to",
    "I should",
    "Let me ",
    "Let's ",
    "First, ",
    "Next, ",
    "Now I ",
    "Now, ",
    "The output",
    "It looks like",
    "It seems",
    "Based on ",
    "Thought:",
    "Action:",
    "{\"command\"",
    "<command>",
    "Here is",
    "Sure",
];

/// Commands that people type, for telling a slip from a wish.
const COMMON: &[&str] = &[
    "ls",
    "cd",
    "pwd",
    "cat",
    "id",
    "whoami",
    "uname",
    "ps",
    "top",
    "df",
    "du",
    "free",
    "ifconfig",
    "ip",
    "netstat",
    "wget",
    "curl",
    "chmod",
    "mkdir",
    "rm",
    "cp",
    "mv",
    "vi",
    "vim",
    "nano",
    "exit",
    "clear",
    "history",
    "sudo",
    "su",
    "passwd",
    "apt",
    "apt-get",
    "yum",
    "python",
    "perl",
    "ssh",
    "ping",
    "grep",
    "find",
    "echo",
    "man",
    "help",
    "hostname",
    "date",
    "uptime",
    "who",
    "last",
    "crontab",
    "service",
    "systemctl",
    "kill",
    "more",
    "less",
    "tail",
    "head",
    "touch",
    "which",
];

/// Words of recipes that mean nothing within a longer line.
fn is_whole(piece: &str) -> bool {
    piece.len() < 12 && !piece.contains(['/', ' ', '_'])
}

/// Finds any of these in one pass: every line of every visitor is looked through. `None` only if the lists above were
/// too many to build one from, which a test excludes.
fn finder<'a>(pieces: impl Iterator<Item = &'a str>) -> Option<AhoCorasick> {
    AhoCorasick::new(pieces).ok()
}

static RECIPE: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| finder(RECIPES.iter().copied().filter(|piece| !is_whole(piece))));
static MODEL: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| finder(MODELS.iter().copied()));

fn holds(finder: &Option<AhoCorasick>, line: &str) -> bool {
    finder.as_ref().is_some_and(|finder| finder.is_match(line))
}

/// Whether a line is of a bot's recipe.
pub(super) fn of_a_recipe(line: &str) -> bool {
    let bare = line.trim();
    holds(&RECIPE, bare)
        || RECIPES.iter().any(|piece| is_whole(piece) && bare == *piece)
        || bare.matches([';', '|', '&']).count() >= 6
}

/// Whether a line is written as a language model writes one.
pub(super) fn of_a_model(line: &str) -> bool {
    holds(&MODEL, line)
}

/// Whether a line is prose.
pub(super) fn of_prose(line: &str) -> bool {
    PROSE.iter().any(|piece| line.trim_start().starts_with(piece))
}

/// Whether a name that is no command is a slip of the fingers: one letter too many, too few, wrong, or two exchanged.
pub(super) fn is_a_slip(name: &str) -> bool {
    let name = name.split_ascii_whitespace().next().unwrap_or_default();
    (2..=12).contains(&name.len())
        && name.is_ascii()
        && !COMMON.contains(&name)
        && COMMON.iter().any(|known| one_apart(name.as_bytes(), known.as_bytes()))
}

/// One edit apart (Damerau): inserted, left out, replaced, or two neighbours exchanged.
fn one_apart(a: &[u8], b: &[u8]) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    match (a, b) {
        ([], [_]) | ([_], []) => true,
        ([_, rest @ ..], all) if rest == all => true,
        (all, [_, rest @ ..]) if rest == all => true,
        ([_, x @ ..], [_, y @ ..]) if x == y => true,
        ([p, q, x @ ..], [r, s, y @ ..]) => p == s && q == r && x == y,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_one_edit_away() {
        for slip in ["sl", "cta", "whomai", "unmae", "lss", "histroy", "exot", "pign", "claer", "netsat"] {
            assert!(is_a_slip(slip), "{slip}");
        }
        for no in ["ls", "docker", "kubectl", "x", "/bin/busybox", "", "gcloud", "ÄÖ"] {
            assert!(!is_a_slip(no), "{no}");
        }
    }

    #[test]
    fn styles_are_told_apart() {
        assert!(
            of_a_recipe("cd /tmp; /bin/busybox MIRAI")
                && of_a_recipe("enable")
                && !of_a_recipe("systemctl status")
        );
        assert!(of_a_model("cat /root/.ssh/id_rsa 2>/dev/null || echo none") && !of_a_model("ls"));
        assert!(of_prose("I will now look around.") && !of_prose("ls"));
        for piece in RECIPES {
            assert!(of_a_recipe(&format!("{piece}x")) != is_whole(piece), "{piece}");
            assert!(of_a_recipe(piece) || piece.ends_with(' '), "{piece}");
        }
        assert!(MODELS.iter().all(|piece| of_a_model(&format!("x{piece}x"))));
    }
}
