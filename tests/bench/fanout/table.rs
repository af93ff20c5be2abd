//! What was measured, as tables.

use crate::PACE;
use crate::support::median;

/// What one round measured of one program.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    pub per_second: f64,
    /// What a receiver read for each, at saturation.
    pub bytes: f64,
    pub server_micros: f64,
    pub postgres_micros: f64,
    pub receiver_micros: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// All rounds of one program with as many receivers.
#[derive(Debug)]
pub struct Rounds {
    pub program: &'static str,
    pub receivers: usize,
    pub rounds: Vec<Round>,
}

impl Rounds {
    fn row(&self) -> String {
        let of = |figure: fn(&Round) -> f64| median(self.rounds.iter().map(figure));
        format!(
            "| {} | {} | {:.0} | {:.0} | {:.1} | {:.1} | {:.1} | {:.2} | {:.2} |",
            self.receivers,
            self.program,
            of(|r| r.per_second),
            of(|r| r.bytes),
            of(|r| r.server_micros),
            of(|r| r.postgres_micros),
            of(|r| r.receiver_micros),
            of(|r| r.p50_ms),
            of(|r| r.p99_ms),
        )
    }

    /// The row of our figures as multiples of another program's, round by round.
    fn row_beside(&self, other: &Self) -> String {
        let ratio = |figure: fn(&Round) -> f64| {
            let both = self.rounds.iter().zip(&other.rounds);
            median(both.map(|(ours, theirs)| figure(ours) / figure(theirs)))
        };
        format!(
            "| {} | **{:.2}** | {:.2} | {:.2} | **{:.2}** |",
            self.receivers,
            ratio(|r| r.per_second),
            ratio(|r| r.server_micros),
            ratio(|r| r.p50_ms),
            ratio(|r| r.p99_ms),
        )
    }
}

/// Prints the head of the rows that follow as they are measured.
pub fn print_head() {
    println!(
        "| receivers | program | deliveries/s | bytes/delivery | server CPU µs/delivery | PostgreSQL CPU µs/delivery | receivers' CPU µs/delivery | p50 ms at {PACE}/s | p99 ms at {PACE}/s |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
}

/// Prints a row for each program.
pub fn print_rows(programs: &[Rounds]) {
    programs
        .iter()
        .for_each(|program| println!("{}", program.row()));
}

/// Prints how the first program of each run compares with each of the others.
pub fn print_ratios(runs: &[Vec<Rounds>]) {
    let others = runs.first().into_iter().flatten().skip(1);
    for (at, other) in others.enumerate() {
        println!("\nBeside {}:\n", other.program);
        println!("| receivers | deliveries/s | server CPU | p50 | p99 |");
        println!("| ---: | ---: | ---: | ---: | ---: |");
        for run in runs {
            println!("{}", run[0].row_beside(&run[at + 1]));
        }
    }
}
