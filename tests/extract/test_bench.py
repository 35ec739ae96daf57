"""bench.extract takes any index of pages, and says what is wrong with one that is none."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.extract import half_of, read_index, score
from tests.extract.pages import PARAGRAPHS, page_of

ROOT = Path(__file__).resolve().parents[2]
GOLD = {
    "file": "pages/one.html.gz",
    "url": "https://valley.example/2025/05/river-truce/",
    "title": "River truce holds",
    "body": "\n\n".join(PARAGRAPHS),
    "authors": ["Asha Verma"],
    "publishing_date": "2025-05-10",
}


def written(folder: Path, index: object) -> Path:
    """An index with its pages, one gzipped and one plain, outside of any corpus."""
    (folder / "pages").mkdir()
    page = page_of(
        head="<meta name=author content='Asha Verma'>"
        "<meta property='article:published_time' content='2025-05-10'>"
    ).encode()
    (folder / "pages" / "one.html.gz").write_bytes(gzip.compress(page))
    (folder / "pages" / "two.html").write_bytes(page)
    path = folder / "index.json"
    path.write_text(index if isinstance(index, str) else json.dumps(index))
    return path


def test_any_index_is_measured(tmp_path: Path) -> None:
    """A table, then one JSON object: ours and the peers, on pages that need no corpus."""
    plain = {key: GOLD[key] for key in ("url", "title", "body")} | {"file": "pages/two.html"}
    index = written(tmp_path, [GOLD, plain])
    done = subprocess.run(
        [sys.executable, "-m", "bench.extract", "--index", index],
        cwd=ROOT,
        env={"MONITOR_CORPUS": str(tmp_path / "none")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["pages"] == 2
    row = result["rows"]["ours"]
    assert (row["f1"], row["title"], row["day"], row["any author"]) == (1, 1, 1, 1)
    assert {"trafilatura fast", "trafilatura standard", "trafilatura precision"} <= {
        *result["rows"]
    }
    assert result["rows"]["trafilatura fast"]["ratio_to_fast"] == 1


@pytest.mark.parametrize(
    ("index", "sentence"),
    [
        ("{", "is not JSON"),
        ([], "is not a list of pages"),
        ({"a": 1}, "is not a list of pages"),
        ([5], "page 1 has no file"),
        ([GOLD, {**GOLD, "body": None}], "page 2 has no body"),
        ([{**GOLD, "file": "pages/three.html"}], "names pages/three.html, which is not there"),
    ],
)
def test_a_wrong_index_gets_one_sentence(tmp_path: Path, index: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_index(written(tmp_path, index))


def test_a_missing_index_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't read"):
        read_index(tmp_path / "none.json")


def test_the_standfirst_counts_for_nobody() -> None:
    """Found or not, the score is the same; other words cost precision, missing ones recall."""
    gold = {"body": "\n\n".join(PARAGRAPHS[1:]), "summary": [PARAGRAPHS[0]]}
    whole, body = "\n\n".join(PARAGRAPHS), gold["body"]
    assert score(gold, body) == (1, 1)
    found, missed = score(gold, whole), score(gold, "\n\n".join(PARAGRAPHS[1:3]))
    assert found[0] is not None
    assert found[0] > 0.95  # but for the shingles that run over the seam
    assert found[1] == 1
    assert missed[0] == 1
    assert missed[1] is not None
    assert 0.5 < missed[1] < 0.8


def test_a_host_is_in_one_half() -> None:
    """All pages of a site are looked at, or none."""
    halves = {half_of(f"https://{host}.example/{page}") for host in "abcdefgh" for page in "xy"}
    assert halves == {0, 1}
    assert half_of("https://a.example/x") == half_of("https://a.example/y?z")
