//! The index of a chart repository in the layout directory (`--layout`), which stands in place of
//! all hosts: the network is not asked then.

use std::sync::Arc;

use bytes::Bytes;
use http_asking::Address;
use records::FailureCode;
use records::text::shown;
use registry::Error;

use super::Index;
use crate::problem::Problem;

/// Reads what lies there for an address.
pub(super) async fn index(
    address: &Address,
    laid_out: Result<Option<Bytes>, Error>,
) -> Result<Arc<Index>, Problem> {
    let url = shown(address.url().as_str());
    let Some(body) = laid_out.map_err(|error| Problem::of(&error))? else {
        let place = format!("{}{}", address.host(), address.url().path());
        return Err(Problem::new(
            FailureCode::NotFound,
            format!("`{url}` is not in the layout directory, as `{}` there", shown(&place)),
        ));
    };
    let read = tokio::task::spawn_blocking(move || Index::read(&body)).await;
    let read = read.expect("reading does not panic, and nobody cancels it");
    read.map(Arc::new)
        .map_err(|error| Problem::new(error.code(), format!("`{url}`, laid out: {error}")))
}
