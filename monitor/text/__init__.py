"""The one normal form of text, which matching, search and the recognition of copies share.

A text is cut into *tokens*. Each has a *norm*, in which spellings that readers take for the
same word are the same string, and the place of the word in the original characters:

* case, width, ligatures, soft hyphens, zero-width characters (NFKC case-folding, UAX 15 and 31);
* marks of Latin, Greek, Hebrew and Arabic letters; of Cyrillic ones too, but й, ї and ў are letters
  of their own; nukta, candrabindu and the homorganic nasals of Devanagari (सिन्दूर = सिंदूर);
* the Arabic, Persian and Urdu code points of one letter (ي ى ی, ك ک, ه ہ ة ۃ, forms of alef);
* digits of every script;
* dotted acronyms (U.S. = US) and thousands (1,000 = 1000).

A word is letters, marks and digits: a mark never ends one, so Hindi सेना is one word. What a
hyphen, an apostrophe or a zero-width non-joiner holds together is several tokens that say so
(`Link.JOINED`). A possessive 's is no token and outside its word; don't and he'll are one.
Chinese, Japanese and Thai have no spaces: there every character, or cluster of a letter with its
marks, is a token, and Katakana and Hangul runs are words. Hashtags are taken apart at their
capitals. URLs and e-mail addresses have a place and no words.

A text can be read in more than one way, and each *reading* says by which keys it is looked up:
"cease-fires" as "cease", "fires" or "ceasefires", the plural also as its singular, والهدنة as
هدنة, 휴전은 as 휴전. What counts as the same word is decided here alone: matching is nothing
but looking up keys.

    values      Link, Token, Reading, Chunk     lines       a text's chunks; no more than str.split
    characters  what each character is          chunks      a chunk's tokens and readings
    folding     the normal form of one word     lattice     a whole text; tokens, normal_form
    forms       what a word is reached from     sentences   where they end
      plurals (words_in_s), clitics, particles

The result depends on nothing but the text and the interpreter's Unicode tables.
"""

from __future__ import annotations

from monitor.text.characters import is_cut
from monitor.text.chunks import chunk_of, link_across, norms_of, plain_keys
from monitor.text.folding import fold
from monitor.text.lattice import Lattice, lattice, normal_form, tokens
from monitor.text.lines import Line, split
from monitor.text.sentences import sentence_ends
from monitor.text.values import Chunk, Link, Reading, Token

__all__ = [
    "Chunk",
    "Lattice",
    "Line",
    "Link",
    "Reading",
    "Token",
    "chunk_of",
    "fold",
    "is_cut",
    "lattice",
    "link_across",
    "normal_form",
    "norms_of",
    "plain_keys",
    "sentence_ends",
    "split",
    "tokens",
]
