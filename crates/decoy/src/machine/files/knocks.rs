//! Who knocked at the machine before the visitor came: what its daemons wrote down of surveys of the Internet.
//!
//! Only such as say openly who they are and call on every address: the machine tells tales of nobody else.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use crate::machine::{Identity, processes};

/// How far apart knocks can be, in seconds.
const SLOT: u64 = 23 * 60;

/// Networks of surveys, and what their browsers call themselves.
const SURVEYS: &[([u8; 3], &str)] = &[
    ([162, 142, 125], CENSYS),
    ([167, 94, 138], CENSYS),
    ([167, 94, 145], CENSYS),
    ([167, 94, 146], CENSYS),
    ([198, 235, 24], EXPANSE),
    ([205, 210, 31], EXPANSE),
    ([64, 62, 197], ""),
    ([184, 105, 139], ""),
    ([74, 82, 47], ""),
];

const CENSYS: &str = "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)";
const EXPANSE: &str = "Expanse, a Palo Alto Networks company, searches across the global IPv4 space multiple times per day to identify customers&#39; presences on the Internet. If you would like to be excluded from our scans, please send IP addresses/domains to: scaninfo@paloaltonetworks.com";

/// One knock.
struct Knock {
    at: SystemTime,
    /// A part of its second, in microseconds.
    micros: u64,
    from: [u8; 4],
    agent: &'static str,
    lot: u64,
}

impl Knock {
    fn address(&self) -> String {
        std::net::Ipv4Addr::from(self.from).to_string()
    }

    fn port(&self) -> u64 {
        32_768 + (self.lot >> 17) % 28_000
    }

    fn time(&self) -> DateTime<Utc> {
        self.at.into()
    }

    /// As rsyslog begins a line.
    fn stamp(&self, later: u64) -> String {
        format!("{}.{:06}+00:00", self.time().format("%Y-%m-%dT%H:%M:%S"), self.micros + later)
    }
}

