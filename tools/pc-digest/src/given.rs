//! References from the command line, as the `image` records that they stand for.

use std::collections::BTreeMap;

use futures::StreamExt;
use records::{Image, Platform};
use registry::platform::platforms;
use registry::{Manifest, Reference, Registry};
use stage::{Fault, Made, Mine};
use tokio::sync::mpsc;

/// How many references are looked up ahead of the one whose turn it is.
const AHEAD: usize = 16;

/// A reference as it was typed, and what it means.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    text: String,
    reference: Reference,
}

/// Parses the arguments.
///
/// # Errors
/// On the first that is no reference: a typing error is better told than recorded.
pub(crate) fn parse(images: &[String]) -> Result<Vec<Given>, Fault> {
    let parse = |text: &String| match text.parse() {
        Ok(reference) => Ok(Given { text: text.clone(), reference }),
        Err(error @ registry::ReferenceError::ImageId(_)) => {
            Err(Fault::usage(error).with_hint("write repository@sha256:… for a manifest digest"))
        }
        Err(error) => Err(Fault::usage(error)),
    };
    images.iter().map(parse).collect()
}

/// One record per reference and platform, in the order of the arguments, and a last word.
pub(crate) fn images(
    registry: Registry,
    references: Vec<Given>,
    platforms: Vec<Platform>,
) -> mpsc::Receiver<Made> {
    let (sender, records) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut expanded = futures::stream::iter(references)
            .map(|given| expand(&registry, given, &platforms))
            .buffered(AHEAD);
        while let Some(images) = expanded.next().await {
            for said in images.iter().map(made) {
                let goes_on = matches!(said, Made::Record(_));
                if sender.send(said).await.is_err() || !goes_on {
                    return;
                }
            }
        }
        // Whoever no longer listens needs no last word.
        let _ = sender.send(Made::Whole).await;
    });
    records
}

fn made(image: &Image) -> Made {
    Mine::made(image).map_or_else(Made::CutOff, Made::Record)
}

async fn expand(registry: &Registry, given: Given, platforms: &[Platform]) -> Vec<Image> {
    let platforms: Vec<Option<String>> = if platforms.is_empty() {
        in_index(registry, &given.reference).await
    } else {
        platforms.iter().map(|platform| Some(platform.to_string())).collect()
    };
    platforms.into_iter().map(|platform| image(&given, platform)).collect()
}

/// Every platform of the index that the reference means, or the one of the image's config; unknown
/// where that cannot be asked: the answer to the record then says why.
async fn in_index(registry: &Registry, reference: &Reference) -> Vec<Option<String>> {
    let unknown = vec![None];
    let repository = reference.repository();
    let digest = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => digest.clone(),
        (None, Some(tag)) => match registry.head(repository, &tag.clone()).await {
            Ok(Some(found)) => found.value.digest,
            _ => return unknown,
        },
        (None, None) => return unknown,
    };
    match registry.manifest(repository, &digest).await {
        Ok(Some(content)) => match &*content {
            Manifest::Index(index) => {
                let names: Vec<_> =
                    platforms(index).into_iter().map(|(name, _)| Some(name.to_string())).collect();
                if names.is_empty() { unknown } else { names }
            }
            Manifest::Image(_) => match registry.image_platform(repository, &digest).await {
                Ok(Some(platform)) => vec![Some(platform.to_string())],
                _ => unknown,
            },
        },
        _ => unknown,
    }
}

fn image(given: &Given, platform: Option<String>) -> Image {
    Image {
        namespace: None,
        workload: None,
        container: None,
        container_type: None,
        image: given.text.clone(),
        image_id: None,
        platform,
        running_digest: None,
        pinned: given.reference.digest().is_some(),
        pods: 0,
        nodes: 0,
        pod_names: Vec::new(),
        pull_secrets: Vec::new(),
        annotations: BTreeMap::new(),
        idle: false,
        dropped: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_cannot_be_made_is_not_passed_over() {
        let given = parse(&["nginx:1.27".to_owned()]).expect("a reference").swap_remove(0);
        assert!(matches!(made(&image(&given, None)), Made::Record(_)));
        let names = vec!["x".repeat(2 << 20)];
        let large = Image { pod_names: names, ..image(&given, None) };
        assert!(matches!(made(&large), Made::CutOff(_)));
    }
}
