"""Get an episode's inputs from files and the network: audio, captions, feature lists, and what the publisher states.

Entry points are `fetch_audio.download_audio`, `captions.fetch_captions`, `feature_lists.read_lists` and
`refresh_revision`, and `discovery.add_new_episodes`. Every request runs under a `retry.FetchPolicy`, inside
`ssrf_guard.guard_connections`, and its failures are `InputError`s without secrets. This package stores the
publisher's chapters and times but never passes them to the alignment; it knows no transcription and no catalog.
Add a kind of source in `fetch_audio.resolve_entry`, a failure of yt-dlp in `ytdlp_errors.FAILURES`, a published field
in `metadata.Metadata`.
"""
