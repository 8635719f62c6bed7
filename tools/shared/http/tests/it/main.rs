//! The client against servers that answer, lie, fall silent, or are not there.

mod counted;
mod hostile;
mod http2;
mod limits;
mod packed;
mod patience;
mod redirects;
mod support;
mod tls;
