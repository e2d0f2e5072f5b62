"""The adapter for faster-whisper chooses a device and packs hotwords."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from pipeline.core.schema import Word
from pipeline.transcribe.whisper import DecodingResult, Whisper, list_devices


def test_cpu_without_gpu_computes_in_int8() -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has a GPU")
    assert list_devices() == [("cpu", "int8")]


def test_text_joins_the_words() -> None:
    words = (Word(0.0, 0.4, " self", 0.9), Word(0.4, 0.8, "-checkout", 0.9), Word(0.8, 1.0, " desk.", 0.9))
    assert DecodingResult(words, -0.2, 0.0).text == "self-checkout desk."


class FakeTokenizer:
    """One token a character."""

    def encode(self, text: str) -> list[str]:
        return list(text)


@pytest.fixture
def whisper() -> Whisper:
    model = SimpleNamespace(max_length=40, feature_extractor=SimpleNamespace(mel_filters=np.ones((1, 1))))
    whisper = Whisper(cast("Any", model), "fake", "cpu", "int8", 1)
    whisper._tokenizers["en"] = cast("Any", FakeTokenizer())
    return whisper


@pytest.mark.parametrize(
    ("names", "hotwords", "ignored"),
    [
        (["Entra", "Datto"], "Entra, Datto", []),
        (["Entra", "Datto", "Sai"], "Entra, Datto, Sai", []),
        (["Entra", "Datto", "SailPoint"], "Entra, Datto", ["SailPoint"]),
        (["A name that is too long"], None, ["A name that is too long"]),
        ([], None, []),
    ],
)
def test_first_names_that_fit_are_hotwords(
    whisper: Whisper, names: list[str], hotwords: str | None, ignored: list[str]
) -> None:
    """The prompt takes fewer than 19 tokens: half of the context, less one."""
    assert whisper.fit_hotwords(names, "en") == (hotwords, ignored)
