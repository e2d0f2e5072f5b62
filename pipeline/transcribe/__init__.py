"""Transcription of an audio file on this machine, with word times.

`transcriber.WhisperTranscriber` is the entry point, `transcriber.Transcriber` the protocol that runs and tests rely on.
The audio is cut into chunks and windows (`chunking`), decoded by faster-whisper (`whisper`) with a check of every
window (`decoding`), timed (`word_timestamps`), and saved chunk by chunk (`checkpoints`). `transcript_files` reads
transcripts that others made (`subtitles`, `json_transcripts`) and checks their times (`transcript_times`), `models`
finds the weights. The package knows nothing of projects, feature lists, the network (but for the hub of models) or what
a publisher says. Another speech model goes next to `whisper` and implements `decoding.SpeechModel`; another JSON layout
goes into `json_transcripts.DIALECTS`.
"""
