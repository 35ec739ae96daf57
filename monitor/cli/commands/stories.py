"""`monitor stories`: what belongs together; and putting it right by hand."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

import typer

from monitor.cli.shared import (
    ConfigOption,
    JsonOption,
    LimitOption,
    StoryArgument,
    asked,
    err,
    out,
    print_found,
    print_json,
    settings_to_change_by,
    settings_to_look_by,
    stored,
    whoever_types,
)
from monitor.cli.show import stories as show_stories
from monitor.clock import SystemClock
from monitor.errors import Refused
from monitor.model import StoryId
from monitor.opening import deciding
from monitor.pipeline.by_hand import merge_by_hand, split_by_hand
from monitor.web.api.answers import story as as_api_has_it

commands = typer.Typer(
    help="Stories: what belongs together; and putting it right by hand, for good.",
    no_args_is_help=True,
)


@commands.command("list")
def stories_list(
    limit: LimitOption = 20,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The stories in which a watch found something last: number, size, where they are told."""
    settings = settings_to_look_by(config_file)
    rows = asked(settings, lambda reports: reports.stories(limit))
    listed = partial(show_stories.listed, now=SystemClock().now())
    print_found(rows, as_json, show_stories.listed_json, listed)


@commands.command("show")
def stories_show(
    story: StoryArgument, config_file: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """One story: its articles and whose copies they are, its chapters, what people decided."""
    settings = settings_to_look_by(config_file)
    trace = asked(settings, lambda reports: reports.story(StoryId(story)))
    if trace is None:
        raise Refused(f"there is no story {story}: see `monitor stories list`")
    if trace.view.story != story:
        (err if as_json else out).print(
            f"Story {story} was merged into story {trace.view.story}.", markup=False
        )
    if as_json:
        print_json(as_api_has_it(trace, None, settings.alerts.max_age).model_dump(mode="json"))
        return
    for part in show_stories.shown(trace, SystemClock().now()):
        out.print(part, soft_wrap=True)


@commands.command("merge")
def stories_merge(
    story: StoryArgument, other: StoryArgument, config_file: ConfigOption = None
) -> None:
    """Make two stories one, for good: one message goes on, another becomes a pointer to it.

    The one that is told already goes on; if both are, or neither is, the older one.
    """
    settings = settings_to_change_by(config_file)

    async def decide() -> StoryId:
        now, by = SystemClock().now(), whoever_types()
        async with deciding(settings) as (store, rules):
            stories = StoryId(story), StoryId(other)
            return await store.write(
                lambda tx: merge_by_hand(tx, *stories, by=by, now=now, rules=rules)
            )

    kept = asyncio.run(decide())
    out.print(f"Stories {story} and {other} are one now: story {kept}.", markup=False)


@commands.command("split")
def stories_split(
    article: Annotated[
        str, typer.Argument(metavar="ARTICLE", help="The article: its URL, or its number.")
    ],
    config_file: ConfigOption = None,
) -> None:
    """Give an article a story of its own, for good; its copies go along.

    What a watch found in it is told anew, in a message of its own.
    """
    settings = settings_to_change_by(config_file)

    async def decide() -> StoryId:
        now, by = SystemClock().now(), whoever_types()
        known = (await stored(article, settings)).article
        async with deciding(settings) as (store, rules):
            return await store.write(
                lambda tx: split_by_hand(tx, known, by=by, now=now, rules=rules)
            )

    out.print(f"It is story {asyncio.run(decide())} now.", markup=False)
