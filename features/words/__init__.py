"""Columns described, and what they say to people."""
