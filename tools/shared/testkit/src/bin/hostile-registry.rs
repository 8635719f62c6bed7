//! A registry that lies when asked to, for trying things from a shell.
//!
//! It holds `shop/web:1` (two platforms) and `shop/one:1` (one manifest), says where it listens,
//! and prints every request as a JSON line until a signal stops it.

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde_json::json;
use testkit::registry::{
    Access, Bearer, Bytes, Canned, DigestHeader, FakeRegistry, Pages, Payload,
};

/// A registry that lies: give it something to lie about, and ask it.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example:\n  hostile-registry --manifests 429 --retry-after 1000000000 &\n  # it says where it listens: 127.0.0.1:PORT\n  pc-digest --plain-http 127.0.0.1:PORT 127.0.0.1:PORT/shop/web:1\n  kill %1"
)]
struct Cli {
    /// Speak https, with a certificate of an authority of its own (printed)
    #[arg(long)]
    tls: bool,
    /// Take connections and never say a word on them: no handshake, no answer
    #[arg(long)]
    mute: bool,
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
    /// With --bearer: tokens are good for so many milliseconds, and said to be for five minutes
    #[arg(long, requires = "bearer")]
    token_lives: Option<u64>,
    /// How the lists of tags and referrers go on
    #[arg(long, value_enum, default_value = "right")]
    pages: Lists,
    /// Name this address as the next page of every list
    #[arg(long, conflicts_with = "pages")]
    pages_at: Option<String>,
    /// Redirect the GETs of blobs to this address, with the digest behind it
    #[arg(long)]
    blobs_at: Option<String>,
    /// Answer every question about a manifest with this status
    #[arg(long)]
    manifests: Option<u16>,
    /// With --manifests: only the first so many questions; then honestly
    #[arg(long, requires = "manifests")]
    times: Option<usize>,
    /// With --manifests: what the answer holds
    #[arg(long, value_enum, requires = "manifests", default_value = "nothing")]
    body: Body,
    /// With --manifests: a Retry-After header
    #[arg(long, requires = "manifests")]
    retry_after: Option<String>,
    /// With --manifests: a Location header
    #[arg(long, requires = "manifests")]
    location: Option<String>,
    /// Stop when standard input ends, and not only at a signal
    #[arg(long)]
    until_stdin_closes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lists {
    /// As they should
    Right,
    /// Every page is followed by itself
    Circle,
    /// A million pages
    Million,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Body {
    /// Not a byte
    Nothing,
    /// Bytes without end
    Endless,
    /// One byte, and then silence
    Stalled,
    /// 400 MB, announced
    Huge,
    /// 1 GiB of zeros, packed into one MiB
    Bomb,
    /// No JSON
    NotJson,
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
    let until_stdin_closes = cli.until_stdin_closes;
    behave(&registry, cli);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", json!({"listens": registry.host(), "authority": registry.authority()}))?;
    out.flush()?;
    let (ended, over) = mpsc::channel();
    thread::spawn(move || {
        if until_stdin_closes {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = ended.send(());
        }
        // Without that, only a signal ends the program.
        loop {
            thread::park();
        }
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
        switches.mute = cli.mute;
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
        switches.pages = match (&cli.pages_at, cli.pages) {
            (Some(place), _) => Pages::At(place.clone()),
            (None, Lists::Right) => Pages::Right,
            (None, Lists::Circle) => Pages::Circle,
            (None, Lists::Million) => Pages::Many(1_000_000),
        };
        switches.manifests = cli.manifests.map(|status| canned(status, &cli));
        switches.manifests_times = cli.times;
        switches.access = access(&cli);
        switches.blobs_at = cli.blobs_at;
    });
}

fn access(cli: &Cli) -> Access {
    match (cli.basic.as_deref().and_then(|pair| pair.split_once(':')), cli.bearer) {
        (Some((user, password)), _) => Access::basic(user, password),
        (None, true) => {
            let bearer = Bearer { realm: cli.realm.clone(), ..Bearer::default() };
            let lives = cli.token_lives.map_or(bearer.lives, Duration::from_millis);
            Access::Bearer(Bearer { lives, ..bearer })
        }
        (None, false) => Access::Open,
    }
}

/// The answer to every question about a manifest.
fn canned(status: u16, cli: &Cli) -> Canned {
    let headers = [("retry-after", &cli.retry_after), ("location", &cli.location)];
    let given = headers.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let answer =
        given.fold(Canned::status(status), |answer, (name, value)| answer.header(name, value));
    match cli.body {
        Body::Nothing => answer,
        Body::Endless => answer.body(Payload::Endless),
        Body::Stalled => answer.body(Payload::Stalled("{".into())),
        Body::Huge => answer.header("content-length", "400000000").body(Payload::Endless),
        Body::Bomb => answer.header("content-encoding", "gzip").body(Payload::bomb(1024)),
        Body::NotJson => answer.body("{\"schemaVersion\": 2,"),
    }
}
