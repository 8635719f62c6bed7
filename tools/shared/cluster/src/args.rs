//! The flags by which every tool that asks a cluster is told which one.

use std::ffi::OsString;

use clap::Args;

/// Which cluster to ask, and as whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// Kubeconfig files, as kubectl takes them; without any, the service account of the pod
    #[arg(long, env = "KUBECONFIG", value_name = "FILES", global = true)]
    pub kubeconfig: Option<OsString>,

    /// Context of the kubeconfig, instead of its current one
    #[arg(long, env = "PROVENANCE_CONTEXT", value_name = "NAME", global = true)]
    pub context: Option<String>,
}
