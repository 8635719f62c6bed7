//! pc-discover; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    stage::cli::main::<pc_discover::Cli>()
}
