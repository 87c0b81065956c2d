//! What is kept of visitors over a restart: their files, and the passwords that let them in.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

use sha2::{Digest as _, Sha256};

use super::{
    Machine, Visitor,
    files::saved::{put_time, time},
    image::varint::{Reader, put, put_bytes},
};

/// Gives what was saved of a source earlier. Asked once for each source that comes, so it must be quick for unknown ones.
pub type Recall = Box<dyn Fn(IpAddr) -> Option<Vec<u8>> + Send + Sync>;

/// The first bytes of what is saved.
const MAGIC: &[u8; 6] = b"RBV\0\0\x01";
/// Bytes of the checksum after them.
const CHECK: usize = 16;

impl Machine {
    /// Says where what was saved earlier comes from. The first answer holds.
    pub fn remember_with(&self, recall: Recall) {
        // A second one would be a fault of the caller's; what is in use stays.
        let _ = self.recall.set(recall);
    }

    /// The sources whose changes are not saved, or not all of them.
    pub fn unsaved(&self) -> Vec<IpAddr> {
        let visitors = self.visitors.lock();
        visitors.iter().filter(|(_, visitor)| visitor.is_unsaved()).map(|(source, _)| *source).collect()
    }

    /// Everything worth keeping of a source, for the [`Recall`] of a later machine; it counts as saved from now on.
    pub fn save(&self, source: IpAddr) -> Option<Vec<u8>> {
        let visitor = self.visitors.lock().get(&source).map(Arc::clone)?;
        Some(visitor.save())
    }
}

impl Visitor {
    fn changes(&self) -> u64 {
        let done = self.doings.noted();
        self.files.changes().wrapping_add(self.let_in.load(Ordering::Acquire)).wrapping_add(done)
    }

    fn is_unsaved(&self) -> bool {
        self.changes() != self.saved.load(Ordering::Acquire)
    }

    pub(super) fn save(&self) -> Vec<u8> {
        // Read before the changes are: what comes in between is saved again.
        self.saved.store(self.changes(), Ordering::Release);
        let mut body = Vec::new();
        put_time(&mut body, *self.last_seen.lock());
        {
            let admitted = self.admitted.lock();
            put(&mut body, admitted.accepted().count() as u64);
            for (user, password) in admitted.accepted() {
                put_bytes(&mut body, user.as_bytes());
                put_bytes(&mut body, password.as_bytes());
            }
        }
        self.files.save(&mut body);
        self.doings.save(&mut body);
        let mut file = MAGIC.to_vec();
        file.extend_from_slice(check(&body).get(..CHECK).unwrap_or_default());
        file.append(&mut body);
        file
    }

    /// Takes over what was saved; of what does not fit this machine any more, the passwords at least.
    pub(super) fn recall(&self, file: &[u8]) -> bool {
        let body = file.strip_prefix(MAGIC).and_then(|rest| rest.split_at_checked(CHECK));
        let Some((_, body)) = body.filter(|(sum, body)| check(body).starts_with(sum)) else { return false };
        let mut reader = Reader(body);
        let whole = self.recall_passwords(&mut reader).is_some() && self.files.recall(&mut reader);
        // Programs of an older version wrote nothing more.
        let _doings = whole.then(|| self.doings.recall(&mut reader));
        whole
    }

    fn recall_passwords(&self, reader: &mut Reader<'_>) -> Option<()> {
        time(reader)?;
        let mut admitted = self.admitted.lock();
        for _ in 0..reader.count()? {
            let (user, password) = (reader.text()?, reader.text()?);
            admitted.recall(user, password);
        }
        Some(())
    }
}

