//! Golden rows and what models learn from.

use dag::{Dag, Severity};
use stage::Guard;
use unicode_normalization::UnicodeNormalization;

use crate::guard_kinds::KINDS;
use crate::resolve_precision;

const RECIPE: &str = "\
version: 1
labels: [분노, 기쁨]
stages:
  prepare:
    kind: prepare
    inputs: {train: train.csv, validation: validation.csv, golden: golden.csv, raw: [raw.csv]}
  teacher:
    kind: fine_tune
    inputs: {train: prepare.train, validation: prepare.validation}
    params: {base_model: ./models/pretrained}
  score:
    kind: score
    inputs: {model: teacher.model, raw: prepare.raw, validation: prepare.validation}
  pseudo_label:
    kind: select
    inputs: {scored: score.scored, validation: score.validation_scored}
  student:
    kind: fine_tune
    inputs: {train: [pseudo_label.kept, prepare.train], corpus: prepare.raw}
  evaluate:
    kind: evaluate
    inputs: {teacher: teacher.model, student: student.model, golden: prepare.golden}
";

const GOLDEN: &str = "text,label\n오늘 합격해서 기쁘다,기쁨\n";

fn load(text: &str) -> Result<Dag, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    for table in ["train", "validation", "raw", "more"] {
        write(&format!("{table}.csv"), &format!("text,label\n{table},분노\n"));
    }
    write("golden.csv", GOLDEN);
    write("copy.csv", GOLDEN);
    write("nfd.csv", &GOLDEN.nfd().collect::<String>());
    write("models/pretrained/config.json", "{}");
    write("overrides/pseudo_label/0001-af1349b9.csv", "");
    let path = folder.path().join("pipeline.yaml");
    std::fs::write(&path, text).unwrap();
    dag::load(&path, &[], KINDS, &resolve_precision).map_err(|found| {
        found
            .to_string()
            .replace(&format!("{}/", folder.path().display()), "")
    })
}

/// The recipe with parts replaced: `(part, replacement)`.
fn with(changes: &[(&str, &str)]) -> String {
    changes
        .iter()
        .fold(RECIPE.to_owned(), |text, (part, replacement)| {
            assert!(text.contains(part), "`{part}` is not in the recipe");
            text.replacen(part, replacement, 1)
        })
}

/// The messages of what is refused.
fn refused(changes: &[(&str, &str)]) -> Vec<String> {
    let Err(text) = load(&with(changes)) else {
        panic!("nothing is refused");
    };
    let messages = text.lines().filter_map(|line| line.strip_prefix("error: "));
    messages.map(str::to_owned).collect()
}

fn loaded(changes: &[(&str, &str)]) -> Dag {
    load(&with(changes)).unwrap()
}

fn guard(dag: &Dag) -> &Guard {
    dag.stages.last().unwrap().guard.as_ref().unwrap()
}

fn reasons(dag: &Dag) -> Vec<String> {
    match guard(dag) {
        Guard::Unguarded { reasons } => reasons.clone(),
        guarded => panic!("{guarded:?}"),
    }
}

const ALLOWED: (&str, &str) = (
    "golden: prepare.golden}\n",
    "golden: prepare.golden}\n    params: {allow_unguarded: true}\n",
);

#[test]
fn one_prepare_guards_what_its_tables_train() {
    let dag = loaded(&[]);
    assert_eq!(*guard(&dag), Guard::Guarded);
    assert!(dag.warnings.is_empty(), "{:?}", dag.warnings);
    assert!(
        dag.stages[0].guard.is_none(),
        "only a stage that measures has a guard"
    );
}

