//! References resolved for another tool that takes them as arguments itself.

use futures::StreamExt;
use records::wire::WireError;
use records::{Image, Platform};
use registry::Registry;
use stage::enrich::Made;
use stage::{Fault, Mine};
use tokio::sync::mpsc;

use crate::question::{Question, UseSecrets};
use crate::{given, resolve};

/// How many references are resolved ahead of the one whose turn it is.
const AHEAD: usize = 16;

/// What references are and mean: for each, and each platform, an `image` record, its `digest`
/// record, and the failures behind it, as pc-digest answers for the same arguments.
///
/// # Errors
/// On the first that is no reference.
pub fn resolved(
    registry: Registry,
    references: &[String],
    platforms: Vec<Platform>,
) -> Result<mpsc::Receiver<Made>, Fault> {
    let images = given::images(registry.clone(), given::parse(references)?, platforms);
    let (sender, records) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let images = futures::stream::unfold(images, |mut images| async move {
            images.recv().await.map(|said| (said, images))
        });
        let mut answered =
            std::pin::pin!(images.map(|said| answered(&registry, said)).buffered(AHEAD));
        while let Some(said) = answered.next().await {
            for said in said {
                if sender.send(said).await.is_err() {
                    return;
                }
            }
        }
    });
    Ok(records)
}

/// A record, and what answers it; a last word stays one.
async fn answered(registry: &Registry, said: Made) -> Vec<Made> {
    let Made::Record(mine) = said else {
        return vec![said];
    };
    let Ok(image) = mine.parse::<Image>() else {
        // It was made a moment ago; what cannot be read again is passed on for the stage to tell.
        return vec![Made::Record(mine)];
    };
    let question = Question::of(image, UseSecrets::Never);
    // Boxed: the compiler does not follow a future as deep as this one inside another.
    let answer = Box::pin(resolve::resolve(registry, &question)).await;
    let said = |record: Result<Mine, WireError>| record.map_or_else(Made::CutOff, Made::Record);
    let mut all = vec![Made::Record(mine), said(Mine::made(&answer.record))];
    all.extend(answer.failures.iter().map(|failure| said(Mine::made(failure))));
    all
}
