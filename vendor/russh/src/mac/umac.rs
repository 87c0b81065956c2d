//! `umac-64@openssh.com` and `umac-128@openssh.com`, and their encrypt-then-MAC forms (RFC 4418; the nonce is the
//! sequence number in eight bytes, as OpenSSH's mac.c has it).

use subtle::ConstantTimeEq;

use super::{Mac, MacAlgorithm};

pub struct UmacAlgorithm<const WORDS: usize> {
    pub etm: bool,
}

struct UmacMac<const WORDS: usize> {
    umac: Box<umac::Umac<WORDS>>,
    etm: bool,
}

impl<const WORDS: usize> MacAlgorithm for UmacAlgorithm<WORDS> {
    fn key_len(&self) -> usize {
        umac::KEY
    }

    fn make_mac(&self, mac_key: &[u8]) -> Box<dyn Mac + Send> {
        let mut key = [0; umac::KEY];
        key.copy_from_slice(mac_key);
        Box::new(UmacMac {
            umac: Box::new(umac::Umac::<WORDS>::new(&key)),
            etm: self.etm,
        })
    }
}

impl<const WORDS: usize> Mac for UmacMac<WORDS> {
    fn mac_len(&self) -> usize {
        WORDS * 4
    }

    fn is_etm(&self) -> bool {
        self.etm
    }

    fn compute(&self, sequence_number: u32, payload: &[u8], output: &mut [u8]) {
        // No packet comes near the longest message; one that did would fail at the peer.
        let tag = self.umac.tag(u64::from(sequence_number), payload);
        output.copy_from_slice(tag.unwrap_or([[0; 4]; WORDS]).as_flattened());
    }

    fn verify(&self, sequence_number: u32, payload: &[u8], mac: &[u8]) -> bool {
        let tag = self.umac.tag(u64::from(sequence_number), payload);
        tag.is_some_and(|tag| tag.as_flattened().ct_eq(mac).into())
    }
}
