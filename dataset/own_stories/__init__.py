"""Stories of one's own, imported in VIST's format."""
