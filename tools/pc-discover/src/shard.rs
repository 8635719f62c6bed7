//! Which images belong to which part of a cluster that is collected in parts.

use records::Shard;
use registry::Reference;

/// Whether `image` belongs to `shard`.
///
/// All images of a repository belong to one shard, so that no registry is asked twice.
#[must_use]
pub(crate) fn holds(shard: Shard, image: &str) -> bool {
    match image.parse::<Reference>() {
        Ok(reference) => stage::shard::holds(shard, &reference.repository().to_string()),
        Err(_) => stage::shard::holds(shard, image),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_belongs_to_one_shard_and_repositories_stay_together() {
        let mut sizes = [0; 3];
        for number in 0..300 {
            let image = format!("ghcr.io/acme/app-{number}:1");
            let owners: Vec<u32> =
                (1..=3).filter(|index| holds(Shard { index: *index, count: 3 }, &image)).collect();
            assert_eq!(owners.len(), 1, "{image}");
            sizes[owners[0] as usize - 1] += 1;
            let shard = Shard { index: owners[0], count: 3 };
            assert!(holds(shard, &format!("ghcr.io/acme/app-{number}:2")));
        }
        assert!(sizes.iter().all(|size| (60..140).contains(size)), "{sizes:?}");
    }

    #[test]
    fn the_hash_never_changes() {
        let two = |image| holds(Shard { index: 1, count: 2 }, image);
        assert_eq!(two("nginx"), two("docker.io/library/nginx:1.27"));
        assert_eq!(
            ["nginx", "redis", "ghcr.io/acme/web", "!! no reference"].map(two),
            [true, false, true, false],
            "pods of different versions must agree"
        );
    }
}
