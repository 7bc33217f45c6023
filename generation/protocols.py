"""The protocols by which stories are scored.

The same stories' METEOR differs by ten points from one protocol to the other, so a score is only
worth something beside the name of its protocol.  Legend of shapes: N texts, R draws.
"""

from dataclasses import dataclass, field

import numpy as np

from data_reader.errors import InputError
from generation.bootstrap import interval, paired_difference, sums_by_group
from generation.meteor import MeteorMissingError, meteor

_COUNTS = 10  # statistics of a text: BLEU's correct and possible 1- to 4-grams, and two lengths


@dataclass(frozen=True)
class Scored:
    """Texts scored by a protocol.

    Attributes:
        figures: `{name: number}`.
        statistics: float [N, 10 + M], of each text what can be summed: its BLEU counts, then its
            value of each metric in `means`.
        means: names of metrics that are, or whose intervals are taken from, means over texts.
        reports: lines that the protocol's own scripts print.
        missing: why METEOR was not computed; empty where it was.
    """

    figures: dict
    statistics: np.ndarray
    means: tuple[str, ...]
    reports: list[str] = field(default_factory=list)
    missing: str = ""


def bleu_counts(hypotheses, references):
    """int [N, 10]: correct 1- to 4-grams, possible ones, words, words of the closest reference.

    Words are what white space separates.
    """
    from pycocoevalcap.bleu.bleu_scorer import cook_refs, cook_test

    counts = np.zeros((len(hypotheses), _COUNTS))
    for row, hypothesis, ours in zip(counts, hypotheses, references, strict=True):
        cooked = cook_test(hypothesis, cook_refs(ours), eff="closest")
        row[:] = *cooked["correct"], *cooked["guess"], cooked["testlen"], cooked["reflen"]
    return counts


def bleu(sums, brevity_penalty=True):
    """Corpus BLEU-1..4 (Papineni et al. 2002) from sums of counts [R, 10] -> [R, 4], 0 to 1.

    BLEU-n is the geometric mean of the precisions up to n; no smoothing.
    """
    correct, possible, words, reference_words = (
        sums[:, :4],
        sums[:, 4:8],
        sums[:, 8:9],
        sums[:, 9:10],
    )
    with np.errstate(divide="ignore"):
        logs = np.log(correct / np.maximum(possible, 1))
    scores = np.exp(np.cumsum(logs, axis=1) / np.arange(1, 5))
    return scores * _brevity(words, reference_words) if brevity_penalty else scores


def _brevity(words, reference_words):
    return np.exp(np.minimum(0, 1 - reference_words / np.maximum(words, 1)))


def corpus_bleu(hypotheses, references):
    """BLEU-4 with brevity penalty of sentences against one reference each, in percent.

    Raises:
        ValueError: there are no sentences, or not as many of one as of the other.
    """
    _check_pairs(hypotheses, references)
    counts = bleu_counts(hypotheses, [[reference] for reference in references])
    return 100 * float(bleu(counts.sum(axis=0)[None])[0, 3])


def original_2018(hypotheses, references):
    """The protocol of the system's own evaluation of 2018.

    BLEU by its `multi-bleu.perl`, which leaves the brevity penalty out and prints cumulative
    scores; METEOR 1.5 `-t hter -l en -norm`; one reference, cut to 20 words as the model saw it.

    Raises:
        ValueError: nothing to score, or not a reference for each text.
    """
    _check_pairs(hypotheses, references)
    counts = bleu_counts(hypotheses, [[reference] for reference in references])
    sums = counts.sum(axis=0)[None]
    without, with_penalty = bleu(sums, brevity_penalty=False)[0], bleu(sums)[0]
    figures = {f"BLEU-{n}": float(without[n - 1]) for n in range(1, 5)}
    figures |= {f"BLEU-{n} with brevity penalty": float(with_penalty[n - 1]) for n in range(1, 5)}
    own, missing = _try_meteor(hypotheses, [[reference] for reference in references], True)
    reports = [
        _multi_bleu_line(without, 1.0, sums[0]),
        _multi_bleu_line(with_penalty, float(_brevity(sums[0, 8], sums[0, 9])), sums[0]),
    ]
    means = np.zeros((len(counts), 0))
    if own:
        figures["METEOR"] = own.final
        means = np.array(own.segments)[:, None]
        reports.append(f"METEOR = {own.final!r}")
    names = ("METEOR",) if own else ()
    return Scored(figures, np.hstack([counts, means]), names, reports, missing)


def _multi_bleu_line(scores, brevity_penalty, sums):
    words, reference_words = int(sums[8]), int(sums[9])
    shown = "/".join(f"{100 * score:.1f}" for score in scores)
    return (
        f"BLEU = {shown} (BP={brevity_penalty:.3f}, ratio={words / max(reference_words, 1):.3f}, "
        f"hyp_len={words}, ref_len={reference_words})"
    )


def vist_album(predictions, references):
    """The protocol of the field's `vist_eval`: a story an album against all of its human ones.

    BLEU-1..4 with brevity penalty (closest length), METEOR `-t hter` without `-norm`, ROUGE-L
    (beta 1.2), CIDEr; words are what white space separates, for ROUGE-L what single spaces do.

    Args:
        predictions: `{album id: story}`.
        references: `{album id: [stories]}`.

    Raises:
        ValueError: an album has no reference, or there is none to score.
    """
    hypotheses, ours = _matched(predictions, references)
    own, missing = _try_meteor(hypotheses, ours, False)
    counts = bleu_counts(hypotheses, ours)
    as_given = [(predictions[key], references[key]) for key in predictions]
    means = {"ROUGE-L": _rouge_l(*zip(*as_given, strict=True)), "CIDEr": _cider(hypotheses, ours)}
    scores = bleu(counts.sum(axis=0)[None])[0]
    figures = {f"BLEU-{n}": float(scores[n - 1]) for n in range(1, 5)}
    if own:
        figures["METEOR"] = own.final
        means["METEOR"] = own.segments
    figures |= {name: float(np.mean(means[name])) for name in ("ROUGE-L", "CIDEr")}
    statistics = np.hstack([counts, np.array(list(means.values())).T])
    return Scored(figures, statistics, tuple(means), missing=missing)


