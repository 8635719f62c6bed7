//! What lies in the store against its log.

use std::collections::HashSet;

use records::Digest;

use super::{Grade, Proof, Word};
use crate::chain::{Event, Held, Log, State};
use crate::history::{self, Unfit, Wanted};
use crate::ledger::Unfinished;
use crate::names::{LATEST, ReportName};
use crate::place::{Kind, Place, PlaceError};

/// What is compared.
pub(super) struct Files<'a> {
    pub(super) place: &'a dyn Place,
    pub(super) log: &'a Log,
    pub(super) state: &'a State,
    pub(super) max_bytes: u64,
}

impl Files<'_> {
    pub(super) fn check(&self, proof: &mut Proof) -> Result<(), PlaceError> {
        let names = self.place.names()?;
        if self.log.lines.is_empty() {
            self.check_without_log(&names, proof);
            return Ok(());
        }
        let unfinished = self.unfinished(proof);
        for (name, held) in self.state.held() {
            match &unfinished {
                Some(Unfinished::Name { name: pending, .. }) if pending == name => {}
                _ => self.check_held(name, held, proof),
            }
        }
        let signatures: HashSet<String> =
            self.state.report_names().map(|name| name.signature()).collect();
        for name in names {
            let pending =
                matches!(&unfinished, Some(Unfinished::Removal { name: gone }) if *gone == name);
            if name == LATEST || pending || self.state.held().contains_key(&name) {
                continue;
            }
            if signatures.contains(&name) {
                proof.find(Grade::Broken, Word::NotInLog, name, self.not_in_log(""));
            } else {
                self.check_other(&name, proof);
            }
        }
        self.check_latest(&unfinished, proof);
        Ok(())
    }

    fn check_without_log(&self, names: &[String], proof: &mut Proof) {
        let reports = names.iter().filter(|name| name.parse::<ReportName>().is_ok()).count();
        let text = if reports > 0 || names.iter().any(|name| name == LATEST) {
            format!(
                "there is none, so nothing is proven of {reports} files with a report's name: an older version stored them, or somebody removed it; the next run makes one"
            )
        } else {
            "there is none, and no report: nothing was stored yet, or somebody removed all; the next run makes one".to_owned()
        };
        proof.find(Grade::Unchecked, Word::NoLog, "the log", text);
        proof.others = (names.len() - reports) as u64;
    }

    fn unfinished(&self, proof: &mut Proof) -> Option<Unfinished> {
        let last = self.state.last()?;
        match Unfinished::of(self.place, last) {
            Ok(None) => None,
            Ok(Some(unfinished)) => {
                let (name, text) = match &unfinished {
                    Unfinished::Name { name, .. } => {
                        (name, "written, and not in its place yet: the next run puts it there")
                    }
                    Unfinished::Removal { name } => {
                        (name, "to be removed, and still there: the next run removes it")
                    }
                };
                let text = format!("entry {}: {text}", last.sequence);
                proof.find(Grade::Pending, Word::Unfinished, name, text);
                Some(unfinished)
            }
            Err(error) => {
                unreadable(last.name.as_deref().unwrap_or_default(), &error, proof);
                None
            }
        }
    }

    fn check_held(&self, name: &str, held: &Held, proof: &mut Proof) {
        let entry = held.sequence;
        match self.place.fingerprint(name, held.print.size) {
            Ok(print) if print == held.print => {
                proof.bytes += print.size;
                if name.parse::<ReportName>().is_ok() {
                    proof.reports += 1;
                } else {
                    proof.signatures += 1;
                }
            }
            Ok(print) => {
                let text = format!(
                    "entry {entry} has {} bytes of {}, there are {} of {}",
                    held.print.size, held.print.digest, print.size, print.digest
                );
                proof.find(Grade::Broken, Word::Altered, name, text);
            }
            Err(error) => match error.kind() {
                Kind::Missing => {
                    let text = format!(
                        "it is in the log by entry {entry}, and none says that it was removed"
                    );
                    proof.find(Grade::Broken, Word::Missing, name, text);
                }
                Kind::TooLarge => {
                    let text = format!(
                        "entry {entry} has {} bytes of {}, there are more",
                        held.print.size, held.print.digest
                    );
                    proof.find(Grade::Broken, Word::Altered, name, text);
                }
                Kind::Foreign => {
                    let text = format!("entry {entry} has a report, and this is no file");
                    proof.find(Grade::Broken, Word::Altered, name, text);
                }
                Kind::Other => unreadable(name, &error, proof),
            },
        }
    }

    /// A name that is not held: somebody else's, or a report that the log should have.
    fn check_other(&self, name: &str, proof: &mut Proof) {
        let Ok(report) = name.parse::<ReportName>() else {
            proof.others += 1;
            return;
        };
        match history::read(self.place, Wanted::Named(report), self.max_bytes) {
            Ok(_) => {
                let gone = match self.state.gone().get(name).map(|gone| gone.event) {
                    Some(Event::Pruned) => ", but removed by the retention",
                    Some(Event::Removed) => ", but removed",
                    Some(Event::Lost) => ", but lost",
                    Some(Event::Withdrawn) => ", but not stored",
                    _ => "",
                };
                proof.find(Grade::Broken, Word::NotInLog, name, self.not_in_log(gone));
            }
            Err(Unfit::Unreadable(error)) => match error.kind() {
                Kind::Missing => {}
                Kind::Foreign => proof.others += 1,
                Kind::TooLarge | Kind::Other => unreadable(name, &error, proof),
            },
            Err(_) => proof.others += 1,
        }
    }

    fn not_in_log(&self, gone: &str) -> String {
        let whose = if gone.is_empty() { "the log does not have it" } else { "the log has it" };
        format!(
            "{whose}{gone}: its entry was taken out, or somebody put it there; the next run takes it into the log and says so"
        )
    }

    fn check_latest(&self, unfinished: &Option<Unfinished>, proof: &mut Proof) {
        let pending = match unfinished {
            Some(Unfinished::Name { name, .. }) => Some(name.as_str()),
            _ => None,
        };
        let reports = self.state.reports();
        let newest = reports.iter().find(|(name, _)| Some(&*name.to_string()) != pending);
        let found = match self.place.fingerprint(LATEST, self.max_bytes) {
            Ok(print) => Some(print.digest),
            Err(error) if error.is_missing() => None,
            Err(error) if error.kind() == Kind::Other => return unreadable(LATEST, &error, proof),
            Err(error) => {
                return proof.find(Grade::Broken, Word::Latest, LATEST, error.to_string());
            }
        };
        let text = match (&found, newest) {
            (None, None) => return,
            (Some(digest), Some((_, held))) if *digest == held.print.digest => return,
            (None, Some((name, _))) => format!("it is missing, and {name} is the newest report"),
            (Some(digest), _) if !self.state.knows(digest) => {
                let text = "it is no report of the log: altered, or somebody else's".to_owned();
                return proof.find(Grade::Broken, Word::Latest, LATEST, text);
            }
            (Some(_), Some((name, _))) => format!("it is a report of the log, but {name} is newer"),
            (Some(_), None) => "it is a report that the store no longer has".to_owned(),
        };
        if self.may_lag(found.as_ref()) {
            let text = format!("{text}: the next run puts it right");
            proof.find(Grade::Pending, Word::Unfinished, LATEST, text);
        } else {
            proof.find(Grade::Broken, Word::Latest, LATEST, text);
        }
    }

    /// Whether a writer that died behind the last entry can have left `latest` as it is: as it was
    /// right before that entry. Anything older was put there by somebody else.
    fn may_lag(&self, latest: Option<&Digest>) -> bool {
        let Some(last) = self.state.last() else { return false };
        let of_last = |name: &ReportName| last.name.as_deref() == Some(&*name.to_string());
        let before = self.state.reports().into_iter().find(|(name, _)| !of_last(name));
        let before = before.map(|(_, held)| &held.print.digest);
        match last.event {
            Event::Stored | Event::Adopted => latest == before,
            Event::Removed | Event::Lost => {
                let gone = last.name.as_ref().and_then(|name| self.state.gone().get(name));
                latest.is_some() && latest == gone.map(|gone| &gone.digest)
            }
            _ => false,
        }
    }
}

fn unreadable(name: &str, error: &PlaceError, proof: &mut Proof) {
    proof.find(Grade::Unchecked, Word::Unreadable, name, stage::exit::chain(error));
}
