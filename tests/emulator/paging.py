# SPDX-License-Identifier: Apache-2.0
"""opc-next-page: pages of a list, and pages with nothing in them."""
import base64
import json

from .errors import invalid

MAX_LIMIT = 1000


def _limit(params, settings):
    text = params.get("limit", [str(settings.default_page)])[0]
    if not (text.isascii() and text.isdigit()) or \
            not 1 <= int(text) <= MAX_LIMIT:
        raise invalid(f"limit must be between 1 and {MAX_LIMIT}")
    return min(int(text), settings.max_page)


def _encode(offset, empty):
    # With characters that a careless client forgets to encode.
    text = json.dumps([offset, empty, "~>?"]).encode()
    return "AAAA+/" + base64.b64encode(text).decode()


def _decode(token):
    try:
        if not token.startswith("AAAA+/"):
            raise ValueError
        offset, empty, _ = json.loads(base64.b64decode(token[6:],
                                                       validate=True))
        return int(offset), int(empty)
    except (ValueError, TypeError):
        raise invalid("page is not a page token") from None


def page_of(items, params, settings):
    """(items of the page asked for, token of the next page or None, how many
    remain).  The list must be in the same order each time."""
    limit = _limit(params, settings)
    offset, empty = _decode(params["page"][0]) if "page" in params \
        else (0, settings.empty_pages)
    left = len(items) - offset
    if empty > 0:
        return [], _encode(offset, empty - 1), left
    end = offset + limit
    if end >= len(items):
        return items[offset:], None, 0
    return (items[offset:end], _encode(end, settings.empty_pages),
            len(items) - end)
