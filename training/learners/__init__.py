"""Models of risk and of spend that learn from a panel, alone and blended."""
