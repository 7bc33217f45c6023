"""One short file per experiment: the scripts to copy and edit."""
