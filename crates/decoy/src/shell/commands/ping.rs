//! `ping` (iputils 20221126): nothing leaves the bucket; who could be there answers, as fast as the distance allows.

use std::{net::Ipv4Addr, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use sha2::{Digest as _, Sha256};

use super::{Call, Said, connections, transfer::Url};
use crate::{
    machine::Identity,
    shell::io::{Out, Output},
};

/// The most that are sent to a visitor who never ends it.
const MOST: u64 = 1000;

/// How a host answers.
enum Distance {
    /// Milliseconds there and back, and what is left of 64 or 128 steps.
    Answers(f64, u8),
    /// The network says that nobody is there (from this machine's own).
    Unreachable,
    /// Nothing is heard.
    Silent,
}

pub(super) fn ping<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = call.options("cWwisItpQMlmSF");
        if options.has('V') {
            return Said::out("ping from iputils 20221126\n");
        }
        let Some(host) = options.operands.first() else {
            return Said::err("ping: usage error: Destination address required\n", 1);
        };
        let number = |letter: char, most: f64| -> Result<Option<f64>, Said> {
            let Some(text) = options.value(letter) else { return Ok(None) };
            match text.parse::<f64>() {
                Ok(number) if number >= 0.0 && number <= most => Ok(Some(number)),
                _ => Err(Said::err(format!("ping: invalid argument: '{text}'\n"), 1)),
            }
        };
        let (count, interval, deadline) = match (number('c', 1e15), number('i', 1e6), number('w', 1e6)) {
            (Ok(Some(count)), ..) if count < 1.0 => {
                let text = options.value('c').unwrap_or_default();
                return Said::err(
                    format!(
                        "ping: invalid argument: '{text}': out of range: 1 <= value <= 9223372036854775807\n"
                    ),
                    1,
                );
            }
            (Ok(count), Ok(interval), Ok(deadline)) => (count, interval.unwrap_or(1.0), deadline),
            (Err(said), ..) | (_, Err(said), _) | (.., Err(said)) => return said,
        };
        let url = Url::cut(&format!("icmp://{host}/"));
        let own = connections::is_own(call.session, call.identity(), host);
        let address = match (own, host.as_str()) {
            (true, "localhost" | "0.0.0.0") => Some("127.0.0.1".to_owned()),
            (true, name) if name == call.identity().hostname => Some("127.0.1.1".to_owned()),
            _ => url.resolved(),
        };
        let Some(address) = address else {
            return Said::err(format!("ping: {host}: Temporary failure in name resolution\n"), 2);
        };
        let distance = distance(call, own, &address);
        let mut pinger = Pinger {
            host,
            address: &address,
            quiet: options.has('q'),
            sent: 0,
            times: Vec::new(),
            waited: Duration::ZERO,
            output: call
                .session
                .channels
                .lock()
                .clone()
                .filter(|_| !call.session.is_piped())
                .map(|(output, _)| output),
            kept: String::new(),
        };
        let size: u32 = options.value('s').and_then(|size| size.parse().ok()).unwrap_or(56).min(65_507);
        pinger.say(&format!("PING {host} ({address}) {size}({}) bytes of data.\n", size + 28));
        let count = count.map_or(MOST, |count| (count as u64).min(MOST));
        let interval = Duration::from_secs_f64(interval.clamp(0.002, 3600.0));
        while pinger.sent < count {
            if pinger.sent > 0 {
                pinger.waited += interval;
                if deadline.is_some_and(|most| pinger.waited.as_secs_f64() >= most) {
                    break;
                }
            }
            pinger.send(call, &distance, size);
            // Should it be interrupted.
            *call.session.last_words.lock() = pinger.figures();
            // Of the last one only the answer is waited for.
            let pause = match (pinger.sent == count, &distance) {
                (true, Distance::Answers(time, _)) => Duration::from_secs_f64(time / 1000.0),
                (true, _) => Duration::from_secs(10),
                (false, _) => interval,
            };
            if !call.session.has_background() {
                call.session.contact.visitor.clock().pass(pause).await;
            }
        }
        call.session.last_words.lock().clear();
        let figures = pinger.figures();
        pinger.say(&figures);
        let status = i32::from(pinger.times.is_empty());
        Said { status, ..Said::out(std::mem::take(&mut pinger.kept)) }
    }
    .boxed()
}

