//! Whom to trust. STUB until merged.
/// stub
#[derive(Debug, Clone, clap::Args)]
pub struct TrustArgs {}
/// stub
#[derive(Debug, Default)]
pub struct Trust;
