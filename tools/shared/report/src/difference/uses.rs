//! Images in containers: what appeared, what is gone, what moved under the same reference.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use records::Digest;

use crate::{Report, Row};

use super::Code;
use super::gather::{Found, Gather, PlaceRef};
use super::scope::{Scopes, Thing, Unseen};
use super::{states, verdicts};

/// The rows of one container in both reports.
#[derive(Default)]
struct Both<'a> {
    older: Vec<&'a Row>,
    newer: Vec<&'a Row>,
}

/// One container's use of one repository's image, in both reports.
pub(super) struct Use<'a> {
    pub(super) place: PlaceRef<'a>,
    pub(super) older: Side<'a>,
    pub(super) newer: Side<'a>,
}

/// The rows of a use in one report.
pub(super) struct Side<'a> {
    /// All of them.
    rows: Vec<&'a Row>,
    /// Those that are looked at: what runs, where anything does.
    pub(super) counted: Vec<&'a Row>,
}

impl<'a> Side<'a> {
    fn of(rows: Vec<&'a Row>) -> Self {
        let mut counted: Vec<&Row> = rows.iter().copied().filter(|row| row.runs()).collect();
        if counted.is_empty() {
            counted.clone_from(&rows);
        }
        Self { rows, counted }
    }

    fn images(&self) -> BTreeSet<&'a str> {
        self.rows.iter().map(|row| row.image.as_str()).collect()
    }

    /// The digest that runs, where it is one.
    fn digest(&self) -> Option<&'a Digest> {
        let proven = self.counted.iter().filter(|row| row.digest_is_proven());
        let digests: BTreeSet<&Digest> = proven.filter_map(|row| row.digest.as_ref()).collect();
        if digests.len() == 1 { digests.into_iter().next() } else { None }
    }
}

impl<'a> Use<'a> {
    /// A change of this use; its subject is that of the newer report.
    pub(super) fn found(&self, code: Code) -> Found<'a> {
        let mut found = Found::new(code);
        let row = self.newer.counted.first().or_else(|| self.older.counted.first());
        found.image = row.map(|row| row.image.as_str());
        found.repository = row.and_then(|row| row.repository.as_deref());
        found.digest = self.newer.digest();
        found
    }
}

pub(super) fn compare<'a>(
    older: &'a Report,
    newer: &'a Report,
    scopes: &Scopes<'a>,
    (unseen_now, unseen_before): &(Unseen<'a>, Unseen<'a>),
    gather: &mut Gather<'a>,
) {
    let mut places: HashMap<PlaceRef<'a>, Both<'a>> = HashMap::new();
    for row in &older.images {
        places.entry(place_of(row)).or_default().older.push(row);
    }
    for row in &newer.images {
        places.entry(place_of(row)).or_default().newer.push(row);
    }
    // What ran where the other report did not look may run, or may have run, there still.
    let images = |report: &'a Report, unseen: &Unseen<'a>| {
        let images = report.images.iter().map(|row| row.image.as_str());
        images.chain(unseen.images.iter().copied()).collect()
    };
    let known =
        Known { older: images(older, unseen_before), newer: images(newer, unseen_now), scopes };
    for (place, both) in places {
        container(place, both, &known, gather);
    }
}

/// The images that ran anywhere or may have, and what the reports cover.
struct Known<'a, 's> {
    older: HashSet<&'a str>,
    newer: HashSet<&'a str>,
    scopes: &'s Scopes<'a>,
}

fn place_of(row: &Row) -> PlaceRef<'_> {
    PlaceRef {
        namespace: row.namespace.as_deref(),
        workload: row.workload.as_ref(),
        container_type: row.container_type,
        container: row.container.as_deref(),
    }
}

/// The repository; of a reference that names none, the reference itself.
fn repository_of(row: &Row) -> &str {
    row.repository.as_deref().unwrap_or(&row.image)
}

