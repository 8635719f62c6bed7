//! What a list shows: the question as it stands in the address, and its answer from the index.
//!
//! - `query`: from a query string to a question, and back; one question, one text.
//! - `filter`: which lines and groups it is about.
//! - `select`: filtered, grouped, sorted, one page of it.

mod filter;
mod query;
mod select;

pub use filter::{Filter, Pick};
pub use query::{By, Grouping, Order, Query};
pub use select::{Group, Item, Selection, all, select};
