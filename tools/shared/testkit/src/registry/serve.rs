//! The socket: one thread, one listener, plain or with TLS.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{Payload, Shared, answer};

/// A server on a thread of its own; dropping it stops it.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(
        address: &str,
        tls: Option<Arc<ServerConfig>>,
        shared: Arc<Shared>,
    ) -> Self {
        let listener = std::net::TcpListener::bind((address, 0)).expect("a port on loopback");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            let acceptor = tls.map(TlsAcceptor::from);
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, acceptor, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A server that panicked has failed its test by then.
            let _ = thread.join();
        }
    }
}

async fn accept(
    listener: std::net::TcpListener,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) {
    let listener = TcpListener::from_std(listener).expect("a listener inside the runtime");
    // Who hangs up early is no concern of the server.
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        tokio::spawn(async move {
            if shared.state().switches.mute {
                // The connection stays open as long as the registry runs.
                std::future::pending::<()>().await;
            }
            match acceptor {
                None => serve(stream, shared, HTTP1).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let protocol = stream.get_ref().1.alpn_protocol();
                        let protocol = if protocol == Some(HTTP2) { HTTP2 } else { HTTP1 };
                        serve(stream, shared, protocol).await;
                    }
                }
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: Arc<Shared>,
    protocol: &[u8],
) {
    shared.state().connections += 1;
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move { Ok::<Response<Payload>, Infallible>(answer::answer(&shared, request).await) }
    });
    let stream = TokioIo::new(stream);
    // Who hangs up early is no concern of the server.
    let _ = if protocol == HTTP2 {
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(stream, service).await
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await
    };
}

/// The names of the protocols in a handshake (RFC 7301, section 6).
pub(super) const HTTP1: &[u8] = b"http/1.1";
pub(super) const HTTP2: &[u8] = b"h2";

/// What speaks TLS with a registry: its configuration, and what clients need, all in PEM form.
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) authority: String,
    /// A certificate and its key that the registry lets in, where it wants one.
    pub(super) identity: Option<(String, String)>,
}

impl Tls {
    /// The same, speaking these protocols, the first one rather than the last.
    pub(super) fn with_protocols(mut self, protocols: &[&[u8]]) -> Self {
        let config = Arc::make_mut(&mut self.config);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        self
    }
}

/// Whether a registry wants to know its clients by certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clients {
    Anyone,
    Certified,
}

/// A configuration with a fresh certificate for `names`.
pub(super) fn certificate(names: &[&str], clients: Clients) -> Tls {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let signed = |names: Vec<String>| {
        let params = CertificateParams::new(names).expect("host names");
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &authority).expect("a certificate"), key)
    };

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("protocol versions");
    let (builder, identity) = match clients {
        Clients::Anyone => (builder.with_no_client_auth(), None),
        Clients::Certified => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(authority.der().clone()).expect("an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let (certificate, key) = signed(vec!["collector".to_owned()]);
            let builder = builder.with_client_cert_verifier(verifier.build().expect("a verifier"));
            (builder, Some((certificate.pem(), key.serialize_pem())))
        }
    };
    let (certificate, key) = signed(names.iter().map(|name| (*name).to_owned()).collect());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = builder
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate with its key");
    Tls { config: Arc::new(config), authority: authority.pem(), identity }
}
