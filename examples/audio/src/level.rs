//! How loud samples are.

/// Peak and mean power of samples, full scale being 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    peak: f64,
    squares: f64,
    samples: u64,
}

impl Level {
    /// Takes more samples, of whatever channels. What is not a number counts as silence.
    pub fn add(&mut self, samples: &[f32]) {
        for sample in samples.iter().copied().map(f64::from).filter(|sample| sample.is_finite()) {
            self.peak = self.peak.max(sample.abs());
            self.squares += sample * sample;
        }
        self.samples += samples.len() as u64;
    }

    /// The loudest sample in dB, full scale being 0; `None` for silence. Files with floating-point samples can be above 0.
    #[must_use]
    pub fn peak_dbfs(&self) -> Option<f64> {
        decibels(self.peak)
    }

    /// The root of the mean square over all channels in dB, a square wave of full scale being 0 (a sine is −3.01 then);
    /// `None` for silence.
    #[must_use]
    pub fn rms_dbfs(&self) -> Option<f64> {
        // A file of 2⁵³ samples does not exist.
        decibels((self.squares / self.samples as f64).sqrt())
    }
}

/// Rounded to a hundredth, which nobody hears.
fn decibels(amplitude: f64) -> Option<f64> {
    (amplitude > 0.0).then(|| (20.0 * amplitude.log10() * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(samples: &[f32]) -> Level {
        let mut level = Level::default();
        level.add(samples);
        level
    }

    #[test]
    fn half_of_full_scale_is_six_decibels_down() {
        assert_eq!(level(&[0.5, -0.5]).peak_dbfs(), Some(-6.02));
        assert_eq!(level(&[0.5, -0.5]).rms_dbfs(), Some(-6.02));
        assert_eq!(level(&[1.0, -1.0, 1.0]).rms_dbfs(), Some(0.0));
    }

    #[test]
    fn a_sine_of_full_scale_is_three_decibels_below_a_square_wave() {
        let sine: Vec<f32> = (0..48_000u16).map(|n| (f32::from(n) * std::f32::consts::TAU / 100.0).sin()).collect();
        assert_eq!(level(&sine).rms_dbfs(), Some(-3.01));
        assert_eq!(level(&sine).peak_dbfs(), Some(0.0));
    }

    #[test]
    fn silence_has_no_level() {
        assert_eq!(level(&[0.0; 8]).peak_dbfs(), None);
        assert_eq!(level(&[]).rms_dbfs(), None);
        assert_eq!(level(&[f32::NAN]).peak_dbfs(), None);
    }
}
