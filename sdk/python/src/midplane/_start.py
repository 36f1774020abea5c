"""How a process becomes a plugin."""

from __future__ import annotations

import faulthandler
import os
import sys

from ._session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List


def main(packages: "List[str]") -> int:
    """Serves the plugin that the host names. ``packages``: folders of installed packages to import from."""
    number = os.environ.get("MIDPLANE_FD")
    if not number or not number.isdigit():
        print("midplane: a host starts this program and gives it a wire; `midplane run DIR` is a host", file=sys.stderr)
        return 2
    descriptor = int(number)
    os.set_inheritable(descriptor, False)
    os.set_blocking(descriptor, True)
    # What a crash of a C extension prints is quoted to whoever called.
    faulthandler.enable()
    add_packages(packages)
    Session(descriptor).serve()
    return 0


def add_packages(folders: "List[str]") -> None:
    """Makes installed packages importable, as `site` does for an environment that is activated."""
    if not folders:
        return
    import site

    for folder in folders:
        site.addsitedir(folder)
    root = os.path.dirname(os.path.dirname(os.path.dirname(folders[0])))
    if os.path.exists(os.path.join(root, "pyvenv.cfg")):
        sys.prefix = sys.exec_prefix = root
