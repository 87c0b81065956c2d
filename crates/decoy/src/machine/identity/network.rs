//! The machine's place in a network: its names, addresses and hardware addresses, drawn.

use std::net::Ipv4Addr;

use super::draw::Lot;

pub(super) fn draw_hostname(lot: &Lot) -> String {
    let number = 1 + lot.below("host-number", 12);
    let words: &[&str] =
        &["web", "srv", "mail", "app", "node", "vps", "db", "dev", "files", "www", "host", "ns"];
    let word = lot.pick("host-word", words).copied().unwrap_or("srv");
    match lot.below("host-style", 5) {
        0 => format!("{word}{number}"),
        1 => format!("{word}-{number:02}"),
        2 => format!("{word}{number:02}"),
        3 => "debian".to_owned(),
        _ => format!("vps-{}", lot.hex("host-hex", 8)),
    }
}

pub(super) fn draw_domain(lot: &Lot) -> String {
    // Names that can belong to nobody outside: RFC 2606, RFC 6762 and RFC 8375.
    let domains: &[&str] = &["", "", "localdomain", "lan", "internal", "home.arpa", "local"];
    lot.pick("domain", domains).copied().unwrap_or("").to_owned()
}

pub(super) fn draw_network(lot: &Lot) -> (Ipv4Addr, Ipv4Addr) {
    let host = 10 + lot.below("net-host", 230) as u8;
    let (b, c) = (lot.below("net-b", 240) as u8, lot.below("net-c", 250) as u8);
    match lot.below("net", 3) {
        0 => (Ipv4Addr::new(10, b, c, host), Ipv4Addr::new(10, b, c, 1)),
        1 => (Ipv4Addr::new(172, 16 + b % 16, c, host), Ipv4Addr::new(172, 16 + b % 16, c, 1)),
        _ => (Ipv4Addr::new(192, 168, c, host), Ipv4Addr::new(192, 168, c, 1)),
    }
}

pub(super) fn draw_mac(lot: &Lot, maker: [u8; 3]) -> (String, String) {
    let tail = lot.below("mac", 1 << 24);
    let (a, b, c) = ((tail >> 16) as u8, (tail >> 8) as u8, tail as u8);
    let [x, y, z] = maker;
    // The modified EUI-64 (RFC 4291, appendix A): the universal bit is turned over.
    let word = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    (
        format!("{x:02x}:{y:02x}:{z:02x}:{a:02x}:{b:02x}:{c:02x}"),
        format!("fe80::{:x}:{:x}:{:x}:{:x}", word(x ^ 2, y), word(z, 0xff), word(0xfe, a), word(b, c)),
    )
}

/// Makers of routers and switches that stand in data centres (IEEE registration authority).
const GATEWAY_MAKERS: &[[u8; 3]] = &[
    [0x00, 0x1c, 0x73], // Arista
    [0x44, 0x4c, 0xa8], // Arista
    [0x00, 0x05, 0x86], // Juniper
    [0x3c, 0x8a, 0xb0], // Juniper
    [0x00, 0x1b, 0x54], // Cisco
    [0x4c, 0x5e, 0x0c], // MikroTik
    [0xb8, 0x69, 0xf4], // MikroTik
];

pub(super) fn draw_gateway_mac(lot: &Lot) -> String {
    let [x, y, z] = lot.pick("gateway-maker", GATEWAY_MAKERS).copied().unwrap_or([0, 0x1c, 0x73]);
    let tail = lot.below("gateway-mac", 1 << 24);
    format!("{x:02x}:{y:02x}:{z:02x}:{:02x}:{:02x}:{:02x}", tail >> 16, tail >> 8 & 255, tail & 255)
}
