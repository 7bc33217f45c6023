"""The protocols by which stories are scored: which texts are compared with which, by which scores.

The same stories' METEOR differs by ten points from one protocol to the other, so a score means
little without the name of its protocol.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from data_reader.errors import InputError
from generation.bootstrap import interval, paired_difference, sums_by_group, total
from generation.metrics import (
    METRICS,
    ORIGINAL_2018,
    Metric,
    Texts,
    UnavailableError,
    bleu,
    bleu_counts,
    brevity,
)


@dataclass(frozen=True)
class Scored:
    """Texts scored by a protocol.

    Attributes:
        protocol: its name.
        texts: the texts.
        metrics: `{name: Metric}` of the scores that were computed.
        values: `{name: score}`.
        missing: `{name: reason}` of the scores that could not be computed.
    """

    protocol: str
    texts: Texts
    metrics: dict[str, Metric]
    values: dict[str, float]
    missing: dict[str, str]


def score(protocol, texts, metrics=METRICS):
    """Score texts by those of the metrics that belong to the protocol.

    The protocols:
        original-2018-sentence, original-2018-story: the system's own evaluation of 2018.  BLEU by
            its `multi-bleu.perl`, which leaves the brevity penalty out and prints cumulative
            scores, and with the penalty; METEOR 1.5 `-t hter -l en -norm`; one reference, cut to
            20 words as the model saw it.
        vist-album: the field's `vist_eval`, one story per album against all human stories of it.
            BLEU-1..4 with brevity penalty (closest length), METEOR `-t hter` without `-norm`,
            ROUGE-L, CIDEr.
        vist-sequence: one story per sequence of photos against its own human stories, METEOR as
            the 2018 challenge took it: the mean of the best over the references.  The challenge
            compared with stories that were never published and left some sequences out by a list
            that was not either; with VIST's public stories its scores can be approached, not
            repeated.

    Returns:
        `Scored`.
    """
    computed, values, missing = {}, {}, {}
    for metric in metrics:
        if protocol in metric.protocols:
            try:
                values[metric.name] = _finite(metric.score(texts))
                computed[metric.name] = metric
            except UnavailableError as error:
                missing[metric.name] = str(error)
    return Scored(protocol, texts, computed, values, missing)


def prepare(several, metrics):
    """Let programs such as METEOR's work for all texts at once, while Python counts the rest.

    Args:
        several: `{protocol: [Texts]}`.
        metrics: those by which they will be scored.
    """
    programs = {}
    for metric in metrics:
        if metric.prepare:
            found = {each: several[each] for each in metric.protocols if several.get(each)}
            programs.setdefault(metric.prepare, {}).update(found)

    def start(program, texts):
        with suppress(UnavailableError):  # which scoring will report
            program(texts)

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(start, *each) for each in programs.items() if each[1]]
        for metric in metrics:
            if not metric.prepare:
                _count(metric, several)
        for job in jobs:
            job.result()


def _count(metric, several):
    for protocol in metric.protocols:
        for texts in several.get(protocol, ()):
            with suppress(UnavailableError):
                texts.once(metric.statistics)


def _finite(value):
    if not math.isfinite(value):
        raise UnavailableError(f"it is {value} for these texts.")
    return value


def with_one_reference(hypotheses, references, groups=(), sentences=()):
    """`Texts`, each with one reference and named by its number; those with an empty one left out.

    Raises:
        InputError: there is nothing to score, or not one reference for each text.
    """
    if not hypotheses or len(hypotheses) != len(references):
        raise InputError(
            f"Each text needs one reference; got {len(hypotheses)} texts and "
            f"{len(references)} references."
        )
    names = [str(number) for number in range(1, len(hypotheses) + 1)]
    return _texts(names, hypotheses, [[text] for text in references], groups, sentences)


def with_all_references(predictions, references, groups=(), sentences=()):
    """`Texts`, each with all references of its key; those that have none left out.

    Args:
        predictions: `{key: story}`, a key being the id of an album or the photo ids of a sequence.
        references: `{key: [stories]}`; it may have more keys.
        groups, sentences: of each prediction, see `Texts`.

    Raises:
        InputError: there is nothing to score.
    """
    if not predictions:
        raise InputError("There are no predictions to score.")
    human = [references.get(key, ()) for key in predictions]
    names = ["_".join(key) if isinstance(key, tuple) else key for key in predictions]
    return _texts(names, list(predictions.values()), human, groups, sentences)


def _texts(names, hypotheses, references, groups, sentences):
    """`Texts` without empty references, and without the texts that have no others."""
    human = [[text for text in of_text if text.strip()] for of_text in references]
    places = [place for place, of_text in enumerate(human) if of_text]
    if not places:
        raise InputError(
            f"None of the {len(names)} texts, the first of which is {names[0]:.60}, has a "
            "reference that is not empty; take the references that belong to them."
        )

    def kept(values):
        return [values[place] for place in places] if values else values

    left_out = [name for name, of_text in zip(names, human, strict=True) if not of_text]
    of_texts = (kept(values) for values in (hypotheses, human, groups, sentences, names))
    return Texts(*of_texts, left_out)


def corpus_bleu(hypotheses, references):
    """BLEU-4 with brevity penalty of sentences against one reference each, in percent.

    Raises:
        InputError: there are no sentences, or not as many of one as of the other.
    """
    counts = bleu_counts(with_one_reference(hypotheses, references))
    return 100 * float(bleu(counts.sum(axis=0)[None])[0, 3])


def script_lines(scored):
    """The lines that the protocol's own scripts print; only those of original-2018 do."""
    if scored.protocol not in ORIGINAL_2018:
        return []
    sums = scored.texts.once(bleu_counts).sum(axis=0)[None]
    others = [name for name, metric in scored.metrics.items() if metric.statistics != bleu_counts]
    return [
        _multi_bleu_line(sums, brevity_penalty=False),
        _multi_bleu_line(sums, brevity_penalty=True),
        *(f"{name} = {scored.values[name]!r}" for name in others),
    ]


