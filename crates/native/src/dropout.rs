//! Dropout masks that are computed anew wherever they are needed, from a seed and an element's position.

/// Which elements of an array are kept, and by how much these are scaled up.
#[derive(Clone, Copy, Debug)]
pub struct DropoutMask {
    scale: f32,
    threshold: u32,
    seeds: [u32; 2],
}

impl DropoutMask {
    /// Keeps each element with the probability `keep`, above 0 and at most 1.
    pub fn new(keep: f64, seeds: [u32; 2]) -> Self {
        Self {
            scale: (1.0 / keep) as f32,
            threshold: (keep * f64::from(u32::MAX)) as u32,
            seeds,
        }
    }

    /// What the element at `position` is multiplied with: 0 or `1 / keep`. Positions repeat after 2³².
    #[inline(always)]
    pub fn factor(self, position: u32) -> f32 {
        let random = hash(hash(position ^ self.seeds[0]).wrapping_add(self.seeds[1]));
        if random <= self.threshold { self.scale } else { 0.0 }
    }

    /// The factors of consecutive elements, the first of which is at `start`.
    pub fn fill(self, start: u32, factors: &mut [f32]) {
        vectorized!({
            for (index, factor) in factors.iter_mut().enumerate() {
                *factor = self.factor(start.wrapping_add(index as u32));
            }
        });
    }
}

/// Chris Wellons' lowbias32 (<https://nullprogram.com/blog/2018/07/31/>): each bit depends evenly on all bits of `x`.
#[inline(always)]
fn hash(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(keep: f64, seeds: [u32; 2]) -> Vec<f32> {
        let mut factors = vec![0.0; 1_000_000];
        DropoutMask::new(keep, seeds).fill(0, &mut factors);
        factors
    }

    #[test]
    fn a_mask_keeps_the_asked_for_share_and_the_mean() {
        let mask = mask(0.9, [5, 6]);
        let kept = mask.iter().filter(|value| **value > 0.0).count() as f64 / 1e6;
        let mean = mask.iter().map(|value| f64::from(*value)).sum::<f64>() / 1e6;
        assert!((kept - 0.9).abs() < 1.5e-3, "{kept}");
        assert!((mean - 1.0).abs() < 2e-3, "{mean}");
    }

    #[test]
    fn masks_of_different_seeds_are_independent() {
        let (first, second) = (mask(0.5, [5, 6]), mask(0.5, [5, 7]));
        let equal = first.iter().zip(&second).filter(|(a, b)| a == b).count() as f64 / 1e6;
        assert!((equal - 0.5).abs() < 2.5e-3, "{equal}");
        let neighbours = first.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64 / 1e6;
        assert!((neighbours - 0.5).abs() < 2.5e-3, "{neighbours}");
    }
}
