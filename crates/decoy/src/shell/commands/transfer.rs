//! A transfer that never happens: nothing leaves the bucket, and the visitor sees a file arrive.
//!
//! What "arrives" follows from the address, so that the same address gives the same bytes again. The wish is recorded
//! with the digest of what the visitor sees.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use wire::EventKind;

use super::Call;
use crate::shell::session::Session;

/// An address on the web, cut.
pub(super) struct Url {
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
}

impl Url {
    pub(super) fn cut(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (authority, path) = rest.split_once('/').map_or((rest, "/".to_owned()), |(host, path)| {
            (host, format!("/{}", path.trim_start_matches('/')))
        });
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let scheme = scheme.to_ascii_lowercase();
        let default = default_port(&scheme);
        let (host, port) = match host.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() => (name, port.parse().unwrap_or(default)),
            _ => (host, default),
        };
        Self { scheme, host: host.to_owned(), port, path }
    }

    /// The last part of the path, without a query.
    pub(super) fn name(&self) -> Option<&str> {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// Host, with the port where it is not the usual one.
    pub(super) fn authority(&self) -> String {
        if self.port == default_port(&self.scheme) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether the host is written as an address.
    pub(super) fn is_address(&self) -> bool {
        self.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
    }

    pub(super) fn seed(&self) -> u64 {
        let digest = Sha256::digest(format!("{}/{}{}", self.host, self.port, self.path));
        digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    /// The address that the name resolves to: made up, the same each time; `None` for names that cannot be.
    pub(super) fn resolved(&self) -> Option<String> {
        if self.is_address() {
            return Some(self.host.clone());
        }
        let last = self.host.rsplit('.').next().unwrap_or_default();
        let is_name = self.host.contains('.')
            && last.len() >= 2
            && last.chars().all(|c| c.is_ascii_alphabetic())
            && self.host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if !is_name || matches!(last, "local" | "localhost" | "invalid" | "test" | "example") {
            return None;
        }
        let digest = Sha256::digest(&self.host);
        let byte = |at: usize| digest.get(at).copied().unwrap_or(7);
        let nets = [45, 51, 78, 91, 104, 138, 159, 172, 185, 194];
        let first = nets.get(usize::from(byte(0)) % nets.len()).copied().unwrap_or(45);
        // 172.16/12 is private.
        let second = if first == 172 { 64 + byte(1) % 4 } else { byte(1) };
        Some(format!("{first}.{second}.{}.{}", byte(2), 1 + byte(3) % 254))
    }

    /// Whether nobody could be there: private networks of others, and this machine's unused ports.
    pub(super) fn is_dead(&self) -> bool {
        match self.host.parse::<std::net::Ipv4Addr>() {
            Ok(ip) => {
                ip.is_private()
                    || ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_link_local()
                    || ip.is_broadcast()
                    || ip.is_multicast()
                    || ip.octets().first() == Some(&0)
            }
            Err(_) => false,
        }
    }
}

fn default_port(scheme: &str) -> u16 {
    match scheme {
        "https" => 443,
        "ftp" => 21,
        "ftps" => 990,
        "tftp" => 69,
        _ => 80,
    }
}

/// A file that arrives.
pub(super) struct Arrival {
    pub(super) bytes: Bytes,
    /// As a web server names its type.
    pub(super) kind: &'static str,
    /// How long it takes.
    pub(super) time: Duration,
}

/// What comes from this address.
pub(super) fn arrival(call: &Call<'_>, url: &Url) -> Arrival {
    let seed = url.seed();
    let time = Duration::from_millis(180 + seed % 900);
    if let Some(text) = own_address(call, url) {
        return Arrival { bytes: text.into(), kind: "text/plain", time };
    }
    let name = url.name().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let (bytes, kind): (Vec<u8>, _) = match extension.as_str() {
        _ if name.is_empty() => (page(&url.host).into_bytes(), "text/html"),
        "html" | "htm" | "php" | "asp" | "aspx" => (page(&url.host).into_bytes(), "text/html"),
        "sh" | "bash" | "txt" | "conf" | "cfg" | "json" | "py" | "pl" | "lua" => {
            let head = match extension.as_str() {
                "py" => "#!/usr/bin/env python3\n",
                "pl" => "#!/usr/bin/perl\n",
                "json" => "{}\n",
                "sh" | "bash" => "#!/bin/sh\n",
                _ => "\n",
            };
            (head.into(), if extension == "sh" { "text/x-sh" } else { "text/plain" })
        }
        "gz" | "tgz" | "zip" | "xz" | "bz2" | "tar" | "deb" | "rpm" | "jar" => {
            (noise(seed, b"\x1f\x8b\x08\0", 18_000 + (seed % 30_000) as usize), "application/octet-stream")
        }
        "jpg" | "jpeg" | "png" | "gif" => {
            (noise(seed, b"\xff\xd8\xff\xe0", 9_000 + (seed % 20_000) as usize), "image/jpeg")
        }
        _ => (elf(seed, 24_000 + (seed % 40_000) as usize), "application/octet-stream"),
    };
    Arrival { bytes: bytes.into(), kind, time }
}

/// Sites that tell the caller's address know ours.
fn own_address(call: &Call<'_>, url: &Url) -> Option<String> {
    let tells = [
        "ifconfig.me",
        "icanhazip.com",
        "ipv4.icanhazip.com",
        "api.ipify.org",
        "ident.me",
        "checkip.amazonaws.com",
        "ipecho.net",
        "ipinfo.io",
        "ip.sb",
        "myip.ipip.net",
        "ifconfig.co",
        "wtfismyip.com",
        "ipv4bot.whatismyipaddress.com",
    ];
    let address = call.identity().address;
    tells.contains(&url.host.trim_start_matches("www.")).then(|| match url.host.as_str() {
        "ipinfo.io" if url.path == "/" => {
            format!("{{\n  \"ip\": \"{address}\",\n  \"readme\": \"https://ipinfo.io/missingauth\"\n}}")
        }
        "icanhazip.com" | "ipv4.icanhazip.com" | "checkip.amazonaws.com" => format!("{address}\n"),
        _ => address.to_string(),
    })
}

fn page(host: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n<head><title>{host}</title></head>\n<body>\n<h1>It works!</h1>\n</body>\n</html>\n",
        host =
            host.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect::<String>()
    )
}

fn noise(seed: u64, head: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = head.to_vec();
    let mut state = seed | 1;
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// A statically linked executable of this machine's kind (System V ABI), as bots are.
fn elf(seed: u64, size: usize) -> Vec<u8> {
    let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    for value in [0x40_0190_u64 + seed % 0x400 * 16, 64, 0] {
        head.extend_from_slice(&value.to_le_bytes());
    }
    head.extend_from_slice(&[0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 0, 0, 0, 0]);
    for (kind, flags) in [(1_u32, 5_u32), (0x6474_e551, 6)] {
        head.extend_from_slice(&kind.to_le_bytes());
        head.extend_from_slice(&flags.to_le_bytes());
        for value in [0_u64, 0x40_0000, 0x40_0000, size as u64, size as u64, 0x1000] {
            head.extend_from_slice(&value.to_le_bytes());
        }
    }
    noise(seed, &head, size)
}

/// A program that came with a package: not larger than a visitor's layer can bear.
pub(super) fn program(address: &str, kib: u64) -> Bytes {
    let seed = Url::cut(address).seed();
    elf(seed, (kib.clamp(16, 48) * 1024) as usize).into()
}

/// Records what was to be fetched, where it was to go, and the digest of what the visitor sees (`None`: nothing came).
pub(super) fn record(session: &Session, url: &str, to: &str, seen: Option<&[u8]>) {
    (session.launch.notes)(EventKind::FileDownload {
        url: url.to_owned(),
        outfile: String::new(),
        shasum: seen.map_or_else(String::new, |bytes| {
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
        }),
        destfile: to.to_owned(),
        duplicate: false,
    });
}

/// Writes what arrived, as whoever is at work.
pub(super) fn store(call: &Call<'_>, to: &str, bytes: &[u8]) -> Result<(), crate::machine::FileError> {
    let (path, who) = (call.path(to), call.session.who());
    call.files().may(who.uid, who.gid, &path, crate::machine::Access::Write)?;
    call.files().write(&path, bytes, &who, 0o666 & !call.session.umask())
}

/// Lets the transfer take its time; what is in the background takes none, since a line waits for all of its jobs.
pub(super) async fn wait(session: &Session, time: Duration) {
    if !session.has_background() {
        session.contact.visitor.clock().pass(time).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut() {
        let url = Url::cut("http://192.0.2.1:8080/a/b.sh?x=1");
        assert_eq!((url.host.as_str(), url.port, url.name()), ("192.0.2.1", 8080, Some("b.sh")));
        assert_eq!(Url::cut("example.org").port, 80);
        assert_eq!(Url::cut("ftp://u:p@example.org/x").host, "example.org");
        assert_eq!(Url::cut("http://http://192.0.2.1/x").resolved(), None);
    }

    #[test]
    fn the_same_address_gives_the_same_program() {
        let bytes = elf(7, 30_000);
        assert_eq!(bytes, elf(7, 30_000));
        assert_eq!(bytes.len(), 30_000);
        assert!(bytes.starts_with(b"\x7fELF\x02\x01\x01"));
    }
}
