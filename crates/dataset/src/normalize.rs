//! What is done to a text before anything else sees it.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// How texts are normalised, in the order of how much is done. A model remembers the one it was trained with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// Texts stay as they are.
    None,
    /// Unicode NFC: decomposed Hangul, as macOS writes it, becomes syllables.
    #[default]
    Nfc,
    /// NFC, then the `clean()` that KcELECTRA's authors publish: no emoji, no Hanja, no URLs, `ㅋㅋㅋㅋ` as `ㅋㅋ`.
    Kcelectra,
}

impl Normalize {
    /// The text as models see it.
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::None => Cow::Borrowed(text),
            Self::Nfc => nfc(text),
            Self::Kcelectra => Cow::Owned(crate::kcelectra::clean(&nfc(text))),
        }
    }

    /// From the name in pipeline files.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::Nfc, Self::Kcelectra]
            .into_iter()
            .find(|normalize| normalize.as_str() == name)
    }

    /// The name in pipeline files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Nfc => "nfc",
            Self::Kcelectra => "kcelectra",
        }
    }
}

impl fmt::Display for Normalize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NFD: &str = "\u{1100}\u{1175}\u{1108}\u{1173}\u{11b7}";

    #[test]
    fn decomposed_hangul_becomes_syllables() {
        assert_eq!(Normalize::Nfc.apply(NFD), "기쁨");
        assert_eq!(Normalize::Kcelectra.apply(NFD), "기쁨");
    }

    #[test]
    fn none_changes_nothing() {
        assert_eq!(Normalize::None.apply(NFD), NFD);
    }

    #[test]
    fn composed_text_is_not_copied() {
        assert!(matches!(Normalize::Nfc.apply("기쁨 ㅋㅋ 🥳"), Cow::Borrowed(_)));
    }
}
