//! The parts of a model by name, whatever is kept of each: values, gradients, sizes.

/// A weight and a bias; of a norm its scale (gamma) and shift (beta).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<T> {
    pub(crate) weight: T,
    pub(crate) bias: T,
}

/// One thing for each parameter of an encoder layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerParts<T> {
    pub(crate) query: Pair<T>,
    pub(crate) key: Pair<T>,
    pub(crate) value: Pair<T>,
    pub(crate) attention_output: Pair<T>,
    pub(crate) attention_norm: Pair<T>,
    pub(crate) intermediate: Pair<T>,
    pub(crate) output: Pair<T>,
    pub(crate) output_norm: Pair<T>,
}

/// One thing for each parameter of a model.
#[derive(Debug)]
pub(crate) struct Parts<T> {
    pub(crate) words: T,
    pub(crate) positions: T,
    pub(crate) token_types: Option<T>,
    pub(crate) embedding_norm: Pair<T>,
    pub(crate) projection: Option<Pair<T>>,
    pub(crate) layers: Vec<LayerParts<T>>,
    pub(crate) head_dense: Pair<T>,
    pub(crate) head_output: Pair<T>,
}

/// What of a model is optional or repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presence {
    pub(crate) token_types: bool,
    pub(crate) projection: bool,
    pub(crate) layers: usize,
}

impl<T> Parts<T> {
    /// Takes what `next` gives in the order of the parameters.
    pub(crate) fn arrange(presence: Presence, mut next: impl FnMut() -> T) -> Self {
        Self {
            words: next(),
            positions: next(),
            token_types: presence.token_types.then(&mut next),
            embedding_norm: pair(&mut next),
            projection: presence.projection.then(|| pair(&mut next)),
            layers: (0..presence.layers).map(|_| layer(&mut next)).collect(),
            head_dense: pair(&mut next),
            head_output: pair(&mut next),
        }
    }
}

fn pair<T>(next: &mut impl FnMut() -> T) -> Pair<T> {
    Pair {
        weight: next(),
        bias: next(),
    }
}

fn layer<T>(next: &mut impl FnMut() -> T) -> LayerParts<T> {
    LayerParts {
        query: pair(next),
        key: pair(next),
        value: pair(next),
        attention_output: pair(next),
        attention_norm: pair(next),
        intermediate: pair(next),
        output: pair(next),
        output_norm: pair(next),
    }
}
