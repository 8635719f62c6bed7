//! SPDX 3: a graph of elements, in any order (SPDX 3.0.1, serialization in JSON-LD).

use super::document::{Package, Whole, is_minor_of, joined, unknown};
use super::walk::ITEM;
use super::{Format, SbomError};

/// How many tools are remembered until it is known which of them made the document.
const MAX_TOOLS: usize = 64;

/// The types of elements that are packages: `software_Package`, its longer spellings, and its
/// subclasses for models and data.
const PACKAGES: [&str; 6] = [
    "software_Package",
    "software:Package",
    "https://spdx.org/rdf/3.0.0/terms/Software/Package",
    "https://spdx.org/rdf/3.0.1/terms/Software/Package",
    "ai_AIPackage",
    "dataset_DatasetPackage",
];

/// The graph, as far as it went by.
#[derive(Debug, Default)]
pub(super) struct Graph {
    context: Option<String>,
    version: Option<String>,
    /// The identifiers of tools that made something of it.
    used: Vec<String>,
    /// Identifier and name of the tools.
    tools: Vec<(String, String)>,
    packages: u64,
    element: Element,
}

/// The element that is open.
#[derive(Debug, Default)]
struct Element {
    id: Option<String>,
    version: Option<String>,
    used: Vec<String>,
    package: Package,
}

impl Graph {
    pub(super) fn wanted(path: &[&str], with_packages: bool) -> &'static [&'static str] {
        match *path {
            ["@graph", ITEM] if with_packages => &[
                "type",
                "@type",
                "spdxId",
                "@id",
                "name",
                "specVersion",
                "createdUsing",
                "creationInfo",
                "software_packageVersion",
                "software_packageUrl",
                "externalIdentifier",
            ],
            ["@graph", ITEM] => &[
                "type",
                "@type",
                "spdxId",
                "@id",
                "name",
                "specVersion",
                "createdUsing",
                "creationInfo",
            ],
            ["@graph", ITEM, "creationInfo"] => &["specVersion", "createdUsing"],
            ["@graph", ITEM, "externalIdentifier", ITEM] => {
                &["externalIdentifierType", "identifier"]
            }
            _ => &[],
        }
    }

    /// `@context`: `https://spdx.org/rdf/3.0.1/spdx-context.jsonld`.
    pub(super) fn context(&mut self, text: &str) {
        let rest = text.strip_prefix("https://spdx.org/rdf/");
        let rest = rest.or_else(|| text.strip_prefix("http://spdx.org/rdf/"));
        if let Some(version) = rest.and_then(|rest| rest.split('/').next()) {
            let version = version.strip_prefix('v').unwrap_or(version);
            self.context.get_or_insert_with(|| version.to_owned());
        }
    }

    pub(super) fn packages(&self) -> u64 {
        self.packages
    }

    pub(super) fn is_spdx(&self) -> bool {
        self.context.is_some()
    }

    pub(super) fn begin(&mut self) {
        self.element = Element::default();
    }

    /// A text inside an element.
    pub(super) fn text(&mut self, path: &[&str], text: &str) {
        let element = &mut self.element;
        let some = Some(text.to_owned());
        match *path {
            [_, _, "type" | "@type"] => element.package.kind = some,
            [_, _, "spdxId" | "@id"] => element.id = some,
            [_, _, "name"] => element.package.name = some,
            [_, _, "software_packageVersion"] => element.package.version = some,
            [_, _, "software_packageUrl"] => element.package.purl = some,
            [_, _, .., "specVersion"] => element.version = some,
            [_, _, .., "createdUsing"] | [_, _, .., "createdUsing", ITEM] => {
                let room = MAX_TOOLS.saturating_sub(element.used.len());
                element.used.extend(some.into_iter().take(room));
            }
            [_, _, _, _, "externalIdentifierType"] => element.package.reference[0] = some,
            [_, _, _, _, "identifier"] => element.package.reference[1] = some,
            _ => {}
        }
    }

    /// An object inside an element ends.
    pub(super) fn end_inner(&mut self, path: &[&str]) {
        if matches!(*path, ["@graph", ITEM, "externalIdentifier", ITEM]) {
            self.element.package.take_reference(&["packageUrl", "packageURL", "purl"]);
        }
    }

    /// An element ends; gives it where it is a package.
    pub(super) fn end(&mut self) -> Option<Package> {
        let element = std::mem::take(&mut self.element);
        if self.version.is_none() {
            self.version = element.version;
        }
        if self.used.len() < MAX_TOOLS {
            self.used.extend(element.used);
        }
        let kind = element.package.kind.as_deref().unwrap_or_default();
        if kind == "Tool" && self.tools.len() < MAX_TOOLS {
            let name = element.package.name.clone().unwrap_or_default();
            self.tools.push((element.id.unwrap_or_default(), name));
        }
        if !PACKAGES.contains(&kind) {
            return None;
        }
        self.packages += 1;
        Some(element.package)
    }

    /// What the document is; `tools` are those that are known otherwise.
    pub(super) fn whole(self, mut tools: Vec<String>) -> Result<Whole, SbomError> {
        let version = self.version.or(self.context).unwrap_or_default();
        if !is_minor_of(&version, "3") {
            return Err(unknown(Format::Spdx, &version));
        }
        for id in &self.used {
            let name = self.tools.iter().find(|(of, _)| of == id).map(|(_, name)| name);
            if let Some(name) = name.filter(|name| !name.is_empty() && !tools.contains(name)) {
                tools.push(name.clone());
            }
        }
        let tool = joined(&tools);
        Ok(Whole { format: Format::Spdx, version, tool, packages: self.packages })
    }
}
