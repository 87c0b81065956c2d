//! OpenSSH's rotation of host keys (PROTOCOL, 2.5): the server names all its keys after the login, and proves them to
//! a client that asks.

use ssh_encoding::{Decode, Encode};

use super::*;
use crate::helpers::sign_with_hash_alg;
use crate::keys::key::PrivateKeyWithHashAlg;
use crate::msg;

const PROVE: &str = "hostkeys-prove-00@openssh.com";

impl Session {
    /// `hostkeys-00@openssh.com`, when the configuration wants it.
    pub(crate) fn announce_host_keys(&mut self) -> Result<(), Error> {
        if !self.common.config.announce_host_keys {
            return Ok(());
        }
        if let Some(ref mut enc) = self.common.encrypted {
            push_packet!(enc.write, {
                msg::GLOBAL_REQUEST.encode(&mut enc.write)?;
                "hostkeys-00@openssh.com".encode(&mut enc.write)?;
                0u8.encode(&mut enc.write)?;
                for key in &self.common.config.keys {
                    key.public_key().to_bytes()?.encode(&mut enc.write)?;
                }
            });
        }
        Ok(())
    }

    /// Signs the session with each key that is asked for.
    pub(crate) fn prove_host_keys(&mut self, r: &mut &[u8]) -> Result<(), Error> {
        let mut signatures = Vec::new();
        if let Some(ref enc) = self.common.encrypted {
            let config = self.common.config.clone();
            // No more than there are keys: each costs a signature.
            for _ in 0..config.keys.len() {
                if r.is_empty() {
                    break;
                }
                let wanted = Bytes::decode(r)?;
                let mut found = None;
                for key in &config.keys {
                    if key.public_key().to_bytes()? == wanted {
                        found = Some(key);
                    }
                }
                let Some(key) = found else {
                    self.request_failure();
                    return Ok(());
                };
                let mut signed = Vec::new();
                PROVE.encode(&mut signed)?;
                enc.session_id.as_ref().encode(&mut signed)?;
                wanted.encode(&mut signed)?;
                let hash = match key.algorithm() {
                    ssh_key::Algorithm::Rsa { .. } => Some(ssh_key::HashAlg::Sha512),
                    _ => None,
                };
                let key = PrivateKeyWithHashAlg::new(Arc::new(key.clone()), hash);
                sign_with_hash_alg(&key, &signed)?.encode(&mut signatures)?;
            }
        }
        if !r.is_empty() || signatures.is_empty() {
            self.request_failure();
            return Ok(());
        }
        if self.common.wants_reply
            && let Some(ref mut enc) = self.common.encrypted
        {
            self.common.wants_reply = false;
            push_packet!(enc.write, {
                enc.write.push(msg::REQUEST_SUCCESS);
                enc.write.extend_from_slice(&signatures);
            });
        }
        Ok(())
    }
}
