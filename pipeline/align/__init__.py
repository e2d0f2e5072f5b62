"""Find where an episode discusses each feature of its list.

`aligner.align` takes a transcript and a feature list, and returns start, end, status, confidence and reason of every
feature. `evidence` measures the words, ids, phrases of hosts and sentence vectors around each unit of speech. A
sequence model weighs this evidence over the whole episode (`sequence_model`, `inference`). Two classifiers and a few
rules decide (`decision`), and `explanations` says why. `corrections` matches the decisions of people to the list. The
package is a pure function of its input: it knows no network, clock, list format or publisher, and never reads a
published time. A phrase of hosts goes into `cues`, a new kind of evidence into `evidence`;
`benchmarks/fit_alignment.py` fits their weights.
"""
