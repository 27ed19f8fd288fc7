"""Campaigns: who gets which action under a budget, who is held out, and what it changed."""
