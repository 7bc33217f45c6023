"""Telling, scoring and showing stories."""
