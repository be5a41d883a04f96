//! The stage as the engine sees it: params checked, then whole runs with tiny models.

mod calibration;
mod ensemble;
mod params;
mod project;
mod runs;
mod shards;
