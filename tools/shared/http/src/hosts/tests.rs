use super::*;

fn hosts(text: &str) -> Result<Hosts, HostsError> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    Hosts::read(file.path())
}

fn host(text: &str) -> Host {
    text.parse().expect(text)
}

#[test]
fn a_host_in_full_goes_before_a_domain_and_a_longer_domain_before_a_shorter() {
    let hosts = hosts(
        "hosts:\n  '*.example.com': {maxInFlight: 1}\n  '*.eu.example.com': {maxInFlight: 2}\n  a.eu.example.com: {maxInFlight: 3}\n  b:5000: {plainHttp: true}\n",
    )
    .expect("hosts");
    let limit = |name: &str| hosts.of(&host(name)).and_then(|settings| settings.in_flight);
    assert_eq!(limit("x.example.com"), Some(1));
    assert_eq!(limit("x.eu.example.com"), Some(2));
    assert_eq!(limit("a.eu.example.com"), Some(3));
    assert_eq!((limit("example.com"), limit("ghcr.io")), (None, None));
    assert!(hosts.of(&host("b:5000")).is_some_and(|settings| settings.plain_http));
    assert!(hosts.of(&host("b")).is_none());
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "s3cret\n").expect("written");
    let text = format!(
        "hosts:\n  a: {{credentials: {{username: ann, passwordFile: '{}'}}}}\n",
        file.path().display()
    );
    let hosts = hosts(&text).expect("hosts");
    let credentials = hosts.of(&host("a")).and_then(|settings| settings.credentials.clone());
    let password = HostCredentials::Password { user: "ann".into(), password: "s3cret".into() };
    assert_eq!(credentials, Some(password));
    assert!(!format!("{hosts:?}").contains("s3cret"));
}

#[test]
fn what_cannot_be_used_is_told_with_its_place() {
    for (text, wanted) in [
        ("", "form of a hosts file"),
        ("hosts: [", "form of a hosts file"),
        ("hosts:\n  a: {plainhttp: true}\n", "plainhttp"),
        ("hosts:\n  a: {password: x}\n", "password"),
        ("hosts:\n  a/b: {}\n", "the hosts file"),
        ("hosts:\n  '*.a': {plainHttp: true}\n", "host in full"),
        ("hosts:\n  a: {maxInFlight: 0}\n", "at least 1"),
        ("hosts:\n  a: {requestsPerSecond: 0}\n", "more than 0"),
        ("hosts:\n  a: {caFile: /nowhere}\n", "/nowhere"),
        ("hosts:\n  a: {clientCertificate: {certFile: /nowhere, keyFile: /x}}\n", "/nowhere"),
        ("hosts:\n  a: {credentials: {username: ann}}\n", "passwordFile"),
        (
            "hosts:\n  a: {credentials: {username: ann, passwordEnv: NOT_SET_ANYWHERE}}\n",
            "NOT_SET_ANYWHERE",
        ),
        ("hosts:\n  a: {allowAddresses: [10.0.0.0/99]}\n", "allowAddresses"),
        ("hosts:\n  a: {realms: ['http://b']}\n", "the hosts file"),
        ("hosts:\n  a: {mirrors: ['http://b']}\n", "without a scheme"),
        ("hosts:\n  a: {upstream: never}\n", "there are none"),
        ("hosts:\n  a: {mirrors: [b], upstream: sometimes}\n", "sometimes"),
        ("hosts:\n  '*.a': {mirrors: [b]}\n", "host in full"),
        ("allowHosts: []\n", "names no host"),
        ("allowHosts: ['a/b']\n", "allowHosts"),
        ("hosts:\n  docker.io: {}\n  index.docker.io: {}\n", "by another name"),
    ] {
        let error = hosts(text).expect_err(text);
        assert!(chain(&error).contains(wanted), "{text}: {}", chain(&error));
    }
    let error = Hosts::read(Path::new("/nowhere/hosts.yaml")).expect_err("not there");
    assert!(error.to_string().contains("/nowhere/hosts.yaml"));
}

#[test]
fn docker_hub_is_one_host_whatever_it_is_called() {
    for name in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
        let text = format!("hosts:\n  {name}: {{mirrors: [m.example/hub, n], upstream: never}}\n");
        let hosts = hosts(&text).expect("hosts");
        let set = hosts.of(&host("registry-1.docker.io")).expect("settings");
        let places: Vec<_> =
            set.mirrors.iter().map(|m| (m.host().as_str(), m.path_of("library/nginx"))).collect();
        let wanted = [("m.example", "hub/library/nginx"), ("n", "library/nginx")];
        assert_eq!(places, wanted.map(|(host, path)| (host, path.to_owned())));
        assert_eq!(set.upstream, Upstream::Never);
    }
}

#[test]
fn the_file_may_say_whom_alone_to_ask() {
    let allowed = hosts("allowHosts: [ghcr.io, '*.example.com']\n").expect("hosts");
    let allows = |name: &str| allowed.allowed().allows(&host(name));
    assert!(allows("ghcr.io") && allows("a.example.com") && !allows("quay.io"));
    let silent = hosts("hosts: {}\n").expect("hosts");
    assert!(silent.allowed().allows(&host("quay.io")));
}

#[test]
fn an_address_is_allowed_to_the_host_that_names_it() {
    let hosts = hosts("hosts:\n  a.example: {allowAddresses: [127.0.0.0/8]}\n").expect("hosts");
    let loopback = "127.0.0.1".parse().expect("an address");
    assert!(hosts.allows("a.example", loopback) && !hosts.allows("b.example", loopback));
}

#[test]
fn the_example_of_the_documents_is_read() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/hosts.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let block = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let folder = tempfile::tempdir().expect("a folder");
    let certified =
        rcgen::generate_simple_self_signed(vec!["a".to_owned()]).expect("a certificate");
    for (name, text) in [
        ("registry-ca.pem", certified.cert.pem()),
        ("collector.pem", certified.cert.pem()),
        ("collector.key", certified.signing_key.serialize_pem()),
        ("registry-password", "s3cret".to_owned()),
    ] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let here = folder.path().display().to_string();
    let hosts = hosts(&block.expect("a block").replace("/etc/provenance", &here)).expect("hosts");
    let private = hosts.of(&host("registry.example.com")).expect("settings");
    assert!(private.identity.is_some() && private.credentials.is_some());
    assert_eq!((private.authorities.len(), private.realms.len()), (1, 1));
    assert!(hosts.of(&host("localhost:5000")).is_some_and(|settings| settings.plain_http));
    let hub = hosts.of(&host("registry-1.docker.io")).expect("settings");
    assert_eq!((hub.mirrors.len(), hub.upstream), (1, Upstream::Fallback));
    let slow = hosts.of(&host("a.slow.example.net")).expect("settings");
    assert_eq!((slow.in_flight, slow.pace), (Some(2), Some(Duration::from_millis(200))));
}
