"""Procedural cloning: imitate how it was worked out, not only what was done.

Read `procedures` (what an expert's search looks like, frame by frame; NumPy only), then
`networks`, `training`, and `running`, where a learned step is left to itself.
"""
