"""The plugin on the test bench, against what was given to the encoders (see ../samples/README.md).

    pip install -r requirements.txt && PYTHONPATH=../../sdk/python/src python -m unittest discover -s tests
"""

import io
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import midplane
from midplane.testing import Bench
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3

import plugin

GIVEN = {"title": ["Tone"], "artist": ["Midplane"], "album": ["Samples"], "date": ["2026"], "tracknumber": ["1"]}


def sample(name):
    with open(os.path.join(HERE, "..", "..", "samples", name), "rb") as file:
        return file.read()


class Tags(unittest.TestCase):
    def setUp(self):
        self.bench = Bench(plugin)

    def test_every_format_says_what_its_encoder_was_told(self):
        for name in ("tone.mp3", "tone.flac", "tone.ogg"):
            facts = self.bench.call("read", sample(name))
            self.assertEqual({key: facts["tags"].get(key) for key in GIVEN}, GIVEN, name)
            self.assertEqual((facts["sample_rate"], facts["channels"]), (22050, 2), name)
            self.assertAlmostEqual(facts["duration_seconds"], 1.0, delta=0.1, msg=name)

    def test_a_file_without_tags_has_none(self):
        facts = self.bench.call("read", sample("tone.wav"))
        self.assertEqual((facts["tags"], facts["pictures"], facts["duration_seconds"]), ({}, [], 1.0))

    def test_the_configuration_chooses_tags(self):
        self.bench.hook("on_init", {"only": ["title"]})
        self.assertEqual(self.bench.call("read", sample("tone.flac"))["tags"], {"title": ["Tone"]})

    def test_pictures_come_back_as_they_were_put_in(self):
        image = sample("picture.jpg")
        mp3 = io.BytesIO(sample("tone.mp3"))
        tags = ID3(mp3)
        tags.add(APIC(mime="image/jpeg", type=3, data=image))
        mp3.seek(0)
        tags.save(mp3)
        self.assertEqual(self.bench.call_raw("picture", mp3.getvalue()), image)
        block = Picture()
        block.mime, block.type, block.data = "image/jpeg", 3, image
        content = io.BytesIO(sample("tone.flac"))
        flac = FLAC(content)
        flac.add_picture(block)
        content.seek(0)
        flac.save(content)
        self.assertEqual(self.bench.call_raw("picture", content.getvalue()), image)
        self.assertEqual(self.bench.call("read", content.getvalue())["pictures"], [{"type": "image/jpeg", "bytes": len(image)}])

    def test_what_cannot_be_read_is_told_apart(self):
        for content, code in ((b"", "unknown_format"), (b"no sound at all" * 10, "unknown_format"),
                              (b"fLaC" + bytes(100), "damaged"), (sample("picture.png"), "unknown_format")):
            with self.assertRaises(midplane.PluginError) as caught:
                self.bench.call("read", content)
            self.assertEqual(caught.exception.code, code, content[:20])
        with self.assertRaises(midplane.PluginError) as caught:
            self.bench.call("picture", sample("tone.mp3"))
        self.assertEqual(caught.exception.code, "no_picture")


if __name__ == "__main__":
    unittest.main()
