//! Registries that do not let everybody in, for real: as somebody would ask them who has one.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Ran, Run, Testbed, pc};

use crate::{image, stream};

/// The testbed, and what a user has: an account, and a folder with its configuration.
struct User {
    testbed: Testbed,
    home: TempDir,
    name: String,
    password: String,
}

impl User {
    fn new(test: &str) -> Option<Self> {
        let testbed = Testbed::from_env(test)?;
        let name = testbed.var("AUTH_REGISTRY_USER");
        let password = testbed.var("AUTH_REGISTRY_PASSWORD");
        Some(Self { testbed, home: tempfile::tempdir().expect("a folder"), name, password })
    }

    fn var(&self, name: &str) -> String {
        self.testbed.var(name)
    }

    /// Writes a file and gives its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    }

    /// The configuration of Docker: this account at that host, and no other.
    fn log_in(&self, host: &str, user: &str, password: &str) {
        let config = json!({"auths": {host: {"username": user, "password": password}}});
        self.file("config.json", &config.to_string());
    }

    /// Pushes an image of one layer with crane, and gives its digest. Different names make
    /// different images.
    fn push(&self, name: &str) -> String {
        // A tar archive without entries is two blocks of zeros.
        let layer = self.home.path().join("layer.tar");
        fs::write(&layer, [0; 1024]).expect("written");
        let crane = |args: &[&str]| {
            self.testbed.tool("crane", self.home.path()).args(args).run().ok().text()
        };
        crane(&["append", "--oci-empty-base", "-f", layer.to_str().expect("text"), "-t", name]);
        crane(&[
            "mutate",
            name,
            "--set-platform",
            "linux/amd64",
            "--label",
            &format!("name={name}"),
            "-t",
            name,
        ]);
        crane(&["digest", name]).trim().to_owned()
    }

