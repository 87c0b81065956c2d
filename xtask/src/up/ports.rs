//! Which port is whose, whether it is free, and whether somebody listens on it.

use std::net::{Ipv4Addr, TcpListener};

use crate::failure::Failure;

/// Where the registry listens.
pub const REGISTRY: u16 = 8000;
/// How far each further bucket's trap ports lie above the one before.
const STEP: u32 = 10_000;
/// Trap ports of the first bucket, by the name in `[ports]`.
const TRAPS: [(&str, u32); 5] =
    [("ssh", 2222), ("telnet", 2323), ("ftp", 2121), ("smtp", 2525), ("http", 8080)];
/// Management port of the first bucket; each further bucket has the next.
const MANAGEMENT: u32 = 8443;

/// The ports of one bucket, in the order of `[ports]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketPorts {
    /// Name in `[ports]` and number.
    pub traps: Vec<(&'static str, u16)>,
    /// HTTPS for the registry.
    pub management: u16,
}

impl BucketPorts {
    /// The port of a protocol.
    pub fn of(&self, protocol: &str) -> u16 {
        self.traps.iter().find(|(name, _)| *name == protocol).map_or(0, |(_, port)| *port)
    }

    /// Every port with the words that name it.
    pub fn all(&self, bucket: usize) -> Vec<(String, u16)> {
        let traps = self.traps.iter().map(|(name, port)| (format!("{name} of bucket {}", bucket + 1), *port));
        traps.chain([(format!("management of bucket {}", bucket + 1), self.management)]).collect()
    }
}

/// Lays out the ports of so many buckets.
pub fn plan(buckets: u16) -> Result<Vec<BucketPorts>, Failure> {
    let highest = TRAPS.iter().map(|(_, port)| *port).max().unwrap_or_default();
    let most = u16::try_from((u32::from(u16::MAX) - highest) / STEP + 1).unwrap_or(1);
    let checked = |owner: &str, bucket: u32, port: u32| {
        u16::try_from(port).map_err(|_| Failure::PortTooHigh {
            owner: format!("{owner} of bucket {}", bucket + 1),
            port,
            most,
        })
    };
    (0..u32::from(buckets))
        .map(|bucket| {
            let traps = TRAPS
                .iter()
                .map(|(name, first)| Ok((*name, checked(name, bucket, first + bucket * STEP)?)))
                .collect::<Result<_, Failure>>()?;
            Ok(BucketPorts { traps, management: checked("management", bucket, MANAGEMENT + bucket)? })
        })
        .collect()
}

/// Binds every port once and lets it go; the first that is taken is named.
pub fn probe(plan: &[BucketPorts]) -> Result<(), Failure> {
    let registry = ("the registry".to_owned(), REGISTRY);
    let buckets = plan.iter().enumerate().flat_map(|(bucket, ports)| ports.all(bucket));
    for (owner, port) in std::iter::once(registry).chain(buckets) {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| Failure::PortTaken {
            owner,
            port,
            source,
        })?;
    }
    Ok(())
}

/// Whether somebody listens on this port of 127.0.0.1 or of every address. Reads the kernel's table
/// (`proc(5)`, `/proc/net/tcp`): a trial connection would stand in the bucket's log as a visitor.
pub fn is_listening(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    listens(&table, port)
}

/// Looks for a socket in state LISTEN (`0A`) in the kernel's table.
fn listens(table: &str, port: u16) -> bool {
    let wanted = [format!("0100007F:{port:04X}"), format!("00000000:{port:04X}")];
    table.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, state) = (fields.next(), fields.nth(1));
        state == Some("0A") && wanted.iter().any(|address| local == Some(address))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_lies_ten_thousand_ports_higher() {
        let plan = plan(2).unwrap();
        assert_eq!(plan[0].of("ssh"), 2222);
        assert_eq!(plan[1].of("http"), 18080);
        assert_eq!((plan[0].management, plan[1].management), (8443, 8444));
    }

    #[test]
    fn a_port_that_does_not_exist_is_named() {
        assert!(plan(6).is_ok());
        let message = plan(7).unwrap_err().to_string();
        assert!(message.contains("68080") && message.contains("at most 6"), "{message}");
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let plan = [BucketPorts { traps: vec![("ssh", port)], management: 0 }];
        // The registry's own port may be in use on the machine that runs this test.
        if let Err(failure) = probe(&plan) {
            let message = failure.to_string();
            assert!(message.contains(&port.to_string()) || message.contains("8000"), "{message}");
        } else {
            panic!("port {port} is taken");
        }
    }

    #[test]
    fn the_kernel_table_tells_who_listens() {
        let table = "  sl  local_address rem_address   st\n\
                     0: 0100007F:08AE 00000000:0000 0A 00000000:00000000\n\
                     1: 0100007F:1F90 0100007F:C350 01 00000000:00000000\n";
        assert!(listens(table, 2222));
        assert!(!listens(table, 8080), "a connection is not a listener");
    }
}
