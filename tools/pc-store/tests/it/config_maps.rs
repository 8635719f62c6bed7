//! ConfigMaps of the real API server as a store, by an account with the rights of docs/rbac.md and
//! no others.

mod space;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};
use testkit::pc;

use self::space::{Space, report_of_size, role};
use crate::report_at;

#[test]
fn the_role_names_every_config_map_and_no_verb_too_many() {
    let role: Value = serde_json::from_str(&role()).expect("JSON");
    let rules = role["items"][1]["rules"].as_array().expect("rules");
    let names: Vec<&str> = rules
        .iter()
        .flat_map(|rule| rule["resourceNames"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let mut wanted = vec!["provenance-report".to_owned(), "provenance-report-log".to_owned()];
    wanted.extend((1..16).map(|part| format!("provenance-report-log-{part:03}")));
    wanted.extend((0..64).map(|slot| format!("provenance-report-{slot:03}")));
    assert_eq!(names, wanted);
    for rule in rules {
        let verbs: Vec<&str> =
            rule["verbs"].as_array().expect("verbs").iter().filter_map(Value::as_str).collect();
        let allowed: &[&str] = match rule["resourceNames"][0].as_str() {
            None => &["create"],
            Some("provenance-report-000") => &["get", "delete"],
            Some(_) => &["get", "update"],
        };
        assert_eq!(verbs, allowed);
    }
}

#[test]
fn reports_of_every_size_come_back() {
    let Some(space) = Space::new("reports_of_every_size_come_back") else { return };
    for (size, day) in [(100_000, 1), (900_000, 2), (3_000_000, 3), (20_000_000, 4)] {
        let time = format!("2026-11-0{day}T06:00:00Z");
        let bytes = report_of_size(&time, size);
        assert!(bytes.len() > size * 9 / 10 && bytes.len() < size * 11 / 10, "{}", bytes.len());
        let started = std::time::Instant::now();
        let ran = space.pc(&["--print", "summary"]).stdin(bytes.clone()).run().ok();
        let stored = started.elapsed();
        assert!(ran.text().contains("Stored: configmap/store-"), "{}", ran.text());
        let name = format!("provenance-2026110{day}-060000.json");
        assert!(space.get("latest") == bytes && space.get(&name) == bytes, "{size}");
        let map = space.map("provenance-report");
        let report = map["data"]["report.json"].as_str().expect("a text");
        let day = format!("provenance-2026110{day}-060000");
        let parts = space.labelled(&format!("%2Cprovenance.nebari.dev%2Freport%3D{day}"));
        say(&format!("{} bytes: {} parts, stored in {stored:?}", bytes.len(), parts.len()));
        if size < 950_000 {
            assert!(report.as_bytes() == bytes && parts.len() == 1, "{size}");
        } else {
            let all: Value = serde_json::from_slice(&bytes).expect("JSON");
            let part: Value = serde_json::from_str(report).expect("JSON");
            assert_eq!(part["partial"], true);
            assert_eq!((&part["summary"], &part["metadata"]), (&all["summary"], &all["metadata"]));
            // The command works as it stands.
            let command = part["whole"].as_str().expect("a command");
            let command = command.strip_prefix("pc-store ").expect("ours").split(' ');
            let whole = pc("store").env("KUBECONFIG", space.config()).args(command).run().ok();
            assert!(whole.stdout == bytes);
        }
        assert_eq!(map["data"]["generated"], time.as_str());
    }
    assert_eq!(space.list().len(), 4);
    let _ = space.pc(&["verify"]).run().ok();
}

#[expect(clippy::print_stderr, reason = "what was measured is for people")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[test]
fn readers_see_the_old_report_or_the_new_one() {
    let Some(space) = Space::new("readers_see_the_old_report_or_the_new_one") else { return };
    let times: Vec<String> = (0..12).map(|hour| format!("2026-11-24T{hour:02}:00:00Z")).collect();
    let sizes = [2_000, 1_500_000, 300_000, 4_000_000];
    let reports: Vec<Vec<u8>> = times
        .iter()
        .zip(sizes.iter().cycle())
        .map(|(time, size)| report_of_size(time, *size))
        .collect();
    space.keep(&reports[0]);
    let done = AtomicBool::new(false);
    let (space, done, reports) = (&space, &done, &reports);
    thread::scope(|scope| {
        scope.spawn(move || {
            for report in &reports[1..] {
                // Of two only: each is replaced, and its parts are deleted, by the one after the next.
                let _ = space.pc(&["--report-retention", "1h"]).stdin(report.clone()).run().ok();
            }
            done.store(true, Ordering::Relaxed);
        });
        let reader = scope.spawn(move || {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let bytes = space.get("latest");
                assert!(reports.contains(&bytes));
                reads += 1;
            }
            reads
        });
        let mut reads = 0;
        while !done.load(Ordering::Relaxed) {
            let map = space.map("provenance-report");
            let report: Value =
                serde_json::from_str(map["data"]["report.json"].as_str().expect("a text"))
                    .expect("JSON");
            assert_eq!(map["data"]["generated"], report["metadata"]["generatedAt"]);
            if report["partial"] != true {
                let text = map["data"]["report.json"].as_str().expect("a text");
                assert!(reports.iter().any(|bytes| bytes == text.as_bytes()));
            }
            reads += 1;
        }
        say(&format!("{reads} reads of the object, {} by pc-store", reader.join().expect("read")));
    });
    assert!(space.get("latest") == *reports.last().expect("one"));
    let _ = space.pc(&["verify"]).run().ok();
    // Index, log, and the parts of the reports that are left, no others.
    let left = space.list().len();
    assert!(left <= 2, "{left}");
    let parts = space.labelled("%2Cprovenance.nebari.dev%2Frole%3Dpart").len();
    assert!(parts <= 8, "{parts}");
}

#[test]
fn writers_at_once_lose_nothing() {
    let Some(space) = Space::new("writers_at_once_lose_nothing") else { return };
    let reports: Vec<Vec<u8>> =
        (0..6).map(|second| report_at(&format!("2026-11-24T06:00:0{}Z", second % 3))).collect();
    thread::scope(|scope| {
        for report in &reports {
            scope.spawn(|| space.keep(report));
        }
    });
    assert_eq!(space.list().len(), 6);
    assert_eq!(space.get("latest"), reports[2]);
    let _ = space.pc(&["verify"]).run().ok();
}

#[test]
fn a_quota_leaves_the_old_report() {
    let Some(space) = Space::new("a_quota_leaves_the_old_report") else { return };
    let first = report_at("2026-11-24T06:00:00Z");
    space.keep(&first);
    let quota = json!({"metadata": {"name": "few"}, "spec": {"hard": {"count/configmaps": "1"}}});
    space.post(&space.path("/resourcequotas"), &quota);
    for _ in 0..100 {
        let quota = space.ask("GET", &space.path("/resourcequotas/few"), None);
        if quota["status"]["used"].is_object() {
            break;
        }
        thread::sleep(std::time::Duration::from_millis(100));
    }
    let second = report_at("2026-11-24T07:00:00Z");
    let ran = space.pc(&[]).stdin(second.clone()).run().code(1);
    let _ = ran.says("exceeded quota").says("raise the quota");
    assert!(space.get("latest") == first && space.list().len() == 1);
    let _ = space.pc(&["verify"]).run().ok();
    space.ask("DELETE", &space.path("/resourcequotas/few"), None);
    thread::sleep(std::time::Duration::from_secs(1));
    space.keep(&second);
    assert!(space.get("latest") == second);
}

#[test]
fn a_full_ring_gives_up_its_oldest_report_with_an_entry() {
    let Some(space) = Space::new("a_full_ring_gives_up_its_oldest_report_with_an_entry") else {
        return;
    };
    let slots = ["--report-configmap-slots", "3"];
    for hour in 1..6 {
        let ran =
            space.pc(&slots).stdin(report_at(&format!("2026-11-24T0{hour}:00:00Z"))).run().ok();
        assert_eq!(ran.stderr.contains("before its time"), hour > 3, "{}", ran.stderr);
    }
    let names: Vec<Value> = space.list().iter().map(|entry| entry["filename"].clone()).collect();
    let wanted = [5, 4, 3].map(|hour| json!(format!("provenance-20261124-0{hour}0000.json")));
    assert_eq!(names, wanted);
    let _ = space.pc(&["verify"]).run().ok();
    // One that would not fit in any case takes nothing else with it.
    let large = report_of_size("2026-11-24T08:00:00Z", 4_000_000);
    let _ = space
        .pc(&["--report-configmap-slots", "2"])
        .stdin(large)
        .run()
        .code(1)
        .says("ConfigMaps, of 2 in all");
    assert_eq!(space.list().len(), 3);
}

#[test]
fn the_report_of_another_tool_is_kept_aside() {
    let Some(space) = Space::new("the_report_of_another_tool_is_kept_aside") else { return };
    let map = json!({
        "metadata": {"name": "provenance-report", "labels": {"theirs": "1"}},
        "data": {"report.json": "{\"images\":[]}", "generated": "2026-11-01T00:00:00Z"},
    });
    space.post(&space.path("/configmaps"), &map);
    let report = report_at("2026-11-24T06:00:00Z");
    let _ = space.keep(&report).says("was not ours and is now `provenance-latest.json.aside`");
    let map = space.map("provenance-report");
    assert_eq!(map["data"]["report.json"].as_str().expect("a text").as_bytes(), report);
    assert_eq!(map["metadata"]["labels"]["theirs"], "1");
    let parts = space.labelled("%2Cprovenance.nebari.dev%2Frole%3Dpart");
    let kept = parts.iter().map(|name| space.map(name)["data"]["report.json"].clone());
    assert!(kept.into_iter().any(|text| text == "{\"images\":[]}"), "{parts:?}");
}

#[test]
fn what_was_changed_by_hand_is_said_and_not_handed_out() {
    let Some(space) = Space::new("what_was_changed_by_hand_is_said_and_not_handed_out") else {
        return;
    };
    space.keep(&report_at("2026-11-24T06:00:00Z"));
    space.keep(&report_at("2026-11-24T07:00:00Z"));
    let mut map = space.map("provenance-report-000");
    let text = map["data"]["report.json"].as_str().expect("a text").replace("web-0", "web-1");
    map["data"]["report.json"] = json!(text);
    space.put(&map);
    let name = "provenance-20261124-060000.json";
    let _ = space.pc(&["get", name]).run().code(1).says("it is not what was stored");
    let ran = space.pc(&["verify"]).run().code(3);
    assert!(ran.text().contains(name), "{}", ran.text());
    space.ask("DELETE", &space.path("/configmaps/provenance-report-001"), None);
    let _ = space.pc(&["get", "provenance-20261124-070000.json"]).run().code(1).says("is gone");
    // The newest one is in the index too.
    assert_eq!(space.get("latest"), report_at("2026-11-24T07:00:00Z"));
}

#[test]
fn a_right_that_is_missing_is_named() {
    let Some(space) = Space::new("a_right_that_is_missing_is_named") else { return };
    let args = ["--report-configmap", "other"];
    let ran = space.pc(&args).stdin(report_at("2026-11-24T06:00:00Z")).run().code(1);
    let _ = ran.says("cannot get ConfigMap `other-log`").says(
        "hint: allow it by the rule {apiGroups: [\"\"], resources: [\"configmaps\"], resourceNames: [\"other-log\"], verbs: [\"get\"]}",
    );
    for bad in ["", "A", "a_b", "-a", "a/b"] {
        let run = space.pc(&["--report-configmap", bad]).stdin(report_at("2026-11-24T06:00:00Z"));
        let _ = run.run().code(2);
    }
}
