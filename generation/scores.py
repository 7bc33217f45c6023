"""Scores of generated stories against human ones."""


def corpus_bleu(hypotheses, references):
    """Corpus BLEU (Papineni et al. 2002) of sentences against one reference each.

    Words are what white space separates; no smoothing; percent.

    Returns:
        `{"bleu", "precisions", "brevity_penalty", "hypothesis_words", "reference_words",
        "protocol"}`, the last one sacrebleu's own signature of what was computed.

    Raises:
        ValueError: there are no sentences, or not as many of one as of the other.
    """
    from sacrebleu.metrics import BLEU

    if not hypotheses or len(hypotheses) != len(references):
        raise ValueError(
            f"BLEU needs a reference for each sentence; got {len(hypotheses)} sentences "
            f"and {len(references)} references."
        )
    # "force" silences a warning about tokenised text, which VIST's is throughout.
    metric = BLEU(tokenize="none", smooth_method="none", force=True)
    score = metric.corpus_score(hypotheses, [references])
    return {
        "bleu": score.score,
        "precisions": score.precisions,
        "brevity_penalty": score.bp,
        "hypothesis_words": score.sys_len,
        "reference_words": score.ref_len,
        "protocol": f"sentence level, one reference, {metric.get_signature()}",
    }
