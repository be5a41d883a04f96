//! stage_score
