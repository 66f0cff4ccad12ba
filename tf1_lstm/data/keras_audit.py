"""What is wrong with a split of Keras's reviews, computed from the sampler's rows and the reviews' ids."""

from typing import List

import numpy as np

from tf1_lstm.data.base import AuditFinding
from tf1_lstm.data.keras_batches import ReviewSampler
from tf1_lstm.data.keras_reviews import Reviews


def audit_epoch(sampler: ReviewSampler, rows: np.ndarray) -> List[AuditFinding]:
    """Rows (of ``rows``, int64 ``[n]``) that the first epoch leaves out or uses twice."""
    drawn = np.concatenate([sampler.rows(step) for step in range(sampler.steps_per_epoch)])
    used, uses = np.unique(drawn, return_counts=True)
    batches = f"{sampler.steps_per_epoch:,} batches give {len(drawn):,} of {len(rows):,} reviews"
    unused = np.setdiff1d(rows, used)
    changing = "; they are others in each epoch" if len(unused) else ""
    return [
        AuditFinding.of("training reviews left out of an epoch", unused, f"{batches}{changing}."),
        AuditFinding.of("training reviews used twice in an epoch", used[uses > 1], f"{batches}."),
    ]


def shared_reviews(
    name: str, store: Reviews, rows: np.ndarray, train: Reviews, trained: np.ndarray
) -> AuditFinding:
    """Rows of a split whose ids are, all of them, those of a training review."""
    known = {train.review(row).tobytes() for row in trained.tolist()}
    both = [row for row in rows.tolist() if store.review(row).tobytes() in known]
    return AuditFinding.of(
        f"{name} reviews that are training reviews too",
        np.array(both, np.int64),
        f"Compared word by word, {len(rows):,} with {len(trained):,} reviews.",
    )


def measured_on_test(rows: np.ndarray) -> AuditFinding:
    """All test rows, where they are what is measured after each epoch."""
    return AuditFinding.of(
        "test reviews that the validation figures are of",
        rows,
        "There is no validation split of its own: an epoch chosen by its figures is chosen by the test.",
    )
