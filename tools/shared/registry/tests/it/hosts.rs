//! The hosts file: certificates, credentials and realms of single hosts.

use std::path::Path;

use http_asking::HttpArgs;
use registry::{Error, Registry, RegistryArgs};
use testkit::registry::{Access, Bearer, FakeRegistry};

use crate::support::{Found, http_args, repository, tag};

/// A registry client with this hosts file, which lies in `folder`, that speaks https.
fn by_https(folder: &Path, text: &str) -> Registry {
    let mut http = http_args();
    http.plain_http = Vec::new();
    client(folder, text, http)
}

/// A registry client with this hosts file, which lies in `folder`.
fn with_hosts(folder: &Path, text: &str) -> Registry {
    client(folder, text, http_args())
}

fn client(folder: &Path, text: &str, mut http: HttpArgs) -> Registry {
    let file = folder.join("hosts.yaml");
    std::fs::write(&file, text).expect("written");
    http.hosts_file = Some(file);
    let auth = folder.join("config.json");
    std::fs::write(&auth, "{}").expect("written");
    let args = RegistryArgs { registry_auth: Some(auth.into()), layout: None, http };
    Registry::new(args).expect("a registry client")
}

async fn found(registry: &Registry, fake: &FakeRegistry) -> Result<bool, Error> {
    registry.found(&repository(fake, "acme/web"), &tag("1")).await.map(|found| found.is_some())
}

#[tokio::test]
async fn an_authority_and_a_client_certificate_of_one_host() {
    let fake = FakeRegistry::start_mutual_tls();
    fake.push_image("acme/web", Some("1"), "amd64");
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = fake.client_identity().expect("an identity");
    let at = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let ca = at("ca.pem", fake.authority().expect("an authority"));
    let (certificate, key) = (at("cert.pem", certificate), at("key.pem", key));
    let host = fake.host();
    let whole = format!(
        "hosts:\n  '{host}': {{caFile: {ca}, clientCertificate: {{certFile: {certificate}, keyFile: {key}}}}}\n"
    );
    assert!(found(&by_https(folder.path(), &whole), &fake).await.expect("let in"));
    // Without the certificate the host does not let us in, and without the authority we do not go.
    let unknown = format!("hosts:\n  '{host}': {{caFile: {ca}}}\n");
    assert!(found(&by_https(folder.path(), &unknown), &fake).await.is_err());
    let error =
        found(&by_https(folder.path(), "hosts: {}\n"), &fake).await.expect_err("unknown authority");
    assert_eq!(error.code(), records::FailureCode::Tls);
}

#[tokio::test]
async fn credentials_of_one_host_come_from_a_file_it_names() {
    let fake = FakeRegistry::start();
    fake.push_image("acme/web", Some("1"), "amd64");
    fake.switch(|switches| switches.access = Access::basic("ann", "s3cret"));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("password"), "s3cret\n").expect("written");
    let password = folder.path().join("password");
    let text = format!(
        "hosts:\n  '{}': {{credentials: {{username: ann, passwordFile: {}}}}}\n",
        fake.host(),
        password.display()
    );
    assert!(found(&with_hosts(folder.path(), &text), &fake).await.expect("let in"));
    let error = found(&with_hosts(folder.path(), "hosts: {}\n"), &fake).await.expect_err("refused");
    assert_eq!(error.code(), records::FailureCode::Unauthorized);
}

#[tokio::test]
async fn a_realm_that_the_operator_names_gets_the_credentials_and_no_other_does() {
    let user = Some(("ann".to_owned(), "s3cret".to_owned()));
    let server = FakeRegistry::start();
    server.switch(|switches| {
        switches.access = Access::Bearer(Bearer { user, ..Bearer::default() });
    });
    let fake = FakeRegistry::start();
    fake.push_image("acme/web", Some("1"), "amd64");
    let realm = format!("localhost:{}", server.address().port());
    let at = Some(format!("http://{realm}/token"));
    fake.switch(|switches| {
        switches.access = Access::Bearer(Bearer { realm: at, ..Bearer::default() });
    });
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    std::fs::write(&password, "s3cret").expect("written");
    let credentials =
        format!("credentials: {{username: ann, passwordFile: {}}}", password.display());
    let host = fake.host();
    for (realms, carried) in [(format!("realms: ['{realm}'], "), true), (String::new(), false)] {
        server.clear_log();
        let text = format!("hosts:\n  '{host}': {{{realms}{credentials}}}\n");
        // The token is another registry's, so the answer is no; what counts is what was carried.
        let _ = found(&with_hosts(folder.path(), &text), &fake).await;
        let log = server.log();
        let carries = log.iter().any(|asked| asked.header("authorization").is_some());
        assert_eq!((carries, log.is_empty()), (carried, false), "{realms}");
    }
}

#[tokio::test]
async fn a_realm_on_a_metadata_address_is_not_asked() {
    for realm in [
        "http://169.254.169.254/latest/token",
        "http://[::ffff:169.254.169.254]/token",
        "http://2852039166/token",
    ] {
        let fake = FakeRegistry::start();
        fake.push_image("acme/web", Some("1"), "amd64");
        let realm = Some(realm.to_owned());
        fake.switch(|switches| {
            switches.access = Access::Bearer(Bearer { realm, ..Bearer::default() });
        });
        let folder = tempfile::tempdir().expect("a folder");
        let error =
            found(&with_hosts(folder.path(), "hosts: {}\n"), &fake).await.expect_err("refused");
        assert_eq!(error.code(), records::FailureCode::AddressRefused, "{error}");
    }
}
