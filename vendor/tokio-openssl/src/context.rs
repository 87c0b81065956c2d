//! Rustbucket: two settings of a context that servers make and the `openssl` crate does not offer.

use openssl::{error::ErrorStack, ssl::SslContextBuilder};
use std::os::raw::c_long;

extern "C" {
    fn SSL_CTX_set_timeout(ctx: *mut openssl_sys::SSL_CTX, seconds: c_long) -> c_long;
}

/// How long a session may be taken up again, in seconds; tickets say it (`SSL_CTX_set_timeout(3)`).
pub fn set_session_timeout(context: &mut SslContextBuilder, seconds: u16) {
    // SAFETY: the builder owns a live context, which the function changes and does not keep.
    let _former = unsafe { SSL_CTX_set_timeout(context.as_ptr(), c_long::from(seconds)) };
}

/// Diffie-Hellman over numbers, in a group as strong as the certificate's key (`SSL_CTX_set_dh_auto(3)`).
pub fn set_dh_auto(context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    // SAFETY: as above.
    match unsafe { openssl_sys::SSL_CTX_set_dh_auto(context.as_ptr(), 1) } {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}
