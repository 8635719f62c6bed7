//! Connections that fail, over real sockets.

use cluster::resource::PODS;
use cluster::types::Pod;
use cluster::{AskError, Broken, Cluster, ClusterArgs, Scope, View, Why};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn connect(server: &str, user: &str) -> Result<Cluster, cluster::ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: c, cluster: {{server: \"{server}\"}}}}]\n\
         users: [{{name: u, user: {user}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    );
    std::fs::write(&file, text).expect("written");
    let args = ClusterArgs { kubeconfig: Some(file.into_os_string()), context: None };
    Cluster::connect(&args).await
}

async fn list(cluster: &Cluster) -> Result<Vec<Pod>, AskError> {
    cluster.list(PODS, Scope::Cluster, View::Whole).all(|_| true).await
}

fn how(error: &AskError) -> Option<Broken> {
    match &error.why {
        Why::Connection { how, .. } => Some(*how),
        _ => None,
    }
}

/// A server that hands each connection to `serve`, with its number from 0.
async fn server<F>(serve: impl Fn(tokio::net::TcpStream, usize) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((connection, _)) = listener.accept().await {
            serve(connection, number).await;
            number += 1;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn nobody_listens() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address")
    };
    let cluster = connect(&format!("http://{address}"), "{}").await.expect("a client");
    let error = list(&cluster).await.expect_err("refused");
    assert_eq!(how(&error), Some(Broken::Refused), "{error:?}");
    assert!(error.message().contains("--from FILE"), "{}", error.message());
    assert_eq!(cluster.requests()["pods"], 4, "it may be about to start");
}

#[tokio::test]
async fn a_server_that_starts_anew_is_waited_for() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address")
    };
    let cluster = connect(&format!("http://{address}"), "{}").await.expect("a client");
    let listing = tokio::spawn({
        let cluster = cluster.clone();
        async move { list(&cluster).await }
    });
    while cluster.requests().get("pods").is_none_or(|asked| *asked < 2) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let listener = TcpListener::bind(address).await.expect("the same port");
    let (mut connection, _) = listener.accept().await.expect("a connection");
    let _ = connection.read(&mut [0; 4096]).await;
    let body = r#"{"kind":"PodList","items":[{"metadata":{"name":"a"}}]}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    connection.write_all(answer.as_bytes()).await.expect("written");
    assert_eq!(listing.await.expect("the task").expect("pods").len(), 1);
}

#[tokio::test]
async fn a_name_without_an_address() {
    let cluster = connect("https://no-such-host.invalid:6443", "{}").await.expect("a client");
    let error = list(&cluster).await.expect_err("refused");
    assert_eq!(how(&error), Some(Broken::Name), "{error:?}");
}

#[tokio::test]
async fn plain_text_where_tls_was_wanted() {
    let address = server(|mut connection, _| async move {
        let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let cluster = connect(&address.replace("http:", "https:"), "{}").await.expect("a client");
    let error = list(&cluster).await.expect_err("refused");
    assert_eq!(how(&error), Some(Broken::Tls), "{error:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_asked_again() {
    let address = server(|mut connection, number| async move {
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).await;
        let body = r#"{"kind":"PodList","items":[{"metadata":{"name":"a"}}]}"#;
        let sent = if number == 0 { &body[..20] } else { body };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let _ = connection.write_all(format!("{head}{sent}").as_bytes()).await;
    })
    .await;
    let cluster = connect(&address, "{}").await.expect("a client");
    assert_eq!(list(&cluster).await.expect("pods").len(), 1);
    assert_eq!(cluster.requests()["pods"], 2);
}

#[tokio::test]
async fn credential_plugins_get_no_input_and_their_errors_are_told() {
    let plugin = |script: &str| {
        format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, \
             args: [\"-c\", {script:?}], interactiveMode: IfAvailable}}}}"
        )
    };
    let error = connect("http://127.0.0.1:1", &plugin("echo t0ken; echo log in >&2; exit 3"))
        .await
        .expect_err("no credentials");
    let text = error.to_string();
    assert!(text.contains("the credential plugin failed with exit status: 3: log in"), "{text}");
    assert!(!text.contains("t0ken"), "{text}");
    assert!(error.hint().expect("a hint").contains("log in first"));

    // A plugin that reads its input to the end comes back at once: it has none.
    let credential = r#"cat >&2; printf '%s' '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}}'"#;
    connect("http://127.0.0.1:1", &plugin(credential)).await.expect("a client");

    let missing = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /no/such/plugin}}";
    let text = connect("http://127.0.0.1:1", missing).await.expect_err("no plugin").to_string();
    assert!(text.contains("cannot be started: No such file"), "{text}");
}
