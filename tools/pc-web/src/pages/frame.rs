//! What every page has around it: title, ways to the other pages, the report that is shown, and
//! what cannot wait.

use std::sync::Arc;

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use pc_store::names::ReportName;
use report::Completeness;

use super::say;
use crate::app::App;
use crate::assets;
use crate::library::{Library, Reach, Shelved, Volume};
use crate::view::Query;

/// How old the latest report of a store may be before a page says so: a day, and two hours for a
/// run that takes its time.
const STALE_SECONDS: i64 = 26 * 60 * 60;

/// A page of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Images,
    Changes,
    Releases,
    History,
}

impl Section {
    const ALL: [Self; 5] =
        [Self::Overview, Self::Images, Self::Changes, Self::Releases, Self::History];

    fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Images => "Images",
            Self::Changes => "Changes",
            Self::Releases => "Helm",
            Self::History => "History",
        }
    }

    /// Where it is.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Images => "/images",
            Self::Changes => "/changes",
            Self::Releases => "/releases",
            Self::History => "/reports",
        }
    }
}

/// What a page is made from: the view of the store, the report that is shown, the question.
pub(crate) struct Shown {
    pub(crate) library: Arc<Library>,
    pub(crate) shelved: Shelved,
    pub(crate) volume: Arc<Volume>,
    pub(crate) query: Query,
    pub(crate) now: Timestamp,
}

impl Shown {
    /// The report that an address asks for, or the page that says why there is none.
    pub(crate) fn of(app: &App, RawQuery(text): RawQuery) -> Result<Self, Box<Response>> {
        let mut query = Query::parse(text.as_deref().unwrap_or_default());
        let now = app.clock.now();
        let Some(library) = app.library() else {
            return Err(Box::new(say::reading()));
        };
        let cluster = query.cluster.as_deref();
        let found = match query.report {
            None => library
                .latest(cluster)
                .map(|(shelved, volume)| (shelved.clone(), Arc::clone(volume))),
            Some(name) => match library.named(name) {
                None => return Err(Box::new(say::no_such_report(&library, &query, now))),
                Some(shelved) => match &shelved.volume {
                    Ok(volume) => Some((shelved.clone(), Arc::clone(volume))),
                    Err(why) => return Err(Box::new(say::unfit(&library, &query, why, now))),
                },
            },
        };
        let Some((shelved, volume)) = found else {
            return Err(Box::new(say::empty(&library, &query, now)));
        };
        if let Some(other) =
            query.cluster.take_if(|name| volume.head.cluster.as_ref() != Some(name))
        {
            let other = records::text::shown(&other);
            query.not_followed.push(format!("`cluster={other}` is not that of the report"));
        }
        Ok(Self { library, shelved, volume, query, now })
    }

    /// The report before this one, of the same cluster.
    pub(crate) fn previous(&self) -> Option<(&Shelved, &Arc<Volume>)> {
        let cluster = self.volume.head.cluster.as_deref();
        self.library
            .reports(None)
            .filter(|(_, volume)| volume.head.cluster.as_deref() == cluster)
            .find(|(shelved, _)| shelved.name < self.shelved.name)
    }

    /// The files with a report's name that are newer than this one and cannot be shown.
    fn unreadable_since(&self) -> impl Iterator<Item = (ReportName, &str)> {
        let newer = self.library.shelf.iter().filter(|other| other.name > self.shelved.name);
        let unreadable =
            newer.filter_map(|other| Some((other.name, &**other.volume.as_ref().err()?)));
        unreadable.take(3)
    }

    /// Whether this is the newest report of its cluster.
    fn is_latest(&self) -> bool {
        let cluster = self.volume.head.cluster.as_deref();
        let mut reports = self.library.reports(None);
        let newest = reports.find(|(_, volume)| volume.head.cluster.as_deref() == cluster);
        newest.is_none_or(|(shelved, _)| shelved.name == self.shelved.name)
    }

    /// The page around `content`.
    pub(crate) fn page(&self, section: Section, title: &str, content: &Markup) -> Response {
        let clusters = clusters(&self.library);
        let content = html! {
            (self.banners())
            @if !self.query.not_followed.is_empty() {
                div.banner.note role="status" {
                    @for sentence in &self.query.not_followed { p { (sentence) ", and was left out." } }
                }
            }
            (content)
        };
        let end = html! { (self.picker(section, &clusters)) };
        Html(document(title, Some(section), &self.query, &end, &content).into_string())
            .into_response()
    }

