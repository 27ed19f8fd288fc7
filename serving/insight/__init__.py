"""What stands behind the score of a customer: why, what changed, what if, who is alike."""
