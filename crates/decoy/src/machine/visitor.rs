//! One source and what it has changed: its files, its doings, its passwords.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use parking_lot::Mutex;

use super::{
    DAEMONS_UP, Machine, SHUTDOWN,
    clock::Clock,
    doings, dropped,
    files::Files,
    identity::Identity,
    logins::{self, Login},
    services,
};
use crate::memory;

/// The machine as one source address sees it: the shared machine, and a private layer of changes.
pub struct Visitor {
    pub(super) machine: Arc<Machine>,
    pub(super) files: Files,
    pub(super) uploads: memory::Pool,
    pub(super) admitted: Mutex<logins::Admitted>,
    pub(super) dropped: dropped::Dropped,
    pub(super) last_seen: Mutex<SystemTime>,
    pub(super) doings: doings::Doings,
    /// How often a password was accepted for the first time.
    pub(super) let_in: AtomicU64,
    /// The changes that were there when they were saved last.
    pub(super) saved: AtomicU64,
    /// The machine after the visitor had it rebooted.
    pub(super) rebooted: OnceLock<Arc<Identity>>,
    /// Says that the machine goes down.
    pub(super) going_down: tokio::sync::watch::Sender<bool>,
}

impl Visitor {
    /// Programs that the visitor brought and started.
    pub(crate) fn dropped(&self) -> &dropped::Dropped {
        &self.dropped
    }

    /// The shared machine.
    pub fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    /// Who the machine is.
    pub fn identity(&self) -> &Identity {
        self.rebooted.get().map_or(&self.machine.identity, |identity| identity)
    }

    /// Whether the machine is not up, or not yet: nobody answers at any port.
    pub fn is_down(&self) -> bool {
        self.rebooted.get().is_some_and(|identity| identity.boot_time + DAEMONS_UP > self.now())
    }

    /// Whether the machine was told to go down.
    pub fn is_going_down(&self) -> bool {
        *self.going_down.borrow()
    }

    /// Ends when connections break because the machine goes down.
    pub async fn cut_off(&self) {
        let mut going_down = self.going_down.subscribe();
        if going_down.wait_for(|down| *down).await.is_err() {
            // The sender is our own.
            std::future::pending::<()>().await;
        }
        self.clock().pass(SHUTDOWN).await;
    }

    /// Whether somebody answers at a port where Debian's daemons do: not, once the visitor has stopped them.
    pub fn serves(&self, port: u16) -> bool {
        services::behind_port(port).is_none_or(|unit| self.services().runs(unit))
    }

    /// Files as this visitor sees them.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Memory for what this visitor is sending.
    pub fn uploads(&self) -> &memory::Pool {
        &self.uploads
    }

    /// The machine's time.
    pub fn now(&self) -> SystemTime {
        self.machine.clock.now()
    }

    /// What the visitor did that later answers depend on, on every port.
    pub fn doings(&self) -> &doings::Doings {
        &self.doings
    }

    /// Where the machine's time comes from.
    pub fn clock(&self) -> &Clock {
        &self.machine.clock
    }

    /// The visitor has given an account another password: from now on it opens to that one.
    pub fn set_password(&self, user: &str, password: &str) {
        if self.machine.identity.account(user).is_some() {
            self.admitted.lock().set(user, password);
        }
    }

    /// Tries a password. What was accepted once for this source stays accepted, on every port.
    pub fn log_in(&self, user: &str, password: &str) -> Login {
        let Some(account) = self.machine.identity.account(user).cloned() else {
            return Login::Refused;
        };
        let mut admitted = self.admitted.lock();
        let known = admitted.accepted().count();
        if self.machine.policy.admits(&mut admitted, user, password) {
            self.let_in.fetch_add(u64::from(admitted.accepted().count() > known), Ordering::Release);
            Login::Accepted(account)
        } else {
            Login::Refused
        }
    }
}
