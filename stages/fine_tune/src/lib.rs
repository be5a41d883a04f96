//! stage_fine_tune
