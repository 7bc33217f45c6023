"""Tokenising sentences as VIST's are."""

import re

# VIST's texts are ASCII: typographic quotation marks and dots become plain ones.
_PLAIN = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2026": "..."}
)
_PLACEHOLDER = re.compile(r"\[ (male|female|location|organization) \]", re.IGNORECASE)
# Their full stop ends no sentence; initials such as "J." are recognised without a list, but "my
# friend and I." is more frequent in stories than somebody called I.
_ABBREVIATIONS = ("mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs", "a.m", "p.m", "u.s", "d.c")
_END_AFTER_I = re.compile(r"\b(I)\.(?=\s)", re.IGNORECASE)


def sentence_splitter(abbreviations):
    """Return NLTK's Punkt, untrained but with abbreviations, whose full stop ends no sentence."""
    from nltk.tokenize import PunktSentenceTokenizer
    from nltk.tokenize.punkt import PunktParameters

    parameters = PunktParameters()
    parameters.abbrev_types = set(abbreviations)
    return PunktSentenceTokenizer(parameters)


class Tokeniser:
    """Turns a sentence into VIST's lower-case words, separated by single spaces.

    VIST's conventions are those of the Penn Treebank: "don't" is `do n't`, punctuation stands
    apart, quotation marks are `` and ''.  Placeholders such as [male] stay whole.  A text that is
    tokenised already stays as it is.
    """

    def __init__(self):
        from nltk.tokenize import TreebankWordTokenizer

        self._sentences = sentence_splitter(_ABBREVIATIONS)
        self._words = TreebankWordTokenizer()
        # NLTK takes '' after a space for an opening mark, which is a closing one in VIST.
        self._words.STARTING_QUOTES = [
            (re.compile(r'^"'), r"``"),
            (re.compile(r"(``)"), r" \1 "),
            (re.compile(r'([ (\[{<])"'), r"\1 `` "),
        ]

    def __call__(self, text):
        # The case of a letter shows what is an initial, so it is lowered last.
        text = _END_AFTER_I.sub(r"\1 .", text.translate(_PLAIN))
        words = " ".join(
            word
            for sentence in self._sentences.tokenize(text)
            for word in self._words.tokenize(sentence)
        )
        return _PLACEHOLDER.sub(r"[\1]", words).lower()
