"""Keep the speech of stereo sound whose channels are in opposite phase: their mix would be silence."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    import numpy as np
    import numpy.typing as npt

# The share of the louder channel's power that the mix of both must have. Equal channels give 1, a silent one 0.25.
MIN_MIX_SHARE = 0.05


def restore_cancelled(frame: "av.AudioFrame") -> "av.AudioFrame":
    """Return a frame with the louder channel on both sides where its two channels cancel each other, else the frame."""
    import av
    import numpy as np

    if frame.layout.nb_channels != 2 or not frame.samples:
        return frame
    array = frame.to_ndarray()
    sides = array if frame.format.is_planar else array.reshape(-1, 2).T
    left, right = (_center(side) for side in sides)
    power = float(np.mean(left * left)), float(np.mean(right * right))
    mixed = (left + right) / 2
    if float(np.mean(mixed * mixed)) >= MIN_MIX_SHARE * max(power):
        return frame
    louder = sides[0] if power[0] >= power[1] else sides[1]
    doubled = np.stack([louder, louder])
    content = doubled if frame.format.is_planar else np.ascontiguousarray(doubled.T).reshape(1, -1)
    restored = av.AudioFrame.from_ndarray(np.ascontiguousarray(content), frame.format.name, frame.layout.name)
    restored.sample_rate, restored.pts = frame.sample_rate, frame.pts
    if frame.time_base is not None:
        restored.time_base = frame.time_base
    return restored


def _center(samples: "npt.NDArray[np.generic]") -> "npt.NDArray[np.float32]":
    """Return samples as floats around 0; unsigned bytes lie around 128."""
    import numpy as np

    centered = samples.astype(np.float32)
    return centered - np.float32(128) if samples.dtype == np.uint8 else centered
