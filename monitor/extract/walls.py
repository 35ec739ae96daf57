"""What stands where an article should be: bot checks, consent, paywalls, pages that say sorry.

A false alarm loses an article, a miss costs a line of clutter in one. So each verdict takes two
signs that don't come from the same place, and a page whose own words are long is never one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import lxml.html
from lxml import etree

from monitor.errors import Code
from monitor.extract.lines import key, one_line
from monitor.extract.linked_data import Node

Tree: TypeAlias = lxml.html.HtmlElement

LONG = 3_000
"""Characters in paragraphs above which a page is no wall, whatever else it says."""

STUB = 1_500
"""Characters of a locked article above which its whole text has been sent."""

_BOT_TITLE = re.compile(
    r"just a moment|attention required!?(?: cloudflare)?|checking your browser.*|access denied"
    r"|access to this page has been denied|please wait|one moment,? please|security check"
    r"|are you (?:a )?(?:robot|human)|robot check|human verification|verify(?:ing)? (?:that )?you"
    r" are (?:a )?human.*|pardon our interruption|ddos-guard|bot verification|client challenge"
    r"|einen moment(?: bitte)?|un momento|un instant|пожалуйста,? подождите|captcha"
)
_BOT_WORDS = re.compile(
    r"enable javascript|javascript (?:is|to be) (?:disabled|required|enabled)|turn on javascript"
    r"|javascript (?:aktivieren|einschalten)|activ(?:er|ez|ar|e) (?:le )?javascript"
    r"|включите javascript|जावास्क्रिप्ट|checking (?:if the site connection|your browser)"
    r"|verify(?:ing)? (?:that )?you are (?:a )?(?:human|not a robot)|unusual traffic|\bcaptcha\b"
    r"|you (?:have been|are being) (?:blocked|rate limited)|automated (?:requests|access|traffic)"
    r"|don't have permission to access|ray id|reference #[0-9a-f.]{8}",
    re.IGNORECASE,
)
_BOT_MARKUP = re.compile(
    r"challenge-(?:form|running|error-text|platform)|cf-wrapper|cf-browser-verification|cf-turnstile"
    r"|px-captcha|sec-if-cpt|[gh]-(?:re)?captcha|captcha-delivery\.com|_incapsula_resource|perimeterx"
)
_CONSENT_MARKUP = re.compile(
    r"\bonetrust|\bsp_message|\bdidomi|usercentrics|cybotcookie|\bqc-cmp|\bcmp|consent|cookie"
)
# What such a page says of itself; several of them, or it is an article about the matter.
_CONSENT_WORDS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"we (?:and|use|value|care|store|process)\b.{0,60}(?:partners|cookies|privacy|data)",
        (
            r"before you continue|accept (?:all|and continue|cookies)|manage (?:your )?(?:preferences"
            r"|options|choices|settings)|reject all|legitimate interest|privacy (?:policy|settings)"
        ),
        r"wir (?:und|verwenden|nutzen|benötigen|erheben)\b.{0,60}(?:partner|cookies|daten|zustimmung)",
        (
            r"(?:mit|ohne) werbung (?:weiter|lesen)|alle akzeptieren|zustimmen (?:und|&) weiter"
            r"|einstellungen verwalten|datenschutzerklärung|einwilligung (?:jederzeit )?widerrufen"
        ),
        r"nous (?:et|utilisons)\b.{0,60}(?:partenaires|cookies|données)",
        (
            r"(?:tout|continuer sans) accepter|accepter et (?:continuer|fermer)|paramétrer"
            r"|politique de confidentialité|retirer votre consentement"
        ),
        r"(?:nosotros y|utilizamos|usamos)\b.{0,60}(?:socios|cookies|datos)",
        (
            r"aceptar (?:todo|y continuar|cookies)|rechazar todo|configurar cookies"
            r"|política de (?:privacidad|cookies)"
        ),
        r"(?:noi e|utilizziamo|usiamo)\b.{0,60}(?:partner|cookie|dati)|accetta (?:tutti|e continua)",
        r"wij (?:en|gebruiken)\b.{0,60}(?:partners|cookies|gegevens)|alles accepteren",
        r"my i nasi\b.{0,60}partnerzy|akceptuję|przejdź do serwisu|polityk[aę] prywatności",
    )
)
_MISSING = re.compile(
    r"(?:error |fehler |erreur )?404(?: error| fehler| not found| page not found)?|410 gone"
    r"|(?:page|article|story|content) (?:not found|no longer available|does ?n[o']t exist|unavailable)"
    r"|(?:sorry |oops )?(?:this|that|the) page (?:can ?t be|could not be|was not|is not) (?:found|available)"
    r"|(?:seite|artikel|inhalt) (?:wurde )?nicht (?:gefunden|verfügbar)"
    r"|page (?:introuvable|non trouvée)|page not found 404|not found"
    r"|página no encontrada|página não encontrada|pagina non trovata|pagina niet gevonden"
    r"|nie znaleziono strony|strona nie została znaleziona|sayfa bulunamadı|halaman tidak ditemukan"
    r"|страница не найдена|сторінку не знайдено|पृष्ठ नहीं मिला|पेज नहीं मिला|صفحہ نہیں ملا"
    r"|الصفحة غير موجودة|صفحه (?:مورد نظر )?(?:یافت|پیدا) نشد|পৃষ্ঠা পাওয়া যায়নি|页面不存在|找不到页面"
    r"|ページが見つかりません|페이지를 찾을 수 없습니다"
)
_BROKEN = re.compile(
    r"(?:error )?50[0234](?: .{0,40})?|(?:internal )?server error|bad gateway|service unavailable"
    r"|gateway time-?out|(?:site )?(?:under|down for|scheduled) maintenance|maintenance mode"
    r"|wartungsarbeiten|en maintenance|en mantenimiento|error establishing a database connection"
)
_PAYWALL_MARKUP = re.compile(
    r"paywall|regwall|\btp-modal|\bpiano|poool|subscribers?-only|premium-content|meteredcontent"
    r"|\bevolok|zephr|pelcro|memberful|mepr-unauthorized|pmpro_content_message"
)
_PAYWALL_WORDS = re.compile(
    r"(?:subscribe|sign in|log in|register|sign up)\b.{0,30}\bto (?:continue|keep|read)"
    r"|to (?:continue|keep) reading|continue reading (?:with|this article)|already a (?:subscriber|member)"
    r"|this (?:article|story|content|post) is (?:only )?(?:for|available to|reserved for) .{0,30}"
    r"(?:subscribers|members)|for (?:paid |paying )?subscribers only|unlock this (?:article|story)"
    r"|jetzt (?:weiterlesen|abonnieren|testen)|weiterlesen mit|diesen artikel (?:weiter)?lesen"
    r"|(?:artikel|inhalt) ist (?:nur )?für (?:abonnenten|abonnierende)|bereits abonnent|mit .{0,20}\babo\b"
    r"|réservé (?:à nos|aux) abonnés|abonnez-vous|déjà abonné|il vous reste .{0,20} à (?:lire|découvrir)"
    r"|(?:suscríbete|regístrate) para|solo para suscriptores|exclusivo para suscriptores|ya soy suscriptor"
    r"|conteúdo exclusivo para assinantes|já é assinante|contenuto riservato agli abbonati"
    r"|abbonati per|voor abonnees|al abonnee|tylko dla (?:subskrybentów|prenumeratorów)"
    r"|dostęp do (?:tego )?artykułu|только (?:для|по) подпис|оформите подписку"
    r"|सब्सक्राइब कर|सदस्यता लें|subscriber[s]? ke liye|للمشتركين فقط|会員限定|有料会員|この記事は会員"
    r"|订阅(?:后|以)|유료 ?회원",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page's markup says about walls, read before its text is looked for."""

    title: str  # the window's title or the only heading, without the site's name, as compared
    described: bool  # it has JSON-LD of an article
    locked: bool  # which says that the article is not free
    homely: bool  # its title is only the site's name
    bot: bool
    consent: bool
    paywall: bool


