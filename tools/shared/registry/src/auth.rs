//! Being let in: a request with whatever its registry wants to see.
//!
//! There is no ping. The first request to a host goes without a credential and its 401 says what
//! is wanted (bearer token or password); that is remembered for the host, so that later requests
//! bring it at once. Only the very first request to a host is waited for by the others, or each of
//! them would have to be refused as well. A token is fetched once for a repository however many
//! ask, is renewed when it expires or is refused later, and what fails once has failed for all.

pub(crate) mod challenge;
mod realm;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode};
use http_asking::{Answer, Client, Host, HostCredentials, Request};

use crate::Repository;
use crate::error::{Denial, Error};
use crate::keychain::{Credential, HelperError, Identity, IdentityKey, Keychain};
use crate::secret::Secret;
use crate::view::View;
use challenge::Challenge;
use token::{Age, Slot, Token};

/// What the keychain has for a repository.
#[derive(Debug, Clone)]
enum Found {
    Credential(Credential),
    Nothing,
    Failed(HelperError),
}

/// Lets requests in.
#[derive(Debug)]
pub(crate) struct Auth {
    client: Client,
    keychain: Keychain,
    hosts: Mutex<HashMap<Host, Arc<Wants>>>,
    tokens: Mutex<HashMap<(Repository, IdentityKey), Arc<Slot>>>,
}

/// About which repository somebody asks, and as whom.
#[derive(Clone, Copy)]
struct Who<'a> {
    repository: &'a Repository,
    identity: &'a Identity,
}

/// What a host wants to see, as far as it has said so.
#[derive(Debug, Default)]
struct Wants {
    /// Whether a first request was answered (or failed); held while that is on its way.
    asked: tokio::sync::Mutex<bool>,
    challenge: Mutex<Option<Challenge>>,
}

impl Wants {
    fn challenge(&self) -> Option<Challenge> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, challenge: &Challenge) {
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge.clone());
    }
}

/// What a request carried.
enum Carried {
    Nothing,
    Password,
    Token(Token, Age),
}

