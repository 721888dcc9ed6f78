"""One module for each program that is measured; the listing is the list."""
