//! The question in an address. What is not known is named and left out, so that a link from a
//! newer version still shows something, and says what it could not follow.

use std::fmt::Write as _;

use pc_store::names::ReportName;
use url::form_urlencoded;

use super::filter::{Filter, Pick};

/// How many lines a page has where nothing else is asked.
pub(crate) const PER_PAGE: usize = 50;
/// How many at most.
pub(crate) const MAX_PER_PAGE: usize = 500;
/// How long a text of the query may be.
const MAX_TEXT: usize = 512;

/// By what a list is grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// One line for each image reference.
    #[default]
    Image,
    /// One line for each use: a container of a workload.
    Use,
}

/// By what a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// What needs a person most.
    #[default]
    Concern,
    /// The image reference.
    Image,
    /// The namespace, then the workload.
    Namespace,
    /// The verdict on signatures.
    Signature,
    /// The verdict on SLSA provenance.
    Provenance,
    /// The verdict on bills of materials.
    Sbom,
    /// What the tag means now.
    Drift,
    /// Whether something newer is there.
    Update,
    /// How often it is used.
    Uses,
}

impl Pick for By {
    const ALL: &'static [Self] = &[
        Self::Concern,
        Self::Image,
        Self::Namespace,
        Self::Signature,
        Self::Provenance,
        Self::Sbom,
        Self::Drift,
        Self::Update,
        Self::Uses,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Concern => "concern",
            Self::Image => "image",
            Self::Namespace => "namespace",
            Self::Signature => "signature",
            Self::Provenance => "provenance",
            Self::Sbom => "sbom",
            Self::Drift => "drift",
            Self::Update => "update",
            Self::Uses => "uses",
        }
    }
}

/// In which order a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// By what.
    pub by: By,
    /// From the other end.
    pub reversed: bool,
}

/// A question: which report, what of it, in which order, which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The report; the latest where none is named.
    pub report: Option<ReportName>,
    /// The cluster, where the store has reports of several.
    pub cluster: Option<String>,
    /// What is shown.
    pub filter: Filter,
    /// By what it is grouped.
    pub grouping: Grouping,
    /// In which order.
    pub order: Order,
    /// The page, from 1.
    pub page: usize,
    /// How many lines a page has.
    pub per_page: usize,
    /// What stood in the address and could not be followed, one sentence each.
    pub not_followed: Vec<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            report: None,
            cluster: None,
            filter: Filter::default(),
            grouping: Grouping::default(),
            order: Order::default(),
            page: 1,
            per_page: PER_PAGE,
            not_followed: Vec::new(),
        }
    }
}

