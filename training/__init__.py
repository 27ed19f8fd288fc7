"""Behaviour tables in, models out: graded, tracked, promoted. Knows features."""
