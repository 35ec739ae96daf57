"""What `monitor db` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from monitor.config import values
from monitor.storage.sizes import TableSize


def pruned(
    sizes: Mapping[str, TableSize], gone: Mapping[str, int], *, dry: bool
) -> Iterator[RenderableType]:
    """Each table: what there is, what went (or would), and about how many bytes that is."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Table", "Rows", "Size", "Would go" if dry else "Gone", "About"):
        table.add_column(name, justify="left" if name == "Table" else "right")
    total = rows = 0
    for name, size in sizes.items():
        if not size.rows and name not in gone:
            continue
        number = gone.get(name, 0)
        share = _share(size, number, dry=dry)
        total, rows = total + (share or 0), rows + number
        table.add_row(
            name,
            f"{size.rows:,}",
            "" if size.bytes is None else values.show_size(size.bytes),
            f"{number:,}" if number else "",
            values.show_size(share) if share else "",
        )
    yield table
    what = "would go" if dry else "gone"
    yield f"\n{rows:,} rows {what}" + (f", about {values.show_size(total)}." if total else ".")


def pruned_json(
    sizes: Mapping[str, TableSize], gone: Mapping[str, int], *, dry: bool
) -> Mapping[str, Any]:
    """The same for machines."""
    return {
        "dry_run": dry,
        "tables": {
            name: {"rows": size.rows, "bytes": size.bytes, "pruned": gone.get(name, 0)}
            for name, size in sizes.items()
        },
    }


def _share(size: TableSize, number: int, *, dry: bool) -> int | None:
    """Bytes of so many rows, as rows are on the average; the sizes are from before, or from after."""
    before = size.rows if dry else size.rows + number
    if size.bytes is None or not before:
        return None
    return size.bytes * number // before