def _multi_bleu_line(sums, brevity_penalty):
    penalty = float(brevity(sums)[0, 0]) if brevity_penalty else 1.0
    percent = "/".join(f"{100 * score:.1f}" for score in bleu(sums, brevity_penalty)[0])
    words, reference_words = int(sums[0, 8]), int(sums[0, 9])
    return (
        f"BLEU = {percent} (BP={penalty:.3f}, ratio={words / max(reference_words, 1):.3f}, "
        f"hyp_len={words}, ref_len={reference_words})"
    )


def intervals(scored):
    """`{name: [low, high]}`: 95 % confidence intervals by bootstrap over the texts' groups."""
    found = {}
    for name, metric in scored.metrics.items():
        sums = sums_by_group(metric.counted(scored.texts), scored.texts.groups)
        shift = scored.values[name] - float(metric.of_sums(total(sums))[0])
        found[name] = [bound + shift for bound in interval(metric.of_sums, sums)]
    return found


def compared(ours, theirs):
    """`{name: {difference, interval, p_value, higher_is_better}}` of two systems' `Scored`.

    The texts are of the same photos in the same order.  A score that has a value of its own for
    all texts is compared by its texts' sums alone, METEOR by the means over texts.  A score that
    one of them lacks is left out, see `not_compared`.

    Raises:
        InputError: other texts of one than of the other have human texts.
    """
    if ours.texts.names != theirs.texts.names:
        differing = {*ours.texts.names} ^ {*theirs.texts.names}
        raise InputError(
            f"{ours.protocol}: only one of the two has a human text for {min(differing)}; "
            "generate the stories of both again."
        )
    rows = {}
    for name, metric in ours.metrics.items():
        if metric.in_summary and name in theirs.metrics:
            sums = [
                sums_by_group(metric.counted(each.texts), ours.texts.groups)
                for each in (ours, theirs)
            ]
            difference = paired_difference(metric.of_sums, *sums)
            rows[name] = difference | {"higher_is_better": metric.higher_is_better}
    return rows


def not_compared(names, scored):
    """`{score: reason}` of what some of several systems lack, which names them unless all do.

    Args:
        names: of the systems.
        scored: their `Scored`, by one protocol.
    """
    reasons = {}
    for name, of_system in zip(names, scored, strict=True):
        for score, reason in of_system.missing.items():
            reasons.setdefault(score, {}).setdefault(reason, []).append(name)
    return {
        score: "; ".join(
            reason if len(lacking) == len(scored) else f"{', '.join(lacking)}: {reason}"
            for reason, lacking in of_score.items()
        )
        for score, of_score in reasons.items()
    }
