//! The command `pc-store`; all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    http_asking::install_crypto_provider();
    stage::cli::main::<pc_store::Cli>()
}
