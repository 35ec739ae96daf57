"""Alerts on a terminal: what `monitor run` shows when nothing else is configured.

Coloured on a terminal; plain where the stream is a file or NO_COLOR is set. What publishers wrote
is cleaned of control characters, which a terminal would obey, and is never read as markup.
"""

from __future__ import annotations

from typing import IO

from rich.console import Console
from rich.text import Text

from alerts.blocks import headline_of, outlets, passage_of
from alerts.elements import link_target
from alerts.errors import Stopped
from alerts.message import Alert, Card, Message
from alerts.plain import context_of, words_of
from alerts.sink import Blind, Posted
from alerts.text import isolated, pieces

_INDENT = "  "


class ConsoleSink(Blind):
    """Prints every alert once, and one line when its story grows."""

    name = "console"
    can_update = True

    def __init__(self, stream: IO[str]) -> None:
        self._console = Console(
            file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self._plain = not self._console.is_terminal or self._console.no_color

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread: Posted | None = None,  # noqa: ARG002 - the seam asks for it
        broadcast: bool = False,  # noqa: ARG002 - the seam asks for it
    ) -> Posted:
        """Print a message. Raises Stopped when nobody listens any more."""
        self._print(self._alert(message) if isinstance(message, Alert) else self._card(message))
        return Posted(channel=channel, ref=message.delivery_id)

    async def update(self, posted: Posted, message: Message) -> None:  # noqa: ARG002 - the seam asks for it
        """Print what is new about a message."""
        if isinstance(message, Alert):
            news = "merged" if message.pointer else outlets(message.also) or "new text"
            self._print(Text.assemble((f"updated: {news}", "cyan"), f" — {headline_of(message)}"))
        else:
            self._print(self._card(message))

    async def close(self) -> None:
        """Leave the stream to whoever opened it."""

    def _print(self, text: Text) -> None:
        try:
            self._console.print(text)
        except (OSError, ValueError) as error:  # a closed pipe, a closed file
            raise Stopped("console_closed", type(error).__name__) from error

    def _alert(self, alert: Alert) -> Text:
        lines = [Text.assemble(("■ ", "red"), (headline_of(alert), "bold"))]
        if url := link_target(alert.url):
            lines.append(Text(_INDENT + url, "blue"))
        if quote := self._quote(alert):
            lines.append(quote)
        lines.append(Text(_INDENT + context_of(alert), "dim"))
        lines.append(Text())
        return Text("\n").join(lines)

    def _quote(self, alert: Alert) -> Text | None:
        passage = passage_of(alert)
        if passage is None:
            return None
        text = Text(_INDENT + "│ ")
        for piece, marked in pieces(passage):
            shown = f"«{piece}»" if marked and self._plain else piece
            text.append(shown, "bold yellow" if marked else None)
        return text

    def _card(self, card: Card) -> Text:
        title, *rest = words_of(card)
        lines = [Text.assemble(("● ", "magenta"), (isolated(title), "bold magenta"))]
        lines += [Text(_INDENT + words) for words in rest]
        return Text("\n").join(lines)
