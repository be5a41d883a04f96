//! Standard error: bars on a terminal, a quiet line now and then elsewhere.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use stage::{Event, Level};

use crate::words;

/// Without a terminal, an activity says how far it is at most this often.
const QUIET_INTERVAL: Duration = Duration::from_secs(20);
/// The unit of sizes, which people read in larger ones.
pub(crate) const BYTES: &str = "bytes";

/// Writes to standard error; if that fails there is nowhere left to say so.
pub(crate) fn print_error(text: &str) {
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

/// Shows what stages do while they run.
pub(crate) struct Terminal {
    bars: Option<MultiProgress>,
    quiet: bool,
    stages: BTreeMap<String, Activity>,
}

struct Activity {
    bar: Option<ProgressBar>,
    name: String,
    started: Instant,
    last_line: Instant,
    first_done: u64,
}

impl Terminal {
    /// Bars if standard error is a terminal; nothing but warnings if `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        let bars = (std::io::stderr().is_terminal() && !quiet).then(MultiProgress::new);
        Self {
            bars,
            quiet,
            stages: BTreeMap::new(),
        }
    }

    /// A line above the bars.
    pub(crate) fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) if bars.println(text).is_ok() => {}
            _ => print_error(&format!("{text}\n")),
        }
    }

    /// A line that `--quiet` suppresses.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Shows one event of `stage`.
    pub(crate) fn event(&mut self, stage: &str, event: &Event) {
        match event {
            Event::Progress {
                activity,
                done,
                total,
                unit,
                detail,
            } => {
                self.progress(stage, activity, *done, *total, unit, detail.as_deref());
            }
            Event::Message {
                level: Level::Warn,
                text,
            } => self.line(&format!("warning: {stage}: {text}")),
            Event::Message {
                level: Level::Info,
                text,
            } => self.note(&format!("{stage}: {text}")),
            Event::Finished(_) | Event::Failed(_) => self.clear(stage),
        }
    }

    /// Removes the bar of `stage`.
    pub(crate) fn clear(&mut self, stage: &str) {
        if let Some(Activity { bar: Some(bar), .. }) = self.stages.remove(stage) {
            bar.finish_and_clear();
        }
    }

    /// Shows how far `stage` is with the activity `name`.
    pub(crate) fn progress(
        &mut self,
        stage: &str,
        name: &str,
        done: u64,
        total: Option<u64>,
        unit: &str,
        detail: Option<&str>,
    ) {
        let now = Instant::now();
        if self
            .stages
            .get(stage)
            .is_none_or(|activity| activity.name != name)
        {
            self.clear(stage);
            let bar = self
                .bars
                .as_ref()
                .map(|bars| bars.add(bar_for(stage, name, total, unit)));
            let activity = Activity {
                bar,
                name: name.to_owned(),
                started: now,
                last_line: now,
                first_done: done,
            };
            self.stages.insert(stage.to_owned(), activity);
        }
        let Some(activity) = self.stages.get_mut(stage) else {
            return;
        };
        if let Some(bar) = &activity.bar {
            bar.set_position(done);
            bar.set_message(detail.unwrap_or_default().to_owned());
        } else if !self.quiet && now - activity.last_line >= QUIET_INTERVAL {
            activity.last_line = now;
            let since = now - activity.started;
            let text = progress_line(done, activity.first_done, total, unit, since, detail);
            print_error(&format!("{stage}: {name} {text}\n"));
        }
    }
}

/// Takes a stage's event stream and shows it; for commands that run a stage in their own process.
pub(crate) struct StageWriter {
    terminal: Terminal,
    stage: &'static str,
}

impl StageWriter {
    /// Shows progress and warnings; nothing but warnings if `quiet`.
    pub(crate) fn new(stage: &'static str, quiet: bool) -> Self {
        Self {
            terminal: Terminal::new(quiet),
            stage,
        }
    }
}

impl Write for StageWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        match serde_json::from_slice(line) {
            Ok(Event::Message {
                level: Level::Warn,
                text,
            }) => self.terminal.line(&format!("warning: {text}")),
            Ok(event @ Event::Progress { .. }) => self.terminal.event(self.stage, &event),
            _ => {}
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for StageWriter {
    fn drop(&mut self) {
        self.terminal.clear(self.stage);
    }
}

fn bar_for(stage: &str, name: &str, total: Option<u64>, unit: &str) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = match total {
        Some(_) if unit == BYTES => {
            "{prefix} [{bar:24}] {decimal_bytes}/{decimal_total_bytes} · {decimal_bytes_per_sec} · {eta} left  {wide_msg}"
        }
        Some(_) => "{prefix} [{bar:24}] {human_pos}/{human_len} {UNIT} · {per_sec} · {eta} left  {wide_msg}",
        None => "{prefix} {spinner} {human_pos} {UNIT} · {per_sec}  {wide_msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(&template.replace("{UNIT}", unit)) {
        bar.set_style(style.progress_chars("█▌ "));
    }
    bar.with_prefix(format!("{stage}: {name}"))
}

fn progress_line(
    done: u64,
    first: u64,
    total: Option<u64>,
    unit: &str,
    since: Duration,
    detail: Option<&str>,
) -> String {
    let rate = (done - first.min(done)) as f64 / since.as_secs_f64().max(1e-3);
    let mut text = match total {
        Some(total) if unit == BYTES => {
            format!(
                "{} of {}, {}/s",
                words::bytes(done),
                words::bytes(total),
                words::bytes(rate as u64)
            )
        }
        Some(total) => format!("{done}/{total} {unit}, {rate:.0}/s"),
        None => format!("{done} {unit}, {rate:.0}/s"),
    };
    if let (Some(total), true) = (total, rate > 0.0) {
        text.push_str(&format!(
            ", {} left",
            words::seconds((total - done.min(total)) as f64 / rate)
        ));
    }
    if let Some(detail) = detail {
        text.push_str(&format!(" ({detail})"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_without_a_terminal_says_rate_and_remaining_time() {
        let line = progress_line(
            50,
            0,
            Some(100),
            "rows",
            Duration::from_secs(10),
            Some("epoch 1/2"),
        );
        assert_eq!(line, "50/100 rows, 5/s, 10 s left (epoch 1/2)");
        let line = progress_line(
            5_000_000,
            0,
            Some(20_000_000),
            BYTES,
            Duration::from_secs(1),
            None,
        );
        assert_eq!(line, "5.0 MB of 20 MB, 5.0 MB/s, 3.0 s left");
    }
}