    /// What cannot wait.
    fn banners(&self) -> Markup {
        let head = &self.volume.head;
        let age = self.now.as_second() - head.generated_at.as_second();
        html! {
            @if let Reach::Lost { since, why } = &self.library.reach {
                div.banner.bad role="alert" {
                    p { strong { "The store cannot be read since " (time(*since, self.now)) "." } " What is shown is from before: " (why) }
                }
            }
            @if let Completeness::Incomplete(why) = &head.completeness {
                div.banner.bad role="alert" {
                    p { strong { "This report is not complete." } " What is missing is not in the counts:" }
                    ul { @for reason in why { li { (reason) } } }
                }
            }
            @for (name, why) in self.unreadable_since() {
                div.banner.bad role="alert" {
                    p { strong { "A newer report cannot be shown." } " What is shown is from before. " code { (name) } ": " (why) }
                }
            }
            @if self.is_latest() && age > STALE_SECONDS {
                div.banner.bad role="alert" {
                    p { strong { "The newest report is from " (time(head.generated_at, self.now)) "." } " Look at the last Job of the CronJob; what runs may have changed since." }
                }
            }
            @if !self.is_latest() {
                div.banner.note role="status" {
                    p { "An older report is shown, of " (time(head.generated_at, self.now)) ". " a href=(self.query.with(|query| query.report = None).href("/")) { "Show the newest" } }
                }
            }
        }
    }

    fn picker(&self, section: Section, clusters: &[&str]) -> Markup {
        let cluster = self.volume.head.cluster.as_deref();
        html! {
            form data-live action=(section.path()) method="get" {
                @if clusters.len() > 1 {
                    label { span.hidden { "Cluster" }
                        select name="cluster" {
                            @for name in clusters { option value=(name) selected[cluster == Some(name)] { (name) } }
                        }
                    } " "
                }
                label { span.hidden { "Report" }
                    select name="report" {
                        option value="latest" { "Newest report" }
                        @for (shelved, volume) in self.library.reports(cluster).take(100) {
                            option value=(shelved.name) selected[self.query.report == Some(shelved.name)] {
                                (stamp(volume.head.generated_at))
                            }
                        }
                    }
                }
                " " button { "Show" }
            }
        }
    }
}

fn clusters(library: &Library) -> Vec<&str> {
    let mut names: Vec<&str> =
        library.reports(None).filter_map(|(_, volume)| volume.head.cluster.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A whole document.
pub(crate) fn document(
    title: &str,
    section: Option<Section>,
    query: &Query,
    end: &Markup,
    content: &Markup,
) -> Markup {
    let home = query.elsewhere();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Provenance" }
                link rel="icon" href=(assets::path("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::path("style.css"));
                script src=(assets::path("theme.js")) {}
                script type="module" src=(assets::path("app.js")) {}
            }
            body {
                a.skip href="#content" { "To the content" }
                header.top {
                    div {
                        a.brand href=(home.href("/")) { img src=(assets::path("icon.svg")) alt="" width="24" height="24"; "Provenance" }
                        nav aria-label="Pages" {
                            ul {
                                @for page in Section::ALL {
                                    li { a href=(home.href(page.path())) aria-current=[(Some(page) == section).then_some("page")] { (page.name()) } }
                                }
                            }
                        }
                        div.end {
                            (end)
                            button type="button" data-theme-switch hidden { "Theme: " span { "system" } }
                        }
                    }
                }
                main #content tabindex="-1" { (content) }
                footer {
                    p { "Provenance collector " (env!("CARGO_PKG_VERSION")) " · what could not be checked is shown as unknown, never as absent · " a href={"/api/reports/" (query.report.map_or("latest".to_owned(), |name| name.to_string()))} { "this report as JSON" } }
                }
                div #status.hidden role="status" {}
            }
        }
    }
}

/// A page of its own that is no view of a report.
pub(crate) fn bare(status: StatusCode, title: &str, query: &Query, content: &Markup) -> Response {
    let page = document(title, None, query, &html! {}, content);
    (status, Html(page.into_string())).into_response()
}

/// A time for people, with the exact one behind it.
pub(crate) fn time(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (stamp(at)) " (" (ago(at, now)) ")" } }
}

/// A time to the minute, UTC.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long ago something was.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    match seconds {
        ..=-60 => "in the future".to_owned(),
        -59..=59 => "now".to_owned(),
        60..=3599 => format!("{} min ago", seconds / 60),
        3600..=172_799 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}
