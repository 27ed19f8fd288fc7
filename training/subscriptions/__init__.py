"""Retention of subscribers: who renews, for how long, and what that is worth."""
