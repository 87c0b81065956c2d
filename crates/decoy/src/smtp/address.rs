//! Mail addresses as Postfix reads them from MAIL, RCPT and VRFY, and who of them lives here.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::dialogue::Contact;

/// The part of a command after `FROM:` or `TO:`, cut into an address and options.
pub(super) struct Argument {
    /// Without angle brackets and source route; empty for `<>`.
    pub address: String,
    /// `NAME=VALUE` words.
    pub options: Vec<String>,
}

/// Why an argument is none.
pub(super) enum Fault {
    /// `FROM:` or `TO:` or the address is missing.
    Missing,
    /// The address cannot be read.
    Address,
}

/// Reads `FROM:<a@b> SIZE=1` (`word` is `FROM:`). Spaces before the address and a missing pair of angle brackets pass,
/// as with `strict_rfc821_envelopes = no`.
pub(super) fn argument(text: &str, word: &str) -> Result<Argument, Fault> {
    let begins = text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    let rest = text.get(word.len()..).filter(|_| begins).map(str::trim_start).unwrap_or_default();
    if rest.is_empty() {
        return Err(Fault::Missing);
    }
    let (address, options) = if let Some(inside) = rest.strip_prefix('<') {
        let deep = inside.len() - inside.trim_start_matches('<').len();
        let inside = inside.get(deep..).unwrap_or_default();
        let end = closing_bracket(inside).ok_or(Fault::Address)?;
        let mut after = inside.get(end + 1..).unwrap_or_default();
        for _ in 0..deep {
            after = after.strip_prefix('>').unwrap_or(after);
        }
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            return Err(Fault::Address);
        }
        (inside.get(..end).unwrap_or_default(), after)
    } else {
        let (address, options) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        (address.strip_suffix('>').unwrap_or(address), options)
    };
    let address = &tight(address);
    // A source route is dropped (RFC 5321, appendix C).
    let address = match address.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, address)) => address,
        None => address.as_str(),
    };
    let address = unquoted(address);
    let address = address.as_str();
    if !is_plausible(address) {
        return Err(Fault::Address);
    }
    let options = options.split_whitespace().take(32).map(str::to_owned).collect();
    Ok(Argument { address: address.to_owned(), options })
}

/// Where the address ends: at a `>` outside quotes.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Blanks around `@` and dots mean nothing (RFC 5322, 4.4).
fn tight(address: &str) -> String {
    let mut out = address.trim().to_owned();
    if !out.contains('"') {
        for mark in ["@", "."] {
            out = out.split(mark).map(str::trim).collect::<Vec<_>>().join(mark);
        }
    }
    out
}

/// Quotes that nothing needs are not shown.
fn unquoted(address: &str) -> String {
    if let Some((local, domain)) = address.strip_prefix('"').and_then(|rest| rest.rsplit_once('"'))
        && !local.contains(['"', '\\', ' '])
        && !local.is_empty()
    {
        return format!("{local}{domain}");
    }
    address.to_owned()
}

/// A name as DNS has it, or an address in brackets.
fn is_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match literal.split_once(':') {
            Some((kind, address)) => kind.eq_ignore_ascii_case("IPv6") && address.parse::<Ipv6Addr>().is_ok(),
            None => literal.parse::<Ipv4Addr>().is_ok(),
        };
    }
    !domain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && (domain.len() <= 255
            && domain.split('.').all(|label| {
                (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
            }))
}

fn is_plausible(address: &str) -> bool {
    let bare = address.replace('"', "");
    !bare.contains(['<', '>', '\0'])
        && (address.contains('"') || !bare.contains(char::is_whitespace))
        && address != "@"
        && !address.ends_with('@')
        && address.rsplit_once('@').is_none_or(|(_, domain)| is_domain(domain))
}

/// Where a recipient's mail goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The mailbox of this user of the machine.
    Local(String),
    /// A program that local(8) pipes the mail to; its path.
    Program(String),
    /// One of our domains, but nobody there.
    Unknown,
    /// Somebody else's domain.
    Elsewhere,
}

/// Finds the place of an address.
pub(super) fn place(contact: &Contact, host: &str, address: &str) -> Place {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, host));
    let identity = contact.visitor.identity();
    let full_name = identity.full_name();
    let ours = [
        host,
        &full_name,
        &identity.domain,
        &identity.mail_domain,
        "localhost",
        &format!("[{}]", contact.local.ip().to_canonical()),
    ];
    // `user%elsewhere@here` and `elsewhere!user` are routed on (resolve_percent_hack, swap_bangpath).
    let routed = local.contains(['%', '!', '@']) && !local.starts_with('"');
    if routed || !ours.iter().any(|name| !name.is_empty() && name.eq_ignore_ascii_case(domain)) {
        return Place::Elsewhere;
    }
    let local = local.trim_matches('"').to_ascii_lowercase();
    // Nobody at our own place is whoever keeps it.
    let local = if local.is_empty() || local.ends_with(":;") { "postmaster".to_owned() } else { local };
    let bare = local.split('+').next().unwrap_or_default();
    for name in [local.as_str(), bare] {
        if let Some(place) = mailbox(contact, name) {
            return place;
        }
    }
    Place::Unknown
}

/// The user whose mailbox an unqualified name means, or the program that takes its mail, through `/etc/aliases`
/// (aliases(5)). A visitor's own programs take none: nobody ran newaliases(1).
fn mailbox(contact: &Contact, name: &str) -> Option<Place> {
    let identity = contact.visitor.identity();
    let mut name = name.to_owned();
    let aliases = contact.visitor.files().read("/etc/aliases").unwrap_or_default();
    let aliases = String::from_utf8_lossy(&aliases);
    // An alias may point to an alias; a circle ends.
    for _ in 0..8 {
        let target = aliases
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(alias, _)| alias.trim().eq_ignore_ascii_case(&name))
            .map(|(_, target)| target.split(',').next().unwrap_or_default().trim().to_ascii_lowercase());
        match target {
            Some(target) if !target.is_empty() && target != name => name = target,
            _ => break,
        }
    }
    if let Some(program) = name.trim_matches('"').strip_prefix("|/usr/local/bin/") {
        let known = identity.piped_mail.iter().find(|known| known.eq_ignore_ascii_case(program));
        return known.map(|program| Place::Program(format!("/usr/local/bin/{program}")));
    }
    // RFC 5321, 4.5.1: postmaster is always there; Debian's aliases have the other.
    if matches!(name.as_str(), "postmaster" | "mailer-daemon") {
        name = "root".to_owned();
    }
    identity.user(&name).map(|account| Place::Local(account.name.clone()))
}
