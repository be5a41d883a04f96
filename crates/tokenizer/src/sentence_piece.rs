//! SentencePiece models as KoBERT's authors publish them: a unigram vocabulary whose special tokens are BERT's.
//!
//! The reader takes the pieces, the table of character replacements and the few switches that matter, and builds the
//! same tokenizer out of the parts that `tokenizer.json` has names for, so that transformers reads what is saved.

use std::path::Path;
use std::sync::Arc;

use tokenizers::models::unigram::Unigram as PortableUnigram;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{NFKC, Precompiled, Replace, Sequence, Strip};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, NormalizedString, Normalizer, NormalizerWrapper};

use crate::TokenizerError;
use crate::protobuf::{Fields, Value};
use crate::special::{CLS, MASK, PAD, SEP, UNK};
use crate::unigram::Unigram;

/// Names under which Korean encoders are published with such a file; the first is the one to save it under.
pub(crate) const NAMES: [&str; 2] = ["spiece.model", "tokenizer_78b3253a26.model"];

/// Stands for a space in pieces.
const SPACE: char = '▁';

/// A SentencePiece model that spells texts as SentencePiece does.
#[derive(Clone, Debug)]
pub(crate) struct SentencePiece {
    /// The content of the file.
    pub(crate) bytes: Arc<[u8]>,
    unigram: Arc<Unigram>,
    normalizer: Option<NormalizerWrapper>,
    add_dummy_prefix: bool,
}

impl SentencePiece {
    /// Reads `bytes`, the content of the file at `path`; with it comes the tokenizer that stands for it elsewhere.
    pub(crate) fn parse(
        bytes: Vec<u8>,
        path: &Path,
    ) -> Result<(Self, tokenizers::Tokenizer), TokenizerError> {
        let file = ModelFile::parse(&bytes)
            .ok_or_else(|| TokenizerError::invalid(path, "not a SentencePiece model, or cut off"))?;
        let unknown = file
            .check()
            .map_err(|reason| TokenizerError::invalid(path, reason))?;
        let portable = file
            .portable(unknown)
            .map_err(|error| TokenizerError::invalid(path, error))?;
        let model = Self {
            bytes: bytes.into(),
            unigram: Arc::new(file.unigram(unknown)),
            normalizer: portable.get_normalizer().cloned(),
            add_dummy_prefix: file.add_dummy_prefix,
        };
        Ok((model, portable))
    }

    /// The ids of `text`, special tokens not added.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut normalized = NormalizedString::from(text);
        if let Some(normalizer) = &self.normalizer {
            normalizer
                .normalize(&mut normalized)
                .expect("the steps of a SentencePiece model take any text");
        }
        let mut pieces = normalized.get().replace(' ', "▁");
        if self.add_dummy_prefix && !pieces.is_empty() {
            pieces.insert(0, SPACE);
        }
        self.unigram.spell(&pieces)
    }
}

/// What is read of a model; field names are SentencePiece's.
struct ModelFile {
    pieces: Vec<Piece>,
    /// 1: unigram, 2: BPE, 3: word, 4: character.
    model_type: u64,
    byte_fallback: bool,
    treat_whitespace_as_suffix: bool,
    precompiled_charsmap: Vec<u8>,
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
}

struct Piece {
    text: String,
    score: f32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Spells texts.
    Ordinary,
    /// Defined by the author: always found where it stands.
    Symbol,
    /// What nothing else spells.
    Unknown,
    /// Never in a text: control, unused and byte pieces.
    Hidden,
}

