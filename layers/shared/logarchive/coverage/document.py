"""HTML files that need no network: a skeleton, a style and a script beside this module, put together.

A browser runs and shows only what is in the file: script and style are named by their hashes. What comes from outside,
a message of a provider for instance, stays text.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

import orjson

_FOLDER = Path(__file__).parent


def filled(name: str, **texts: str) -> bytes:
    """Return an HTML file with its style, its script if it has one, and texts in their places."""
    parts = {"style": resource(f"{name}.css")}
    if (_FOLDER / f"{name}.js").exists():
        parts["script"] = resource(f"{name}.js")
    policy = "; ".join(["default-src 'none'", *(f"{kind}-src {_hash(text)}" for kind, text in parts.items())])
    html = resource(f"{name}.html")
    for place, text in {"policy": policy, **parts, **texts}.items():
        html = html.replace(f"<!--{place}-->", text, 1)
    return html.encode()


def json_text(value: object) -> str:
    """Return JSON that no tag can end, wherever in an HTML file it stands."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")


@cache
def resource(name: str) -> str:
    """Return a text file beside this module."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
