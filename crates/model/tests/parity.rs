//! Checkpoints in and out, held against transformers' own numbers.
//!
//! The reference models stand in `tests/fixtures`; `PARITY_FIXTURES` names another folder of the same shape.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use classification::{LabelSet, Task};
use model::{
    BaseOptions, Choice, Inference, ModelConfig, ModelError, ModelSettings, Precision, Predictor,
    SequenceClassifier, Sizes, infer, load_base, load_trained, open_device, save,
};
use serde_json::Value;
use tokenizer::{Encoding, Tokenizer, train_wordpiece};

type Device = burn::tensor::Device;

fn device() -> Device {
    open_device("cpu", "flex").unwrap()
}

fn own_fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn fixtures() -> PathBuf {
    std::env::var_os("PARITY_FIXTURES").map_or_else(own_fixtures, PathBuf::from)
}

/// The reference models that are there, of the supported kinds.
fn references() -> Vec<Reference> {
    let names = [
        "electra",
        "electra-factorized",
        "electra-multilabel",
        "roberta",
        "bert",
        "distilbert",
    ];
    let directories = names
        .map(|name| fixtures().join(name))
        .into_iter()
        .filter(|path| path.is_dir());
    let references: Vec<Reference> = directories.map(Reference::read).collect();
    assert!(
        references.len() >= 2,
        "no reference models in `{}`",
        fixtures().display()
    );
    references
}

struct Reference {
    directory: PathBuf,
    texts: Vec<String>,
    ids: Vec<Vec<u32>>,
    logits: Vec<Vec<f32>>,
}

impl Reference {
    fn read(directory: PathBuf) -> Self {
        let file: Value =
            serde_json::from_slice(&std::fs::read(directory.join("expected.json")).unwrap()).unwrap();
        let masks: Vec<Vec<u32>> = serde_json::from_value(file["attention_mask"].clone()).unwrap();
        let padded: Vec<Vec<u32>> = serde_json::from_value(file["input_ids"].clone()).unwrap();
        let ids = padded.into_iter().zip(masks);
        let ids = ids
            .map(|(ids, mask)| ids[..mask.iter().sum::<u32>() as usize].to_vec())
            .collect();
        let texts = serde_json::from_value(file["texts"].clone()).unwrap();
        let logits = serde_json::from_value(file["logits"].clone()).unwrap();
        Self {
            directory,
            texts,
            ids,
            logits,
        }
    }

    fn name(&self) -> String {
        self.directory.display().to_string()
    }
}

fn predict(directory: &Path, texts: &[String]) -> Inference {
    let predictor = Predictor::load(directory, None, &device()).unwrap();
    predictor.predict(texts, None, None, &mut |_, _| {}).unwrap()
}

/// A copy of the first reference model that a test may damage.
fn copy() -> (tempfile::TempDir, Reference) {
    copy_of(references().remove(0))
}

/// A copy of the reference model `name` of this crate.
fn copy_own(name: &str) -> (tempfile::TempDir, Reference) {
    copy_of(Reference::read(own_fixtures().join(name)))
}

fn copy_of(reference: Reference) -> (tempfile::TempDir, Reference) {
    let directory = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&reference.directory).unwrap() {
        let entry = entry.unwrap();
        let content = std::fs::read(entry.path()).unwrap();
        std::fs::write(directory.path().join(entry.file_name()), content).unwrap();
    }
    (directory, reference)
}

fn edit_config(directory: &Path, edit: impl FnOnce(&mut Value)) {
    let path = directory.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    edit(&mut config);
    std::fs::write(path, config.to_string()).unwrap();
}

fn message(directory: &Path) -> String {
    Predictor::load(directory, None, &device())
        .unwrap_err()
        .to_string()
}

fn close(found: &[Vec<f32>], expected: &[Vec<f32>], tolerance: f32, name: &str) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{name}, row {row}");
        for (a, b) in found.iter().zip(expected) {
            assert!(
                (a - b).abs() <= tolerance,
                "{name}, row {row}: {found:?} instead of {expected:?}"
            );
        }
    }
}

#[test]
fn ids_are_those_of_transformers() {
    for reference in references() {
        let predictor = Predictor::load(&reference.directory, None, &device()).unwrap();
        let encodings = predictor
            .tokenizer()
            .encode_batch(&reference.texts, predictor.max_length());
        let ids: Vec<Vec<u32>> = encodings.into_iter().map(|encoding| encoding.ids).collect();
        assert_eq!(ids, reference.ids, "{}", reference.name());
    }
}

