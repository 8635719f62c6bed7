//! What a bill of materials in JSON says, gathered while it goes by.
//!
//! Names come in any order: whether a document is SPDX 2 or CycloneDX may stand behind its
//! packages. So all that could be a package is counted, and at the end it is known which count is
//! the one.

use records::PackagesEntry;
use records::text::{MAX_STRING, cut};

use super::spdx3::Graph;
use super::walk::{ITEM, Shape, TWICE};
use super::{Format, SbomError};
use crate::statement::json::same_but_for_case;

/// How many tools are named; more are left out.
const MAX_TOOLS: usize = 8;

/// Where packages go.
pub(super) type Sink<'s> = Option<&'s mut dyn FnMut(PackagesEntry)>;

/// The names that are wanted at the top.
const TOP: &[&str] = &[
    "spdxVersion",
    "bomFormat",
    "specVersion",
    "@context",
    "creationInfo",
    "metadata",
    "packages",
    "components",
    "@graph",
];

/// A bill of materials in JSON, as far as it went by.
#[derive(Default)]
pub(super) struct Document<'s> {
    path: Vec<&'static str>,
    seen: Vec<&'static str>,
    spdx_version: Option<String>,
    bom_format: Option<String>,
    spec_version: Option<String>,
    graph: Graph,
    tools: Vec<String>,
    tool: Package,
    /// Packages that are open: CycloneDX has them in each other.
    open: Vec<Package>,
    spdx2_packages: u64,
    cyclonedx_packages: u64,
    sink: Sink<'s>,
}

/// A package as it is read.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) kind: Option<String>,
    pub(super) group: Option<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) purl: Option<String>,
    pub(super) license: Option<String>,
    pub(super) other_license: Option<String>,
    pub(super) reference: [Option<String>; 2],
}

/// What the whole document turned out to be.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) format: Format,
    pub(super) version: String,
    pub(super) tool: Option<String>,
    pub(super) packages: u64,
}

impl<'s> Document<'s> {
    pub(super) fn new(sink: Sink<'s>) -> Self {
        Self { sink, ..Self::default() }
    }

    /// Whether some readers, which do not mind case, take a name at the top for one that counts.
    pub(super) fn is_ambiguous(&self, name: &str) -> bool {
        self.path.is_empty() && TOP.iter().any(|known| same_but_for_case(name, known))
    }

    /// Goes one level down.
    pub(super) fn enter(&mut self, name: &'static str) -> Result<(), String> {
        if self.path.is_empty() {
            if self.seen.contains(&name) {
                return Err(format!("`{name}` {TWICE}"));
            }
            self.seen.push(name);
        }
        self.path.push(name);
        Ok(())
    }

    /// Comes one level up.
    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// The present path, for messages.
    pub(super) fn path_text(&self) -> String {
        if self.path.is_empty() { "the document".to_owned() } else { self.path.join(".") }
    }

