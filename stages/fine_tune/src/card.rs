//! The model card: README.md in the model's directory.

use classification::Metrics;
use model::{ModelConfig, ModelSettings};
use report::{CardBase, CardFigure, CardTraining, CardValidation, ModelCard, PseudoLabelled, model_card};
use serde_json::Value;
use stage::{ArtifactType, Context, Failure, HubModel};

use crate::base_model::BaseModel;
use crate::params::{EXECUTION_PARAMS, Params};

/// The file's name within the model's directory.
pub(crate) const FILE: &str = "README.md";

/// Writes the card. `counts`: training rows per class; `validation`: figures of the model that is kept.
pub(crate) fn write(
    ctx: &Context,
    params: &Params,
    config: &ModelConfig,
    settings: &ModelSettings,
    counts: &[u64],
    train_rows: usize,
    validation: Option<&Metrics>,
) -> Result<(), Failure> {
    let (name, base) = name_and_base(ctx, params, config);
    let card = ModelCard {
        name,
        base,
        license: None,
        task: ctx.task(),
        labels: ctx.labels().names().map(str::to_owned).collect(),
        thresholds: settings.thresholds.clone(),
        validation: validation.map(figures),
        training: CardTraining {
            rows: train_rows as u64,
            pseudo_labelled: pseudo_labelled(ctx),
            per_class: counts.to_vec(),
        },
        settings: listed_params(ctx),
        normalize: settings.normalize.clone(),
        max_length: settings.max_length,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let file = format!("{}/{FILE}", crate::MODEL);
    let text =
        model_card(&card).map_err(|error| Failure::stage(format!("`{file}` cannot be written: {error}")))?;
    ctx.write(&file, text.as_bytes())
}

/// Neither says where a directory lies: the same model elsewhere has the same card.
fn name_and_base(ctx: &Context, params: &Params, config: &ModelConfig) -> (String, CardBase) {
    let architecture = config.architecture.name();
    if let Some((model, revision)) = hub_model(ctx, params) {
        return (
            format!("{}-finetuned", model.name()),
            CardBase::Hub(model.repository(), revision),
        );
    }
    if let (Some(BaseModel::Scratch(_)), true) = (&params.base_model, ctx.inputs("base").is_empty()) {
        let (layers, width) = (config.num_hidden_layers, config.hidden_size);
        let base = format!("trained from scratch ({architecture}, layers: {layers}, width: {width})");
        return (format!("{architecture}-from-scratch"), CardBase::Other(base));
    }
    let base = format!("fine-tuned from another model of the family {architecture}");
    (format!("{architecture}-finetuned"), CardBase::Other(base))
}

/// The model of the Hub that training started from, and its commit or what else says which state of it that was.
fn hub_model(ctx: &Context, params: &Params) -> Option<(HubModel, Option<String>)> {
    let item = ctx
        .inputs("base")
        .first()
        .or_else(|| ctx.inputs("base_model").first())?;
    let written = match &params.base_model {
        Some(BaseModel::Named(name)) if names_hub(name) => name,
        _ if item.name.starts_with(HubModel::SCHEME) => &item.name,
        _ => return None,
    };
    let model: HubModel = written.parse().ok()?;
    // In the cache of the Hub a model's files lie in a folder that is called as the commit.
    let folder = item.path.file_name().and_then(|folder| folder.to_str());
    let commit = folder.filter(|name| name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let given = Some(model.revision()).filter(|revision| *revision != HubModel::MAIN);
    let revision = commit.or(given).map(str::to_owned);
    Some((model, revision))
}

/// A directory can look like `owner/name`, too, but begins with a dot or a slash.
fn names_hub(name: &str) -> bool {
    !name.starts_with(['.', '/'])
}

fn figures(metrics: &Metrics) -> CardValidation {
    let figure = |metric, name, value| CardFigure { metric, name, value };
    let (accuracy, micro) = match metrics.multi_label {
        Some(several) => (
            "subset accuracy",
            Some(figure("f1", "micro-F1", several.micro_f1)),
        ),
        None => ("accuracy", None),
    };
    let figures = [
        figure("accuracy", accuracy, metrics.accuracy),
        figure("f1", "macro-F1", metrics.macro_f1),
        figure("f1", "weighted F1", metrics.weighted_f1),
    ];
    CardValidation {
        rows: metrics.rows,
        figures: figures.into_iter().chain(micro).collect(),
        per_class: metrics.per_class.clone(),
    }
}

fn pseudo_labelled(ctx: &Context) -> PseudoLabelled {
    let items = ctx.inputs("train");
    match items
        .iter()
        .filter(|item| item.artifact_type == ArtifactType::Kept)
        .count()
    {
        0 => PseudoLabelled::None,
        count if count == items.len() => PseudoLabelled::All,
        _ => PseudoLabelled::Some,
    }
}

/// The params that have a value, with the seed and the precision that they came to.
fn listed_params(ctx: &Context) -> Vec<(String, String)> {
    let Value::Object(params) = &ctx.invocation().params else {
        return Vec::new();
    };
    let resolved = [
        ("precision", ctx.invocation().precision.clone()),
        ("seed", ctx.seed().to_string()),
    ];
    let is_told = |(name, value): &(&String, &Value)| {
        let is_path = name.as_str() == "base_model" && value.as_str().is_some_and(|name| !names_hub(name));
        let is_execution = EXECUTION_PARAMS.contains(&name.as_str());
        !value.is_null() && !is_path && !is_execution && resolved.iter().all(|(other, _)| other != name)
    };
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let given = params
        .iter()
        .filter(is_told)
        .map(|(name, value)| (name.clone(), shown(value)));
    given
        .chain(
            resolved
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        )
        .collect()
}