#[test]
fn logits_are_those_of_transformers() {
    for reference in references() {
        let inference = predict(&reference.directory, &reference.texts);
        close(&inference.logits, &reference.logits, 1e-4, &reference.name());
        let tokens: usize = reference.ids.iter().map(Vec::len).sum();
        assert_eq!(inference.tokens, tokens as u64);
        assert!(inference.padded_tokens >= inference.tokens);
    }
}

/// Every device that this build can use here, and how far its f32 may be off: GPUs multiply in TF32.
fn devices() -> Vec<(String, Device, f32)> {
    let places = [
        ("cpu", "flex", 1e-4),
        ("cpu", "tch", 1e-4),
        ("cuda", "tch", 2e-3),
        ("cuda", "cuda", 2e-3),
    ];
    let found = places.into_iter().filter_map(|(device, backend, tolerance)| {
        let choice = Choice::of(device, backend, "f32").ok()?;
        Some((choice.to_string(), choice.open().unwrap(), tolerance))
    });
    found.collect()
}

/// Through burn, which on the CPU is training's and not [`Predictor`]'s way.
fn logits_on(device: &Device, reference: &Reference, precision: Precision) -> Vec<Vec<f32>> {
    let loaded = load_trained(&reference.directory, None, device).unwrap();
    let encodings: Vec<Encoding> = reference
        .ids
        .iter()
        .map(|ids| Encoding { ids: ids.clone() })
        .collect();
    let model = loaded.classifier.in_precision(precision);
    let pad_id = loaded.tokenizer.pad_id();
    infer(&model, &encodings, pad_id, 64, device, &mut |_, _| {})
        .unwrap()
        .logits
}

#[test]
fn logits_of_every_device_are_those_of_transformers() {
    for (name, device, tolerance) in devices() {
        for reference in references() {
            let logits = logits_on(&device, &reference, Precision::F32);
            close(
                &logits,
                &reference.logits,
                tolerance,
                &format!("{name}: {}", reference.name()),
            );
        }
    }
}

#[test]
fn logits_in_bf16_are_close() {
    for (name, device, _) in devices() {
        for reference in references() {
            let logits = logits_on(&device, &reference, Precision::Bf16);
            close(
                &logits,
                &reference.logits,
                2e-2,
                &format!("{name}: {}", reference.name()),
            );
            assert_ne!(
                logits,
                logits_on(&device, &reference, Precision::F32),
                "{name}: nothing was in bf16"
            );
        }
    }
}

#[test]
fn a_predictor_on_a_device_lowers_its_weights_and_says_the_same() {
    for (name, device, _) in devices()
        .into_iter()
        .filter(|(_, device, _)| *device != Device::flex())
    {
        for reference in references() {
            let predictor = Predictor::load_in(&reference.directory, None, &device, "bf16").unwrap();
            let found = predictor
                .predict(&reference.texts, None, None, &mut |_, _| {})
                .unwrap();
            let expected = logits_on(&device, &reference, Precision::Bf16);
            close(
                &found.logits,
                &expected,
                2e-2,
                &format!("{name}: {}", reference.name()),
            );
        }
    }
}

#[test]
fn an_exported_model_gives_the_same_logits() {
    for reference in references() {
        let loaded = load_trained(&reference.directory, None, &device()).unwrap();
        let copy = tempfile::tempdir().unwrap();
        let settings = ModelSettings::new(
            loaded.settings.task,
            &loaded.labels,
            "nfc",
            loaded.settings.max_length,
            "f",
        );
        save(
            copy.path(),
            &loaded.classifier,
            &loaded.config,
            &loaded.labels,
            &loaded.tokenizer,
            &settings,
        )
        .unwrap();
        let again = load_trained(copy.path(), Some(&loaded.labels), &device()).unwrap();
        assert_eq!(again.config, loaded.config);
        assert_eq!(again.settings, settings);
        assert!(again.new_tensors.is_empty() && again.unused_tensors.is_empty());
        let before = predict(&reference.directory, &reference.texts).logits;
        assert_eq!(
            predict(copy.path(), &reference.texts).logits,
            before,
            "{}",
            reference.name()
        );
    }
}

