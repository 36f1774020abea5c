"""Lets the tests import the package as it lies here, unless it is installed."""

import os
import sys

try:
    import midplane  # noqa: F401
except ImportError:
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src"))
