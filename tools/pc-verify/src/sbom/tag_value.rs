//! SPDX tag-value (SPDX 2.3, annex G): one `Tag: value` a line, texts over lines in `<text>`.

use std::io::BufRead;
use std::str;

use super::document::{Package, Sink, Whole, joined, spdx_version};
use super::{Format, SbomError};

/// The longest line that is kept; of a longer one its beginning and its last bytes.
const MAX_LINE: usize = 16 * 1024;

/// How many tools are named; more are left out.
const MAX_TOOLS: usize = 8;

const OPEN: &str = "<text>";
const CLOSE: &str = "</text>";

pub(super) fn read(reader: impl BufRead, sink: Sink<'_>) -> Result<Whole, SbomError> {
    let mut lines = Lines { reader, line: Vec::new(), number: 0 };
    let mut document = Document { sink, ..Document::default() };
    let mut in_text = false;
    while let Some(line) = lines.next()? {
        if in_text {
            in_text = !line.contains(CLOSE);
            continue;
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((tag, value)) = line.split_once(':').filter(|(tag, _)| is_tag(tag)) else {
            return Err(if document.version.is_none() {
                SbomError::Format("neither JSON nor SPDX tag-value")
            } else {
                lines.malformed("no `Tag: value`")
            });
        };
        let value = value.trim();
        in_text = value.contains(OPEN) && !value.contains(CLOSE);
        document.tag(tag, value.trim_start_matches(OPEN).trim_end_matches(CLOSE))?;
    }
    if in_text {
        return Err(SbomError::Truncated { line: lines.number });
    }
    document.hand_over();
    let Some(version) = document.version else {
        return Err(SbomError::Format("neither JSON nor SPDX tag-value"));
    };
    let tool = joined(&document.tools);
    Ok(Whole { format: Format::Spdx, version, tool, packages: document.packages })
}

fn is_tag(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[derive(Default)]
struct Document<'s> {
    version: Option<String>,
    tools: Vec<String>,
    packages: u64,
    open: Option<Package>,
    sink: Sink<'s>,
}

impl Document<'_> {
    fn tag(&mut self, tag: &str, value: &str) -> Result<(), SbomError> {
        let some = || Some(value.to_owned());
        match (tag, &mut self.open) {
            ("SPDXVersion", _) if self.version.is_some() => {
                return Err(SbomError::Ambiguous("`SPDXVersion` is there twice".to_owned()));
            }
            ("SPDXVersion", _) => self.version = Some(spdx_version(value)?),
            ("Creator", _) => {
                let tool = value.strip_prefix("Tool:").map(str::trim);
                if let Some(tool) = tool.filter(|tool| !tool.is_empty())
                    && self.tools.len() < MAX_TOOLS
                {
                    self.tools.push(tool.to_owned());
                }
            }
            ("PackageName", _) => {
                self.hand_over();
                self.packages += 1;
                self.open = Some(Package { name: some(), ..Package::default() });
            }
            ("PackageVersion", Some(package)) => package.version = some(),
            ("PackageLicenseConcluded", Some(package)) => package.license = some(),
            ("PackageLicenseDeclared", Some(package)) => package.other_license = some(),
            ("ExternalRef", Some(package)) => {
                let mut words = value.split_ascii_whitespace().skip(1);
                let [kind, locator] = [(); 2].map(|()| words.next().map(str::to_owned));
                package.reference = [kind, locator];
                package.take_reference(&["purl"]);
            }
            _ => {}
        }
        Ok(())
    }

    fn hand_over(&mut self) {
        if let (Some(package), Some(sink)) = (self.open.take(), &mut self.sink) {
            sink(package.entry());
        }
    }
}

/// Lines of bounded length.
struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<&str>, SbomError> {
        self.line.clear();
        self.number += 1;
        let mut is_end = true;
        loop {
            let buffer = self.reader.fill_buf().map_err(SbomError::Read)?;
            if buffer.is_empty() {
                break;
            }
            is_end = false;
            let newline = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..newline.unwrap_or(buffer.len())];
            keep(&mut self.line, part);
            let read = part.len() + usize::from(newline.is_some());
            self.reader.consume(read);
            if newline.is_some() {
                break;
            }
        }
        if is_end {
            return Ok(None);
        }
        match str::from_utf8(&self.line) {
            Ok(_) => Ok(str::from_utf8(&self.line).ok()),
            // A cut in the middle of a character is ours.
            Err(_) if self.line.len() > MAX_LINE => {
                let text = String::from_utf8_lossy(&self.line).into_owned();
                self.line = text.into_bytes();
                Ok(str::from_utf8(&self.line).ok())
            }
            Err(_) => Err(self.malformed("no UTF-8")),
        }
    }

    fn malformed(&self, why: &str) -> SbomError {
        SbomError::Malformed { line: self.number, column: 1, why: why.to_owned() }
    }
}

/// Adds to a line: behind [`MAX_LINE`] bytes the last ones alone stay, so that the end of a long
/// text is seen.
fn keep(line: &mut Vec<u8>, part: &[u8]) {
    let head = part.len().min(MAX_LINE.saturating_sub(line.len()));
    line.extend_from_slice(&part[..head]);
    let rest = &part[head..];
    if rest.is_empty() {
        return;
    }
    line.extend_from_slice(&rest[rest.len().saturating_sub(CLOSE.len() + 1)..]);
    let surplus = line.len().saturating_sub(MAX_LINE + CLOSE.len() + 1);
    line.drain(MAX_LINE..MAX_LINE + surplus);
}
