//! The packets before the keys, judged as OpenSSH 9.2 judges them: what breaks the rules is told so, or not even that.
//! The library below answers neither.

use super::kexinit::{self, Kexinit};

/// OpenSSH: PACKET_MAX_SIZE.
const LARGEST: usize = 256 * 1024;
/// How much of a packet is kept.
const KEPT: usize = 36 * 1024;
const SSH_MSG_DISCONNECT: u8 = 1;
const SSH_MSG_KEXINIT: u8 = 20;
const SSH_MSG_NEWKEYS: u8 = 21;

/// What is to be done with the bytes that came.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are handed on.
    Go,
    /// The connection ends after these bytes.
    End(Vec<u8>),
}

/// What a client has sent since its identification line.
#[derive(Default)]
pub struct Preliminaries {
    /// The packet that has not come whole, as far as it is kept.
    packet: Vec<u8>,
    /// How many of its bytes were not kept.
    dropped: usize,
    /// Packets before it.
    number: u32,
    offered: bool,
    strict: bool,
    began: bool,
    over: bool,
    offer: Option<Kexinit>,
}

impl Preliminaries {
    /// The client's offer, once.
    pub fn take_offer(&mut self) -> Option<Kexinit> {
        self.offer.take()
    }

    /// Whether what follows is encrypted.
    pub fn are_over(&self) -> bool {
        self.over
    }

    /// Looks at new bytes.
    pub fn look(&mut self, mut bytes: &[u8]) -> Verdict {
        while !self.over {
            // The length first, then what it says.
            let wanted = match self.length() {
                None => 4,
                Some(length) if !(5..=LARGEST).contains(&length) || !(length + 4).is_multiple_of(8) => {
                    return Verdict::End(Vec::new());
                }
                Some(length) => length + 4,
            };
            let missing = wanted.saturating_sub(self.packet.len() + self.dropped);
            if missing == 0 && wanted > 4 {
                if let Some(verdict) = self.judge() {
                    return verdict;
                }
                self.packet.clear();
                self.dropped = 0;
                self.number = self.number.wrapping_add(1);
                continue;
            }
            if bytes.is_empty() {
                break;
            }
            let (now, rest) = bytes.split_at(missing.min(bytes.len()));
            let room = KEPT.saturating_sub(self.packet.len()).min(now.len());
            self.packet.extend_from_slice(now.get(..room).unwrap_or_default());
            self.dropped += now.len() - room;
            bytes = rest;
        }
        Verdict::Go
    }

    fn length(&self) -> Option<usize> {
        let (length, _) = self.packet.split_first_chunk::<4>()?;
        Some(usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX))
    }

    /// A whole packet; nothing when it may pass.
    fn judge(&mut self) -> Option<Verdict> {
        let (length, padding) = (self.length()?, usize::from(*self.packet.get(4)?));
        if padding < 4 {
            return Some(disconnect(&format!("Corrupted padlen {padding} on input.")));
        }
        if padding + 1 >= length {
            return Some(Verdict::End(Vec::new()));
        }
        let kind = *self.packet.get(5)?;
        match kind {
            0 | 192.. => return Some(disconnect(&format!("Invalid ssh2 packet type: {kind}"))),
            // Logins and channels before the keys: not a word.
            50.. => return Some(Verdict::End(Vec::new())),
            SSH_MSG_DISCONNECT => {}
            SSH_MSG_KEXINIT if !self.offered => {
                self.offered = true;
                if let kexinit::Reading::Kexinit(offer) = kexinit::read(&self.packet) {
                    self.strict = offer.kex_names().any(|name| name == "kex-strict-c-v00@openssh.com");
                    self.offer = Some(offer);
                }
                if self.strict && self.number > 0 {
                    return Some(disconnect("strict KEX violation: KEXINIT was not the first packet"));
                }
            }
            SSH_MSG_NEWKEYS if self.began => self.over = true,
            // Groups of no size that there is (kexgexs.c): 2048 to 8192 bits.
            34 if self.offered && !self.asks_for_a_group() => return Some(Verdict::End(Vec::new())),
            30..=34 if self.offered => self.began = true,
            _ if self.strict => {
                let number = self.number;
                let text = format!("strict KEX violation: unexpected packet type {kind} (seqnr {number})");
                return Some(disconnect(&text));
            }
            _ => {}
        }
        None
    }
}

