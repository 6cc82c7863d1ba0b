"""What Discord accepts as a message, modal or list of choices; the rest is refused with its code.

Pure checks of request bodies. Lengths count UTF-16 units, the strictest reading of "characters".
Limits: API reference, "Create Message", "Component Reference", "Interaction Callback".
"""

from typing import Any

import regex

from .entities import COMPONENTS_V2, EPHEMERAL, TEXT_DISPLAY, walk
from .errors import ApiError, empty_message, invalid_form, too_long
from .wire import items, text

CONTENT_LIMIT = 2000
NONCE_LIMIT = 25
EMBED_LIMIT, EMBEDS_TEXT_LIMIT, EMBED_DESCRIPTION_LIMIT = 10, 6000, 4096
ROWS_LIMIT, ROW_WIDTH = 5, 5
V2_COMPONENT_LIMIT, V2_TEXT_LIMIT = 40, 4000
CUSTOM_ID_LIMIT, LABEL_LIMIT = 100, 80
MODAL_TITLE_LIMIT, MODAL_ITEM_LIMIT = 45, 5
CHOICES_LIMIT = 25

ACTION_ROW, BUTTON, TEXT_INPUT, SECTION, SEPARATOR, CONTAINER = 1, 2, 4, 9, 14, 17
LABEL = 18
V2_ONLY = frozenset({SECTION, TEXT_DISPLAY, 11, 12, 13, SEPARATOR, CONTAINER})
V2_TOP_LEVEL = frozenset({ACTION_ROW}) | (V2_ONLY - {11})
MODAL_TOP_LEVEL = frozenset({ACTION_ROW, TEXT_DISPLAY, LABEL})
SETTABLE_FLAGS = (1 << 2) | (1 << 12) | COMPONENTS_V2
"""Flags a message may be sent with: no embeds, silent, Components V2."""


def length(written: str) -> int:
    """Return the number of UTF-16 units."""
    return len(written.encode("utf-16-le")) // 2


def check_new_message(
    body: dict[str, Any], *, has_files: bool, may_be_ephemeral: bool = False
) -> None:
    """Check a message that is to be created.

    Raises:
        ApiError: 50006 if nothing is in it, 50035 if something is too long or out of place.
    """
    flags = body.get("flags") or 0
    allowed = SETTABLE_FLAGS | (EPHEMERAL if may_be_ephemeral else 0)
    if flags & ~allowed:
        raise invalid_form("flags", "MESSAGE_FLAGS_INVALID", "These flags cannot be set.")
    nonce = body.get("nonce")
    if nonce is not None and len(str(nonce)) > NONCE_LIMIT:
        raise too_long("nonce", NONCE_LIMIT)
    check_look(
        flags,
        body.get("content") or "",
        body.get("embeds") or [],
        body.get("components") or [],
        has_files=has_files,
    )


def check_look(
    flags: int,
    content: str,
    embeds: list[dict[str, Any]],
    components: list[dict[str, Any]],
    *,
    has_files: bool,
) -> None:
    """Check how a message would look after it was created or edited.

    Raises:
        ApiError: 50006 or 50035.
    """
    if flags & COMPONENTS_V2:
        _check_v2(content, embeds, components)
        return
    if not (content.strip() or embeds or components or has_files):
        raise empty_message()
    if length(content) > CONTENT_LIMIT:
        raise too_long("content", CONTENT_LIMIT)
    _check_embeds(embeds)
    _check_rows(components)


def _check_embeds(embeds: list[dict[str, Any]]) -> None:
    if len(embeds) > EMBED_LIMIT:
        raise too_long("embeds", EMBED_LIMIT)
    total = 0
    for index, embed in enumerate(embeds):
        description = text(embed, "description")
        if length(description) > EMBED_DESCRIPTION_LIMIT:
            raise too_long(f"embeds.{index}.description", EMBED_DESCRIPTION_LIMIT)
        total += length(description) + length(text(embed, "title"))
        total += length(text(embed.get("footer") or {}, "text"))
        total += length(text(embed.get("author") or {}, "name"))
        for field in items(embed, "fields"):
            total += length(text(field, "name")) + length(text(field, "value"))
    if total > EMBEDS_TEXT_LIMIT:
        raise invalid_form(
            "embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000"
        )


def _check_rows(components: list[dict[str, Any]]) -> None:
    if len(components) > ROWS_LIMIT:
        raise too_long("components", ROWS_LIMIT)
    for index, row in enumerate(components):
        if row.get("type") != ACTION_ROW:
            raise _wrong_type(f"components.{index}", row)
    _check_parts(components)


