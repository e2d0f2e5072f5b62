"""Recognize dates and releases: the words of headings that name a version, and dates that stand alone."""

import re

_MONTH = (
    r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|fév|avr|mai|juin|juil|août|déc|ene|abr|ago|dic)"
    r"[a-zäûé]{0,7}\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th|\.)?"
# A date: 2026-11-23, 23/11/2026, 23 November 2026, November 23rd, 2026, Nov 2026; a time of day may follow.
DATE = (
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s+)?"
    r"(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"
    rf"|{_DAY}[-\s]+(?:of\s+)?{_MONTH},?[-\s]+\d{{4}}|{_MONTH}\s+{_DAY},?\s+\d{{4}}|{_MONTH}\s+\d{{4}}|{_MONTH}\s+\d{{1,2}}(?!\d)|\d{{1,2}}\.?\s+{_MONTH}(?!\w))"
    r"(?:,?\s+\d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]m)?(?:\s?(?:utc|gmt|[+-]\d{4}))?)?"
)
_ONLY_DATE = re.compile(rf"\W*{DATE}\W*", re.IGNORECASE)
_DATE = re.compile(rf"(?<![\w.]){DATE}(?![\w])", re.IGNORECASE)


def is_date(text: str) -> bool:
    """Return whether a text is a date and nothing else."""
    return len(text) < 60 and _ONLY_DATE.fullmatch(text) is not None


def remove_dates(text: str) -> str:
    """Return a text without its dates."""
    return _DATE.sub(" ", text)
