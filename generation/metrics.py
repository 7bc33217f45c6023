"""The scores.  Each entry of METRICS says all that files, tables and pages need to know of it.

A score of one's own is a `Metric` in a file of one's own, see docs/scores.md.
Legend of shapes: N texts, S statistics of a text that can be summed, R draws of texts.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from data_reader.errors import InputError
from data_reader.import_paths import import_object
from data_reader.run_files import Share
from generation.meteor import UnavailableError as UnavailableError  # for metrics elsewhere
from generation.meteor import meteor, meteor_of_systems
from generation.non_redundancy import non_redundancy, split_sentences

ORIGINAL_2018 = ("original-2018-sentence", "original-2018-story")
VIST_ALBUM, VIST_SEQUENCE = "vist-album", "vist-sequence"
PROTOCOLS = (*ORIGINAL_2018, VIST_ALBUM, VIST_SEQUENCE)
OF_STORIES = PROTOCOLS[1:]  # whose texts are whole stories
# VIST's stories have a few hundred; the time of some scores grows with the square.
_MOST_CHARACTERS = 20_000


@dataclass(frozen=True, eq=False)
class Texts:
    """The texts that a protocol compares.

    Attributes:
        hypotheses: N generated texts.
        references: the human texts of each, at least one, none of them empty.
        groups: the group of each text, for instance its album: for intervals whole groups are
            drawn.  Empty where that is not known.
        sentences: those of each hypothesis, where it is a story whose sentences are known.  Empty
            where they are not.
        names: of the texts, for instance keys.
        left_out: the names of hypotheses that have nothing to be compared with.
    """

    hypotheses: list[str]
    references: list[list[str]]
    groups: list[str] = ()
    sentences: list[list[str]] = ()
    names: list[str] = ()
    left_out: list[str] = ()
    _results: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        for text in itertools.chain(self.hypotheses, *self.references):
            check_length(f"the text {text:.40}...", text)

    def once(self, compute):
        """`compute(self)`, which later calls do not compute again."""
        if compute not in self._results:
            self._results[compute] = compute(self)
        return self._results[compute]

    def empty(self):
        """The names of empty hypotheses."""
        pairs = zip(self.names, self.hypotheses, strict=True)
        return [name for name, text in pairs if not text.strip()]

    def stories(self):
        """[N], the sentences of each hypothesis; those that are not known are found by Punkt."""
        return self.sentences or [split_sentences(text) for text in self.hypotheses]

    def keep(self, compute, result):
        """Keep the result of `compute(self)`, for `once`."""
        self._results[compute] = result


def check_length(where, text):
    """Refuse a text that is far too long for a story.

    Raises:
        InputError: it is.
    """
    if len(text) > _MOST_CHARACTERS:
        raise InputError(
            f"{where} has {len(text):,} characters; a sentence or a story has at most "
            f"{_MOST_CHARACTERS:,}."
        )


def mean(sums, texts):
    """Sums of one number per text [R, 1], numbers of texts [R] -> their mean [R]."""
    return np.squeeze(sums, axis=1) / texts


@dataclass(frozen=True)
class Metric:
    """A score.

    Attributes:
        name: as tables, files and columns show it, beside the protocol's name.
        statistics: `Texts` -> float [N, S], or [N]: what can be summed over texts.  It raises
            `UnavailableError` with the reason where it can't be computed.  Metrics with the same
            function share its results.
        value: sums of the statistics [R, S], numbers of texts [R] -> scores [R].
        overall: `Texts` -> the score of all texts, where that is not the value of their sums; the
            interval is then shifted to it.
        is_share: from 0 to 1, shown in percent.
        higher_is_better: False where lower is better, None where neither is.
        protocols: by which it is computed.
        in_summary: shown in tables and compared; the others stand in the scores file alone.
        needs: what has to be installed, for the help.
        prepare: `{protocol: [Texts]}` -> None: computes at once, and keeps in them, what is slower
            one by one.  Metrics with the same function share the call.

    Raises:
        InputError: there is no such protocol.
    """

    name: str
    statistics: Callable[[Texts], Sequence]
    value: Callable[[np.ndarray, np.ndarray], np.ndarray] = mean
    overall: Callable[[Texts], float] | None = None
    is_share: bool = False
    higher_is_better: bool | None = True
    protocols: tuple[str, ...] = PROTOCOLS
    in_summary: bool = True
    needs: str = ""
    prepare: Callable[[dict[str, list[Texts]]], None] | None = None

    def __post_init__(self):
        if isinstance(self.protocols, str):
            raise InputError(f"The score {self.name} needs a tuple of protocols: (..., ).")
        for protocol in self.protocols:
            if protocol not in PROTOCOLS:
                raise InputError(
                    f"The score {self.name} names the protocol {protocol}; "
                    f"there are {', '.join(PROTOCOLS)}."
                )

    def score(self, texts):
        """The score of all texts.

        Raises:
            UnavailableError: it can't be computed here.
            InputError: the statistics are not one row per text.
        """
        counted = self.counted(texts)
        if self.overall:
            return float(self.overall(texts))
        # Column by column, because NumPy then adds up pairwise.
        return float(self.of_sums(np.array([[column.sum() for column in counted.T]]))[0])

    def counted(self, texts):
        """float [N, S + 1]: the statistics, and a 1 that counts the text."""
        statistics = np.asarray(texts.once(self.statistics), dtype=float)
        number = len(texts.hypotheses)
        if statistics.ndim not in (1, 2) or len(statistics) != number:
            raise InputError(
                f"The statistics of {self.name} have the shape {statistics.shape}, "
                f"expected one row or number for each of {number} texts."
            )
        return np.column_stack([statistics, np.ones(number)])

    def of_sums(self, sums):
        """Sums of `counted` [R, S + 1] -> scores [R]."""
        return self.value(sums[:, :-1], sums[:, -1])


def add_metric_option(parser):
    """Add `--metric MODULE:NAME`, see `with_metrics`."""
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="MODULE:NAME",
        help="a score of your own, see docs/scores.md; may be repeated",
    )


def with_metrics(paths):
    """METRICS and the user's own, given as "module:name".

    Raises:
        InputError: one is no `Metric`, or its name is taken.
    """
    metrics = (*METRICS, *map(_import_metric, paths))
    names = Counter((protocol, metric.name) for metric in metrics for protocol in metric.protocols)
    for (protocol, name), count in names.items():
        if count > 1:
            raise InputError(f"{protocol} would have {count} scores named {name}; rename yours.")
    return metrics


def _import_metric(path):
    if not re.fullmatch(r"\w+(\.\w+)*:\w+", path):
        raise InputError(f"--metric takes MODULE:NAME, got {path!r}.")
    metric = import_object(path)
    if not isinstance(metric, Metric):
        raise InputError(f"{path} is a {type(metric).__name__}, expected a Metric.")
    return metric


def shown(score):
    """A score as people read it: a share in percent."""
    return f"{100 * score if isinstance(score, Share) else score:.2f}"


def bleu_counts(texts):
    """int [N, 10]: correct 1- to 4-grams, possible ones, words, words of the closest reference.

    Words are separated by white space.
    """
    from pycocoevalcap.bleu.bleu_scorer import cook_refs, cook_test

    counts = np.zeros((len(texts.hypotheses), 10))
    pairs = zip(texts.hypotheses, texts.references, strict=True)
    for row, (hypothesis, references) in zip(counts, pairs, strict=True):
        cooked = cook_test(hypothesis, cook_refs(references), eff="closest")
        row[:] = *cooked["correct"], *cooked["guess"], cooked["testlen"], cooked["reflen"]
    return counts


def bleu(sums, brevity_penalty=True):
    """Corpus BLEU-1..4 (Papineni et al. 2002) from sums of counts [R, 10] -> [R, 4], 0 to 1.

    BLEU-n is the geometric mean of the precisions up to n; no smoothing.
    """
    correct, possible = sums[:, :4], sums[:, 4:8]
    with np.errstate(divide="ignore"):
        logs = np.log(correct / np.maximum(possible, 1))
    scores = np.exp(np.cumsum(logs, axis=1) / np.arange(1, 5))
    return scores * brevity(sums) if brevity_penalty else scores


def brevity(sums):
    """The brevity penalty of sums of counts [R, 10] -> [R, 1]."""
    words, reference_words = sums[:, 8:9], sums[:, 9:10]
    return np.exp(np.minimum(0, 1 - reference_words / np.maximum(words, 1)))


def _bleu(n, protocols, brevity_penalty=True, suffix=""):
    return Metric(
        f"BLEU-{n}{suffix}",
        bleu_counts,
        lambda sums, texts: bleu(sums, brevity_penalty)[:, n - 1],
        is_share=True,
        protocols=protocols,
        in_summary=n == 4,
    )


def _meteor_2018(texts):
    return meteor(texts.hypotheses, texts.references, normalise=True)


def _meteor_of_album(texts):
    return meteor(texts.hypotheses, texts.references, normalise=False)


def _meteor_of_pairs(texts):
    """`{(hypothesis, reference): METEOR}` of all pairs."""
    pairs = _pairs([texts])
    segments = meteor(*_one_reference_each(pairs), normalise=False).segments
    return dict(zip(pairs, segments, strict=True))


def _pairs(several):
    """All different pairs of a hypothesis and a reference of it."""
    pairs = dict.fromkeys(
        (hypothesis, reference)
        for texts in several
        for hypothesis, references in zip(texts.hypotheses, texts.references, strict=True)
        for reference in references
    )
    return list(pairs)


def _one_reference_each(pairs):
    return [hypothesis for hypothesis, _ in pairs], [[reference] for _, reference in pairs]


def _prepare_2018(of_protocols):
    several = list(itertools.chain(*of_protocols.values()))
    results = meteor_of_systems([_system(texts) for texts in several], normalise=True)
    for texts, result in zip(several, results, strict=True):
        texts.keep(_meteor_2018, result)


def _prepare_vist(of_protocols):
    albums = of_protocols.get(VIST_ALBUM, [])
    pairs = _pairs(of_protocols.get(VIST_SEQUENCE, []))
    systems = [_system(texts) for texts in albums]
    systems += [_one_reference_each(pairs)] if pairs else []
    results = meteor_of_systems(systems, normalise=False)
    for texts, result in zip(albums, results, strict=False):
        texts.keep(_meteor_of_album, result)
    for texts in of_protocols.get(VIST_SEQUENCE, []):
        texts.keep(_meteor_of_pairs, dict(zip(pairs, results[-1].segments, strict=True)))


def _system(texts):
    return texts.hypotheses, texts.references


def _meteor(protocols, result, prepare):
    """METEOR's aggregated score, which is no mean over texts but is taken to vary as it does."""
    return Metric(
        "METEOR",
        lambda texts: texts.once(result).segments,
        overall=lambda texts: texts.once(result).final,
        is_share=True,
        protocols=protocols,
        needs="Java",
        prepare=prepare,
    )


