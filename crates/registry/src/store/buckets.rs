//! The fleet: who is enrolled, where it is, what it last said.

use wire::{BucketName, BucketState};

use super::{Query, Row, Store, StoreError, Tx, retry};
use crate::time::now_ms;

/// Whether a bucket may speak and is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits for a person.
    Pending,
    /// Is called by the jobs.
    Active,
    /// Is not called and may not come back.
    Revoked,
}

impl Status {
    /// The word in the table and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    fn parse(word: String) -> Result<Self, StoreError> {
        match word.as_str() {
            "pending" => Ok(Self::Pending),
            "active" => Ok(Self::Active),
            "revoked" => Ok(Self::Revoked),
            _ => Err(StoreError::Word { what: "bucket status", value: word }),
        }
    }
}

/// One bucket. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Row number; also names the bucket towards the TLS verifier.
    pub id: i64,
    /// `rustbucket-` and eight letters or digits.
    pub name: String,
    /// Where it is called.
    pub ip_address: String,
    /// On which port.
    pub management_port: u16,
    /// Which certificate it must show, lower-case hex; it is not called without one.
    pub certificate_sha256: Option<String>,
    /// The token, encrypted (see `vault`).
    pub token_sealed: String,
    /// Whether it is called.
    pub status: Status,
    /// As it said itself; attackers' bytes never reach these, but a hostile bucket's may.
    pub operating_system: String,
    /// Percent, as text.
    pub cpu_usage: String,
    /// Used and whole, as text.
    pub memory_usage: String,
    /// Free and whole, as text.
    pub disk_space: String,
    /// Seconds, as text.
    pub uptime: String,
    /// Open trap connections, as text.
    pub connections: String,
    /// Version of its program.
    pub version: String,
    /// `ssh:22` and so on.
    pub listeners: Vec<String>,
    /// Oldest event it still has.
    pub first_seq: u64,
    /// Newest event it has.
    pub last_seq: u64,
    /// Everything up to here is in the archive; the next pull asks for what follows.
    pub acked_seq: u64,
    /// First enrolment.
    pub registered_at: i64,
    /// Last enrolment or state.
    pub updated_at: i64,
    /// When a person, a key or a setting let it in or shut it out.
    pub decided_at: Option<i64>,
    /// Who that was.
    pub decided_by: Option<String>,
    /// Last call that succeeded.
    pub last_contact_at: Option<i64>,
    /// Why the last call failed; none when it succeeded.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<i64>,
    /// Calls that failed since the last that succeeded.
    pub failures: u64,
    /// It is not called before this.
    pub next_try_at: i64,
}

/// What a bucket says of itself when it enrols, checked.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its name.
    pub name: BucketName,
    /// Where to call it.
    pub ip_address: String,
    /// On which port.
    pub management_port: u16,
    /// Lower-case hex.
    pub certificate_sha256: Option<String>,
    /// Its host system.
    pub operating_system: Option<String>,
    /// Percent, as text.
    pub cpu_usage: Option<String>,
    /// Used and whole, as text.
    pub memory_usage: Option<String>,
    /// Free and whole, as text.
    pub disk_space: Option<String>,
    /// Seconds, as text.
    pub uptime: Option<String>,
    /// Open trap connections, as text.
    pub connections: Option<String>,
    /// Version of its program.
    pub version: Option<String>,
}

/// A bucket seen for the first time.
#[derive(Clone, Debug)]
pub struct NewBucket {
    /// What it said.
    pub registration: Registration,
    /// Its token, encrypted.
    pub token_sealed: String,
    /// Whether it is called at once.
    pub status: Status,
    /// Who let it in, when it is not pending.
    pub decided_by: Option<String>,
    /// SHA-256 of the registration key it showed, of which one use is spent.
    pub key_sha256: Option<String>,
    /// No more buckets than this may be pending.
    pub max_pending: u64,
}

/// How a first enrolment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The row is there.
    Done,
    /// Somebody enrolled under this name in the same moment.
    NameTaken,
    /// The key was used up, ran out or was revoked in the same moment.
    KeySpent,
    /// Too many buckets wait for a person.
    TooManyPending,
}

const COLUMNS: &str = "SELECT id, name, ip_address, management_port, certificate_sha256, token_sealed, status, \
     operating_system, cpu_usage, memory_usage, disk_space, uptime, connections, version, listeners, first_seq, \
     last_seq, acked_seq, registered_at, updated_at, decided_at, decided_by, last_contact_at, last_error, \
     last_error_at, failures, next_try_at FROM buckets";

