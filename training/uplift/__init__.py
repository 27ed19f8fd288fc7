"""Uplift: for whom an action changes something, learned from trials and judged by profit."""
