"""What a training leaves behind: the run, the card, the registered model and its promotion."""
