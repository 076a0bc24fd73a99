"""Training on paper: the session card, the whole programme, and the pictures of dose and fidelity."""