#[test]
fn an_export_holds_the_tensors_of_the_original_byte_for_byte() {
    for reference in references() {
        let loaded = load_trained(&reference.directory, None, &device()).unwrap();
        let copy = tempfile::tempdir().unwrap();
        let Loaded {
            classifier,
            config,
            labels,
            tokenizer,
            settings,
        } = Loaded::from(loaded);
        save(copy.path(), &classifier, &config, &labels, &tokenizer, &settings).unwrap();
        let read = |directory: &Path| {
            let bytes = std::fs::read(directory.join("model.safetensors")).unwrap();
            let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let mut tensors: Vec<_> = tensors
                .tensors()
                .into_iter()
                .map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec()))
                .collect();
            tensors.sort();
            tensors
        };
        assert!(
            read(copy.path()) == read(&reference.directory),
            "{}",
            reference.name()
        );
    }
}

/// What `save` takes.
struct Loaded {
    classifier: SequenceClassifier,
    config: ModelConfig,
    labels: LabelSet,
    tokenizer: Tokenizer,
    settings: ModelSettings,
}

impl From<model::Loaded> for Loaded {
    fn from(loaded: model::Loaded) -> Self {
        let model::Loaded {
            classifier,
            config,
            labels,
            tokenizer,
            settings,
            ..
        } = loaded;
        Self {
            classifier,
            config,
            labels,
            tokenizer,
            settings,
        }
    }
}

#[test]
fn a_row_does_not_depend_on_what_it_is_padded_to() {
    for reference in references() {
        let loaded = load_trained(&reference.directory, None, &device()).unwrap();
        let encodings: Vec<Encoding> = reference
            .ids
            .iter()
            .map(|ids| Encoding { ids: ids.clone() })
            .collect();
        let logits = |batch_tokens: usize| {
            infer(
                &loaded.classifier,
                &encodings,
                loaded.tokenizer.pad_id(),
                batch_tokens,
                &device(),
                &mut |_, _| {},
            )
            .unwrap()
        };
        let (alone, together) = (logits(1), logits(100_000));
        assert_eq!(alone.tokens, alone.padded_tokens);
        assert!(together.padded_tokens > together.tokens);
        close(&alone.logits, &together.logits, 1e-5, &reference.name());
    }
}

#[test]
fn progress_ends_at_the_number_of_texts() {
    let reference = references().remove(0);
    let predictor = Predictor::load(&reference.directory, None, &device()).unwrap();
    let mut seen = Vec::new();
    predictor
        .predict(&reference.texts, None, Some(64), &mut |done, total| {
            seen.push((done, total))
        })
        .unwrap();
    assert!(seen.is_sorted());
    assert_eq!(seen.last(), Some(&(16, 16)));
}

#[test]
fn no_texts_and_empty_texts_are_no_trouble() {
    let reference = references().remove(0);
    assert!(predict(&reference.directory, &[]).logits.is_empty());
    let texts = [String::new(), "가 ".repeat(5_000), "\u{200b}".to_owned()];
    let inference = predict(&reference.directory, &texts);
    assert!(inference.logits.iter().flatten().all(|logit| logit.is_finite()));
    close(
        &inference.logits[..1],
        &inference.logits[2..],
        1e-6,
        "texts without a token",
    );
}

#[test]
fn a_truncated_checkpoint_is_refused() {
    let (directory, _) = copy();
    let path = directory.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let message = message(directory.path());
    assert!(message.contains("model.safetensors`: truncated: "), "{message}");
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both_shapes() {
    let (directory, _) = copy();
    edit_config(directory.path(), |config| {
        config["intermediate_size"] = 100.into()
    });
    let message = message(directory.path());
    assert!(
        message.contains("tensor `electra.encoder.layer.0.intermediate.dense.weight` has shape ["),
        "{message}"
    );
    assert!(message.contains("but config.json asks for [100, "), "{message}");
}

#[test]
fn a_missing_tensor_is_named() {
    let (directory, _) = copy();
    edit_config(directory.path(), |config| config["num_hidden_layers"] = 4.into());
    let message = message(directory.path());
    assert!(
        message.contains("has no tensor `electra.encoder.layer.3.attention.self.query.weight`"),
        "{message}"
    );
}

#[test]
fn a_tokenizer_larger_than_the_embedding_is_refused() {
    let (directory, _) = copy();
    std::fs::remove_file(directory.path().join("tokenizer.json")).unwrap();
    let path = directory.path().join("vocab.txt");
    let vocabulary = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, vocabulary + "##새\n##것\n").unwrap();
    let message = message(directory.path());
    assert!(message.contains("tokens, but the embedding only "), "{message}");
}

