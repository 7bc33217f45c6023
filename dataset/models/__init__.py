"""Networks that turn photos into features."""
