//! Which report, which objects, which of their keys, in which order.
//!
//! `report`, `cluster` and the filters of the pages mean what they mean there; beside them
//! `filter=KEY:VALUE` (repeatable, all must hold), `fields=A,B`, `sort=KEY` or `sort=-KEY`,
//! `limit`, `offset`, and for the history `from` and `to`.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;
use url::form_urlencoded;

use super::Flat;
use crate::api::error::ApiError;
use crate::view::Query;

/// How many objects are given where nothing else is asked.
const LIMIT: usize = 1000;
/// How many at most.
const MAX_LIMIT: usize = 5000;

/// A question to the API.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// Which report, and what of it, as pages ask it.
    pub(crate) view: Query,
    fields: Vec<String>,
    filters: Vec<(String, String)>,
    sort: Option<(String, bool)>,
    limit: usize,
    offset: usize,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Question {
    /// Reads a query string. Machines get an error where pages get a notice.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut question = Self { limit: LIMIT, ..Self::default() };
        let mut view = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if !question.take(&name, &value)? {
                view.append_pair(&name, &value);
            }
        }
        question.view = Query::parse(&view.finish());
        match question.view.not_followed.first() {
            Some(sentence) => Err(ApiError::bad(sentence.clone())),
            None => Ok(question),
        }
    }

    /// Takes one parameter; whether it is one of the API's own.
    fn take(&mut self, name: &str, value: &str) -> Result<bool, ApiError> {
        let number = |max: usize| match value.parse::<usize>() {
            Ok(number) if number <= max => Ok(number),
            _ => Err(ApiError::bad(format!("`{name}` is a number from 0 to {max}"))),
        };
        match name {
            "fields" => self.fields.extend(value.split(',').map(|field| field.trim().to_owned())),
            "filter" => match value.split_once(':') {
                Some((key, wanted)) => self.filters.push((key.to_owned(), wanted.to_owned())),
                None => {
                    return Err(ApiError::bad(
                        "`filter` is KEY:VALUE, `signature:absent` for example",
                    ));
                }
            },
            "sort" => {
                let (key, reversed) = match value.strip_prefix('-') {
                    Some(key) => (key, true),
                    None => (value, false),
                };
                self.sort = Some((key.to_owned(), reversed));
            }
            "limit" => self.limit = number(MAX_LIMIT)?,
            "offset" => self.offset = number(usize::MAX)?,
            "from" => self.from = Some(time(name, value)?),
            "to" => self.to = Some(time(name, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Refuses the filters of the pages where they are about nothing.
    pub(crate) fn without_view(&self) -> Result<(), ApiError> {
        if self.view.filter.is_open() {
            return Ok(());
        }
        Err(ApiError::bad(
            "the filters of the pages are for `/api/v1/images`; here is `filter=KEY:VALUE`",
        ))
    }

    /// The objects that are asked for, of all.
    pub(crate) fn of(&self, mut rows: Vec<Flat>) -> Result<Vec<Flat>, ApiError> {
        if let Some(first) = rows.first() {
            let asked = self.filters.iter().map(|(key, _)| key).chain(&self.fields);
            let asked = asked.chain(self.sort.iter().map(|(key, _)| key));
            for key in asked {
                if !first.contains_key(key) {
                    return Err(ApiError::bad(format!(
                        "there is no key `{}` here",
                        records::text::shown(key)
                    )));
                }
            }
        }
        rows.retain(|row| self.filters.iter().all(|(key, wanted)| text(&row[key]) == *wanted));
        if let Some((key, reversed)) = &self.sort {
            rows.sort_by(|a, b| {
                let order = compare(&a[key], &b[key]);
                if *reversed { order.reverse() } else { order }
            });
        }
        let rows = rows.into_iter().skip(self.offset).take(self.limit);
        Ok(rows.map(|row| self.project(row)).collect())
    }

    fn project(&self, mut row: Flat) -> Flat {
        if self.fields.is_empty() {
            return row;
        }
        self.fields.iter().filter_map(|key| Some((key.clone(), row.remove(key)?))).collect()
    }

    /// How many objects from the start are needed at most, where none is filtered or sorted away.
    pub(crate) fn window(&self) -> usize {
        if self.filters.is_empty() && self.sort.is_none() {
            self.offset.saturating_add(self.limit)
        } else {
            usize::MAX
        }
    }

    /// Whether a time is between `from` and `to`, both included.
    pub(crate) fn is_within(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time <= to)
    }
}

/// A time: RFC 3339, or milliseconds since 1970 as Grafana writes it.
fn time(name: &str, value: &str) -> Result<Timestamp, ApiError> {
    let parsed = match value.parse::<i64>() {
        Ok(milliseconds) => Timestamp::from_millisecond(milliseconds).ok(),
        Err(_) => value.parse().ok(),
    };
    parsed.ok_or_else(|| {
        ApiError::bad(format!("`{name}` is a time: RFC 3339, or milliseconds since 1970"))
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => text(a).cmp(&text(b)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows() -> Vec<Flat> {
        let rows = json!([
            {"name": "b", "count": 10, "verdict": "absent"},
            {"name": "a", "count": 9, "verdict": "absent"},
            {"name": "c", "count": null, "verdict": "trusted"},
        ]);
        serde_json::from_value(rows).expect("objects")
    }

    fn answer(text: &str) -> Value {
        let question = Question::parse(text).expect("a question");
        serde_json::to_value(question.of(rows()).expect("an answer")).expect("JSON")
    }

    #[test]
    fn objects_are_filtered_sorted_cut_and_projected() {
        assert_eq!(
            answer("fields=name&sort=count"),
            json!([{"name": "c"}, {"name": "a"}, {"name": "b"}])
        );
        assert_eq!(
            answer("filter=verdict:absent&fields=count&sort=-count&limit=1"),
            json!([{"count": 10}])
        );
        assert_eq!(answer("offset=3"), json!([]));
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for bad in [
            "limit=5001",
            "limit=x",
            "filter=verdict",
            "from=yesterday",
            "signature=green",
            "novel=1",
        ] {
            assert!(Question::parse(bad).is_err(), "{bad}");
        }
        let question = Question::parse("fields=nothing").expect("a question");
        assert!(question.of(rows()).is_err());
    }
}
