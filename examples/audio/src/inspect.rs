//! Reading a sound file from its first byte to its last.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::catch_unwind;

use serde::Serialize;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use crate::fault::Fault;
use crate::level::Level;
use crate::tags::Tags;

/// What is in a sound file. Duration, frames and levels are measured on the decoded sound, not believed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sound {
    /// The container: `wave`, `flac`, `mp3`, `ogg`.
    pub container: String,
    /// The codec: `pcm_s16le`, `flac`, `mp3`, `vorbis`, …
    pub codec: String,
    /// Length in seconds.
    pub duration_seconds: f64,
    /// Length in frames: one sample of each channel.
    pub frames: u64,
    /// Frames that the file says it holds, where it says so.
    pub declared_frames: Option<u64>,
    /// Frames per second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// Bits of one sample, where the codec has such a thing.
    pub bits_per_sample: Option<u32>,
    /// The loudest sample in dB of full scale; `None` for silence.
    pub peak_dbfs: Option<f64>,
    /// Root mean square over all channels in dB of full scale; `None` for silence.
    pub rms_dbfs: Option<f64>,
    /// Title, artist and so on.
    pub tags: BTreeMap<String, String>,
    /// Pictures in the file.
    pub pictures: u64,
    /// Packets that could not be decoded; their sound is missing in the numbers above.
    pub damaged_packets: u64,
    /// Whether the file ends before its sound does, or in the middle of a packet.
    pub truncated: bool,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// Decodes a whole file and says what is in it. Takes memory for one packet, never a copy of the file.
///
/// # Errors
/// [`Fault`]: unknown format or codec, no sound, or damage that leaves nothing to measure. Damage further on is
/// reported in [`Sound::damaged_packets`] and [`Sound::truncated`].
pub fn inspect(file: &[u8]) -> Result<Sound, Fault> {
    // The decoders index and calculate without checks in places, so that some damaged files make them panic: that is
    // the file's fault, and what was being built is dropped.
    catch_unwind(|| decode(file)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(Fault::Damaged { reason: format!("the decoder gave up: {}", said.unwrap_or("no reason given")) })
    })
}

fn decode(file: &[u8]) -> Result<Sound, Fault> {
    let source = MediaSourceStream::new(Box::new(Cursor::new(file)), Default::default());
    let mut reader = symphonia::default::get_probe()
        .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| Fault::of_probe(&error))?;
    let track = reader.default_track(TrackType::Audio).ok_or(Fault::NoSound)?;
    let (track_id, declared_frames) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|all| all.audio()).ok_or(Fault::NoSound)?;
    let bits_per_sample = parameters.bits_per_sample;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| Fault::of_codec(&error))?;
    let measured = measure(reader.as_mut(), decoder.as_mut(), track_id)?;
    let mut tags = tags_of(reader.as_mut());
    tags.add_riff(file);
    Ok(Sound {
        container: reader.format_info().short_name.to_owned(),
        codec: decoder.codec_info().short_name.to_owned(),
        duration_seconds: measured.frames as f64 / f64::from(measured.sample_rate),
        frames: measured.frames,
        declared_frames,
        sample_rate: measured.sample_rate,
        channels: measured.channels,
        bits_per_sample,
        peak_dbfs: measured.level.peak_dbfs(),
        rms_dbfs: measured.level.rms_dbfs(),
        tags: tags.values,
        pictures: tags.pictures as u64,
        damaged_packets: measured.damaged_packets,
        truncated: measured.truncated
            || (measured.damaged_packets == 0 && measured.frames < declared_frames.unwrap_or(0)),
        bytes: file.len() as u64,
    })
}

/// What was found by decoding.
#[derive(Debug, Default)]
struct Measured {
    frames: u64,
    sample_rate: u32,
    channels: u32,
    level: Level,
    damaged_packets: u64,
    truncated: bool,
}

fn measure(reader: &mut dyn FormatReader, decoder: &mut dyn AudioDecoder, track: u32) -> Result<Measured, Fault> {
    let mut measured = Measured::default();
    let mut samples: Vec<f32> = Vec::new();
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A chained stream begins here; its first link is what was asked for.
            Err(Error::ResetRequired) => break,
            Err(_) => {
                measured.truncated = true;
                break;
            }
        };
        if packet.track_id != track {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(sound) => {
                measured.sample_rate = sound.spec().rate();
                measured.channels = u32::try_from(sound.spec().channels().count()).unwrap_or(u32::MAX);
                measured.frames += sound.frames() as u64;
                sound.copy_to_vec_interleaved(&mut samples);
                measured.level.add(&samples);
            }
            Err(_) => measured.damaged_packets += 1,
        }
    }
    match measured {
        Measured { frames: 0, damaged_packets: 0, .. } => Err(Fault::NoSound),
        Measured { frames: 0, .. } | Measured { sample_rate: 0, .. } => {
            Err(Fault::Damaged { reason: "not one packet could be decoded".to_owned() })
        }
        measured => Ok(measured),
    }
}

/// All revisions: tags stand before and after the sound, and in blocks of several kinds.
fn tags_of(reader: &mut dyn FormatReader) -> Tags {
    let mut tags = Tags::default();
    let mut metadata = reader.metadata();
    while let Some(revision) = metadata.pop() {
        tags.add(&revision);
    }
    if let Some(revision) = metadata.current() {
        tags.add(revision);
    }
    tags
}
