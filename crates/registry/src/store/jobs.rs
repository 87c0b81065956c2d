//! The jobs' leases, and what they last reported.

use super::{Query, Row, Store, StoreError, retry};
use crate::time::now_ms;

/// One job. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct JobRow {
    /// `extract_logs` and so on.
    pub name: String,
    /// When it is due next.
    pub next_due_at: i64,
    /// Somebody asked for it now.
    pub nudged: bool,
    /// Who runs it, empty when nobody ever did.
    pub owner: String,
    /// Counts the claims.
    pub fence: i64,
    /// The owner counts as gone after this.
    pub lease_until: i64,
    /// Start of the last run.
    pub last_started_at: Option<i64>,
    /// End of the last run.
    pub last_finished_at: Option<i64>,
    /// `done`, `failed` or `running`; none before the first run.
    pub last_status: Option<String>,
    /// The typed report of the last finished run, as JSON.
    pub last_report: Option<String>,
    /// Finished runs.
    pub runs: u64,
    /// Finished runs that failed.
    pub failures: u64,
}

/// One run of a job.
#[derive(Clone, Debug)]
pub struct JobRun {
    /// Which job.
    pub job: String,
    /// Its number.
    pub fence: i64,
    /// Which registry ran it.
    pub owner: String,
    /// Start.
    pub started_at: i64,
    /// End, none while it runs or when its owner died.
    pub finished_at: Option<i64>,
    /// `running`, `done` or `failed`.
    pub status: String,
    /// The typed report, as JSON.
    pub report: Option<String>,
}

const COLUMNS: &str = "SELECT name, next_due_at, nudged, owner, fence, lease_until, last_started_at, last_finished_at, \
     last_status, last_report, runs, failures FROM jobs";

fn job(row: &Row) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        name: row.text(0)?,
        next_due_at: row.int(1)?,
        nudged: row.flag(2)?,
        owner: row.text(3)?,
        fence: row.int(4)?,
        lease_until: row.int(5)?,
        last_started_at: row.opt_int(6)?,
        last_finished_at: row.opt_int(7)?,
        last_status: row.opt_text(8)?,
        last_report: row.opt_text(9)?,
        runs: row.count(10)?,
        failures: row.count(11)?,
    })
}

impl Store {
    /// Every job, by name.
    pub async fn jobs(&self) -> Result<Vec<JobRow>, StoreError> {
        self.engine.all(Query::new(COLUMNS).push(" ORDER BY name")).await?.iter().map(job).collect()
    }

    /// One job.
    pub async fn job(&self, name: &str) -> Result<Option<JobRow>, StoreError> {
        let query = Query::new(COLUMNS).push(" WHERE name = ?").bind(name);
        self.engine.first(query).await?.as_ref().map(job).transpose()
    }

    /// The last runs of a job, newest first.
    pub async fn job_runs(&self, name: &str, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        let query = Query::new(
            "SELECT job, fence, owner, started_at, finished_at, status, report FROM job_runs WHERE job = ? ORDER BY fence DESC LIMIT ?",
        );
        let rows = self.engine.all(query.bind(name).bind(limit)).await?;
        let run = |row: &Row| {
            Ok(JobRun {
                job: row.text(0)?,
                fence: row.int(1)?,
                owner: row.text(2)?,
                started_at: row.int(3)?,
                finished_at: row.opt_int(4)?,
                status: row.text(5)?,
                report: row.opt_text(6)?,
            })
        };
        rows.iter().map(run).collect()
    }

    /// Makes sure the job has its row.
    pub async fn ensure_job(&self, name: &str, first_due_at: i64) -> Result<(), StoreError> {
        if self.job(name).await?.is_some() {
            return Ok(());
        }
        let query =
            Query::new("INSERT INTO jobs (name, next_due_at) VALUES (?, ?)").bind(name).bind(first_due_at);
        match self.engine.execute(query).await {
            Err(error) if !error.is_duplicate() => Err(error),
            _ => Ok(()),
        }
    }

    /// Asks for a run as soon as somebody is free. False when there is no such job.
    pub async fn nudge_job(&self, name: &str) -> Result<bool, StoreError> {
        let query = Query::new("UPDATE jobs SET nudged = 1 WHERE name = ?").bind(name);
        retry(|| self.engine.execute(query.clone())).await.map(|done| done.rows > 0)
    }

