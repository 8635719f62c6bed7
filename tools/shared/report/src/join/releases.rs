//! Helm releases, each with the answer about its chart.

use records::Release;

use crate::HelmRelease;

use super::rows::Joined;

impl Joined<'_> {
    /// One entry per release, in the order of `releases`.
    pub(super) fn releases(&self, releases: Vec<Release>) -> Vec<HelmRelease> {
        releases.into_iter().map(|release| self.release(release)).collect()
    }

    fn release(&self, release: Release) -> HelmRelease {
        let update = self.update_of_release(&release.namespace, &release.release_name);
        HelmRelease {
            namespace: release.namespace,
            release_name: release.release_name,
            driver: release.driver,
            chart: release.chart,
            version: release.version,
            app_version: release.app_version,
            revision: release.revision,
            status: release.status,
            deprecated: release.deprecated,
            first_deployed: release.first_deployed,
            last_deployed: release.last_deployed,
            revisions: release.revisions,
            description: release.description,
            images: release.images,
            target_namespace: release.target_namespace,
            deployed: release.deployed,
            dropped: release.dropped,
            origin: release.origin,
            update,
        }
    }
}
