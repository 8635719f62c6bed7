//! Rows as cells: who uses what, and the answers in words.

use records::text::clean;
use records::{ContainerType, Verdict, Workload};

use crate::{DriftState, Row, UpdateState};

use super::grid::{self, Column, Cut, Give, Shrink};
use super::paint::{Cell, Paint, Tone};
use super::text;

/// Behind a digest that stands for one which is not proven.
pub(super) const FROM_TAG: char = '~';

/// Behind a digest that the repository no longer has.
pub(super) const GONE: char = '!';

/// Behind a digest of which it is not known whether the repository still has it.
pub(super) const PRESENCE_OPEN: char = '?';

/// The longest name that is looked at, in characters; it is shortened to its column later.
const MAX_NAME: usize = 1_000;

/// The longest version that is shown, in columns.
const MAX_VERSION: usize = 16;

/// Which checks have anything to show: a column of a check that nobody asked for is left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uses {
    drift: bool,
    signature: bool,
    provenance: bool,
    sbom: bool,
    update: bool,
}

impl Uses {
    pub(super) fn of(rows: &[Row]) -> Self {
        let asked =
            |verdict: fn(&Row) -> Verdict| rows.iter().any(|row| verdict(row) != Verdict::Skipped);
        Self {
            drift: rows.iter().any(|row| row.drift != DriftState::Skipped),
            signature: asked(|row| row.signature.verdict),
            provenance: asked(|row| row.provenance.verdict),
            sbom: asked(|row| row.sbom.verdict),
            update: rows.iter().any(|row| row.update.status != UpdateState::Skipped),
        }
    }

    /// The table: a line per namespace, below it its rows.
    pub(super) fn table(self, rows: &[&Row], width: usize, paint: Paint) -> String {
        let mut lines = grid::lines(self.columns(rows), 2, width, paint).into_iter();
        let mut out = String::new();
        let mut last = None;
        let heading = lines.next().unwrap_or_default();
        out.push_str(&format!("{heading}\n"));
        for (row, line) in rows.iter().zip(lines) {
            if last != Some(&row.namespace) {
                let name = row.namespace.as_deref().map(|name| clean(name, MAX_NAME));
                let name = name.unwrap_or_else(|| "(images that were named)".to_owned());
                let name = paint.on(Tone::Strong, &text::cut_end(&name, width));
                out.push_str(&format!("{name}\n"));
                last = Some(&row.namespace);
            }
            out.push_str(&format!("{line}\n"));
        }
        out
    }

    fn columns(self, rows: &[&Row]) -> Vec<Column> {
        let column = |head, give, cell: fn(&Row) -> Cell| Column {
            head,
            cells: rows.iter().map(|row| cell(row)).collect(),
            give,
        };
        let signature: fn(&Row) -> Cell = |row| verdict(row.signature.verdict);
        let sbom: fn(&Row) -> Cell = |row| verdict(row.sbom.verdict);
        let optional = [
            (self.drift, column("DRIFT", Give::Nothing, drift)),
            (self.signature, column("SIGNED", Give::Nothing, signature)),
            (self.provenance, column("PROVENANCE", Give::Nothing, provenance)),
            (self.sbom, column("SBOM", Give::Nothing, sbom)),
            (self.update, column("UPDATE", shrinks(Cut::End, 9, 7), update)),
        ];
        let mut columns = vec![
            Column {
                head: "USED BY",
                cells: once(rows, is_same_user, user),
                give: shrinks(Cut::Middle, 18, 10),
            },
            Column {
                head: "IMAGE",
                cells: once(rows, |a, b| is_same_user(a, b) && a.image == b.image, image),
                give: shrinks(Cut::Middle, 24, 14),
            },
            column("DIGEST", Give::All(1), digest),
            column("PLATFORM", Give::All(0), platform),
        ];
        let asked = optional.into_iter().filter(|(asked, _)| *asked);
        columns.extend(asked.map(|(_, column)| column));
        columns
    }
}

/// Whether the digest of a row stands for one that is not proven.
pub(super) fn is_from_tag(row: &Row) -> bool {
    row.digest.is_some() && !row.digest_is_proven()
}

fn shrinks(cut: Cut, comfort: usize, least: usize) -> Give {
    Give::Width(Shrink { cut, comfort, least })
}

/// A cell for each row, empty where it says the same as the one above.
fn once(rows: &[&Row], same: fn(&Row, &Row) -> bool, cell: fn(&Row) -> Cell) -> Vec<Cell> {
    let above = [None].into_iter().chain(rows.iter().map(Some));
    rows.iter()
        .zip(above)
        .map(|(row, above)| match above {
            Some(above) if same(above, row) => Cell::empty(),
            _ => cell(row),
        })
        .collect()
}

fn is_same_user(a: &Row, b: &Row) -> bool {
    let key = |row: &Row| (row.container_type, row.container.clone());
    a.namespace == b.namespace && a.workload == b.workload && key(a) == key(b)
}

