"""What cannot be said, and why."""
