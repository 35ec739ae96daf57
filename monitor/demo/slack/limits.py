"""Slack's documented limits as a validator of messages. Pure.

Sources: the doc comments of npm @slack/types 3.2.0 and the Web API reference; where a number was
never published (the sum over all blocks, the size of metadata), the strictest that was seen.
Unknown fields and types are refused: Slack does so too, and it is what a typo looks like.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MAX_BLOCKS = 50
MAX_BLOCK_TEXT = 12_000  # over all blocks: seen at 11,341 to 13,297 characters
MAX_POST_TEXT = 40_000
MAX_UPDATE_TEXT = 4_000
MAX_METADATA = 1_024
MAX_LINK = 3_000

_PLAIN, _MARKDOWN = {"type", "text", "emoji"}, {"type", "text", "verbatim"}
_STYLES = {"bold", "italic", "strike", "code", "highlight", "client_highlight", "unlink"}
_INLINE: dict[str, tuple[set[str], set[str]]] = {  # the fields it must and may have
    "text": ({"text"}, {"style"}),
    "link": ({"url"}, {"text", "style", "unsafe"}),
    "emoji": ({"name"}, {"style", "unicode"}),
    "user": ({"user_id"}, {"style"}),
    "usergroup": ({"usergroup_id"}, {"style"}),
    "channel": ({"channel_id"}, {"style"}),
    "broadcast": ({"range"}, {"style"}),
    "date": ({"timestamp", "format"}, {"url", "fallback", "style"}),
    "color": ({"value"}, {"style"}),
}
_BLOCKS: dict[str, tuple[set[str], set[str]]] = {
    "section": (set(), {"text", "fields", "accessory", "expand"}),
    "header": ({"text"}, set()),
    "context": ({"elements"}, set()),
    "divider": (set(), set()),
    "image": ({"alt_text"}, {"image_url", "slack_file", "title"}),
    "actions": ({"elements"}, set()),
    "rich_text": ({"elements"}, set()),
    "markdown": ({"text"}, set()),
}


def message_error(body: dict[str, Any], *, update: bool = False) -> tuple[str, list[str]] | None:
    """Slack's error code and its explanations, or None for a message that it would take."""
    text, blocks = body.get("text") or "", body.get("blocks") or []
    if isinstance(blocks, str):
        try:
            blocks = json.loads(blocks)
        except ValueError:
            return "invalid_blocks_format", []
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return "invalid_blocks_format", []
    if not text and not blocks and not body.get("attachments"):
        return "no_text", []
    if len(text) > (MAX_UPDATE_TEXT if update else MAX_POST_TEXT):
        return "msg_too_long", []
    if wrong := block_errors(blocks):
        return "invalid_blocks", wrong
    if sum(len(words) for words in texts(blocks)) > MAX_BLOCK_TEXT:
        return "msg_blocks_too_long", []
    return metadata_error(body.get("metadata"))


def metadata_error(metadata: Any) -> tuple[str, list[str]] | None:
    """What is wrong with a message's metadata, if anything."""
    if metadata is None or metadata == {}:
        return None
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload"}:
        return "invalid_metadata_format", []
    kind, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        return "invalid_metadata_format", []
    if not all(_flat(value) or _nested(value) for value in payload.values()):
        return "invalid_metadata_schema", []
    if len(json.dumps(metadata)) > MAX_METADATA:
        return "metadata_too_large", []
    return None


def block_errors(blocks: list[dict[str, Any]]) -> list[str]:
    """Everything that is wrong with these blocks, in Slack's words: message and JSON pointer."""
    wrong = [f"[ERROR] {words} [json-pointer:{at}]" for words, at in _block_errors(blocks)]
    return wrong


def texts(value: Any) -> Iterator[str]:
    """Every text that people would see, in order."""
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in {"text", "alt_text", "fallback"} and isinstance(item, str):
                yield item
            elif isinstance(item, dict | list):
                yield from texts(item)


Found = Iterator[tuple[str, str]]


def _block_errors(blocks: list[dict[str, Any]]) -> Found:
    if len(blocks) > MAX_BLOCKS:
        yield f"no more than {MAX_BLOCKS} items allowed", "/blocks"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_ids must be unique", "/blocks"
    for index, block in enumerate(blocks):
        yield from _block(block, f"/blocks/{index}")


def _block(block: dict[str, Any], at: str) -> Found:
    kind = block.get("type")
    if kind not in _BLOCKS:
        yield f"unsupported type: {kind}", at
        return
    required, optional = _BLOCKS[kind]
    yield from _fields(block, required, optional | {"block_id"}, at)
    if len(str(block.get("block_id", ""))) > 255:
        yield "must be less than 256 characters", f"{at}/block_id"
    match kind:
        case "section":
            yield from _section(block, at)
        case "header":
            yield from _text(block.get("text"), f"{at}/text", limit=150, types={"plain_text"})
        case "context":
            yield from _items(block, at, 10, _context_element)
        case "actions":
            yield from _items(block, at, 25, _button)
        case "rich_text":
            yield from _items(block, at, 1000, _rich)
        case "markdown":
            yield from _string(block.get("text"), f"{at}/text", 12_000)
        case "image":
            yield from _string(block.get("alt_text"), f"{at}/alt_text", 2000)
            if "slack_file" not in block:
                yield from _string(block.get("image_url"), f"{at}/image_url", MAX_LINK)


