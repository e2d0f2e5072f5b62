"""Whisper's mel filters, each applied to the few frequencies that it hears."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Matrix = npt.NDArray[np.float32]


class MelBands:
    """Stands for the filter matrix of shape (mels, frequencies) in `filters @ power`.

    The product of whole matrices is shared out by numpy's linear algebra over all cores. The order of its sums, and
    with it now and then a word, would depend on how many there are; and its threads spin between two products, for a
    tenth of the processor's time, where other threads could recognise. Nearly all of the matrix is zero anyway.
    """

    def __init__(self, filters: "Matrix") -> None:
        import numpy as np

        self._bands = []
        for row in filters:
            heard = np.flatnonzero(row)
            band = slice(int(heard[0]), int(heard[-1]) + 1) if len(heard) else slice(0, 0)
            self._bands.append((band, row[band, None]))

    def __matmul__(self, power: "Matrix") -> "Matrix":
        """Return the mel spectrum of `power`, shape (frequencies, frames), as (mels, frames)."""
        import numpy as np

        rows = np.ascontiguousarray(power)  # so that a sum adds row to row
        return np.stack([(weights * rows[band]).sum(axis=0) for band, weights in self._bands])
