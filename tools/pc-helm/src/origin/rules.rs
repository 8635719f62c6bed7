//! Where charts come from by the user's own word: a small YAML file.
//!
//! ```yaml
//! charts:
//!   - chart: ingress-nginx
//!     url: https://kubernetes.github.io/ingress-nginx
//!   - chart: "acme-*"
//!     namespace: shop
//!     url: oci://ghcr.io/acme/charts/{chart}
//! ```
//!
//! The first rule that fits counts, and goes before what objects say: who writes it knows of
//! mirrors, and of objects that are wrong.

use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};
use records::Origin;
use records::text::shown;
use serde::Deserialize;

use super::address;
use crate::object::Key;

/// Stands for the chart's name in an address.
const CHART: &str = "{chart}";

/// Stands for that while an address is checked, since braces are none.
const STAND_IN: &str = "stands-for-the-name-of-a-chart";

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    /// It cannot be read.
    #[error("chart origins `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not of the form that it must have.
    #[error("chart origins `{}` are malformed: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        why: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    charts: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    chart: Option<String>,
    namespace: Option<String>,
    release: Option<String>,
    url: String,
}

/// One rule: patterns that must all fit, and an address.
#[derive(Debug)]
struct Rule {
    /// Counted from 1.
    number: usize,
    chart: Option<GlobMatcher>,
    namespace: Option<GlobMatcher>,
    release: Option<GlobMatcher>,
    url: String,
}

/// All rules, in order.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    file: String,
    rules: Vec<Rule>,
}

impl Rules {
    /// Reads the file.
    ///
    /// # Errors
    /// [`RulesError`].
    pub(crate) fn read(path: &Path) -> Result<Self, RulesError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RulesError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&path.display().to_string(), &text)
            .map_err(|why| RulesError::Malformed { path: path.to_owned(), why })
    }

    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, String> {
        let read: File = serde_saphyr::from_str(text)
            .map_err(|error| shown(error.to_string().lines().next().unwrap_or_default()))?;
        let rules = read.charts.into_iter().enumerate();
        let rules = rules.map(|(at, entry)| rule(at + 1, entry)).collect::<Result<_, _>>()?;
        Ok(Self { file: file.to_owned(), rules })
    }

    /// Where a release's chart comes from by the first rule that fits, if one does.
    pub(super) fn origin(&self, key: &Key, chart: Option<&str>) -> Option<Origin> {
        self.rules.iter().find_map(|rule| {
            let url = rule.url(key, chart)?;
            let how = format!("`{}`, rule {}", shown(&self.file), rule.number);
            Some(Origin { kind: "configuration".to_owned(), url: Some(url), how })
        })
    }
}

impl Rule {
    /// The address, where all patterns fit. A pattern of charts fits none that is not known.
    fn url(&self, key: &Key, chart: Option<&str>) -> Option<String> {
        let fits = |pattern: &Option<GlobMatcher>, text: Option<&str>| match (pattern, text) {
            (None, _) => true,
            (Some(pattern), Some(text)) => pattern.is_match(text),
            (Some(_), None) => false,
        };
        let all = fits(&self.chart, chart)
            && fits(&self.namespace, Some(&key.namespace))
            && fits(&self.release, Some(&key.name));
        if !all {
            return None;
        }
        if !self.url.contains(CHART) {
            return Some(self.url.clone());
        }
        let chart = chart.filter(|chart| address::is_path(chart))?;
        Some(self.url.replace(CHART, chart))
    }
}

fn rule(number: usize, entry: Entry) -> Result<Rule, String> {
    let Entry { chart, namespace, release, url } = entry;
    if chart.is_none() && namespace.is_none() && release.is_none() {
        return Err(format!("rule {number} has none of `chart`, `namespace` and `release`"));
    }
    if address::has_secret(&url) {
        return Err(format!(
            "the `url` of rule {number} has a user name, password or query in it; credentials belong into the hosts file"
        ));
    }
    let clean = address::repository(&url.replace(CHART, STAND_IN));
    let Some(clean) = clean else {
        return Err(format!("the `url` of rule {number} is no `https://…` or `oci://…`"));
    };
    let pattern =
        |key: &str, text: Option<String>| text.map(|text| glob(number, key, &text)).transpose();
    Ok(Rule {
        number,
        chart: pattern("chart", chart)?,
        namespace: pattern("namespace", namespace)?,
        release: pattern("release", release)?,
        url: clean.replace(STAND_IN, CHART),
    })
}

fn glob(number: usize, key: &str, text: &str) -> Result<GlobMatcher, String> {
    Glob::new(text).map(|glob| glob.compile_matcher()).map_err(|error| {
        format!("`{key}` of rule {number}, `{}`, is no pattern: {}", shown(text), error.kind())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Rules, String> {
        Rules::parse("origins.yaml", text)
    }

    fn of(rules: &Rules, release: &str, chart: Option<&str>) -> Option<(Option<String>, String)> {
        let (namespace, name) = release.split_once('/').expect("namespace/name");
        let key = Key { namespace: namespace.into(), name: name.into() };
        rules.origin(&key, chart).map(|origin| (origin.url, origin.how))
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rules = parse(
            "charts:\n- {chart: 'acme-*', namespace: shop, url: 'oci://ghcr.io/acme/charts/{chart}'}\n- {release: old, url: 'https://old.example/'}\n- {chart: '*', url: 'https://charts.example'}\n",
        )
        .expect("rules");
        let url = |release, chart| {
            of(&rules, release, chart).map(|(url, how)| (url.unwrap_or_default(), how))
        };
        let wanted =
            |url: &str, rule: usize| Some((url.to_owned(), format!("`origins.yaml`, rule {rule}")));
        assert_eq!(
            url("shop/x", Some("acme-web")),
            wanted("oci://ghcr.io/acme/charts/acme-web", 1)
        );
        assert_eq!(url("bank/x", Some("acme-web")), wanted("https://charts.example", 3));
        assert_eq!(url("bank/old", None), wanted("https://old.example", 2));
        assert_eq!(url("bank/x", None), None);
        assert_eq!(url("shop/x", Some("acme-../../x y")), wanted("https://charts.example", 3));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("charts: [{url: 'https://x.example'}]", "rule 1 has none of"),
            ("charts: [{chart: a, url: 'ftp://x.example'}]", "is no `https://…`"),
            ("charts: [{chart: a, url: 'https://u:hunter2@x.example'}]", "credentials"),
            ("charts: [{chart: '[', url: 'https://x.example'}]", "is no pattern"),
            ("charts: [{chart: a}]", "url"),
            ("charts: [{chart: a, urls: b}]", "urls"),
            ("rules: []", "rules"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
        }
    }
}
