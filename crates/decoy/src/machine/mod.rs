//! The one machine behind every port, and what each visitor has changed of it.

pub mod clock;
pub(crate) mod disks;
pub mod doings;
pub mod dropped;
pub mod files;
pub mod guests;
pub mod identity;
pub mod image;
pub mod logins;
pub(crate) mod pci;
pub mod processes;
mod remembered;
pub(crate) mod services;
pub(crate) mod sockets;
mod visitor;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

pub use clock::Clock;
pub use files::{Access, Attributes, Entry, FileError, Files, Kind, Owner};
pub use guests::Guest;
pub(crate) use guests::Reader;
pub use identity::Identity;
pub use image::Image;
pub use logins::{Account, Login, LoginPolicy};
pub use remembered::Recall;

use crate::memory;
pub use visitor::Visitor;

/// The machine all visitors share. One per bucket.
pub struct Machine {
    /// Who it is.
    pub identity: Identity,
    /// Who gets in.
    pub policy: LoginPolicy,
    clock: Clock,
    base: Arc<files::Tree>,
    bounds: Bounds,
    /// What all visitors' files take together.
    memory: files::Pool,
    /// What all visitors' uploads under way take together.
    uploads: memory::Pool,
    visitors: Mutex<HashMap<IpAddr, Arc<Visitor>>>,
    recall: OnceLock<Recall>,
}

/// How much visitors may change.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The most source addresses whose changes are remembered; the one unseen for longest is forgotten first.
    pub visitors: usize,
    /// The most bytes all visitors' files may take together; see [`Machine::sweep`].
    pub memory: usize,
    /// The most bytes all uploads under way may take together; one visitor gets at most half of them.
    pub uploads: usize,
    /// The most bytes one visitor's files may take.
    pub layer_bytes: usize,
    /// The most files one visitor may make.
    pub layer_files: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            visitors: 20_000,
            memory: 384 << 20,
            uploads: 128 << 20,
            layer_bytes: 32 * 1024 * 1024,
            layer_files: 10_000,
        }
    }
}

/// How long after the start of its kernel the machine's daemons answer.
const DAEMONS_UP: Duration = Duration::from_secs(11);

/// How long the machine goes on working after it was told to go down.
pub(crate) const SHUTDOWN: Duration = Duration::from_millis(800);

impl Machine {
    /// A Debian 12 machine; `clock` is the only source of time.
    pub fn new(identity: Identity, policy: LoginPolicy, clock: Clock, bounds: Bounds) -> Arc<Self> {
        Self::with_image(Arc::clone(Image::debian_12()), identity, policy, clock, bounds)
    }

    /// A machine with the files of this image, which `identity` was drawn on.
    pub fn with_image(
        image: Arc<Image>,
        identity: Identity,
        policy: LoginPolicy,
        clock: Clock,
        bounds: Bounds,
    ) -> Arc<Self> {
        let base = Arc::new(files::Tree::of(image, &identity, clock.now()));
        let memory = files::Pool::new(bounds.memory);
        let uploads = memory::Pool::new(bounds.uploads);
        Arc::new(Self {
            identity,
            policy,
            clock,
            base,
            bounds,
            memory,
            uploads,
            visitors: Mutex::default(),
            recall: OnceLock::new(),
        })
    }

    /// The machine as this address sees it; the same layer for as long as it is remembered.
    ///
    /// IPv6 visitors are told apart by their /64: one host usually holds all of it (RFC 4291, 2.5.1).
    pub fn visit(self: &Arc<Self>, source: IpAddr) -> Arc<Visitor> {
        let source = source_key(source);
        let now = self.clock.now();
        let mut visitors = self.visitors.lock();
        if let Some(visitor) = visitors.get(&source) {
            *visitor.last_seen.lock() = now;
            return Arc::clone(visitor);
        }
        if visitors.len() >= self.bounds.visitors {
            forget_oldest(&mut visitors);
        }
        let saved = self.recall.get().and_then(|recall| recall(source));
        let visitor = self.welcome(saved.as_deref());
        visitors.insert(source, Arc::clone(&visitor));
        visitor
    }

