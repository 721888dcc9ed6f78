"""The revenue back end: duty and tax from dated tables, explained line by line."""