/// How far away an address is: the same each time it is asked.
fn distance(call: &Call<'_>, own: bool, address: &str) -> Distance {
    if own {
        return Distance::Answers(0.035, 64);
    }
    let Ok(address) = address.parse::<Ipv4Addr>() else { return Distance::Silent };
    let identity = call.identity();
    if address == identity.gateway {
        return Distance::Answers(0.4, 64);
    }
    if is_near(identity, address) {
        return Distance::Unreachable;
    }
    if address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.octets().first() == Some(&0)
    {
        return Distance::Silent;
    }
    let digest = Sha256::digest(address.octets());
    let byte = |at: usize| digest.get(at).copied().unwrap_or(7);
    // Large resolvers are close to everybody.
    let anycast =
        [[1, 1, 1, 1], [1, 0, 0, 1], [8, 8, 8, 8], [8, 8, 4, 4], [9, 9, 9, 9]].contains(&address.octets());
    let (least, most) = if anycast { (1.1, 7.0) } else { (9.0, 190.0) };
    let steps = if anycast { 5 + byte(1) % 5 } else { 9 + byte(1) % 12 };
    let from = if anycast || byte(2) % 3 > 0 { 64 } else { 128 };
    Distance::Answers(least + f64::from(byte(0)) / 255.0 * (most - least), from - steps)
}

/// Whether an address is in the machine's own network.
fn is_near(identity: &Identity, address: Ipv4Addr) -> bool {
    address.octets().iter().zip(identity.address.octets()).take(3).all(|(one, own)| *one == own)
}

/// Whether an address is a neighbour's, which nobody has but the gateway.
pub(super) fn is_neighbour(identity: &Identity, address: &str) -> bool {
    address.parse().is_ok_and(|address| is_near(identity, address) && address != identity.gateway)
}

/// How long an answer takes there and back, in milliseconds; `None`: there is none.
pub(super) fn time_to(call: &Call<'_>, own: bool, address: &str) -> Option<f64> {
    match distance(call, own, address) {
        Distance::Answers(time, _) => Some(time),
        Distance::Unreachable | Distance::Silent => None,
    }
}

/// One run.
struct Pinger<'a> {
    host: &'a str,
    address: &'a str,
    quiet: bool,
    sent: u64,
    /// Of the answers, in milliseconds.
    times: Vec<f64>,
    /// Between the first and the latest one sent.
    waited: Duration,
    output: Option<Output>,
    /// What is said when it may go elsewhere than to the visitor.
    kept: String,
}

impl Pinger<'_> {
    fn say(&mut self, text: &str) {
        match &self.output {
            Some(output) => output(Out::Stdout, text.as_bytes()),
            None => self.kept += text,
        }
    }

    fn send(&mut self, call: &Call<'_>, distance: &Distance, size: u32) {
        self.sent += 1;
        let number = self.sent;
        match distance {
            Distance::Answers(time, left) => {
                // Seldom more than a tenth above the shortest.
                let jitter = (rand::random::<u32>() % 1000) as f64 / 1000.0;
                let time = time * (1.0 + jitter * jitter * 0.12) + jitter * 0.02;
                self.times.push(time);
                let shown = match time {
                    time if time >= 100.0 => format!("{time:.0}"),
                    time if time >= 10.0 => format!("{time:.1}"),
                    time if time >= 1.0 => format!("{time:.2}"),
                    time => format!("{time:.3}"),
                };
                if !self.quiet {
                    let address = self.address;
                    let text = format!(
                        "{} bytes from {address}: icmp_seq={number} ttl={left} time={shown} ms\n",
                        size + 8
                    );
                    self.say(&text);
                }
            }
            Distance::Unreachable if !self.quiet => {
                let own = call.identity().address;
                self.say(&format!("From {own} icmp_seq={number} Destination Host Unreachable\n"));
            }
            Distance::Unreachable | Distance::Silent => {}
        }
    }

    /// The figures at the end.
    fn figures(&self) -> String {
        let (sent, heard) = (self.sent, self.times.len() as u64);
        let lost = 100.0 * (sent - heard) as f64 / sent as f64;
        let lost = format!("{lost:.4}").trim_end_matches('0').trim_end_matches('.').to_owned();
        let waited = self.waited.as_millis() + u128::from(sent.saturating_sub(1)) * 2;
        let mut text = format!(
            "\n--- {} ping statistics ---\n{sent} packets transmitted, {heard} received, {lost}% packet loss, time {waited}ms\n",
            self.host
        );
        if heard > 0 {
            let mean = self.times.iter().sum::<f64>() / heard as f64;
            let square = self.times.iter().map(|time| time * time).sum::<f64>() / heard as f64;
            let least = self.times.iter().copied().fold(f64::INFINITY, f64::min);
            let most = self.times.iter().copied().fold(0.0, f64::max);
            let spread = (square - mean * mean).max(0.0).sqrt();
            text += &format!("rtt min/avg/max/mdev = {least:.3}/{mean:.3}/{most:.3}/{spread:.3} ms\n");
        } else {
            text += "\n";
        }
        text
    }
}
