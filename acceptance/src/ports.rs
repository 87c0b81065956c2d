//! Free ports, and whether somebody listens.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, TcpListener},
    sync::Mutex,
};

/// So many different ports that nobody listens on, none of them given out before in this process.
pub fn free(count: usize) -> Vec<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap();
    let mut held = Vec::new();
    let mut free = Vec::new();
    while free.len() < count {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        held.push(listener);
        if given.insert(port) {
            free.push(port);
        }
    }
    free
}

/// Whether somebody listens on this port of 127.0.0.1 or of every address. Reads the kernel's table
/// (`proc(5)`, `/proc/net/tcp`): a trial connection would stand in the bucket's log as a visitor.
pub fn is_listening(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp");
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let local = fields.get(1).and_then(|address| address.split_once(':'));
        fields.get(3) == Some(&"0A")
            && local.is_some_and(|(ip, number)| {
                (ip == "0100007F" || ip == "00000000") && u16::from_str_radix(number, 16) == Ok(port)
            })
    })
}
