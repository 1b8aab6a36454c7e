//! Where cvc5 comes from: the program of that name, or PyPI's package of it, which brings the solver
//! as a library; then Python runs a few lines that read and answer commands (`cvc5_driver.py`).

use std::path::PathBuf;
use std::process::Stdio;

use cedar_policy_symcc::solver::LocalSolver;
use tokio::process::Command;

use crate::job::Job;

const DRIVER: &str = include_str!("cvc5_driver.py");

const HOW_TO_INSTALL: &str = "there is no solver: install cvc5 1.3.1 or newer, as \
     `scripts/install-dependencies` does (or `pip install --target \
     ~/.local/share/gatehouse/solver cvc5`), or name one with --solver or the variable CVC5";

/// The folder `scripts/install-dependencies` puts the package into.
fn package_folder() -> PathBuf {
    std::env::var_os("GATEHOUSE_SOLVER_PACKAGES").map_or_else(
        || {
            PathBuf::from(std::env::var_os("HOME").unwrap_or_default())
                .join(".local/share/gatehouse/solver")
        },
        PathBuf::from,
    )
}

fn command_of(job: &Job) -> Option<std::process::Command> {
    if let Some((program, arguments)) = job.solver.split_first() {
        let mut command = std::process::Command::new(program);
        command.args(arguments);
        return Some(command);
    }
    let limit = format!("--tlimit-per={}", job.time_limit_ms);
    let named = std::env::var_os("CVC5");
    let mut program =
        std::process::Command::new(named.clone().unwrap_or_else(|| "cvc5".into()));
    program.args(["--lang", "smt", &limit]);
    if named.is_some() || is_new_enough(&mut std::process::Command::new("cvc5")) {
        return Some(program);
    }
    let mut python = std::process::Command::new("python3");
    python
        .args(["-c", DRIVER])
        .env("PYTHONPATH", package_folder())
        .env("GATEHOUSE_SOLVER_TIME_LIMIT_MS", job.time_limit_ms.to_string());
    let found = std::process::Command::new("python3")
        .args(["-c", "import cvc5"])
        .env("PYTHONPATH", package_folder())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    found.then_some(python)
}

/// Debian 12's 1.0.3 lacks what the symbolic compiler uses.
fn is_new_enough(cvc5: &mut std::process::Command) -> bool {
    let Ok(output) = cvc5.arg("--version").output() else {
        return false;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let version: Vec<u32> = text
        .split_whitespace()
        .skip_while(|word| *word != "version")
        .nth(1)
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect();
    version.as_slice() >= [1, 3, 1].as_slice()
}

/// # Errors
/// Where there is none: what to install.
pub fn check(job: &Job) -> Result<(), String> {
    command_of(job).map(|_| ()).ok_or_else(|| HOW_TO_INSTALL.to_owned())
}

/// # Errors
/// Where it does not start.
pub fn start(job: &Job) -> Result<LocalSolver, String> {
    let command = command_of(job).ok_or_else(|| HOW_TO_INSTALL.to_owned())?;
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    LocalSolver::from_command(&mut command).map_err(|error| format!("the solver: {error}"))
}
