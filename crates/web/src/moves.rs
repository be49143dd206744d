//! Which rows of a list may stay where they are when its order changes.

/// For items in their new order, each with its old place: which of them need not move. It is the longest run of items
/// whose old places already ascend, so that as few as possible move.
#[must_use]
pub fn staying(old_places: &[usize]) -> Vec<bool> {
    // The classic: `tails[n]` is the item with the smallest old place that ends an ascending run of n + 1 items.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(old_places.len());
    for (index, place) in old_places.iter().enumerate() {
        let run = tails.partition_point(|&tail| old_places[tail] < *place);
        before.push(run.checked_sub(1).map(|shorter| tails[shorter]));
        if run == tails.len() {
            tails.push(index);
        } else {
            tails[run] = index;
        }
    }
    let mut stays = vec![false; old_places.len()];
    let mut last = tails.last().copied();
    while let Some(index) = last {
        stays[index] = true;
        last = before[index];
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(old_places: &[usize]) -> Vec<usize> {
        let stays = staying(old_places);
        old_places.iter().zip(stays).filter(|(_, stays)| !stays).map(|(place, _)| *place).collect()
    }

    #[test]
    fn only_what_moved_moves() {
        let cases: [(&[usize], &[usize]); 6] = [
            (&[], &[]),
            (&[0, 1, 2], &[]),
            (&[3, 0, 1, 2], &[3]),
            (&[1, 2, 3, 0], &[0]),
            (&[0, 3, 1, 2, 4], &[3]),
            (&[5, 7, 9], &[]),
        ];
        for (old_places, expected) in cases {
            assert_eq!(moved(old_places), expected, "{old_places:?}");
        }
        assert_eq!(moved(&[2, 1, 0]).len(), 2);
    }
}
