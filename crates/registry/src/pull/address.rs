//! Which addresses may be called: what a bucket says of its address is not to be believed.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

/// Why an address must not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address at all.
    #[error("`ip_address` must be an IPv4 or IPv6 address")]
    NotAnAddress,
    /// No port.
    #[error("`management_port` must be a port from 1 to 65535")]
    NoPort,
    /// Loopback, private and so on.
    #[error(
        "`ip_address` {address} is {kind}; name its network in `registration.allowed_networks` to allow it"
    )]
    Refused {
        /// The address.
        address: IpAddr,
        /// What kind it is.
        kind: &'static str,
    },
}

/// Checks addresses when a bucket enrols and again whenever it is called.
#[derive(Clone, Debug)]
pub struct Guard {
    allowed: Arc<[IpNet]>,
}

impl Guard {
    /// Allows public addresses, and others within `allowed`.
    pub fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.into() }
    }

    /// The address to call, if it may be called.
    pub fn check(&self, text: &str, port: u16) -> Result<SocketAddr, AddressError> {
        let address: IpAddr = text.parse().map_err(|_| AddressError::NotAnAddress)?;
        if port == 0 {
            return Err(AddressError::NoPort);
        }
        self.permit(address)?;
        Ok(SocketAddr::new(address.to_canonical(), port))
    }

    /// Whether an address may be called.
    pub fn permit(&self, address: IpAddr) -> Result<(), AddressError> {
        let address = address.to_canonical();
        match kind(address) {
            None => Ok(()),
            Some(_) if self.allowed.iter().any(|network| network.contains(&address)) => Ok(()),
            Some(kind) => Err(AddressError::Refused { address, kind }),
        }
    }
}

/// What is special about an address, by the registries of RFC 6890 and its successors.
fn kind(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            match (a, b, c) {
                (0, ..) => Some("of this network"),
                (127, ..) => Some("loopback"),
                (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("private"),
                (169, 254, _) => Some("link-local (where clouds keep their metadata)"),
                (100, 64..=127, _) => Some("shared (carrier-grade NAT)"),
                (192, 0, 0) => Some("reserved for protocols"),
                (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some("for documentation"),
                (198, 18..=19, _) => Some("for benchmarks"),
                (192, 88, 99) => Some("a 6to4 relay"),
                (224..=239, ..) => Some("multicast"),
                (240..=255, ..) => Some("reserved or broadcast"),
                _ => None,
            }
        }
        IpAddr::V6(v6) => kind_v6(v6),
    }
}

fn kind_v6(v6: Ipv6Addr) -> Option<&'static str> {
    let [a, b, ..] = v6.segments();
    match (a, b) {
        _ if v6.is_unspecified() => Some("unspecified"),
        _ if v6.is_loopback() => Some("loopback"),
        (0xfe80..=0xfebf, _) => Some("link-local"),
        (0xfec0..=0xfeff, _) => Some("site-local"),
        (0xfc00..=0xfdff, _) => Some("private (unique local)"),
        (0xff00..=0xffff, _) => Some("multicast"),
        (0x2001, 0x0db8) | (0x3fff, 0..=0x0fff) => Some("for documentation"),
        // These carry an IPv4 address that would be called in the end.
        (0x2001, 0) => Some("Teredo"),
        (0x2002, _) => Some("6to4"),
        (0x0064, 0xff9b) => Some("NAT64"),
        (0x2000..=0x3fff, _) => None,
        _ => Some("not a global address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_may_be_called_unless_named() {
        let guard = Guard::new(&[]);
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:9.9.9.9"] {
            assert!(guard.check(public, 8443).is_ok(), "{public}");
        }
        for refused in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::127.0.0.1",
            "fec0::1",
        ] {
            assert!(matches!(guard.check(refused, 8443), Err(AddressError::Refused { .. })), "{refused}");
        }
        for none in [
            "",
            "localhost",
            "example.com",
            "1.2.3",
            "1.2.3.4:80",
            "[::1]",
            "0x7f000001",
            "127.1",
            "fe80::1%eth0",
        ] {
            assert_eq!(guard.check(none, 8443), Err(AddressError::NotAnAddress), "{none}");
        }
        assert_eq!(guard.check("8.8.8.8", 0), Err(AddressError::NoPort));
    }

    #[test]
    fn a_named_network_is_allowed_and_only_that() {
        let guard = Guard::new(&["127.0.0.0/8".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
        assert!(guard.check("127.0.0.1", 1).is_ok() && guard.check("::ffff:127.0.0.1", 1).is_ok());
        assert!(
            guard.check("fd00:1::5", 1).is_ok()
                && guard.check("fd00:2::5", 1).is_err()
                && guard.check("10.0.0.1", 1).is_err()
        );
    }
}