    /// Which names are wanted in the object at the present path.
    pub(super) fn wanted(&self) -> &'static [&'static str] {
        let with_packages = self.sink.is_some();
        match *self.path.as_slice() {
            [] => TOP,
            ["creationInfo"] => &["creators"],
            ["metadata"] => &["tools"],
            ["metadata", "tools"] => &["components", "services"],
            ["metadata", "tools", ITEM]
            | ["metadata", "tools", "components" | "services", ITEM] => &["name", "version"],
            ["packages", ITEM] if with_packages => {
                &["name", "versionInfo", "externalRefs", "licenseConcluded", "licenseDeclared"]
            }
            ["packages", ITEM, "externalRefs", ITEM] => &["referenceType", "referenceLocator"],
            ["components", .., "licenses", ITEM] => &["license", "expression"],
            ["components", .., "licenses", ITEM, "license"] => &["id", "name"],
            ["components", .., ITEM] if with_packages => {
                &["components", "type", "group", "name", "version", "purl", "licenses"]
            }
            ["components", .., ITEM] => &["components", "type"],
            ["@graph", ..] => Graph::wanted(&self.path, with_packages),
            _ => &[],
        }
    }

    /// Which shapes a value at the present path may have, the usual one first. None where that
    /// does not matter.
    pub(super) fn expected(&self) -> Option<&'static [Shape]> {
        match *self.path.as_slice() {
            [] => Some(&[Shape::Object]),
            ["spdxVersion" | "bomFormat" | "specVersion"] => Some(&[Shape::Text]),
            ["packages" | "components" | "@graph"] | ["components", .., "components"] => {
                Some(&[Shape::List])
            }
            ["packages" | "@graph", ITEM] | ["components", .., "components", ITEM] => {
                Some(&[Shape::Object])
            }
            ["components", ITEM] => Some(&[Shape::Object]),
            ["creationInfo"] | ["metadata"] => Some(&[Shape::Object]),
            ["creationInfo", "creators"] => Some(&[Shape::List]),
            ["metadata", "tools"] => Some(&[Shape::List, Shape::Object]),
            _ => None,
        }
    }

    fn is_component(&self) -> bool {
        matches!(
            *self.path.as_slice(),
            ["components", .., "components", ITEM] | ["components", ITEM]
        )
    }

    /// An object begins at the present path.
    pub(super) fn begin(&mut self) {
        match *self.path.as_slice() {
            ["packages", ITEM] => self.open.push(Package::default()),
            ["metadata", "tools", ..] => self.tool = Package::default(),
            ["@graph", ITEM] => self.graph.begin(),
            _ if self.is_component() => self.open.push(Package::default()),
            _ => {}
        }
    }

    /// An object ends at the present path.
    pub(super) fn end(&mut self) {
        match *self.path.as_slice() {
            ["packages", ITEM] => {
                self.spdx2_packages += 1;
                self.hand_over();
            }
            ["packages", ITEM, "externalRefs", ITEM] => {
                if let Some(package) = self.open.last_mut() {
                    package.take_reference(&["purl"]);
                }
            }
            ["metadata", "tools", .., ITEM] => {
                let Package { name, version, .. } = std::mem::take(&mut self.tool);
                let words = [name, version].map(Option::unwrap_or_default);
                self.add_tool(words.join(" ").trim());
            }
            ["@graph", ITEM] => {
                let package = self.graph.end();
                if let (Some(package), Some(sink)) = (package, &mut self.sink) {
                    sink(package.entry());
                }
            }
            ["@graph", ITEM, ..] => self.graph.end_inner(&self.path),
            _ if self.is_component() => {
                // Files are listed beside packages, and are none.
                let is_file = self.open.last().is_some_and(|it| it.kind.as_deref() == Some("file"));
                if is_file {
                    self.open.pop();
                } else {
                    self.cyclonedx_packages += 1;
                    self.hand_over();
                }
            }
            _ => {}
        }
    }

    /// A text at the present path.
    pub(super) fn text(&mut self, text: &str) {
        let some = || Some(text.to_owned());
        match *self.path.as_slice() {
            ["spdxVersion"] => self.spdx_version = some(),
            ["bomFormat"] => self.bom_format = some(),
            ["specVersion"] => self.spec_version = some(),
            ["@context"] | ["@context", ITEM] => self.graph.context(text),
            ["@graph", ITEM, ..] => self.graph.text(&self.path, text),
            ["creationInfo", "creators", ITEM] => {
                if let Some(tool) = text.strip_prefix("Tool:") {
                    self.add_tool(tool.trim());
                }
            }
            ["metadata", "tools", .., "name"] => self.tool.name = some(),
            ["metadata", "tools", .., "version"] => self.tool.version = some(),
            ["packages", ITEM, ..] | ["components", ..] => {
                if let Some(package) = self.open.last_mut() {
                    package.text(&self.path, text);
                }
            }
            _ => {}
        }
    }

    fn add_tool(&mut self, tool: &str) {
        if !tool.is_empty() && self.tools.len() < MAX_TOOLS {
            self.tools.push(cut(tool).into_owned());
        }
    }

    fn hand_over(&mut self) {
        if let (Some(package), Some(sink)) = (self.open.pop(), &mut self.sink) {
            sink(package.entry());
        }
    }

    /// What the document is, when all of it went by.
    pub(super) fn whole(mut self) -> Result<Whole, SbomError> {
        // They were handed over before it was known which of them count.
        let counts = [self.spdx2_packages, self.graph.packages(), self.cyclonedx_packages];
        if counts.iter().filter(|count| **count > 0).count() > 1 {
            return Err(SbomError::Ambiguous("it has the packages of two formats".to_owned()));
        }
        let named = [
            self.spdx_version.is_some(),
            self.graph.is_spdx(),
            self.bom_format.as_deref() == Some("CycloneDX"),
        ];
        match named {
            [true, false, false] => Ok(Whole {
                format: Format::Spdx,
                version: spdx_version(self.spdx_version.as_deref().unwrap_or_default())?,
                tool: joined(&self.tools),
                packages: self.spdx2_packages,
            }),
            [false, true, false] if !self.seen.contains(&"@graph") => {
                Err(SbomError::Format("SPDX 3 without `@graph`"))
            }
            [false, true, false] => {
                let tools = std::mem::take(&mut self.tools);
                self.graph.whole(tools)
            }
            [false, false, true] => Ok(Whole {
                format: Format::CycloneDx,
                version: cyclonedx_version(self.spec_version.as_deref().unwrap_or_default())?,
                tool: joined(&self.tools),
                packages: self.cyclonedx_packages,
            }),
            [false, false, false] => Err(SbomError::Format(
                "JSON without `spdxVersion`, `bomFormat: CycloneDX` or an `@context` of SPDX",
            )),
            _ => Err(SbomError::Ambiguous("it names two formats".to_owned())),
        }
        .and_then(|whole| {
            let all: u64 = counts.iter().sum();
            let other = "it has packages, but of another format than it names";
            if whole.packages == all { Ok(whole) } else { Err(SbomError::Format(other)) }
        })
    }
}

