//! How predictions are printed for people and for other programs.

use std::fmt::Write;

use super::answer::{Answer, Labeller};
use crate::args::PredictFormat;
use crate::error::{CliError, Exit};

/// All answers in one of the formats.
pub(super) fn render(
    answers: &[Answer],
    labeller: &Labeller,
    format: PredictFormat,
    top_k: Option<u16>,
) -> Result<String, CliError> {
    let top_k = top_k.map(usize::from);
    let mut text = String::new();
    match format {
        PredictFormat::Text => answers
            .iter()
            .for_each(|answer| line(&mut text, answer, labeller, top_k)),
        // A line per text, so that a long list can be read while it is written.
        PredictFormat::Map => {
            for answer in answers {
                text.push_str(&map(answer, labeller, top_k)?);
                text.push('\n');
            }
        }
        PredictFormat::Hf => {
            let documents: Result<Vec<String>, CliError> = answers
                .iter()
                .map(|answer| hugging_face(answer, labeller, top_k))
                .collect();
            text = format!("[{}]\n", documents?.join(", "));
        }
    }
    Ok(text)
}

/// `기쁨 93.1% · 평온 3.2%`, a tab, the text. Without a label: `-`.
fn line(out: &mut String, answer: &Answer, labeller: &Labeller, top_k: Option<usize>) {
    let ranked = top_k.map(|k| labeller.ranked(answer, k));
    let classes = ranked.as_deref().unwrap_or(&answer.shown);
    if classes.is_empty() {
        out.push('-');
    }
    for (position, &class) in classes.iter().enumerate() {
        let separator = if position == 0 { "" } else { " · " };
        let percent = answer.probabilities[class] * 100.0;
        // Writing to a string cannot fail.
        let _ = write!(out, "{separator}{} {percent:.1}%", labeller.labels().name(class));
    }
    out.push('\t');
    out.push_str(&answer.text.replace(['\n', '\r', '\t'], " "));
    out.push('\n');
}

/// `{label: probability}` in label order, which a JSON map type would not keep.
fn map(answer: &Answer, labeller: &Labeller, top_k: Option<usize>) -> Result<String, CliError> {
    let kept = top_k.map(|k| labeller.ranked(answer, k));
    let names = labeller.labels().names().enumerate();
    let shown = names.filter(|(class, _)| kept.as_ref().is_none_or(|kept| kept.contains(class)));
    let entry = |(class, label): (usize, &str)| {
        Ok(format!(
            "{}: {}",
            json(label)?,
            json(&answer.probabilities[class])?
        ))
    };
    let entries: Result<Vec<String>, CliError> = shown.map(entry).collect();
    Ok(format!("{{{}}}", entries?.join(", ")))
}

/// `{label, score}` of the most probable label; with `top_k` a list of them, highest first.
fn hugging_face(answer: &Answer, labeller: &Labeller, top_k: Option<usize>) -> Result<String, CliError> {
    let entry = |class: usize| {
        let (label, score) = (labeller.labels().name(class), &answer.probabilities[class]);
        Ok(format!(
            "{{\"label\": {}, \"score\": {}}}",
            json(label)?,
            json(score)?
        ))
    };
    let entries: Result<Vec<String>, CliError> = labeller
        .ranked(answer, top_k.unwrap_or(1))
        .into_iter()
        .map(entry)
        .collect();
    let entries = entries?.join(", ");
    Ok(if top_k.is_some() {
        format!("[{entries}]")
    } else {
        entries
    })
}

pub(super) fn json(value: &(impl serde::Serialize + ?Sized)) -> Result<String, CliError> {
    serde_json::to_string(value)
        .map_err(|error| CliError::new(Exit::StageFailed, format!("cannot be written as JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::{answer, labeller};
    use super::*;

    fn rendered(format: PredictFormat, top_k: Option<u16>, second_min_logit: Option<f32>) -> String {
        let labeller = labeller(None, second_min_logit);
        let answer = answer(&labeller, [-2.0, 0.5, 3.0], [0.03125, 0.09375, 0.875]);
        render(&[answer], &labeller, format, top_k).unwrap()
    }

    #[test]
    fn text_names_the_two_most_probable_labels() {
        assert_eq!(
            rendered(PredictFormat::Text, None, None),
            "기쁨 87.5% · 평온 9.4%\t좋다\n"
        );
    }

    #[test]
    fn a_weak_second_label_is_not_named() {
        assert_eq!(
            rendered(PredictFormat::Text, None, Some(1.0)),
            "기쁨 87.5%\t좋다\n"
        );
        assert_eq!(
            rendered(PredictFormat::Text, Some(3), Some(0.0)),
            "기쁨 87.5% · 평온 9.4%\t좋다\n"
        );
    }

    #[test]
    fn a_map_has_all_labels_in_their_order() {
        let map = rendered(PredictFormat::Map, None, Some(9.0));
        assert_eq!(map, "{\"분노\": 0.03125, \"평온\": 0.09375, \"기쁨\": 0.875}\n");
        assert_eq!(
            rendered(PredictFormat::Map, Some(2), None),
            "{\"평온\": 0.09375, \"기쁨\": 0.875}\n"
        );
    }

    #[test]
    fn hugging_face_is_a_list_of_objects_or_of_lists() {
        assert_eq!(
            rendered(PredictFormat::Hf, None, None),
            "[{\"label\": \"기쁨\", \"score\": 0.875}]\n"
        );
        let two = "[[{\"label\": \"기쁨\", \"score\": 0.875}, {\"label\": \"평온\", \"score\": 0.09375}]]\n";
        assert_eq!(rendered(PredictFormat::Hf, Some(2), None), two);
    }

    #[test]
    fn no_label_is_a_dash() {
        let labeller = labeller(Some(vec![0.5; 3]), None);
        let answer = answer(&labeller, [-2.0; 3], [0.125; 3]);
        let text = render(&[answer], &labeller, PredictFormat::Text, None).unwrap();
        assert_eq!(text, "-\t좋다\n");
    }
}
