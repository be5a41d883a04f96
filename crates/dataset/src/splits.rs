//! The tables of a pipeline together.

use crate::{Labelled, Raw, Split};

/// The tables of a pipeline, those that there are.
#[derive(Clone, Debug, Default)]
pub struct Splits {
    /// Human-verified, only evaluated on.
    pub golden: Option<Labelled>,
    /// Chooses the best model.
    pub validation: Option<Labelled>,
    /// Trains.
    pub train: Option<Labelled>,
    /// Has no labels.
    pub raw: Option<Raw>,
}

impl Splits {
    /// The labelled tables that there are, in the order train, validation, golden.
    pub fn labelled(&self) -> impl Iterator<Item = (Split, &Labelled)> {
        [
            (Split::Train, &self.train),
            (Split::Validation, &self.validation),
            (Split::Golden, &self.golden),
        ]
        .into_iter()
        .filter_map(|(split, rows)| rows.as_ref().map(|rows| (split, rows)))
    }

    /// As [`Splits::labelled`], to be changed.
    pub fn labelled_mut(&mut self) -> impl Iterator<Item = (Split, &mut Labelled)> {
        let Self {
            golden,
            validation,
            train,
            ..
        } = self;
        [
            (Split::Train, train),
            (Split::Validation, validation),
            (Split::Golden, golden),
        ]
        .into_iter()
        .filter_map(|(split, rows)| rows.as_mut().map(|rows| (split, rows)))
    }
}
