//! Against a real API server, whose pods "run" what a test says, and real registries.

mod api;
mod images;
mod rights;
mod rows;