    /// Takes the job, if nobody has it and it is due (or `anyway`). When a person asked for it (`anyway`, or a nudge),
    /// the waiting times of buckets that failed are forgotten. The number returned fences off every earlier owner.
    pub async fn claim_job(
        &self,
        name: &str,
        owner: &str,
        period: i64,
        lease: i64,
        anyway: bool,
    ) -> Result<Option<i64>, StoreError> {
        retry(|| self.claim_job_once(name, owner, period, lease, anyway)).await
    }

    async fn claim_job_once(
        &self,
        name: &str,
        owner: &str,
        period: i64,
        lease: i64,
        anyway: bool,
    ) -> Result<Option<i64>, StoreError> {
        let now = now_ms();
        let Some(known) = self.job(name).await? else { return Ok(None) };
        let due = anyway || known.nudged || known.next_due_at <= now;
        if !due || known.lease_until > now {
            return Ok(None);
        }
        let fence = known.fence + 1;
        let mut tx = self.engine.begin().await?;
        let claim = Query::new(
            "UPDATE jobs SET owner = ?, fence = ?, lease_until = ?, nudged = 0, next_due_at = ?, last_started_at = ?, \
             last_status = 'running' WHERE name = ? AND fence = ? AND lease_until <= ?",
        )
        .bind(owner)
        .bind(fence)
        .bind(now + lease)
        .bind(now + period)
        .bind(now)
        .bind(name)
        .bind(known.fence)
        .bind(now);
        if tx.execute(claim).await?.rows == 0 {
            return Ok(None);
        }
        // Whoever ran it before and never finished is gone.
        let gone =
            Query::new("UPDATE job_runs SET status = 'lost' WHERE job = ? AND status = 'running'").bind(name);
        tx.execute(gone).await?;
        let run = Query::new(
            "INSERT INTO job_runs (job, fence, owner, started_at, status) VALUES (?, ?, ?, ?, 'running')",
        );
        tx.execute(run.bind(name).bind(fence).bind(owner).bind(now)).await?;
        let old =
            Query::new("DELETE FROM job_runs WHERE job = ? AND fence <= ?").bind(name).bind(fence - 200);
        tx.execute(old).await?;
        if anyway || known.nudged {
            // Somebody asked for it now: a bucket that has recovered is not made to wait, nor are its captured files.
            tx.execute(Query::new("UPDATE buckets SET next_try_at = 0 WHERE next_try_at > 0")).await?;
            let files = "UPDATE artifacts SET next_try_at = 0 WHERE state = 'wanted' AND next_try_at > 0";
            tx.execute(Query::new(files)).await?;
        }
        tx.commit().await?;
        Ok(Some(fence))
    }

    /// Keeps the job. False when somebody else has it by now: the run must stop.
    pub async fn renew_job(&self, name: &str, fence: i64, lease: i64) -> Result<bool, StoreError> {
        let query = Query::new(
            "UPDATE jobs SET lease_until = ? WHERE name = ? AND fence = ? AND last_status = 'running'",
        );
        let query = query.bind(now_ms() + lease).bind(name).bind(fence);
        retry(|| self.engine.execute(query.clone())).await.map(|done| done.rows > 0)
    }

    /// Gives the job back with its report. False when somebody else has it by now.
    pub async fn finish_job(
        &self,
        name: &str,
        fence: i64,
        well: bool,
        report: &str,
    ) -> Result<bool, StoreError> {
        retry(|| self.finish_job_once(name, fence, well, report)).await
    }

    async fn finish_job_once(
        &self,
        name: &str,
        fence: i64,
        well: bool,
        report: &str,
    ) -> Result<bool, StoreError> {
        let now = now_ms();
        let status = if well { "done" } else { "failed" };
        let mut tx = self.engine.begin().await?;
        let finish = Query::new(
            "UPDATE jobs SET lease_until = 0, last_finished_at = ?, last_status = ?, last_report = ?, runs = runs + 1, \
             failures = failures + ? WHERE name = ? AND fence = ?",
        )
        .bind(now)
        .bind(status)
        .bind(report)
        .bind(!well)
        .bind(name)
        .bind(fence);
        if tx.execute(finish).await?.rows == 0 {
            return Ok(false);
        }
        let run = Query::new(
            "UPDATE job_runs SET finished_at = ?, status = ?, report = ? WHERE job = ? AND fence = ?",
        );
        tx.execute(run.bind(now).bind(status).bind(report).bind(name).bind(fence)).await?;
        tx.commit().await?;
        Ok(true)
    }
}