    /// The lines of distribution's access log about a repository, of what pc-digest asked.
    fn asked_at(&self, log: &str, path: &str, count: usize) -> Vec<String> {
        let by_us = |line: &String| {
            line.starts_with("127.") && line.ends_with("\"provenance-collector/0.1.0\"")
        };
        for _ in 0..100 {
            let lines = self.testbed.logged(log, &format!("/v2/{path}/"), count);
            let lines: Vec<_> = lines.into_iter().filter(by_us).collect();
            if lines.len() >= count {
                return lines;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Vec::new()
    }

    /// pc-digest as this user calls it.
    fn digest(&self) -> Run {
        pc("digest")
            .args(["--ca-file", &self.var("CA"), "--allow-address", "127.0.0.0/8,::1"])
            .env("PROVENANCE_REGISTRY_AUTH", self.home.path())
    }
}

/// The digest of the first record, and the codes of all failures.
fn found(ran: &Ran) -> (Value, Vec<Value>) {
    let codes = ran.of_type("failure").iter().map(|failure| failure["code"].clone()).collect();
    (ran.of_type("digest")[0]["digest"].clone(), codes)
}

/// The status in a line of distribution's access log (the combined format of web servers).
fn status(line: &str) -> &str {
    let behind = line.split("\" ").nth(1).unwrap_or_default();
    behind.split(' ').next().unwrap_or_default()
}

#[test]
fn passwords_over_tls_of_an_authority_of_ones_own() {
    let Some(user) = User::new("passwords_over_tls_of_an_authority_of_ones_own") else { return };
    let host = user.var("BASIC_REGISTRY");
    user.log_in(&host, &user.name, &user.password);
    let path = user.testbed.fresh("passwords/web");
    let name = format!("{host}/{path}:1");
    let digest = user.push(&name);
    let right = user.digest().arg(&name).run().ok();
    assert_eq!(found(&right), (json!(digest), vec![]));
    assert!(!right.text().contains(&user.password) && !right.stderr.contains(&user.password));
    // HEAD without a password, and HEAD, manifest and configuration with it.
    let asked = user.asked_at("BASIC_REGISTRY_LOG", &path, 4);
    let statuses: Vec<_> = asked.iter().map(|line| status(line)).collect();
    assert_eq!(statuses, ["401", "200", "200", "200"], "{asked:#?}");
    assert!(asked.iter().all(|line| line.contains("HTTP/2.0")), "{asked:#?}");

    let stranger = pc("digest").args(["--allow-address", "127.0.0.1", &name]).run().ok();
    assert_eq!(found(&stranger), (Value::Null, vec![json!("tls")]), "{}", stranger.text());
    user.log_in(&host, &user.name, "wrong");
    let wrong = user.digest().arg(&name).run().ok();
    assert_eq!(found(&wrong), (Value::Null, vec![json!("unauthorized")]));
    user.log_in("elsewhere.example", &user.name, &user.password);
    let none = user.digest().arg(&name).run().ok();
    assert_eq!(found(&none), (Value::Null, vec![json!("unauthorized")]));
    let said = |ran: &Ran| ran.of_type("failure")[0]["message"].to_string();
    assert_ne!(said(&wrong), said(&none), "what would mend it differs");
}

#[test]
fn tokens_for_nine_repositories_and_none_for_the_tenth() {
    let Some(user) = User::new("tokens_for_nine_repositories_and_none_for_the_tenth") else {
        return;
    };
    let host = user.var("TOKEN_REGISTRY");
    let mut names: Vec<_> = (0..9).map(|n| user.testbed.fresh(&format!("ten/r{n}"))).collect();
    let denied = user.testbed.fresh("closed/ten");
    names.insert(4, denied.clone());
    user.log_in(&host, "owner", &user.var("TOKEN_REGISTRY_OWNER_PASSWORD"));
    let digests: Vec<_> = names.iter().map(|name| user.push(&format!("{host}/{name}:1"))).collect();

    user.log_in(&host, &user.name, &user.password);
    let images = names.iter().map(|name| image(&format!("{host}/{name}:1"), None, None, "web"));
    let ran = user.digest().stdin(stream(&images.collect::<Vec<_>>())).run().ok();
    let records = ran.of_type("digest");
    for ((name, digest), record) in names.iter().zip(&digests).zip(&records) {
        let wanted = if *name == denied { Value::Null } else { json!(digest) };
        assert_eq!(record["digest"], wanted, "{name}");
    }
    let failures = ran.of_type("failure");
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert_eq!(failures[0]["code"], "unauthorized");
    assert!(failures[0]["image"].as_str().is_some_and(|image| image.contains(&denied)));

    // One token a repository, each with the password, each for that repository alone.
    for name in &names {
        let scope = format!("\"repository:{name}:pull\"");
        let mut granted = user.testbed.logged("TOKEN_SERVER_LOG", &scope, 1);
        // Those that crane took to push it are the owner's.
        granted.retain(|line| !line.contains(r#""account":"owner""#));
        assert_eq!(granted.len(), 1, "{granted:#?}");
        let granted: Value = serde_json::from_str(&granted[0]).expect("JSON");
        assert_eq!((&granted["by"], &granted["account"]), (&json!("basic"), &json!(user.name)));
        let size = granted["granted"].as_array().map(Vec::len);
        assert_eq!(size, Some(usize::from(*name != denied)));
    }
    let tokens = &ran.of_type("end")[0]["stages"][0]["requests"][user.var("TOKEN_SERVER")];
    assert_eq!(tokens["token"], 10);
    // The token server's password is for it alone: the registry sees tokens.
    assert!(!ran.text().contains(&user.password));
}

#[test]
fn tokens_for_everybody_are_had_without_a_password() {
    let Some(user) = User::new("tokens_for_everybody_are_had_without_a_password") else { return };
    let host = user.var("TOKEN_REGISTRY");
    user.log_in(&host, "owner", &user.var("TOKEN_REGISTRY_OWNER_PASSWORD"));
    let path = user.testbed.fresh("public/anybody");
    let digest = user.push(&format!("{host}/{path}:1"));
    user.log_in("elsewhere.example", "x", "y");
    let ran = user.digest().arg(format!("{host}/{path}:1")).run().ok();
    assert_eq!(found(&ran), (json!(digest), vec![]));
    let scope = format!("\"repository:{path}:pull\"");
    let granted = user.testbed.logged("TOKEN_SERVER_LOG", &scope, 1);
    assert!(granted.iter().any(|line| line.contains(r#""by":"none""#)), "{granted:#?}");
}

#[test]
fn certificates_of_clients_and_passwords_in_files() {
    let Some(user) = User::new("certificates_of_clients_and_passwords_in_files") else { return };
    let (front, behind) = (user.var("FRONT"), user.var("BEHIND_FRONT"));
    user.log_in(&behind, &user.name, &user.password);
    let path = user.testbed.fresh("certified/web");
    let digest = user.push(&format!("{behind}/{path}:1"));
    fs::remove_file(user.home.path().join("config.json")).expect("removed");
    user.file("config.json", "{}");

    let password = user.file("password", &format!("{}\n", user.password));
    let settings = |certificate: &str| {
        format!(
            "hosts:\n  '{front}':\n    caFile: '{}'\n    allowAddresses: [127.0.0.1]\n    credentials: {{username: {}, passwordFile: '{password}'}}\n{certificate}",
            user.var("CA"),
            user.name,
        )
    };
    let certificate = format!(
        "    clientCertificate: {{certFile: '{}', keyFile: '{}'}}\n",
        user.var("CLIENT_CERTIFICATE"),
        user.var("CLIENT_KEY"),
    );
    let ask = |hosts: &str| {
        let hosts = user.file("hosts.yaml", hosts);
        pc("digest")
            .args(["--hosts-file", &hosts, &format!("{front}/{path}:1")])
            .env("PROVENANCE_REGISTRY_AUTH", user.home.path())
            .run()
            .ok()
    };
    let ran = ask(&settings(&certificate));
    assert_eq!(found(&ran), (json!(digest), vec![]), "{}", ran.text());
    let log = user.testbed.logged("FRONT_LOG", &format!("/{path}/"), 4);
    let log: Vec<Value> =
        log.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let seen = |key: &str| -> Vec<&Value> { log.iter().map(|asked| &asked[key]).collect() };
    assert_eq!(seen("authorization"), ["none", "basic", "basic", "basic"]);
    assert_eq!(seen("status"), [401, 200, 200, 200]);
    assert!(seen("client").iter().all(|client| *client == "testbed-client"), "{log:#?}");
    assert!(seen("protocol").iter().all(|protocol| *protocol == "HTTP/2.0"), "{log:#?}");

    let ran = ask(&settings(""));
    assert_eq!(found(&ran), (Value::Null, vec![json!("tls")]), "{}", ran.text());
    let said = ran.of_type("failure")[0]["message"].to_string();
    assert!(said.contains("clientCertificate"), "{said}");
    assert!(!ran.text().contains(&user.password));
}

#[test]
fn by_way_of_a_proxy_that_wants_to_know_who_asks() {
    let Some(user) = User::new("by_way_of_a_proxy_that_wants_to_know_who_asks") else { return };
    let (host, behind) = (user.var("BASIC_REGISTRY"), user.var("BEHIND_FRONT"));
    let (proxy, password) = (user.var("PROXY"), &user.password);
    user.log_in(&host, &user.name, password);
    let name = format!("{host}/{}:1", user.testbed.fresh("proxied/web"));
    let digest = user.push(&name);
    let by = |account: &str| format!("http://{account}@{proxy}");
    let tunnels = |status: u16| {
        let log = user.testbed.logged("PROXY_LOG", "", 0);
        let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let is_ours = |asked: &Value| asked["path"] == host && asked["status"] == status;
        lines.filter(is_ours).inspect(|asked| assert_eq!(asked["authorization"], "none")).count()
    };
    let before = (tunnels(200), tunnels(407));
    let account = format!("proxy:{password}");
    let ran = user.digest().env("HTTPS_PROXY", by(&account)).arg(&name).run().ok();
    assert_eq!(found(&ran), (json!(digest), vec![]), "{}", ran.text());
    // HTTP/2 needs one tunnel for all.
    assert_eq!((tunnels(200), tunnels(407)), (before.0 + 1, before.1));

    let ran = user.digest().env("HTTPS_PROXY", by("proxy:wrong")).arg(&name).run().ok();
    assert_eq!(found(&ran), (Value::Null, vec![json!("proxy")]));
    assert_eq!((tunnels(200), tunnels(407)), (before.0 + 1, before.1 + 1));
    let past = user.digest().env("HTTPS_PROXY", by("proxy:wrong")).env("NO_PROXY", "127.0.0.1");
    assert_eq!(found(&past.arg(&name).run().ok()), (json!(digest), vec![]));
    assert_eq!((tunnels(200), tunnels(407)), (before.0 + 1, before.1 + 1));
    let gone = user.digest().env("HTTPS_PROXY", "http://127.0.0.1:1").args(["--max-tries", "1"]);
    assert_eq!(found(&gone.arg(&name).run().ok()), (Value::Null, vec![json!("proxy")]));
    let none = user.digest().env("HTTPS_PROXY", by(&account)).args(["--max-tries", "1"]);
    let none = none.arg("127.0.0.1:1/x:1").run().ok();
    assert_eq!(found(&none), (Value::Null, vec![json!("host-unreachable")]));

    // Over plain http the proxy is asked for the whole.
    user.log_in(&behind, &user.name, password);
    let path = user.testbed.fresh("proxied/plain");
    let plain = format!("{behind}/{path}:1");
    let digest = user.push(&plain);
    let ask = |account: &str| {
        user.digest()
            .args(["--plain-http", &behind])
            .env("HTTP_PROXY", by(account))
            .arg(&plain)
            .run()
            .ok()
    };
    assert_eq!(found(&ask(&account)), (json!(digest), vec![]));
    let asked = user.testbed.logged("PROXY_LOG", &format!("/{path}/"), 4);
    assert_eq!(asked.len(), 4, "{asked:#?}");
    assert_eq!(found(&ask("proxy:wrong")), (Value::Null, vec![json!("proxy")]));
}

#[test]
fn by_way_of_a_mirror_that_keeps_what_was_pulled_through_it() {
    let Some(user) = User::new("by_way_of_a_mirror_that_keeps_what_was_pulled_through_it") else {
        return;
    };
    let (host, mirror) = (user.var("OCI_REGISTRY"), user.var("MIRROR"));
    let path = user.testbed.fresh("mirrored/web");
    let name = format!("{host}/{path}:1");
    let digest = user.push(&name);
    let hosts = user.file(
        "hosts.yaml",
        &format!(
            "hosts:\n  '{host}': {{plainHttp: true, mirrors: ['{mirror}'], upstream: never}}\n  '{mirror}': {{plainHttp: true}}\n",
        ),
    );
    let gone = format!("{host}/{path}:gone");
    let ran = pc("digest").args(["--hosts-file", &hosts, &name, &gone]).run().ok();
    let records = ran.of_type("digest");
    assert_eq!(records[0]["digest"], json!(digest), "{}", ran.text());
    assert_eq!(records[0]["foundIn"], json!(format!("{mirror}/{path}")));
    assert_eq!((&records[1]["digest"], &records[1]["present"]), (&Value::Null, &Value::Null));
    let failures = ran.of_type("failure");
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert_eq!(failures[0]["code"], "mirror");
    let requests = &ran.of_type("end")[0]["stages"][0]["requests"];
    assert!(requests.get(&host).is_none() && requests.get(&mirror).is_some(), "{requests}");
}
