//! `gatehouse-prove`: reads a job (`job.rs`) from standard input and writes an answer a claim, one
//! a line, to standard output. The symbolic compiler turns each question into SMT-LIB, cvc5 answers
//! it in a process of its own. It is a program of its own so that the gateway has neither a solver
//! nor what drives one linked in.
//!
//! Exit code: 0 where every claim has an answer, whatever it is; 2 where the job cannot be worked
//! on (standard error says why); 3 where there is no solver.

mod job;
mod prove;
mod solver;

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use job::Job;
use prove::{Prepared, prove};

fn main() -> ExitCode {
    let mut text = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut text) {
        return give_up(2, &error.to_string());
    }
    let job: Job = match serde_json::from_str(&text) {
        Ok(job) => job,
        Err(error) => return give_up(2, &format!("the job: {error}")),
    };
    if let Err(message) = solver::check(&job) {
        return give_up(3, &message);
    }
    let prepared = match Prepared::new(&job) {
        Ok(prepared) => prepared,
        Err(message) => return give_up(2, &message),
    };
    work(&job, &prepared);
    ExitCode::SUCCESS
}

/// Claims are handed to as many threads as the job says; each has a solver of its own.
fn work(job: &Job, prepared: &Prepared) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..job.workers.clamp(1, 16) {
            scope.spawn(|| {
                while let Some(claim) = job
                    .claims
                    .get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    print(&prove(job, prepared, claim));
                }
            });
        }
    });
}

fn print(answer: &job::Answer) {
    if let Ok(line) = serde_json::to_string(answer) {
        let mut out = std::io::stdout().lock();
        // Whoever reads has gone: there is nobody to tell.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

fn give_up(code: u8, message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(code)
}
