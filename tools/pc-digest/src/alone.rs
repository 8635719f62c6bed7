//! References resolved for another tool that takes them as arguments itself.

use records::{Image, Platform, Record};
use registry::Registry;
use stage::{Fault, Mine};
use tokio::sync::mpsc;

use crate::question::{Question, UseSecrets};
use crate::{given, resolve};

/// How many records may wait for their reader.
const AHEAD: usize = 64;

/// What references are and mean: for each, and each platform, an `image` record, its `digest`
/// record, and the failures behind it, as pc-digest answers for the same arguments.
///
/// # Errors
/// On the first that is no reference.
pub fn resolved(
    registry: Registry,
    references: &[String],
    platforms: Vec<Platform>,
) -> Result<mpsc::Receiver<Mine>, Fault> {
    let mut images = given::images(registry.clone(), given::parse(references)?, platforms);
    let (sender, records) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while let Some(mine) = images.recv().await {
            let Ok(image) = mine.parse::<Image>() else { return };
            let question = Question::of(image, UseSecrets::Never);
            // Boxed: the compiler does not follow a future as deep as this one inside another.
            let answer = Box::pin(resolve::resolve(&registry, &question)).await;
            let failures = answer.failures.iter().map(made);
            let all = std::iter::once(Some(mine)).chain([made(&answer.record)]).chain(failures);
            for mine in all.flatten() {
                if sender.send(mine).await.is_err() {
                    return;
                }
            }
        }
    });
    Ok(records)
}

/// A record as a line. What pc-digest writes is never too large: its strings and lists are cut.
fn made<R: Record>(record: &R) -> Option<Mine> {
    Mine::made(record).ok()
}
