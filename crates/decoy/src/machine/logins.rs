//! Who gets in: not everybody, and whoever got in once gets in again.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hasher as _},
};

/// A user of the machine, as `/etc/passwd` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Full name field.
    pub gecos: String,
}

/// The answer to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// Let in as this user.
    Accepted(Account),
    /// Not let in.
    Refused,
}

/// How guessing is rewarded: an account opens to a source after a number of different wrong passwords that only this
/// bucket knows, and from then on to that password alone.
#[derive(Clone, Debug)]
pub struct LoginPolicy {
    /// User and password pairs that are accepted at the first try.
    pub always: Vec<(String, String)>,
    /// Fewest different passwords before a guess is accepted.
    pub fewest_tries: u32,
    /// Most different passwords before a guess is accepted.
    pub most_tries: u32,
    /// Makes the number differ between buckets and accounts.
    pub secret: u64,
}

/// The most passwords that are remembered for one account of one source.
const REMEMBERED_PASSWORDS: usize = 64;

/// What one source has tried and where it got in.
#[derive(Debug, Default)]
pub struct Admitted {
    accounts: BTreeMap<String, Tries>,
}

impl Admitted {
    /// Which password opened which account.
    pub(super) fn accepted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.accounts.iter().filter_map(|(user, tries)| Some((user.as_str(), tries.accepted.as_deref()?)))
    }

    /// Takes over what was accepted earlier.
    pub(super) fn recall(&mut self, user: &str, password: &str) {
        self.accounts.entry(user.to_owned()).or_default().accepted = Some(password.to_owned());
    }
}

#[derive(Debug, Default)]
struct Tries {
    accepted: Option<String>,
    refused: BTreeSet<u64>,
}

impl Admitted {
    /// The account has this password now.
    pub(crate) fn set(&mut self, user: &str, password: &str) {
        let tries = self.accounts.entry(user.to_owned()).or_default();
        tries.accepted = Some(password.chars().take(256).collect());
        tries.refused.clear();
    }
}

impl LoginPolicy {
    /// Decides one attempt on an account that exists.
    pub(crate) fn admits(&self, admitted: &mut Admitted, user: &str, password: &str) -> bool {
        if self.always.iter().any(|(name, word)| name == user && word == password) {
            return true;
        }
        let tries = admitted.accounts.entry(user.to_owned()).or_default();
        if let Some(accepted) = &tries.accepted {
            return accepted == password;
        }
        // An account whose password is set never opens to a guess, and no real account opens to nothing.
        if password.is_empty() || self.always.iter().any(|(name, _)| name == user) {
            return false;
        }
        let attempt = hash((self.secret, user, password));
        if tries.refused.contains(&attempt) {
            return false;
        }
        let needed = self.tries_needed(user);
        if tries.refused.len() + 1 >= needed as usize {
            tries.accepted = Some(password.to_owned());
            tries.refused.clear();
            return true;
        }
        if tries.refused.len() < REMEMBERED_PASSWORDS {
            tries.refused.insert(attempt);
        }
        false
    }

    /// How many different passwords this account takes; the same for every source, as a weak password would be.
    fn tries_needed(&self, user: &str) -> u32 {
        let span = self.most_tries.saturating_sub(self.fewest_tries).saturating_add(1);
        self.fewest_tries.saturating_add((hash((self.secret, user)) % u64::from(span)) as u32)
    }
}

fn hash(value: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> LoginPolicy {
        LoginPolicy {
            always: vec![("admin".into(), "fixed".into())],
            fewest_tries: 3,
            most_tries: 3,
            secret: 7,
        }
    }

    #[test]
    fn a_guess_is_accepted_after_enough_different_ones_and_stays_accepted() {
        let (policy, mut admitted) = (policy(), Admitted::default());
        assert!(!policy.admits(&mut admitted, "root", "a"));
        assert!(!policy.admits(&mut admitted, "root", "a"), "the same guess again is no new guess");
        assert!(!policy.admits(&mut admitted, "root", ""));
        assert!(!policy.admits(&mut admitted, "root", "b"));
        assert!(policy.admits(&mut admitted, "root", "c"));
        assert!(policy.admits(&mut admitted, "root", "c"));
        assert!(!policy.admits(&mut admitted, "root", "d"), "one account has one password");
    }

    #[test]
    fn a_set_password_is_the_only_one() {
        let (policy, mut admitted) = (policy(), Admitted::default());
        for guess in ["a", "b", "c", "d", "e"] {
            assert!(!policy.admits(&mut admitted, "admin", guess));
        }
        assert!(policy.admits(&mut admitted, "admin", "fixed"));
    }
}
