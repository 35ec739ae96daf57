"""Lines of a page that are not the article's: its headline again, pointers elsewhere, credits,
the form for comments.

Only what any site's readers would take for such a line goes. What one site repeats under all its
articles is learnt from them, not listed here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.extract.lines import key

NEAR_TOP = 4
"""Lines at the top among which the headline is looked for."""

# What stands before a pointer to another article, in the languages that the product is tried in.
_POINTERS = (
    # English, German, Dutch
    "read more", "read also", "also read", "read next", "see also", "related", "related articles?",
    "related stor(?:y|ies)", "related news", "recommended(?: for you)?", "more on this(?: story)?",
    "also interesting", "you (?:may|might) also like", "don't miss", "keep reading",
    "lesen sie (?:auch|mehr|hier|dazu|hierzu|außerdem)", "lesen sie dazu auch", "weiterlesen",
    "mehr zum thema", "auch interessant", "mehr dazu", "das könnte sie (?:auch )?interessieren",
    "passend zum thema", "lees ook", "lees meer", "bekijk ook",
    # French, Spanish, Portuguese, Italian, Romanian
    "(?:à )?lire (?:aussi|également)", "voir aussi", "lire la suite", "sur le même sujet",
    "le[ea] también", "leer también", "le[ea] más", "leer más", "más información", "ver también",
    "te puede interesar", "noticias? relacionadas?", "le(?:ia|r) também", "leia mais",
    "veja também", "saiba mais", "leggi anche", "leggi di più", "vedi anche", "citește și",
    # Swedish, Norwegian, Danish, Finnish, Polish, Czech, Hungarian, Greek
    "läs (?:också|även|mer)", "les også", "les mer", "læs også", "læs mere", "lue (?:myös|lisää)",
    "czytaj (?:więcej|także|też|również|dalej)", "zobacz (?:też|także|również)", "čtěte (?:také|též)",
    "olvasta már", "διαβάστε (?:επίσης|ακόμη|ακόμα)",
    # Russian, Ukrainian, Turkish, Indonesian, Vietnamese
    "читайте (?:также|еще|ещё)", "читать также", "смотрите также", "читайте також",
    "ayrıca (?:oku|okuyun|bakınız)", "ilgili haber(?:ler)?", "baca juga", "xem thêm", "đọc thêm",
    # Hindi, Marathi, Bengali, Urdu, Arabic, Persian, Hebrew
    "(?:यह|ये) भी (?:पढ़ें|पढ़ें|देखें)", "हे(?:ही)? (?:पण )?वाचा", "आরও পড়ুন", "আরও পড়ুন", "আরও পড়ুন",
    "(?:یہ|مزید) (?:بھی )?پڑھیں", "[اإأ]قر[أا] (?:أيضا|أيضًا|أيضاً|المزيد|كذلك)", "شاهد أيضا[ًً]?",
    "(?:بیشتر|همچنین) بخوانید", "קראו (?:גם|עוד)",
    # Chinese, Japanese, Korean
    "延伸閱讀", "延伸阅读", "相关阅读", "相關新聞", "相关新闻", "推荐阅读", "関連記事", "あわせて読みたい",
    "関連ニュース", "관련 ?기사",
)  # fmt: skip
_POINTER = re.compile(
    rf"\W*(?:{'|'.join(_POINTERS)})(?:\W*|\s*(?:[:：|｜»›>→]|\s[-–—]\s).{{0,220}})", re.IGNORECASE
)
_CREDIT = re.compile(
    r"[(\[]?(?:photos?|photo credits?|picture|image(?: credits?)?|fotos?|foto ?gallery|bild(?:er)?"
    r"|фото|foto di|crédito|zdjęcie|तस्वीर|फोटो|فوٹو|تصویر|사진|写真|撮影|图片来源)\s*[:：/=].{0,160}"
    r"|(?:©|\(c\)|<?copyright\W*(?:©|ⓒ|\(c\)|\d{4}|by\b)).{0,200}"
    r"|.{0,120}\b(?:all rights reserved|alle rechte vorbehalten|tous droits réservés"
    r"|todos los derechos reservados|todos os direitos reservados|tutti i diritti riservati"
    r"|все права защищены|wszelkie prawa zastrzeżone|무단 ?전재).{0,120}",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[-•*–]\s")

# How a form to leave a comment in begins. WordPress' words, as its translations have them.
_REPLY = re.compile(
    r"(?:leave|post|write|add|submit) (?:a|your) (?:reply|comment|response)\b.{0,60}"
    r"|(?:join|start) the (?:discussion|conversation)\W{0,3}",
    re.IGNORECASE,
)
_REPLY_NOTE = re.compile(
    r"your e-?mail address will not be published"
    r"|deine e-mail-adresse wird nicht veröffentlicht"
    r"|votre adresse (?:e-mail|de messagerie) ne sera pas publiée"
    r"|tu dirección de correo electrónico no será publicada"
    r"|o seu endereço de e-mail não será publicado"
    r"|आपका ईमेल पता प्रकाशित नहीं किया जाएगा"
    r"|آپ کا ای ?میل ایڈریس شائع نہیں کیا جائے گا"
    r"|لن يتم نشر عنوان بريدك الإلكتروني",
    re.IGNORECASE,
)


def without_clutter(found: Sequence[str], titles: Sequence[str]) -> list[str]:
    """The lines of a page's text that are the article's, in their order.

    `titles` are the spellings of its headline.
    """
    lines = _without_reply_form(_without_headline(list(found), titles))
    kept: list[str] = []
    pointing = False  # the line before announced a list of other articles
    for line in lines:
        if _is_pointer(line):
            pointing = True
            continue
        pointing = pointing and bool(_ITEM.match(line))
        if not pointing and not _CREDIT.fullmatch(line):
            kept.append(line)
    return kept


def _is_pointer(line: str) -> bool:
    return len(line) < 300 and _POINTER.fullmatch(line) is not None


def _without_headline(lines: list[str], titles: Sequence[str]) -> list[str]:
    """The lines behind the headline, where it stands at the top, if only short ones precede it."""
    spellings = {spelling for title in titles if (spelling := key(title))}
    for number, line in enumerate(lines[:NEAR_TOP]):
        if len(line) > 400:
            break
        spelt = key(line)
        kicked = any(
            spelt.endswith(each) and len(spelt) <= len(each) + 50
            for each in spellings
            if len(each) > 8
        )
        if (kicked or spelt in spellings) and sum(map(len, lines[:number])) < 200:
            return lines[number + 1 :]
    return lines


def _without_reply_form(found: list[str]) -> list[str]:
    """The paragraphs before the place where readers are asked for a comment.

    trafilatura drops such forms where a theme marks them, and keeps them where it does not.
    """
    before = 0
    for number, text in enumerate(found):
        asked = _REPLY.fullmatch(text) or (len(text) < 300 and _REPLY_NOTE.search(text))
        if asked and before >= sum(map(len, found[number:])):
            return found[:number]
        before += len(text)
    return found
