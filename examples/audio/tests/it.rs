//! What is found in whole files against what Python's `wave` module and the encoders' own numbers say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use audio::{Fault, Sound, inspect};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(sample(name)).unwrap()
}

fn sound(name: &str) -> Sound {
    inspect(&bytes(name)).unwrap()
}

/// Reads a WAV of 16 bits with Python's standard library alone: rate, channels, frames, bits, peak and RMS in dB.
const PYTHON: &str = r#"
import array, math, sys, wave
with wave.open(sys.argv[1]) as file:
    rate, channels, frames, bits = file.getframerate(), file.getnchannels(), file.getnframes(), 8 * file.getsampwidth()
    samples = array.array("h", file.readframes(frames))
decibels = lambda amplitude: 20 * math.log10(amplitude / 32768)
print(rate, channels, frames, bits, decibels(max(map(abs, samples))),
      decibels(math.sqrt(sum(s * s for s in samples) / len(samples))))
"#;

#[test]
fn a_wav_has_what_pythons_wave_module_finds_in_it() {
    let output =
        Command::new("python3").args(["-c", PYTHON]).arg(sample("tone.wav")).output().expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let numbers: Vec<f64> =
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(|word| word.parse().unwrap()).collect();
    let sound = sound("tone.wav");
    assert_eq!(f64::from(sound.sample_rate), numbers[0]);
    assert_eq!(f64::from(sound.channels), numbers[1]);
    assert_eq!(sound.frames as f64, numbers[2]);
    assert_eq!(f64::from(sound.bits_per_sample.unwrap()), numbers[3]);
    assert!((sound.peak_dbfs.unwrap() - numbers[4]).abs() < 0.01, "{sound:?} {numbers:?}");
    assert!((sound.rms_dbfs.unwrap() - numbers[5]).abs() < 0.01, "{sound:?} {numbers:?}");
    assert_eq!((sound.container.as_str(), sound.codec.as_str()), ("wave", "pcm_s16le"));
}

/// A sine at half of full scale left and a quarter right: −6.02 dB peak, and √((½² + ¼²) / 4) = −11.07 dB mean.
#[test]
fn the_levels_are_those_of_the_formula_that_made_the_tone() {
    let sound = sound("tone.wav");
    assert!((sound.peak_dbfs.unwrap() - -6.02).abs() < 0.03, "{sound:?}");
    assert!((sound.rms_dbfs.unwrap() - -11.07).abs() < 0.03, "{sound:?}");
    assert!((sound.duration_seconds - 1.0).abs() < 1e-9);
    assert!(!sound.truncated);
}

#[test]
fn flac_gives_every_number_of_the_wav_it_was_made_of() {
    let (flac, wav) = (sound("tone.flac"), sound("tone.wav"));
    assert_eq!((flac.container.as_str(), flac.codec.as_str()), ("flac", "flac"));
    assert_eq!(flac.frames, wav.frames);
    assert_eq!(flac.declared_frames, Some(22_050));
    assert_eq!((flac.peak_dbfs, flac.rms_dbfs), (wav.peak_dbfs, wav.rms_dbfs));
}

/// MP3 and Vorbis lose some of the sound, never a decibel of a pure tone, and their encoders note where it ends.
#[test]
fn lossy_files_have_the_length_and_nearly_the_level_of_the_wav() {
    let wav = sound("tone.wav");
    for (name, container, codec) in [("tone.mp3", "mp3", "mp3"), ("tone.ogg", "ogg", "vorbis")] {
        let lossy = sound(name);
        assert_eq!((lossy.container.as_str(), lossy.codec.as_str()), (container, codec), "{name}");
        assert_eq!((lossy.sample_rate, lossy.channels), (22_050, 2), "{name}");
        assert_eq!(lossy.frames, wav.frames, "{name}");
        assert!((lossy.peak_dbfs.unwrap() - wav.peak_dbfs.unwrap()).abs() < 1.0, "{lossy:?}");
        assert!((lossy.rms_dbfs.unwrap() - wav.rms_dbfs.unwrap()).abs() < 1.0, "{lossy:?}");
        assert!(!lossy.truncated, "{name}");
    }
}

#[test]
fn tags_have_the_same_names_whatever_the_format_calls_them() {
    for name in ["tone.wav", "tone.flac", "tone.mp3", "tone.ogg"] {
        let tags = sound(name).tags;
        assert_eq!(tags.get("title").map(String::as_str), Some("Tone"), "{name}: {tags:?}");
        assert_eq!(tags.get("artist").map(String::as_str), Some("Midplane"), "{name}: {tags:?}");
    }
    for name in ["tone.flac", "tone.mp3", "tone.ogg"] {
        let tags = sound(name).tags;
        assert_eq!(tags.get("album").map(String::as_str), Some("Samples"), "{name}: {tags:?}");
        assert_eq!(tags.get("date").map(String::as_str), Some("2026"), "{name}: {tags:?}");
        assert_eq!(tags.get("track_number").map(String::as_str), Some("1"), "{name}: {tags:?}");
    }
}

#[test]
fn silence_has_no_level_and_other_depths_are_read() {
    let eight_bits = wav(8, &[128; 64]);
    let sound = inspect(&eight_bits).unwrap();
    assert_eq!((sound.frames, sound.peak_dbfs, sound.rms_dbfs), (64, None, None));
    let deep = wav(24, &[0xff, 0xff, 0x3f, 0x01, 0x00, 0xc0]);
    let sound = inspect(&deep).unwrap();
    assert_eq!((sound.frames, sound.bits_per_sample, sound.peak_dbfs), (2, Some(24), Some(-6.02)));
}

/// A mono WAV of 8,000 frames a second.
fn wav(bits: u16, data: &[u8]) -> Vec<u8> {
    let block = bits / 8;
    let length = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&8000u32.to_le_bytes());
    file.extend_from_slice(&(8000 * u32::from(block)).to_le_bytes());
    file.extend_from_slice(&block.to_le_bytes());
    file.extend_from_slice(&bits.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(data);
    file
}

#[test]
fn what_is_no_sound_file_is_refused() {
    assert_eq!(inspect(b"").unwrap_err(), Fault::UnknownFormat);
    assert_eq!(inspect(b"hello, world").unwrap_err(), Fault::UnknownFormat);
    assert_eq!(inspect(&bytes("picture.png")).unwrap_err(), Fault::UnknownFormat);
    assert_eq!(inspect(&bytes("lighthouse.txt")).unwrap_err(), Fault::UnknownFormat);
    assert_eq!(inspect(&wav(16, &[])).unwrap_err(), Fault::NoSound);
}

#[test]
fn a_file_that_was_cut_off_says_so() {
    for name in ["tone.wav", "tone.flac", "tone.mp3"] {
        let whole = bytes(name);
        let sound = inspect(&whole[..whole.len() / 2]).unwrap();
        assert!(sound.frames < 22_050 && sound.frames > 0, "{name}: {sound:?}");
        assert!(sound.truncated || sound.damaged_packets > 0, "{name}: {sound:?}");
    }
}

/// Cuts and flipped bytes all over the head and the sound: an answer or a typed fault, never a panic that gets out.
#[test]
fn damaged_files_are_answered_or_refused() {
    for name in ["tone.wav", "tone.flac", "tone.mp3", "tone.ogg"] {
        let whole = bytes(name);
        for end in (0..whole.len().min(400)).chain((400..whole.len()).step_by(997)) {
            let _ = inspect(&whole[..end]);
        }
        for place in (0..whole.len().min(200)).chain((200..whole.len()).step_by(211)) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0xa5;
            let _ = inspect(&damaged);
        }
    }
}
