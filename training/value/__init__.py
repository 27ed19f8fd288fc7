"""The value models: purchases, values, and both together as one estimator (`model`)."""