    /// A visitor who has left this, or nothing.
    fn welcome(self: &Arc<Self>, saved: Option<&[u8]>) -> Arc<Visitor> {
        let files = Files::sharing(
            Arc::clone(&self.base),
            self.clock.clone(),
            self.bounds.layer_bytes,
            self.bounds.layer_files,
            self.memory.clone(),
        );
        let visitor = Visitor {
            machine: Arc::clone(self),
            files,
            uploads: self.uploads.share(self.bounds.uploads / 2),
            admitted: Mutex::default(),
            dropped: dropped::Dropped::default(),
            last_seen: Mutex::new(self.clock.now()),
            doings: doings::Doings::default(),
            let_in: AtomicU64::new(0),
            saved: AtomicU64::new(0),
            rebooted: OnceLock::new(),
            going_down: tokio::sync::watch::Sender::new(false),
        };
        if let Some(saved) = saved {
            visitor.recall(saved);
        }
        if let Some(at) = visitor.services().booted {
            let identity = Arc::new(self.identity.rebooted(at));
            visitor.files.reboot(Arc::clone(&identity));
            // Nobody else has it yet.
            let _ = visitor.rebooted.set(identity);
        }
        Arc::new(visitor)
    }

    /// Goes down for one visitor and is back at `back`, with what a reboot leaves and `services` in another state than
    /// Debian's. Connections of before end soon; until `back` new ones find nobody, see [`Visitor::is_down`].
    pub(crate) fn reboot(
        self: &Arc<Self>,
        source: IpAddr,
        back: SystemTime,
        services: &[(String, services::State)],
    ) {
        let source = source_key(source);
        let mut visitors = self.visitors.lock();
        let Some(before) = visitors.get(&source).map(Arc::clone) else { return };
        before.note_boot(back, services);
        let after = self.welcome(Some(&before.save()));
        after.files.clear_at_boot();
        // Saved again with what is new.
        after.saved.store(u64::MAX, Ordering::Release);
        visitors.insert(source, after);
        before.going_down.send_replace(true);
    }

    /// Forgets the visitors unseen for longest, but for those who are here, until an eighth of [`Bounds::memory`] is
    /// free; gives how many were forgotten. To be called every few seconds: nobody ever gets more than the bound, but
    /// when it is reached, everybody's disk is full until somebody is forgotten.
    pub fn sweep(&self) -> usize {
        let mut visitors = self.visitors.lock();
        let enough = self.bounds.memory - self.bounds.memory / 8;
        let mut total = self.memory.taken();
        if total <= enough {
            return 0;
        }
        let mut seen: Vec<(SystemTime, IpAddr, usize)> = visitors
            .iter()
            .filter(|(_, visitor)| is_away(visitor))
            .map(|(address, visitor)| (*visitor.last_seen.lock(), *address, visitor.files.layer_size().0))
            .collect();
        seen.sort_unstable();
        let before = visitors.len();
        for (_, address, size) in seen {
            if total <= enough {
                break;
            }
            visitors.remove(&address);
            total = total.saturating_sub(size);
        }
        before - visitors.len()
    }

    /// The machine's time.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Takes in what a file contains that the image only lists, made to fit its listed size; gives what is kept, for
    /// every visitor alike. `None` when there is no such file or no room.
    pub fn learn(&self, path: &str, text: &[u8]) -> Option<bytes::Bytes> {
        self.base.learn(path, text)
    }

    /// Forgets what was learned of a file.
    pub fn unlearn(&self, path: &str) {
        self.base.unlearn(path);
    }
}

/// What counts as one source: IPv6 addresses by their /64, mapped IPv4 addresses by the IPv4 address.
pub fn source_key(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
    }
}

/// The network of a source: IPv4 addresses by their /24, IPv6 addresses by their /48.
pub fn network_key(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) & !0xff).into()),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !(u128::MAX >> 48)).into()),
    }
}

/// What counts as one site: IPv6 addresses by their /48 (RFC 6177), IPv4 addresses by themselves.
pub fn site_key(source: IpAddr) -> IpAddr {
    match source_key(source) {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 80 << 80).into()),
    }
}

/// Whether nobody of this source is connected: whoever is holds on to it, and its layer with it.
fn is_away(visitor: &Arc<Visitor>) -> bool {
    Arc::strong_count(visitor) == 1
}

