"""The program that a host starts, as far as it goes without one."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import context  # noqa: F401
import midplane


class Program(unittest.TestCase):
    def test_compiled_files_that_a_full_disk_cut_short_are_made_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            package = pathlib.Path(folder, "midplane")
            shutil.copytree(pathlib.Path(midplane.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))

            def start():
                command = [sys.executable, "-I", "-S", "-u", str(package / "__main__.py")]
                environment = {name: value for name, value in os.environ.items() if name != "MIDPLANE_FD"}
                done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
                return done.returncode, done.stdout, done.stderr

            usual = start()
            compiled = list((package / "__pycache__").iterdir())
            self.assertTrue(compiled)
            for keep in (0, 20, 200):
                for file in compiled:
                    file.write_bytes(file.read_bytes()[:keep])
                self.assertEqual(start(), usual)
            self.assertNotIn(b"EOFError", usual[2])


if __name__ == "__main__":
    unittest.main()
