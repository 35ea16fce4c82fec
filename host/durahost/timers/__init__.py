"""Timer triggers: the listener of each timer function, its stored status, and manual runs."""
