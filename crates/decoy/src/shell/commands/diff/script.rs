//! Which lines differ: the search of GNU diff (Myers), and the same moving of boundaries.

/// The work that one comparison may cost; beyond it, everything left counts as changed.
const MOST_WORK: usize = 20_000_000;

/// A run of lines that were taken away, and of those that stand there instead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    /// First line and number of lines in the old file.
    pub(super) old: (usize, usize),
    /// The same in the new one.
    pub(super) new: (usize, usize),
}

/// The changes that make `new` of `old`; equal numbers are equal lines.
pub(super) fn changes(old: &[usize], new: &[usize]) -> Vec<Change> {
    // Lines that the other file has nowhere need no search.
    let most = old.iter().chain(new).max().map_or(0, |most| most + 1);
    let has = |lines: &[usize]| {
        let mut has = vec![false; most];
        for line in lines {
            if let Some(place) = has.get_mut(*line) {
                *place = true;
            }
        }
        has
    };
    let (in_old, in_new) = (has(old), has(new));
    let kept = |lines: &[usize], other: &[bool]| -> Vec<usize> {
        let is_in = |at: &usize| lines.get(*at).and_then(|line| other.get(*line)).copied().unwrap_or(false);
        (0..lines.len()).filter(is_in).collect()
    };
    let (left, right) = (kept(old, &in_new), kept(new, &in_old));
    let pick = |lines: &[usize], places: &[usize]| -> Vec<usize> {
        places.iter().filter_map(|at| lines.get(*at)).copied().collect()
    };
    let mut search = Search {
        x: pick(old, &left),
        y: pick(new, &right),
        gone: vec![false; left.len()],
        come: vec![false; right.len()],
        work: 0,
    };
    search.compare(0, left.len(), 0, right.len(), 0);
    // Flags have one more at either end.
    let flags = |length: usize, places: &[usize], changed: &[bool]| {
        let mut flags = vec![true; length + 2];
        for end in [0, length + 1] {
            set(&mut flags, end, false);
        }
        for (at, changed) in places.iter().zip(changed) {
            set(&mut flags, at + 1, *changed);
        }
        flags
    };
    let mut gone = flags(old.len(), &left, &search.gone);
    let mut come = flags(new.len(), &right, &search.come);
    shift(old, &mut gone, &come);
    shift(new, &mut come, &gone);
    let (mut i, mut j, mut all) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        let (from, to) = (i, j);
        while get(&gone, i + 1) {
            i += 1;
        }
        while get(&come, j + 1) {
            j += 1;
        }
        if i > from || j > to {
            all.push(Change { old: (from, i - from), new: (to, j - to) });
        }
        i += 1;
        j += 1;
    }
    all
}

fn get(flags: &[bool], at: usize) -> bool {
    flags.get(at).copied().unwrap_or(false)
}

fn set(flags: &mut [bool], at: usize, value: bool) {
    if let Some(flag) = flags.get_mut(at) {
        *flag = value;
    }
}

struct Search {
    x: Vec<usize>,
    y: Vec<usize>,
    gone: Vec<bool>,
    come: Vec<bool>,
    work: usize,
}

impl Search {
    fn equal(&self, x: usize, y: usize) -> bool {
        self.x.get(x).is_some_and(|line| self.y.get(y) == Some(line))
    }

    fn compare(&mut self, mut x: usize, mut x_end: usize, mut y: usize, mut y_end: usize, depth: usize) {
        while x < x_end && y < y_end && self.equal(x, y) {
            x += 1;
            y += 1;
        }
        while x < x_end && y < y_end && self.equal(x_end - 1, y_end - 1) {
            x_end -= 1;
            y_end -= 1;
        }
        let middle =
            if x < x_end && y < y_end && depth < 200 { self.middle(x, x_end, y, y_end) } else { None };
        match middle {
            Some((x_mid, y_mid)) => {
                self.compare(x, x_mid, y, y_mid, depth + 1);
                self.compare(x_mid, x_end, y_mid, y_end, depth + 1);
            }
            None => {
                (x..x_end).for_each(|at| set(&mut self.gone, at, true));
                (y..y_end).for_each(|at| set(&mut self.come, at, true));
            }
        }
    }

