//! The `gclb` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    gclb::cli::main()
}
