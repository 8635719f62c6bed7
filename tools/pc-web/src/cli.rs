//! The command line.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};
use stage::cli::Common;
use stage::{CommonArgs, Fault, Outcome};

use crate::doors::DoorArgs;
use crate::serve;

/// The largest report that is shown where nothing else is set, as pc-store has it: 256 MiB.
const DEFAULT_MAX_BYTES: u64 = 256 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  pc-web --report-path ./reports --listen 127.0.0.1:8080 --no-login
  curl -s localhost:8080/api/reports/latest | jq .summary";

/// Serve the reports of a store: dashboard, JSON API, metrics.
#[derive(Debug, Parser)]
#[command(about, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Which store is served.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreArgs {
    /// The directory of the store
    #[arg(long, env = "PROVENANCE_REPORT_PATH", value_name = "DIR", default_value = "/reports")]
    pub(crate) report_path: PathBuf,
    /// The largest report that is shown, in bytes
    #[arg(long, env = "PROVENANCE_REPORT_MAX_BYTES", value_name = "BYTES", default_value_t = DEFAULT_MAX_BYTES)]
    pub(crate) max_bytes: u64,
    /// How often the store is looked at for new reports
    #[arg(long, env = "PROVENANCE_WATCH_INTERVAL", value_name = "DURATION", default_value = "5s", value_parser = records::duration::parse)]
    pub(crate) watch_interval: Duration,
}

/// Where it listens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listeners")]
pub(crate) struct ListenArgs {
    /// Pages, API and metrics: an address and port, or `:PORT` for every address
    #[arg(
        long,
        env = "PROVENANCE_DASHBOARD_ADDR",
        value_name = "ADDR",
        default_value = ":8080",
        value_parser = address
    )]
    pub(crate) listen: SocketAddr,
}

/// An address to listen on, as Go programs write it.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix(':') {
        let port = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
        return Ok(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port));
    }
    text.parse().map_err(|_| {
        "an address and a port are needed, such as `127.0.0.1:8080`, `[::1]:8080` or `:8080`"
            .to_owned()
    })
}

impl stage::Tool for Cli {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, common: &Common) -> Result<Outcome, Fault> {
        let clock = common.clock;
        common.block_on(serve::serve(self, clock))
    }
}
