//! Counting numbered events at one listener, exactly: what is missing, what came twice, what came too late.

use std::collections::BTreeMap;

/// What a listener has heard of a sequence that begins with 0.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The number behind the highest one that was heard.
    next: u64,
    /// Numbers below that have not been heard: from the first of a run to behind its last one.
    missing: BTreeMap<u64, u64>,
    /// How many came once or more.
    pub heard: u64,
    /// How many came again.
    pub repeated: u64,
    /// How many came behind a higher one.
    pub late: u64,
}

impl Tally {
    /// Counts a number. Whether it is the first time.
    pub(super) fn hear(&mut self, number: u64) -> bool {
        if number >= self.next {
            if number > self.next {
                self.missing.insert(self.next, number);
            }
            self.next = number + 1;
            self.heard += 1;
            return true;
        }
        let run = self.missing.range(..=number).next_back().map(|(first, end)| (*first, *end));
        let Some((first, end)) = run.filter(|(_, end)| number < *end) else {
            self.repeated += 1;
            return false;
        };
        self.missing.remove(&first);
        if first < number {
            self.missing.insert(first, number);
        }
        if number + 1 < end {
            self.missing.insert(number + 1, end);
        }
        self.heard += 1;
        self.late += 1;
        true
    }

    /// How many of the first `total` numbers have not been heard, where `counts` says that a number counts.
    pub(super) fn missing(&self, total: u64, counts: impl Fn(u64) -> bool) -> u64 {
        let below = self.missing.iter().flat_map(|(first, end)| *first..*end);
        below.chain(self.next..total).map(|number| u64::from(number < total && counts(number))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(numbers: impl IntoIterator<Item = u64>) -> Tally {
        let mut tally = Tally::default();
        for number in numbers {
            tally.hear(number);
        }
        tally
    }

    fn counts(tally: &Tally, total: u64) -> (u64, u64, u64, u64) {
        (tally.heard, tally.missing(total, |_| true), tally.repeated, tally.late)
    }

    #[test]
    fn a_whole_sequence_misses_nothing() {
        assert_eq!(counts(&heard(0..100), 100), (100, 0, 0, 0));
        assert_eq!(counts(&heard([]), 0), (0, 0, 0, 0));
    }

    #[test]
    fn each_lost_event_is_noticed_wherever_it_is() {
        for lost in 0..10 {
            assert_eq!(counts(&heard((0..10).filter(|n| *n != lost)), 10), (9, 1, 0, 0), "{lost}");
        }
        assert_eq!(counts(&heard([2, 3, 7]), 10), (3, 7, 0, 0));
    }

    #[test]
    fn each_doubled_event_is_noticed_wherever_it_is() {
        for doubled in 0..10 {
            assert_eq!(counts(&heard((0..10).chain([doubled])), 10), (10, 0, 1, 0), "{doubled}");
        }
        assert_eq!(counts(&heard([0, 0, 0, 2, 2]), 3), (2, 1, 3, 0));
    }

    #[test]
    fn what_is_late_is_neither_lost_nor_doubled() {
        assert_eq!(counts(&heard([0, 5, 2, 1, 4, 3, 2]), 6), (6, 0, 1, 4));
    }

    #[test]
    fn what_was_perhaps_never_stored_is_not_missed() {
        assert_eq!(heard([0, 3]).missing(5, |number| number != 2), 2);
    }

    #[test]
    fn any_order_comes_to_the_same() {
        // A permutation of 0..97, with every tenth number left out and every seventh one said twice.
        let numbers: Vec<u64> = (0..97_u64).map(|n| n * 31 % 97).filter(|n| n % 10 != 0).collect();
        let said = numbers.iter().flat_map(|n| if n % 7 == 0 { vec![*n, *n] } else { vec![*n] });
        let tally = heard(said);
        let repeated = numbers.iter().filter(|n| *n % 7 == 0).count() as u64;
        assert_eq!((tally.heard, tally.missing(97, |_| true), tally.repeated), (87, 10, repeated));
    }
}
