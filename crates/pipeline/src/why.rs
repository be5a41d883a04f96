//! `pipeline why`: where a row comes from and what became of it.
//!
//! Everything is read out of artifacts and source files, of the newest complete versions unless it is said otherwise;
//! no model runs. A table is filtered by the row's id while it is read.

pub(crate) mod args;
mod layout;
mod learnt;
mod measured;
mod origin;
mod prepared;
mod reviewed;
mod scene;
mod scored;
mod search;
mod selected;
mod words;

use serde::Serialize;

use args::WhyArgs;
use learnt::Learnt;
use measured::Measured;
use prepared::Prepared;
use reviewed::Reviewed;
use scene::Scene;
use scored::Scored;
use selected::Selected;

use crate::error::CliError;
use crate::{output, table};

/// All that is known about a row.
#[derive(Debug, Serialize)]
struct Story {
    schema_version: u32,
    id: String,
    text: Option<String>,
    /// By stage, as all lists.
    prepared: Vec<Prepared>,
    scored: Vec<Scored>,
    selected: Vec<Selected>,
    learnt: Vec<Learnt>,
    reviewed: Vec<Reviewed>,
    measured: Vec<Measured>,
}

pub(crate) fn why(args: &WhyArgs) -> Result<(), CliError> {
    let scene = Scene::open(&args.project, args.stage.as_deref())?;
    let id = match (&args.id, &args.text) {
        (Some(id), _) => id.clone(),
        (None, text) => match search::by_text(&scene, text.as_deref().unwrap_or_default())? {
            search::Matches::One(id) => id,
            search::Matches::Several(matches) => return matches.print(args.json),
        },
    };
    let story = tell(&scene, &id)?;
    if args.json {
        return output::print_json(&story);
    }
    let width = table::terminal_width().unwrap_or(words::WIDTH);
    output::print(&words::text(&story, width))
}

fn tell(scene: &Scene, id: &str) -> Result<Story, CliError> {
    let prepared = prepared::of_row(scene, id)?;
    let scored = scored::of_row(scene, id)?;
    if prepared.is_empty() && scored.is_empty() {
        return Err(search::not_found(scene, id));
    }
    // Other spellings of the id (NFD) were found as well.
    let found = prepared.first().map(|prepared| prepared.id.clone());
    let id = found
        .or_else(|| scored.first().map(|scored| scored.id.clone()))
        .unwrap_or_default();
    let text = prepared.iter().find_map(|prepared| prepared.text.clone());
    let text = text.or_else(|| scored.first().map(|scored| scored.text.clone()));
    Ok(Story {
        schema_version: 1,
        selected: selected::of_row(scene, &id)?,
        learnt: learnt::of_row(scene, &id)?,
        reviewed: reviewed::of_row(scene, &id, text.as_deref().unwrap_or_default())?,
        measured: measured::of_row(scene, &id)?,
        prepared,
        scored,
        text,
        id,
    })
}
