//! Sorting by a comparison that need not be an order.
//!
//! Some of Kubernetes' comparisons are not transitive (a name that stands in a list against one that does not, quantities
//! against other texts). Go's sort takes that; the standard library's may panic.

/// Sorts stably by `less`, which need not be an order: then the outcome is some arrangement, the same every time.
pub fn stable_sort_by<T>(mut items: Vec<T>, less: &dyn Fn(&T, &T) -> bool) -> Vec<T> {
    if items.len() < 2 {
        return items;
    }
    let right = stable_sort_by(items.split_off(items.len() / 2), less);
    let left = stable_sort_by(items, less);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            // Two that are each before the other are equal.
            (Some(a), Some(b)) if less(b, a) && !less(a, b) => merged.extend(right.next()),
            (Some(_), _) => merged.extend(left.next()),
            (None, Some(_)) => merged.extend(right.next()),
            (None, None) => return merged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stable_sort_by;

    #[test]
    fn equal_ones_keep_their_places() {
        let sorted = stable_sort_by(vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')], &|a, b| a.0 < b.0);
        assert_eq!(sorted, [(1, 'b'), (1, 'd'), (2, 'a'), (2, 'c')]);
    }

    #[test]
    fn a_comparison_that_is_no_order_ends_with_all_of_them() {
        let mut sorted =
            stable_sort_by((0..1000).collect(), &|a: &u32, b: &u32| (a * 7919) % 13 < (b * 104_729) % 11);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
    }
}
