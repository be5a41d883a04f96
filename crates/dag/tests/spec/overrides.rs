//! What `--set` and the environment come to.

use dag::{OverrideOrigin, ParamSource};

use crate::{PIPELINE, load_with, set, variable, with};

#[test]
fn a_setting_takes_the_place_of_the_files_value() {
    let dag = load_with(PIPELINE, &[set("stages.teacher.params.epochs=2")]);
    assert_eq!(dag.stages[1].params["epochs"], 2);
}

#[test]
fn a_setting_reaches_a_param_under_any_of_its_names() {
    for (written, given) in [("num_train_epochs", "epochs"), ("epochs", "num_train_epochs")] {
        let text = with("epochs: 5", &format!("{written}: 5"));
        let dag = load_with(&text, &[set(&format!("stages.teacher.params.{given}=2"))]);
        assert_eq!(dag.stages[1].params["epochs"], 2, "{given} over {written}");
        assert_eq!(dag.stages[1].param_sources["epochs"], ParamSource::Set);
    }
}

#[test]
fn a_setting_may_add_what_the_file_does_not_have() {
    let dag = load_with(
        PIPELINE,
        &[
            set("runtime.device=cpu"),
            set("stages.teacher.params.early_stopping.patience=3"),
            set("seed=1"),
        ],
    );
    assert_eq!((dag.runtime.device.as_str(), dag.seed), ("cpu", 1));
    assert_eq!(dag.stages[1].params["early_stopping"]["patience"], 3);
}

#[test]
fn a_mapping_replaces_the_whole_mapping() {
    let dag = load_with(PIPELINE, &[set("stages.teacher.params={learning_rate: 0.5}")]);
    assert_eq!(
        (
            &dag.stages[1].params["epochs"],
            &dag.stages[1].params["learning_rate"]
        ),
        (&0.into(), &0.5.into())
    );
}

#[test]
fn an_item_of_a_list_is_set_by_its_index() {
    let dag = load_with(PIPELINE, &[set("labels.0=화남")]);
    assert_eq!(dag.labels.name(0), "화남");
}

#[test]
fn the_command_line_wins_over_the_environment() {
    let settings = [set("seed=1"), variable("PIPELINE_SET__SEED", "2")];
    assert_eq!(load_with(PIPELINE, &settings).seed, 1);
}

#[test]
fn where_a_param_came_from_is_known() {
    let variable = variable("PIPELINE_SET__STAGES__TEACHER__PARAMS__LEARNING_RATE", "0.1");
    assert!(matches!(variable.origin, OverrideOrigin::Environment(_)));
    let dag = load_with(
        PIPELINE,
        &[variable, set("stages.teacher.params.early_stopping.patience=3")],
    );
    let sources = &dag.stages[1].param_sources;
    let found = ["epochs", "learning_rate", "early_stopping", "seed"].map(|param| &sources[param]);
    assert_eq!(
        found,
        [
            &ParamSource::File,
            &ParamSource::Environment,
            &ParamSource::Set,
            &ParamSource::Default
        ]
    );
}
