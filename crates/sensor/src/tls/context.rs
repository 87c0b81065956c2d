//! How visitors are spoken TLS with: as Debian 12's daemons set OpenSSL 3.0 up. Everything that the host's `openssl.cnf`, or a
//! newer OpenSSL, would decide otherwise is said here: what visitors see is the claimed machine's, not the host's.

use openssl::{
    error::ErrorStack,
    pkey::PKey,
    ssl::{
        AlpnError, SniError, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions,
        SslSessionCacheMode, SslVersion, select_next_proto,
    },
    x509::X509,
};
use tokio_openssl::{set_dh_auto, set_session_timeout};

use super::{SnakeoilError, Speaker};

/// OpenSSL 3.0's ciphers of TLS 1.3 (ssl.h: `TLS_DEFAULT_CIPHERSUITES`).
const SUITES: &str = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
/// OpenSSL 3.0's groups (t1_lib.c: `supported_groups_default`): nginx's `ssl_ecdh_curve auto`.
const GROUPS: &str = "X25519:P-256:X448:P-521:P-384:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:ffdhe8192";
/// From version 3.6 on it has to be asked for to name all forms of a point (`SSL_OP_LEGACY_EC_POINT_FORMATS`); unknown before.
const POINT_FORMATS: SslOptions = SslOptions::from_bits_retain(1 << 36);
/// OpenSSL 3.0's signatures (t1_lib.c: `tls12_sigalgs`), but for those of DSA and GOST, whose keys nobody has.
const SIGNATURES: &str = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:rsa_pss_pss_sha256:rsa_pss_pss_sha384:\
    rsa_pss_pss_sha512:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512:\
    ECDSA+SHA224:ECDSA+SHA1:RSA+SHA224:RSA+SHA1";

/// As nginx 1.22 (ngx_event_openssl.c) with the `nginx.conf` of the package; HTTP/1.1 by ALPN.
pub fn nginx(what: &str, certificates: &str, key: &str) -> Result<Speaker, SnakeoilError> {
    // Debian builds the library with this level; nginx leaves it.
    let context = build(what, certificates, key, 2, |context| {
        // `ssl_prefer_server_ciphers on`; a visitor who closes without a word has closed.
        context.set_options(
            SslOptions::CIPHER_SERVER_PREFERENCE
                | SslOptions::NO_RENEGOTIATION
                | SslOptions::IGNORE_UNEXPECTED_EOF,
        );
        context.set_read_ahead(true);
        // `ssl_ciphers`
        context.set_cipher_list("HIGH:!aNULL:!MD5")?;
        context.set_groups_list(GROUPS)?;
        // `ssl_session_cache none`: as if sessions were kept, and tickets hold `ssl_session_timeout`.
        context.set_session_cache_mode(
            SslSessionCacheMode::SERVER
                | SslSessionCacheMode::NO_AUTO_CLEAR
                | SslSessionCacheMode::NO_INTERNAL_STORE,
        );
        context.set_session_cache_size(1);
        // A digest of SHA-1: its length is part of a ticket's.
        context.set_session_id_context(&[0; 20])?;
        set_session_timeout(context, 300);
        context.set_servername_callback(|_, _| Ok(()));
        context.set_alpn_select_callback(|_, offered| {
            let known = b"\x08http/1.1\x08http/1.0\x08http/0.9";
            select_next_proto(known, offered).ok_or(AlpnError::ALERT_FATAL)
        });
        Ok(())
    })?;
    Ok(Speaker { context, answers_goodbye: true })
}

/// As Postfix 3.7 (tls_server.c) with `smtpd_tls_security_level = may` and nothing else set.
pub fn postfix(what: &str, certificates: &str, key: &str) -> Result<Speaker, SnakeoilError> {
    // Opportunistic: anything is better than clear text, so Postfix lowers the level.
    let context = build(what, certificates, key, 0, |context| {
        context.set_options(SslOptions::ALL | SslOptions::IGNORE_UNEXPECTED_EOF);
        // `tls_medium_cipherlist`, with suites that need no certificate: `smtpd_tls_ask_ccert = no`.
        context.set_cipher_list("aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH")?;
        // `tls_eecdh_auto_curves`
        context.set_groups_list("X25519:X448:P-256:P-521:P-384")?;
        set_dh_auto(context)?;
        context.set_session_cache_mode(
            SslSessionCacheMode::SERVER
                | SslSessionCacheMode::NO_AUTO_CLEAR
                | SslSessionCacheMode::NO_INTERNAL,
        );
        context.set_session_id_context(b"smtpd")?;
        context.set_num_tickets(1)?;
        // The library's own, for sessions are kept by nobody.
        set_session_timeout(context, 7200);
        context.set_servername_callback(|_, _| Err(SniError::NOACK));
        Ok(())
    })?;
    Ok(Speaker { context, answers_goodbye: false })
}

/// A context with this certificate and what both daemons have in common; `what` names where the two texts are from.
fn build(
    what: &str,
    certificates: &str,
    key: &str,
    security_level: u32,
    set: impl FnOnce(&mut SslContextBuilder) -> Result<(), ErrorStack>,
) -> Result<SslContext, SnakeoilError> {
    let damaged = || SnakeoilError::Damaged { what: what.to_owned() };
    let chain = X509::stack_from_pem(certificates.as_bytes()).map_err(|_| damaged())?;
    // A key under a passphrase would have the library ask at the terminal; it is told that there is none.
    let key = PKey::private_key_from_pem_callback(key.as_bytes(), |_| Ok(0)).map_err(|_| damaged())?;
    let mut chain = chain.into_iter();
    let first = chain.next().ok_or_else(damaged)?;
    let built = || {
        let mut context = SslContextBuilder::new(SslMethod::tls_server())?;
        let from_the_host = context.options();
        context.clear_options(from_the_host);
        context.set_options(
            SslOptions::NO_SSLV3
                | SslOptions::NO_COMPRESSION
                | SslOptions::ENABLE_MIDDLEBOX_COMPAT
                | POINT_FORMATS,
        );
        context.set_security_level(security_level);
        context.set_min_proto_version(Some(SslVersion::TLS1))?;
        context.set_max_proto_version(Some(SslVersion::TLS1_3))?;
        context.set_ciphersuites(SUITES)?;
        context.set_sigalgs_list(SIGNATURES)?;
        // An idle visitor costs no buffers of the library's.
        context.set_mode(SslMode::RELEASE_BUFFERS | SslMode::AUTO_RETRY | SslMode::NO_AUTO_CHAIN);
        set(&mut context)?;
        context.set_certificate(&first)?;
        for certificate in chain {
            context.add_extra_chain_cert(certificate)?;
        }
        context.set_private_key(&key)?;
        context.check_private_key()?;
        Ok(context.build())
    };
    built().map_err(|source| SnakeoilError::Use { what: what.to_owned(), source })
}