impl ModelFile {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut file = Self {
            pieces: Vec::new(),
            model_type: 1,
            byte_fallback: false,
            treat_whitespace_as_suffix: false,
            precompiled_charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
        };
        for field in Fields::new(bytes) {
            match field? {
                (1, Value::Bytes(piece)) => file.pieces.push(Piece::parse(piece)?),
                (2, Value::Bytes(trainer)) => file.read_trainer(trainer)?,
                (3, Value::Bytes(normalizer)) => file.read_normalizer(normalizer)?,
                _ => {}
            }
        }
        (!file.pieces.is_empty()).then_some(file)
    }

    fn read_trainer(&mut self, message: &[u8]) -> Option<()> {
        for field in Fields::new(message) {
            match field? {
                (3, Value::Number(kind)) => self.model_type = kind,
                (24, Value::Number(switch)) => self.treat_whitespace_as_suffix = switch != 0,
                (35, Value::Number(switch)) => self.byte_fallback = switch != 0,
                _ => {}
            }
        }
        Some(())
    }

    fn read_normalizer(&mut self, message: &[u8]) -> Option<()> {
        for field in Fields::new(message) {
            match field? {
                (2, Value::Bytes(table)) => self.precompiled_charsmap = table.to_vec(),
                (3, Value::Number(switch)) => self.add_dummy_prefix = switch != 0,
                (4, Value::Number(switch)) => self.remove_extra_whitespaces = switch != 0,
                _ => {}
            }
        }
        Some(())
    }

    /// The id of the unknown piece, if the model is of the supported kind.
    fn check(&self) -> Result<usize, &'static str> {
        if self.model_type != 1 {
            return Err("not a unigram model, which is the only kind of SentencePiece model supported");
        }
        if self.treat_whitespace_as_suffix {
            return Err("`treat_whitespace_as_suffix` is not supported");
        }
        if self.byte_fallback {
            return Err("`byte_fallback` is not supported");
        }
        let unknown = self.pieces.iter().position(|piece| piece.kind == Kind::Unknown);
        unknown.ok_or("no piece stands for what is unknown")
    }

    fn unigram(&self, unknown: usize) -> Unigram {
        let of_kind = |kind| {
            let pieces = self.pieces.iter().enumerate();
            pieces
                .filter(move |(_, piece)| piece.kind == kind)
                .map(|(id, piece)| (id as u32, piece))
        };
        Unigram::new(
            of_kind(Kind::Ordinary).map(|(id, piece)| (id, piece.text.as_str(), piece.score)),
            of_kind(Kind::Symbol).map(|(id, piece)| (id, piece.text.as_str())),
            unknown as u32,
        )
    }

    /// The same out of the parts of `tokenizer.json`.
    fn portable(&self, unknown: usize) -> tokenizers::Result<tokenizers::Tokenizer> {
        // Within one word between spaces a piece is spelt alike, and short words are found in a cache.
        let split = self
            .pieces
            .iter()
            .all(|piece| piece.text.chars().skip(1).all(|letter| letter != SPACE));
        let prepend = if self.add_dummy_prefix {
            PrependScheme::Always
        } else {
            PrependScheme::Never
        };
        let space = Metaspace::new(SPACE, prepend, split);
        let model = PortableUnigram::from(self.scores(), Some(unknown), false)?;
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_normalizer(self.normalizer()?)?;
        tokenizer.with_pre_tokenizer(Some(space.clone()));
        tokenizer.with_decoder(Some(space));
        let specials = [PAD, UNK, CLS, SEP, MASK]
            .into_iter()
            .filter(|token| tokenizer.token_to_id(token).is_some());
        let specials: Vec<AddedToken> = specials.map(|token| AddedToken::from(token, true)).collect();
        tokenizer.add_special_tokens(specials)?;
        if let (Some(sep), Some(cls)) = (tokenizer.token_to_id(SEP), tokenizer.token_to_id(CLS)) {
            tokenizer.with_post_processor(Some(BertProcessing::new(
                (SEP.to_owned(), sep),
                (CLS.to_owned(), cls),
            )));
        }
        Ok(tokenizer)
    }

    /// Pieces with their scores: symbols one that nothing beats, what may not stand for text one that anything beats.
    fn scores(&self) -> Vec<(String, f64)> {
        let ordinary = self.pieces.iter().filter(|piece| piece.kind == Kind::Ordinary);
        let hidden = f64::from(ordinary.map(|piece| piece.score).fold(0.0, f32::min)) - 100.0;
        let score = |piece: &Piece| match piece.kind {
            Kind::Ordinary => f64::from(piece.score),
            Kind::Symbol => 0.0,
            Kind::Unknown | Kind::Hidden => hidden,
        };
        self.pieces
            .iter()
            .map(|piece| (piece.text.clone(), score(piece)))
            .collect()
    }

    /// SentencePiece replaces the longest sequence that its table knows, which composes Hangul out of its letters;
    /// `Precompiled` looks at single characters, so they are composed before.
    fn normalizer(&self) -> tokenizers::Result<Option<NormalizerWrapper>> {
        let mut steps: Vec<NormalizerWrapper> = Vec::new();
        if !self.precompiled_charsmap.is_empty() {
            steps.push(NFKC.into());
            steps.push(Precompiled::from(&self.precompiled_charsmap)?.into());
        }
        if self.remove_extra_whitespaces {
            steps.push(Strip::new(true, true).into());
            steps.push(Replace::new(ReplacePattern::Regex(" {2,}".to_owned()), " ")?.into());
        }
        Ok((!steps.is_empty()).then(|| Sequence::new(steps).into()))
    }
}

impl Piece {
    fn parse(message: &[u8]) -> Option<Self> {
        let mut piece = Self {
            text: String::new(),
            score: 0.0,
            kind: Kind::Ordinary,
        };
        for field in Fields::new(message) {
            match field? {
                (1, Value::Bytes(text)) => piece.text = String::from_utf8(text.to_vec()).ok()?,
                (2, Value::Float(score)) => piece.score = score,
                (3, Value::Number(2)) => piece.kind = Kind::Unknown,
                (3, Value::Number(4)) => piece.kind = Kind::Symbol,
                (3, Value::Number(3 | 5 | 6)) => piece.kind = Kind::Hidden,
                _ => {}
            }
        }
        Some(piece)
    }
}
