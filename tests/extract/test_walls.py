"""What stands where an article should be is told for what it is; an article never is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from monitor.errors import Code
from monitor.extract import extract_page
from tests.extract.pages import PARAGRAPHS, extract, json_ld, page_of, refusal


def bare(title: str, body: str, head: str = "", lang: str = "en") -> str:
    """A page of few words."""
    return (
        f"<!DOCTYPE html><html lang={lang}><head><title>{title}</title>{head}</head>"
        f"<body>{body}</body></html>"
    )


SITE = '<meta property="og:site_name" content="The Valley Post">'
BOT_CHECKS = {
    "cloudflare": bare(
        "Just a moment...",
        "<div class='main-wrapper'><h1>valley.example</h1><h2>Verifying you are human. This may "
        "take a few seconds.</h2><p>valley.example needs to review the security of your connection "
        "before proceeding.</p><form id='challenge-form'></form></div>",
    ),
    "akamai": bare(
        "Access Denied",
        "<h1>Access Denied</h1><p>You don't have permission to access "
        "“http://valley.example/river-truce” on this server.</p><p>Reference #18.2d3a1602.1</p>",
    ),
    "javascript": bare(
        "Please wait",
        "<noscript>x</noscript><p>Please enable JavaScript and cookies in your browser to continue "
        "to the page that you have asked for. Thank you for your patience.</p>",
    ),
    "perimeterx": bare(
        "Access to this page has been denied",
        "<div id='px-captcha'></div><p>Please verify you are a human: press and hold the button. "
        "Access to this page has been denied because we believe you are using automation.</p>",
    ),
    "datadome": bare(
        "valley.example",
        "<p>Please enable JS and disable any ad blocker. We have noticed unusual traffic from your "
        "network and would like to know who you are.</p>"
        "<script src='https://ct.captcha-delivery.com/c.js'></script>",
    ),
    "german": bare(
        "Einen Moment bitte",
        "<p>Bitte JavaScript aktivieren, um fortzufahren. Wir prüfen, ob die Verbindung sicher ist, "
        "bevor es zu der Seite geht, die Sie aufrufen wollten.</p>",
        lang="de",
    ),
}
CONSENT = {
    "english": bare(
        "The Valley Post",
        "<div id='onetrust-consent-sdk'><h2>Before you continue</h2>"
        "<p>We and our 842 partners store and access personal data, like browsing data, on your "
        "device. Selecting “I Accept” enables tracking technologies.</p>"
        "<p>You can manage your preferences or reject all. Your choices apply to this site. See our "
        "privacy policy for what legitimate interest means.</p></div>",
        SITE,
    ),
    "german": bare(
        "Cookies zustimmen | Talpost",
        "<div class='consent-page'><p>Wir und unsere bis zu 190 Partner verwenden Cookies und "
        "benötigen Ihre Zustimmung, um Ihnen Werbung zu zeigen.</p>"
        "<p>Mit Werbung weiterlesen oder im Abo: Einwilligung jederzeit widerrufen in der "
        "Datenschutzerklärung, ganz unten auf jeder Seite.</p></div>",
        lang="de",
    ),
    "french": bare(
        "Votre vie privée",
        "<div id='didomi-host'><p>Nous et nos 312 partenaires utilisons des cookies pour stocker et "
        "consulter des données personnelles.</p>"
        "<p>Continuer sans accepter. Vous pouvez retirer votre consentement à tout moment dans la "
        "politique de confidentialité.</p></div>",
        lang="fr",
    ),
}
SORRY = "<p>We are sorry, but what you are looking for has moved or has never been here at all.</p>"
MISSING = [
    "404",
    "Page not found",
    "Error 404 | The Valley Post",
    "Seite nicht gefunden",
    "Page introuvable",
    "Página no encontrada",
    "Страница не найдена",
    "पृष्ठ नहीं मिला",
    "صفحہ نہیں ملا",
    "الصفحة غير موجودة",
]
BROKEN = ["503 Service Unavailable", "502 Bad Gateway", "Under maintenance", "Wartungsarbeiten"]
LOCKED = json_ld(**{"@type": "NewsArticle", "headline": "x", "isAccessibleForFree": False})
OFFERS = [
    "Subscribe now to continue reading this article and support independent journalism.",
    "Jetzt weiterlesen: 4 Wochen für 1 Euro testen, danach monatlich kündbar.",
    "Cet article est réservé aux abonnés. Il vous reste 80% à lire.",
    "Suscríbete para seguir leyendo. ¿Ya eres suscriptor? Inicia sesión.",
    "पूरी खबर पढ़ने के लिए सब्सक्राइब करें और हमारे साथ जुड़े रहें।",
]


@pytest.mark.parametrize("name", BOT_CHECKS)
def test_a_bot_check_is_told(name: str) -> None:
    assert refusal(BOT_CHECKS[name]).code is Code.CHALLENGED


@pytest.mark.parametrize("name", CONSENT)
def test_a_page_that_asks_for_consent_is_told(name: str) -> None:
    assert refusal(CONSENT[name]).code is Code.CONSENT


@pytest.mark.parametrize("title", MISSING)
def test_a_missing_page_that_answers_200_is_told(title: str) -> None:
    assert refusal(bare(title, f"<h1>{title}</h1>{SORRY}", SITE)).code is Code.NOT_FOUND


@pytest.mark.parametrize("title", BROKEN)
def test_a_site_in_trouble_is_told(title: str) -> None:
    assert refusal(bare(title, f"<h1>{title}</h1>{SORRY}")).code is Code.SERVER_ERROR


def test_a_front_page_is_no_article() -> None:
    """Removed articles redirect there."""
    teasers = "".join(f"<p>{text}</p>" for text in PARAGRAPHS[:2])
    assert refusal(bare("The Valley Post", teasers, SITE)).code is Code.NO_TEXT


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize(
    "head", [LOCKED, "", LOCKED.replace("false", '"False"')], ids=["locked", "marked", "as a word"]
)
def test_a_stub_is_kept_with_its_reason(head: str, offer: str) -> None:
    """The free beginning is better than nothing; that it is a beginning is said."""
    after = "" if head else "<div class='c-paywall'></div>"
    page = extract(page_of(head=head, paragraphs=[*PARAGRAPHS[:2], offer], after=after))
    assert page.reason is Code.PAYWALL
    assert page.body == "\n\n".join(PARAGRAPHS[:2])


def test_a_locked_page_that_shows_nothing_says_so() -> None:
    """Then there is no body to keep."""
    page = page_of(head=LOCKED, paragraphs=[OFFERS[0]], title="Truce")
    assert refusal(page).code is Code.PAYWALL


@pytest.mark.parametrize(
    ("head", "paragraphs", "after"),
    [
        (LOCKED, [f"{text} {number}" for number in range(3) for text in PARAGRAPHS], ""),
        ("", PARAGRAPHS, "<div class='c-paywall'></div>"),
        ("", [*PARAGRAPHS[:2], OFFERS[0]], ""),
        (
            "",
            [*(f"{text} {n}" for n in range(4) for text in PARAGRAPHS), OFFERS[0]],
            "<p id=paywall>",
        ),
    ],
    ids=["sent whole", "only a class", "only an offer", "longer than a beginning"],
)
def test_one_sign_or_a_whole_text_is_no_stub(head: str, paragraphs: list[str], after: str) -> None:
    """Locked articles are often sent whole; every page has an offer somewhere."""
    page = extract(page_of(head=head, paragraphs=paragraphs, after=after))
    assert page.reason is None
    assert page.body == "\n\n".join(paragraphs)


@pytest.mark.parametrize(
    ("title", "paragraphs"),
    [
        (
            "Why sites ask for consent",
            [
                "“We and our partners store personal data”: hardly anybody reads on, a study says.",
                *PARAGRAPHS,
            ],
        ),
        ("Page not found: how links die on the web", PARAGRAPHS),
        ("404", [f"{text} {number}" for number in range(7) for text in PARAGRAPHS]),
        ("Captcha farms pay cents", ["Are you human? The captcha asks everybody.", *PARAGRAPHS]),
        ("Just a moment: a life in photographs", PARAGRAPHS),
        ("Newspapers put up paywalls", ["“Subscribe to continue reading”, it said.", *PARAGRAPHS]),
    ],
)
def test_an_article_about_walls_is_an_article(title: str, paragraphs: list[str]) -> None:
    """A false alarm would lose it."""
    page = extract(page_of(title=title, paragraphs=paragraphs))
    assert page.reason is None
    assert page.body == "\n\n".join(paragraphs)


def test_no_real_article_is_taken_for_a_wall(corpus: Path) -> None:
    """All pages of the corpus have their article; half of them are marked in some way."""
    for gold in json.loads((corpus / "articles" / "index.json").read_text()):
        body = gzip.decompress((corpus / "articles" / gold["file"]).read_bytes())
        page = extract_page(body, url=gold["url"], content_type="text/html")
        assert page.reason is None, gold["id"]
        assert page.updates == (), gold["id"]
