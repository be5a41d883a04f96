//! Groups rows of similar length, so that little is computed for padding.

/// Batches of row numbers, sorted by length (ties by row number), each of at most `batch_tokens` padded tokens
/// (rows times the longest row) but of at least one row. Shortest first.
pub fn length_batches(lengths: &[usize], batch_tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&row| (lengths[row], row));
    let mut batches = Vec::new();
    let mut batch: Vec<usize> = Vec::new();
    for row in order {
        // Sorted, so this row is the longest so far.
        if !batch.is_empty() && (batch.len() + 1) * lengths[row] > batch_tokens {
            batches.push(std::mem::take(&mut batch));
        }
        batch.push(row);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_sorted_by_length() {
        assert_eq!(length_batches(&[5, 2, 4, 2], 10), [vec![1, 3], vec![2, 0]]);
    }

    #[test]
    fn every_row_is_in_exactly_one_batch() {
        let lengths: Vec<usize> = (0..1000).map(|row| row * 7919 % 61).collect();
        let mut rows: Vec<usize> = length_batches(&lengths, 100).concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_row_longer_than_the_budget_is_a_batch_of_its_own() {
        assert_eq!(length_batches(&[300, 1], 10), [vec![1], vec![0]]);
    }

    #[test]
    fn padded_tokens_stay_within_the_budget() {
        let lengths = [3, 9, 4, 4, 8, 1, 2];
        for batch in length_batches(&lengths, 12) {
            let longest = batch.iter().map(|&row| lengths[row]).max().unwrap();
            assert!(batch.len() * longest <= 12);
        }
    }

    #[test]
    fn no_rows_are_no_batches() {
        assert!(length_batches(&[], 10).is_empty());
    }
}