impl Query {
    /// Reads a query string.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            // Forms send what was left empty.
            if value.is_empty() && name != "namespace" && name != "registry" {
                continue;
            }
            let value: String = value.chars().take(MAX_TEXT).collect();
            if !query.take(&name, &value) {
                let (name, value) = (records::text::shown(&name), records::text::shown(&value));
                query.not_followed.push(format!("`{name}={value}` is not known here"));
            }
        }
        query
    }

    /// Takes one parameter; whether it is known.
    fn take(&mut self, name: &str, value: &str) -> bool {
        let filter = &mut self.filter;
        match name {
            "report" => match value.parse() {
                Ok(name) => self.report = Some(name),
                Err(_) => return value == "latest",
            },
            "cluster" => self.cluster = Some(value.to_owned()),
            "q" => filter.search = value.trim().to_owned(),
            // The first choice of a form's list, which means all.
            "namespace" | "registry" if value == "*" || value.is_empty() => {}
            "namespace" => filter.namespaces.push(none_as_empty(value)),
            "registry" => filter.registries.push(none_as_empty(value)),
            "signature" => return pick(&mut filter.signature, value),
            "provenance" => return pick(&mut filter.provenance, value),
            "sbom" => return pick(&mut filter.sbom, value),
            "update" => return pick(&mut filter.update, value),
            "drift" => return pick(&mut filter.drift, value),
            "pinned" => return boolean(&mut filter.pinned, value),
            "unchecked" => return boolean(&mut filter.unchecked, value),
            "gone" => return boolean(&mut filter.gone, value),
            "group" => match value {
                "image" => self.grouping = Grouping::Image,
                "use" => self.grouping = Grouping::Use,
                _ => return false,
            },
            "sort" => {
                let (reversed, word) = match value.strip_prefix('-') {
                    Some(word) => (true, word),
                    None => (false, value),
                };
                let Some(by) = By::ALL.iter().find(|by| by.word() == word) else { return false };
                self.order = Order { by: *by, reversed };
            }
            "page" => match value.parse() {
                Ok(page @ 1..) => self.page = page,
                _ => return false,
            },
            "per" => match value.parse() {
                Ok(per @ 1..=MAX_PER_PAGE) => self.per_page = per,
                _ => return false,
            },
            _ => return false,
        }
        true
    }

    /// The query string of this question: what stands there anyway is left out.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        if let Some(report) = self.report {
            out.append_pair("report", &report.to_string());
        }
        if let Some(cluster) = &self.cluster {
            out.append_pair("cluster", cluster);
        }
        let filter = &self.filter;
        if !filter.search.is_empty() {
            out.append_pair("q", &filter.search);
        }
        for (name, values) in [("namespace", &filter.namespaces), ("registry", &filter.registries)]
        {
            for value in values {
                out.append_pair(name, if value.is_empty() { "-" } else { value });
            }
        }
        words(&mut out, "signature", &filter.signature);
        words(&mut out, "provenance", &filter.provenance);
        words(&mut out, "sbom", &filter.sbom);
        words(&mut out, "update", &filter.update);
        words(&mut out, "drift", &filter.drift);
        for (name, wanted) in
            [("pinned", filter.pinned), ("unchecked", filter.unchecked), ("gone", filter.gone)]
        {
            if let Some(wanted) = wanted {
                out.append_pair(name, if wanted { "true" } else { "false" });
            }
        }
        if self.grouping == Grouping::Use {
            out.append_pair("group", "use");
        }
        if self.order != Order::default() {
            let mut sort = String::new();
            // Writing to a String cannot fail.
            let minus = if self.order.reversed { "-" } else { "" };
            let _ = write!(sort, "{minus}{}", self.order.by.word());
            out.append_pair("sort", &sort);
        }
        if self.per_page != PER_PAGE {
            out.append_pair("per", &self.per_page.to_string());
        }
        if self.page != 1 {
            out.append_pair("page", &self.page.to_string());
        }
        out.finish()
    }

    /// A question about the same report and cluster, with nothing else asked.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        Self { report: self.report, cluster: self.cluster.clone(), ..Self::default() }
    }

    /// The same question with a change, from its first page.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut query = Self { page: 1, not_followed: Vec::new(), ..self.clone() };
        change(&mut query);
        query
    }

    /// The address of this question on a page.
    #[must_use]
    pub fn href(&self, path: &str) -> String {
        match self.text() {
            text if text.is_empty() => path.to_owned(),
            text => format!("{path}?{text}"),
        }
    }
}

/// `-` stands for what has none: an image that is no pod's, a malformed reference.
fn none_as_empty(value: &str) -> String {
    if value == "-" { String::new() } else { value.to_owned() }
}

fn pick<T: Pick>(words: &mut Vec<T>, value: &str) -> bool {
    // Several may stand in one parameter.
    value.split(',').all(|word| match T::ALL.iter().find(|known| known.word() == word) {
        Some(known) => {
            if !words.contains(known) {
                words.push(*known);
            }
            true
        }
        None => false,
    })
}

fn boolean(wanted: &mut Option<bool>, value: &str) -> bool {
    match value {
        "true" | "1" | "yes" | "on" => *wanted = Some(true),
        "false" | "0" | "no" | "off" => *wanted = Some(false),
        _ => return false,
    }
    true
}

fn words<T: Pick>(out: &mut form_urlencoded::Serializer<'_, String>, name: &str, words: &[T]) {
    if !words.is_empty() {
        let words: Vec<&str> = words.iter().map(|word| word.word()).collect();
        out.append_pair(name, &words.join(","));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_its_text() {
        for text in [
            "",
            "report=provenance-20261124-060000.json",
            "q=nginx&namespace=shop&namespace=-&signature=absent%2Cinvalid&unchecked=true",
            "cluster=prod&update=available&drift=moved&group=use&sort=-uses&per=100&page=3",
            "q=%22%3E%3Cscript%3E&registry=ghcr.io&gone=false",
        ] {
            let query = Query::parse(text);
            assert_eq!(query.not_followed, Vec::<String>::new(), "{text}");
            assert_eq!(query.text(), text);
            assert_eq!(Query::parse(&query.text()), query);
        }
    }

    #[test]
    fn what_a_form_leaves_empty_asks_nothing() {
        let query = Query::parse("q=&namespace=&signature=&pinned=&sort=&page=");
        assert_eq!(query, Query::default());
    }

    #[test]
    fn what_is_not_known_is_named() {
        let query = Query::parse("signature=green&page=0&per=9999&novel=1&report=../x&sort=colour");
        assert_eq!(query.not_followed.len(), 6);
        assert_eq!(query.not_followed[0], "`signature=green` is not known here");
        assert_eq!(Query { not_followed: Vec::new(), ..query }, Query::default());
    }
}
