//! The records of who logged in: `utmp`, `wtmp` and `lastlog`.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use super::{Guest, Identity, Scene, processes};

/// Types of utmp(5).
const BOOT_TIME: u16 = 2;
const USER_PROCESS: u16 = 7;

/// One record of utmp(5).
struct Record<'a> {
    kind: u16,
    pid: u32,
    line: &'a str,
    id: &'a str,
    user: &'a str,
    host: &'a str,
    from: Option<IpAddr>,
    at: SystemTime,
}

/// As it lies on an x86-64: 384 bytes.
fn encode(record: &Record<'_>) -> Vec<u8> {
    let &Record { kind, pid, line, id, user, host, from, at } = record;
    let mut bytes = Vec::with_capacity(384);
    let field = |bytes: &mut Vec<u8>, text: &str, size: usize| {
        let end = bytes.len() + size;
        bytes.extend(text.bytes().take(size));
        bytes.resize(end, 0);
    };
    bytes.extend_from_slice(&u32::from(kind).to_le_bytes());
    bytes.extend_from_slice(&pid.to_le_bytes());
    field(&mut bytes, line, 32);
    field(&mut bytes, id, 4);
    field(&mut bytes, user, 32);
    field(&mut bytes, host, 256);
    bytes.extend_from_slice(&[0; 8]); // exit status, session
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    bytes.extend_from_slice(&(since.as_secs() as u32).to_le_bytes());
    bytes.extend_from_slice(&since.subsec_micros().to_le_bytes());
    let address = match from.map(|from| from.to_canonical()) {
        Some(IpAddr::V4(address)) => [&address.octets()[..], &[0; 12]].concat(),
        Some(IpAddr::V6(address)) => address.octets().to_vec(),
        None => vec![0; 16],
    };
    bytes.extend(address);
    bytes.resize(384, 0);
    bytes
}

fn login(scene: &Scene<'_>, guest: &Guest) -> Option<Vec<u8>> {
    let tty = guest.tty.as_deref()?;
    let pid = processes::shell_pid(scene.identity, guest.since) - processes::DOOR;
    let from = guest.peer.ip().to_canonical();
    let id = tty.strip_prefix("pts/").map_or(tty.to_owned(), |number| format!("ts/{number}"));
    Some(encode(&Record {
        kind: USER_PROCESS,
        pid,
        line: tty,
        id: &id,
        user: &guest.user,
        host: &from.to_string(),
        from: Some(from),
        at: guest.since,
    }))
}

fn boot(scene: &Scene<'_>) -> Vec<u8> {
    let Identity { kernel_release, boot_time, .. } = scene.identity;
    encode(&Record {
        kind: BOOT_TIME,
        pid: 0,
        line: "~",
        id: "~~",
        user: "reboot",
        host: kernel_release,
        from: None,
        at: *boot_time,
    })
}

/// `/run/utmp`: the boot, the console's getty, and who is here.
pub(in crate::machine) fn utmp(scene: &Scene<'_>) -> Vec<u8> {
    let at = scene.identity.boot_time + Duration::from_secs(9);
    let getty = encode(&Record {
        kind: 6,
        pid: 620,
        line: "tty1",
        id: "tty1",
        user: "LOGIN",
        host: "",
        from: None,
        at,
    });
    let here = scene.guests.last().and_then(|guest| login(scene, guest)).unwrap_or_default();
    [boot(scene), getty, here].concat()
}

/// `/var/log/wtmp`: the boot and every login.
pub(in crate::machine) fn wtmp(scene: &Scene<'_>) -> Vec<u8> {
    let logins = scene.guests.iter().filter_map(|guest| login(scene, guest));
    [boot(scene)].into_iter().chain(logins).flatten().collect()
}

/// `/var/log/lastlog`: a record of 292 bytes for each uid.
pub(in crate::machine) fn lastlog(scene: &Scene<'_>) -> Vec<u8> {
    const RECORD: usize = 292;
    let mut bytes = Vec::new();
    for guest in scene.guests.iter().filter(|guest| guest.uid < 2000) {
        let Some(tty) = &guest.tty else { continue };
        let start = guest.uid as usize * RECORD;
        let mut one = Vec::with_capacity(RECORD);
        let since = guest.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        one.extend_from_slice(&(since.as_secs() as u32).to_le_bytes());
        one.extend(tty.bytes().take(32));
        one.resize(36, 0);
        one.extend(guest.peer.ip().to_canonical().to_string().bytes());
        one.resize(RECORD, 0);
        if bytes.len() < start + RECORD {
            bytes.resize(start + RECORD, 0);
        }
        if let Some(place) = bytes.get_mut(start..start + RECORD) {
            place.copy_from_slice(&one);
        }
    }
    bytes
}