/// Whether two rows say the same of everything that is compared.
fn is_as_it_was(older: &Row, newer: &Row) -> bool {
    let what = |row: &Row| (row.drift, row.present, row.how, row.idle, row.image_id.is_some());
    what(older) == what(newer)
        && (&older.image, &older.digest) == (&newer.image, &newer.digest)
        && (&older.repository, &older.platform) == (&newer.repository, &newer.platform)
        && (&older.signature, &older.sbom) == (&newer.signature, &newer.sbom)
        && (&older.provenance, &older.policies) == (&newer.provenance, &newer.policies)
}

fn container<'a>(
    place: PlaceRef<'a>,
    both: Both<'a>,
    known: &Known<'a, '_>,
    gather: &mut Gather<'a>,
) {
    // Nearly all of two reports is this, and worth no closer look.
    if both.older.len() == both.newer.len()
        && both.older.iter().zip(&both.newer).all(|(older, newer)| is_as_it_was(older, newer))
    {
        return;
    }
    let mut repositories: BTreeMap<&str, Both<'a>> = BTreeMap::new();
    // An image that was named has no place of its own: each is one by itself.
    for row in both.older {
        repositories.entry(repository_of(row)).or_default().older.push(row);
    }
    for row in both.newer {
        repositories.entry(repository_of(row)).or_default().newer.push(row);
    }
    let (mut gone, mut appeared) = (Vec::new(), Vec::new());
    for (_, both) in repositories {
        let (older, newer) = (Side::of(both.older), Side::of(both.newer));
        match (older.rows.is_empty(), newer.rows.is_empty()) {
            (false, false) => same_repository(&Use { place, older, newer }, gather),
            (false, true) => gone.push(older),
            _ => appeared.push(newer),
        }
    }
    let one_for_another = !gone.is_empty() && !appeared.is_empty() && place.workload.is_some();
    if one_for_another {
        let images = |sides: &[Side<'a>]| -> Vec<Cow<'a, str>> {
            let all: BTreeSet<&str> = sides.iter().flat_map(Side::images).collect();
            all.into_iter().map(Cow::Borrowed).collect()
        };
        let mut found = Found::new(Code::ImageReplaced);
        found.before = images(&gone);
        found.after = images(&appeared);
        found.image = appeared.iter().flat_map(Side::images).min();
        gather.add_at(place, found);
        return;
    }
    for side in gone {
        left(place, &side, known, gather);
    }
    for side in appeared {
        came(place, &side, known, gather);
    }
}

/// What only the older report has.
fn left<'a>(place: PlaceRef<'a>, side: &Side<'a>, known: &Known<'a, '_>, gather: &mut Gather<'a>) {
    let idle = side.rows.iter().all(|row| row.idle);
    let thing = Thing::Use { namespace: place.namespace, idle };
    if let Some(why) = known.scopes.unseen_now(thing) {
        gather.add_at(place, uncovered(Code::NotCovered, place, why));
        return;
    }
    for image in side.images() {
        let still = known.newer.contains(image);
        let code = if still { Code::UseGone } else { Code::ImageGone };
        let mut found = of_image(code, image, side);
        found.before = vec![image.into()];
        gather.add_at(place, found);
    }
}

/// What only the newer report has.
fn came<'a>(place: PlaceRef<'a>, side: &Side<'a>, known: &Known<'a, '_>, gather: &mut Gather<'a>) {
    let idle = side.rows.iter().all(|row| row.idle);
    let thing = Thing::Use { namespace: place.namespace, idle };
    if let Some(why) = known.scopes.unseen_before(thing) {
        gather.add_at(place, uncovered(Code::NewlyCovered, place, why));
        return;
    }
    for image in side.images() {
        let before = known.older.contains(image);
        let code = if before { Code::UseAppeared } else { Code::ImageAppeared };
        let mut found = of_image(code, image, side);
        found.after = vec![image.into()];
        gather.add_at(place, found);
    }
}

fn uncovered<'a>(code: Code, place: PlaceRef<'a>, why: Cow<'a, str>) -> Found<'a> {
    let mut found = Found::new(code);
    found.namespace = place.namespace;
    found.reason = Some(why);
    found.about("image")
}

