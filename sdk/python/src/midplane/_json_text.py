"""JSON, without the public module where that can be.

``import json`` brings regular expressions and enumerations along, which together take as long as the interpreter's own
start. Its C part alone does the same work; where that is missing or has changed, the public module does it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    encode: Callable[[Any], str]
    decode: Callable[[str], Any]

_BLANKS = " \t\n\r"


class _Manner:
    """How the scanner reads: as ``json.loads`` does, but for the numbers that are none."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    memo: "dict[str, str]" = {}

    @staticmethod
    def parse_constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")


def _other(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _fast() -> "tuple[Callable[[Any], str], Callable[[str], Any]]":
    import _json

    scan = _json.make_scanner(_Manner)  # type: ignore[arg-type]
    # Without a memory of what it is in the middle of: what contains itself ends in RecursionError.
    write = _json.make_encoder(None, _other, _json.encode_basestring, None, ":", ",", False, False, False)

    def encode(value: Any) -> str:
        return "".join(write(value, 0))

    def decode(text: str) -> Any:
        start, end = 0, len(text)
        while start < end and text[start] in _BLANKS:
            start += 1
        try:
            value, at = scan(text, start)
        except StopIteration as why:
            raise ValueError(f"a value is expected at character {why.value}") from None
        except SystemError:
            # Some versions cannot say what is wrong without the public module.
            return _public()[1](text)
        while at < end:
            if text[at] not in _BLANKS:
                raise ValueError(f"there is more after the value, at character {at}")
            at += 1
        return value

    return encode, decode


def _public() -> "tuple[Callable[[Any], str], Callable[[str], Any]]":
    import json

    writer = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_other)
    return writer.encode, json.JSONDecoder(parse_constant=_Manner.parse_constant).decode


try:
    encode, decode = _fast()
    if decode(' {"a": [1, 2.5, "\\u00e4", null]} ') != {"a": [1, 2.5, "ä", None]} or encode(["ä\n", 1]) != '["ä\\n",1]':
        raise ImportError
except (ImportError, AttributeError, TypeError):
    encode, decode = _public()
