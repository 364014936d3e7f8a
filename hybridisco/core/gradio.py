"""Gradio's `/config` and index page, reduced to what identifies an app.

Wan2GP, RVC WebUI, AudioLDM, AUTOMATIC1111 and many more are Gradio apps: the same server, told apart only by
what the app put on its page. `/config` holds the whole page (3.x to 6.x); behind a login it is refused, and
the index page still carries a stub of it, since 5.x with the names of the API.
"""

from __future__ import annotations

import re

from hybridisco.core.conditions import NOT_JSON, Reply, parse_json, values

_OG_TITLE = re.compile(r'<meta\s{1,20}property="og:title"\s{1,20}content="([^"]{0,300})"')
_TEXT_LIMIT = 1200  # characters of one component that are looked at; AUTOMATIC1111 says its version after 700
_ITEM_LIMIT = 3000  # components; AUTOMATIC1111 with many extensions has about 2000
_DEFAULT_TITLE = "Gradio"


def page(reply: Reply) -> object:
    """Return ``{version, title, api_names, texts, elem_ids, choices, auth_required}``, or NOT_JSON.

    ``reply`` is that of `/config` or of the index page.
    """
    config = reply.data
    if not isinstance(config, dict):
        config = _assigned(reply.body, "gradio_config")
    if not isinstance(config, dict):
        return NOT_JSON
    locked = config.get("auth_required") is True
    if not locked and not {"version", "components", "dependencies"} <= config.keys():
        return NOT_JSON
    components = config.get("components")
    parts = [item for item in components if isinstance(item, dict)] if isinstance(components, list) else []
    props = [item["props"] for item in parts[:_ITEM_LIMIT] if isinstance(item.get("props"), dict)]
    api = [name for name in values(config, "dependencies.*.api_name") if isinstance(name, str)]
    info = _assigned(reply.body, "gradio_api_info")
    if isinstance(info, dict) and isinstance(info.get("named_endpoints"), dict):
        api += [name.lstrip("/") for name in info["named_endpoints"]]
    return {
        "version": str(config.get("version") or "").strip() or None,  # 3.x may end in a line feed
        "title": _title(config, reply.body),
        "auth_required": locked,
        "api_names": api,
        "texts": [p["value"][:_TEXT_LIMIT] for p in props if isinstance(p.get("value"), str)],
        "elem_ids": [p["elem_id"] for p in props if isinstance(p.get("elem_id"), str)],
        "choices": [choice for p in props for choice in _choices(p.get("choices"))],
    }


def _title(config: dict[str, object], html: str) -> str | None:
    title = config.get("title")
    if isinstance(title, str) and title.strip():
        return title.strip()
    # 5.x and 6.x have two og:title, the first always "Gradio": the last is the app's.
    said = [found.strip() for found in _OG_TITLE.findall(html) if found.strip()]
    return said[-1] if said and said[-1] != _DEFAULT_TITLE else None


def _choices(value: object) -> list[str]:
    """Return a dropdown's choices: strings in 3.x and 4.x's early ones, (label, value) pairs after."""
    items = value if isinstance(value, list) else []
    firsts = [item[0] if isinstance(item, list) and item else item for item in items[:200]]
    return [item for item in firsts if isinstance(item, str)]


def _assigned(html: str, variable: str) -> object:
    """Return the JSON that a page's script assigns to ``window.<variable>``, or NOT_JSON."""
    start = html.find(f"window.{variable} = ")
    if start < 0:
        return NOT_JSON
    start += len(f"window.{variable} = ")
    end = html.find(";</script>", start)
    return parse_json(html[start:end]) if end > 0 else NOT_JSON
