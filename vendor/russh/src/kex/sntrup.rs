//! `sntrup761x25519-sha512`, also known with `@openssh.com`: draft-josefsson-ntruprime-ssh.

use curve25519_dalek::montgomery::MontgomeryPoint;
use log::debug;
use ::sntrup::{sntrup761, Sntrup761};
use sha2::{Digest, Sha512};
use ssh_encoding::{Encode, Writer};

use super::{compute_keys, KexAlgorithm, KexAlgorithmImplementor, KexType, SharedSecret};
use crate::mac;
use crate::session::Exchange;
use crate::{cipher, msg, CryptoVec, Error};

const X25519_PUBLIC_KEY_SIZE: usize = 32;

pub struct Sntrup761X25519KexType {}

impl KexType for Sntrup761X25519KexType {
    fn make(&self) -> KexAlgorithm {
        Sntrup761X25519Kex::default().into()
    }
}

#[doc(hidden)]
#[derive(Default)]
pub struct Sntrup761X25519Kex {
    /// What the client keeps until the server's answer.
    secrets: Option<Box<(sntrup761::DecapsulationKey, [u8; 32])>>,
    /// SHA-512 of both shared secrets.
    shared: Option<[u8; 64]>,
}

impl std::fmt::Debug for Sntrup761X25519Kex {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Sntrup761X25519Kex {{ secrets: [hidden], shared: [hidden] }}")
    }
}

/// The X25519 half; a point of low order gives no secret (RFC 7748, 6.1).
fn x25519(public: &[u8], secret: [u8; 32]) -> Result<MontgomeryPoint, Error> {
    let public = MontgomeryPoint(public.try_into().map_err(|_| Error::Kex)?);
    let shared = public.mul_clamped(secret);
    if shared.0 == [0u8; 32] {
        debug!("the peer sent a low-order curve25519 pubkey");
        return Err(Error::Kex);
    }
    Ok(shared)
}

fn combine(sntrup: &sntrup761::SharedSecret, x25519: &MontgomeryPoint) -> [u8; 64] {
    let mut hasher = Sha512::new();
    hasher.update(sntrup.as_ref());
    hasher.update(x25519.0);
    hasher.finalize().into()
}

impl KexAlgorithmImplementor for Sntrup761X25519Kex {
    fn skip_exchange(&self) -> bool {
        false
    }

    fn server_dh(&mut self, exchange: &mut Exchange, payload: &[u8]) -> Result<(), Error> {
        // One byte of message, four of length: the caller has decoded the string they begin.
        let offer = payload.get(5..).ok_or(Error::Inconsistent)?;
        if offer.len() != sntrup761::PUBLIC_KEY_SIZE + X25519_PUBLIC_KEY_SIZE {
            return Err(Error::Kex);
        }
        let (kem, public) = offer.split_at(sntrup761::PUBLIC_KEY_SIZE);
        let kem = sntrup761::EncapsulationKey::try_from(kem).map_err(|_| Error::Kex)?;
        let secret = rand::random::<[u8; 32]>();
        let shared = x25519(public, secret)?;
        let (ciphertext, kem_shared) = kem.encapsulate(&mut rand::rng());

        exchange.server_ephemeral.clear();
        exchange.server_ephemeral.extend_from_slice(ciphertext.as_ref());
        exchange
            .server_ephemeral
            .extend_from_slice(&MontgomeryPoint::mul_base_clamped(secret).0);
        self.shared = Some(combine(&kem_shared, &shared));
        Ok(())
    }

    fn client_dh(
        &mut self,
        client_ephemeral: &mut Vec<u8>,
        writer: &mut impl Writer,
    ) -> Result<(), Error> {
        let (public, private) = Sntrup761::generate_key(&mut rand::rng());
        let secret = rand::random::<[u8; 32]>();

        client_ephemeral.clear();
        client_ephemeral.extend_from_slice(public.as_ref());
        client_ephemeral.extend_from_slice(&MontgomeryPoint::mul_base_clamped(secret).0);

        msg::KEX_HYBRID_INIT.encode(writer)?;
        client_ephemeral.as_slice().encode(writer)?;
        self.secrets = Some(Box::new((private, secret)));
        Ok(())
    }

    fn compute_shared_secret(&mut self, answer: &[u8]) -> Result<(), Error> {
        if answer.len() != sntrup761::CIPHERTEXT_SIZE + X25519_PUBLIC_KEY_SIZE {
            return Err(Error::Kex);
        }
        let (ciphertext, public) = answer.split_at(sntrup761::CIPHERTEXT_SIZE);
        let ciphertext = sntrup761::Ciphertext::try_from(ciphertext).map_err(|_| Error::Kex)?;
        let secrets = self.secrets.take().ok_or(Error::KexInit)?;
        let shared = x25519(public, secrets.1)?;
        self.shared = Some(combine(&secrets.0.decapsulate(&ciphertext), &shared));
        Ok(())
    }

    fn shared_secret_bytes(&self) -> Option<&[u8]> {
        self.shared.as_ref().map(|shared| shared.as_slice())
    }

    fn compute_exchange_hash(
        &self,
        key: &[u8],
        exchange: &Exchange,
        buffer: &mut CryptoVec,
    ) -> Result<Vec<u8>, Error> {
        buffer.clear();
        exchange.client_id.encode(buffer)?;
        exchange.server_id.encode(buffer)?;
        exchange.client_kex_init.encode(buffer)?;
        exchange.server_kex_init.encode(buffer)?;
        buffer.extend(key);
        exchange.client_ephemeral.encode(buffer)?;
        exchange.server_ephemeral.encode(buffer)?;
        // A string, not a number.
        let shared = self.shared.as_ref().ok_or(Error::KexInit)?;
        shared.as_slice().encode(buffer)?;
        Ok(Sha512::digest(&buffer[..]).to_vec())
    }

    fn compute_keys(
        &self,
        session_id: &[u8],
        exchange_hash: &[u8],
        cipher: cipher::Name,
        remote_to_local_mac: mac::Name,
        local_to_remote_mac: mac::Name,
        is_server: bool,
    ) -> Result<super::cipher::CipherPair, Error> {
        let shared = self.shared.as_ref().ok_or(Error::KexInit)?;
        compute_keys::<Sha512>(
            Some(&SharedSecret::from_string(shared)?),
            session_id,
            exchange_hash,
            cipher,
            remote_to_local_mac,
            local_to_remote_mac,
            is_server,
        )
    }
}
