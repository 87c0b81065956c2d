//! SSH as OpenSSH 9.2 on Debian 12 speaks it, on `russh`.

mod channel;
mod farewell;
mod file_attributes;
mod forwarding;
mod framed;
pub mod host_keys;
mod identification;
mod kexinit;
mod moduli;
mod preliminaries;
mod scp;
mod sftp;
mod sftp_extensions;
mod status;
mod upload;
mod visit;
mod waiting_room;
mod wiretap;

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use decoy::Contact;
use russh::{
    MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex,
    keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey},
    mac,
    server::Config,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use wire::EventKind;

use crate::{artifacts::Artifacts, handler::Bounds, session::Session};

/// How long programs may take to notice that their channel is gone.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long a connection may outlive its bound, should everything else that ends it fail.
const OVERTIME: Duration = Duration::from_secs(30);

/// The identification of Debian 12's server.
pub const BANNER: &str = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10";

/// The lists of Debian 12's sshd, in its order: the server HASSH is `425d29fe50d8e4f5e37efb6e24bcf660`. Half of it is
/// our own addition to russh (vendor/README.md).
const PREFERRED: Preferred = Preferred {
    kex: Cow::Borrowed(&[
        kex::SNTRUP761X25519_SHA512,
        kex::SNTRUP761X25519_SHA512_OPENSSH,
        kex::CURVE25519,
        kex::CURVE25519_PRE_RFC_8731,
        kex::ECDH_SHA2_NISTP256,
        kex::ECDH_SHA2_NISTP384,
        kex::ECDH_SHA2_NISTP521,
        kex::DH_GEX_SHA256,
        kex::DH_G16_SHA512,
        kex::DH_G18_SHA512,
        kex::DH_G14_SHA256,
        kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
    ]),
    key: Cow::Borrowed(&[
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ed25519,
    ]),
    host_key_certificates: Cow::Borrowed(&[]),
    cipher: Cow::Borrowed(&[
        cipher::CHACHA20_POLY1305,
        cipher::AES_128_CTR,
        cipher::AES_192_CTR,
        cipher::AES_256_CTR,
        cipher::AES_128_GCM,
        cipher::AES_256_GCM,
    ]),
    mac: Cow::Borrowed(&[
        mac::UMAC_64_ETM,
        mac::UMAC_128_ETM,
        mac::HMAC_SHA256_ETM,
        mac::HMAC_SHA512_ETM,
        mac::HMAC_SHA1_ETM,
        mac::UMAC_64,
        mac::UMAC_128,
        mac::HMAC_SHA256,
        mac::HMAC_SHA512,
        mac::HMAC_SHA1,
    ]),
    compression: Cow::Borrowed(&[compression::NONE, compression::ZLIB_LEGACY]),
};

/// Debian's sshd_config: `KbdInteractiveAuthentication no`.
const METHODS: &[MethodKind] = &[MethodKind::PublicKey, MethodKind::Password];

/// `server-sig-algs` of OpenSSH 9.2, which names more than there are host keys for (measured).
const SIGNATURES: &str = "ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,\
    ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com,webauthn-sk-ecdsa-sha2-nistp256@openssh.com,\
    ssh-dss,ssh-rsa,rsa-sha2-256,rsa-sha2-512";

/// What sshd says at MaxStartups (sshd.c of OpenSSH 9.2).
const TOO_MANY: &[u8] = b"Exceeded MaxStartups\r\n";

/// A connection before its login, and who must know when that is over.
struct Startup {
    /// Becomes true at the login.
    logged_in: Arc<AtomicBool>,
    /// A place among those who have not logged in.
    place: Option<OwnedSemaphorePermit>,
    /// Turns of costly key exchanges, the first and later ones.
    turns: Arc<Semaphore>,
}

impl Startup {
    fn finish(&mut self) {
        self.logged_in.store(true, Ordering::Relaxed);
        self.place = None;
    }
}

/// Runs a program; when its channel is gone, it has some time to notice.
async fn within(program: impl Future<Output = ()>, gone: CancellationToken) {
    let too_late = async {
        gone.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        () = program => {}
        () = too_late => tracing::debug!("a program outlived its SSH channel and was ended"),
    }
}

