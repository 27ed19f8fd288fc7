"""From models to answers: scores, segments, tiers, reasons and the service."""