def _check_v2(content: str, embeds: list[dict[str, Any]], components: list[dict[str, Any]]) -> None:
    for field, value in (("content", content), ("embeds", embeds)):
        if value:
            raise invalid_form(
                field,
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )
    if not components:
        raise empty_message()
    for index, component in enumerate(components):
        if component.get("type") not in V2_TOP_LEVEL:
            raise _wrong_type(f"components.{index}", component)
    parts = _check_parts(components)
    if len(parts) > V2_COMPONENT_LIMIT:
        raise invalid_form(
            "components",
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            f"The total number of components cannot exceed {V2_COMPONENT_LIMIT}",
        )
    texts = [part["content"] for part in parts if part["type"] == TEXT_DISPLAY]
    if sum(length(shown) for shown in texts) > V2_TEXT_LIMIT:
        raise invalid_form(
            "components",
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            f"Displayable text exceeds maximum size of {V2_TEXT_LIMIT}",
        )


def _check_parts(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    parts = walk(components)
    custom_ids: set[str] = set()
    for part in parts:
        _check_part(part)
        custom_id = part.get("custom_id")
        if custom_id is None:
            continue
        if custom_id in custom_ids:
            raise invalid_form(
                "components",
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        custom_ids.add(custom_id)
    return parts


def _check_part(part: dict[str, Any]) -> None:
    kind = part.get("type")
    if kind in (ACTION_ROW, CONTAINER) and not part.get("components"):
        raise invalid_form("components", "BASE_TYPE_BAD_LENGTH", "Must have at least 1 component.")
    if kind == ACTION_ROW and len(part["components"]) > ROW_WIDTH:
        raise too_long("components", ROW_WIDTH)
    if kind == TEXT_DISPLAY and not str(part.get("content") or "").strip():
        raise invalid_form("components", "BASE_TYPE_REQUIRED", "This field is required")
    if length(part.get("custom_id") or "") > CUSTOM_ID_LIMIT:
        raise too_long("components", CUSTOM_ID_LIMIT)
    if kind == BUTTON and length(part.get("label") or "") > LABEL_LIMIT:
        raise too_long("components", LABEL_LIMIT)


def _wrong_type(field: str, component: dict[str, Any]) -> ApiError:
    return invalid_form(
        field, "BASE_TYPE_CHOICES", f"Component type {component.get('type')} is not allowed here."
    )


def check_modal(data: dict[str, Any]) -> None:
    """Check a modal.

    Raises:
        ApiError: 50035.
    """
    if not data.get("title") or length(data["title"]) > MODAL_TITLE_LIMIT:
        raise too_long("data.title", MODAL_TITLE_LIMIT)
    if not data.get("custom_id") or length(data["custom_id"]) > CUSTOM_ID_LIMIT:
        raise too_long("data.custom_id", CUSTOM_ID_LIMIT)
    components: list[dict[str, Any]] = data.get("components") or []
    if not 1 <= len(components) <= MODAL_ITEM_LIMIT:
        raise too_long("data.components", MODAL_ITEM_LIMIT)
    for index, component in enumerate(components):
        if component.get("type") not in MODAL_TOP_LEVEL:
            raise _wrong_type(f"data.components.{index}", component)
    for part in _check_parts(components):
        if part["type"] == TEXT_INPUT:
            _check_text_input(part)


def _check_text_input(part: dict[str, Any]) -> None:
    longest = part.get("max_length") or 4000
    if not 1 <= longest <= 4000:
        raise invalid_form("data.components", "NUMBER_TYPE_MAX", "max_length is 1 to 4000.")
    if length(part.get("value") or "") > longest:
        raise too_long("data.components.value", longest)
    if length(part.get("label") or "") > MODAL_TITLE_LIMIT:
        raise too_long("data.components.label", MODAL_TITLE_LIMIT)


def check_choices(choices: list[dict[str, Any]]) -> None:
    """Check the suggestions of an autocomplete.

    Raises:
        ApiError: 50035.
    """
    if len(choices) > CHOICES_LIMIT:
        raise too_long("data.choices", CHOICES_LIMIT)
    for index, choice in enumerate(choices):
        if not 1 <= length(str(choice["name"])) <= 100:
            raise too_long(f"data.choices.{index}.name", 100)
        if isinstance(choice["value"], str) and length(choice["value"]) > 100:
            raise too_long(f"data.choices.{index}.value", 100)


def is_emoji(written: str) -> bool:
    """Whether a reaction may be made with this: one unicode emoji, or `name:id`."""
    if regex.fullmatch(r"\w{2,32}:\d{15,20}", written):
        return True
    one_sign = regex.fullmatch(r"\X", written) is not None
    return one_sign and not written.isascii() and regex.search(r"\p{Emoji}", written) is not None


def number_components(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return copies in which every component has an id, as Discord assigns them: 1, 2, 3 …."""
    taken = {part["id"] for part in walk(components) if part.get("id")}
    free = (number for number in range(1, 10_000) if number not in taken)

    def numbered(component: dict[str, Any]) -> dict[str, Any]:
        copy = dict(component)
        if not copy.get("id"):
            copy["id"] = next(free)
        if copy.get("components"):
            copy["components"] = [numbered(part) for part in copy["components"]]
        for key in ("accessory", "component"):
            if copy.get(key):
                copy[key] = numbered(copy[key])
        return copy

    return [numbered(component) for component in components]