#[test]
fn a_golden_file_is_refused_where_it_stands() {
    let text = load(&with(&[("golden: prepare.golden", "golden: golden.csv")]))
        .err()
        .unwrap();
    let expected = "\
error: stage `evaluate`: `golden` is the file `golden.csv`: no stage keeps its rows out of what the models learn from
  --> pipeline.yaml:22:70
   |
22 |     inputs: {teacher: teacher.model, student: student.model, golden: golden.csv}
   |                                                                      ^^^^^^^^^^
hint: give the file to `prepare` as `golden`, beside the tables that models learn from, and write `golden: prepare.golden`
hint: `allow_unguarded: true` in the params of `evaluate` goes on all the same; its report then says so on top";
    assert_eq!(text, expected);
}

#[test]
fn training_on_the_file_that_is_measured_on_is_named_with_the_way() {
    let evaluated = ("golden: prepare.golden", "golden: golden.csv");
    for file in ["golden.csv", "copy.csv", "nfd.csv"] {
        let found = refused(&[("raw: prepare.raw, ", &format!("raw: {file}, ")), evaluated]);
        let way = format!(
            "stage `evaluate`: `student` learns from the rows that it is measured on: \
             student.train ← pseudo_label.kept ← score.raw ← {file}"
        );
        assert!(found.contains(&way), "{found:?}");
    }
}

#[test]
fn a_training_table_that_passed_no_prepare_is_refused() {
    let found = refused(&[("train: prepare.train,", "train: more.csv,")]);
    assert_eq!(
        found,
        [
            "stage `evaluate`: `teacher` learns from `more.csv`, which did not pass `prepare`: teacher.train ← more.csv"
        ]
    );
}

#[test]
fn the_golden_file_is_refused_by_whatever_way_it_gets_to_a_model() {
    let ways = [
        (
            "train: prepare.train,",
            "train: FILE,",
            "`teacher` learns from the golden rows: teacher.train ← FILE",
        ),
        (
            "train: [pseudo_label.kept, prepare.train]",
            "train: [pseudo_label.kept, FILE]",
            "`student` learns from the golden rows: student.train ← FILE",
        ),
        (
            "raw: prepare.raw, validation: prepare.validation",
            "raw: FILE, validation: prepare.validation",
            "`student` learns from the golden rows: student.train ← pseudo_label.kept ← score.raw ← FILE",
        ),
        (
            "raw: prepare.raw, validation: prepare.validation",
            "raw: prepare.raw, validation: FILE",
            "`student` learns from the golden rows: student.train ← pseudo_label.kept ← score.validation ← FILE",
        ),
        (
            "scored: score.scored",
            "scored: FILE",
            "`student` learns from the golden rows: student.train ← pseudo_label.scored ← FILE",
        ),
        (
            "corpus: prepare.raw",
            "corpus: FILE",
            "`student` learns from the golden rows: student.corpus ← FILE",
        ),
        (
            "train: train.csv",
            "train: [train.csv, FILE]",
            "the golden rows are among what models learn from: \
             prepare.train ← FILE holds the same as prepare.golden ← golden.csv",
        ),
        (
            "validation: validation.csv",
            "validation: FILE",
            "the golden rows are among what models learn from: \
             prepare.validation ← FILE holds the same as prepare.golden ← golden.csv",
        ),
        (
            "raw: [raw.csv]",
            "raw: [raw.csv, FILE]",
            "the golden rows are among what models learn from: \
             prepare.raw ← FILE holds the same as prepare.golden ← golden.csv",
        ),
    ];
    for (part, replacement, message) in ways {
        for file in [
            "golden.csv",
            "copy.csv",
            "nfd.csv",
            "{path: ./copy.csv, text_column: text}",
        ] {
            let found = refused(&[(part, &replacement.replace("FILE", file))]);
            let shown = if file.starts_with('{') { "./copy.csv" } else { file };
            assert_eq!(
                found,
                [format!("stage `evaluate`: {}", message.replace("FILE", shown))],
                "{replacement}"
            );
        }
    }
}

