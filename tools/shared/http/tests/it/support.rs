//! What every test needs: settings, a client, a question.

use std::time::Duration;

use http_asking::{
    AllowedHosts, Answer, AskError, Client, Host, Hosts, Kind, Network, PlainHttp, Request,
    Settings,
};
use testkit::registry::FakeRegistry;

/// Settings with short limits, and plain http to every port of 127.0.0.1.
pub(crate) fn settings() -> Settings {
    Settings {
        connect_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_millis(400),
        operation_timeout: Duration::from_millis(900),
        authorities: Vec::new(),
        plain_http: PlainHttp::new(vec![host("127.0.0.1")]),
        in_flight: 4,
        in_flight_per_host: 2,
        in_flight_new: 4,
        tries: 1,
        deadline: None,
        hosts: Hosts::default(),
        allowed_hosts: AllowedHosts::default(),
        allowed_addresses: vec![network("127.0.0.0/8"), network("::1")],
    }
}

pub(crate) fn network(text: &str) -> Network {
    text.parse().expect(text)
}

pub(crate) fn host(text: &str) -> Host {
    text.parse().expect(text)
}

pub(crate) fn client() -> Client {
    Client::new(settings()).expect("a client")
}

pub(crate) fn request(client: &Client, registry: &FakeRegistry, path: &str, kind: Kind) -> Request {
    Request::get(kind, client.address(&host(&registry.host()), path))
}

pub(crate) async fn get(
    registry: &FakeRegistry,
    path: &str,
    kind: Kind,
) -> Result<Answer, AskError> {
    let client = client();
    client.ask(request(&client, registry, path, kind)).await
}
