//! A stage's process: started, listened to, and its end put into words.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use stage::{Completion, Event, Failure};

use crate::store::disk;

/// A line of a child's standard output; none at its end.
pub(super) struct Line {
    pub(super) child: usize,
    pub(super) text: Option<String>,
}

/// A running stage process.
pub(super) struct Child {
    process: std::process::Child,
    log: PathBuf,
    started: Instant,
    peak_memory: u64,
    said: Option<Result<Completion, Failure>>,
    output_ended: bool,
    exit: Option<(ExitStatus, Instant)>,
    kill_at: Option<Instant>,
}

/// How a stage process ended.
pub(super) struct End {
    pub(super) result: Result<Completion, Failure>,
    /// From start to end.
    pub(super) seconds: f64,
    /// Bytes of memory at its highest, as far as it was seen.
    pub(super) peak_memory: u64,
    /// Whether SIGINT or SIGTERM ended it.
    pub(super) by_interrupt: bool,
}

impl Child {
    /// Starts `command` with `invocation` as its last argument. Standard error goes to `log`, lines of standard
    /// output to `lines` under the name `id`.
    pub(super) fn start(
        id: usize,
        command: &[OsString],
        env: &[(OsString, OsString)],
        invocation: &Path,
        log: &Path,
        lines: Sender<Line>,
    ) -> Result<Self, Failure> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(Failure::stage("no command is set that runs stages"));
        };
        let log_file = File::options().create(true).append(true).open(log);
        let log_file = log_file.map_err(|error| disk::failure(log, &error))?;
        let mut process = Command::new(program)
            .args(arguments)
            .arg(invocation)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .spawn()
            .map_err(|error| Failure::io(Path::new(program), &error))?;
        if let Some(output) = process.stdout.take() {
            std::thread::spawn(move || forward_lines(BufReader::new(output), id, &lines));
        }
        Ok(Self {
            process,
            log: log.to_owned(),
            started: Instant::now(),
            peak_memory: 0,
            said: None,
            output_ended: false,
            exit: None,
            kill_at: None,
        })
    }

    /// Takes note of a line. What is not an event goes to the log.
    pub(super) fn hear(&mut self, line: Option<&str>) -> Option<Event> {
        let Some(line) = line else {
            self.output_ended = true;
            return None;
        };
        self.watch_memory();
        match serde_json::from_str(line) {
            Ok(event) => {
                match &event {
                    Event::Finished(completion) => self.said = Some(Ok(completion.clone())),
                    Event::Failed(failure) => self.said = Some(Err(failure.clone())),
                    Event::Progress { .. } | Event::Message { .. } => {}
                }
                Some(event)
            }
            Err(_) => {
                let written = File::options().append(true).open(&self.log);
                if let Err(error) = written.and_then(|mut log| writeln!(log, "{line}")) {
                    tracing::debug!(log = %self.log.display(), %error, "a line is lost");
                }
                None
            }
        }
    }

    /// Asks it to end, and kills it when `grace` is over.
    pub(super) fn terminate(&mut self, grace: Duration) {
        if self.kill_at.is_some() || self.exit.is_some() {
            return;
        }
        self.kill_at = Some(Instant::now() + grace);
        if let Err(error) = kill_process(Pid::from_child(&self.process), Signal::TERM) {
            tracing::debug!(%error, "the stage process is gone already");
        }
    }

    /// Whether its output has ended, so that its end is a matter of milliseconds.
    pub(super) fn is_ending(&self) -> bool {
        self.output_ended
    }

    /// How it ended; none while it runs.
    pub(super) fn poll(&mut self) -> Option<End> {
        // After the end of the process its last lines may still be on the way, unless a descendant holds the pipe. The
        // line that a good end is known by is worth a longer wait: on a busy machine its reader may not get to run.
        const LAST_LINES: Duration = Duration::from_millis(500);
        const LAST_WORD: Duration = Duration::from_secs(10);
        if self.exit.is_none() {
            self.watch_memory();
            match self.process.try_wait() {
                Ok(status) => self.exit = status.map(|status| (status, Instant::now())),
                Err(error) => tracing::error!(%error, "the stage process cannot be waited for"),
            }
        }
        if self.exit.is_none() && self.kill_at.is_some_and(|at| Instant::now() >= at) {
            self.kill_at = None;
            self.kill();
        }
        let (status, at) = self.exit?;
        let owed = status.success() && self.said.is_none();
        if !self.output_ended && at.elapsed() < if owed { LAST_WORD } else { LAST_LINES } {
            return None;
        }
        let seconds = at.duration_since(self.started).as_secs_f64();
        let by_interrupt =
            matches!(status.signal(), Some(2 | 15)) || matches!(status.code(), Some(130 | 143));
        Some(End {
            result: self.result(status),
            seconds,
            peak_memory: self.peak_memory,
            by_interrupt,
        })
    }

    fn kill(&mut self) {
        if let Err(error) = self.process.kill() {
            tracing::debug!(%error, "the stage process is gone already");
        }
    }

    fn result(&mut self, status: ExitStatus) -> Result<Completion, Failure> {
        match self.said.take() {
            Some(Ok(completion)) if status.success() => return Ok(completion),
            Some(Err(failure)) => return Err(failure),
            _ => {}
        }
        let mut failure = match (status.signal(), status.code()) {
            (Some(signal), _) => {
                let name = Signal::from_named_raw(signal)
                    .map_or_else(String::new, |signal| format!(" ({})", name_of(signal)));
                Failure::stage(format!("the stage's process was killed by signal {signal}{name}"))
            }
            (None, Some(0)) => Failure::stage("the stage's process ended without saying that it is done"),
            (None, code) => {
                let code = code.unwrap_or_default();
                Failure::stage(format!(
                    "the stage's process ended with code {code} without saying why"
                ))
            }
        };
        if status.signal() == Some(9) {
            let peak = disk::words(self.peak_memory);
            failure = failure.hint(format!(
                "out of memory? the system kills the largest process; its peak was {peak}"
            ));
        }
        for line in last_lines(&self.log) {
            failure = failure.hint(format!("log: {line}"));
        }
        Err(failure.hint(format!("the whole log is `{}`", self.log.display())))
    }

    /// The system keeps the highest value, but only as long as the process lives.
    fn watch_memory(&mut self) {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        self.peak_memory = self.peak_memory.max(kibibytes.unwrap_or(0) * 1024);
    }
}