def signs_of(tree: Tree, nodes: list[Node], titles: Sequence[str], sites: Sequence[str]) -> Signs:
    """The signs of a page. `titles` are the spellings of its title, `sites` of the site's name."""
    title = titles[0] if titles else ""
    marks = _marks(tree)
    names = {spelling for site in sites if (spelling := key(site))}
    return Signs(
        title=one_line(re.sub(r"[|–—:.…·\-]+", " ", title)).lower(),
        described=bool(nodes),
        locked=any(_is_false(node.get("isAccessibleForFree")) for node in nodes),
        homely=bool(names) and key(title) in names,
        bot=bool(_BOT_MARKUP.search(marks)),
        consent=bool(_CONSENT_MARKUP.search(marks)),
        paywall=bool(_PAYWALL_MARKUP.search(marks)),
    )


def _marks(tree: Tree) -> str:
    """The names that a page gives to its elements, and where they come from or lead, once each."""
    found = {
        value
        for element in tree.iter(etree.Element)
        for name in ("id", "class", "src", "action")
        if (value := element.get(name))
    }
    return "\n".join(found).lower()


def wall_of(signs: Signs, found: Sequence[str], shown: str) -> tuple[Code, str] | None:
    """Why a page has no article, as a code and a sentence; None if nothing says that it hasn't.

    `found` are the paragraphs taken for the article's, `shown` is all that the page shows.
    """
    text = " ".join(found)
    if len(text) > LONG or (signs.described and len(text) > 400):
        return None
    small = len(shown) < LONG
    titled = _BOT_TITLE.fullmatch(signs.title) is not None
    if small and titled + signs.bot + bool(_BOT_WORDS.search(shown)) >= 2:
        return Code.CHALLENGED, "a bot check stands where the article should be"
    if _MISSING.fullmatch(signs.title):
        return Code.NOT_FOUND, "the page says that it does not exist"
    if small and _BROKEN.fullmatch(signs.title):
        return Code.SERVER_ERROR, "the page says that the site has trouble"
    asked = sum(bool(pattern.search(text)) for pattern in _CONSENT_WORDS)
    said = sum(len(line) for line in found if any(each.search(line) for each in _CONSENT_WORDS))
    if asked >= 2 and 2 * said > len(text) and (signs.consent or small):
        return Code.CONSENT, "the page asks for consent to cookies"
    if signs.homely and not signs.described and len(text) < 600:
        return Code.NO_TEXT, "the page bears the site's name as its title: no article"
    return None


def is_stub(signs: Signs, found: Sequence[str]) -> bool:
    """Whether the text is the free beginning of an article that is for subscribers.

    Many pages are marked as locked and send the whole text to everybody.
    """
    text = " ".join(found)
    if len(text) >= STUB:
        return False
    words = any(map(_is_offer, found[-4:]))
    return signs.locked + signs.paywall + words >= 2 or (signs.locked and len(text) < STUB / 2)


def without_offer(found: Sequence[str]) -> list[str]:
    """The paragraphs of a stub without those that sell the rest."""
    return [line for line in found if not _is_offer(line)]


def _is_offer(line: str) -> bool:
    return len(line) < 300 and _PAYWALL_WORDS.search(line) is not None


def _is_false(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")