impl Preliminaries {
    /// SSH_MSG_KEX_DH_GEX_REQUEST: least, best and most bits (RFC 4419, 3).
    fn asks_for_a_group(&self) -> bool {
        let mut numbers = self.packet.get(6..18).unwrap_or_default().as_chunks::<4>().0.iter();
        let mut next = || numbers.next().map_or(0, |number| u32::from_be_bytes(*number));
        let (least, best, most) = (next().max(2048), next(), next().min(8192));
        let best = best.clamp(2048, 8192);
        least <= most && least <= best && best <= most
    }
}

/// SSH_MSG_DISCONNECT in clear, reason SSH_DISCONNECT_PROTOCOL_ERROR (RFC 4253, 11.1), and the end.
fn disconnect(text: &str) -> Verdict {
    let mut payload = vec![SSH_MSG_DISCONNECT, 0, 0, 0, 2];
    for text in [text, ""] {
        payload.extend(u32::try_from(text.len()).unwrap_or_default().to_be_bytes());
        payload.extend(text.as_bytes());
    }
    // To a multiple of eight, with at least four bytes.
    let padding = 4 + (8 - (4 + 1 + payload.len() + 4) % 8) % 8;
    let mut packet = u32::try_from(1 + payload.len() + padding).unwrap_or_default().to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap_or_default());
    packet.extend(payload);
    packet.extend(std::iter::repeat_with(rand::random::<u8>).take(padding));
    Verdict::End(packet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(payload: &[u8]) -> Vec<u8> {
        let padding = 4 + (8 - (5 + payload.len() + 4) % 8) % 8;
        let mut packet = ((1 + payload.len() + padding) as u32).to_be_bytes().to_vec();
        packet.push(padding as u8);
        packet.extend(payload);
        packet.extend(vec![0; padding]);
        packet
    }

    fn offer(kex: &str) -> Vec<u8> {
        let mut payload = vec![SSH_MSG_KEXINIT];
        payload.extend([7; 16]);
        for list in [kex, "k", "c", "c", "m", "m", "none", "none", "", ""] {
            payload.extend((list.len() as u32).to_be_bytes());
            payload.extend(list.as_bytes());
        }
        payload.extend([0; 5]);
        packet(&payload)
    }

    fn said(bytes: &[u8]) -> Option<Vec<u8>> {
        match Preliminaries::default().look(bytes) {
            Verdict::Go => None,
            Verdict::End(words) => Some(words),
        }
    }

    #[test]
    fn what_breaks_the_rules_ends_as_with_sshd() {
        let strict = offer("a,kex-strict-c-v00@openssh.com");
        for (bytes, words) in [
            (packet(&[0]), "Invalid ssh2 packet type: 0"),
            (packet(&[192]), "Invalid ssh2 packet type: 192"),
            (vec![0, 0, 0, 12, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "Corrupted padlen 3 on input."),
            ([strict.clone(), packet(&[5])].concat(), "unexpected packet type 5 (seqnr 1)"),
            ([packet(&[2]), strict.clone()].concat(), "KEXINIT was not the first packet"),
        ] {
            let said = said(&bytes).unwrap();
            let found = said.windows(words.len()).any(|window| window == words.as_bytes());
            assert!(found, "{said:?} has no {words:?}");
            assert_eq!(said.len() % 8, 0);
        }
        for bytes in [vec![0; 16], vec![0xff; 16], packet(&[50]), b"SSH-2.0-x\r\n".to_vec()] {
            assert_eq!(said(&bytes).as_deref(), Some(&b""[..]), "{bytes:?}");
        }
        assert_eq!(said(&[strict, packet(&[30, 0]), packet(&[21]), vec![0xff; 99]].concat()), None);
        assert_eq!(said(&[packet(&[2]), offer("a"), packet(&[5])].concat()), None);
    }

    #[test]
    fn it_is_the_same_however_it_is_cut() {
        let bytes = [offer("a"), packet(&[30, 1, 2]), packet(&[21]), vec![0xff; 40]].concat();
        for cut in 0..bytes.len() {
            let mut preliminaries = Preliminaries::default();
            assert_eq!(preliminaries.look(&bytes[..cut]), Verdict::Go, "cut at {cut}");
            assert_eq!(preliminaries.look(&bytes[cut..]), Verdict::Go, "cut at {cut}");
            assert!(preliminaries.are_over() && preliminaries.take_offer().is_some());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
            let _verdict = Preliminaries::default().look(&bytes);
        }
    }
}
