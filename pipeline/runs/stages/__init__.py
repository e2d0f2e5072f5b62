"""The stages of an episode, in their order: each names its inputs, its outputs and its work."""

from pipeline.runs.stages.align import _align, _align_inputs, _align_outputs
from pipeline.runs.stages.base import Stage
from pipeline.runs.stages.download import _download, _download_inputs, _download_outputs
from pipeline.runs.stages.publish import _publish, _publish_inputs, _publish_outputs
from pipeline.runs.stages.transcribe import _transcribe, _transcribe_inputs, _transcribe_outputs

STAGES = (
    Stage("download", _download_inputs, _download_outputs, _download),
    Stage("transcribe", _transcribe_inputs, _transcribe_outputs, _transcribe),
    Stage("align", _align_inputs, _align_outputs, _align),
    Stage("publish", _publish_inputs, _publish_outputs, _publish),
)
