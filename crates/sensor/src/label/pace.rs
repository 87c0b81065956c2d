//! Gaps of time: how long they are, and how even.

/// The most gaps that are kept; the first of a visit say enough.
const MOST: usize = 256;

/// Gaps in seconds, in the order they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps(Vec<f32>);

impl Gaps {
    /// One more, if there is room.
    pub fn add(&mut self, seconds: f64) {
        if self.0.len() < MOST {
            #[expect(clippy::cast_possible_truncation)] // a thousandth of a second is exact enough
            self.0.push(seconds.max(0.0) as f32);
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The one in the middle; 0 when there is none.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f32::total_cmp);
        sorted.get(sorted.len() / 2).copied().map_or(0.0, f64::from)
    }

    /// Standard deviation by mean: 0 is a metronome, people are beyond 0.4.
    pub fn unevenness(&self) -> f64 {
        let count = self.0.len().max(1) as f64;
        let mean = self.0.iter().copied().map(f64::from).sum::<f64>() / count;
        if mean <= 0.0 {
            return 0.0;
        }
        let square = self.0.iter().map(|gap| (f64::from(*gap) - mean).powi(2)).sum::<f64>() / count;
        square.sqrt() / mean
    }

    /// The share of gaps that are at least so long.
    pub fn share_from(&self, seconds: f64) -> f64 {
        let long = self.0.iter().filter(|gap| f64::from(**gap) >= seconds).count();
        long as f64 / self.0.len().max(1) as f64
    }
}