impl Package {
    /// A text inside it.
    fn text(&mut self, path: &[&str], text: &str) {
        let some = Some(text.to_owned());
        match *path {
            [.., "externalRefs", ITEM, "referenceType"] => self.reference[0] = some,
            [.., "externalRefs", ITEM, "referenceLocator"] => self.reference[1] = some,
            [.., "licenses", ITEM, "license", _] | [.., "licenses", ITEM, "expression"] => {
                let license = self.license.get_or_insert_default();
                // The specification allows one expression, or several licences that all hold.
                if license.is_empty() {
                    license.push_str(text);
                } else if license.len() < MAX_STRING {
                    license.push_str(" AND ");
                    license.push_str(text);
                }
            }
            [.., "type"] => self.kind = some,
            [.., "group"] => self.group = some,
            [.., "name"] => self.name = some,
            [.., "version" | "versionInfo"] => self.version = some,
            [.., "purl"] => self.purl = some,
            [.., "licenseConcluded"] => self.license = some,
            [.., "licenseDeclared"] => self.other_license = some,
            _ => {}
        }
    }

    /// An external reference ends: the first of such a type is the package URL.
    pub(super) fn take_reference(&mut self, kinds: &[&str]) {
        let [kind, locator] = std::mem::take(&mut self.reference);
        if kind.is_some_and(|kind| kinds.contains(&kind.as_str())) && self.purl.is_none() {
            self.purl = locator;
        }
    }

    /// As it goes into records: texts cut, what says nothing left out.
    pub(super) fn entry(self) -> PackagesEntry {
        let said = |text: Option<String>| {
            text.filter(|text| !matches!(&**text, "" | "NOASSERTION" | "NONE"))
                .map(|text| cut(&text).into_owned())
        };
        let name = self.name.unwrap_or_default();
        let name = match self.group.filter(|group| !group.is_empty()) {
            Some(group) => format!("{group}/{name}"),
            None => name,
        };
        PackagesEntry {
            name: cut(&name).into_owned(),
            version: said(self.version),
            purl: said(self.purl),
            license: said(self.license).or_else(|| said(self.other_license)),
        }
    }
}

/// Several tools in one text.
pub(super) fn joined(tools: &[String]) -> Option<String> {
    (!tools.is_empty()).then(|| cut(&tools.join(", ")).into_owned())
}

/// `SPDX-2.3`: any minor version of 2, which only add to it.
pub(super) fn spdx_version(text: &str) -> Result<String, SbomError> {
    let version = text.trim().strip_prefix("SPDX-").filter(|version| is_minor_of(version, "2"));
    version.map(str::to_owned).ok_or_else(|| unknown(Format::Spdx, text))
}

/// `1.2` and later: any minor version of 1 that there is in JSON.
fn cyclonedx_version(text: &str) -> Result<String, SbomError> {
    let is_known = is_minor_of(text, "1") && !matches!(text, "1.0" | "1.1");
    is_known.then(|| text.to_owned()).ok_or_else(|| unknown(Format::CycloneDx, text))
}

pub(super) fn unknown(format: Format, version: &str) -> SbomError {
    SbomError::Version { format: format.name(), version: version.to_owned() }
}

/// `major.minor`, or `major.minor.patch`, in few digits.
pub(super) fn is_minor_of(version: &str, major: &str) -> bool {
    let mut parts = version.split('.');
    let is_number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.next() == Some(major)
        && parts.next().is_some_and(is_number)
        && parts.next().is_none_or(is_number)
        && parts.next().is_none()
}
