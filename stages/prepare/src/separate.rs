//! Keeps the tables apart, and divides train where a table is missing.

use dataset::{GoldenShare, Guard, Leak, LeakGuard, Split, Splits};
use stage::{Context, Failure};

use crate::Params;
use crate::report::Report;

/// A file of which this part is golden is golden, not a table that happens to hold some of it: 9 of 10 rows.
const GOLDEN_PART: (usize, usize) = (9, 10);

/// Cleans every table of what stands in a more protected one, golden first, and takes the tables that are no inputs
/// out of train. Returns what stood in two tables.
pub(crate) fn separate(
    ctx: &Context,
    params: &Params,
    splits: &mut Splits,
    report: &mut Report,
) -> Result<Vec<Leak>, Failure> {
    let mut guard = Guard::new(params.leak_guard, params.near_threshold);
    if let Some(golden) = &mut splits.golden {
        guard.clean(Split::Golden, golden);
        guard.protect(Split::Golden, golden);
    }
    if let Some(validation) = &mut splits.validation {
        let shares = guard.clean(Split::Validation, validation);
        check_shares(ctx, params, report, Split::Validation, &shares)?;
        guard.protect(Split::Validation, validation);
    }
    if let Some(train) = &mut splits.train {
        let shares = guard.clean(Split::Train, train);
        check_shares(ctx, params, report, Split::Train, &shares)?;
    }
    take_missing(ctx, params, splits, report, &mut guard);
    if let Some(train) = &splits.train {
        guard.protect(Split::Train, train);
    }
    if let Some(raw) = &mut splits.raw {
        ctx.progress("comparing raw", 0, Some(raw.len() as u64), "rows");
        let shares = guard.clean(Split::Raw, raw);
        check_shares(ctx, params, report, Split::Raw, &shares)?;
    }
    Ok(guard.into_leaks())
}

/// Takes the tables that are no inputs out of train: golden first, as it is worth most.
fn take_missing(ctx: &Context, params: &Params, splits: &mut Splits, report: &mut Report, guard: &mut Guard) {
    let Splits {
        golden,
        validation,
        train: Some(train),
        ..
    } = splits
    else {
        return;
    };
    // Both fractions are of train as it was.
    let whole = train.len() as f64;
    for (split, fraction, table) in [
        (Split::Golden, params.golden_fraction, golden),
        (Split::Validation, params.validation_fraction, validation),
    ] {
        if let (Some(fraction), None) = (fraction, &table) {
            let fraction = (fraction * whole / train.len() as f64).min(1.0);
            let part = dataset::take_stratified(train, ctx.labels().len(), fraction, ctx.seed(), split);
            report.split(Split::Train).moved += part.len() as u64;
            report.split(split).taken_from = Some(Split::Train);
            guard.protect(split, &part);
            // What is left has none of the texts that were taken, but may have similar ones.
            if params.leak_guard == LeakGuard::Near {
                guard.clean(Split::Train, train);
            }
            *table = Some(part);
        }
    }
}

/// Refuses a file that is the golden set itself; emptied silently, it would look like a table that was read.
fn check_shares(
    ctx: &Context,
    params: &Params,
    report: &mut Report,
    split: Split,
    shares: &[GoldenShare],
) -> Result<(), Failure> {
    let (part, whole) = GOLDEN_PART;
    for share in shares {
        if share.golden == 0 || share.golden * whole < share.rows * part {
            continue;
        }
        let GoldenShare {
            item, golden_item, ..
        } = share;
        let (rows, golden) = (
            stage::grouped(share.rows as u64),
            stage::grouped(share.golden as u64),
        );
        let name = split.as_str();
        let message = format!(
            "`{item}` (input `{name}`) is the golden set: {golden} of its {rows} rows are rows of `{golden_item}`"
        );
        if params.leak_guard != LeakGuard::Off {
            return Err(Failure::stage(message).hint(format!(
                "a model tested on what shaped it looks better than it is: take `{item}` out of `{name}`, or give \
                 `golden` texts that nothing else uses"
            )));
        }
        let warning = format!("{message} (`leak_guard` is off)");
        ctx.warn(&warning);
        report.warnings.push(warning);
    }
    Ok(())
}
