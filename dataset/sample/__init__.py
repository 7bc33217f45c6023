"""The embedded sample set: a small imitation of VIST in VIST's own file formats."""
