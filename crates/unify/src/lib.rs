//! Empty. Its manifest keeps one set of features for the crates that polars, burn and tokenizers share.
