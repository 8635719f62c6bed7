//! The client against servers that answer, lie, fall silent, or are not there.

mod hostile;
mod limits;
mod patience;
mod redirects;
mod support;
mod tls;
