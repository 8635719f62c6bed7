//! Handing events on: POST of batches (CloudEvents HTTP binding, section 3.3).

use std::path::{Path, PathBuf};

use clap::Args;
use http_asking::{Address, Client, HttpArgs, Kind, PlainHttp, Request, Scheme};
use records::text::shown;
use stage::Fault;
use url::Url;

use super::events::Event;

/// How many events are sent at a time.
const BATCH: usize = 100;

/// What the body of a request is.
const BATCH_TYPE: &str = "application/cloudevents-batch+json; charset=utf-8";

/// The variable that may hold the token; no flag does, since everybody sees those.
const TOKEN: &str = "PROVENANCE_EVENTS_TOKEN";

/// The largest token file that is read, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// To whom changes are handed on.
#[derive(Debug, Args)]
pub(crate) struct PostArgs {
    /// Hand the changes on as CloudEvents: POST them to this URL, in batches of at most 100
    #[arg(long, env = "PROVENANCE_EVENTS_URL", value_name = "URL")]
    post: Option<String>,
    /// A file with the bearer token for that URL; or set `PROVENANCE_EVENTS_TOKEN`
    #[arg(long, env = "PROVENANCE_EVENTS_TOKEN_FILE", value_name = "FILE")]
    post_token_file: Option<PathBuf>,
    #[command(flatten)]
    http: HttpArgs,
}

/// Why events cannot be handed on.
#[derive(Debug, thiserror::Error)]
enum PostError {
    // Without its text, which may hold a password.
    #[error("what `--post` names is no URL")]
    NoUrl(#[source] url::ParseError),
    #[error("the URL of `--post` has a user name or password in it; give a token instead")]
    Credentials,
    #[error("`--post`")]
    Address(#[source] http_asking::AddressError),
    #[error("cannot read the token in `{path}` (`--post-token-file`)")]
    TokenFile { path: String, source: std::io::Error },
    #[error("the token of {0} is empty, or holds what no header may hold")]
    Token(String),
    #[error("the events were not handed on, or not all of them")]
    Refused(#[source] http_asking::AskError),
}

/// Whoever takes events. It has no `Debug`, since it knows the token.
pub(super) struct Sender {
    client: Client,
    address: Address,
    token: Option<http::HeaderValue>,
}

impl PostArgs {
    /// Checks what was typed; none where nobody is to be told.
    pub(super) fn sender(&self) -> Result<Option<Sender>, Fault> {
        let Some(text) = self.post.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let url = Url::parse(text).map_err(|source| Fault::usage(PostError::NoUrl(source)))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Fault::usage(PostError::Credentials));
        }
        let address =
            Address::try_from(url).map_err(|source| Fault::usage(PostError::Address(source)))?;
        let token = self.token().map_err(Fault::usage)?;
        let mut settings = self.http.clone().settings().map_err(Fault::usage)?;
        if address.scheme() == Scheme::Http {
            // Whoever writes such a URL means it.
            settings.plain_http = PlainHttp::new(vec![address.host().clone()]);
            if token.is_some() {
                tracing::warn!("the token for `{}` goes over plain http", address.host());
            }
        }
        let client = Client::new(settings).map_err(Fault::usage)?;
        Ok(Some(Sender { client, address, token }))
    }

    fn token(&self) -> Result<Option<http::HeaderValue>, PostError> {
        let set = |path: &&PathBuf| !path.as_os_str().is_empty();
        if let Some(path) = self.post_token_file.as_ref().filter(set) {
            let name = shown(&path.to_string_lossy());
            let text =
                read(path).map_err(|source| PostError::TokenFile { path: name.clone(), source })?;
            return bearer(&text, &format!("`{name}`")).map(Some);
        }
        match std::env::var(TOKEN) {
            Ok(text) if !text.is_empty() => bearer(&text, TOKEN).map(Some),
            _ => Ok(None),
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_TOKEN as u64).read_to_string(&mut text)?;
    Ok(text)
}

fn bearer(text: &str, from: &str) -> Result<http::HeaderValue, PostError> {
    let token = text.trim();
    let whole = !token.is_empty() && !token.contains(char::is_whitespace);
    let value = http::HeaderValue::try_from(format!("Bearer {token}")).ok();
    value.filter(|_| whole).ok_or_else(|| PostError::Token(from.to_owned()))
}

impl Sender {
    /// Who takes them, for people.
    pub(super) fn host(&self) -> String {
        format!("`{}`", self.address.host())
    }

    /// Hands all of them on. What was taken before one failed comes again the next time, with the
    /// same ids.
    pub(super) async fn send(&self, events: &[Event<'_>]) -> Result<(), Fault> {
        for batch in events.chunks(BATCH) {
            let body = serde_json::to_vec(batch).map_err(Fault::incomplete)?;
            let request = Request::post(Kind::Events, self.address.clone(), BATCH_TYPE, body)
                .authorization(self.token.clone());
            let answer = self.client.ask(request).await;
            let answer = answer.map_err(|error| Fault::incomplete(PostError::Refused(error)))?;
            if !answer.status.is_success() {
                return Err(Fault::incomplete(PostError::Refused(answer.refusal())));
            }
        }
        Ok(())
    }
}
