//! The issuer: login by authorization code with PKCE, and tokens that others bring.
//!
//! OpenID Connect Core 1.0 section 3.1, RFC 7636 (PKCE); the checks of tokens are openidconnect's.

use std::ffi::OsString;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_asking::{Address, Client as Http, HttpArgs, Kind, Request, Settings, SettingsError};
use jiff::Timestamp;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AsyncHttpClient, AuthenticationFlow, AuthorizationCode, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdToken, IdTokenFields, IdTokenVerifier, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::RwLock;
use url::Url;

use super::caller::Person;

/// How long keys of an issuer are taken before they are asked for again.
const FRESH: Duration = Duration::from_secs(3600);
/// How often at most an unknown key makes us ask.
const SOONEST: Duration = Duration::from_secs(60);
/// The longest token that is looked at.
const MAX_TOKEN: usize = 16 * 1024;

/// Where the issuer is and who we are there.
#[derive(Debug, Clone)]
pub(super) struct OidcSettings {
    pub(super) issuer: Url,
    pub(super) backchannel: Option<Url>,
    pub(super) client_id: String,
    pub(super) client_secret: Option<ClientSecret>,
    pub(super) scopes: Vec<String>,
    pub(super) groups_claim: String,
    pub(super) audiences: Vec<String>,
    pub(super) public_url: Url,
    pub(super) lifetime: Duration,
    pub(super) ca_file: Vec<OsString>,
}

/// Why the issuer could not be asked, or did not vouch.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The issuer did not answer, or not as OpenID Connect says.
    #[error("the issuer could not be asked: {0}")]
    Issuer(String),
    /// The login did not end well.
    #[error("the login did not succeed: {0}")]
    Login(String),
}

impl IntoResponse for OidcError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Issuer(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Login(_) => StatusCode::UNAUTHORIZED,
        };
        // Where the issuer is and what it said is for the log, not for who knocks.
        tracing::warn!("{self}");
        let told = match self {
            Self::Issuer(_) => {
                "who you are cannot be found out now: the issuer does not answer".to_owned()
            }
            Self::Login(why) => format!("the login did not succeed: {why}"),
        };
        crate::api::ApiError::new(status, told).into_response()
    }
}

/// All claims beside the standard ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct More {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl openidconnect::AdditionalClaims for More {}

type Fields = IdTokenFields<
    More,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Token =
    IdToken<More, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Claims = openidconnect::IdTokenClaims<More, CoreGenderClaim>;
type Relying = Client<
    More,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An issuer that vouches for people.
#[derive(Debug)]
pub(super) struct Oidc {
    settings: OidcSettings,
    asker: Asker,
    known: RwLock<Option<(Instant, Arc<CoreProviderMetadata>)>>,
}

/// What has to be remembered between the way to the issuer and back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    /// Where on our site the login started.
    pub(super) to: String,
    until: i64,
}

/// A login may take this long.
const PENDING_SECONDS: i64 = 600;

impl Oidc {
    pub(super) fn new(settings: OidcSettings) -> Result<Self, SettingsError> {
        let asker = Asker::new(&settings)?;
        Ok(Self { asker, settings, known: RwLock::new(None) })
    }