/// A child that is no longer listened to must not go on.
impl Drop for Child {
    fn drop(&mut self) {
        if self.exit.is_none() {
            self.kill();
            if let Err(error) = self.process.wait() {
                tracing::debug!(%error, "the stage process cannot be waited for");
            }
        }
    }
}

fn forward_lines(mut output: impl BufRead, child: usize, lines: &Sender<Line>) {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match output.read_until(b'\n', &mut bytes) {
            Ok(count) if count > 0 => {
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                // Nobody listens any more: read on all the same, so that the child does not block.
                let _gone = lines.send(Line {
                    child,
                    text: Some(text),
                });
            }
            _ => {
                let _gone = lines.send(Line { child, text: None });
                return;
            }
        }
    }
}

fn last_lines(log: &Path) -> Vec<String> {
    const COUNT: usize = 5;
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[text.len().saturating_sub(1 << 14)..]).into_owned();
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(COUNT)..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

fn name_of(signal: Signal) -> &'static str {
    match signal {
        Signal::ABORT => "SIGABRT",
        Signal::BUS => "SIGBUS",
        Signal::FPE => "SIGFPE",
        Signal::HUP => "SIGHUP",
        Signal::ILL => "SIGILL",
        Signal::INT => "SIGINT",
        Signal::KILL => "SIGKILL",
        Signal::SEGV => "SIGSEGV",
        Signal::TERM => "SIGTERM",
        _ => "another signal",
    }
}
