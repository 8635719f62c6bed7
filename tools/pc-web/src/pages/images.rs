//! The list of images, by image or by use.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::frame::{Section, Shown};
use super::mark;
use crate::app::App;
use crate::library::Line;
use crate::view::{By, Filter, Group, Grouping, Order, Pick, Query, Selection, select};

/// What is encoded in the path of an image's page, beside what is no URL character at all.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

pub(crate) async fn page(State(app): State<App>, text: RawQuery) -> Response {
    let shown = match Shown::of(&app, text) {
        Ok(shown) => shown,
        Err(response) => return *response,
    };
    let selection = select(&shown.volume, &shown.query);
    let content = html! {
        div.title {
            h1 { "Images" }
            p.quiet { (found(&selection, &shown.query)) }
        }
        (filters(&shown))
        (chips(&shown.query))
        (list(&selection, &shown.query))
        (pages(&selection, &shown.query))
    };
    shown.page(Section::Images, "Images", &content)
}

fn found(selection: &Selection<'_>, query: &Query) -> String {
    let what = if query.grouping == Grouping::Image { "images" } else { "uses" };
    if query.filter.is_open() {
        format!("{} {what}", selection.total)
    } else {
        format!("{} of {} {what}", selection.total, selection.of)
    }
}

fn filters(shown: &Shown) -> Markup {
    let Query { filter, grouping, order, per_page, report, cluster, .. } = &shown.query;
    html! {
        form.filters.panel data-live action="/images" method="get" role="search" {
            @if let Some(report) = report { input type="hidden" name="report" value=(report); }
            @if let Some(cluster) = cluster { input type="hidden" name="cluster" value=(cluster); }
            @if *order != Order::default() { input type="hidden" name="sort" value={ @if order.reversed { "-" } (order.by.word()) }; }
            @if *per_page != Query::default().per_page { input type="hidden" name="per" value=(per_page); }
            label.wide { "Search (image, namespace, workload, digest)"
                input type="search" name="q" value=(filter.search) placeholder="Press / to search" autocomplete="off";
            }
            (named("Namespace", "namespace", &filter.namespaces, &names(shown, |line| line.namespace.as_deref())))
            (named("Registry", "registry", &filter.registries, &names(shown, |line| line.registry.as_deref())))
            (choice("Signature", "signature", &filter.signature))
            (choice("Provenance", "provenance", &filter.provenance))
            (choice("SBOM", "sbom", &filter.sbom))
            (choice("Tag", "drift", &filter.drift))
            (choice("Update", "update", &filter.update))
            label { "Grouped by"
                select name="group" {
                    option value="" selected[*grouping == Grouping::Image] { "image" }
                    option value="use" selected[*grouping == Grouping::Use] { "use" }
                }
            }
            button.main { "Apply" }
        }
    }
}

