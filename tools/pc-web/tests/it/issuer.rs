//! An OpenID Connect issuer on loopback, which also lies on demand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::extract::{Query, RawForm, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The client that it knows.
pub(crate) const CLIENT: &str = "provenance";
pub(crate) const SECRET: &str = "the client's secret";

/// An issuer, listening.
pub(crate) struct Issuer {
    inner: Arc<Inner>,
    pub(crate) runtime: tokio::runtime::Runtime,
}

struct Inner {
    address: SocketAddr,
    key: KeyPair,
    /// A key that the issuer does not publish.
    foreign: KeyPair,
    groups: Mutex<Vec<String>>,
    /// Code to challenge, nonce.
    codes: Mutex<BTreeMap<String, (String, String)>>,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("bound");
        let inner = Arc::new(Inner {
            address: listener.local_addr().expect("an address"),
            key: KeyPair::generate(KeySize::Rsa2048).expect("a key"),
            foreign: KeyPair::generate(KeySize::Rsa2048).expect("a key"),
            groups: Mutex::new(vec!["readers".into()]),
            codes: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/jwks", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(Arc::clone(&inner));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { inner, runtime }
    }

    pub(crate) fn url(&self) -> String {
        self.inner.url()
    }

    pub(crate) fn set_groups(&self, groups: &[&str]) {
        *self.inner.groups.lock().expect("a lock") =
            groups.iter().map(ToString::to_string).collect();
    }

    /// A token with a change to its claims.
    pub(crate) fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.inner.claims();
        change(&mut claims);
        self.inner.signed(&self.inner.key, &claims)
    }

    /// A token by a key that nobody knows.
    pub(crate) fn foreign_token(&self) -> String {
        self.inner.signed(&self.inner.foreign, &self.inner.claims())
    }

    /// A token that says that it is not signed.
    pub(crate) fn unsigned_token(&self) -> String {
        let header = BASE64.encode(json!({"alg": "none", "typ": "JWT"}).to_string());
        format!("{header}.{}.", BASE64.encode(self.inner.claims().to_string()))
    }
}

impl Inner {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn claims(&self) -> Value {
        let now = jiff::Timestamp::now().as_second();
        json!({
            "iss": self.url(), "aud": CLIENT, "sub": "person-1", "email": "person@example.com",
            "iat": now, "exp": now + 600, "groups": *self.groups.lock().expect("a lock"),
        })
    }

    fn signed(&self, key: &KeyPair, claims: &Value) -> String {
        let header = BASE64.encode(json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}).to_string());
        let signed = format!("{header}.{}", BASE64.encode(claims.to_string()));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("signed");
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

async fn configuration(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let url = inner.url();
    Json(json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"), "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn keys(State(inner): State<Arc<Inner>>) -> Json<Value> {
    // RSAPublicKey of 2,048 bits in DER: nine bytes of headers, the modulus, and 65537.
    let modulus = &inner.key.public_key().as_ref()[9..265];
    Json(json!({"keys": [{
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k1",
        "n": BASE64.encode(modulus), "e": "AQAB",
    }]}))
}

/// Logs the person in without asking.
async fn authorize(
    State(inner): State<Arc<Inner>>,
    Query(asked): Query<BTreeMap<String, String>>,
    uri: Uri,
) -> Response {
    if asked["client_id"] != CLIENT || asked["code_challenge_method"] != "S256" {
        return (StatusCode::BAD_REQUEST, uri.to_string()).into_response();
    }
    let mut codes = inner.codes.lock().expect("a lock");
    let code = format!("code-{}", codes.len());
    codes.insert(code.clone(), (asked["code_challenge"].clone(), asked["nonce"].clone()));
    Redirect::to(&format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"]))
        .into_response()
}

async fn token(
    State(inner): State<Arc<Inner>>,
    headers: axum::http::HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&form).into_owned().collect();
    let basic =
        headers["authorization"].to_str().expect("text").trim_start_matches("Basic ").to_owned();
    let basic =
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(basic).expect("base64"))
            .expect("text");
    let secret: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let known = inner.codes.lock().expect("a lock").remove(&form["code"]);
    let challenge = BASE64.encode(Sha256::digest(&form["code_verifier"]));
    match known {
        Some((wanted, nonce)) if wanted == challenge && basic == format!("{CLIENT}:{secret}") => {
            let mut claims = inner.claims();
            claims["nonce"] = nonce.into();
            let id_token = inner.signed(&inner.key, &claims);
            Json(json!({"access_token": "opaque", "token_type": "Bearer", "id_token": id_token}))
                .into_response()
        }
        _ => (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response(),
    }
}
