//! Whether an exported directory computes what the model in the store computes, to the bit.

use std::path::Path;

use dag::Store;
use dataset::{Normalize, ReadOptions};
use model::Predictor;
use stage::{ArtifactType, InputItem, SourceOptions};

use crate::error::{CliError, Exit};

/// Texts that are compared.
const TEXTS: usize = 100;

/// Compares both on texts of the store's golden set, or on the sentences below; how many there were.
pub(super) fn verify(store: &Store, model: &Path, exported: &Path) -> Result<usize, CliError> {
    // The CPU gives the same bits each time.
    let device = model::open_device("cpu", "flex").map_err(stage::Failure::from)?;
    let load = |directory: &Path| Predictor::load(directory, None, &device).map_err(stage::Failure::from);
    let (original, copy) = (load(model)?, load(exported)?);
    let texts = match golden(store, &original)? {
        texts if texts.is_empty() => sentences(),
        texts => texts,
    };
    if original.settings() != copy.settings() || original.labels() != copy.labels() {
        return Err(different(exported, "the labels or the settings"));
    }
    let ids = |predictor: &Predictor| predictor.tokenizer().encode_batch(&texts, predictor.max_length());
    let logits = |predictor: &Predictor| {
        let inference = predictor.predict(&texts, None, None, &mut |_, _| {});
        inference
            .map(|inference| inference.logits)
            .map_err(stage::Failure::from)
    };
    if let Some(row) = first_difference(&ids(&original), &ids(&copy)) {
        return Err(different(exported, &format!("the token ids of `{}`", texts[row])));
    }
    if let Some(row) = first_difference(&logits(&original)?, &logits(&copy)?) {
        return Err(different(exported, &format!("the logits of `{}`", texts[row])));
    }
    Ok(texts.len())
}

fn first_difference<T: PartialEq>(ours: &[T], theirs: &[T]) -> Option<usize> {
    ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs)
}

fn different(exported: &Path, what: &str) -> CliError {
    let message = format!(
        "`{}` differs from the model in the store in {what}",
        exported.display()
    );
    CliError::new(Exit::StageFailed, message)
        .hint("export it again; `pipeline artifacts verify` checks the store")
}

/// Texts out of the first golden set in the store, spread over all of it, as the model sees them.
fn golden(store: &Store, predictor: &Predictor) -> Result<Vec<String>, CliError> {
    let mut stages = store.stages().into_iter();
    let Some(path) = stages.find_map(|stage| store.resolve(&format!("{stage}.golden")).ok()) else {
        return Ok(Vec::new());
    };
    let item = InputItem {
        name: path.display().to_string(),
        path,
        artifact_type: ArtifactType::Labelled,
        options: SourceOptions::default(),
    };
    let options = ReadOptions {
        task: predictor.settings().task,
        labels: predictor.labels(),
        normalize: Normalize::parse(&predictor.settings().normalize).unwrap_or_default(),
        input_name: "golden",
    };
    let texts = dataset::read_raw(&[item], &options)
        .map_err(stage::Failure::from)?
        .texts;
    let step = texts.len().div_ceil(TEXTS).max(1);
    Ok(texts.into_iter().step_by(step).collect())
}

/// Sentences whose tokens go wrong first: Hangul, letters and signs of other kinds, and what is too long.
fn sentences() -> Vec<String> {
    const STARTS: [&str; 10] = [
        "오늘은 정말",
        "어제부터 계속",
        "솔직히 말하면",
        "내일 아침에는",
        "친구가 그러는데",
        "ㅋㅋㅋ 진짜",
        "아무리 생각해도",
        "퇴근하고 나니",
        "2026년 11월 21일,",
        "OK, so",
    ];
    const ENDS: [&str; 10] = [
        "행복한 하루였다.",
        "화가 나서 견딜 수가 없어!!",
        "마음이 놓이지 않는다...",
        "눈물이 났어요 ㅠㅠ",
        "아무렇지도 않다",
        "깜짝 놀랐잖아?!",
        "기분이 좋아졌어요 😂",
        "漢字와 English를 섞어 쓴다.",
        "아무 말도 하고 싶지 않다~",
        "https://example.com/a?b=c 를 보았다",
    ];
    STARTS
        .iter()
        .flat_map(|start| ENDS.iter().map(move |end| format!("{start} {end}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_a_hundred_different_sentences() {
        let mut sentences = sentences();
        sentences.sort();
        sentences.dedup();
        assert_eq!(sentences.len(), TEXTS);
    }

    #[test]
    fn the_first_row_that_differs_is_found() {
        assert_eq!(first_difference(&[1, 2, 3], &[1, 5, 6]), Some(1));
        assert_eq!(first_difference(&[1, 2], &[1, 2]), None);
    }
}
