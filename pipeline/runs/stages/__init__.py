"""The stages of an episode, one module each: download, transcribe, align and publish.

A stage reads files and writes files. Its module offers one `STAGE`, which lists the inputs that it depends on, lists
the files that it writes, and does the work; the state file of the episode records the first two, so that a stage runs
only where something differs. Stages do not import each other: a file connects each with the next. To add a stage,
write its module, add it to `STAGES` below and its name to `pipeline.runs.result.StageName`.
"""

from pipeline.runs.stages.align import STAGE as ALIGN
from pipeline.runs.stages.base import Stage
from pipeline.runs.stages.download import STAGE as DOWNLOAD
from pipeline.runs.stages.publish import STAGE as PUBLISH
from pipeline.runs.stages.transcribe import STAGE as TRANSCRIBE

# The order in which they run.
STAGES: tuple[Stage, ...] = (DOWNLOAD, TRANSCRIBE, ALIGN, PUBLISH)