/// `deploy/web`, and the container where it has another name: `deploy/web init:setup`.
fn user(row: &Row) -> Cell {
    let Some(workload) = &row.workload else {
        return Cell::new(Tone::Faint, "-");
    };
    let mut text = format!("{}/{}", kind(workload), clean(&workload.name, MAX_NAME));
    let list = match row.container_type {
        None | Some(ContainerType::Container) => "",
        Some(ContainerType::InitContainer) => "init:",
        Some(ContainerType::Sidecar) => "sidecar:",
        Some(ContainerType::EphemeralContainer) => "debug:",
        Some(ContainerType::ImageVolume) => "volume:",
    };
    let container = row.container.as_deref().unwrap_or_default();
    if container != workload.name || !list.is_empty() {
        text = format!("{text} {list}{}", clean(container, MAX_NAME));
    }
    Cell::new(Tone::Plain, text)
}

/// The kind as kubectl shortens it.
fn kind(workload: &Workload) -> String {
    let short = match workload.kind.as_str() {
        "CronJob" => "cj",
        "DaemonSet" => "ds",
        "Deployment" => "deploy",
        "Job" => "job",
        "Node" => "node",
        "Pod" => "pod",
        "ReplicaSet" => "rs",
        "ReplicationController" => "rc",
        "StatefulSet" => "sts",
        other => return clean(&other.to_lowercase(), MAX_NAME),
    };
    short.to_owned()
}

/// The reference; of a digest in it the first digits, since it has a column of its own.
fn image(row: &Row) -> Cell {
    let text = clean(&row.image, MAX_NAME);
    let digits = "0123456789abcdef";
    let text = match text.split_once("@sha256:") {
        Some((name, hex)) if hex.len() > 12 && hex.chars().all(|c| digits.contains(c)) => {
            format!("{name}@{}…", &hex[..7])
        }
        _ => text,
    };
    Cell::new(Tone::Plain, text)
}

fn digest(row: &Row) -> Cell {
    let Some(digest) = &row.digest else {
        return Cell::new(Tone::Open, "unknown");
    };
    let mut text = digest.short().to_owned();
    if is_from_tag(row) {
        text.push(FROM_TAG);
    }
    let gone = row.present == Some(false);
    if gone {
        text.push(GONE);
    }
    if row.presence_is_open() {
        text.push(PRESENCE_OPEN);
    }
    let tone = match (gone, is_from_tag(row) || row.presence_is_open()) {
        (true, _) => Tone::Bad,
        (false, true) => Tone::Open,
        (false, false) => Tone::Plain,
    };
    Cell::new(tone, text)
}

/// Where it runs, or why nothing does.
fn platform(row: &Row) -> Cell {
    match &row.platform {
        _ if row.idle => Cell::new(Tone::Faint, "idle"),
        _ if row.is_pending() => Cell::new(Tone::Fair, "pending"),
        Some(platform) => {
            // Nearly all is Linux: what differs is the architecture.
            let short = platform.strip_prefix("linux/").unwrap_or(platform);
            Cell::new(Tone::Plain, text::cut_end(&clean(short, MAX_NAME), MAX_VERSION))
        }
        None => Cell::new(Tone::Open, "unknown"),
    }
}

fn drift(row: &Row) -> Cell {
    let tone = match row.drift {
        DriftState::Same | DriftState::Pinned => Tone::Good,
        DriftState::Moved => Tone::Bad,
        DriftState::Skipped => Tone::Faint,
        // Nothing runs that could have drifted.
        DriftState::Unknown if !row.runs() => return Cell::new(Tone::Faint, "-"),
        DriftState::Unknown => Tone::Open,
    };
    Cell::new(tone, row.drift.as_str())
}

fn verdict(verdict: Verdict) -> Cell {
    let tone = match verdict {
        Verdict::Trusted => Tone::Good,
        Verdict::Valid => Tone::New,
        Verdict::Present | Verdict::Absent => Tone::Fair,
        Verdict::Invalid => Tone::Bad,
        Verdict::Unknown => Tone::Open,
        Verdict::Skipped => Tone::Faint,
    };
    Cell::new(tone, verdict.as_str())
}

fn provenance(row: &Row) -> Cell {
    let Cell { text, tone } = verdict(row.provenance.verdict);
    let text = match row.provenance.level {
        Some(level) if row.provenance.has_provenance == Some(true) => format!("{text} L{level}"),
        _ => text,
    };
    Cell { text, tone }
}

fn update(row: &Row) -> Cell {
    let update = &row.update;
    newer(update.status, update.latest_in_major.as_deref().or(update.newest_available.as_deref()))
}

/// Whether something newer is there, and the version to go to.
pub(super) fn newer(status: UpdateState, newer: Option<&str>) -> Cell {
    let tone = match status {
        UpdateState::Current => Tone::Good,
        UpdateState::Available => Tone::New,
        UpdateState::NotComparable | UpdateState::Ignored | UpdateState::Skipped => Tone::Faint,
        UpdateState::Unknown => Tone::Open,
    };
    let text = match (status, newer) {
        (UpdateState::Available, Some(newer)) => {
            format!("to {}", text::cut_end(&clean(newer, MAX_NAME), MAX_VERSION))
        }
        (status, _) => status.as_str().to_owned(),
    };
    Cell::new(tone, text)
}