/// What every SSH connection shares.
pub struct Daemon {
    config: Arc<Config>,
    artifacts: Arc<Artifacts>,
    bounds: Bounds,
    /// Places for connections that have not logged in.
    startups: Arc<Semaphore>,
    startups_limit: usize,
    /// Turns of costly key exchanges, one at a time: Diffie-Hellman in a group of 8192 bits takes a processor a while, and
    /// anybody may ask for it before saying who they are.
    turns: Arc<Semaphore>,
}

impl Daemon {
    /// A daemon with these host keys; `banner` is the whole identification line without its line end, `startups` how
    /// many connections may be there that have not logged in (sshd_config(5): MaxStartups).
    pub fn new(
        keys: Vec<PrivateKey>,
        banner: String,
        bounds: Bounds,
        artifacts: Arc<Artifacts>,
        startups: usize,
    ) -> Self {
        let config = Config {
            server_id: SshId::Standard(Cow::Owned(banner)),
            methods: MethodSet::from(METHODS),
            // Refused keys come back at once; passwords wait for PAM.
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            server_sig_algs: Some(Cow::Borrowed(SIGNATURES)),
            announce_host_keys: true,
            keys,
            preferred: PREFERRED,
            // sshd_config(5): MaxAuthTries.
            max_auth_attempts: 6,
            inactivity_timeout: Some(bounds.idle),
            // A visitor who does not read must not fill our memory.
            channel_buffer_size: 32,
            window_size: 256 * 1024,
            nodelay: true,
            ..Config::default()
        };
        Self {
            config: Arc::new(config),
            artifacts,
            bounds,
            startups: Arc::new(Semaphore::new(startups)),
            startups_limit: startups,
            turns: Arc::new(Semaphore::new(1)),
        }
    }

    /// Serves one connection to its end.
    pub async fn serve(&self, mut stream: TcpStream, contact: Contact, session: Session) {
        let Ok(place) = Arc::clone(&self.startups).try_acquire_owned() else {
            let value = self.startups_limit as u64;
            session.note(EventKind::LimitHit { limit: "ssh_startups".to_owned(), value });
            // A visitor who does not take a few bytes at once is not waited for.
            let said = tokio::time::timeout(Duration::from_secs(1), stream.write_all(TOO_MANY)).await;
            tracing::trace!(?said, peer = %session.peer(), "turned away");
            return;
        };
        let logged_in = Arc::new(AtomicBool::new(false));
        let startup =
            Startup { logged_in: Arc::clone(&logged_in), place: Some(place), turns: Arc::clone(&self.turns) };
        let ends_at = Instant::from_std(session.began()) + self.bounds.session;
        let (tapping, bytes) = (session.clone(), self.bounds.bytes);
        let visitor = Arc::clone(&contact.visitor);
        let tapped = wiretap::Wiretap::new(stream, tapping, ends_at, bytes, logged_in, visitor);
        let tasks = TaskTracker::new();
        let artifacts = Arc::clone(&self.artifacts);
        let gone = CancellationToken::new();
        // A visit that is cut off cuts off its channels.
        let _guard = gone.clone().drop_guard();
        let visit = visit::Visit::new(
            contact,
            session.clone(),
            self.bounds,
            artifacts,
            startup,
            tasks.clone(),
            gone.clone(),
        );
        let ended = match russh::server::run_stream(Arc::clone(&self.config), tapped, visit).await {
            Ok(running) => tokio::time::timeout_at(ends_at + OVERTIME, running)
                .await
                .unwrap_or(Err(russh::Error::ConnectionTimeout)),
            Err(error) => Err(error),
        };
        gone.cancel();
        if let Err(error) = ended {
            tracing::debug!(%error, peer = %session.peer(), "SSH connection ended");
        }
        // Programs that still run notice that their channel is gone; what they note belongs before the close.
        tasks.close();
        if tokio::time::timeout(2 * LAST_WORDS, tasks.wait()).await.is_err() {
            tracing::debug!(peer = %session.peer(), "programs outlive their SSH connection");
        }
    }
}
