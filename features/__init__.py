"""Raw tables to behaviour tables. Knows no model."""
