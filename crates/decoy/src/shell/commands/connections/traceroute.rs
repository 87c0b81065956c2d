//! `traceroute` 2.1.2: the way to a host, made up, the same each time.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Place;
use crate::shell::{
    commands::{Call, Options, Said, ping},
    io::Out,
};

/// As long as an answer is waited for, when there is none (three at once).
const NONE: Duration = Duration::from_secs(5);

pub(in crate::shell::commands) async fn traceroute(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, "fgimpqstwzNMOP");
    let Some(name) = options.operands.first() else { return Said::nothing(2) };
    let Some(place) = Place::of(call.session, name, 33_434) else {
        let at = call.args.iter().position(|arg| arg == name).unwrap_or(0) + 1;
        return Said::err(
            format!(
                "{name}: Name or service not known\nCannot handle \"host\" cmdline arg `{name}' on position 1 (argc {at})\n"
            ),
            2,
        );
    };
    let number =
        |letter, otherwise| options.value(letter).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (most, probes): (u64, u64) = (number('m', 30).clamp(1, 255), number('q', 3).clamp(1, 10));
    let address = &place.address;
    let mut said = Said::default();
    let mut show = |text: &str| match call.session.channels.lock().clone().filter(|_| call.to_terminal) {
        Some((output, _)) => output(Out::Stdout, text.as_bytes()),
        None => said.out.extend_from_slice(text.as_bytes()),
    };
    show(&format!("traceroute to {name} ({address}), {most} hops max, 60 byte packets\n"));
    let own = super::is_own(call.session, call.identity(), name);
    let time = ping::time_to(call, own, address);
    let digest = Sha256::digest(format!("{} {address}", call.identity().gateway));
    let byte = |at: u64| u64::from(digest.get(at as usize % 32).copied().unwrap_or(7));
    let last = if own { 1 } else { 6 + byte(0) % 6 };
    for hop in 1..=most {
        // Every fifth on the way says nothing, and beyond one that nobody reaches nobody does.
        let silent = hop > 1 && hop != last && byte(hop) % 5 == 0 || hop >= last && time.is_none();
        if silent {
            show(&format!("{hop:>2} {}\n", " *".repeat(probes as usize)));
            call.session.contact.visitor.clock().pass(NONE).await;
            continue;
        }
        let router = match hop {
            _ if hop == last => address.clone(),
            1 => call.identity().gateway.to_string(),
            // Carriers' own networks, behind which nobody is to be found.
            2 => format!("100.{}.{}.{}", 64 + byte(1) % 64, byte(2), 1 + byte(3) % 254),
            _ => format!("{}.{}.{}.{}", 62 + byte(4) % 4 * 22, byte(5), byte(hop), 1 + byte(hop + 9) % 254),
        };
        let shown = if options.has('n') {
            router
        } else if hop == last {
            format!("{name} ({router})")
        } else {
            format!("{router} ({router})")
        };
        let share = time.unwrap_or(20.0).max(0.4) * hop as f64 / last as f64;
        let base = if own { 0.03 } else { share.max(0.35) };
        let times: String = (0..probes)
            .map(|_| {
                let jitter = f64::from(rand::random::<u16>()) / 65_535.0;
                format!("  {:.3} ms", base * (1.0 + jitter * 0.1))
            })
            .collect();
        show(&format!("{hop:>2}  {shown}{times}\n"));
        if hop == last {
            break;
        }
    }
    said
}
