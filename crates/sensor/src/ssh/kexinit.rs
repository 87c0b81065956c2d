//! What an SSH client offers in its first KEXINIT (RFC 4253, 7.1), and its HASSH (hassh: MD5 over the lists).

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use wire::EventKind;

/// SSH_MSG_KEXINIT (RFC 4253, 12).
const SSH_MSG_KEXINIT: u8 = 20;
/// The largest packet a peer must accept (RFC 4253, 6.1).
pub const PACKET_LIMIT: u32 = 35_000;

/// The lists of a KEXINIT that tell clients apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kexinit {
    kex: String,
    host_keys: String,
    ciphers: String,
    macs: String,
    compression: String,
    languages: String,
}

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// More bytes are needed.
    Incomplete,
    /// Something else than a KEXINIT.
    Other,
    /// The client's offer.
    Kexinit(Kexinit),
}

/// Reads the first binary packet of a client, unencrypted.
pub fn read(bytes: &[u8]) -> Reading {
    let Some((length, rest)) = split_u32(bytes) else {
        return Reading::Incomplete;
    };
    if !(12..=PACKET_LIMIT).contains(&length) {
        return Reading::Other;
    }
    let Some(packet) = rest.get(..length as usize) else {
        return Reading::Incomplete;
    };
    packet_kexinit(packet).map_or(Reading::Other, Reading::Kexinit)
}

/// `padding length, payload, padding`.
fn packet_kexinit(packet: &[u8]) -> Option<Kexinit> {
    let (&padding, rest) = packet.split_first()?;
    let payload = rest.get(..rest.len().checked_sub(usize::from(padding))?)?;
    let (&message, rest) = payload.split_first()?;
    if message != SSH_MSG_KEXINIT {
        return None;
    }
    // 16 bytes of cookie, then ten name-lists, client to server first of each pair.
    let mut rest = rest.get(16..)?;
    let mut next = || -> Option<String> {
        let (length, after) = split_u32(rest)?;
        let list = after.get(..length as usize)?;
        rest = after.get(length as usize..)?;
        Some(String::from_utf8_lossy(list).into_owned())
    };
    let (kex, host_keys) = (next()?, next()?);
    let (ciphers, _ciphers_back) = (next()?, next()?);
    let (macs, _macs_back) = (next()?, next()?);
    let (compression, _compression_back) = (next()?, next()?);
    let languages = next()?;
    Some(Kexinit { kex, host_keys, ciphers, macs, compression, languages })
}

fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

impl Kexinit {
    /// The key exchanges the client can do, the one it likes best first.
    pub fn kex_names(&self) -> impl Iterator<Item = &str> {
        self.kex.split(',')
    }

    /// The event for this offer, with Cowrie's field names.
    pub fn into_event(self) -> EventKind {
        let algorithms = format!("{};{};{};{}", self.kex, self.ciphers, self.macs, self.compression);
        let hassh = Md5::digest(algorithms.as_bytes()).iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "{byte:02x}");
            text
        });
        let list = |names: &str| names.split(',').map(str::to_owned).collect::<Vec<_>>();
        EventKind::ClientKex {
            hassh,
            kex_algs: list(&self.kex),
            key_algs: list(&self.host_keys),
            enc_cs: list(&self.ciphers),
            mac_cs: list(&self.macs),
            comp_cs: list(&self.compression),
            lang_cs: list(&self.languages),
            hassh_algorithms: algorithms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(lists: &[&str]) -> Vec<u8> {
        let mut payload = vec![SSH_MSG_KEXINIT];
        payload.extend([7; 16]);
        for list in lists {
            payload.extend((list.len() as u32).to_be_bytes());
            payload.extend(list.as_bytes());
        }
        payload.extend([0; 5]);
        let mut packet = ((payload.len() + 1 + 4) as u32).to_be_bytes().to_vec();
        packet.push(4);
        packet.extend(payload);
        packet.extend([0; 4]);
        packet
    }

    #[test]
    fn hassh_is_the_md5_of_four_lists() {
        let bytes = packet(&["k1,k2", "h", "c1", "c2", "m1", "m2", "none", "none", "", ""]);
        let Reading::Kexinit(kexinit) = read(&bytes) else { panic!("not read") };
        let EventKind::ClientKex { hassh, hassh_algorithms, kex_algs, .. } = kexinit.into_event() else {
            panic!("wrong event")
        };
        assert_eq!(hassh_algorithms, "k1,k2;c1;m1;none");
        assert_eq!(kex_algs, ["k1", "k2"]);
        // printf 'k1,k2;c1;m1;none' | md5sum
        assert_eq!(hassh, "d1ba4f56989ced700fd4ff473ecb3ab2");
    }

    #[test]
    fn half_a_packet_is_incomplete_and_garbage_is_other() {
        let bytes = packet(&["a", "b", "c", "d", "e", "f", "g", "h", "", ""]);
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), Reading::Incomplete, "cut at {cut}");
        }
        assert_eq!(read(&[0xff; 64]), Reading::Other);
        assert_eq!(read(&[0, 0, 0, 12, 200, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Reading::Other);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..256)) {
            let _reading = read(&bytes);
        }
    }
}
