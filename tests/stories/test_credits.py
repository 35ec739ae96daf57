"""Agencies are found where credits stand, and nowhere else. All texts are invented."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.credits import NAMES, UNNAMED, agency_of

BODY = (
    "The ferry was back in service on Tuesday, a spokesman for the harbour said.\n\n"
    "Nobody was hurt when it struck the pier."
)


@pytest.mark.parametrize(
    ("authors", "agency"),
    [
        (["Reuters"], "Reuters"),
        (["REUTERS"], "Reuters"),
        (["The Associated Press"], "AP"),
        (["By Associated Press"], "AP"),
        (["Associated Press in Port Sellen"], "AP"),
        (["AP Staff"], "AP"),
        (["Agence France-Presse"], "AFP"),
        (["AFP Deutschland"], "AFP"),
        (["AFP, MANILA"], "AFP"),
        (["Le Courrier et AFP"], "AFP"),
        (["Jane Doe", "dpa"], "dpa"),
        (["Jane Doe, Associated Press"], "AP"),
        (["Jane Doe / Reuters"], "Reuters"),
        (["Jane Doe (AP)"], "AP"),
        (["Press Trust of India"], "PTI"),
        (["ANI News Service"], "ANI"),
        (["Australian Associated Press"], "AAP"),
        (["Associated Press of Pakistan"], "APP"),
        (["एजेंसी"], UNNAMED),
        (["Agencies"], UNNAMED),
        (["পিটিআই"], "PTI"),
        (["رويترز"], "Reuters"),
        (["اے ایف پی"], "AFP"),
        (["新华社"], "Xinhua"),
        (["연합뉴스"], "Yonhap"),
        (["ТАСС"], "TASS"),
        # People, departments, and others with a name in theirs.
        (["Jane Doe"], None),
        (["AP Sharma"], None),
        (["Ani Petrosyan"], None),
        (["Michael Bloomberg"], None),
        (["Thomson Reuters Foundation"], None),
        (["Staff reporter"], None),
        (["", " ", ", ,"], None),
        ([], None),
    ],
)
def test_a_byline_names_the_agency(authors: list[str], agency: str | None) -> None:
    """Alone, beside an author, with the desk that it came from."""
    assert agency_of(authors, BODY) == agency


@pytest.mark.parametrize(
    ("start", "agency"),
    [
        ("NEW DELHI, May 10 (PTI) ", "PTI"),
        ("New Delhi, May 10 (PTI) ", "PTI"),
        ("New Delhi [India], May 10 (ANI): ", "ANI"),
        ("(Reuters) - ", "Reuters"),
        ("WASHINGTON (Reuters) - ", "Reuters"),
        ("PORT SELLEN, N.J. (AP) — ", "AP"),
        ("BEIRUT/THE HAGUE, March 7 (Reuters) - ", "Reuters"),
        ("BERLIN (dpa/lnw) - ", "dpa"),
        ("WIEN (dpa-AFX) - ", "dpa-AFX"),
        ("MOSCOW, 2 January (AFP/Reuters) ", "AFP"),
        ("Nuova Delhi, 1 gennaio (IANS) ", "IANS"),
        ("A headline\nNEW DELHI, May 10 (PTI) ", "PTI"),
        ("A ferry at sea. (Jane Doe/Reuters)\n\nNEW DELHI (AP) — ", "AP"),
        ("By The Associated Press\n\n", "AP"),
        ("By Jane Doe, Associated Press\n\n", "AP"),
        ("Reuters\n\n", "Reuters"),
        ("नई दिल्ली, 11 मई (भाषा) ", "PTI"),
        ("एजेंसी, नई दिल्ली। ", UNNAMED),
        ("नई दिल्ली, एजेंसी। ", UNNAMED),
        ("নয়াদিল্লি, ১০ মে (পিটিআই) — ", "PTI"),
        ("واشنطن (رويترز) - ", "Reuters"),
        ("اسلام آباد (اے پی پی): ", "APP"),
        ("新华社北京4月24日电 ", "Xinhua"),
        ("中新社北京5月10日電 ", "CNS"),
        ("【ワシントン共同】", "Kyodo"),
        ("(서울=연합뉴스) ", "Yonhap"),
        ("МОСКВА, 2 января. /ТАСС/. ", "TASS"),
        ("МОСКВА, 2 янв — РИА Новости. ", "RIA Novosti"),
        # A party, an explanation of an acronym, and what somebody else photographed or said.
        ("ISLAMABAD: Pakistan Tehreek-e-Insaf (PTI) chairman ", None),
        ("Pakistan Tehreek-e-Insaf (PTI) — the party of the former premier — ", None),
        ("On May 10 Aam Aadmi Party (AAP) ", None),
        ("In 2019 Press Trust of India (PTI) ", None),
        ("A ferry at sea. (Jane Doe/AP)\n\n", None),
        ("Image copyright Jane Doe/AFP/Getty Images\n\n", None),
        ("Jane Doe/AP\n\n", None),
        ("Watch more! (Reuters)\n\n", None),
        ("He told the agency (Reuters) that ", None),
        ("He told 12 people in the harbour (Reuters) - ", None),
        ("ISLAMABAD: In 2018 Imran Khan (PTI) ", None),
        ("Jane Doe of Northline (AP) ", None),
        ("By Monday night, Reuters, an agency, had asked for more than that.\n\n", None),
        ("Reuters reported on Monday that it was sold. ", None),
        ("", None),
    ],
)
def test_a_dateline_names_the_agency(start: str, agency: str | None) -> None:
    """Before a dash or behind a date; what only stands in parentheses is a word of the text."""
    assert agency_of((), start + BODY) == agency


@pytest.mark.parametrize(
    ("end", "agency"),
    [
        ("\n\nPTI", "PTI"),
        ("\n\nPTI KND DIV DV", "PTI"),
        ("\n\n- PTI", "PTI"),
        ("\n\n–IANS\n", "IANS"),
        (" –IANS/ ss", "IANS"),
        (" (ANI)", "ANI"),
        (" （ANI）", "ANI"),
        (" — Bernama", "Bernama"),
        ("\n\nSource: Xinhua", "Xinhua"),
        ("\n\n© AFP", "AFP"),
        ("\n\nCopyright 2019 The Associated Press. All rights reserved.", "AP"),
        ("\n\n(Copyright 2018 The Associated Press. All rights reserved.)", "AP"),
        ("\n\n© Associated Press of Pakistan", "APP"),
        # Own work, with help; photos; a party.
        ("\n\nThe Associated Press contributed to this report.", None),
        ("\n\nWith inputs from PTI and other sources", None),
        ("\n\nFoto: AFP / Jane Doe", None),
        (" He belongs to the Pakistan Tehreek-e-Insaf (PTI)", None),
        (" He said so to Reuters", None),
        ("", None),
    ],
)
def test_the_last_line_names_the_agency(end: str, agency: str | None) -> None:
    """Signed, coded, or under its copyright."""
    assert agency_of((), BODY + end) == agency


def test_the_byline_goes_before_the_text() -> None:
    """Who is named first is who gets the credit."""
    text = f"NEW DELHI, May 10 (PTI) {BODY} (ANI)"
    assert agency_of(["Reuters"], text) == "Reuters"
    assert agency_of(["Jane Doe"], text) == "PTI"


def test_every_name_is_its_own_short_name_or_leads_to_one() -> None:
    """The longest goes first, so that no agency is taken for another with a shorter name."""
    for name in re.sub(r"\\(.)", r"\1", NAMES).split("|"):
        found = agency_of([name], BODY)
        assert found is not None
        assert agency_of([found], BODY) == found


@given(st.lists(st.text()), st.text())
def test_any_text_has_an_agency_or_none(authors: list[str], body: str) -> None:
    """Nothing raises, and what is found is one of the short names."""
    found = agency_of(authors, body)
    assert found is None or agency_of([found], "") == found


@pytest.mark.parametrize(
    "text",
    ["(" * 100_000, "A" * 100_000, "A " * 50_000, "(PTX" * 30_000, "— " * 50_000, "/," * 50_000],
)
def test_hostile_texts_take_no_time(text: str) -> None:
    """Only the ends of a text are read; a pattern that went astray would take minutes."""
    assert agency_of([text], text) is None