    /// The issuer's own word on itself, and its keys.
    async fn provider(&self, at_most: Duration) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        if let Some((at, known)) = &*self.known.read().await
            && at.elapsed() < at_most
        {
            return Ok(Arc::clone(known));
        }
        let issuer = self.settings.issuer.as_str().trim_end_matches('/').to_owned();
        // Issuers are compared letter by letter, and some end in a slash.
        let issuer = if self.settings.issuer.path() == "/" {
            issuer
        } else {
            self.settings.issuer.to_string()
        };
        let issuer =
            IssuerUrl::new(issuer).map_err(|error| OidcError::Issuer(error.to_string()))?;
        let found = CoreProviderMetadata::discover_async(issuer, &self.asker).await;
        let found = Arc::new(found.map_err(|error| OidcError::Issuer(chain(&error)))?);
        *self.known.write().await = Some((Instant::now(), Arc::clone(&found)));
        Ok(found)
    }

    async fn relying(&self) -> Result<Relying, OidcError> {
        let provider = self.provider(FRESH).await?;
        let secret = self.settings.client_secret.clone();
        let id = ClientId::new(self.settings.client_id.clone());
        let back =
            format!("{}/oauth2/callback", self.settings.public_url.as_str().trim_end_matches('/'));
        let back = RedirectUrl::new(back).map_err(|error| OidcError::Login(error.to_string()))?;
        Ok(Relying::from_provider_metadata((*provider).clone(), id, secret).set_redirect_uri(back))
    }

    /// Where a browser goes to log in, and what has to be remembered until it is back.
    pub(super) async fn start(&self, to: &str) -> Result<(Url, Pending), OidcError> {
        let relying = self.relying().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut way = relying
            .authorize_url(
                AuthenticationFlow::<openidconnect::core::CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        for scope in &self.settings.scopes {
            way = way.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = way.url();
        let pending = Pending {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            to: to.to_owned(),
            until: Timestamp::now().as_second() + PENDING_SECONDS,
        };
        Ok((url, pending))
    }

    /// Who came back with this code.
    pub(super) async fn finish(
        &self,
        pending: &Pending,
        state: &str,
        code: String,
    ) -> Result<Person, OidcError> {
        if pending.state != state || pending.until < Timestamp::now().as_second() {
            return Err(OidcError::Login("it was started elsewhere, or too long ago".into()));
        }
        let relying = self.relying().await?;
        let exchange = relying
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| OidcError::Issuer(chain(&error)))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()));
        let answer = exchange.request_async(&self.asker).await;
        let answer = answer.map_err(|error| OidcError::Login(chain(&error)))?;
        let token = answer
            .id_token()
            .ok_or_else(|| OidcError::Login("the issuer gave no ID token".into()))?;
        let nonce = Nonce::new(pending.nonce.clone());
        let provider = self.provider(FRESH).await?;
        let verifier = self.verifier(&provider, &self.settings.client_id);
        let claims = match token.claims(&verifier, &nonce) {
            Ok(claims) => claims.clone(),
            // The issuer may have new keys.
            Err(_) => {
                let provider = self.provider(Duration::ZERO).await?;
                let verifier = self.verifier(&provider, &self.settings.client_id);
                token
                    .claims(&verifier, &nonce)
                    .map_err(|error| OidcError::Login(chain(&error)))?
                    .clone()
            }
        };
        let lifetime = i64::try_from(self.settings.lifetime.as_secs()).unwrap_or(i64::MAX);
        Ok(self.person(&claims, Timestamp::now().as_second().saturating_add(lifetime)))
    }

    /// Whom a token names that a script brings: nobody where it is not valid here and now.
    pub(super) async fn bearer(&self, text: &str) -> Result<Option<Person>, OidcError> {
        if text.len() > MAX_TOKEN {
            return Ok(None);
        }
        let Ok(token) = text.parse::<Token>() else { return Ok(None) };
        for at_most in [FRESH, SOONEST] {
            let provider = self.provider(at_most).await?;
            let audiences = self.settings.audiences.iter().chain([&self.settings.client_id]);
            for audience in audiences {
                let verifier = self.verifier(&provider, audience);
                // A token that a script brings answers no login, so it has no nonce of ours.
                if let Ok(claims) = token.claims(&verifier, |_: Option<&Nonce>| Ok(())) {
                    let until = claims.expiration().timestamp();
                    return Ok(Some(self.person(claims, until)));
                }
            }
        }
        Ok(None)
    }

    /// Signature, issuer, audience and time; never `none`, never a shared secret.
    fn verifier(
        &self,
        provider: &CoreProviderMetadata,
        audience: &str,
    ) -> IdTokenVerifier<'static, CoreJsonWebKey> {
        use CoreJwsSigningAlgorithm as Alg;
        let signed = [
            Alg::RsaSsaPkcs1V15Sha256,
            Alg::RsaSsaPkcs1V15Sha384,
            Alg::RsaSsaPkcs1V15Sha512,
            Alg::RsaSsaPssSha256,
            Alg::RsaSsaPssSha384,
            Alg::RsaSsaPssSha512,
            Alg::EcdsaP256Sha256,
            Alg::EcdsaP384Sha384,
            Alg::EdDsa,
        ];
        IdTokenVerifier::new_public_client(
            ClientId::new(audience.to_owned()),
            provider.issuer().clone(),
            provider.jwks().clone(),
        )
        .set_allowed_algs(signed)
        // An audience beside ours takes nothing away from ours.
        .set_other_audience_verifier_fn(|_| true)
    }

    fn person(&self, claims: &Claims, until: i64) -> Person {
        let groups = claims.additional_claims().all.get(&self.settings.groups_claim);
        let groups = match groups {
            Some(Value::Array(groups)) => {
                groups.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Some(Value::String(group)) => vec![group.clone()],
            _ => Vec::new(),
        };
        Person {
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()),
            groups,
            until,
        }
    }

    /// Whether cookies may travel by https alone.
    pub(super) fn is_https(&self) -> bool {
        self.settings.public_url.scheme() == "https"
    }
}

