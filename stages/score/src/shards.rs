//! Scored rows on disk while the work goes on: what is whole after a kill is not done again.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use dataset::DatasetError;
use serde::{Deserialize, Serialize};
use stage::{Context, Failure};

/// Rows of a shard. Batches never reach from one shard into another, so that a row's prediction does not depend on
/// where a run was interrupted.
pub(crate) const SHARD_ROWS: usize = 8192;

/// A folder of tables, each with [`SHARD_ROWS`] rows but for the last, in the order of the rows.
///
/// `00000.parquet` counts once `00000.json` beside it says how it was made and what its digest is. Both are written
/// under another name, synced and renamed, the table first.
pub(crate) struct Shards {
    folder: PathBuf,
    /// Whether the folder goes with this value, because nobody keeps it for the next run.
    temporary: bool,
    /// Rows of all shards.
    total: u64,
    temperatures: Vec<f64>,
    done: Vec<Shard>,
}

/// What `00000.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shard {
    counts: Counts,
    /// Of the models: they were fitted anew by this run, and have to be those of the rows that are there.
    temperatures: Vec<f64>,
    /// Of the table.
    blake3: String,
}

/// What is counted of scored rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) tokens: u64,
    pub(crate) padded_tokens: u64,
    /// Rows without text.
    pub(crate) empty: u64,
}

impl Shards {
    /// Finds the shards that an interrupted run of the same fingerprint left.
    pub(crate) fn open(ctx: &Context, total: u64, temperatures: Vec<f64>) -> Result<Self, Failure> {
        let invocation = ctx.invocation();
        let (folder, temporary) = match &invocation.work {
            Some(work) => (work.clone(), false),
            None => (invocation.output.join(".shards"), true),
        };
        std::fs::create_dir_all(&folder).map_err(|error| Failure::io(&folder, &error))?;
        let mut shards = Self {
            folder,
            temporary,
            total,
            temperatures,
            done: Vec::new(),
        };
        while let Some(shard) = shards.find(shards.done.len()) {
            shards.done.push(shard);
        }
        Ok(shards)
    }

    /// Of all shards that are whole: their rows need not be scored again.
    pub(crate) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for Counts {
            rows,
            tokens,
            padded_tokens,
            empty,
        } in self.done.iter().map(|shard| shard.counts)
        {
            sum.rows += rows;
            sum.tokens += tokens;
            sum.padded_tokens += padded_tokens;
            sum.empty += empty;
        }
        sum
    }

    /// Adds a shard, which `write` writes to the path that it is given.
    pub(crate) fn add(
        &mut self,
        counts: Counts,
        write: impl FnOnce(&Path) -> Result<(), DatasetError>,
    ) -> Result<(), Failure> {
        let number = self.done.len();
        let table = self.path(number, "parquet.tmp");
        write(&table)?;
        let shard = Shard {
            counts,
            temperatures: self.temperatures.clone(),
            blake3: digest(&table).map_err(|error| Failure::io(&table, &error))?,
        };
        self.publish(&table, number, "parquet")?;
        let note = self.path(number, "json.tmp");
        let written = serde_json::to_vec(&shard)
            .map_err(std::io::Error::other)
            .and_then(|text| File::create(&note)?.write_all(&text));
        written.map_err(|error| Failure::io(&note, &error))?;
        self.publish(&note, number, "json")?;
        self.done.push(shard);
        Ok(())
    }

    /// Makes one table of all shards.
    pub(crate) fn assemble(&self, path: &Path) -> Result<(), Failure> {
        let tables: Vec<PathBuf> = (0..self.done.len())
            .map(|number| self.path(number, "parquet"))
            .collect();
        let rows = dataset::concat_scored(path, &tables)?;
        if rows != self.total {
            return Err(Failure::storage(format!(
                "`{}`: {rows} rows were scored where the input has {}: it changed while it was read",
                path.display(),
                self.total
            )));
        }
        if self.temporary {
            std::fs::remove_dir_all(&self.folder).map_err(|error| Failure::io(&self.folder, &error))?;
        }
        Ok(())
    }

    /// The shard of this number, if it is whole and made as this run would make it.
    fn find(&self, number: usize) -> Option<Shard> {
        let before = (number * SHARD_ROWS) as u64;
        let rows = self.total.checked_sub(before)?.min(SHARD_ROWS as u64);
        let note = std::fs::read(self.path(number, "json")).ok()?;
        let shard: Shard = serde_json::from_slice(&note).ok()?;
        let table = self.path(number, "parquet");
        let whole = rows > 0
            && shard.counts.rows == rows
            && shard.temperatures == self.temperatures
            && digest(&table).is_ok_and(|digest| digest == shard.blake3);
        if !whole {
            tracing::debug!(shard = %table.display(), "not whole, so its rows are scored again");
        }
        whole.then_some(shard)
    }

    fn path(&self, number: usize, ending: &str) -> PathBuf {
        self.folder.join(format!("{number:05}.{ending}"))
    }

    /// Gives a file its name once its content is on the disk.
    fn publish(&self, temporary: &Path, number: usize, ending: &str) -> Result<(), Failure> {
        let path = self.path(number, ending);
        File::open(temporary)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(temporary, &path))
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(|error| Failure::io(&path, &error))
    }
}

fn digest(path: &Path) -> std::io::Result<String> {
    Ok(blake3::hash(&std::fs::read(path)?).to_hex().to_string())
}