    /// A point on a shortest way, searched from both ends; `None` when that costs too much.
    fn middle(&mut self, x_off: usize, x_lim: usize, y_off: usize, y_lim: usize) -> Option<(usize, usize)> {
        let signed = |value: usize| isize::try_from(value).unwrap_or(isize::MAX / 4);
        let (xo, xl, yo, yl) = (signed(x_off), signed(x_lim), signed(y_off), signed(y_lim));
        let (low, high) = (xo - yl, xl - yo);
        let size = usize::try_from(high - low + 3).ok()?;
        let slot = |d: isize| usize::try_from(d - low + 1).unwrap_or(usize::MAX);
        let (mut forward, mut backward) = (vec![-1_isize; size], vec![isize::MAX; size]);
        let at = |table: &[isize], d: isize, none: isize| table.get(slot(d)).copied().unwrap_or(none);
        let put = |table: &mut [isize], d: isize, value: isize| {
            if let Some(place) = table.get_mut(slot(d)) {
                *place = value;
            }
        };
        let (f_mid, b_mid) = (xo - yo, xl - yl);
        let odd = (f_mid - b_mid) & 1 != 0;
        let (mut f_min, mut f_max, mut b_min, mut b_max) = (f_mid, f_mid, b_mid, b_mid);
        put(&mut forward, f_mid, xo);
        put(&mut backward, b_mid, xl);
        let place = |x: isize, y: isize| Some((usize::try_from(x).ok()?, usize::try_from(y).ok()?));
        loop {
            if f_min > low {
                f_min -= 1;
                put(&mut forward, f_min - 1, -1);
            } else {
                f_min += 1;
            }
            if f_max < high {
                f_max += 1;
                put(&mut forward, f_max + 1, -1);
            } else {
                f_max -= 1;
            }
            let mut d = f_max;
            while d >= f_min {
                let (less, more) = (at(&forward, d - 1, -1), at(&forward, d + 1, -1));
                let mut x = if less < more { more } else { less + 1 };
                let mut y = x - d;
                while x < xl && y < yl && place(x, y).is_some_and(|(x, y)| self.equal(x, y)) {
                    x += 1;
                    y += 1;
                    self.work += 1;
                }
                put(&mut forward, d, x);
                if odd && b_min <= d && d <= b_max && at(&backward, d, isize::MAX) <= x {
                    return place(x, y);
                }
                d -= 2;
                self.work += 1;
            }
            if b_min > low {
                b_min -= 1;
                put(&mut backward, b_min - 1, isize::MAX);
            } else {
                b_min += 1;
            }
            if b_max < high {
                b_max += 1;
                put(&mut backward, b_max + 1, isize::MAX);
            } else {
                b_max -= 1;
            }
            let mut d = b_max;
            while d >= b_min {
                let (less, more) = (at(&backward, d - 1, isize::MAX), at(&backward, d + 1, isize::MAX));
                let mut x = if less < more { less } else { more.saturating_sub(1) };
                let mut y = x - d;
                while xo < x && yo < y && place(x - 1, y - 1).is_some_and(|(x, y)| self.equal(x, y)) {
                    x -= 1;
                    y -= 1;
                    self.work += 1;
                }
                put(&mut backward, d, x);
                if !odd && f_min <= d && d <= f_max && x <= at(&forward, d, -1) {
                    return place(x, y);
                }
                d -= 2;
                self.work += 1;
            }
            if self.work > MOST_WORK {
                return None;
            }
        }
    }
}

/// Moves runs of changed lines as far down as they go, and together with the other file's (analyze.c). Flags begin with
/// one for the line before the first.
fn shift(lines: &[usize], changed: &mut [bool], other: &[bool]) {
    let line = |at: usize| lines.get(at).copied();
    let end = lines.len();
    let (mut i, mut j) = (0_usize, 0_usize);
    loop {
        while i < end && !get(changed, i + 1) {
            while get(other, j + 1) {
                j += 1;
            }
            j += 1;
            i += 1;
        }
        if i == end {
            break;
        }
        let mut start = i;
        i += 1;
        while get(changed, i + 1) {
            i += 1;
        }
        while get(other, j + 1) {
            j += 1;
        }
        let mut corresponding;
        loop {
            let length = i - start;
            while start > 0 && line(start - 1) == line(i - 1) {
                start -= 1;
                set(changed, start + 1, true);
                i -= 1;
                set(changed, i + 1, false);
                while start > 0 && get(changed, start) {
                    start -= 1;
                }
                j = j.saturating_sub(1);
                while j > 0 && get(other, j + 1) {
                    j -= 1;
                }
            }
            corresponding = if get(other, j) { i } else { end };
            while i != end && line(start) == line(i) {
                set(changed, start + 1, false);
                start += 1;
                set(changed, i + 1, true);
                i += 1;
                while get(changed, i + 1) {
                    i += 1;
                }
                j += 1;
                while get(other, j + 1) {
                    corresponding = i;
                    j += 1;
                }
            }
            if length == i - start {
                break;
            }
        }
        while corresponding < i {
            start -= 1;
            set(changed, start + 1, true);
            i -= 1;
            set(changed, i + 1, false);
            j = j.saturating_sub(1);
            while j > 0 && get(other, j + 1) {
                j -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let numbers = |text: &str| text.bytes().map(usize::from).collect::<Vec<_>>();
        let all = changes(&numbers(old), &numbers(new));
        all.iter().map(|one| format!("{},{}:{},{} ", one.old.0, one.old.1, one.new.0, one.new.1)).collect()
    }

    #[test]
    fn changes_are_those_of_diff() {
        assert_eq!(shown("abc", "abc"), "");
        assert_eq!(shown("abc", "aXcd"), "1,1:1,1 3,0:3,1 ");
        assert_eq!(shown("", "ab"), "0,0:0,2 ");
        assert_eq!(shown("ab", ""), "0,2:0,0 ");
        // A line that is added among its like stands last.
        assert_eq!(shown("aab", "aaab"), "2,0:2,1 ");
        assert_eq!(shown("xaby", "xababy"), "3,0:3,2 ");
        assert_eq!(shown("abcabba", "cbabac").matches(':').count(), 4);
    }

    proptest::proptest! {
        #[test]
        fn any_two_texts_are_made_of_each_other(old in "[abc]{0,40}", new in "[abcd]{0,40}") {
            let (a, b) = (old.as_bytes(), new.as_bytes());
            let numbers = |text: &[u8]| text.iter().map(|byte| usize::from(*byte)).collect::<Vec<_>>();
            let (mut made, mut at) = (Vec::new(), 0);
            for one in changes(&numbers(a), &numbers(b)) {
                made.extend_from_slice(&a[at..one.old.0]);
                made.extend_from_slice(&b[one.new.0..one.new.0 + one.new.1]);
                at = one.old.0 + one.old.1;
            }
            made.extend_from_slice(&a[at..]);
            proptest::prop_assert_eq!(made, b);
        }
    }
}
