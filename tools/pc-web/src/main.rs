//! pc-web, see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    stage::cli::main::<pc_web::Cli>()
}
