//! Bills of materials: what they are, and the packages that they list.

/// What a bill of materials is, read without keeping it in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// `spdx` or `cyclonedx`.
    pub format: Format,
    /// The version of the format, `2.3` for example.
    pub version: String,
    /// How it is written.
    pub encoding: Encoding,
    /// The tool that made it, with its version where it says so.
    pub tool: Option<String>,
    /// How many packages it lists.
    pub packages: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A family of bills of materials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// SPDX.
    Spdx,
    /// CycloneDX.
    CycloneDx,
}

/// How a bill of materials is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON (of SPDX 3, JSON-LD).
    Json,
    /// SPDX tag-value.
    TagValue,
}
impl Facts {
    /// stub
    pub fn format_word(&self) -> String {
        String::new()
    }
}