def vist_sequence(predictions, references):
    """Each photo sequence against its own human stories: METEOR as the 2018 challenge took it.

    For each sequence the best METEOR (`-t hter`) over its references, then the mean.  The
    challenge's own script compared with reference stories that were never published and left some
    sequences out by a list that was not either; with VIST's public stories its figures can be
    approached, not repeated.

    Args:
        predictions: `{five photo ids joined by _: story}`.
        references: `{the same: [stories]}`.

    Raises:
        ValueError: a sequence has no reference, or there is none to score.
    """
    hypotheses, ours = _matched(predictions, references)
    pairs = [
        (told, human) for told, humans in zip(hypotheses, ours, strict=True) for human in humans
    ]
    of_pairs, missing = _try_meteor([told for told, _ in pairs], [[h] for _, h in pairs], False)
    counts = bleu_counts(hypotheses, ours)
    if not of_pairs:
        return Scored({}, counts, (), missing=missing)
    ends = np.cumsum([len(humans) for humans in ours])
    best = [max(part) for part in np.split(np.array(of_pairs.segments), ends[:-1])]
    statistics = np.hstack([counts, np.array(best)[:, None]])
    return Scored({"METEOR": float(np.mean(best))}, statistics, ("METEOR",))


def _try_meteor(hypotheses, references, normalise):
    """-> `Meteor` and "", or None and why it is missing."""
    try:
        return meteor(hypotheses, references, normalise), ""
    except MeteorMissingError as error:
        return None, str(error)


def _rouge_l(hypotheses, references):
    from pycocoevalcap.rouge.rouge import Rouge

    rouge = Rouge()
    return [
        rouge.calc_score([told], humans)
        for told, humans in zip(hypotheses, references, strict=True)
    ]


def _cider(hypotheses, references):
    from pycocoevalcap.cider.cider_scorer import CiderScorer

    scorer = CiderScorer()
    for told, humans in zip(hypotheses, references, strict=True):
        scorer += (told, humans)
    scorer.compute_doc_freq()
    return scorer.compute_cider()


def _check_pairs(hypotheses, references):
    if not hypotheses or len(hypotheses) != len(references):
        raise InputError(
            f"A reference for each text is needed; got {len(hypotheses)} texts and "
            f"{len(references)} references."
        )
    empty = [number for number, text in enumerate(references, 1) if not text.strip()]
    if empty:
        raise InputError(f"Reference {empty[0]} is empty; a text can't be compared with nothing.")


def _matched(predictions, references):
    """-> stories, their reference stories; white space made single spaces."""
    if not predictions:
        raise InputError("There are no predictions to score.")
    without = [key for key in predictions if not any(map(str.strip, references.get(key, [])))]
    if without:
        raise InputError(
            f"{len(without)} of {len(predictions)} predictions have no reference, the first: "
            f"{without[0]}; leave them out, or take the references that belong to them."
        )
    hypotheses = [_single_spaces(story) for story in predictions.values()]
    ours = [
        [_single_spaces(story) for story in references[key] if story.strip()] for key in predictions
    ]
    return hypotheses, ours


def _single_spaces(text):
    return " ".join(text.split())


def shown(name, score):
    """A score as people read it: in percent, but CIDEr, which is no share."""
    return f"{score if name.endswith('CIDEr') else 100 * score:.2f}"


def intervals(scored, group_of):
    """`{name: [low, high]}`: 95 % confidence intervals by bootstrap over groups, albums say.

    METEOR's aggregated score is no mean over texts; it is taken to vary as their mean does.
    """
    sums = sums_by_group(_with_ones(scored.statistics), group_of)
    found = {}
    for name, figure in _figures_of_sums(scored).items():
        shift = scored.figures[name] - float(figure(sums.sum(axis=0)[None])[0])
        found[name] = [bound + shift for bound in interval(figure, sums)]
    return found


def compared(ours, theirs, group_of):
    """`{name: {difference, interval, p_value}}` of two runs' `Scored` on the same texts.

    METEOR's are those of the means over texts.
    """
    sums = [sums_by_group(_with_ones(each.statistics), group_of) for each in (ours, theirs)]
    return {
        name: paired_difference(figure, *sums) for name, figure in _figures_of_sums(ours).items()
    }


def _with_ones(statistics):
    return np.hstack([statistics, np.ones((len(statistics), 1))])


def _figures_of_sums(scored):
    """`{name: sums [R, S] -> figures [R]}` of what a protocol has; the last sum is of texts."""
    with_penalty = "BLEU-4 with brevity penalty"
    figures = {}
    if "BLEU-4" in scored.figures:
        leaves_it_out = with_penalty in scored.figures
        figures["BLEU-4"] = lambda sums: bleu(sums, brevity_penalty=not leaves_it_out)[:, 3]
        if leaves_it_out:
            figures[with_penalty] = lambda sums: bleu(sums)[:, 3]
    for place, name in enumerate(scored.means, _COUNTS):
        figures[name] = lambda sums, place=place: sums[:, place] / sums[:, -1]
    return figures
