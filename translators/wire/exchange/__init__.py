"""Generated packages of the exchange contract."""
