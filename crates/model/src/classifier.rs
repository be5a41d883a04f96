//! The whole model: embeddings, encoder layers, classification head.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use native::training::Network;

use crate::build::{Builder, Export};
use crate::embeddings::Embeddings;
use crate::encoder::EncoderLayer;
use crate::head::ClassificationHead;
use crate::init::Seeded;
use crate::{Architecture, Batch, ModelConfig, ModelError, Precision, host, names};

/// An encoder with a classification head.
///
/// On an autodiff device it trains (dropout is on where its probability is not 0); its [`Module::valid`] or a model
/// loaded on a plain device only predicts. Biases end in `bias`, LayerNorm's parameters in `gamma` and `beta`.
#[derive(Module, Debug)]
pub struct SequenceClassifier {
    embeddings: Embeddings,
    embeddings_project: Option<Linear>,
    layers: Vec<EncoderLayer>,
    head: ClassificationHead,
    #[module(skip)]
    precision: Precision,
    /// The same model for the crate `native`.
    #[module(skip)]
    network: Network,
}

impl SequenceClassifier {
    /// A new model with random weights that depend on `seed` alone.
    pub fn init(config: &ModelConfig, labels: usize, device: &Device, seed: u64) -> Result<Self, ModelError> {
        let mut source = Seeded {
            seed,
            standard_deviation: config.initializer_range,
        };
        Self::build(
            config,
            labels,
            &mut Builder {
                source: &mut source,
                device,
            },
        )
    }

    pub(crate) fn build(
        config: &ModelConfig,
        labels: usize,
        builder: &mut Builder<'_>,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let (narrow, wide) = (config.embedding_size, config.hidden_size);
        let embeddings = Embeddings::build(config, builder)?;
        let embeddings_project = if narrow == wide {
            None
        } else {
            Some(builder.linear("embeddings_project", narrow, wide)?)
        };
        let layers = (0..config.num_hidden_layers)
            .map(|index| EncoderLayer::build(index, config, builder))
            .collect::<Result<_, _>>()?;
        let head = ClassificationHead::build(config, labels, builder)?;
        Ok(Self {
            embeddings,
            embeddings_project,
            layers,
            head,
            precision: Precision::F32,
            network: host::network(config, labels),
        })
    }

    /// The same parameters, computing in `precision`. Embeddings, the head, and what brings embeddings to the hidden size are
    /// a thousandth of the work and stay in f32.
    pub fn in_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// As [`Self::in_precision`], with the parameters themselves in that precision: for prediction only.
    pub(crate) fn lowered(self, precision: Precision) -> Self {
        let layers = self.layers.into_iter().map(|layer| layer.lowered(precision));
        Self {
            layers: layers.collect(),
            precision,
            ..self
        }
    }

    /// The parameters under their names in a checkpoint of the family.
    pub(crate) fn export(&self, architecture: Architecture) -> Export {
        let mut export = Export::default();
        self.embeddings.export(&mut export);
        if let Some(project) = &self.embeddings_project {
            export.linear("embeddings_project", project);
        }
        for (index, layer) in self.layers.iter().enumerate() {
            layer.export(index, architecture.layer_names(), &mut export);
        }
        self.head.export(architecture, &mut export);
        for parameter in &mut export.parameters {
            if !names::is_head(&parameter.name) {
                parameter.name = format!("{}.{}", architecture.name(), parameter.name);
            }
        }
        export
    }

    /// The last layer is computed for the first token of each text only: the head reads nothing else, so
    /// logits and gradients are those of the full computation.
    ///
    /// # Shapes
    /// - returns logits: `[rows, labels]`, f32
    pub fn forward(&self, batch: &Batch) -> Tensor<2> {
        let mut hidden = self.embeddings.forward(batch);
        if let Some(project) = &self.embeddings_project {
            hidden = project.forward(hidden);
        }
        let (last, others) = self
            .layers
            .split_last()
            .expect("a checked configuration has a layer");
        for layer in others {
            hidden = layer.forward(hidden, batch, self.precision);
        }
        self.head
            .forward(last.forward_first(hidden, batch, self.precision))
    }

    /// What the model computes, for training on the CPU with the parameters of [`SequenceClassifier::parameters`].
    pub fn network(&self) -> Network {
        self.network.clone()
    }

    /// Number of classes.
    pub fn labels(&self) -> usize {
        self.head.labels()
    }

    /// The most tokens that a text may have.
    pub fn max_length(&self) -> usize {
        self.embeddings.max_length()
    }
}
