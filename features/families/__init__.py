"""Families of features: each a plan from customer-days or events to columns."""
