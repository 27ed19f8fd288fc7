"""How good predictions are: figures, rules of thumb, grades, reliability."""
