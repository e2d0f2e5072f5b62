"""Find where a show discusses each feature of a known list: audio and page in, timestamped catalog out."""

__version__ = "0.1.0"
