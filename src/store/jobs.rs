//! The queue of jobs: enqueue, claim, finish.
//!
//! A job is claimed in one short statement, worked off outside of any transaction, and finished in another: a provider
//! that hangs must not hold a row. A lease keeps two workers from doing the same work most of the time; correctness
//! never depends on it.

use sqlx::PgConnection;
use sqlx::types::Json;

use crate::domain::Timestamp;
use crate::domain::jobs::{Claimed, Job, LEASE};

/// Writes jobs into the queue, to be run from `run_at` on.
///
/// # Errors
/// As the database.
pub async fn enqueue(conn: &mut PgConnection, jobs: &[Job], run_at: Timestamp) -> sqlx::Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let keys: Vec<String> = jobs.iter().map(Job::order_key).collect();
    let jobs: Vec<Json<&Job>> = jobs.iter().map(Json).collect();
    sqlx::query(
        "insert into jobs (order_key, job, run_at)
         select order_key, job, $3
           from unnest($1::text[], $2::jsonb[]) with ordinality as new (order_key, job, nth)
          order by nth",
    )
    .bind(keys)
    .bind(jobs)
    .bind(run_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a job into the queue unless one of its order key is there.
///
/// # Errors
/// As the database.
pub async fn enqueue_once(
    conn: &mut PgConnection,
    job: &Job,
    run_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into jobs (order_key, job, run_at)
         select $1, $2, $3
          where not exists (select from jobs where order_key = $1 and dead_at is null)",
    )
    .bind(job.order_key())
    .bind(Json(job))
    .bind(run_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Claims up to `limit` jobs that are due. Of each order key only the oldest job can be claimed, and only while no
/// worker holds it.
///
/// # Errors
/// As the database.
pub async fn claim(
    conn: &mut PgConnection,
    now: Timestamp,
    limit: i64,
) -> sqlx::Result<Vec<Claimed>> {
    let rows: Vec<(i64, serde_json::Value, i32)> = sqlx::query_as(
        "update jobs
            set leased_until = $2
          where id in (
                select id from jobs as head
                 where dead_at is null
                   and run_at <= $1
                   and (leased_until is null or leased_until < $1)
                   and not exists (
                       select from jobs as older
                        where older.order_key = head.order_key
                          and older.id < head.id
                          and older.dead_at is null)
                 order by run_at
                 limit $3
                   for update skip locked)
         returning id, job, failures",
    )
    .bind(now)
    .bind(now + LEASE)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    // What a newer version wrote is left for it: its lease keeps it out of the way for a while.
    Ok(rows
        .into_iter()
        .filter_map(|(id, job, failures)| {
            Some(Claimed {
                id,
                job: serde_json::from_value(job).ok()?,
                failures,
            })
        })
        .collect())
}

/// Removes a job that is done.
///
/// # Errors
/// As the database.
pub async fn finish(conn: &mut PgConnection, id: i64) -> sqlx::Result<()> {
    sqlx::query("delete from jobs where id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives a job back, to be run again from `run_at` on.
///
/// # Errors
/// As the database.
pub async fn put_back(
    conn: &mut PgConnection,
    id: i64,
    run_at: Timestamp,
    failures: i32,
    error: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update jobs
            set run_at = $2, failures = $3, last_error = coalesce($4, last_error), leased_until = null
          where id = $1",
    )
    .bind(id)
    .bind(run_at)
    .bind(failures)
    .bind(error)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps a job that can never succeed as a dead letter, and frees its line.
///
/// # Errors
/// As the database.
pub async fn bury(
    conn: &mut PgConnection,
    id: i64,
    error: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "update jobs
            set dead_at = $2, last_error = $3, failures = failures + 1, leased_until = null
          where id = $1",
    )
    .bind(id)
    .bind(now)
    .bind(error)
    .execute(conn)
    .await?;
    Ok(())
}

/// When the next job is due that nobody holds; none when the queue is empty.
///
/// # Errors
/// As the database.
pub async fn next_due(conn: &mut PgConnection) -> sqlx::Result<Option<Timestamp>> {
    sqlx::query_scalar(
        "select min(run_at) from jobs where dead_at is null and leased_until is null",
    )
    .fetch_one(conn)
    .await
}
