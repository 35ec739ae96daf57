"""Compounds that are printed joined and in two words alike.

A hyphen shows a compound by itself; a space doesn't: only what stands in this list is found in
two words when a watch spells it in one ("ceasefire" finds "cease fire"), and in one when a watch
spells it in two ("air base" finds "airbase"). Without a list "the rapist" would find therapists.

Every line was judged by hand: both spellings occur in print, they mean the same, and the two
words side by side mean hardly anything else. "Set up", "take over" and "stand off" are not here:
they are verbs of another meaning; who locks down or shuts down makes a lockdown or a shutdown.
"""

from __future__ import annotations

from typing import Final

from monitor.text import tokens

_ENGLISH: Final = """
    air base, air bases, air borne, air crew, air field, air lift, air space, air strike,
    air strikes, anti aircraft, anti terrorism, anti terrorist, battle field, battle ground,
    bullet proof, buy out, buy outs, cease fire, cease fires, check point, check points, check post, check posts,
    counter attack, counter attacks, counter insurgency, counter intelligence, counter measures,
    counter offensive, counter terrorism, counter terrorist, cross fire, cyber attack,
    cyber attacks, cyber crime, cyber security, cyber space, de escalate, de escalation, draw down,
    eye witness, eye witnesses, fire arms, fire fighter, fire fighters, fire power, flood water,
    flood waters, front line, front lines, front runner, front runners, grass roots, ground water,
    gun boat, gun fight, gun fire, gun man, gun men, gun point, gun ship, hard line, hard liner,
    hard liners, head quarters, health care, heat wave, heat waves, man hunt, north east,
    north eastern, north west, north western, oil field, oil fields, south east, south eastern,
    south west, south western, sub continent, super power, super powers, task force, task forces,
    inter governmental, inter state, jail break, land locked, land mine, land mines, land slide,
    land slides, law maker, law makers, lay off, lay offs, left wing, live stream, lock down, lock downs, mid term, mid terms, mine field,
    multi lateral, multi national, non combatant, non combatants, non profit, non proliferation,
    over flight, over flights, para military, peace keeper, peace keepers, peace keeping,
    peace maker, peace making, peace time, policy maker, policy makers, post war, pre emptive,
    pre war, right wing, road block, road blocks, road map, sea port, sea ports, ship yard, shut down, shut downs,
    smart phone, smart phones, spokes person, state wide, tear gas, think tank, think tanks,
    under sea, war head, war heads, war lord, war lords, war plane, war planes, war ship,
    war ships, war time, war torn, watch dog, web site, web sites, whistle blower, whistle blowers,
    wild fire, wild fires, world wide
"""
_HINDI: Final = """
    युद्ध विराम, संघर्ष विराम, सीज़ फायर, एयर स्ट्राइक, एयर स्पेस, एयर बेस, एयर पोर्ट, नौ सेना, वायु सेना,
    थल सेना, घुस पैठ
"""
_URDU_PERSIAN: Final = """
    جنگ بندی, سیز فائر, فائر بندی, ایئر بیس, ایئر پورٹ, دہشت گرد, دہشت گردی, ہیڈ کوارٹر, آتش بس
"""


def _table(*lists: str) -> dict[str, tuple[str, str]]:
    table: dict[str, tuple[str, str]] = {}
    for entry in ",".join(lists).split(","):
        first, second = (token.norm for token in tokens(entry))
        table[first + second] = (first, second)
    return table


OPEN_FORMS: Final = _table(_ENGLISH, _HINDI, _URDU_PERSIAN)
"""From the normal form of a joined spelling to those of its two words."""

JOINED_FORMS: Final = frozenset(OPEN_FORMS)
"""The normal forms of joined spellings."""