fn bucket(row: &Row) -> Result<Bucket, StoreError> {
    Ok(Bucket {
        id: row.int(0)?,
        name: row.text(1)?,
        ip_address: row.text(2)?,
        management_port: u16::try_from(row.int(3)?).unwrap_or(0),
        certificate_sha256: row.opt_text(4)?,
        token_sealed: row.text(5)?,
        status: Status::parse(row.text(6)?)?,
        operating_system: row.text(7)?,
        cpu_usage: row.text(8)?,
        memory_usage: row.text(9)?,
        disk_space: row.text(10)?,
        uptime: row.text(11)?,
        connections: row.text(12)?,
        version: row.text(13)?,
        listeners: row.text(14)?.split_whitespace().map(str::to_owned).collect(),
        first_seq: row.count(15)?,
        last_seq: row.count(16)?,
        acked_seq: row.count(17)?,
        registered_at: row.int(18)?,
        updated_at: row.int(19)?,
        decided_at: row.opt_int(20)?,
        decided_by: row.opt_text(21)?,
        last_contact_at: row.opt_int(22)?,
        last_error: row.opt_text(23)?,
        last_error_at: row.opt_int(24)?,
        failures: row.count(25)?,
        next_try_at: row.int(26)?,
    })
}

impl Store {
    /// Every bucket, by name.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        self.engine.all(Query::new(COLUMNS).push(" ORDER BY name")).await?.iter().map(bucket).collect()
    }

    /// The buckets the jobs may call now: active, pinned, and not waiting after a failure.
    pub async fn callable_buckets(&self, now: i64) -> Result<Vec<Bucket>, StoreError> {
        let query = Query::new(COLUMNS)
            .push(" WHERE status = 'active' AND certificate_sha256 IS NOT NULL AND next_try_at <= ? ORDER BY name")
            .bind(now);
        self.engine.all(query).await?.iter().map(bucket).collect()
    }

    /// One bucket.
    pub async fn bucket(&self, name: &str) -> Result<Option<Bucket>, StoreError> {
        let query = Query::new(COLUMNS).push(" WHERE name = ?").bind(name);
        self.engine.first(query).await?.as_ref().map(bucket).transpose()
    }

    /// Enrols a bucket seen for the first time.
    pub async fn add_bucket(&self, new: &NewBucket) -> Result<Registered, StoreError> {
        match retry(|| self.add_bucket_once(new)).await {
            Err(error) if error.is_duplicate() => Ok(Registered::NameTaken),
            result => result,
        }
    }

    async fn add_bucket_once(&self, new: &NewBucket) -> Result<Registered, StoreError> {
        let now = now_ms();
        let r = &new.registration;
        let mut tx = self.engine.begin().await?;
        if let Some(key) = &new.key_sha256 {
            let spent = Query::new(
                "UPDATE registration_keys SET uses_left = uses_left - 1 WHERE key_sha256 = ? AND revoked_at IS NULL \
                 AND (expires_at IS NULL OR expires_at > ?) AND (uses_left IS NULL OR uses_left > 0)",
            );
            if tx.execute(spent.bind(key.as_str()).bind(now)).await?.rows == 0 {
                return Ok(Registered::KeySpent);
            }
        }
        if new.status == Status::Pending {
            let waiting =
                tx.first(Query::new("SELECT COUNT(*) FROM buckets WHERE status = 'pending'")).await?;
            if waiting.map(|row| row.count(0)).transpose()?.unwrap_or(0) >= new.max_pending {
                return Ok(Registered::TooManyPending);
            }
        }
        let decided_at = (new.status != Status::Pending).then_some(now);
        let row = Query::new(
            "INSERT INTO buckets (name, ip_address, management_port, certificate_sha256, token_sealed, status, \
             operating_system, cpu_usage, memory_usage, disk_space, uptime, connections, version, registered_at, \
             updated_at, decided_at, decided_by) VALUES ",
        )
        .list([
            r.name.as_str().into(),
            r.ip_address.as_str().into(),
            r.management_port.into(),
            r.certificate_sha256.clone().into(),
            new.token_sealed.as_str().into(),
            new.status.as_str().into(),
            r.operating_system.clone().into(),
            r.cpu_usage.clone().into(),
            r.memory_usage.clone().into(),
            r.disk_space.clone().into(),
            r.uptime.clone().into(),
            r.connections.clone().into(),
            r.version.clone().into(),
            now.into(),
            now.into(),
            decided_at.into(),
            new.decided_by.clone().into(),
        ]);
        tx.execute(row).await?;
        let who = new.decided_by.as_deref().unwrap_or("the bucket");
        tx.note(
            who,
            "bucket.register",
            r.name.as_str(),
            &format!("{} from {}", new.status.as_str(), r.ip_address),
        )
        .await?;
        tx.commit().await?;
        Ok(Registered::Done)
    }

    /// Writes what a known bucket says when it enrols again. Its status stays.
    pub async fn update_registration(&self, known: &Bucket, r: &Registration) -> Result<(), StoreError> {
        retry(|| self.update_registration_once(known, r)).await
    }

    async fn update_registration_once(&self, known: &Bucket, r: &Registration) -> Result<(), StoreError> {
        let mut tx = self.engine.begin().await?;
        let query = Query::new(
            "UPDATE buckets SET ip_address = ?, management_port = ?, certificate_sha256 = COALESCE(?, certificate_sha256), \
             operating_system = COALESCE(?, operating_system), cpu_usage = COALESCE(?, cpu_usage), \
             memory_usage = COALESCE(?, memory_usage), disk_space = COALESCE(?, disk_space), uptime = COALESCE(?, uptime), \
             connections = COALESCE(?, connections), version = COALESCE(?, version), updated_at = ?, next_try_at = 0 \
             WHERE id = ?",
        )
        .bind(r.ip_address.as_str())
        .bind(r.management_port)
        .bind(r.certificate_sha256.clone())
        .bind(r.operating_system.clone())
        .bind(r.cpu_usage.clone())
        .bind(r.memory_usage.clone())
        .bind(r.disk_space.clone())
        .bind(r.uptime.clone())
        .bind(r.connections.clone())
        .bind(r.version.clone())
        .bind(now_ms())
        .bind(known.id);
        tx.execute(query).await?;
        let moved = known.ip_address != r.ip_address || known.management_port != r.management_port;
        let repinned = r.certificate_sha256.is_some() && known.certificate_sha256 != r.certificate_sha256;
        if moved || repinned {
            let detail = format!(
                "now at {} port {}, certificate changed: {repinned}",
                r.ip_address, r.management_port
            );
            tx.note("the bucket", "bucket.move", &known.name, &detail).await?;
        }
        tx.commit().await
    }

    /// Lets a bucket in or shuts it out, and writes who did so. False when there is no such bucket.
    pub async fn decide_bucket(&self, name: &str, status: Status, who: &str) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin().await?;
        let query = Query::new(
            "UPDATE buckets SET status = ?, decided_at = ?, decided_by = ?, next_try_at = 0 WHERE name = ?",
        );
        let query = query.bind(status.as_str()).bind(now_ms()).bind(who).bind(name);
        let known = tx.execute(query).await?.rows > 0;
        if known {
            tx.note(who, &format!("bucket.{}", status.as_str()), name, "").await?;
            tx.commit().await?;
        }
        Ok(known)
    }

    /// Writes a bucket's own account of its state; it was reached.
    pub async fn note_state(&self, id: i64, state: &BucketState) -> Result<(), StoreError> {
        let clip = |text: &str| text.chars().take(wire::bucket::FIELD_MAX_LENGTH).collect::<String>();
        let now = now_ms();
        let listeners: Vec<String> =
            state.listeners.iter().take(64).map(|l| clip(l).replace(char::is_whitespace, "_")).collect();
        let query = Query::new(
            "UPDATE buckets SET operating_system = ?, cpu_usage = ?, memory_usage = ?, disk_space = ?, uptime = ?, \
             connections = ?, version = ?, listeners = ?, first_seq = ?, last_seq = ?, updated_at = ?, \
             last_contact_at = ?, last_error = NULL, failures = 0, next_try_at = 0 WHERE id = ?",
        )
        .bind(clip(&state.operating_system))
        .bind(clip(&state.cpu_usage))
        .bind(clip(&state.memory_usage))
        .bind(clip(&state.disk_space))
        .bind(clip(&state.uptime))
        .bind(clip(&state.connections))
        .bind(clip(&state.version))
        .bind(listeners.join(" "))
        .bind(state.first_seq)
        .bind(state.last_seq)
        .bind(now)
        .bind(now)
        .bind(id);
        retry(|| self.engine.execute(query.clone())).await.map(drop)
    }

    /// A call succeeded.
    pub async fn note_contact(&self, id: i64) -> Result<(), StoreError> {
        let query = Query::new(
            "UPDATE buckets SET last_contact_at = ?, last_error = NULL, failures = 0, next_try_at = 0 WHERE id = ?",
        );
        retry(|| self.engine.execute(query.clone().bind(now_ms()).bind(id))).await.map(drop)
    }

    /// A call failed: why, and when the next may be made.
    pub async fn note_failure(&self, id: i64, error: &str, next_try_at: i64) -> Result<(), StoreError> {
        let query = Query::new("UPDATE buckets SET last_error = ?, last_error_at = ?, failures = failures + 1, next_try_at = ? WHERE id = ?")
            .bind(error.chars().take(2000).collect::<String>())
            .bind(now_ms())
            .bind(next_try_at)
            .bind(id);
        retry(|| self.engine.execute(query.clone())).await.map(drop)
    }
}

impl Tx {
    /// Writes one line of the audit trail.
    pub async fn note(
        &mut self,
        who: &str,
        action: &str,
        subject: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let clip = |text: &str| text.chars().take(255).collect::<String>();
        let query = Query::new("INSERT INTO audit (at, who, action, subject, detail) VALUES ").list([
            now_ms().into(),
            clip(who).into(),
            action.into(),
            clip(subject).into(),
            detail.into(),
        ]);
        self.execute(query).await.map(drop)
    }
}
