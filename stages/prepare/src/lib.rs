//! stage_prepare
