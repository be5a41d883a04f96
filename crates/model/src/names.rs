//! Where checkpoints keep the parts of an encoder: the families differ in little else.

use crate::Architecture;

/// Names of the parts of an encoder layer, after `LAYERS.INDEX.`.
#[derive(Debug)]
pub(crate) struct LayerNames {
    /// Of the list of layers.
    pub(crate) layers: &'static str,
    pub(crate) query: &'static str,
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) attention_output: &'static str,
    pub(crate) attention_norm: &'static str,
    pub(crate) intermediate: &'static str,
    pub(crate) output: &'static str,
    pub(crate) output_norm: &'static str,
}

/// `BertLayer` and its twins in ELECTRA and RoBERTa.
const BERT: LayerNames = LayerNames {
    layers: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    intermediate: "intermediate.dense",
    output: "output.dense",
    output_norm: "output.LayerNorm",
};

/// DistilBERT's `TransformerBlock`.
const DISTILBERT: LayerNames = LayerNames {
    layers: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attention_output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    intermediate: "ffn.lin1",
    output: "ffn.lin2",
    output_norm: "output_layer_norm",
};

impl Architecture {
    pub(crate) fn layer_names(self) -> &'static LayerNames {
        match self {
            Self::Electra | Self::Roberta | Self::Bert => &BERT,
            Self::Distilbert => &DISTILBERT,
        }
    }

    /// The head's two layers. transformers counts BERT's first one to the encoder and calls it its pooler.
    pub(crate) fn head_names(self) -> (&'static str, &'static str) {
        match self {
            Self::Electra | Self::Roberta => ("classifier.dense", "classifier.out_proj"),
            Self::Bert => (POOLER, "classifier"),
            Self::Distilbert => ("pre_classifier", "classifier"),
        }
    }
}

const POOLER: &str = "pooler.dense";

/// Whether a parameter belongs to the classification head, whose names do not begin with the encoder's.
pub(crate) fn is_head(name: &str) -> bool {
    name.starts_with("classifier.") || name.starts_with("pre_classifier.")
}

/// Whether a parameter is the pooler's, which encoders that were pretrained without sentence pairs lack.
pub(crate) fn is_pooler(name: &str) -> bool {
    name.starts_with(POOLER)
}

/// The name that checkpoints converted from TensorFlow have for a parameter of a LayerNorm.
pub(crate) fn before_renaming(name: &str) -> Option<String> {
    let (layer, parameter) = name.rsplit_once('.')?;
    let old = match parameter {
        "weight" => "gamma",
        "bias" => "beta",
        _ => return None,
    };
    layer.ends_with("LayerNorm").then(|| format!("{layer}.{old}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_layer_norms_had_other_names() {
        assert_eq!(
            before_renaming("a.LayerNorm.bias").as_deref(),
            Some("a.LayerNorm.beta")
        );
        assert_eq!(
            before_renaming("a.LayerNorm.weight").as_deref(),
            Some("a.LayerNorm.gamma")
        );
        assert_eq!(before_renaming("a.dense.weight"), None);
    }
}
