//! A registry that lies when asked to, for trying things from a shell.
//!
//! It holds `shop/web:1` (two platforms) and `shop/one:1` (one manifest), says where it listens,
//! and prints every request as a JSON line until its standard input ends.

use std::io::{self, Read, Write};
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde_json::json;
use testkit::registry::{Access, Bearer, Bytes, Canned, DigestHeader, FakeRegistry};

/// A registry that lies: give it something to lie about, and ask it.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example:\n  hostile-registry --manifests 429 --retry-after 1000000000 &\n  pc-digest --plain-http 127.0.0.1:PORT 127.0.0.1:PORT/shop/web:1"
)]
struct Cli {
    /// Speak https, with a certificate of an authority of its own (printed)
    #[arg(long)]
    tls: bool,
    /// Wait so many milliseconds before every answer
    #[arg(long, default_value_t = 0)]
    delay: u64,
    /// What the digest header of manifests says
    #[arg(long, value_enum, default_value = "right")]
    digest_header: Header,
    /// Serve other bytes than the digests say
    #[arg(long)]
    tamper: bool,
    /// Have a referrers API
    #[arg(long)]
    referrers: bool,
    /// Want this user and password, as USER:PASSWORD
    #[arg(long)]
    basic: Option<String>,
    /// Want a bearer token
    #[arg(long, conflicts_with = "basic")]
    bearer: bool,
    /// With --bearer: the realm that is named for tokens
    #[arg(long, requires = "bearer")]
    realm: Option<String>,
    /// Answer every question about a manifest with this status
    #[arg(long)]
    manifests: Option<u16>,
    /// With --manifests: a Retry-After header
    #[arg(long, requires = "manifests")]
    retry_after: Option<String>,
    /// With --manifests: a Location header
    #[arg(long, requires = "manifests")]
    location: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Header {
    Right,
    Missing,
    Empty,
    Malformed,
    Wrong,
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let registry = if cli.tls { FakeRegistry::start_tls() } else { FakeRegistry::start() };
    let amd64 = registry.push_image("shop/web", None, "amd64");
    let arm64 = registry.push_image("shop/web", None, "arm64");
    registry.push_index("shop/web", Some("1"), &[("linux/amd64", &amd64), ("linux/arm64", &arm64)]);
    registry.push_image("shop/one", Some("1"), "amd64");
    behave(&registry, cli);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", json!({"listens": registry.host(), "authority": registry.authority()}))?;
    let (ended, over) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    let mut printed = 0;
    while over.recv_timeout(Duration::from_millis(100)).is_err() {
        for asked in registry.log().into_iter().skip(printed) {
            printed += 1;
            let headers: serde_json::Map<_, _> =
                asked.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
            let line = json!({"method": asked.method, "path": asked.path, "query": asked.query, "status": asked.status, "headers": headers, "body": asked.body});
            writeln!(out, "{line}")?;
        }
        out.flush()?;
    }
    Ok(())
}

fn behave(registry: &FakeRegistry, cli: Cli) {
    registry.switch(|switches| {
        switches.delay = Duration::from_millis(cli.delay);
        switches.referrers_api = cli.referrers;
        switches.bytes = if cli.tamper { Bytes::Tampered } else { Bytes::default() };
        switches.digest_header = match cli.digest_header {
            Header::Right => DigestHeader::Right,
            Header::Missing => DigestHeader::Missing,
            Header::Empty => DigestHeader::Empty,
            Header::Malformed => DigestHeader::Malformed,
            Header::Wrong => DigestHeader::Wrong,
        };
        switches.access =
            match (cli.basic.as_deref().and_then(|pair| pair.split_once(':')), cli.bearer) {
                (Some((user, password)), _) => Access::basic(user, password),
                (None, true) => Access::Bearer(Bearer { realm: cli.realm, ..Bearer::default() }),
                (None, false) => Access::Open,
            };
        switches.manifests = cli.manifests.map(|status| {
            let headers = [("retry-after", cli.retry_after), ("location", cli.location)];
            headers.into_iter().fold(Canned::status(status), |answer, (name, value)| match value {
                Some(value) => answer.header(name, &value),
                None => answer,
            })
        });
    });
}
