//! The encodings of text files that are read.

/// How the bytes of a text file stand for characters. Never guessed: a file is UTF-8 unless its input says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    /// What Korean Windows calls ANSI: EUC-KR and the rest of the Hangul syllables.
    Cp949,
    /// With a byte order mark, as in the "Unicode text" of Excel.
    Utf16,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// Every encoding by its own name.
    pub const NAMES: [&str; 5] = ["utf-8", "cp949", "utf-16", "utf-16le", "utf-16be"];

    /// The encoding that goes by this name; `EUC_KR`, `ms949`, `windows-949` and `uhc` are CP949.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" | "utf-8-sig" => Some(Self::Utf8),
            "cp949" | "cp-949" | "ms949" | "windows-949" | "uhc" | "euc-kr" | "euckr" => Some(Self::Cp949),
            "utf-16" | "utf16" => Some(Self::Utf16),
            "utf-16le" | "utf-16-le" | "utf16le" => Some(Self::Utf16Le),
            "utf-16be" | "utf-16-be" | "utf16be" => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Cp949 => "cp949",
            Self::Utf16 => "utf-16",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_the_encoding_of_that_name() {
        for name in Encoding::NAMES {
            assert_eq!(Encoding::from_name(name).map(Encoding::name), Some(name));
        }
    }

    #[test]
    fn cp949_goes_by_many_names_in_any_case() {
        for name in ["CP949", "euc-kr", "EUC_KR", "MS949", "Windows-949", "uhc"] {
            assert_eq!(Encoding::from_name(name), Some(Encoding::Cp949), "{name}");
        }
        assert_eq!(Encoding::from_name("latin-1"), None);
    }
}
