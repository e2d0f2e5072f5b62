"""Read audio files: open, check and decode them (`file`), by the length that a header proves (`headers`).

`tracks` chooses among several audio tracks, `channels` keeps speech whose channels would cancel each other. What
this package decides of a file holds for its download and its transcription alike.
"""
