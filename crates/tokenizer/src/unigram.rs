//! SentencePiece's unigram model to the bit: the same spelling of a text even where several are equally likely.
//!
//! tokenizers adds up scores in f64, SentencePiece in f32, whose rounding decides how it spells `....`. What was trained
//! with SentencePiece is given its ids; what is trained here has those of `tokenizer.json`, which transformers reads.

use std::collections::HashMap;

/// Taken off the score of the least likely piece for a character that no piece spells.
const UNKNOWN_PENALTY: f32 = 10.0;

/// Pieces that spell texts.
#[derive(Debug, Default)]
pub(crate) struct Unigram {
    /// Id and score by text.
    pieces: HashMap<String, (u32, f32)>,
    /// Bytes of the longest piece.
    longest: usize,
    unknown: u32,
    unknown_score: f32,
}

/// The best spelling of a text up to some byte.
#[derive(Clone, Copy)]
struct Best {
    score: f32,
    /// Where its last piece starts, and that piece.
    last: Option<(usize, u32)>,
}

impl Unigram {
    /// A model of `pieces` (id, text, score) and of `symbols`, which are always found where they stand.
    pub(crate) fn new<'a>(
        pieces: impl Iterator<Item = (u32, &'a str, f32)> + Clone,
        symbols: impl Iterator<Item = (u32, &'a str)>,
        unknown: u32,
    ) -> Self {
        let scores = pieces.clone().map(|(_, _, score)| score);
        let (lowest, highest) = scores.fold((f32::MAX, f32::MIN), |(low, high), score| {
            (low.min(score), high.max(score))
        });
        let pieces = pieces.map(|(id, text, score)| (text.to_owned(), (id, score)));
        let symbols = symbols.map(|(id, text)| {
            let score = text.len() as f32 * highest - 0.1;
            (text.to_owned(), (id, score))
        });
        let pieces: HashMap<_, _> = pieces.chain(symbols).collect();
        Self {
            longest: pieces.keys().map(String::len).max().unwrap_or(0),
            pieces,
            unknown,
            unknown_score: lowest - UNKNOWN_PENALTY,
        }
    }

    /// The ids of the likeliest spelling of `text`; a run of characters that no piece spells is one unknown.
    pub(crate) fn spell(&self, text: &str) -> Vec<u32> {
        let mut best = vec![
            Best {
                score: 0.0,
                last: None
            };
            text.len() + 1
        ];
        for (start, letter) in text.char_indices() {
            let so_far = best[start].score;
            let mut improve = |end: usize, id: u32, score: f32| {
                let score = score + so_far;
                if best[end].last.is_none() || score > best[end].score {
                    best[end] = Best {
                        score,
                        last: Some((start, id)),
                    };
                }
            };
            let mut spelt = false;
            let ends = text[start..]
                .char_indices()
                .map(|(at, letter)| at + letter.len_utf8());
            for length in ends.take_while(|length| *length <= self.longest) {
                if let Some(&(id, score)) = self.pieces.get(&text[start..start + length]) {
                    improve(start + length, id, score);
                    spelt |= length == letter.len_utf8();
                }
            }
            if !spelt {
                improve(start + letter.len_utf8(), self.unknown, self.unknown_score);
            }
        }
        self.read_back(&best)
    }

    fn read_back(&self, best: &[Best]) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut end = best.len() - 1;
        while let Some((start, id)) = best[end].last {
            ids.push(id);
            end = start;
        }
        ids.reverse();
        ids.dedup_by(|later, earlier| *later == self.unknown && *earlier == self.unknown);
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(text: &str) -> Vec<u32> {
        let pieces = [
            (1, "가", -2.0),
            (2, "가나", -3.0),
            (3, "나", -2.0),
            (4, "다라", -9.0),
        ];
        Unigram::new(pieces.into_iter(), [(5, "[SEP]")].into_iter(), 0).spell(text)
    }

    #[test]
    fn the_likeliest_pieces_win() {
        assert_eq!(spell("가나가"), [2, 1]);
    }

    #[test]
    fn a_run_that_no_piece_spells_is_one_unknown() {
        assert_eq!(spell("가xyz나"), [1, 0, 3]);
        assert_eq!(spell("다라다"), [4, 0]);
    }

    #[test]
    fn a_symbol_is_found_where_it_stands() {
        assert_eq!(spell("가[SEP]나"), [1, 5, 3]);
    }

    #[test]
    fn no_text_has_no_pieces() {
        assert!(spell("").is_empty());
    }
}