/// All names of one kind in the report, sorted.
fn names(shown: &Shown, name: fn(&Line) -> Option<&str>) -> Vec<String> {
    let mut names: Vec<&str> = shown.volume.uses.iter().filter_map(|one| name(&one.line)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

/// A field whose value is a name, with those that there are to choose from as one types.
fn named(label: &str, name: &str, chosen: &[String], names: &[String]) -> Markup {
    html! {
        label { (label)
            input name=(name) list={"all-" (name)} value=(chosen.first().map(String::as_str).unwrap_or_default()) placeholder="all" autocomplete="off" size="18";
        }
        datalist id={"all-" (name)} { @for name in names { option value=(name) {} } }
        @for more in chosen.iter().skip(1) { input type="hidden" name=(name) value=(more); }
    }
}

fn choice<T: Pick>(label: &str, name: &str, chosen: &[T]) -> Markup {
    let several: Vec<&str> = chosen.iter().map(|word| word.word()).collect();
    html! {
        label { (label)
            select name=(name) {
                option value="" { "all" }
                // Links may ask for several words at once.
                @if several.len() > 1 { option value=(several.join(",")) selected { (several.join(" or ")) } }
                @for word in T::ALL { option value=(word.word()) selected[chosen == [*word]] { (word.word()) } }
            }
        }
    }
}

/// What narrows the list, each with a way to take it away.
fn chips(query: &Query) -> Markup {
    let filter = &query.filter;
    let mut chips: Vec<(String, Query)> = Vec::new();
    let mut chip = |text: String, without: fn(&mut Filter)| {
        chips.push((text, query.with(|query| without(&mut query.filter))));
    };
    if !filter.search.is_empty() {
        chip(format!("“{}”", filter.search), |filter| filter.search.clear());
    }
    if !filter.namespaces.is_empty() {
        chip(format!("namespace {}", filter.namespaces.join(", ")), |filter| {
            filter.namespaces.clear();
        });
    }
    if !filter.registries.is_empty() {
        chip(format!("registry {}", filter.registries.join(", ")), |filter| {
            filter.registries.clear();
        });
    }
    let words = |name: &str, words: Vec<&str>| {
        (!words.is_empty()).then(|| format!("{name} {}", words.join(" or ")))
    };
    for (text, without) in [
        (
            words("signature", filter.signature.iter().map(|word| word.word()).collect()),
            (|filter| filter.signature.clear()) as fn(&mut Filter),
        ),
        (
            words("provenance", filter.provenance.iter().map(|word| word.word()).collect()),
            |filter| filter.provenance.clear(),
        ),
        (words("SBOM", filter.sbom.iter().map(|word| word.word()).collect()), |filter| {
            filter.sbom.clear();
        }),
        (words("tag", filter.drift.iter().map(|word| word.word()).collect()), |filter| {
            filter.drift.clear();
        }),
        (words("update", filter.update.iter().map(|word| word.word()).collect()), |filter| {
            filter.update.clear();
        }),
        (
            filter.pinned.map(|is| if is { "pinned".to_owned() } else { "not pinned".to_owned() }),
            |filter| filter.pinned = None,
        ),
        (
            filter.gone.map(|is| {
                if is { "gone from the registry".to_owned() } else { "not gone".to_owned() }
            }),
            |filter| filter.gone = None,
        ),
        (
            filter.unchecked.map(|is| {
                if is { "not fully checked".to_owned() } else { "fully checked".to_owned() }
            }),
            |filter| filter.unchecked = None,
        ),
    ] {
        if let Some(text) = text {
            chip(text, without);
        }
    }
    html! {
        @if !chips.is_empty() {
            ul.chips aria-label="Filters" {
                @for (text, without) in &chips {
                    li { a href=(without.href("/images")) { (text) " " span aria-hidden="true" { "×" } span.hidden { " (remove this filter)" } } }
                }
            }
        }
    }
}

fn list(selection: &Selection<'_>, query: &Query) -> Markup {
    if selection.items.is_empty() {
        return html! {
            section.panel {
                h2 { "Nothing fits" }
                p { "No image of this report fits all of the filters above. " a href=(query.elsewhere().href("/images")) { "Show all images" } }
            }
        };
    }
    let by_use = query.grouping == Grouping::Use;
    html! {
        div.scroll tabindex="0" role="region" aria-label="Images" {
            table.list {
                thead { tr {
                    (heading(query, "Image", By::Image, "name"))
                    @if by_use { (heading(query, "Used by", By::Namespace, "")) }
                    @else { (heading(query, "Uses", By::Uses, "num")) }
                    (heading(query, "Signature", By::Signature, ""))
                    (heading(query, "Provenance", By::Provenance, ""))
                    (heading(query, "SBOM", By::Sbom, ""))
                    (heading(query, "Tag", By::Drift, ""))
                    (heading(query, "Update", By::Update, ""))
                } }
                tbody { @for item in &selection.items { (row(item, query, by_use)) } }
            }
        }
    }
}

fn heading(query: &Query, name: &str, by: By, class: &str) -> Markup {
    let sorted = query.order.by == by;
    let reversed = sorted && !query.order.reversed;
    let href = query.with(|query| query.order = Order { by, reversed }).href("/images");
    let sort = sorted.then_some(if query.order.reversed { "descending" } else { "ascending" });
    html! {
        th class=(class) scope="col" aria-sort=[sort] {
            a href=(href) { (name) @if sorted { span aria-hidden="true" { @if query.order.reversed { " ↑" } @else { " ↓" } } } }
        }
    }
}

fn row(item: &Group<'_>, query: &Query, by_use: bool) -> Markup {
    let (line, answers) = (item.first(), &item.answers);
    let newest = line.latest_in_major.as_deref().or(line.newest.as_deref());
    html! {
        tr {
            td.name {
                a href=(href(item, query)) { (mark::middle(&line.image)) }
                @if answers.pending { " " span.small.quiet { "pending" } }
                @if answers.idle { " " span.small.quiet { "idle" } }
                @if answers.gone { " " span.small { (mark::badge(mark::Tone::Invalid, "gone from the registry")) } }
            }
            @if by_use {
                td { @match &line.namespace { Some(namespace) => { (place(namespace, line)) } None => { span.quiet { "given by name" } } } }
            } @else { td.num { (item.uses.len()) } }
            td { (mark::verdict(answers.signature)) }
            td { (mark::verdict(answers.provenance)) @if let Some(level) = item.level() { " " span.small.nowrap { "L" (level) } } }
            td { (mark::verdict(answers.sbom)) }
            td { (mark::drift(answers.drift)) }
            td { (mark::update(answers.update, newest)) }
        }
    }
}

fn place(namespace: &str, line: &Line) -> Markup {
    html! {
        span.mono { (namespace) }
        @if let (Some(kind), Some(name)) = (&line.workload_kind, &line.workload) { br; span.small { (kind) " " (name) } }
        @if let Some(container) = &line.container { " " span.small.quiet { (container) } }
    }
}

/// The page of a group: of its digest, or, where it runs as several or none, of its reference.
fn href(item: &Group<'_>, query: &Query) -> String {
    let line = item.first();
    let same = item.uses.iter().all(|one| one.line.digest == line.digest);
    let path = match (&line.repository, &line.digest) {
        (Some(repository), Some(digest)) if same => format!("{repository}@{digest}"),
        _ => line.image.to_string(),
    };
    query.elsewhere().href(&format!("/images/{}", utf8_percent_encode(&path, IN_PATH)))
}

fn pages(selection: &Selection<'_>, query: &Query) -> Markup {
    let page = selection.page;
    let to = |page: usize| query.with(|query| query.page = page).href("/images");
    html! {
        @if selection.pages > 1 {
            nav.pages aria-label="Pages of the list" {
                span.quiet { "Page " (page) " of " (selection.pages) }
                ul {
                    @if page > 1 { li { a.button href=(to(1)) { "First" } } li { a.button rel="prev" href=(to(page - 1)) { "Previous" } } }
                    @if page < selection.pages { li { a.button rel="next" href=(to(page + 1)) { "Next" } } li { a.button href=(to(selection.pages)) { "Last" } } }
                }
            }
        }
    }
}
