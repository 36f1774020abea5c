"""The quick way to JSON against the usual one."""

import json
import unittest

import context  # noqa: F401
from midplane import _json_text
from midplane._values import from_json, to_json

VALUES = [None, True, False, 0, -1, 10**40, 1.5, 1e300, "", "ä\n\"\\\x00", "\U0001f600", [], {}, [1, [2, [3]]],
          {"a": {"b": [None, True]}}, {1: 2, None: 3, True: 4}, (1, 2), "a" * 100_000]


class JsonText(unittest.TestCase):
    def test_both_ways_say_the_same(self):
        for encode, decode in (_json_text._fast(), _json_text._public()):
            for value in VALUES:
                text = encode(value)
                self.assertEqual(text, json.dumps(value, ensure_ascii=False, separators=(",", ":")))
                self.assertEqual(decode(f" {text}\n"), json.loads(text))

    def test_both_refuse_the_same(self):
        circle = []
        circle.append(circle)
        for encode, decode in (_json_text._fast(), _json_text._public()):
            for text in ("", " ", "{", "[1,]", "1 2", "NaN", "-Infinity", "nul", '"\n"', "[" * 100_000, '{"a" 1}', "'x'"):
                with self.assertRaises((ValueError, RecursionError), msg=text[:20]):
                    decode(text)
            for value in (object(), float("nan"), float("inf"), {1, 2}, b"x", circle, [circle], {(1, 2): 3}):
                with self.assertRaises((TypeError, ValueError, RecursionError), msg=repr(value)):
                    encode(value)
            self.assertEqual(encode([1]), "[1]")

    def test_half_a_character_is_escaped(self):
        self.assertEqual(to_json("\ud800"), b'"\\ud800"')
        self.assertEqual(from_json(to_json("\ud800")), "\ud800")
        with self.assertRaises(ValueError):
            from_json(b'"\xff"')


if __name__ == "__main__":
    unittest.main()