/// Asks the issuer.
#[derive(Debug)]
struct Asker {
    settings: Settings,
    issuer: String,
    backchannel: Option<String>,
}

impl Asker {
    fn new(of: &OidcSettings) -> Result<Self, SettingsError> {
        let asked = of.backchannel.as_ref().unwrap_or(&of.issuer);
        let host = asked.host_str().unwrap_or_default();
        let host = asked.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
        let args = HttpArgs {
            registry_timeout: Duration::from_secs(20),
            ca_file: of.ca_file.clone(),
            plain_http: if asked.scheme() == "http" { vec![host] } else { Vec::new() },
            max_in_flight: 8,
            max_in_flight_per_host: 8,
            max_in_flight_new: 8,
            max_tries: 2,
            deadline: None,
            hosts_file: None,
            allow_host: Vec::new(),
            // The issuer is named by the operator, so its addresses are as good as any.
            allow_address: vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()],
        };
        let text = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            settings: args.settings()?,
            issuer: text(&of.issuer),
            backchannel: of.backchannel.as_ref().map(text),
        })
    }

    /// One request to the issuer, by the back channel where there is one.
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Unasked> {
        let uri = request.uri().to_string();
        let uri = match (&self.backchannel, uri.strip_prefix(&self.issuer)) {
            (Some(back), Some(path)) => format!("{back}{path}"),
            _ => uri,
        };
        let address: Address =
            uri.parse().map_err(|_| Unasked(format!("`{uri}` is no address that can be asked")))?;
        let asked = if request.method() == "POST" {
            let fields: Vec<(String, String)> =
                url::form_urlencoded::parse(request.body()).into_owned().collect();
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            Request::post_form(Kind::Token, address, &fields)
        } else {
            Request::get(Kind::Token, address)
        };
        let asked = asked.accept("application/json");
        let asked = asked.authorization(request.headers().get("authorization").cloned());
        // A client of its own for each question: what is remembered of a host's failures is for
        // one run, and this process has no end.
        let http = Http::new(self.settings.clone()).map_err(|error| Unasked(chain(&error)))?;
        let answer = http.ask(asked).await.map_err(|error| Unasked(chain(&error)))?;
        let mut response = HttpResponse::new(answer.body.to_vec());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Asker {
    type Error = Unasked;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unasked>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// A request that got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unasked(String);

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    stage::exit::chain(error)
}
