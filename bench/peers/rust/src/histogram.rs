// SPDX-License-Identifier: MIT
//! bench/histogram.c in Rust: values below 2048 have a bucket each; above, the
//! highest set bit chooses the row, the ten bits below it the bucket in it.

const BITS: u32 = 10; // 2 ^ -10 is below a thousandth: three digits
const ROW: u64 = 1 << BITS;
const ROWS: u64 = 64 - BITS as u64 + 1;

pub struct Histogram {
    count: u64,
    max: u64,
    buckets: Vec<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            count: 0,
            max: 0,
            buckets: vec![0; (ROWS * ROW) as usize],
        }
    }
}

impl Histogram {
    fn bucket_of(value: u64) -> usize {
        if value < 2 * ROW {
            return value as usize;
        }
        let shift = 63 - value.leading_zeros() - BITS;
        (u64::from(shift) * ROW + (value >> shift)) as usize
    }

    /// The greatest value that falls into it.
    fn bucket_top(bucket: usize) -> u64 {
        let bucket = bucket as u64;
        if bucket < 2 * ROW {
            return bucket;
        }
        let shift = bucket / ROW - 1;
        ((bucket - shift * ROW) << shift) + ((1 << shift) - 1)
    }

    pub fn record(&mut self, value: u64) {
        self.count += 1;
        self.max = self.max.max(value);
        self.buckets[Self::bucket_of(value)] += 1;
    }

    pub fn merge(&mut self, from: &Histogram) {
        self.count += from.count;
        self.max = self.max.max(from.max);
        for (to, n) in self.buckets.iter_mut().zip(&from.buckets) {
            *to += n;
        }
    }

    pub fn max(&self) -> u64 {
        self.max
    }

    /// The smallest value that a share `q` of all values does not exceed.
    pub fn quantile(&self, q: f64) -> u64 {
        let rank = ((q * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (i, n) in self.buckets.iter().enumerate() {
            seen += n;
            if seen >= rank {
                return Self::bucket_top(i).min(self.max);
            }
        }
        self.max
    }
}
