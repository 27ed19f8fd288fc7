"""The verbs of the command line, by what they are about: data, models, answers."""