fn of_image<'a>(code: Code, image: &'a str, side: &Side<'a>) -> Found<'a> {
    let mut found = Found::new(code);
    let row = side.rows.iter().find(|row| row.image == image);
    found.image = Some(image);
    found.repository = row.and_then(|row| row.repository.as_deref());
    found.digest = side.digest();
    found
}

fn same_repository<'a>(used: &Use<'a>, gather: &mut Gather<'a>) {
    let (before, after) = (used.older.images(), used.newer.images());
    if before != after {
        let mut found = used.found(Code::ImageChanged);
        found.before = before.iter().copied().map(Cow::Borrowed).collect();
        found.after = after.iter().copied().map(Cow::Borrowed).collect();
        gather.add_at(used.place, found);
    }
    for image in before.intersection(&after) {
        digests(used, image, gather);
    }
    states::compare(used, gather);
    verdicts::compare(used, gather);
}

/// What runs under one reference, by platform.
type ByPlatform<'a> = BTreeMap<Option<&'a str>, BTreeSet<&'a Digest>>;

/// The digests that run under one reference. A platform that came or went is scheduling, and no
/// other image.
fn digests<'a>(used: &Use<'a>, image: &str, gather: &mut Gather<'a>) {
    let running = |side: &Side<'a>| -> Vec<&'a Row> {
        let rows = side.counted.iter().copied();
        rows.filter(|row| row.runs() && row.image == image && row.image_id.is_some()).collect()
    };
    let (older, newer) = (running(&used.older), running(&used.newer));
    if older.is_empty() || newer.is_empty() {
        return;
    }
    let (before, after) = (proven(&older), proven(&newer));
    match (before.is_empty(), after.is_empty()) {
        (true, true) => {}
        (false, true) => {
            let mut found = used.found(Code::NotChecked).about("digest");
            found.before = listed(before.values().flatten());
            found.reason = newer.iter().find_map(|row| row.error.as_deref()).map(Cow::Borrowed);
            gather.add_at(used.place, found);
        }
        (true, false) => {
            let mut found = used.found(Code::Checked).about("digest");
            found.after = listed(after.values().flatten());
            found.reason = older.iter().find_map(|row| row.error.as_deref()).map(Cow::Borrowed);
            gather.add_at(used.place, found);
        }
        (false, false) => moved(used, &before, &after, gather),
    }
}

fn proven<'a>(rows: &[&'a Row]) -> ByPlatform<'a> {
    let mut all = ByPlatform::new();
    for row in rows.iter().filter(|row| row.digest_is_proven()) {
        let digests = all.entry(row.platform.as_deref()).or_default();
        digests.extend(row.digest.as_ref());
    }
    all
}

fn moved<'a>(
    used: &Use<'a>,
    before: &ByPlatform<'a>,
    after: &ByPlatform<'a>,
    gather: &mut Gather<'a>,
) {
    let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
    for (platform, digests) in before {
        if let Some(now) = after.get(platform).filter(|now| *now != digests) {
            old.extend(digests);
            new.extend(now);
        }
    }
    // Where a platform is not known, or is another one, there is nothing to pair: then everything
    // that runs is compared with everything that ran.
    let paired = before.keys().any(|platform| platform.is_some() && after.contains_key(platform));
    if !paired {
        old = before.values().flatten().copied().collect();
        new = after.values().flatten().copied().collect();
        if !old.is_disjoint(&new) {
            return;
        }
    }
    if old != new {
        let mut found = used.found(Code::ImageMoved);
        found.before = listed(old.iter());
        found.after = listed(new.iter());
        gather.add_at(used.place, found);
    }
}

fn listed<'a, 'b>(digests: impl Iterator<Item = &'b &'a Digest>) -> Vec<Cow<'a, str>>
where
    'a: 'b,
{
    let all: BTreeSet<&'a str> = digests.map(|digest| digest.as_str()).collect();
    all.into_iter().map(Cow::Borrowed).collect()
}
