"""Measurements: what is claimed of speed, accuracy and robustness comes from here."""
