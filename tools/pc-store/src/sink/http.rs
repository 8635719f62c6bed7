//! An HTTP server as a sink: each report is sent until the server says that it has it.
//!
//! A report is known by the SHA-256 of its bytes (`Idempotency-Key`), so that one which is sent a
//! second time, because an answer was lost, is the same to the server. With a spool it is written
//! there before it is sent, and removed when it was taken.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_asking::{Address, AskError, Client, HttpArgs, Kind as Asked, Request, Settings};
use jiff::Timestamp;
use stage::Fault;
use tokio::runtime::Runtime;

use super::Delivery;
use super::spool::{Spool, SpoolError};
use crate::cli::UploadArgs;
use crate::document::{Document, digest};
use crate::place::{Kind, PlaceError};

/// What a report is known by: the SHA-256 of its bytes.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The wait before the second try; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How often one report is tried where it is kept for the next run.
const TRIES_WITH_SPOOL: u32 = 3;

/// A server that takes reports.
#[derive(Debug)]
pub(super) struct Upload {
    address: Address,
    settings: Settings,
    token: Token,
    spool: Option<Spool>,
    deadline: Instant,
    runtime: Runtime,
}

/// Where the bearer token is.
enum Token {
    None,
    Given(String),
    File(PathBuf),
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Given(_) => f.write_str("Given"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// Why a report was not taken.
#[derive(Debug, thiserror::Error)]
enum UploadError {
    #[error("cannot read the upload token in `{}`", path.display())]
    TokenFile {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the upload token cannot be sent: it has characters that no header may have")]
    Token,
    #[error("cannot pack the report")]
    Pack(#[source] std::io::Error),
    #[error("the answer ({status}) does not name the report, so nobody says that it was taken")]
    Stranger { status: StatusCode },
    #[error("{left} in the spool at {path} will not be taken as they are")]
    Stuck { left: u64, path: String },
    #[error("the report was not taken")]
    Refused(#[source] AskError),
    #[error("the report was not taken within the time given, after {tries} tries")]
    NotInTime {
        tries: u32,
        #[source]
        source: AskError,
    },
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl UploadError {
    /// Whether the same report may be taken later.
    fn passes(&self) -> bool {
        match self {
            Self::NotInTime { .. } => true,
            Self::Refused(error) => may_pass(error),
            _ => false,
        }
    }

    fn hint(&self) -> Option<String> {
        let error = match self {
            Self::Refused(source) | Self::NotInTime { source, .. } => source,
            Self::Token | Self::TokenFile { .. } => {
                return Some("see `--report-upload-token-file`".to_owned());
            }
            Self::Stranger { .. } => {
                return Some("check PROVENANCE_REPORT_UPLOAD_URL: what answers there is no server for reports (a login page, perhaps)".to_owned());
            }
            Self::Stuck { .. } => {
                return Some("the warnings above say why; mend it, or remove the files".to_owned());
            }
            _ => return None,
        };
        let hint = match error.status()? {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                "check PROVENANCE_REPORT_UPLOAD_TOKEN: it must be the one that the server knows"
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                "raise what the server takes (PROVENANCE_UPLOAD_MAX_BYTES), or choose another sink"
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                "check the path in PROVENANCE_REPORT_UPLOAD_URL"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl From<UploadError> for PlaceError {
    fn from(error: UploadError) -> Self {
        let hint = error.hint();
        Self::new(Kind::Other, error, hint)
    }
}

impl Upload {
    /// The server that the settings name. Nothing is asked yet.
    pub(super) fn open(args: &UploadArgs) -> Result<Self, Fault> {
        let url = args.report_upload_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let url = url.ok_or_else(|| {
            Fault::usage(
                "the sink `http` needs `--report-upload-url` (PROVENANCE_REPORT_UPLOAD_URL)",
            )
        })?;
        let address: Address = url.parse().map_err(Fault::usage)?;
        let token = match (&args.report_upload_token, &args.report_upload_token_file) {
            (Some(token), _) if !token.is_empty() => Token::Given(token.clone()),
            (_, Some(path)) if !path.as_os_str().is_empty() => Token::File(path.clone()),
            _ => Token::None,
        };
        let settings = settings(args, &address)?;
        let spool = args.spool.as_ref().filter(|path| !path.as_os_str().is_empty());
        let spool = spool.map(|path| Spool::open(path)).transpose().map_err(crate::cli::fault)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Fault::incomplete)?;
        Ok(Self { address, settings, token, spool, deadline: args.deadline.instant(), runtime })
    }

    /// Sends a report until it is taken, is refused for good, or time or tries are over.
    fn send(&self, bytes: &[u8], most: u32) -> Result<(), UploadError> {
        let packed = pack(bytes).map_err(UploadError::Pack)?;
        let key = digest(bytes);
        let key = key.as_str().strip_prefix("sha256:").unwrap_or_default();
        let mut wait = FIRST_WAIT;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.try_once(packed.clone(), key)? {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !may_pass(&error) {
                return Err(UploadError::Refused(error));
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if tries >= most || left <= wait {
                return Err(UploadError::NotInTime { tries, source: error });
            }
            tracing::debug!(tries, ?wait, why = %error, "sending again");
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn try_once(&self, body: Bytes, name: &str) -> Result<Result<(), AskError>, UploadError> {
        let bad = |_| UploadError::Token;
        let gzip = HeaderValue::from_static("gzip");
        let key = HeaderValue::from_str(name).map_err(bad)?;
        let request = Request::post(Asked::Report, self.address.clone(), "application/json", body)
            .header(header::CONTENT_ENCODING, gzip)
            .header(KEY, key)
            .authorization(self.authorization()?);
        // One that failed leaves a host alone for the rest of its life.
        let client = Client::new(self.settings.clone());
        Ok(match client {
            Err(error) => return Err(UploadError::Pack(std::io::Error::other(error))),
            Ok(client) => match self.runtime.block_on(client.ask(request)) {
                Ok(answer) if answer.status.is_success() => {
                    if !names_report(&answer, name) {
                        return Err(UploadError::Stranger { status: answer.status });
                    }
                    Ok(())
                }
                Ok(answer) => Err(answer.refusal()),
                Err(error) => Err(error),
            },
        })
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, UploadError> {
        let token = match &self.token {
            Token::None => return Ok(None),
            Token::Given(token) => token.clone(),
            Token::File(path) => std::fs::read_to_string(path)
                .map_err(|source| UploadError::TokenFile { path: path.clone(), source })?,
        };
        let value = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
        value.map(Some).map_err(|_| UploadError::Token)
    }

    /// Sends what waits, oldest first; what is refused for good stays, and stops nothing.
    fn send_spooled(&self, spool: &Spool) -> Result<String, UploadError> {
        let (mut sent, mut left, mut stuck, mut down) = (0, 0_u64, 0_u64, false);
        for name in spool.names()? {
            if down {
                left += 1;
                continue;
            }
            let read = spool.read(&name).map_err(UploadError::from);
            match read.and_then(|bytes| self.send(&bytes, TRIES_WITH_SPOOL)) {
                Ok(()) => {
                    spool.remove(&name)?;
                    sent += 1;
                }
                Err(error) => {
                    down = error.passes();
                    left += 1;
                    stuck += u64::from(!down);
                    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                    let error = stage::exit::chain(&error);
                    tracing::warn!("`{name}` stays in the spool: {error}{hint}");
                }
            }
        }
        // What only time mends is no fault of this run; what will never be taken is.
        if stuck > 0 {
            return Err(UploadError::Stuck { left: stuck, path: spool.path() });
        }
        let waiting = match left {
            0 => String::new(),
            left => format!("Spooled: {left} wait in {} for the next run.\n", spool.path()),
        };
        Ok(match sent {
            0 => waiting,
            sent => format!("Sent: {sent} to {}\n{waiting}", self.address.host()),
        })
    }
}

impl Delivery for Upload {
    fn deliver(&self, document: &Document, _now: Timestamp) -> Result<String, PlaceError> {
        let Some(spool) = &self.spool else {
            self.send(&document.bytes, u32::MAX)?;
            let (size, digest) = (document.bytes.len(), &document.digest);
            return Ok(format!("Sent: {}  {size} bytes  {digest}\n", self.address.host()));
        };
        spool.put(document).map_err(UploadError::from)?;
        Ok(self.send_spooled(spool)?)
    }
}

fn settings(args: &UploadArgs, address: &Address) -> Result<Settings, Fault> {
    // The operator named this one server, wherever it is and however it is spoken to.
    let everywhere = ["0.0.0.0/0", "::/0"].map(str::to_owned).to_vec();
    let plain = match address.scheme() {
        http_asking::Scheme::Http => vec![address.host().to_string()],
        http_asking::Scheme::Https => Vec::new(),
    };
    let asking = HttpArgs {
        registry_timeout: args.report_upload_timeout,
        ca_file: args.ca_file.clone(),
        plain_http: plain,
        max_in_flight: 1,
        max_in_flight_per_host: 1,
        max_in_flight_new: 1,
        max_tries: 1,
        deadline: None,
        hosts_file: None,
        allow_host: Vec::new(),
        allow_address: everywhere,
    };
    if args.report_upload_timeout.is_zero() {
        return Err(Fault::usage("`--report-upload-timeout` must be longer than 0"));
    }
    let settings = asking.settings().map_err(Fault::usage)?;
    // How long a server takes to store a report is for the one limit to say.
    Ok(Settings { idle_timeout: args.report_upload_timeout, ..settings })
}

fn pack(bytes: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut encoder, bytes)?;
    encoder.finish().map(Bytes::from)
}

/// Whether an answer says which report was taken: by its key in the header of that name, or
/// somewhere in its body. A login page says 200 as well.
fn names_report(answer: &http_asking::Answer, key: &str) -> bool {
    answer.header(KEY) == Some(key)
        || answer.body.windows(key.len()).any(|window| window == key.as_bytes())
}

/// Whether the same may be taken a moment later: what came from the server's state or the way to
/// it, and not from the report or the settings.
fn may_pass(error: &AskError) -> bool {
    match error.status() {
        Some(status) => {
            status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
                || matches!(
                    status,
                    StatusCode::REQUEST_TIMEOUT
                        | StatusCode::TOO_EARLY
                        | StatusCode::TOO_MANY_REQUESTS
                )
        }
        None => error.retryable(),
    }
}
