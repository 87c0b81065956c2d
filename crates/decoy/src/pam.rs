//! How long PAM makes somebody wait who got it wrong (libpam's pam_delay.c).

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// pam_unix asks for two seconds.
pub const UNIX: Duration = Duration::from_secs(2);
/// Debian's `/etc/pam.d/login`: `pam_faildelay.so delay=3000000`.
pub const LOGIN: Duration = Duration::from_secs(3);

/// A delay around `base`: half of it more or less, the mean of three throws of the dice.
pub fn delay(base: Duration) -> Duration {
    // Keyed anew for each value: no source of chance is needed beside it.
    let chance = RandomState::new().hash_one(base);
    let throws = [chance, chance >> 20, chance >> 40].map(|part| part % 1000);
    base.mul_f64(0.5 + throws.iter().sum::<u64>() as f64 / 3000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_lie_around_their_base_and_differ() {
        let delays: Vec<Duration> = (0..100).map(|_| delay(UNIX)).collect();
        assert!(delays.iter().all(|delay| (UNIX / 2..=UNIX * 3 / 2).contains(delay)));
        assert!(delays.iter().any(|other| *other != delays[0]));
    }
}
