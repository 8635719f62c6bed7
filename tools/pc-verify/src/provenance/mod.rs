//! SLSA provenance: what a statement says of a build, and which level that earns.
