"""What each source must hold: rows accepted, or rejected with a reason."""
