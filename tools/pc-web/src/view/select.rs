//! Filtered, grouped, sorted, one page of it.
//!
//! Groups are judged as the report's summary judges references, by the weakest of their answers,
//! so that a list is as long as the count that leads to it.

use std::cmp::Ordering;
use std::collections::HashMap;

use report::{Answers, DriftState, gravity};

use super::query::{By, Grouping, Order, Query};
use crate::library::{Line, Use, Volume};

/// The uses of one image reference.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// What they say together.
    pub answers: Answers,
    /// The uses, in the report's order; never empty.
    pub uses: Vec<&'a Use>,
}

impl Group<'_> {
    /// The SLSA build level that every use earns.
    #[must_use]
    pub fn level(&self) -> Option<u8> {
        let levels: Option<Vec<u8>> = self.uses.iter().map(|one| one.line.level).collect();
        levels?.into_iter().min()
    }

    /// The first of the uses, whose image all have.
    #[must_use]
    pub fn first(&self) -> &Line {
        &self.uses[0].line
    }
}

/// One line of a list: a group of one use, where nothing is grouped.
pub type Item<'a> = Group<'a>;

/// One page of a list.
#[derive(Debug)]
pub struct Selection<'a> {
    /// The lines of the page.
    pub items: Vec<Item<'a>>,
    /// How many lines the whole list has.
    pub total: usize,
    /// How many there are without the filter.
    pub of: usize,
    /// The page that is shown, from 1: the last one where the address names one behind it.
    pub page: usize,
    /// How many pages there are, at least 1.
    pub pages: usize,
}

/// Everything that a question is about, in its order.
#[must_use]
pub fn all<'a>(volume: &'a Volume, query: &Query) -> Vec<Item<'a>> {
    let needle = query.filter.search.to_lowercase();
    let mut items = match query.grouping {
        Grouping::Image => groups(volume),
        Grouping::Use => singles(volume),
    };
    items.retain(|item| {
        query.filter.wants(&item.answers)
            && item.uses.iter().any(|one| query.filter.looks_at(&one.line, &needle))
    });
    items.sort_by(|a, b| compare(a, b, query.order));
    items
}

/// One page of what a question is about.
#[must_use]
pub fn select<'a>(volume: &'a Volume, query: &Query) -> Selection<'a> {
    let of = match query.grouping {
        Grouping::Image => groups(volume).len(),
        Grouping::Use => volume.uses.len(),
    };
    let mut items = all(volume, query);
    let total = items.len();
    let pages = total.div_ceil(query.per_page).max(1);
    let page = query.page.min(pages);
    let first = (page - 1) * query.per_page;
    items.truncate(first + query.per_page);
    let items = items.split_off(first.min(items.len()));
    Selection { items, total, of, page, pages }
}

fn singles(volume: &Volume) -> Vec<Group<'_>> {
    let single = |one| Group { answers: Use::answers(one), uses: vec![one] };
    volume.uses.iter().map(single).collect()
}

fn groups(volume: &Volume) -> Vec<Group<'_>> {
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for one in &volume.uses {
        match at.get(&*one.line.image) {
            Some(known) => {
                let group = &mut groups[*known];
                group.answers.agree(one.line.answers);
                group.uses.push(one);
            }
            None => {
                at.insert(&one.line.image, groups.len());
                groups.push(Group { answers: one.line.answers, uses: vec![one] });
            }
        }
    }
    groups
}

fn compare(a: &Item<'_>, b: &Item<'_>, order: Order) -> Ordering {
    let by = match order.by {
        By::Concern => b.answers.concern().cmp(&a.answers.concern()),
        By::Image => a.first().image.cmp(&b.first().image),
        By::Namespace => place(a.first()).cmp(&place(b.first())),
        By::Signature => gravity(b.answers.signature).cmp(&gravity(a.answers.signature)),
        By::Provenance => (gravity(b.answers.provenance), a.level())
            .cmp(&(gravity(a.answers.provenance), b.level())),
        By::Sbom => gravity(b.answers.sbom).cmp(&gravity(a.answers.sbom)),
        By::Drift => drift(b).cmp(&drift(a)),
        By::Update => b.answers.update.gravity().cmp(&a.answers.update.gravity()),
        By::Uses => b.uses.len().cmp(&a.uses.len()),
    };
    let by = if order.reversed { by.reverse() } else { by };
    // Always the same order among equals.
    by.then_with(|| a.first().image.cmp(&b.first().image))
        .then_with(|| place(a.first()).cmp(&place(b.first())))
}

fn place(line: &Line) -> (Option<&str>, Option<&str>, Option<&str>) {
    (line.namespace.as_deref(), line.workload.as_deref(), line.container.as_deref())
}

fn drift(item: &Item<'_>) -> Option<u32> {
    item.answers.drift.map(DriftState::gravity)
}
