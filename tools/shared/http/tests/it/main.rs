//! The client against servers that answer, lie, fall silent, or are not there.

mod limits;
mod redirects;
mod support;
mod tls;
