//! Reading a table of builders: what is written, checked, with the line and the field of what is
//! wrong.

use regex::Regex;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{BuildLevel, Pattern, Proof, Rule, Table, UNKNOWN_BUILDER, UNSIGNED};
use crate::judged::KeyId;

/// Why a table is not read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no YAML of the wanted shape; the first line of the reason is in the message.
    #[error("`{origin}` is no table of builders: {why}")]
    Malformed {
        /// Where the table is from.
        origin: String,
        /// Why, with the line.
        why: String,
    },
    /// A field of a rule.
    #[error("`{origin}`, line {line}: `{field}` of rule `{}` {why}", records::text::shown(.rule))]
    Field {
        /// Where the table is from.
        origin: String,
        /// From 1.
        line: u64,
        /// The rule's name.
        rule: String,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Table {
    /// Reads a table; `origin` is its path, for messages.
    ///
    /// # Errors
    /// A [`TableError`] that names the line and the field.
    pub fn parse(text: &str, origin: &str) -> Result<Self, TableError> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| TableError::Malformed {
            origin: origin.to_owned(),
            why: records::text::shown(error.to_string().lines().next().unwrap_or_default()),
        })?;
        let mut table = Self::default();
        for row in file.rules {
            let line = row.referenced.line();
            let rule = row.value.rule(origin, line)?;
            if rule.name == UNSIGNED || rule.name == UNKNOWN_BUILDER || table.has(&rule.name) {
                let why = "is taken".to_owned();
                let origin = origin.to_owned();
                return Err(TableError::Field {
                    origin,
                    line,
                    rule: rule.name,
                    field: "name",
                    why,
                });
            }
            table.rules.push(rule);
        }
        Ok(table)
    }

    fn has(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| rule.name == name)
    }
}

/// A table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: Vec<Spanned<Row>>,
}

/// A rule as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Row {
    name: Spanned<String>,
    builder: Option<Spanned<String>>,
    builder_regexp: Option<Spanned<String>>,
    proof: Spanned<Proof>,
    issuer: Option<Spanned<String>>,
    identity: Option<Spanned<String>>,
    identity_regexp: Option<Spanned<String>>,
    runner: Option<Spanned<String>>,
    #[serde(default)]
    keys: Vec<Spanned<String>>,
    level: Spanned<u8>,
    #[serde(default)]
    shared: bool,
    source: String,
}

/// Where messages about a rule point.
struct Reader<'a> {
    origin: &'a str,
    rule: &'a str,
    line: u64,
}

impl Reader<'_> {
    fn wrong<T>(&self, field: &'static str, at: Option<&Spanned<T>>, why: &str) -> TableError {
        TableError::Field {
            origin: self.origin.to_owned(),
            line: at.map_or(self.line, |at| at.referenced.line()),
            rule: self.rule.to_owned(),
            field,
            why: why.to_owned(),
        }
    }

    /// One of two fields: a text, or a regular expression.
    fn pattern(
        &self,
        fields: [&'static str; 2],
        exact: Option<&Spanned<String>>,
        regexp: Option<&Spanned<String>>,
    ) -> Result<Option<Pattern>, TableError> {
        match (exact, regexp) {
            (Some(_), Some(_)) => {
                Err(self.wrong(fields[1], regexp, &format!("stands beside `{}`", fields[0])))
            }
            (Some(exact), None) if exact.value.is_empty() => {
                Err(self.wrong(fields[0], Some(exact), "is empty"))
            }
            (Some(exact), None) => Ok(Some(Pattern::Exact(exact.value.clone()))),
            (None, Some(regexp)) => {
                let why = "is no regular expression";
                // Alone first: `a)|(b` would break out of what anchors it.
                Regex::new(&regexp.value)
                    .and_then(|_| Regex::new(&format!("^(?:{})$", regexp.value)))
                    .map(|compiled| Some(Pattern::Regexp(compiled)))
                    .map_err(|_| self.wrong(fields[1], Some(regexp), why))
            }
            (None, None) => Ok(None),
        }
    }
}

impl Row {
    fn rule(self, origin: &str, line: u64) -> Result<Rule, TableError> {
        let at = Reader { origin, rule: &self.name.value, line };
        let is_word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if self.name.value.is_empty() || !self.name.value.bytes().all(is_word) {
            return Err(at.wrong("name", Some(&self.name), "must be of a-z, 0-9 and -"));
        }
        let builder = at.pattern(
            ["builder", "builderRegexp"],
            self.builder.as_ref(),
            self.builder_regexp.as_ref(),
        )?;
        let builder = builder.ok_or_else(|| {
            at.wrong::<String>("builder", None, "is missing; `builderRegexp` would do")
        })?;
        let identity = at.pattern(
            ["identity", "identityRegexp"],
            self.identity.as_ref(),
            self.identity_regexp.as_ref(),
        )?;
        let level = match self.level.value {
            1 => BuildLevel::L1,
            2 => BuildLevel::L2,
            3 => BuildLevel::L3,
            _ => return Err(at.wrong("level", Some(&self.level), "must be 1, 2 or 3")),
        };
        self.check_proof(&at, identity.is_some())?;
        let text = |value: &Option<Spanned<String>>| value.as_ref().map(|it| it.value.clone());
        Ok(Rule {
            builder,
            proof: self.proof.value,
            issuer: text(&self.issuer),
            identity,
            runner: text(&self.runner),
            keys: self.keys.iter().map(|key| KeyId(key.value.clone())).collect(),
            level,
            shared: self.shared,
            source: self.source.clone(),
            name: self.name.value.clone(),
        })
    }

    /// A proof has what it takes, and nothing that it would ignore.
    fn check_proof(&self, at: &Reader<'_>, has_identity: bool) -> Result<(), TableError> {
        let proof = self.proof.value;
        if proof == Proof::Key {
            let unused = [
                ("issuer", &self.issuer),
                ("identity", &self.identity),
                ("identityRegexp", &self.identity_regexp),
                ("runner", &self.runner),
            ];
            if let Some((field, value)) = unused.into_iter().find(|(_, value)| value.is_some()) {
                return Err(at.wrong(field, value.as_ref(), "is of certificates, not of `keys`"));
            }
            if self.keys.is_empty() {
                return Err(at.wrong::<String>(
                    "keys",
                    None,
                    "are missing; `proof: key` takes them",
                ));
            }
        } else if let Some(key) = self.keys.first() {
            return Err(at.wrong("keys", Some(key), "are for `proof: key` alone"));
        } else if self.issuer.is_none() {
            let why = "is missing; without it any issuer could name anybody";
            return Err(at.wrong::<String>("issuer", None, why));
        }
        if proof == Proof::Runner && self.runner.is_none() {
            return Err(at.wrong::<String>("runner", None, "is missing; `proof: runner` takes it"));
        }
        if proof == Proof::Signer && !has_identity {
            let why = "is missing; `proof: signer` takes it or `identityRegexp`";
            return Err(at.wrong::<String>("identity", None, why));
        }
        let is_key = |key: &&Spanned<String>| key.value.parse::<records::Digest>().is_err();
        match self.keys.iter().find(is_key) {
            Some(key) => Err(at.wrong("keys", Some(key), "must be `sha256:` and 64 digits each")),
            None => Ok(()),
        }
    }
}