#[test]
fn the_golden_artifact_is_refused_as_anything_to_learn_from() {
    let ways = [
        (
            "train: prepare.train,",
            "train: prepare.golden,",
            "teacher.train ← prepare.golden",
        ),
        (
            "train: prepare.train, validation: prepare.validation}\n    params",
            "train: prepare.train, validation: prepare.golden}\n    params",
            "teacher.validation ← prepare.golden",
        ),
        (
            "raw: prepare.raw, validation",
            "raw: prepare.golden, validation",
            "student.train ← pseudo_label.kept ← score.raw ← prepare.golden",
        ),
        (
            "validation: score.validation_scored",
            "validation: prepare.golden",
            "student.train ← pseudo_label.validation ← prepare.golden",
        ),
    ];
    for (part, replacement, way) in ways {
        let found = refused(&[(part, replacement)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].ends_with(&format!("learns from the golden rows: {way}")),
            "{found:?}"
        );
    }
}

#[test]
fn golden_rows_and_training_rows_of_two_prepares_are_refused() {
    let other =
        "  other:\n    kind: prepare\n    inputs: {train: more.csv, golden: golden.csv}\n  teacher:\n";
    let found = refused(&[
        ("  teacher:\n", other),
        ("train: prepare.train,", "train: other.train,"),
    ]);
    let way = "`teacher` learns from `other.train`, which did not pass `prepare`, where the golden rows come from: \
               teacher.train ← other.train";
    assert_eq!(found, [format!("stage `evaluate`: {way}")]);
    let found = refused(&[
        ("  teacher:\n", other),
        ("golden: prepare.golden", "golden: [prepare.golden, other.golden]"),
    ]);
    assert!(
        found
            .iter()
            .all(|message| message.contains("did not pass `other`")),
        "{found:?}"
    );
    assert_eq!(found.len(), 6, "{found:?}");
}

#[test]
fn another_artifact_of_the_prepare_is_no_golden_one() {
    let found = refused(&[("golden: prepare.golden", "golden: prepare.validation")]);
    let expected = [
        "`teacher` learns from the rows that it is measured on: teacher.validation ← prepare.validation",
        "`golden` is `prepare.validation`, not golden rows that `prepare` keeps apart: no stage keeps its rows out of \
         what the models learn from",
    ];
    for message in expected {
        assert!(
            found.contains(&format!("stage `evaluate`: {message}")),
            "{found:?}"
        );
    }
}

/// A second round: it prepares the pseudo-labels of the first, and its student alone is measured.
fn second_round(golden: &str) -> String {
    let prepare =
        "  second:\n    kind: prepare\n    inputs: {train: [pseudo_label.kept, more.csv], golden: GOLDEN}\n";
    let evaluate =
        "  evaluate:\n    kind: evaluate\n    inputs: {student: student.model, golden: second.golden}\n";
    let (first, _) = RECIPE.split_once("  student:\n").unwrap();
    let student = "  student:\n    kind: fine_tune\n    inputs: {train: second.train}\n";
    format!("{first}{}{student}{evaluate}", prepare.replace("GOLDEN", golden))
}

#[test]
fn a_second_prepare_guards_with_the_first_if_it_takes_its_golden_rows() {
    let dag = load(&second_round("prepare.golden")).unwrap();
    assert_eq!(*guard(&dag), Guard::Guarded);
}

#[test]
fn a_second_prepare_cannot_speak_for_what_a_teacher_learnt_before() {
    let text = load(&second_round("golden.csv")).err().unwrap();
    let way =
        "student.train ← second.train ← pseudo_label.kept ← score.scored ← teacher.train ← prepare.train";
    assert!(
        text.contains("`student` learns from `prepare.train`, which did not pass `second`"),
        "{text}"
    );
    assert!(text.contains(way), "{text}");
}

