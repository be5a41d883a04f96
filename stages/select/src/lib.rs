//! stage_select
