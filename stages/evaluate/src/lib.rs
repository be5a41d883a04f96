//! stage_evaluate