/// Drops a tenth of the visitors, so that a full table is swept rarely: first those of a site that has more than its
/// sixteenth of the table, then those unseen for longest. Those who are here stay: the sensor bounds how many that are.
fn forget_oldest(visitors: &mut HashMap<IpAddr, Arc<Visitor>>) {
    let mut sites: HashMap<IpAddr, usize> = HashMap::new();
    for address in visitors.keys() {
        *sites.entry(site_key(*address)).or_default() += 1;
    }
    let many = visitors.len() / 16;
    let mut seen: Vec<(bool, SystemTime, IpAddr)> = visitors
        .iter()
        .filter(|(_, visitor)| is_away(visitor))
        .map(|(address, visitor)| {
            let crowded = sites.get(&site_key(*address)).is_some_and(|count| *count > many.max(1));
            (!crowded, *visitor.last_seen.lock(), *address)
        })
        .collect();
    seen.sort_unstable();
    for (_, _, address) in seen.iter().take(seen.len() / 10 + 1) {
        visitors.remove(address);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn machine(bounds: Bounds) -> Arc<Machine> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let identity = Identity::draw(b"machine tests", now, None, None);
        let policy = LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
        Machine::new(identity, policy, Clock::fixed(now), bounds)
    }

    #[test]
    fn memory_is_bounded_whoever_holds_it_and_comes_back() {
        let machine = machine(Bounds { visitors: 2, memory: 1 << 20, ..Bounds::default() });
        let source = |last: u8| IpAddr::from([192, 0, 2, last]);
        let fill = |visitor: &Visitor| {
            let write =
                |n: usize| visitor.files().write(&format!("/tmp/{n}"), &[7; 100_000], &Owner::ROOT, 0o644);
            (0..20).take_while(|n| write(*n).is_ok()).count()
        };
        let first = machine.visit(source(1));
        assert_eq!(fill(&first), 10);
        // The table is over-full, but nobody who is here is forgotten, and there is no second helping.
        let others = [machine.visit(source(2)), machine.visit(source(3)), machine.visit(source(4))];
        assert!(others.iter().all(|other| fill(other) == 0));
        assert_eq!(machine.sweep(), 0);
        assert!(Arc::ptr_eq(&first, &machine.visit(source(1))));
        drop(first);
        assert_eq!(machine.sweep(), 1);
        assert!(machine.memory.taken() < 10_000, "{}", machine.memory.taken());
        assert_eq!(fill(&others[0]), 10);
    }

    #[test]
    fn one_site_with_many_networks_pushes_nobody_else_out() {
        let machine = machine(Bounds { visitors: 64, ..Bounds::default() });
        let others: Vec<IpAddr> = (0..30).map(|last| IpAddr::from([192, 0, 2, last])).collect();
        others.iter().for_each(|other| drop(machine.visit(*other)));
        for network in 0..2000 {
            drop(machine.visit(IpAddr::from([0x2001, 0xdb8, 1, network, 0, 0, 0, 1])));
        }
        let visitors = machine.visitors.lock();
        assert!(visitors.len() <= 64 && others.iter().all(|other| visitors.contains_key(other)));
    }

    #[test]
    fn links_are_paid_for_and_bounded() {
        let machine = machine(Bounds { memory: 1 << 20, ..Bounds::default() });
        let visitor = machine.visit(IpAddr::from([192, 0, 2, 1]));
        let link = |target: &str, name: &str| visitor.files().symlink(target, name, &Owner::ROOT);
        assert_eq!(link(&"x".repeat(4096), "/tmp/l"), Err(FileError::NameTooLong));
        assert_eq!(link("x", &format!("/tmp/{}", "n".repeat(256))), Err(FileError::NameTooLong));
        let target = "x".repeat(4095);
        let made = (0..1000).take_while(|n| link(&target, &format!("/tmp/{n}")).is_ok()).count();
        assert!((200..260).contains(&made), "{made}");
        (0..made).for_each(|n| visitor.files().remove(&format!("/tmp/{n}")).unwrap());
        assert!(visitor.files().layer_size().0 < 64 * 1024);
    }
}