#[test]
fn tokens_that_were_added_beyond_the_embedding_are_left_out() {
    let (directory, reference) = copy();
    let path = directory.path().join("tokenizer.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let before = Predictor::load(directory.path(), None, &device()).unwrap();
    let token = serde_json::json!({"id": before.tokenizer().vocab_size(), "content": "[NAME]", "single_word": false,
        "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    file["added_tokens"].as_array_mut().unwrap().push(token);
    std::fs::write(&path, file.to_string()).unwrap();
    let after = Predictor::load(directory.path(), None, &device()).unwrap();
    let ids = |predictor: &Predictor| predictor.tokenizer().encode("[NAME] 안녕", 64);
    assert_eq!(ids(&after), ids(&before));
    let expected = predict(&reference.directory, &reference.texts).logits;
    assert_eq!(predict(directory.path(), &reference.texts).logits, expected);
}

#[test]
fn labels_in_another_order_are_refused() {
    let reference = references().remove(0);
    let permuted = LabelSet::from_names(["당황", "기쁨", "분노", "불안", "평온", "슬픔"]).unwrap();
    let error = load_trained(&reference.directory, Some(&permuted), &device()).unwrap_err();
    assert!(matches!(error, ModelError::PermutedLabels { .. }), "{error}");
    let error = load_base(
        &reference.directory,
        &permuted,
        &BaseOptions::default(),
        &device(),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("another order (기쁨, 당황, "),
        "{error}"
    );
}

#[test]
fn labels_of_another_task_are_refused_for_prediction() {
    let reference = references().remove(0);
    let other = LabelSet::from_names(["긍정", "부정"]).unwrap();
    let error = load_trained(&reference.directory, Some(&other), &device()).unwrap_err();
    assert!(matches!(error, ModelError::OtherLabels { .. }), "{error}");
}

#[test]
fn fine_tuning_for_other_labels_makes_a_new_head() {
    let reference = references().remove(0);
    let labels = LabelSet::from_names(["긍정", "부정"]).unwrap();
    let options = BaseOptions {
        seed: 7,
        ..BaseOptions::default()
    };
    let head = [
        "classifier.dense.bias",
        "classifier.dense.weight",
        "classifier.out_proj.bias",
        "classifier.out_proj.weight",
    ];
    let load = |options| load_base(&reference.directory, &labels, options, &device()).unwrap();
    let loaded = load(&options);
    assert_eq!(loaded.new_tensors, head);
    assert_eq!(loaded.unused_tensors, head);
    assert_eq!(loaded.classifier.labels(), 2);
    let logits = |loaded: &model::Loaded| {
        let encodings = [Encoding {
            ids: reference.ids[0].clone(),
        }];
        infer(
            &loaded.classifier,
            &encodings,
            loaded.tokenizer.pad_id(),
            1,
            &device(),
            &mut |_, _| {},
        )
        .unwrap()
        .logits
    };
    assert_eq!(logits(&loaded), logits(&load(&options)));
    assert_ne!(
        logits(&loaded),
        logits(&load(&BaseOptions { seed: 8, ..options }))
    );
}

#[test]
fn fine_tuning_for_the_same_labels_keeps_the_head() {
    let reference = references().remove(0);
    let labels = LabelSet::from_names(["기쁨", "당황", "분노", "불안", "평온", "슬픔"]).unwrap();
    let options = BaseOptions {
        seed: 1,
        dropout: Some(0.3),
        classifier_dropout: Some(0.2),
    };
    let loaded = load_base(&reference.directory, &labels, &options, &device()).unwrap();
    assert!(loaded.new_tensors.is_empty() && loaded.unused_tensors.is_empty());
    let config = &loaded.config;
    assert_eq!(
        (config.hidden_dropout_prob, config.attention_probs_dropout_prob),
        (0.3, 0.3)
    );
    assert_eq!(config.classifier_dropout, Some(0.2));
}

#[test]
fn what_the_encoders_would_compute_wrongly_is_refused_by_name() {
    let cases = [
        ("model_type", Value::from("gpt2")),
        ("hidden_act", "silu".into()),
        ("position_embedding_type", "relative_key".into()),
        ("is_decoder", true.into()),
        ("problem_type", "regression".into()),
        ("num_attention_heads", 1009.into()),
        ("hidden_dropout_prob", 1.0.into()),
    ];
    for (key, value) in cases {
        let (directory, _) = copy();
        edit_config(directory.path(), |config| config[key] = value);
        let message = message(directory.path());
        assert!(
            message.contains(&format!("`{key}`")) && message.contains("config.json`"),
            "{key}: {message}"
        );
    }
}

#[test]
fn a_decoder_is_refused_by_name() {
    let (directory, _) = copy();
    let config = serde_json::json!({"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "vocab_size": 51200});
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    assert!(
        message(directory.path()).ends_with(
            "`model_type` `gpt2` is not supported; `electra`, `roberta`, `bert`, `distilbert` are"
        )
    );
}

#[test]
fn names_and_ids_of_labels_that_disagree_are_refused() {
    let (directory, _) = copy();
    edit_config(directory.path(), |config| {
        config["label2id"]["기쁨"] = 1.into();
        config["label2id"]["당황"] = 0.into();
    });
    let message = message(directory.path());
    assert!(
        message.contains("`label2id` numbers the labels in another order"),
        "{message}"
    );
}

#[test]
fn activations_of_the_configuration_are_used() {
    let (directory, reference) = copy();
    let mut seen = vec![predict(directory.path(), &reference.texts[..1]).logits];
    for activation in ["gelu_new", "relu"] {
        edit_config(directory.path(), |config| {
            config["hidden_act"] = activation.into()
        });
        let logits = predict(directory.path(), &reference.texts[..1]).logits;
        assert!(!seen.contains(&logits), "{activation}");
        seen.push(logits);
    }
}

#[test]
fn a_checkpoint_in_several_files_is_read_as_one() {
    let (directory, reference) = copy();
    let whole = directory.path().join("model.safetensors");
    let bytes = std::fs::read(&whole).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut shards = [Vec::new(), Vec::new()];
    let mut weight_map = serde_json::Map::new();
    for (number, (name, view)) in tensors.tensors().into_iter().enumerate() {
        weight_map.insert(name.clone(), format!("model-{}.safetensors", number % 2).into());
        shards[number % 2].push((name, view));
    }
    for (number, shard) in shards.into_iter().enumerate() {
        let path = directory.path().join(format!("model-{number}.safetensors"));
        std::fs::write(path, safetensors::serialize(shard, None).unwrap()).unwrap();
    }
    std::fs::remove_file(whole).unwrap();
    let index = directory.path().join("model.safetensors.index.json");
    let write_index = |map: &serde_json::Map<String, Value>| {
        std::fs::write(
            &index,
            serde_json::json!({"metadata": {}, "weight_map": map}).to_string(),
        )
        .unwrap();
    };
    write_index(&weight_map);
    let expected = predict(&reference.directory, &reference.texts).logits;
    assert_eq!(predict(directory.path(), &reference.texts).logits, expected);

    weight_map.insert("more".to_owned(), "model-1.safetensors".into());
    write_index(&weight_map);
    assert!(message(directory.path()).ends_with("model-1.safetensors` has no tensor `more`"));
    weight_map.insert("more".to_owned(), "../model-1.safetensors".into());
    write_index(&weight_map);
    assert!(message(directory.path()).contains("`../model-1.safetensors` is not a file beside it"));
    std::fs::remove_file(directory.path().join("model-0.safetensors")).unwrap();
    weight_map.remove("more");
    write_index(&weight_map);
    assert!(message(directory.path()).contains("model-0.safetensors"));
}

#[test]
fn a_pytorch_checkpoint_with_the_old_names_gives_the_same_logits() {
    let (directory, reference) = copy_own("bert");
    std::fs::remove_file(directory.path().join("model.safetensors")).unwrap();
    let checkpoint = directory.path().join("pytorch_model.bin");
    std::fs::copy(own_fixtures().join("pytorch/bert.bin"), &checkpoint).unwrap();
    let loaded = load_trained(directory.path(), None, &device()).unwrap();
    assert!(loaded.new_tensors.is_empty() && loaded.unused_tensors.is_empty());
    let expected = predict(&reference.directory, &reference.texts).logits;
    assert_eq!(predict(directory.path(), &reference.texts).logits, expected);

    let bytes = std::fs::read(&checkpoint).unwrap();
    for damaged in [
        &bytes[..bytes.len() / 2],
        b"version https://git-lfs.github.com/spec/v1".as_slice(),
    ] {
        std::fs::write(&checkpoint, damaged).unwrap();
        let message = message(directory.path());
        assert!(
            message.contains("pytorch_model.bin`: not a PyTorch checkpoint"),
            "{message}"
        );
    }
}

#[test]
fn a_pickle_that_would_run_a_program_runs_nothing() {
    let (directory, _) = copy_own("bert");
    std::fs::remove_file(directory.path().join("model.safetensors")).unwrap();
    let victim = directory.path().join("victim");
    let pickle = format!("cposix\nsystem\n(S'touch {}'\ntR.", victim.display());
    std::fs::write(directory.path().join("pytorch_model.bin"), pickle).unwrap();
    let message = message(directory.path());
    assert!(message.contains("pytorch_model.bin`"), "{message}");
    assert!(!victim.exists());
}

#[test]
fn safetensors_win_over_a_pytorch_checkpoint() {
    let (directory, reference) = copy();
    std::fs::write(directory.path().join("pytorch_model.bin"), "none").unwrap();
    assert_eq!(predict(directory.path(), &reference.texts[..1]).logits.len(), 1);
}

#[test]
fn a_bert_without_a_pooler_gets_a_new_one_to_fine_tune_and_is_refused_for_prediction() {
    let (directory, _) = copy_own("bert");
    let path = directory.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let kept = tensors
        .tensors()
        .into_iter()
        .filter(|(name, _)| !name.contains("pooler"));
    std::fs::write(
        &path,
        safetensors::serialize(kept.collect::<Vec<_>>(), None).unwrap(),
    )
    .unwrap();
    let labels = LabelSet::from_names(["긍정", "부정"]).unwrap();
    let loaded = load_base(directory.path(), &labels, &BaseOptions::default(), &device()).unwrap();
    assert_eq!(
        loaded.new_tensors,
        [
            "classifier.bias",
            "classifier.weight",
            "pooler.dense.bias",
            "pooler.dense.weight"
        ]
    );
    assert!(message(directory.path()).ends_with("has no tensor `bert.pooler.dense.weight`"));
}

#[test]
fn dropout_of_a_head_is_that_of_its_family() {
    let dropout = |name: &str, key: &str, value: Value| {
        let (directory, _) = copy_own(name);
        edit_config(directory.path(), |config| config[key] = value);
        load_trained(directory.path(), None, &device())
            .unwrap()
            .config
            .classifier_dropout
    };
    assert_eq!(dropout("bert", "classifier_dropout", Value::Null), None);
    assert_eq!(dropout("bert", "classifier_dropout", 0.5.into()), Some(0.5));
    assert_eq!(
        dropout("distilbert", "seq_classif_dropout", 0.3.into()),
        Some(0.3)
    );
}

#[test]
fn an_exported_configuration_names_transformers_class() {
    for (name, class) in [
        ("electra", "ElectraForSequenceClassification"),
        ("roberta", "RobertaForSequenceClassification"),
        ("bert", "BertForSequenceClassification"),
        ("distilbert", "DistilBertForSequenceClassification"),
    ] {
        let loaded = load_trained(&own_fixtures().join(name), None, &device()).unwrap();
        let copy = tempfile::tempdir().unwrap();
        let Loaded {
            classifier,
            config,
            labels,
            tokenizer,
            settings,
        } = Loaded::from(loaded);
        save(copy.path(), &classifier, &config, &labels, &tokenizer, &settings).unwrap();
        let read = |file: &str| -> Value {
            serde_json::from_slice(&std::fs::read(copy.path().join(file)).unwrap()).unwrap()
        };
        assert_eq!(read("config.json")["architectures"], serde_json::json!([class]));
        let inputs = read("tokenizer_config.json")["model_input_names"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(
            inputs,
            if matches!(name, "electra" | "bert") { 3 } else { 2 },
            "{name}"
        );
        if name == "distilbert" {
            assert_eq!(read("config.json")["seq_classif_dropout"], 0.2);
            assert!(read("config.json").get("hidden_size").is_none());
        }
    }
}

#[test]
fn weights_that_are_not_numbers_name_the_row() {
    let (directory, reference) = copy();
    let path = directory.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    // `classifier.dense.bias` comes first in a file that is sorted by name.
    let data = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[data..data + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let predictor = Predictor::load(directory.path(), None, &device()).unwrap();
    let error = predictor
        .predict(&reference.texts[..1], None, None, &mut |_, _| {})
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 0: the model's output is not a finite number; its weights are broken"
    );
}

#[test]
fn an_encoding_longer_than_the_model_is_an_error() {
    let reference = references().remove(0);
    let loaded = load_trained(&reference.directory, None, &device()).unwrap();
    let encodings = [Encoding { ids: vec![5; 500] }];
    let error = infer(&loaded.classifier, &encodings, 0, 64, &device(), &mut |_, _| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("row 0 has 500 tokens, but the model takes at most "),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    assert!(message(directory.path()).ends_with("has no `config.json`"));
    let (directory, _) = copy();
    std::fs::remove_file(directory.path().join("model.safetensors")).unwrap();
    assert!(message(directory.path()).ends_with("has no `model.safetensors`"));
}

#[test]
fn a_model_from_scratch_is_saved_alike_each_time() {
    let labels = LabelSet::from_names(["가", "나"]).unwrap();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for architecture in model::Architecture::ALL {
        for directory in [first.path(), second.path()] {
            scratch(architecture, &labels, directory);
        }
        for entry in std::fs::read_dir(first.path()).unwrap() {
            let name = entry.unwrap().file_name();
            let read = |directory: &Path| std::fs::read(directory.join(&name)).unwrap();
            assert!(
                read(first.path()) == read(second.path()),
                "{architecture:?}: {name:?}"
            );
        }
        let loaded = load_trained(first.path(), Some(&labels), &device()).unwrap();
        assert_eq!(loaded.settings.fingerprint.as_deref(), Some("abc"));
        assert_eq!(loaded.config.max_length(), 20);
    }
}

fn scratch(architecture: model::Architecture, labels: &LabelSet, directory: &Path) {
    let texts = ["오늘은 정말 행복한 하루였다", "오늘은 정말 화가 난다"];
    let vocabulary = train_wordpiece(texts.into_iter(), 100, architecture.special_tokens());
    let tokenizer = Tokenizer::from_vocabulary(vocabulary).unwrap();
    let sizes = Sizes {
        vocab_size: tokenizer.vocab_size(),
        embedding_size: None,
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 24,
        max_position_embeddings: if architecture == model::Architecture::Roberta {
            22
        } else {
            20
        },
    };
    let config = ModelConfig::from_scratch(architecture, &sizes).unwrap();
    let classifier = SequenceClassifier::init(&config, labels.len(), &device(), 42).unwrap();
    let settings = ModelSettings::new(Task::SingleLabel, labels, "nfc", 16, "abc");
    save(directory, &classifier, &config, labels, &tokenizer, &settings).unwrap();
}

#[test]
fn metadata_of_a_saved_checkpoint_is_what_transformers_4_wants() {
    let directory = tempfile::tempdir().unwrap();
    scratch(
        model::Architecture::Electra,
        &LabelSet::from_names(["가", "나"]).unwrap(),
        directory.path(),
    );
    let bytes = std::fs::read(directory.path().join("model.safetensors")).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = metadata.metadata().clone().unwrap();
    assert_eq!(
        metadata.into_iter().collect::<Vec<_>>(),
        [("format".to_owned(), "pt".to_owned())]
    );
}

#[test]
fn a_pretrained_encoder_without_a_head_lists_what_is_new_and_what_is_unused() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pretrained/ko-mini");
    if !directory.exists() {
        eprintln!("SKIPPED: no pretrained encoder at `{}`", directory.display());
        return;
    }
    let labels = LabelSet::from_names(["분노", "불안", "슬픔", "평온", "당황", "기쁨"]).unwrap();
    let loaded = load_base(&directory, &labels, &BaseOptions::default(), &device()).unwrap();
    assert_eq!(loaded.new_tensors.len(), 4);
    assert_eq!(loaded.unused_tensors.len(), 5);
    assert!(
        loaded
            .unused_tensors
            .iter()
            .all(|name| name.starts_with("generator_")),
        "{:?}",
        loaded.unused_tensors
    );
    assert_eq!(loaded.settings.max_length, 128);
}
