"""Version 1 of the exchange contract, generated."""