#[test]
fn allow_unguarded_makes_refusals_warnings_and_reasons() {
    let changes = [("train: prepare.train,", "train: more.csv,"), ALLOWED];
    let dag = loaded(&changes);
    assert_eq!(
        reasons(&dag),
        ["`teacher` learns from `more.csv`, which did not pass `prepare`: teacher.train ← more.csv"]
    );
    let [warning] = &dag.warnings[..] else {
        panic!("{:?}", dag.warnings)
    };
    assert_eq!(warning.severity, Severity::Warning);
    assert!(
        warning
            .to_string()
            .starts_with("warning: stage `evaluate`: `teacher` learns from `more.csv`")
    );
    assert_eq!(
        warning.hints,
        ["the report of `evaluate` says on top that it is unguarded"]
    );
    assert_eq!(
        *guard(&loaded(&[ALLOWED])),
        Guard::Guarded,
        "it changes nothing where nothing is wrong"
    );
}

#[test]
fn a_guard_that_is_switched_off_is_said_and_not_refused() {
    let off = (
        "raw: [raw.csv]}\n",
        "raw: [raw.csv]}\n    params: {leak_guard: off}\n",
    );
    let dag = loaded(&[off]);
    assert_eq!(
        reasons(&dag),
        ["`leak_guard: off` of `prepare`: nobody looks for golden rows in its other tables"]
    );
    let place = dag.warnings[0].to_string();
    assert!(place.contains("pipeline.yaml:7:26"), "{place}");
    let found = refused(&[off, ("train: train.csv", "train: golden.csv")]);
    assert!(
        found[0].contains("prepare.train ← golden.csv holds the same"),
        "{found:?}"
    );
}

#[test]
fn a_model_from_elsewhere_is_warned_of_unless_training_starts_from_it() {
    for model in ["./models/pretrained", "hf://owner/name"] {
        let dag = loaded(&[(
            "teacher: teacher.model, student",
            &format!("teacher: {model}, student"),
        )]);
        assert_eq!(
            reasons(&dag),
            [format!("what `{model}` was trained on is not known")]
        );
        let dag = loaded(&[("model: teacher.model", &format!("model: {model}"))]);
        assert_eq!(
            reasons(&dag),
            [format!("what `{model}` was trained on is not known")]
        );
    }
    let dag = loaded(&[(
        "params: {base_model: ./models/pretrained}",
        "params: {base_model: hf://owner/name}",
    )]);
    assert_eq!(*guard(&dag), Guard::Guarded);
    let base = (
        "corpus: prepare.raw}",
        "corpus: prepare.raw, base: ./models/pretrained}",
    );
    assert_eq!(*guard(&loaded(&[base])), Guard::Guarded);
}

#[test]
fn a_model_that_training_starts_from_brings_what_it_learnt_along() {
    let leaky = "  leaky:\n    kind: fine_tune\n    inputs: {train: golden.csv}\n  student:\n";
    let found = refused(&[
        ("  student:\n", leaky),
        ("corpus: prepare.raw}", "corpus: prepare.raw, base: leaky.model}"),
    ]);
    assert_eq!(
        found,
        ["stage `evaluate`: `student` learns from the golden rows: student.base ← leaky.train ← golden.csv"]
    );
}

#[test]
fn decisions_of_people_are_nothing_that_a_model_learns_from() {
    let dag = loaded(&[]);
    let select = dag
        .stages
        .iter()
        .find(|stage| stage.name == "pseudo_label")
        .unwrap();
    assert!(select.inputs.iter().any(|(name, _)| name == "overrides"));
    assert_eq!(*guard(&dag), Guard::Guarded);
}

#[test]
fn every_way_is_reported_in_one_go() {
    let found = refused(&[
        ("train: prepare.train,", "train: more.csv,"),
        ("raw: prepare.raw, validation", "raw: copy.csv, validation"),
        ("corpus: prepare.raw", "corpus: prepare.golden"),
    ]);
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn a_stage_that_nobody_measures_may_read_what_it_wants() {
    let spare = "  spare:\n    kind: fine_tune\n    inputs: {train: golden.csv}\n  evaluate:\n";
    assert_eq!(*guard(&loaded(&[("  evaluate:\n", spare)])), Guard::Guarded);
}
