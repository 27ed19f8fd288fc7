"""Tables opened wherever they are, as text or as they come, and their expressions."""
