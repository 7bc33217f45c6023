"""Generating, scoring and showing stories."""
