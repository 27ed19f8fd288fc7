"""The service's side of scores: what is asked, how it is answered, and who may ask."""