/// Those of a while, each drawn from the slot of time it falls into; `salt` tells the daemons apart.
fn knocks(identity: &Identity, from: SystemTime, to: SystemTime, salt: u64) -> Vec<Knock> {
    let seconds = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (first, last) = (seconds(from), seconds(to));
    let draw = |slot: u64| {
        let mut lot = (identity.seed ^ slot.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(salt);
        lot = (lot ^ (lot >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        lot ^= lot >> 29;
        let at = slot * SLOT + lot % SLOT;
        // Two slots of five are quiet.
        if (lot >> 50) % 5 < 2 || at < first || at >= last {
            return None;
        }
        let ([a, b, c], agent) = *SURVEYS.get((lot >> 24) as usize % SURVEYS.len())?;
        let host = 2 + ((lot >> 40) % 250) as u8;
        Some(Knock {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(at),
            micros: (lot >> 9) % 900_000,
            from: [a, b, c, host],
            agent,
            lot,
        })
    };
    // A month at most, whatever the clocks say.
    (first / SLOT..=last / SLOT)
        .rev()
        .take(2_000)
        .filter_map(draw)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect()
}

/// The beginning of the day, and of the week: when logs are rotated (logrotate(8); a week begins on Sunday).
pub(super) fn day(now: SystemTime) -> SystemTime {
    rotated(now, 24 * 3600, 0)
}

pub(super) fn week(now: SystemTime) -> SystemTime {
    // The first of 1970 was a Thursday.
    rotated(now, 7 * 24 * 3600, 3 * 24 * 3600)
}

fn rotated(now: SystemTime, period: u64, first: u64) -> SystemTime {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let since = (seconds + period - first) % period;
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.saturating_sub(since))
}

/// `/var/log/nginx/access.log` of a day, in nginx's format `combined`.
pub(super) fn access(identity: &Identity, from: SystemTime, to: SystemTime) -> String {
    let mut text = String::new();
    for knock in knocks(identity, from, to, 80) {
        let (request, status, bytes, agent) = match (knock.lot >> 13) % 7 {
            0..=2 => ("GET / HTTP/1.1", 200, 612, if knock.agent.is_empty() { "-" } else { knock.agent }),
            3 if knock.agent == CENSYS => ("PRI * HTTP/2.0", 400, 157, "-"),
            3 => (
                "GET /favicon.ico HTTP/1.1",
                404,
                153,
                if knock.agent.is_empty() { "Mozilla/5.0" } else { knock.agent },
            ),
            4 => ("GET / HTTP/1.0", 200, 612, "-"),
            5 => (
                "GET /.well-known/security.txt HTTP/1.1",
                404,
                153,
                if knock.agent.is_empty() { "-" } else { knock.agent },
            ),
            _ => ("\\x16\\x03\\x01\\x00{\\x01\\x00\\x00w\\x03\\x03", 400, 157, "-"),
        };
        text += &format!(
            "{} - - [{}] \"{request}\" {status} {bytes} \"-\" \"{agent}\"\n",
            knock.address(),
            knock.time().format("%d/%b/%Y:%H:%M:%S +0000")
        );
    }
    text
}

/// What sshd says of them, each line with its time.
pub(super) fn ssh(identity: &Identity, from: SystemTime, to: SystemTime) -> Vec<(SystemTime, String)> {
    let said = |knock: &Knock| {
        let (host, pid) = (&identity.hostname, processes::newest_pid(identity, knock.at) + 2);
        let (address, port) = (knock.address(), knock.port());
        let line = |later: u64, text: &str| format!("{} {host} sshd[{pid}]: {text}\n", knock.stamp(later));
        match (knock.lot >> 13) % 4 {
            0 => line(0, &format!("banner exchange: Connection from {address} port {port}: invalid format")),
            1 => {
                line(0, "error: kex_exchange_identification: Connection closed by remote host")
                    + &line(41, &format!("Connection closed by {address} port {port}"))
            }
            2 => line(0, &format!("Connection reset by {address} port {port} [preauth]")),
            _ => line(0, &format!("Connection closed by {address} port {port} [preauth]")),
        }
    };
    knocks(identity, from, to, 22).iter().map(|knock| (knock.at, said(knock))).collect()
}

/// What Postfix says of them.
pub(super) fn mail(identity: &Identity, from: SystemTime, to: SystemTime) -> Vec<(SystemTime, String)> {
    let said = |knock: &Knock| {
        let (host, pid) = (&identity.hostname, processes::newest_pid(identity, knock.at) + 3);
        let address = knock.address();
        let line =
            |later: u64, text: &str| format!("{} {host} postfix/smtpd[{pid}]: {text}\n", knock.stamp(later));
        let (what, counts) = match (knock.lot >> 13) % 3 {
            0 => ("lost connection after CONNECT", "commands=0/0"),
            1 => ("lost connection after EHLO", "ehlo=1 commands=1"),
            _ => ("lost connection after STARTTLS", "ehlo=1 starttls=1 commands=2"),
        };
        line(0, &format!("connect from unknown[{address}]"))
            + &line(90_211, &format!("{what} from unknown[{address}]"))
            + &line(90_262, &format!("disconnect from unknown[{address}] {counts}"))
    };
    // Every third looks for mail.
    let all = knocks(identity, from, to, 25);
    all.iter().filter(|knock| (knock.lot >> 5) % 3 == 0).map(|knock| (knock.at, said(knock))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_begin_where_they_were_rotated_and_end_now() {
        // Tuesday, 2027-01-19 at noon and some.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_360_123);
        let shown = |at: SystemTime| DateTime::<Utc>::from(at).format("%a %F %T").to_string();
        assert!(
            shown(day(now)).ends_with(" 00:00:00") && shown(week(now)).starts_with("Sun "),
            "{}",
            shown(week(now))
        );
        assert!(shown(week(now)).ends_with(" 00:00:00") && day(now) <= now && week(now) <= now);
        let identity = Identity::draw(b"knocks", now, None, None);
        let text = access(&identity, now - Duration::from_secs(86_400), now);
        assert!((20..60).contains(&text.lines().count()), "{text}");
        let lines = ssh(&identity, week(now), now);
        assert!(lines.is_sorted_by_key(|(at, _)| *at) && lines.iter().all(|(at, _)| *at < now));
        // What was written stays.
        let later = access(&identity, now - Duration::from_secs(86_400), now + Duration::from_secs(7_200));
        assert!(later.starts_with(&text));
    }
}