def _best_meteor(texts):
    """[N], the best METEOR of each text over its references taken one by one."""
    scores = texts.once(_meteor_of_pairs)
    return [
        max(scores[hypothesis, reference] for reference in references)
        for hypothesis, references in zip(texts.hypotheses, texts.references, strict=True)
    ]


def _rouge_l(texts):
    """[N], ROUGE-L (beta 1.2); words are separated by single spaces."""
    from pycocoevalcap.rouge.rouge import Rouge

    rouge = Rouge()
    return [
        rouge.calc_score([hypothesis], references)
        for hypothesis, references in zip(texts.hypotheses, texts.references, strict=True)
    ]


def _cider(texts):
    """[N], CIDEr; the document frequencies are those of the references."""
    from pycocoevalcap.cider.cider_scorer import CiderScorer

    scorer = CiderScorer()
    for hypothesis, references in zip(texts.hypotheses, texts.references, strict=True):
        scorer += (hypothesis, references)
    scorer.compute_doc_freq()
    return scorer.compute_cider()


def _non_redundancy(texts):
    """[N, 2]: the story's non-redundancy and a 1, or zeros for one without two sentences."""
    stories = [tuple(sentences) for sentences in texts.stories()]
    of_stories = {story: non_redundancy(story) for story in dict.fromkeys(stories)}
    values = np.array([of_stories[story] for story in stories])
    known = np.isfinite(values)
    if not known.any():
        raise UnavailableError("no story has two sentences that could be compared.")
    return np.column_stack([np.where(known, values, 0), known])


def _mean_where_known(sums, texts):
    """Sums of numbers and of ones that count them [R, 2] -> their means [R], nan of none."""
    known = sums[:, 1] > 0
    return np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=known)


METRICS = (
    *(_bleu(n, ORIGINAL_2018, brevity_penalty=False) for n in range(1, 5)),
    *(_bleu(n, ORIGINAL_2018, suffix=" with brevity penalty") for n in range(1, 5)),
    *(_bleu(n, (VIST_ALBUM,)) for n in range(1, 5)),
    _meteor(ORIGINAL_2018, _meteor_2018, _prepare_2018),
    _meteor((VIST_ALBUM,), _meteor_of_album, _prepare_vist),
    Metric(
        "METEOR",
        _best_meteor,
        is_share=True,
        protocols=(VIST_SEQUENCE,),
        needs="Java",
        prepare=_prepare_vist,
    ),
    Metric("ROUGE-L", _rouge_l, is_share=True, protocols=(VIST_ALBUM,)),
    Metric("CIDEr", _cider, protocols=(VIST_ALBUM,)),
    Metric("RoViST-NR", _non_redundancy, _mean_where_known, is_share=True, protocols=OF_STORIES),
)
