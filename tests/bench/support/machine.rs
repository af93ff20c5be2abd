//! What the machine is, and what processes cost on it.

use std::fs;

use super::cluster::{Postgres, Result};

/// The facts that figures depend on, as lines of a table's head.
pub fn facts(postgres: &Postgres) -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(": ").nth(1));
    let cores = cpu
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib: u64 = memory
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let version = postgres.sql("postgres", "show server_version")?;
    let durable = postgres.sql(
        "postgres",
        "select current_setting('fsync') || '/' || current_setting('synchronous_commit')",
    )?;
    Ok(format!(
        "Machine: {} x {cores}, {} GiB, Linux {}; PostgreSQL {version}, fsync/synchronous_commit {durable}.\n\
         The load generator runs on the same cores.",
        model.unwrap_or("unknown CPU"),
        kib / 1024 / 1024,
        kernel.trim()
    ))
}

/// CPU time in microseconds that a process and all its children, as they are now, have used.
pub fn cpu_micros(root: u32) -> u64 {
    let mut total = 0;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let Some((parent, ticks)) = stat(pid) else {
            continue;
        };
        if pid == root || parent == root {
            // A tick is a hundredth of a second on Linux.
            total += ticks * 10_000;
        }
    }
    total
}

/// CPU time in microseconds that this process has used.
pub fn own_cpu_micros() -> u64 {
    stat(std::process::id()).map_or(0, |(_, ticks)| ticks * 10_000)
}

/// The parent of a process, and its CPU time in ticks, with that of children that ended.
fn stat(pid: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((
        u32::try_from(number(1)?).ok()?,
        number(11)? + number(12)? + number(13)? + number(14)?,
    ))
}

/// Resident memory of a process, in KiB.
pub fn rss_kib(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}
