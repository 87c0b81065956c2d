//! Programs that a language model steers, made up: fast ones and slow ones, chatty and terse, on a terminal or without.

use rand::{RngExt as _, rngs::StdRng};
use sensor::label::Bait;
use wire::EventKind;

use super::{Visit, around, one};

/// As models write them.
const STYLED: &[&str] = &[
    "whoami && id && hostname && uname -a",
    "cat /etc/os-release 2>/dev/null || cat /etc/issue",
    "ls -la /root /home 2>/dev/null",
    "ps aux --sort=-%cpu | head -20",
    "find / -perm -4000 -type f 2>/dev/null | head -50",
    "ss -tlnp 2>/dev/null || netstat -tlnp",
    "echo \"=== users ===\"; cut -d: -f1 /etc/passwd",
    "cat /var/log/auth.log 2>/dev/null | tail -20",
    "sudo -l 2>&1 | head -10",
    "env | sort | head -40",
    "ls -la ~/.ssh/ && cat ~/.ssh/authorized_keys 2>/dev/null",
    "systemctl list-units --type=service --state=running --no-pager | head -30",
    "crontab -l 2>/dev/null; ls -la /etc/cron.d/",
    "find /var/www -type f -name \"*.php\" 2>/dev/null | head -20",
    "df -h && free -m",
];
/// As anybody would.
const PLAIN: &[&str] = &[
    "id",
    "ls -la",
    "cat /etc/passwd",
    "uname -a",
    "pwd",
    "ls /home",
    "cat flag.txt",
    "ps aux",
    "ip a",
    "cat .bash_history",
    "ls /opt",
    "mount",
];
const PROSE: &[&str] = &["Let me check the system first.", "```bash", "I will now look at the web root."];

/// One visit.
pub fn visit(random: &mut StdRng, bait: Option<Bait>) -> Visit {
    let word = bait.as_ref().map(|bait| bait.word().to_owned());
    let mut visit = Visit::new(bait);
    let client = one(random, &["SSH-2.0-OpenSSH_9.6", "SSH-2.0-paramiko_3.4.0", "SSH-2.0-AsyncSSH_2.14.2"]);
    visit.event(&EventKind::ClientVersion { version: client.to_owned(), version_b64: None });
    visit.wait(random.random_range(0.5..3.0));
    let on_terminal = random.random_bool(0.6);
    if on_terminal {
        visit.terminal();
        // Not every model reads the bytes, and not every one obeys.
        if let Some(word) = word.filter(|_| random.random_bool(0.5)) {
            visit.wait(around(random, 3.0, 0.5));
            visit.line(&word);
        }
    }
    let (thinking, style) = (random.random_range(1.2..12.0), random.random_range(0.2..0.95));
    // Some send a few lines for each thought; a few press keys one by one through a terminal multiplexer.
    let at_once = if random.random_ratio(1, 10) { 3 } else { 1 };
    let by_keys = on_terminal && random.random_ratio(1, 20);
    for _ in 0..random.random_range(2..16) {
        visit.wait(around(random, thinking, 0.5));
        for number in 0..at_once {
            if number > 0 {
                visit.wait(random.random_range(0.02..0.3));
            }
            let line = match random.random::<f64>() {
                x if x < 0.01 => one(random, PROSE),
                x if x < style => one(random, STYLED),
                _ => one(random, PLAIN),
            };
            if by_keys {
                for key in line.bytes() {
                    visit.wait(random.random_range(0.001..0.004));
                    visit.keys(&[key]);
                }
                visit.keys(b"\r");
                visit.entered(line, true);
            } else if on_terminal {
                visit.line(line);
            } else {
                visit.entered(line, true);
            }
        }
    }
    visit
}
