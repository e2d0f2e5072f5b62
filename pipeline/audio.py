"""Audio and video files, read with PyAV: no ffmpeg program is needed."""

from pathlib import Path

from pipeline.errors import InputError


def probe_duration(path: Path) -> float:
    """Return the seconds of sound in a media file; InputError where it holds no audio we can read."""
    import av

    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty: fetch it again, or name another file")
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise InputError(f"{path} has no audio stream: name the file with the episode's sound")
            stream = container.streams.audio[0]
            if stream.duration is not None and stream.time_base is not None:
                return float(stream.duration * stream.time_base)
            if container.duration is not None:
                return float(container.duration) / av.time_base
            return 0.0
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{path} is not audio or video that we can read ({error}): name another file") from error
