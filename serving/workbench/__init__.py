"""The pages for people: what is known about the customers, readable without JavaScript."""
