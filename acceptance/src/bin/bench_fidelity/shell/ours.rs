//! The bucket's side: every visit comes from an address of its own, so that it finds the machine untouched.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU32, Ordering},
};

use acceptance::{Bucket, bucket::PASSWORD, clients::Ssh};

use super::{
    play::{self, Outcome},
    truth::HOST,
    units::Unit,
};

/// A bucket without a model.
pub async fn start() -> Bucket {
    let mut bucket = Bucket::new();
    bucket.set(&["persona", "hostname"], HOST);
    // Otherwise the draw of a service account, which looks like Debian's own, decides about every `cat /etc/passwd`.
    bucket.set(&["persona", "users"], vec!["anna"]);
    bucket.start().await;
    bucket
}

/// Plays one visit.
pub async fn play(port: u16, unit: &Unit) -> Option<Vec<Outcome>> {
    static VISITS: AtomicU32 = AtomicU32::new(0);
    let visit = VISITS.fetch_add(1, Ordering::Relaxed);
    let source = Ipv4Addr::from(0x7f01_0001_u32.wrapping_add(visit));
    let ssh = Ssh::log_in_from(source, port, "root", PASSWORD).await.ok()??;
    play::on(ssh, unit).await
}
