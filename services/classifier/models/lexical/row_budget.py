"""How many features fit: a row of weights each, one column a class, in a bounded memory."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.lexical.vocabulary import Vocabulary

# 32 MiB of float32 weights: with many topics the rarest n-grams have to go.
_WEIGHT_BUDGET: Final = 1 << 23
_FEWEST_ROWS: Final = 1 << 10
# Share of the rows that stay when corrections have filled the budget: room for the next thousands.
_ROWS_LEFT: Final = 0.875
# The narrowest head; see linear._LANE.
_FEWEST_COLUMNS: Final = 16


def learn_anew(vocabulary: Vocabulary, texts: Sequence[str], classes: int) -> None:
    """The features of these texts alone, the rarest left out where they would not fit."""
    vocabulary.clear()
    vocabulary.learn(texts)
    # With few texts a feature seen once is most of what there is to learn from.
    fewest = 1 if len(texts) < 20 * classes else 2
    vocabulary.prune(fewest, _most_rows(max(classes, _FEWEST_COLUMNS)))
    vocabulary.weigh()


def make_room(vocabulary: Vocabulary, columns: int) -> NDArray[np.int64] | None:
    """Forget the rarest features where they do not fit; which rows were kept, None for all."""
    most = _most_rows(columns)
    return vocabulary.shrink(int(_ROWS_LEFT * most)) if len(vocabulary) > most else None


def _most_rows(columns: int) -> int:
    return max(_WEIGHT_BUDGET // columns, _FEWEST_ROWS)
