"""Customers in groups: stages, segments, tiers, accounts; what they are worth, how they moved."""
