"""Words that are worth trying, as one writes them: with blanks between, and escapes for what is no letter."""

from __future__ import annotations


def words(text: str) -> tuple[bytes, ...]:
    r"""Return the words of a text.

    >>> words(r"HTTP/1.1\x20200 \r\n\r\n \xc0\x0c")
    (b'HTTP/1.1 200', b'\r\n\r\n', b'\xc0\x0c')
    """
    return tuple(word.encode("latin-1").decode("unicode_escape").encode("latin-1") for word in text.split())