def _section(block: dict[str, Any], at: str) -> Found:
    if "text" not in block and "fields" not in block:
        yield "missing required field: text or fields", at
    if "text" in block:
        yield from _text(block["text"], f"{at}/text", limit=3000)
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield "no more than 10 items allowed", f"{at}/fields"
    for index, field in enumerate(fields):
        yield from _text(field, f"{at}/fields/{index}", limit=2000)


def _items(block: dict[str, Any], at: str, limit: int, check: Any) -> Found:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield "must provide an array with at least 1 item", f"{at}/elements"
        return
    if len(elements) > limit:
        yield f"no more than {limit} items allowed", f"{at}/elements"
    for index, element in enumerate(elements):
        yield from check(element, f"{at}/elements/{index}")


def _context_element(element: dict[str, Any], at: str) -> Found:
    if element.get("type") == "image":
        yield from _string(element.get("alt_text"), f"{at}/alt_text", 2000)
    else:
        yield from _text(element, at, limit=3000)


def _button(element: dict[str, Any], at: str) -> Found:
    if element.get("type") != "button":
        yield f"unsupported type: {element.get('type')}", at
        return
    optional = {"url", "value", "style", "confirm", "accessibility_label", "action_id"}
    yield from _fields(element, {"text"}, optional, at)
    yield from _text(element.get("text"), f"{at}/text", limit=75, types={"plain_text"})
    for name, limit in (("url", MAX_LINK), ("value", 2000), ("action_id", 255)):
        if name in element:
            yield from _string(element[name], f"{at}/{name}", limit)


def _rich(element: dict[str, Any], at: str) -> Found:
    kind = element.get("type")
    if kind == "rich_text_list":
        yield from _fields(element, {"elements", "style"}, {"indent", "offset", "border"}, at)
        if element.get("style") not in {"bullet", "ordered"}:
            yield "must be one of: bullet, ordered", f"{at}/style"
        yield from _items(element, at, 1000, _rich)
    elif kind in {"rich_text_section", "rich_text_quote", "rich_text_preformatted"}:
        yield from _fields(element, {"elements"}, {"border", "language"}, at)
        yield from _items(element, at, 1000, _inline)
    else:
        yield f"unsupported type: {kind}", at


def _inline(element: dict[str, Any], at: str) -> Found:
    kind = element.get("type")
    if kind not in _INLINE:
        yield f"unsupported type: {kind}", at
        return
    required, optional = _INLINE[kind]
    yield from _fields(element, required, optional, at)
    if "text" in element:
        yield from _string(element["text"], f"{at}/text", MAX_BLOCK_TEXT)
    if "url" in element:
        yield from _link(element["url"], f"{at}/url")
    style = element.get("style", {})
    if not isinstance(style, dict) or set(style) - _STYLES:
        yield "invalid style", f"{at}/style"
    elif not all(isinstance(value, bool) for value in style.values()):
        yield "must be a boolean", f"{at}/style"


def _link(url: Any, at: str) -> Found:
    yield from _string(url, at, MAX_LINK)
    if isinstance(url, str) and not url.startswith(("http://", "https://", "mailto:", "tel:")):
        yield "must be a valid URL", at
    if isinstance(url, str) and any(char in url for char in "<>| \n\t"):
        yield "must be a valid URL", at


def _text(element: Any, at: str, *, limit: int, types: set[str] | None = None) -> Found:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in (types or {"plain_text", "mrkdwn"}):
        yield f"unsupported type: {kind}", at
        return
    allowed = _PLAIN if kind == "plain_text" else _MARKDOWN
    yield from _fields(element, {"text"}, allowed, at)
    yield from _string(element.get("text"), f"{at}/text", limit)


def _fields(element: dict[str, Any], required: set[str], optional: set[str], at: str) -> Found:
    for name in sorted(required - set(element)):
        yield f"missing required field: {name}", at
    for name in sorted(set(element) - required - optional - {"type"}):
        yield f"invalid additional property: {name}", at


def _string(value: Any, at: str, limit: int) -> Found:
    if not isinstance(value, str):
        yield "must be a string", at
    elif not value:
        yield "must be more than 0 characters", at
    elif len(value) > limit:
        yield f"must be less than {limit + 1} characters", at


def _flat(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _nested(value: Any) -> bool:
    if isinstance(value, list):
        return all(_flat(item) or _object(item) for item in value)
    return _object(value)


def _object(value: Any) -> bool:
    return isinstance(value, dict) and all(_flat(item) for item in value.values())
