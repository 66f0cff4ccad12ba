"""What torchtext of the document's day does with the reviews, against the recipe's data."""

import numpy as np

from tf1_lstm.data.registry import open_dataset
from tf1_lstm.recipes.data_parts import KerasImdb
from tf1_lstm.recipes.torch_bidirectional import IMDB_BILSTM2


def test_training_batches_are_plainly_shuffled_whole_reviews():
    data = IMDB_BILSTM2.data
    assert isinstance(data, KerasImdb)
    assert (data.batch_order, data.whole_length, data.padding) == ("shuffled", True, "back")
    opened = open_dataset("keras-imdb", None, True).with_settings(
        {"steps": data.steps, "any_steps": True, "padding": "back", "embedding": "trained", "vocabulary": 278}
    )
    sampler = opened.train_sampler("published", 10, seed=1)
    batches = [sampler.batch(step) for step in range(sampler.steps_per_epoch)]
    lengths = [[int(np.count_nonzero(row)) for row in batch.inputs] for batch in batches]
    # As long as its longest review, nothing cut, and the lengths of a batch are any.
    assert [batch.inputs.shape[1] for batch in batches] == [max(of_batch) for of_batch in lengths]
    assert np.mean([np.ptp(of_batch) for of_batch in lengths]) > 0.3 * np.ptp(np.concatenate(lengths))
