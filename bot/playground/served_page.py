"""What the playground changes in the files that SimCord's Preview serves, and nothing else.

SimCord's page is a test bench; players need a title, a hint, a story that stays in view and times
that count on. Each change replaces a text that stands in a file exactly once: where it does not,
SimCord is another version and the start ends with an error. What is added instead of changed lies
in `page/`. How the files are served is live.py's.
"""

from collections.abc import Mapping

HINT = "Nothing told yet. Type /story start below, press Enter, and say what the story is about."

# What is changed in SimCord's own files: path → (what stands there exactly once, what is served).
_PATCHES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "/": (
        ("<title>SimCord Preview</title>", "<title>Talewheel playground</title>"),
        (
            '<link rel="stylesheet" href="/preview.css">',
            (
                '<link rel="stylesheet" href="/preview.css">'
                '<link rel="stylesheet" href="/playground.css">'
            ),
        ),
        (
            "<span><strong>SimCord</strong><small>Preview</small></span>",
            "<span><strong>Talewheel</strong><small>Playground, on SimCord</small></span>",
        ),
        (
            '<span class="brand-mark" aria-hidden="true">S</span>',
            '<span class="brand-mark" aria-hidden="true">T</span>',
        ),
        (
            '<script type="module" src="/app.js"></script>',
            (
                '<script type="module" src="/playground.js"></script>'
                '<script type="module" src="/app.js"></script>'
            ),
        ),
        ("No messages in this channel.", HINT),
        ("End preview session", "Stop the playground"),
    ),
    # Relative times count from now, and say that they are relative: playground.js counts them on.
    "/text.js": (
        ("new Date(options.presentationTime || 0)", "new Date()"),
        (
            'const time = node("time", "discord-timestamp", rendered);',
            'const time = node("time", "discord-timestamp", rendered); time.dataset.style = style;',
        ),
    ),
    # Whoever reads at the bottom stays there until they scroll by hand (playground.js knows).
    # SimCord goes by the position alone: a composer that grows for a command's options passes for
    # scrolling away.
    "/timeline.js": (
        (
            'if (state.scrollIntent?.policy !== "target") state.scrollIntent',
            'if (state.scrollIntent?.policy === "anchor") state.scrollIntent',
        ),
        (
            'if (!state.ready && state.scrollIntent?.policy === "target") return;',
            (
                'if (!state.ready && state.scrollIntent?.policy === "target") return; '
                'if (state.scrollIntent?.policy === "bottom" '
                "&& !window.playgroundScrolls()) return;"
            ),
        ),
        # A page begins at the newest, and so does one that was taken over by another member.
        (
            ": state.scrollIntent || captureScrollIntent();",
            ': state.scrollIntent || { policy: "bottom" };',
        ),
        # Whoever stopped within a line of the newest means the newest.
        ('clientHeight <= 1 ? "bottom"', 'clientHeight <= 24 ? "bottom"'),
    ),
    # Players see what they did; only what went wrong is worth a word, and then a plain one.
    "/actions.js": (
        ('return labels[kind || ""] || "Action completed";', 'return "";'),
        ('ready ? "Preview ready" : "Loading preview…"', '""'),
    ),
    "/app.js": (
        (
            "function updateActionStatus() {",
            (
                "function updateActionStatus() {\n"
                '  window.playgroundConnection(state.closed ? "ended" : state.transport.state);'
            ),
        ),
    ),
    "/commands.js": (
        # A premise is a sentence or two: SimCord shows 24 characters of it.
        ("Math.min(24, Math.max(2", "Math.min(2000, Math.max(2"),
        # A command that is typed or pasted as one line, as README has it, is one: it stays in the
        # list while it is typed, and sending it picks it, fills its options and runs it.
        (
            'if (!canOpen() || value.includes("\\n") || !value.startsWith("/")) {',
            (
                "const typed = window.playgroundTyped(catalog?.entries || [], value);\n"
                "    if (!canOpen() || !typed && "
                '(value.includes("\\n") || !value.startsWith("/"))) {'
            ),
        ),
        (
            "matches = matchCommands(catalog?.entries || [], query);",
            "matches = typed ? [typed.entry] : matchCommands(catalog?.entries || [], query);",
        ),
        (
            'if (mode === "browsing") {\n      if (["ArrowDown"',
            (
                'if (mode === "browsing") {\n'
                '      if (event.key === "Enter" && window.playgroundTyped(matches, input.value)) '
                "return false;\n"
                '      if (["ArrowDown"'
            ),
        ),
        (
            "if (!draft || composer.report().editTargetId) return;",
            (
                'if (mode === "browsing" && window.playgroundTyped(matches, input.value)) '
                "select(matches[0]);\n"
                "    if (!draft || composer.report().editTargetId) return;"
            ),
        ),
        (
            "drafts.create(entry);",
            (
                "drafts.create(entry);\n"
                "    const typed = window.playgroundTyped([entry], input.value)?.values || {};\n"
                "    for (const [name, raw] of Object.entries(typed)) {\n"
                "      if (!required.some((option) => option.name === name)) drafts.add(name);\n"
                "      drafts.value(name, { raw });\n"
                "    }"
            ),
        ),
        # Whoever leaves a command means to write something else.
        ("input.value = invocation;", 'input.value = "";'),
    ),
    # Asked for twice as often: text that streams moves every quarter of a second.
    "/session.js": (("interval = 500", "interval = 250"),),
}

PATCHED_PATHS = tuple(_PATCHES)


class ServedPageError(Exception):
    """A file of SimCord is not the one that the changes were written for."""


def patched(path: str, text: str) -> str:
    """Change one of SimCord's files.

    Args:
        path: where the page finds it, one of `PATCHED_PATHS`.
        text: what SimCord would serve.

    Returns:
        What the playground serves.

    Raises:
        ServedPageError: a text to be replaced stands there more often than once, or not at all.
    """
    for old, new in _PATCHES[path]:
        if text.count(old) != 1:
            raise ServedPageError(
                f"SimCord's {path} has changed: {old!r} stands there {text.count(old)} times "
                f"instead of once. Install the simcord of requirements/."
            )
        text = text.replace(old, new)
    return text
