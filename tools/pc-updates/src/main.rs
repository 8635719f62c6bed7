//! pc-updates; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    http_asking::install_crypto_provider();
    stage::cli::main::<pc_updates::Cli>()
}
