//! What the processor can do, as far as it decides what is fast.

use serde::Serialize;

/// Features of the processor, by the kernel's names for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Processor {
    /// As it calls itself.
    pub model: Option<String>,
    /// 256-bit vectors.
    pub avx2: bool,
    /// 512-bit vectors.
    pub avx512: bool,
    /// Products of 8-bit integers, for `int8`.
    pub vnni: bool,
    /// Products of bfloat16 numbers.
    pub bf16: bool,
    /// Tiles of bfloat16 numbers.
    pub amx_bf16: bool,
}

impl Processor {
    /// Of this machine; on systems without `/proc` nothing is known.
    pub(super) fn of_this_machine() -> Self {
        std::fs::read_to_string("/proc/cpuinfo").map_or_else(|_| Self::default(), |text| Self::parse(&text))
    }

    /// From the text of `/proc/cpuinfo`.
    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            let mut fields = text.lines().filter_map(|line| line.split_once(':'));
            fields.find_map(|(name, value)| (name.trim() == key).then(|| value.trim()))
        };
        let flags: Vec<&str> = value("flags").unwrap_or_default().split_whitespace().collect();
        let has = |flag: &str| flags.contains(&flag);
        Self {
            model: value("model name").map(str::to_owned),
            avx2: has("avx2"),
            avx512: has("avx512f") && has("avx512bw"),
            vnni: has("avx512_vnni") || has("avx_vnni"),
            bf16: has("avx512_bf16"),
            amx_bf16: has("amx_bf16"),
        }
    }

    /// Whether bfloat16 is faster than f32 here; elsewhere it is computed by way of f32.
    pub fn has_fast_bf16(&self) -> bool {
        self.bf16 || self.amx_bf16
    }

    /// The features that are there, in words.
    pub fn features(&self) -> Vec<&'static str> {
        let named = [
            (self.avx2, "AVX2"),
            (self.avx512, "AVX-512"),
            (self.vnni, "VNNI"),
            (self.bf16, "AVX512_BF16"),
            (self.amx_bf16, "AMX bf16"),
        ];
        named
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, name)| *name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_from_the_first_core() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 9755\nflags\t\t: fpu avx2 avx512f avx512bw avx512_vnni avx512_bf16\n\n\
                    processor\t: 1\nmodel name\t: other\nflags\t\t: fpu\n";
        let processor = Processor::parse(text);
        assert_eq!(processor.model.as_deref(), Some("AMD EPYC 9755"));
        assert_eq!(processor.features(), ["AVX2", "AVX-512", "VNNI", "AVX512_BF16"]);
        assert!(processor.has_fast_bf16());
    }

    #[test]
    fn a_flag_is_a_whole_word() {
        let processor = Processor::parse("flags : avx512_vnni_like avx512fx");
        assert_eq!(processor, Processor::default());
        assert!(!processor.has_fast_bf16());
    }
}