fn check(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use parking_lot::Mutex;
    use proptest::prelude::*;

    use super::*;
    use crate::machine::{Bounds, Clock, Identity, Kind, Login, LoginPolicy, Owner};

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn machine(secret: &[u8]) -> Arc<Machine> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let identity = Identity::draw(secret, now, None, Some(vec!["anna".into()]));
        let policy = LoginPolicy { always: vec![], fewest_tries: 2, most_tries: 2, secret: 1 };
        Machine::new(identity, policy, Clock::fixed(now), Bounds::default())
    }

    #[test]
    fn what_a_visitor_left_is_there_after_a_restart() {
        let first = machine(b"one");
        let visitor = first.visit(SOURCE);
        assert!(first.unsaved().is_empty(), "who only looks leaves nothing");
        assert_eq!(visitor.log_in("root", "a"), Login::Refused);
        assert!(matches!(visitor.log_in("root", "b"), Login::Accepted(_)));
        assert_eq!(first.unsaved(), [SOURCE]);
        let (files, who) = (visitor.files(), Owner { uid: 1000, gid: 1000 });
        files.make_dir_all("/var/tmp/.x/y", &who, 0o700).unwrap();
        files.write("/var/tmp/.x/y/z", b"loot", &who, 0o640).unwrap();
        visitor.doings().note("docker", "docker run -d nginx");
        files.link("/var/tmp/.x/y/z", "/var/tmp/.x/again").unwrap();
        files.copy("/usr/bin/busybox", "/tmp/bb", &who).unwrap();
        files.symlink("bb", "/tmp/link", &who).unwrap();
        files.remove("/usr/bin/wget").unwrap();
        files.remove_all("/var/www").unwrap();
        files.append("/etc/hosts", b"192.0.2.9 c2\n", &Owner::ROOT, 0o644).unwrap();
        files.rename("/usr/bin/curl", "/usr/bin/lruc").unwrap();
        files.set_mode("/proc/1", 0o700).unwrap();
        files.set_times("/etc/hosts", None, Some(SystemTime::UNIX_EPOCH)).unwrap();
        let saved = first.save(SOURCE).unwrap();
        assert!(first.unsaved().is_empty());

        let kept = Arc::new(Mutex::new(saved));
        let second = machine(b"one");
        let source = Arc::clone(&kept);
        second.remember_with(Box::new(move |who| (who == SOURCE).then(|| source.lock().clone())));
        let again = second.visit(SOURCE);
        assert!(matches!(again.log_in("root", "b"), Login::Accepted(_)), "who got in gets in");
        assert_eq!(again.log_in("root", "c"), Login::Refused);
        assert_eq!(again.doings().of("docker"), ["docker run -d nginx"], "what was done is still done");
        let (new, old) = (again.files(), visitor.files());
        for path in
            ["/var/tmp/.x/y/z", "/var/tmp/.x/again", "/tmp/bb", "/tmp/link", "/etc/hosts", "/usr/bin/lruc"]
        {
            assert_eq!(new.read(path).unwrap(), old.read(path).unwrap(), "{path}");
            assert_eq!(new.lstat(path).unwrap(), old.lstat(path).unwrap(), "{path}");
        }
        assert_eq!(new.lstat("/tmp/link").unwrap().kind, Kind::Symlink);
        assert!(!new.exists("/usr/bin/wget") && !new.exists("/usr/bin/curl") && !new.exists("/var/www"));
        assert!(second.unsaved().is_empty(), "what was recalled is saved");
        new.write("/tmp/more", b"x", &who, 0o600).unwrap();
        assert!(new.read("/tmp/bb").is_ok(), "a new node takes no number of an old one");
        let other = second.visit("192.0.2.8".parse().unwrap());
        assert!(!other.files().exists("/tmp/bb") && other.files().exists("/usr/bin/wget"));
    }

    #[test]
    fn another_machine_takes_no_files_but_keeps_its_own() {
        let first = machine(b"one");
        first.visit(SOURCE).files().write("/tmp/x", b"x", &Owner::ROOT, 0o644).unwrap();
        let saved = first.save(SOURCE).unwrap();
        let second = machine(b"two");
        let visitor = second.visit(SOURCE);
        // Its disk has another UUID, so its tree has other nodes.
        assert!(!visitor.recall(&saved));
        assert!(visitor.files().exists("/etc/passwd") && !visitor.files().exists("/tmp/x"));
    }

    proptest! {
        #[test]
        fn damage_is_noticed(at: usize, byte: u8, cut: usize) {
            let first = machine(b"one");
            first.visit(SOURCE).files().write("/tmp/x", b"some text", &Owner::ROOT, 0o644).unwrap();
            let saved = first.save(SOURCE).unwrap();
            let mut damaged = saved.clone();
            let at = at % damaged.len();
            damaged[at] ^= byte | 1;
            let visitor = machine(b"one").visit(SOURCE);
            prop_assert!(!visitor.recall(&damaged));
            prop_assert!(!visitor.recall(&saved[..cut % saved.len()]));
            // What has the right checksum and the wrong content does no harm either.
            let mut body = saved[MAGIC.len() + CHECK..].to_vec();
            let at = at % body.len();
            body[at] ^= byte | 1;
            let mut forged = MAGIC.to_vec();
            forged.extend_from_slice(&check(&body)[..CHECK]);
            forged.extend(body);
            visitor.recall(&forged);
            let files = visitor.files();
            for path in ["/", "/tmp", "/tmp/x", "/usr/bin/ls"] {
                if let Ok(node) = files.stat(path) {
                    prop_assert_eq!(files.list(path).is_ok(), node.is_dir());
                }
            }
        }
    }
}