impl Auth {
    pub(crate) fn new(client: Client, keychain: Keychain) -> Self {
        Self { client, keychain, hosts: Mutex::default(), tokens: Mutex::default() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Asks about the repository of `view`, as everybody whom it names until one is let in.
    ///
    /// # Errors
    /// [`Error::Denied`] for a final 401 or 403; every other status is an answer.
    pub(crate) async fn ask(&self, view: &View, request: Request) -> Result<Answer, Error> {
        let identities = view.identities();
        let mut left = identities.iter();
        loop {
            // There is one at least.
            let identity = left.next().unwrap_or(&Identity::Collector);
            let who = Who { repository: &view.repository, identity };
            let last = left.as_slice().is_empty();
            match self.ask_as(who, request.clone()).await {
                // What somebody may not see may be shown to another.
                Ok(answer) if answer.status == StatusCode::NOT_FOUND && !last => {}
                Err(Error::Denied { .. }) if !last => {}
                Err(Error::Denied { refusal, why }) => {
                    return Err(Error::Denied { refusal, why: of_secrets(view, identity, why) });
                }
                answer => return answer,
            }
        }
    }

    async fn ask_as(&self, who: Who<'_>, request: Request) -> Result<Answer, Error> {
        let host = request.address().host().clone();
        let wants = self.wants(&host);
        let (answer, carried) = self.first(who, &request, &wants).await?;
        if answer.host != host {
            return admitted_elsewhere(answer);
        }
        if answer.status != StatusCode::UNAUTHORIZED {
            return self.admitted(who, answer, &wants).await;
        }
        let Some(challenge) = challenge::of(&answer.headers) else {
            return Err(Error::Denied { refusal: answer.refusal(), why: Denial::NoChallenge });
        };
        wants.learn(&challenge);
        match self.better(who, &request, &challenge, carried).await? {
            Some(header) => {
                let again = self.client.ask(request.authorization(Some(header))).await?;
                if again.host != host {
                    return admitted_elsewhere(again);
                }
                if again.status == StatusCode::UNAUTHORIZED {
                    self.slot(who).refused().await;
                }
                self.admitted(who, again, &wants).await
            }
            None => self.admitted(who, answer, &wants).await,
        }
    }

    /// The first attempt, with what is known of the host.
    async fn first(
        &self,
        who: Who<'_>,
        request: &Request,
        wants: &Wants,
    ) -> Result<(Answer, Carried), Error> {
        let waiting = self.client.waits_for(request.address().host());
        let mut asked = wants.asked.lock().await;
        drop(waiting);
        if *asked {
            drop(asked);
            let (header, carried) = self.known(who, request, wants).await?;
            let answer = self.client.ask(request.clone().authorization(header)).await?;
            return Ok((answer, carried));
        }
        let answer = self.client.ask(request.clone()).await;
        *asked = true;
        if let Ok(answer) = &answer
            && answer.status == StatusCode::UNAUTHORIZED
            && &answer.host == request.address().host()
            && let Some(challenge) = challenge::of(&answer.headers)
        {
            wants.learn(&challenge);
        }
        Ok((answer?, Carried::Nothing))
    }

    /// What the host is known to want.
    async fn known(
        &self,
        who: Who<'_>,
        request: &Request,
        wants: &Wants,
    ) -> Result<(Option<HeaderValue>, Carried), Error> {
        Ok(match wants.challenge() {
            None => (None, Carried::Nothing),
            Some(Challenge::Basic) => match self.found(who).await {
                Found::Credential(Credential::Password { user, password }) => {
                    (basic(&user, &password), Carried::Password)
                }
                _ => (None, Carried::Nothing),
            },
            Some(Challenge::Bearer(mut bearer)) => {
                // The scope that the host named was for the repository that was asked then.
                bearer.scope = bearer.scope.filter(|scope| !scope.starts_with("repository:"));
                let found = self.found(who).await;
                let slot = self.slot(who);
                let ask = token::Ask {
                    client: &self.client,
                    repository: who.repository,
                    found: &found,
                    bearer: &bearer,
                };
                let (token, age) = slot.current(&ask, request.address()).await?;
                (Some(token.header()), Carried::Token(token, age))
            }
        })
    }

    /// What may get further than what was carried, now that `challenge` answered it; nothing if
    /// there is nothing.
    async fn better(
        &self,
        who: Who<'_>,
        request: &Request,
        challenge: &Challenge,
        carried: Carried,
    ) -> Result<Option<HeaderValue>, Error> {
        let found = self.found(who).await;
        match (challenge, carried) {
            (Challenge::Basic, Carried::Password) => Ok(None),
            (Challenge::Basic, _) => Ok(match found {
                Found::Credential(Credential::Password { user, password }) => {
                    basic(&user, &password)
                }
                _ => None,
            }),
            (Challenge::Bearer(bearer), carried) => {
                let slot = self.slot(who);
                let ask = token::Ask {
                    client: &self.client,
                    repository: who.repository,
                    found: &found,
                    bearer,
                };
                let token = match carried {
                    Carried::Token(token, age) => {
                        slot.renewed(&ask, request.address(), &token, age).await?
                    }
                    _ => Some(slot.current(&ask, request.address()).await?.0),
                };
                Ok(token.map(|token| token.header()))
            }
        }
    }

    /// The answer, unless it is that we may not.
    async fn admitted(&self, who: Who<'_>, answer: Answer, wants: &Wants) -> Result<Answer, Error> {
        if !matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Ok(answer);
        }
        let refused = match wants.challenge() {
            Some(Challenge::Bearer(bearer)) if self.slot(who).is_anonymous().await => {
                Some(bearer.realm.host().clone())
            }
            _ => None,
        };
        let repository = || who.repository.clone();
        let why = match (self.found(who).await, refused) {
            (Found::Failed(error), _) => Denial::Helper(error),
            (Found::Nothing, _) => Denial::NoCredentials(repository()),
            (Found::Credential(_), Some(realm)) => Denial::RealmRefused(realm),
            (Found::Credential(_), None) => Denial::CredentialsRefused(repository()),
        };
        Err(Error::Denied { refusal: answer.refusal(), why })
    }

    /// What the keychain has. A helper that fails may not stop what is public: its failure is told
    /// when we are not let in without it.
    async fn found(&self, who: Who<'_>) -> Found {
        let repository = who.repository;
        if let Identity::Pod { credential, .. } = who.identity {
            return Found::Credential(credential.clone());
        }
        if let Some(credential) = self.of_hosts_file(repository) {
            return Found::Credential(credential);
        }
        match self.keychain.credential(repository).await {
            Ok(Some(credential)) => Found::Credential(credential),
            Ok(None) => Found::Nothing,
            Err(error) => Found::Failed(error),
        }
    }

    /// What the keychain has for a web server that is no registry, as `Basic` credentials.
    ///
    /// # Errors
    /// When a credential helper fails.
    pub(crate) async fn of_server(
        &self,
        host: &Host,
        path: &str,
    ) -> Result<Option<HeaderValue>, HelperError> {
        let path = path.trim_matches('/');
        let found = self.keychain.credential(&Repository::of_server(host, path)).await?;
        Ok(match found {
            Some(Credential::Password { user, password }) => basic(&user, &password),
            // Only a token server knows what to do with one.
            Some(Credential::IdentityToken(_)) | None => None,
        })
    }

    /// What the hosts file has: it was written for this collector, and goes before what was written
    /// for Docker.
    fn of_hosts_file(&self, repository: &Repository) -> Option<Credential> {
        let host = repository.host().ok()?;
        let credentials = self.client.hosts().of(&host)?.credentials.clone()?;
        Some(match credentials {
            HostCredentials::Password { user, password } => {
                Credential::Password { user, password: password.into() }
            }
            HostCredentials::IdentityToken(token) => Credential::IdentityToken(token.into()),
        })
    }

    fn wants(&self, host: &Host) -> Arc<Wants> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(host.clone()).or_default())
    }

    fn slot(&self, who: Who<'_>) -> Arc<Slot> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (who.repository.clone(), who.identity.key());
        Arc::clone(tokens.entry(key).or_default())
    }
}

/// Why nobody was let in, where pull secrets are to blame: one that could not be used might have
/// been the right one.
fn of_secrets(view: &View, identity: &Identity, why: Denial) -> Denial {
    match (view.secrets.unusable(), identity, why) {
        (Some((secret, why)), _, _) => {
            Denial::PullSecretUnusable { secret: secret.clone(), why: Arc::clone(why) }
        }
        (None, Identity::Pod { secret, .. }, Denial::CredentialsRefused(repository)) => {
            Denial::PullSecretRefused { secret: secret.clone(), repository }
        }
        (None, _, why) => why,
    }
}

/// The answer of a host that we were redirected to. What it asks for is not for us: credentials
/// do not follow redirects.
fn admitted_elsewhere(answer: Answer) -> Result<Answer, Error> {
    match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Ask(answer.refusal())),
        _ => Ok(answer),
    }
}

/// `Basic` credentials (RFC 7617); nothing if they cannot stand in a header, which base64 always
/// can.
fn basic(user: &str, password: &Secret) -> Option<HeaderValue> {
    let pair = STANDARD.encode(format!("{user}:{}", password.reveal()));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}
